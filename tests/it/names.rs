//! Names that no server answers for.

use std::fmt::Write as _;

use crate::database::shim;
use crate::support::{END, Home, PATIENCE, Page, Server, eventually, rss};
use crate::watched::ask;

const SILENT: usize = 60;
const HEALTHY: usize = 20;

#[test]
fn silent_names_delay_no_other_feed_nor_health_nor_the_stop() {
    let Some(shim) = shim() else { return };
    let server = Server::start();
    let home = Home::new("");
    let socket = home.path().join("web.sock");
    let port = server
        .url("/")
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .unwrap()
        .to_owned();
    let mut config = format!(
        "[page]\nfetch = \"off\"\n[web]\nlisten = \"unix:{}\"\n",
        socket.display()
    );
    for number in 0..SILENT {
        let _ = writeln!(
            config,
            "[[feed]]\nurl = \"http://silent{number}.example/f.xml\""
        );
    }
    for number in 0..HEALTHY {
        let path = format!("/{number}.xml");
        server.set(
            &path,
            Page::rss(rss(&[("1", "https://e.example/1", "A headline", "Text.")])),
        );
        let _ = writeln!(
            config,
            "[[feed]]\nurl = \"http://news{number}.here.example:{port}{path}\""
        );
    }
    home.configure(&config);
    let mut daemon = home.daemon_with(&[
        ("LD_PRELOAD", &shim.display().to_string()),
        ("FAULT_NAMES", "1"),
    ]);
    eventually(PATIENCE / 2, "every healthy feed is read", || {
        (0..HEALTHY).all(|number| server.hits(&format!("/{number}.xml")) > 0)
    });
    let ready = ask(&socket, "/readyz").unwrap();
    assert!(ready.starts_with("HTTP/1.0 200 "), "{ready}");
    eventually(PATIENCE, "the silent ones are told", || {
        home.ok(&["feeds", "--json"])
            .contains("no name server answered within 20 s")
    });
    // Most of the lookups go on.
    daemon.signal("TERM");
    assert_eq!(daemon.wait(END), Some(0));
}
