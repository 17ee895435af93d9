//! Any text as a configuration: accepted, or rejected with a place; printed so that it loads the same again; edited
//! in place.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use revisor::{
    Environment, Flags, NewFeed, Secrets, add_feeds, from_text, remove_feeds, show_config as show,
};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else {
        return Corpus::Reject;
    };
    // Secrets are read from their sources, and no input may make the fuzzer wait for a device.
    if ["/dev", "/proc", "/sys"]
        .iter()
        .any(|folder| text.contains(folder))
    {
        return Corpus::Reject;
    }
    let environment = Environment::from_pairs([("HOME", "/home/desk")]);
    let load = |text: &str| {
        from_text(
            text,
            None,
            Flags::default(),
            &environment,
            Secrets::WhereReadable,
        )
    };
    let feed = NewFeed {
        url: "https://added.example/feed".to_owned(),
        ..NewFeed::default()
    };
    let added = add_feeds(text, std::slice::from_ref(&feed), &[]);
    let loaded = match load(text) {
        Ok(loaded) => loaded,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Corpus::Keep;
        }
    };
    let _ = show(&loaded.config);
    let (with, _) = match added {
        Ok(added) => added,
        // If feeds are inline tables, for example.
        Err(_) => return Corpus::Keep,
    };
    let there = loaded.config.feed(&feed.url).is_some();
    if there {
        return Corpus::Keep;
    }
    match load(&with) {
        Ok(after) => assert_eq!(after.config.feeds.len(), loaded.config.feeds.len() + 1),
        // The same feed with another spelling of its address.
        Err(error) => assert!(error.to_string().contains("same"), "{error}\n{with}"),
    }
    let urls = std::collections::HashSet::from([feed.url.clone()]);
    let (without, removed) = remove_feeds(&with, &urls).expect("it was read");
    assert_eq!(removed, [feed.url]);
    let after = load(&without).expect("as before").config;
    assert_eq!(after.feeds.len(), loaded.config.feeds.len());
    Corpus::Keep
});
