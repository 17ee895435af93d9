//! Any bytes as a feed, with a content type that the first byte selects: read or rejected, with the same result each
//! time.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revisor_read::feed::{Limits, parse};

const TYPES: [Option<&str>; 6] = [
    None,
    Some("application/rss+xml"),
    Some("application/atom+xml; charset=utf-8"),
    Some("application/feed+json"),
    Some("text/xml; charset=windows-1252"),
    Some("text/html; charset=utf-16"),
];

fuzz_target!(|data: &[u8]| {
    let (which, body) = data.split_first().map_or((0, data), |(first, rest)| {
        (usize::from(*first) % TYPES.len(), rest)
    });
    let limits = Limits {
        bytes: 1 << 20,
        entries: 200,
        field_bytes: 1 << 16,
    };
    let read = || {
        parse(
            body,
            TYPES[which],
            "https://news.example/feeds/all.xml",
            &limits,
        )
    };
    let Ok(feed) = read() else {
        assert!(read().is_err());
        return;
    };
    assert_eq!(
        read().as_ref().ok(),
        Some(&feed),
        "the same bytes are the same feed"
    );
    assert!(feed.entries.len() <= limits.entries);
});
