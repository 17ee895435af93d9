//! The service under difficult conditions: what it reports to the service manager, and that it still starts, reloads
//! and stops properly.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;

use crate::support::{Daemon, END, Home, PATIENCE, Page, SECRET, Server, eventually, rss};

fn edition(server: &Server, number: u32) {
    let title = format!("The harbour of the town is closed for {number} days");
    let items = [(
        "1",
        "https://e.example/1",
        title.as_str(),
        "Text that stays as it is.",
    )];
    server.set("/a.xml", Page::rss(rss(&items)));
}

fn config(server: &Server, rest: &str) -> String {
    format!(
        "[page]\nfetch = \"off\"\n\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\nevery = \"1s\"\n{rest}",
        server.url("/a.xml")
    )
}

/// A service with a manager that listens.
struct Service {
    daemon: Daemon,
    socket: UnixDatagram,
    said: String,
    log: PathBuf,
}

impl Service {
    fn start(home: &Home) -> Self {
        let place = home.path().join("notify");
        let _ = fs::remove_file(&place);
        let socket = UnixDatagram::bind(&place).unwrap();
        socket.set_nonblocking(true).unwrap();
        let log = home.path().join("log");
        let child = home
            .command(&["run"])
            .env("NOTIFY_SOCKET", &place)
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            daemon: Daemon { child },
            socket,
            said: String::new(),
            log,
        }
    }

    /// What it has reported to the service manager so far.
    fn said(&mut self) -> &str {
        let mut message = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut message) {
            self.said
                .push_str(&String::from_utf8_lossy(&message[..length]));
            self.said.push('\n');
        }
        &self.said
    }

    #[track_caller]
    fn says(&mut self, words: &str) {
        let log = self.log.clone();
        let mut ended = false;
        eventually(PATIENCE, words, || {
            ended = self.daemon.child.try_wait().unwrap().is_some();
            ended || self.said().contains(words)
        });
        let logged = fs::read_to_string(log).unwrap();
        assert!(
            self.said().contains(words),
            "{words}: {}\n{logged}",
            self.said
        );
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

fn pause(time: Duration) {
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// Another program that holds a write lock until it is dropped.
fn hold(database: &Path) -> Connection {
    let other = Connection::open(database).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn a_database_that_is_locked_at_the_start_is_waited_for() {
    let server = Server::start();
    edition(&server, 1);
    let home = Home::new(&config(&server, ""));
    home.check();
    let other = hold(&home.db_path());
    let mut service = Service::start(&home);
    service.says("EXTEND_TIMEOUT_USEC=30000000");
    // Longer than a write waits on its own.
    pause(Duration::from_secs(11));
    service.says("is locked by another program");
    assert!(!service.said().contains("READY=1"), "{}", service.said);
    drop(other);
    service.says("READY=1");
    assert!(service.log().contains("locked"), "{}", service.log());
    service.daemon.signal("TERM");
    assert_eq!(service.daemon.wait(END), Some(0));
}

#[test]
fn a_start_that_waits_can_be_stopped() {
    let server = Server::start();
    edition(&server, 1);
    let home = Home::new(&config(&server, ""));
    home.check();
    let _other = hold(&home.db_path());
    let mut service = Service::start(&home);
    service.says("STATUS=opening the database");
    pause(Duration::from_millis(500));
    service.daemon.signal("TERM");
    assert_eq!(service.daemon.wait(END), Some(0), "{}", service.log());
}

#[test]
fn a_locked_database_does_not_hold_up_the_end() {
    let server = Server::start();
    edition(&server, 1);
    let home = Home::new(&config(&server, ""));
    let mut service = Service::start(&home);
    eventually(PATIENCE, "it polls", || server.hits("/a.xml") > 1);
    let other = hold(&home.db_path());
    edition(&server, 2);
    pause(Duration::from_secs(2));
    service.daemon.signal("HUP");
    pause(Duration::from_millis(300));
    service.daemon.signal("TERM");
    assert_eq!(service.daemon.wait(END), Some(0), "{}", service.log());
    drop(other);
    home.ok(&["db", "verify"]);
    assert_eq!(home.check()["changes"], serde_json::json!([1]));
}

/// Damages the first page of a table while others use the database, makes them notice that the file has changed,
/// and makes everything in the outbox due.
fn damage(database: &Path, table: &str) {
    let conn = Connection::open(database).unwrap();
    conn.busy_timeout(PATIENCE).unwrap();
    let log = PathBuf::from(format!("{}-wal", database.display()));
    loop {
        let due = "UPDATE deliveries SET next_attempt_at = 1 WHERE done_at IS NULL";
        conn.execute(due, []).unwrap();
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        conn.query_row(checkpoint, [], |_| Ok(())).unwrap();
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        // A write in between would hide the damage.
        if fs::metadata(&log).unwrap().len() == 0 {
            break;
        }
        conn.execute_batch("ROLLBACK").unwrap();
    }
    let question = "SELECT rootpage FROM sqlite_master WHERE name = ?1";
    let page: u32 = conn.query_row(question, [table], |row| row.get(0)).unwrap();
    let size = "PRAGMA page_size";
    let size: u32 = conn.query_row(size, [], |row| row.get(0)).unwrap();
    let file = fs::OpenOptions::new().write(true).open(database).unwrap();
    let garbage = vec![0xA5; usize::try_from(size).unwrap()];
    let start = u64::from(page - 1) * u64::from(size);
    file.write_all_at(&garbage, start).unwrap();
    let change = "UPDATE targets SET name = name; COMMIT";
    conn.execute_batch(change).unwrap();
}

#[test]
fn a_damaged_outbox_ends_the_service() {
    for table in ["deliveries", "attempts"] {
        let server = Server::start();
        server.answer_hooks_with(&[500; 50]);
        let target = format!(
            "[[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
            server.url("/hook")
        );
        let home = Home::new(&config(&server, &target).replace("\"1s\"", "\"1h\""));
        for number in 1..=2 {
            edition(&server, number);
            home.check();
        }
        assert_eq!(server.hooks().len(), 1, "it is due again");
        let mut service = Service::start(&home);
        service.says("READY=1");
        damage(&home.db_path(), table);
        service.daemon.signal("HUP");
        let code = service.daemon.wait(PATIENCE);
        assert_eq!(code, Some(5), "{table} {}", service.log());
        assert!(service.log().contains("is damaged"), "{}", service.log());
    }
}

#[test]
fn another_database_needs_a_restart_and_is_refused() {
    let server = Server::start();
    edition(&server, 1);
    let home = Home::new(&config(&server, ""));
    let other = home.path().join("other.db");
    let mut command = home.command(&["run"]);
    command.env_remove("REVISOR_DB");
    let with = |database: &Path| {
        fs::write(
            home.config_path(),
            format!(
                "database = \"{}\"\n[fetch]\nallow_private = [\"127.0.0.0/8\"]\n{}",
                database.display(),
                config(&server, "")
            ),
        )
        .unwrap();
    };
    with(&home.db_path());
    let log = home.path().join("log");
    let child = command.stderr(fs::File::create(&log).unwrap()).spawn();
    let mut daemon = Daemon {
        child: child.unwrap(),
    };
    eventually(PATIENCE, "it polls", || server.hits("/a.xml") > 0);
    with(&other);
    daemon.signal("HUP");
    let said = || fs::read_to_string(&log).unwrap();
    eventually(PATIENCE, "it says so", || {
        said().contains("needs a restart")
    });
    assert!(!said().contains("configuration loaded"), "{}", said());
    assert!(!other.exists());
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
}

#[test]
fn a_reload_is_answered_with_what_came_of_it() {
    let server = Server::start();
    edition(&server, 1);
    let home = Home::new(&config(&server, ""));
    let reload = || home.run(&["config", "reload"]);
    home.check();
    let ran = reload();
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("no service"), "{}", ran.stderr);

    let mut service = Service::start(&home);
    service.says("READY=1");
    home.ok(&["config", "reload"]);
    // The credential exists for the command that checks it, but not for the service.
    let two = "[[target]]\nname = \"two\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\n";
    let target = format!("{two}secret_credential = \"two\"\n");
    home.configure(&config(&server, &target));
    home.ok(&["config", "check"]);
    for _ in 0..2 {
        let ran = reload();
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("secret_credential"), "{}", ran.stderr);
    }
    let target = format!("{two}secret_file = \"none\"\n");
    home.configure(&config(&server, &target));
    assert_eq!(home.run(&["config", "check"]).code, Some(2));

    home.configure(&config(&server, two));
    home.ok(&["config", "reload"]);
    home.ok(&["config", "reload"]);
    service.daemon.signal("TERM");
    assert_eq!(service.daemon.wait(END), Some(0));
}

#[test]
fn a_reload_signals_nobody_but_who_has_the_lock() {
    let server = Server::start();
    edition(&server, 1);
    let home = Home::new(&config(&server, ""));
    home.check();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let place = home.db_path().with_file_name("revisor.db.lock");
    let named = format!("{} service\n", stranger.id());

    // This is how the lock of a service in another container looks from here.
    let lock = fs::File::options().write(true).open(&place).unwrap();
    lock.lock().unwrap();
    fs::write(&place, &named).unwrap();
    let ran = home.run(&["config", "reload"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("cannot reach the service"),
        "{}",
        ran.stderr
    );
    drop(lock);

    // The number is only a name: the reload goes to the process that has the lock.
    let mut service = Service::start(&home);
    service.says("READY=1");
    fs::write(&place, &named).unwrap();
    home.ok(&["config", "reload"]);
    service.daemon.signal("TERM");
    assert_eq!(service.daemon.wait(END), Some(0));
    assert!(stranger.try_wait().unwrap().is_none(), "it was signalled");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
