//! The unit in a systemd that really boots, in its own namespaces: a unit file may have other effects than it seems
//! to.
//!
//! Needs root, and `kits/hostile/systemd_boot.sh` of the corpora, which boots systemd.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::corpora::kit;
use crate::support::{PATIENCE, SECRET, barred, eventually, skip};

/// Unlimited starts, a credential, and the endpoint.
const DROP_IN: &str = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=100ms\n\
                       LoadCredential=desk:/etc/revisor/desk.secret\nSocketBindAllow=tcp:9464\n";

/// A watchdog with a timeout of a few seconds; on a busy machine it may also fire without a reason.
const WATCHDOG: &str = "[Service]\nWatchdogSec=3s\n";

const CONFIG: &str = "[web]\nlisten = \"127.0.0.1:9464\"\n[fetch]\nallow_private = [\"127.0.0.0/8\"]\n\
    [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\nsecret_credential = \"desk\"\n";

/// A process that reads a PDF starts under the same limits as the service, and succeeds.
const READS_A_PDF: &str =
    "[Service]\nExecStartPost=/usr/bin/revisor inspect article /etc/revisor/notice.pdf\n";

const PDF: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>endobj\n\
    4 0 obj<</Length 48>>stream\nBT /F1 12 Tf 72 700 Td (Lot twelve is sold) Tj ET\nendstream endobj\n\
    trailer<</Root 1 0 R>>\n%%EOF";

struct Booted {
    script: PathBuf,
    work: tempfile::TempDir,
    /// One at a time: the script has only one place for its processes.
    _turn: File,
}

impl Booted {
    fn start() -> Option<Self> {
        let script = kit("hostile/systemd_boot.sh")?;
        if !script.exists() {
            skip("no kits/hostile/systemd_boot.sh");
            return None;
        }
        if !root() {
            skip("a systemd is booted by root only");
            return None;
        }
        // Not in the usual temporary folder: the script does not accept a path with a space.
        let place = Path::new("/tmp");
        let turn = File::create(place.join("revisor-booted.lock")).unwrap();
        turn.lock().unwrap();
        let booted = Self {
            script,
            work: tempfile::tempdir_in(place).unwrap(),
            _turn: turn,
        };
        let started = booted.command("start").output().unwrap();
        let mut said = String::from_utf8_lossy(&started.stdout).into_owned();
        // The script waits ten seconds for the boot, and a busy machine may need longer.
        if said.contains("starting") || said.contains("initializing") {
            said = booted
                .shell("timeout 60 systemctl is-system-running --wait")
                .1;
        }
        if !said.contains("running") && !said.contains("degraded") {
            barred(&format!("systemd does not boot here: {said}"));
            return None;
        }
        Some(booted)
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .arg(&self.script)
            .arg(what)
            .env("SYSD_WORK", self.work.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a shell command inside; returns the exit code and the output.
    fn shell(&self, line: &str) -> (Option<i32>, String) {
        let output = self
            .command("exec")
            .args(["sh", "-c", line])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    #[track_caller]
    fn ok(&self, line: &str) -> String {
        let (code, text) = self.shell(line);
        assert_eq!(code, Some(0), "{line}\n{text}\n{}", self.journal());
        text
    }

    /// Copies a file of ours into the system.
    fn put(&self, file: File, place: &str) {
        let mut command = self.command("exec");
        command.args([
            "sh",
            "-c",
            &format!("mkdir -p $(dirname {place}) && cat > {place}"),
        ]);
        assert!(command.stdin(file).status().unwrap().success());
    }

    fn write(&self, text: &str, place: &str) {
        let path = self.work.path().join("text");
        std::fs::write(&path, text).unwrap();
        self.put(File::open(path).unwrap(), place);
    }

    fn property(&self, name: &str) -> String {
        let text = self.ok(&format!("systemctl show -P {name} revisor"));
        text.trim().to_owned()
    }

    fn journal(&self) -> String {
        self.shell("journalctl -u revisor --no-pager -n 40 2>/dev/null; systemctl status revisor --no-pager").1
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        let _ = self.command("stop").output();
    }
}

fn root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

#[test]
fn the_unit_does_what_it_says() {
    let Some(systemd) = Booted::start() else {
        return;
    };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    systemd.put(
        File::open(env!("CARGO_BIN_EXE_revisor")).unwrap(),
        "/usr/bin/revisor",
    );
    let unit = File::open(repository.join("systemd/revisor.service")).unwrap();
    systemd.put(unit, "/etc/systemd/system/revisor.service");
    systemd.write(DROP_IN, "/etc/systemd/system/revisor.service.d/test.conf");
    systemd.write(SECRET, "/etc/revisor/desk.secret");
    systemd.write(CONFIG, "/etc/revisor/config.toml");
    let reads_a_pdf = "/etc/systemd/system/revisor.service.d/pdf.conf";
    systemd.write(READS_A_PDF, reads_a_pdf);
    systemd.write(PDF, "/etc/revisor/notice.pdf");
    systemd.ok(
        "chmod 755 /usr/bin/revisor; chmod 600 /etc/revisor/desk.secret; systemctl daemon-reload",
    );

    // The service is only ready when it works, with a secret that only systemd can read.
    systemd.ok("systemctl start revisor");
    assert_eq!(systemd.property("ActiveState"), "active");
    let status = systemd.property("StatusText");
    assert!(status.starts_with("0 feeds"), "{status}");
    let journal = systemd.journal();
    assert!(journal.contains("Lot twelve is sold"), "{journal}");
    systemd.ok(&format!("rm {reads_a_pdf}; systemctl daemon-reload"));
    let ask =
        "exec 3<>/dev/tcp/127.0.0.1/9464; printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    let answer = systemd.ok(&format!("bash -c \"{ask}\""));
    assert!(answer.contains(" 200 "), "{answer}");

    // The sandbox is active.
    let pid = systemd.property("MainPID");
    let status = systemd.ok(&format!("cat /proc/{pid}/status"));
    for line in [
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
    ] {
        assert!(status.contains(line), "{line} is not in\n{status}");
    }
    assert!(!status.contains("Uid:\t0"), "it is not root\n{status}");
    systemd.ok("test -s /var/lib/private/revisor/revisor.db");
    let (code, _) = systemd.shell(&format!(
        "nsenter -t {pid} -m -- touch /etc/revisor/written"
    ));
    assert_ne!(code, Some(0), "all but the state is read-only");

    // A valid reload is applied; an invalid one fails and changes nothing.
    let feed = "[[feed]]\nurl = \"http://127.0.0.1:1/a.xml\"\n";
    systemd.write(&format!("{CONFIG}{feed}"), "/etc/revisor/config.toml");
    systemd.ok("systemctl reload revisor");
    eventually(PATIENCE, "the new feed is known", || {
        systemd.property("StatusText").starts_with("1 feeds")
    });
    systemd.write(
        &format!("{CONFIG}{feed}nonsense = 1\n"),
        "/etc/revisor/config.toml",
    );
    let (code, text) = systemd.shell("systemctl reload revisor");
    assert_ne!(code, Some(0), "{text}");
    assert_eq!(systemd.property("ActiveState"), "active");
    assert_eq!(systemd.property("MainPID"), pid);

    // A reload also fails if only the service can see the mistake: a credential that it was not started with.
    let two = CONFIG[CONFIG.find("[[target]]").unwrap()..].replace("\"desk\"", "\"two\"");
    systemd.write(&format!("{CONFIG}{feed}{two}"), "/etc/revisor/config.toml");
    let (code, text) = systemd.shell("systemctl reload revisor");
    assert_ne!(code, Some(0), "{text}");
    assert_eq!(systemd.property("ActiveState"), "active");
    systemd.write(&format!("{CONFIG}{feed}"), "/etc/revisor/config.toml");
    systemd.ok("systemctl reload revisor");

    // The watchdog notices a stuck writer: another process locks the database, and a reload has something to
    // write. Then it notices a process that does nothing at all.
    let place = "/etc/systemd/system/revisor.service.d/watchdog.conf";
    systemd.write(WATCHDOG, place);
    systemd.ok("systemctl daemon-reload; systemctl restart revisor");
    let restarts = || systemd.property("NRestarts").parse::<u32>().unwrap();
    let pid = systemd.property("MainPID");
    let before = restarts();
    let hold = format!(
        "import os,signal,sqlite3,time\n\
         c=sqlite3.connect('/var/lib/private/revisor/revisor.db',isolation_level=None,timeout=10)\n\
         c.execute('BEGIN IMMEDIATE')\nos.kill({pid},signal.SIGHUP)\ntime.sleep(7)\n"
    );
    systemd.write(&hold, "/root/hold.py");
    systemd.ok("python3 /root/hold.py >/dev/null 2>&1 &");
    eventually(PATIENCE, "the watchdog bites", || restarts() > before);
    eventually(PATIENCE, "it is back", || {
        systemd.property("ActiveState") == "active"
    });
    let before = restarts();
    systemd.ok("kill -STOP $(systemctl show -P MainPID revisor)");
    eventually(PATIENCE, "the watchdog bites again", || restarts() > before);
    eventually(PATIENCE, "it is back", || {
        systemd.property("ActiveState") == "active"
    });

    // Stopping is quick and orderly.
    systemd.ok(&format!(
        "rm {place}; systemctl daemon-reload; systemctl restart revisor"
    ));
    systemd.ok("timeout 9 systemctl stop revisor");
    assert_eq!(systemd.property("Result"), "success");

    // A failure that a restart cannot fix is not retried.
    systemd.write("nonsense = 1\n", "/etc/revisor/config.toml");
    stays_down(&systemd, "2");
    systemd.write(CONFIG, "/etc/revisor/config.toml");
    systemd.ok("echo these are notes > /var/lib/private/revisor/revisor.db");
    stays_down(&systemd, "5");
}

fn stays_down(systemd: &Booted, status: &str) {
    systemd.ok("systemctl reset-failed revisor; true");
    let (code, _) = systemd.shell("systemctl start revisor");
    assert_ne!(code, Some(0));
    assert_eq!(systemd.property("ExecMainStatus"), status);
    // Longer than RestartSec.
    systemd.ok("sleep 0.5");
    assert_eq!(systemd.property("ActiveState"), "failed");
    assert_eq!(systemd.property("NRestarts"), "0");
}
