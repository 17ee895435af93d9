//! Any bytes as a feed list: the imported feeds make a valid configuration, and exporting them yields the same list
//! again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revisor::{
    Environment, Flags, ImportedFeed, NewFeed, STARTER_TOML, Secrets, from_text, import_feeds, feed_names as names,
};
use revisor_read::feed::list::parse;

fuzz_target!(|data: &[u8]| {
    let list = parse(data);
    let feeds: Vec<NewFeed> = list
        .items
        .iter()
        .filter_map(|item| item.read.as_ref().ok())
        .map(|feed| NewFeed {
            url: feed.url.clone(),
            name: feed
                .title
                .as_deref()
                .map_or_else(String::new, names::from_title),
            tags: feed.tags.clone(),
            ..NewFeed::default()
        })
        .collect();
    let Ok((text, results)) = import_feeds(STARTER_TOML, &feeds, &[]) else {
        panic!("a list that cannot be taken over: {feeds:?}");
    };
    assert_eq!(results.len(), feeds.len());
    let flags = Flags::default();
    let environment = Environment::from_pairs([("HOME", "/home/desk")]);
    let loaded = from_text(&text, None, flags, &environment, Secrets::WhereReadable);
    let config = loaded
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .config;
    let added = results
        .iter()
        .filter(|one| matches!(one, ImportedFeed::Added(_)));
    assert_eq!(config.feeds.len(), added.count());
    let again = import_feeds(&text, &feeds, &config.feeds).expect("what was written can be read");
    assert!(
        again.1.iter().all(|one| !matches!(one, ImportedFeed::Added(_))),
        "added twice"
    );
});
