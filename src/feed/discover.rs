//! Where a site's feeds may be, when an address is no feed itself.

use url::Url;

/// Paths that feeds are commonly found at, most likely first.
const USUAL_PATHS: [&str; 12] = [
    "/feed",
    "/rss.xml",
    "/atom.xml",
    "/feed.xml",
    "/index.xml",
    "/rss",
    "/feed/",
    "/feeds/posts/default",
    "/feed.json",
    "/rss/index.xml",
    "/index.rdf",
    "/blog/feed",
];

/// The addresses to try on the site of `address` when its page names no feed.
#[must_use]
pub fn usual_addresses(address: &str) -> Vec<String> {
    let Ok(site) = Url::parse(address) else {
        return Vec::new();
    };
    USUAL_PATHS
        .iter()
        .filter_map(|path| site.join(path).ok())
        .map(String::from)
        .collect()
}
