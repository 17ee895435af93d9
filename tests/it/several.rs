//! A configuration in several files: the folder `conf.d`, lists of feeds, and a file that cannot be replaced.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Home, PATIENCE, Page, Server, eventually, rss, skip};

fn feed() -> Page {
    Page::rss(rss(&[(
        "1",
        "https://e.example/1",
        "A headline",
        "Some words.",
    )]))
}

/// A configuration with a feed in its main file, two in `conf.d` and two in a list.
fn spread(publisher: &Server) -> Home {
    let url = |name: &str| publisher.url(&format!("/{name}.xml"));
    for name in ["a", "b", "c", "d", "e", "new"] {
        publisher.set(&format!("/{name}.xml"), feed());
    }
    let home = Home::new(&format!("[[feed]]\nurl = \"{}\"\nname = \"a\"\n", url("a")));
    write(
        &home,
        "conf.d/10.toml",
        &format!(
            "[[feed]]\nurl = \"{}\"\n\n# Of c.\n[[feed]]\nurl = \"{}\"\nname = \"c\"\n",
            url("b"),
            url("c")
        ),
    );
    write(&home, "conf.d/20.toml", "feeds_file = \"list.txt\"\n");
    write(
        &home,
        "list.txt",
        &format!("# A list.\n{} ~d x\n{}\n", url("d"), url("e")),
    );
    home
}

fn write(home: &Home, name: &str, text: &str) {
    let path = home.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn read(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path().join(name)).expect("a file")
}

fn names(home: &Home) -> Vec<String> {
    let feeds: Value = serde_json::from_str(&home.ok(&["feeds", "--json"])).expect("JSON");
    let feeds = feeds.as_array().expect("a list");
    feeds
        .iter()
        .map(|feed| feed["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn every_command_knows_the_feeds_of_all_files() {
    let publisher = Server::start();
    let home = spread(&publisher);
    let derived = |name: &str| {
        let names = names(&home);
        names.iter().find(|known| known.ends_with(name)).cloned()
    };
    let (b, e) = (derived("-b").unwrap(), derived("-e").unwrap());
    assert_eq!(names(&home), ["a", &b, "c", "d", &e]);
    assert_eq!(home.check()["feeds"].as_array().unwrap().len(), 5);
    home.ok(&["pause", "d"]);
    home.ok(&["resume", "d"]);
    let shown = home.ok(&["config", "show"]);
    for file in [
        "config.toml",
        "conf.d/10.toml",
        "conf.d/20.toml",
        "list.txt",
    ] {
        assert!(
            shown.contains(&home.path().join(file).display().to_string()),
            "{shown}"
        );
    }
    assert!(home.ok(&["doctor"]).contains("conf.d/10.toml"));

    // An existing feed is not added again, wherever it is.
    let there = home.run(&["add", &publisher.url("/e.xml")]);
    assert!(
        there
            .stderr
            .contains(&format!("already in the configuration, as {e}")),
        "{}",
        there.stderr
    );
    write(
        &home,
        "opml.txt",
        &format!(
            "{}\n{}\n",
            publisher.url("/c.xml"),
            publisher.url("/new.xml")
        ),
    );
    let list = home.path().join("opml.txt");
    let imported = home.ok(&["import", &list.display().to_string(), "--json"]);
    let imported: Value = serde_json::from_str(&imported).expect("JSON");
    assert_eq!(imported["added"], 1, "{imported}");

    // The export is complete.
    let exported = home.ok(&["export", "toml"]);
    assert_eq!(exported.matches("[[feed]]").count(), 6, "{exported}");

    // One name is misspelt: nothing is removed.
    let before = read(&home, "conf.d/10.toml");
    assert_eq!(home.run(&["rm", "c", "nobody"]).code, Some(2));
    assert_eq!(read(&home, "conf.d/10.toml"), before);
    home.ok(&["rm", &b, "d", "a"]);
    assert_eq!(
        read(&home, "conf.d/10.toml"),
        format!(
            "# Of c.\n[[feed]]\nurl = \"{}\"\nname = \"c\"\n",
            publisher.url("/c.xml")
        )
    );
    assert_eq!(
        read(&home, "list.txt"),
        format!("# A list.\n{}\n", publisher.url("/e.xml"))
    );
    assert_eq!(names(&home).len(), 3);
}

#[test]
fn the_service_takes_up_files_that_come_and_go() {
    let publisher = Server::start();
    let home = spread(&publisher);
    let _daemon = home.daemon();
    eventually(PATIENCE, "the feeds are read", || {
        publisher.hits("/e.xml") > 0
    });
    write(
        &home,
        "conf.d/30.toml",
        &format!("[[feed]]\nurl = \"{}\"\n", publisher.url("/new.xml")),
    );
    home.ok(&["config", "reload"]);
    eventually(PATIENCE, "the feed of the new file is read", || {
        publisher.hits("/new.xml") > 0
    });
    // A mistake in any of the files keeps the old configuration active.
    write(&home, "conf.d/40.toml", "[fetch]\nevry = \"1h\"\n");
    let reloaded = home.run(&["config", "reload"]);
    assert_eq!(reloaded.code, Some(2));
    assert!(
        reloaded.stderr.contains("conf.d/40.toml:2:1"),
        "{}",
        reloaded.stderr
    );
}

/// A file mounted into a container, as with Docker and Kubernetes, cannot be replaced by renaming.
#[test]
fn a_mounted_configuration_is_written_in_place() {
    let publisher = Server::start();
    publisher.set("/feed.xml", feed());
    let home = Home::new("# ours\n");
    let script =
        "mount --bind \"$REVISOR_CONFIG\" \"$REVISOR_CONFIG\" || exit 77; exec \"$0\" add \"$1\"";
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(env!("CARGO_BIN_EXE_revisor"))
        .arg(publisher.url("/feed.xml"))
        .env("REVISOR_CONFIG", home.config_path())
        .env("REVISOR_DB", home.db_path())
        .stdin(Stdio::null());
    let Ok(output) = command.output() else {
        return skip("there is no unshare");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || said.contains("unshare failed") {
        return skip("nothing can be mounted here");
    }
    assert!(output.status.success(), "{said}");
    assert!(said.contains("written in place"), "{said}");
    let text = read(&home, "config.toml");
    assert!(
        text.contains("# ours") && text.contains("/feed.xml"),
        "{text}"
    );
    home.ok(&["config", "check"]);
}

#[test]
fn a_second_configuration_does_not_take_the_feeds_of_the_first_away() {
    let publisher = Server::start();
    for name in ["a", "b", "other"] {
        publisher.set(&format!("/{name}.xml"), feed());
    }
    let section = |name: &str| {
        let url = publisher.url(&format!("/{name}.xml"));
        format!("[[feed]]\nurl = \"{url}\"\nname = \"{name}\"\n")
    };
    let home = Home::new(&format!("{}{}", section("a"), section("b")));
    home.check();
    let polled = || {
        let conn = rusqlite::Connection::open(home.db_path()).expect("the database");
        let mut names = conn
            .prepare("SELECT name FROM feeds WHERE active = 1 ORDER BY name")
            .expect("a statement");
        let names = names.query_map([], |row| row.get(0)).expect("rows");
        names.collect::<Result<Vec<String>, _>>().expect("names")
    };

    // A different file by mistake: nothing is changed, and the message names both files.
    let first = home.config_path();
    let text = std::fs::read_to_string(&first).expect("the configuration");
    let settings = text.split("[[feed]]").next().expect("settings");
    let second = first.with_file_name("second.toml");
    std::fs::write(&second, format!("{settings}{}", section("other"))).expect("a file");
    let second_path = second.display().to_string();
    let refused = home.run(&["-c", &second_path, "check"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let known = first.canonicalize().expect("a path").display().to_string();
    for part in [known.as_str(), "2 of them", "`database` of its own"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    assert_eq!(polled(), ["a", "b"]);

    // The same file under another name still counts as the same, and an edit to it is an edit.
    let link = first.with_file_name("link.toml");
    std::os::unix::fs::symlink(&first, &link).expect("a link");
    std::fs::write(&first, format!("{settings}{}", section("b"))).expect("a file");
    home.ok(&["-c", &link.display().to_string(), "check"]);
    assert_eq!(polled(), ["b"]);

    // A file that removes nothing is only a guest: afterwards the first one still works.
    std::fs::write(
        &second,
        format!("{settings}{}{}", section("b"), section("other")),
    )
    .expect("a file");
    home.ok(&["-c", &second_path, "check"]);
    assert_eq!(polled(), ["b", "other"]);
    home.check();
    assert_eq!(polled(), ["b"]);

    // A file that was moved keeps its feeds, whatever was edited in the meantime.
    std::fs::rename(&first, &second).expect("moved");
    std::fs::write(&second, format!("{settings}{}", section("a"))).expect("a file");
    home.ok(&["-c", &second_path, "check"]);
    assert_eq!(polled(), ["a"]);
    // Now the feeds belong to the second file.
    std::fs::write(&first, format!("{settings}{}", section("b"))).expect("a file");
    assert_eq!(home.run(&["check"]).code, Some(2));
    assert_eq!(polled(), ["a"]);
}

#[test]
fn mistakes_are_a_list_and_a_file_that_is_no_toml_has_one() {
    let home = Home::new(
        "[log]\nlevel = \"loud\"\n[page]\nfetch = \"perhaps\"\n[[feed]]\nurl = \"ftp://e.example/\"\n",
    );
    let said = |home: &Home| {
        let ran = home.run(&["config", "check"]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        let lines = ran
            .stderr
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = said(&home);
    assert!(
        lines[0].starts_with("error: ") && lines[0].ends_with("mistakes in the configuration:"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, word) in lines[1..].iter().zip(["loud", "perhaps", "ftp"]) {
        assert!(
            line.contains("config.toml:") && line.contains(word),
            "{line}"
        );
    }
    home.configure("[[feed]\nurl = \"http://e.example/\nname = = 3\n]]\n");
    let lines = said(&home);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("config.toml:"), "{lines:?}");
}

#[test]
fn a_tilde_is_the_home() {
    let publisher = Server::start();
    publisher.set("/d.xml", feed());
    let home = Home::new("");
    write(&home, "lists/mine.txt", &publisher.url("/d.xml"));
    write(
        &home,
        "elsewhere/config.toml",
        "feeds_file = \"~/lists/mine.txt\"\n",
    );
    let moved = home.path().join("elsewhere/config.toml");
    let feeds = home.ok(&["--config", moved.to_str().unwrap(), "feeds"]);
    assert!(feeds.contains("127-0-0-1"), "{feeds}");
}
