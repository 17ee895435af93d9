//! Problems with the database: what cannot be stored does not count as seen, temporary problems are survived, and a
//! file that must not be used is not touched.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::Connection;

use crate::support::{
    END, Home, PATIENCE, Page, Ran, SECRET, Server, barred, eventually, rss, skip,
};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

/// `faults.c`, compiled; `None` without a compiler.
pub(crate) fn shim() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join("faults.so");
        // Another run of the tests may be loading the existing file.
        let fresh = folder.join(format!("faults-{}.so", std::process::id()));
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&fresh)
            .arg(source)
            .arg("-ldl")
            .output()
            .ok()?;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::rename(&fresh, &library).expect("the library takes its place");
        Some(library)
    });
    if built.is_none() {
        skip("no C compiler");
    }
    built.as_deref()
}

/// A command in which `faults.c` makes a call fail.
fn failing(home: &Home, arguments: &[&str], shim: &Path, call: &str, errno: i32) -> Command {
    let mut command = home.command(arguments);
    command
        .env("LD_PRELOAD", shim)
        .env("FAULT_CALL", call)
        .env("FAULT_ERRNO", errno.to_string());
    command
}

/// A feed with a headline. With its `ETag`, a poll that was noted but not stored would be noticed: the next
/// response would be 304.
fn edition(server: &Server, number: u32) {
    let title = format!("The harbour of the town is closed for {number} days");
    let items = [(
        "1",
        "https://e.example/1",
        title.as_str(),
        "Text that stays as it is.",
    )];
    let page = Page::rss(rss(&items)).header("etag", &format!("\"{number}\""));
    server.set("/a.xml", page);
}

fn home(server: &Server, every: &str, rest: &str) -> Home {
    Home::new(&format!(
        "[page]\nfetch = \"off\"\n{rest}\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\nevery = \"{every}\"\n",
        server.url("/a.xml")
    ))
}

/// The number of stored changes, read without the program; the file has to be intact.
fn changes(home: &Home) -> i64 {
    let conn = Connection::open(home.db_path()).unwrap();
    let whole: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    conn.query_row("SELECT count(*) FROM changes", [], |row| row.get(0))
        .unwrap()
}

/// The error names the problem and the file.
fn is_told(ran: &Ran, home: &Home, words: &str) {
    assert_eq!(ran.code, Some(5), "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains(home.db_path().to_str().unwrap()),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn a_write_that_fails_loses_nothing() {
    let Some(shim) = shim() else { return };
    let server = Server::start();
    let home = home(&server, "1h", "");
    edition(&server, 1);
    home.check();
    let baseline = fs::read(home.db_path()).unwrap();
    edition(&server, 2);
    for (call, errno, at, ever) in [
        ("write", EIO, 1, true),
        ("write", EIO, 3, false),
        ("write", ENOSPC, 6, false),
        ("write", ENOSPC, 20, true),
        ("sync", EIO, 1, true),
        ("sync", EIO, 2, false),
    ] {
        let name = format!("{call} {at}, for ever: {ever}");
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", home.db_path().display()));
        }
        fs::write(home.db_path(), &baseline).unwrap();
        let mut command = failing(&home, &["check", "--force"], shim, call, errno);
        command.env("FAULT_AT", at.to_string());
        if ever {
            command.env("FAULT_EVER", "1");
        }
        let ran = Ran::of(&command.output().unwrap());
        let stored = changes(&home);
        match ran.code {
            Some(0) => assert_eq!(stored, 1, "{name}: what was reported is stored"),
            _ => is_told(&ran, &home, "database"),
        }
        home.ok(&["check", "--force"]);
        assert_eq!(
            changes(&home),
            1,
            "{name}: it is seen when the trouble is over\n{}",
            ran.stderr
        );
    }
}

#[test]
fn a_full_disk_is_got_over_without_a_restart() {
    let Some(shim) = shim() else { return };
    let server = Server::start();
    let home = home(&server, "1s", "");
    let (full, socket) = (home.path().join("full"), home.path().join("web.sock"));
    edition(&server, 1);
    home.check();
    let mut command = failing(&home, &["run"], shim, "write", ENOSPC);
    command
        .env("FAULT_WHILE", &full)
        .env("REVISOR__WEB__LISTEN", format!("unix:{}", socket.display()));
    let log = home.path().join("log");
    let child = command
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut daemon = crate::support::Daemon { child };
    let ready = || answer(&socket, "/readyz");
    eventually(PATIENCE, "it is ready", || ready().contains(" 200 "));
    fs::write(&full, "").unwrap();
    edition(&server, 2);
    eventually(PATIENCE, "it is not ready any more", || {
        ready().contains(" 503 ")
    });
    assert!(
        answer(&socket, "/healthz").contains(" 200 "),
        "it is not stuck"
    );
    fs::remove_file(&full).unwrap();
    // The feed itself is paused after the failure, so ask for a check now.
    eventually(PATIENCE, "the edit is stored", || {
        home.run(&["check", "--force"]);
        changes(&home) == 1
    });
    eventually(PATIENCE, "it is ready again", || ready().contains(" 200 "));
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("no room left on the disk"), "{log}");
}

#[test]
fn a_disk_that_fills_up_is_pruned_with_the_reserve_at_once() {
    let Some(shim) = shim() else { return };
    let server = Server::start();
    let home = home(&server, "1s", "[keep]\ncaptures = \"1\"\n");
    let full = home.path().join("full");
    edition(&server, 1);
    home.check();
    let mut command = failing(&home, &["run"], shim, "write", ENOSPC);
    let log = home.path().join("log");
    let child = command
        .env("FAULT_WHILE", &full)
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut daemon = crate::support::Daemon { child };
    let reserve = home.path().join("revisor.db.reserve");
    eventually(PATIENCE, "the care of the start is done", || {
        fs::metadata(&reserve).is_ok_and(|file| file.len() == 8 << 20)
    });
    edition(&server, 2);
    eventually(PATIENCE, "there is something to prune", || {
        changes(&home) == 1
    });
    fs::write(&full, "").unwrap();
    edition(&server, 3);
    eventually(PATIENCE, "the reserve is given up", || !reserve.exists());
    eventually(PATIENCE, "that is told", || {
        fs::read_to_string(&log)
            .is_ok_and(|log| log.contains("pruning old data with the space reserved"))
    });
    fs::remove_file(&full).unwrap();
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
}

fn answer(socket: &Path, path: &str) -> String {
    let mut text = String::new();
    if let Ok(mut stream) = UnixStream::connect(socket) {
        let _ = write!(stream, "GET {path} HTTP/1.0\r\n\r\n");
        let _ = std::io::Read::read_to_string(&mut stream, &mut text);
    }
    text
}

/// A small disk of its own, unmounted at the end.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: &Path, size: &str) -> Option<Self> {
        fs::create_dir(place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        match mount.arg(place).output() {
            Ok(output) if output.status.success() => Some(Self(place.to_owned())),
            _ => {
                barred("a file system cannot be mounted here");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_can_be_pruned() {
    let server = Server::start();
    let home = home(&server, "1h", "[keep]\ncaptures = \"1\"\n");
    let Some(disk) = Disk::mount(&home.path().join("disk"), "14m") else {
        return;
    };
    let database = disk.0.join("revisor.db");
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        Ran::of(&command.env("REVISOR_DB", &database).output().unwrap())
    };
    edition(&server, 1);
    assert_eq!(run(&["check", "--force"]).code, Some(0));
    let mut command = home.command(&["run"]);
    let child = command
        .env("REVISOR_DB", &database)
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut daemon = crate::support::Daemon {
        child: child.unwrap(),
    };
    let reserve = disk.0.join("revisor.db.reserve");
    eventually(PATIENCE, "there is a reserve", || {
        fs::metadata(&reserve).is_ok_and(|file| file.len() == 8 << 20)
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    edition(&server, 2);
    assert_eq!(run(&["check", "--force"]).code, Some(0));

    let filler = disk.0.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    edition(&server, 3);
    let ran = run(&["check", "--force"]);
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no room left") && ran.stderr.contains("db prune"),
        "{}",
        ran.stderr
    );
    let ran = run(&["db", "prune"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains('1'), "{}", ran.stdout);
    drop(file);
    fs::remove_file(&filler).unwrap();
    let ran = run(&["check", "--force", "--json"]);
    assert!(
        ran.stdout.contains("\"changes\": [\n    2\n  ]") || ran.stdout.contains("\"changes\":[2]"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_file_system_that_takes_nothing_is_named_and_still_read() {
    let Some(shim) = shim() else { return };
    let server = Server::start();
    let home = home(&server, "1h", "");
    edition(&server, 1);
    home.check();
    edition(&server, 2);
    let run = |arguments: &[&str]| {
        let mut command = failing(&home, arguments, shim, "open", EROFS);
        Ran::of(&command.output().unwrap())
    };
    is_told(
        &run(&["check", "--force"]),
        &home,
        "cannot write to the database",
    );
    is_told(&run(&["run"]), &home, "cannot write to the database");
    home.check();
    assert_eq!(changes(&home), 1);
}

/// Damages the first page of a table.
fn damage(database: &Path, table: &str) {
    let conn = Connection::open(database).unwrap();
    let question = "SELECT rootpage FROM sqlite_master WHERE name = ?1";
    let page: i64 = conn.query_row(question, [table], |row| row.get(0)).unwrap();
    let size: i64 = conn
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .unwrap();
    drop(conn);
    let mut bytes = fs::read(database).unwrap();
    let start = usize::try_from((page - 1) * size).unwrap();
    bytes[start..start + usize::try_from(size).unwrap()].fill(0xA5);
    fs::write(database, bytes).unwrap();
}

#[test]
fn a_damaged_database_ends_the_program_and_is_kept() {
    let server = Server::start();
    let home = home(&server, "1s", "");
    edition(&server, 1);
    home.check();
    damage(&home.db_path(), "entries");
    let damaged = fs::read(home.db_path()).unwrap();
    edition(&server, 2);
    for command in [&["run"][..], &["check", "--force"], &["db", "verify"]] {
        let ran = home.run(command);
        assert_eq!(
            ran.code,
            Some(5),
            "{command:?} {}\n{}",
            ran.stdout,
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    is_told(&home.run(&["run"]), &home, "is damaged");
    let now = fs::read(home.db_path()).unwrap();
    assert_eq!(now.len(), damaged.len());
    let differing = now
        .iter()
        .zip(&damaged)
        .filter(|(now, then)| now != then)
        .count();
    assert!(differing < 4096, "{differing} bytes were written anew");
}

#[test]
fn a_database_that_is_taken_away_ends_the_daemon() {
    let server = Server::start();
    let home = home(&server, "1s", "");
    edition(&server, 1);
    home.check();
    let log = home.path().join("log");
    let child = home
        .command(&["run"])
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut daemon = crate::support::Daemon { child };
    let hits = server.hits("/a.xml");
    eventually(PATIENCE, "it polls", || server.hits("/a.xml") > hits);
    fs::rename(home.db_path(), home.path().join("moved.db")).unwrap();
    assert_eq!(daemon.wait(PATIENCE), Some(5));
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("removed or replaced"), "{log}");
    assert!(!home.db_path().exists(), "nothing is put in its place");
}

#[test]
fn a_newer_database_is_left_alone() {
    let server = Server::start();
    let home = home(&server, "1h", "");
    edition(&server, 1);
    home.check();
    let conn = Connection::open(home.db_path()).unwrap();
    conn.pragma_update(None, "user_version", 4711).unwrap();
    drop(conn);
    let newer = fs::read(home.db_path()).unwrap();
    for command in [
        &["run"][..],
        &["check", "--force"],
        &["log"],
        &["db", "prune"],
    ] {
        is_told(&home.run(command), &home, "4711");
    }
    assert_eq!(fs::read(home.db_path()).unwrap(), newer);
}

#[test]
fn a_copy_without_its_wal_is_an_older_state_or_none() {
    let server = Server::start();
    let home = home(&server, "1s", "");
    edition(&server, 1);
    home.check();
    let daemon = home.daemon();
    edition(&server, 2);
    eventually(PATIENCE, "the edit is stored", || changes(&home) == 1);
    let copy = home.path().join("copy.db");
    fs::copy(home.db_path(), &copy).unwrap();
    drop(daemon);
    let copy = copy.to_str().unwrap();
    let told = || home.ok(&["--db", copy, "log", "--format", "ndjson"]);
    assert_eq!(told(), "", "the edit is in the WAL");
    home.ok(&["--db", copy, "db", "verify"]);
    // It continues from there and finds the edit on its own.
    home.ok(&["--db", copy, "check", "--force"]);
    assert!(told().contains("for 2 days"), "{}", told());
}

#[test]
fn a_lock_of_another_program_is_waited_for() {
    let server = Server::start();
    let home = home(&server, "1h", "");
    edition(&server, 1);
    home.check();
    edition(&server, 2);
    let other = Connection::open(home.db_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut checking = home
        .command(&["check", "--force"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // It cannot get beyond its first write.
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(300));
    assert_eq!(checking.try_wait().unwrap(), None);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(checking.wait().unwrap().code(), Some(0));
    assert_eq!(changes(&home), 1);
}

#[test]
fn a_lock_that_outlasts_the_patience_is_got_over_without_a_restart() {
    let server = Server::start();
    let target = format!(
        "[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
        server.url("/hook")
    );
    let home = home(&server, "1s", &target);
    let socket = home.path().join("web.sock");
    edition(&server, 1);
    home.check();
    let child = home
        .command(&["run"])
        .env("REVISOR__WEB__LISTEN", format!("unix:{}", socket.display()))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut daemon = crate::support::Daemon { child };
    let ready = || answer(&socket, "/readyz");
    eventually(PATIENCE, "it is ready", || ready().contains(" 200 "));
    let other = Connection::open(home.db_path()).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    edition(&server, 2);
    // The writer waits ten seconds for another program.
    eventually(PATIENCE, "it is not ready any more", || {
        ready().contains(" 503 ")
    });
    assert!(
        answer(&socket, "/healthz").contains(" 200 "),
        "it is not stuck"
    );
    assert_eq!(daemon.child.try_wait().unwrap(), None, "it is alive");
    assert_eq!(changes(&home), 0);
    assert!(
        server.hooks().is_empty(),
        "nothing is told that is not stored"
    );
    other.execute_batch("COMMIT").unwrap();
    // The feed itself is paused after the failure, so ask for a check now.
    eventually(PATIENCE, "the edit is stored", || {
        home.run(&["check", "--force"]);
        changes(&home) == 1
    });
    eventually(PATIENCE, "the edit is told", || !server.hooks().is_empty());
    eventually(PATIENCE, "it is ready again", || ready().contains(" 200 "));
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    let hooks = server.hooks();
    assert_eq!(hooks.len(), 1);
    let body = String::from_utf8_lossy(&hooks[0].body).into_owned();
    assert!(body.contains("for 2 days"), "{body}");
}
