//! The database under other names, and who may read the files next to it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{END, Home, PATIENCE, Page, Ran, Server, eventually, rss};

fn home(server: &Server) -> Home {
    let items = [("1", "https://e.example/1", "A headline", "Text.")];
    server.set("/a.xml", Page::rss(rss(&items)));
    Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        server.url("/a.xml")
    ))
}

#[test]
fn a_database_by_another_name_has_one_daemon() {
    let server = Server::start();
    let home = home(&server);
    let mut daemon = home.daemon();
    eventually(PATIENCE, "the daemon runs", || {
        home.run(&["status"]).stdout.contains("running, pid ")
    });
    let link = home.path().join("link.db");
    symlink(home.db_path(), &link).unwrap();
    let link = link.display().to_string();
    let second = home.run(&["run", "--db", &link]);
    assert_eq!(second.code, Some(5), "{}", second.stderr);
    assert!(
        second.stderr.contains("another revisor"),
        "{}",
        second.stderr
    );
    let status = home.ok(&["status", "--db", &link]);
    assert!(status.contains("running, pid "), "{status}");
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    let mut names: Vec<String> = fs::read_dir(home.path())
        .unwrap()
        .map(|item| item.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name.starts_with("link.db"));
    assert_eq!(names, ["link.db"], "nothing stands beside the link");
}

#[test]
fn files_of_ours_are_not_for_everybody_and_no_planted_link_is_followed() {
    let server = Server::start();
    let home = home(&server);
    let precious = home.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, format!("{}.reading", home.db_path().display())).unwrap();
    // With a umask that lets everybody read and write.
    let program = env!("CARGO_BIN_EXE_revisor");
    let run = |arguments: &str| {
        let ran = Command::new("sh")
            .args(["-c", &format!("umask 0; exec \"$0\" {arguments}"), program])
            .env_clear()
            .env("HOME", home.path())
            .env("REVISOR_CONFIG", home.config_path())
            .env("REVISOR_DB", home.db_path())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{arguments}: {ran:?}");
    };
    run("check");
    let items = [("1", "https://e.example/1", "Another headline", "Text.")];
    server.set("/a.xml", Page::rss(rss(&items)));
    run("check --force");
    run("db prune");
    run("db backup copy.db");
    run("export evidence 1 --output evidence.html");
    let mut seen = 0;
    for item in fs::read_dir(home.path()).unwrap() {
        let item = item.unwrap();
        let name = item.file_name().to_string_lossy().into_owned();
        let ours =
            name.starts_with("revisor.db") || ["copy.db", "evidence.html"].contains(&name.as_str());
        if ours {
            let file = item.metadata().unwrap();
            assert!(file.is_file(), "{name}");
            assert_eq!(file.mode() & 0o137, 0, "{name}: {:o}", file.mode());
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");

    // Existing files are closed to others, and the lock does not follow a link.
    fs::set_permissions(home.db_path(), fs::Permissions::from_mode(0o664)).unwrap();
    home.check();
    assert_eq!(fs::metadata(home.db_path()).unwrap().mode() & 0o777, 0o660);
    let lock = format!("{}.lock", home.db_path().display());
    fs::remove_file(&lock).unwrap();
    symlink(&precious, &lock).unwrap();
    let refused = home.run(&["check"]);
    assert_eq!(refused.code, Some(5));
    assert!(
        refused.stderr.contains(".lock") && refused.stderr.contains("symbolic link"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
}

/// Runs a command as a user who may read the database but not write to its folder: another account if the tests
/// run as root, which may write everywhere; otherwise this one with a read-only folder.
fn as_a_reader(home: &Home, program: &Path, arguments: &[&str]) -> Ran {
    let shared = home.path().join("shared");
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = home.command(arguments);
    if is_root {
        let mut other = Command::new(program);
        other.args(arguments).env_clear().stdin(Stdio::null());
        for (name, value) in command.get_envs() {
            other.env(name, value.unwrap_or_default());
        }
        command = other;
        command.uid(65534).gid(65534).current_dir("/");
    } else {
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let ran = Ran::of(&command.output().expect("the program runs"));
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    ran
}

#[test]
fn reading_needs_no_write_access() {
    let server = Server::start();
    let home = home(&server);
    // The name has to survive being written as a URI.
    let shared = home.path().join("shared");
    let database = shared.join("50% of what? #1.db");
    let name = database.to_str().unwrap();
    fs::create_dir(&shared).unwrap();
    let check = || home.run(&["--db", name, "check", "--force"]);
    check();
    let items = [("1", "https://e.example/1", "Another headline", "Text.")];
    server.set("/a.xml", Page::rss(rss(&items)));
    check();
    let program = home.path().join("revisor");
    fs::copy(env!("CARGO_BIN_EXE_revisor"), &program).unwrap();
    for path in [home.path(), shared.as_path(), home.config_path().as_path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    let before: Vec<_> = fs::read_dir(&shared).unwrap().collect();
    for command in ["log", "feeds", "status", "entries"] {
        let ran = as_a_reader(&home, &program, &["--db", name, command]);
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.stderr);
        let shown = ran.stdout.contains("headline") || command != "log";
        assert!(shown, "{command}: {}", ran.stdout);
    }
    assert_eq!(fs::read_dir(&shared).unwrap().count(), before.len());

    fs::set_permissions(&database, fs::Permissions::from_mode(0o000)).unwrap();
    let ran = as_a_reader(&home, &program, &["--db", name, "log"]);
    assert_eq!(ran.code, Some(5), "{}", ran.stdout);
    assert!(ran.stderr.contains(name), "{}", ran.stderr);
}

#[test]
fn a_database_that_was_named_is_there() {
    let server = Server::start();
    let home = home(&server);
    let absent = home.path().join("absent.db");
    for command in ["log", "feeds", "entries", "report", "history", "search"] {
        let mut arguments = vec!["--db", absent.to_str().unwrap(), command];
        arguments.extend(["history", "search"].contains(&command).then_some("1"));
        let ran = home.run(&arguments);
        assert_eq!(ran.code, Some(2), "{command}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("absent.db"), "{}", ran.stderr);
    }
    // Without a name, the database just does not exist yet.
    assert_eq!(home.run(&["log"]).code, Some(0));
    let folder = home.run(&["--db", home.path().to_str().unwrap(), "log"]);
    assert_eq!(folder.code, Some(5), "{}", folder.stderr);
    assert!(folder.stderr.contains("directory"), "{}", folder.stderr);
}
