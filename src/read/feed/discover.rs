//! Where a site's feeds may be, if an address is not a feed itself.

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

/// Common names of feeds beside the pages of a part of a site. There are fewer of these, since the whole site is
/// tried as well.
const USUAL_NAMES: [&str; 5] = ["feed", "feed.xml", "rss.xml", "atom.xml", "index.xml"];

/// The addresses to try if the page at `address` does not name a feed: first beside the page, then for the whole
/// site.
#[must_use]
pub fn usual_addresses(address: &str) -> Vec<String> {
    let Ok(site) = Url::parse(address) else {
        return Vec::new();
    };
    let mut folder = site.clone();
    folder.set_query(None);
    folder.set_fragment(None);
    // `/blog` counts as `/blog/`; `/blog/index.html` does not.
    let last = folder.path().rsplit('/').next().unwrap_or_default();
    if !last.is_empty() && !last.contains('.') {
        folder.set_path(&format!("{}/", folder.path()));
    }
    let beside = folder.join(".").ok().filter(|folder| folder.path() != "/");
    let beside = beside
        .iter()
        .flat_map(|folder| USUAL_NAMES.iter().filter_map(|name| folder.join(name).ok()));
    let whole = USUAL_PATHS.iter().filter_map(|path| site.join(path).ok());
    let mut addresses: Vec<String> = Vec::new();
    for url in beside.chain(whole) {
        let url = String::from(url);
        if !addresses.contains(&url) {
            addresses.push(url);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_looked_for_beside_the_page_first() {
        let first = |address: &str| usual_addresses(address)[0].clone();
        assert_eq!(first("https://a.example/"), "https://a.example/feed");
        assert_eq!(first("https://a.example"), "https://a.example/feed");
        for page in ["b", "b/", "b/index.html", "b?page=2", "b/#top"] {
            let page = format!("https://a.example/{page}");
            assert_eq!(first(&page), "https://a.example/b/feed", "{page}");
            assert_eq!(usual_addresses(&page).len(), 17);
        }
        assert_eq!(first("https://a.example/x.html"), "https://a.example/feed");
        // An address that is usual both in the folder and at the root is fetched once.
        assert_eq!(usual_addresses("https://a.example/blog/").len(), 16);
        assert!(usual_addresses("nothing").is_empty());
    }
}
