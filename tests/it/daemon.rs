//! The daemon: polls on its own, stops on request, reloads, and shares its database with the command line.

use crate::support::{END, Home, PATIENCE, Page, Server, eventually, rss};

fn feed(publisher: &Server, path: &str) -> String {
    format!(
        "[[feed]]\nurl = \"{}\"\nevery = \"1s\"\n",
        publisher.url(path)
    )
}

fn good(title: &str) -> Page {
    Page::rss(rss(&[(
        "1",
        "https://e.example/1",
        title,
        "Text that stays as it is.",
    )]))
}

#[test]
fn it_polls_stores_and_stops_in_time() {
    let publisher = Server::start();
    publisher.set("/a.xml", good("The first headline"));
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n{}",
        feed(&publisher, "/a.xml")
    ));
    let mut daemon = home.daemon();
    eventually(PATIENCE, "the feed is polled", || {
        publisher.hits("/a.xml") >= 1
    });
    publisher.set("/a.xml", good("The second headline"));
    eventually(PATIENCE, "the change is stored", || {
        home.run(&["log", "--format", "ndjson"])
            .stdout
            .contains("second")
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    // The journal alone shows what was edited, and where.
    let log = std::fs::read_to_string(home.path().join("daemon.log")).unwrap();
    let edit = log.lines().find(|line| line.contains("entry.revised"));
    let edit = edit.unwrap_or_else(|| panic!("no line for the edit in\n{log}"));
    assert!(
        edit.contains("The second headline")
            && edit.contains(" INFO ")
            && edit.contains("feed.name"),
        "{edit}"
    );
}

#[test]
fn a_second_daemon_is_refused_and_told_the_pid() {
    let publisher = Server::start();
    publisher.set("/a.xml", good("A headline"));
    let home = Home::new(&feed(&publisher, "/a.xml"));
    let first = home.daemon();
    eventually(PATIENCE, "the first one polls", || {
        publisher.hits("/a.xml") >= 1
    });
    let second = home.run(&["run"]);
    assert_eq!(second.code, Some(5), "{}", second.stderr);
    assert!(
        second.stderr.contains(&first.child.id().to_string()),
        "{}",
        second.stderr
    );
}

#[test]
fn check_beside_the_daemon_asks_it_to_look_now() {
    let publisher = Server::start();
    publisher.set("/a.xml", good("A headline"));
    let config = feed(&publisher, "/a.xml").replace("1s", "1h");
    let home = Home::new(&format!("[page]\nfetch = \"off\"\n{config}"));
    let _daemon = home.daemon();
    eventually(PATIENCE, "the feed is polled", || {
        publisher.hits("/a.xml") >= 1
    });
    eventually(PATIENCE, "the baseline is stored", || {
        home.ok(&["feeds"]).contains("1 ")
    });
    publisher.set("/a.xml", good("Another headline"));
    let mut found = false;
    eventually(PATIENCE, "the daemon finds the change", || {
        found |= home.check()["changes"] == serde_json::json!([1]);
        found
    });
}

#[test]
fn a_reload_takes_up_new_feeds_and_keeps_the_old_configuration_when_the_new_one_is_broken() {
    let publisher = Server::start();
    publisher.set("/a.xml", good("A headline"));
    publisher.set("/b.xml", good("B headline"));
    let home = Home::new(&feed(&publisher, "/a.xml"));
    let daemon = home.daemon();
    eventually(PATIENCE, "the feed is polled", || {
        publisher.hits("/a.xml") >= 1
    });
    home.configure(&format!(
        "{}\nnonsense = true\n{}",
        feed(&publisher, "/a.xml"),
        feed(&publisher, "/b.xml")
    ));
    daemon.signal("HUP");
    let before = publisher.hits("/a.xml");
    eventually(PATIENCE, "the old configuration still polls", || {
        publisher.hits("/a.xml") > before + 1
    });
    assert_eq!(publisher.hits("/b.xml"), 0);
    home.configure(&format!(
        "{}{}",
        feed(&publisher, "/a.xml"),
        feed(&publisher, "/b.xml")
    ));
    daemon.signal("HUP");
    eventually(PATIENCE, "the new feed is polled", || {
        publisher.hits("/b.xml") >= 1
    });
}

#[test]
fn commands_beside_the_service_need_none_of_its_secrets() {
    let publisher = Server::start();
    publisher.set("/a.xml", good("The first headline"));
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nevery = \"1h\"\nname = \"courier\"\n\
         [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl_env = \"HOOK\"\nallow_private = [\"127.0.0.0/8\"]\n",
        publisher.url("/a.xml")
    ));
    let hook = publisher.url("/hook");
    let mut daemon = home.daemon_with(&[("HOOK", &hook)]);
    eventually(PATIENCE, "the feed is polled", || {
        publisher.hits("/a.xml") >= 1
    });
    publisher.set("/a.xml", good("The second headline"));
    for arguments in [
        &["check", "--force"][..],
        &["log"],
        &["feeds"],
        &["notify", "list"],
        &["notify", "retry", "desk"],
        &["notify", "replay", "--since", "1d"],
    ] {
        let ran = home.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
        assert!(
            !ran.stderr.contains("HOOK"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    eventually(PATIENCE, "it is sent, and sent again", || {
        publisher.hits("/hook") >= 2
    });
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
    // Without the service, the command has to send the alert itself, and cannot.
    let alone = home.run(&["notify", "retry", "desk"]);
    assert_eq!(alone.code, Some(2), "{}", alone.stderr);
    assert!(alone.stderr.contains("HOOK"), "{}", alone.stderr);
}
