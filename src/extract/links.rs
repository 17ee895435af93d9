//! The feeds that a page names in its head.

/// The kind of feed that a link promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedLinkKind {
    /// RSS or RDF.
    Rss,
    /// Atom.
    Atom,
    /// JSON Feed.
    Json,
}

/// A feed that a page names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    /// Its address, absolute.
    pub url: String,
    /// The title that the page gives it.
    pub title: Option<String>,
    /// What it promises to be.
    pub kind: FeedLinkKind,
}

/// The feeds that a page names by `<link rel="alternate">`, each address once, in the order of the page.
#[must_use]
pub fn feed_links(_html: &str, _base: &str) -> Vec<FeedLink> {
    Vec::new()
}
