//! What must not be lost, and what must not be told, where two things happen at once or a site is rearranged.

use std::sync::Arc;

use revisor::config::{Environment, Flags, Secrets, from_text};
use revisor::daemon::Assembly;
use revisor::time::System;

use crate::support::{Page, Server, rss};

#[test]
fn two_polls_of_a_feed_at_once_make_no_entry_twice() {
    let publisher = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let items: Vec<[String; 3]> = (0..200)
        .map(|n| {
            [
                n.to_string(),
                format!("https://e.example/{n}"),
                format!("Headline {n}"),
            ]
        })
        .collect();
    let items: Vec<_> = items
        .iter()
        .map(|[guid, url, title]| (guid.as_str(), url.as_str(), title.as_str(), "A text."))
        .collect();
    publisher.set("/feed.xml", Page::rss(rss(&items)));
    let text = format!(
        "[fetch]\nhost_delay = \"0s\"\nper_host = 8\nallow_private = [\"127.0.0.0/8\"]\n\
         [page]\nfetch = \"off\"\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    );
    let database = folder.path().join("revisor.db");
    let flags = Flags {
        config: None,
        database: Some(&database),
    };
    let config = from_text(
        &text,
        None,
        flags,
        &Environment::default(),
        Secrets::Required,
    )
    .unwrap()
    .config;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let new = runtime.block_on(async {
        let assembly = Assembly::open(config, Arc::new(System)).await.unwrap();
        let feed = assembly
            .pipeline
            .read(|reader| reader.feeds(false))
            .unwrap()[0]
            .id;
        let (a, b, c) = tokio::join!(
            assembly.pipeline.check_feed(feed),
            assembly.pipeline.check_feed(feed),
            assembly.pipeline.check_feed(feed)
        );
        let new = [a, b, c].into_iter().map(|report| report.unwrap().new);
        let new: usize = new.sum();
        assembly.close().await.unwrap();
        new
    });
    assert_eq!(new, 200);
}
