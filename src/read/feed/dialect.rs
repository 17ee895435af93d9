//! The meaning of elements in every feed dialect.
//!
//! RSS, RDF and Atom hardly ever use one name for two things, so their elements share one table; the namespace
//! only distinguishes them from extensions. Names are compared case-insensitively, since publishers write them in
//! any case.

/// The vocabulary that an element belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Space {
    /// RSS of any version, Atom 1.0, or no namespace at all.
    Core,
    /// The same in an obsolete namespace.
    Legacy,
    /// `http://purl.org/rss/1.0/modules/content/`
    Content,
    /// Dublin Core, elements and terms.
    Dublin,
    /// `http://purl.org/rss/1.0/modules/syndication/`
    Syndication,
    /// Media RSS.
    Media,
    /// Apple's podcast elements.
    Podcast,
    /// HTML inside XML.
    Html,
    /// Anything else.
    Foreign,
}

/// Namespaces of abandoned feed formats, and common mistakes.
const LEGACY: [&str; 15] = [
    "http://purl.org/atom/ns#",
    "http://purl.org/pie/",
    "http://purl.org/echo/",
    "uri/of/echo/namespace#",
    "http://example.com/newformat#",
    "http://example.com/necho",
    "http://www.w3.org/2005/atom",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://channel.netscape.com/rdf/simple/0.9/",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd",
    "http://purl.org/net/rss1.1#",
    "http://purl.org/rss/1.0/modules/rss091#",
    "http://blogs.law.harvard.edu/tech/rss",
    "http://www.rssboard.org/rss-specification",
    "http://www.w3.org/tr/rec-rdf-syntax/",
];

impl Space {
    /// The vocabulary of a namespace.
    pub(super) fn of_uri(uri: &str) -> Self {
        match uri {
            "" | "http://www.w3.org/2005/Atom" | "http://purl.org/rss/1.0/" => return Self::Core,
            // Only the root of RDF is of interest; its `Description` describes statements, not articles.
            "http://www.w3.org/1999/02/22-rdf-syntax-ns#" => return Self::Foreign,
            "http://purl.org/rss/1.0/modules/content/" => return Self::Content,
            "http://www.w3.org/1999/xhtml" => return Self::Html,
            _ => {}
        }
        // Sites that move to https often change the namespaces as well.
        let lower = uri.trim().to_ascii_lowercase();
        let lower = match lower.strip_prefix("https://") {
            Some(rest) => format!("http://{rest}"),
            None => lower,
        };
        let bare = lower.trim_end_matches('/');
        if LEGACY
            .iter()
            .any(|legacy| legacy.trim_end_matches('/') == bare)
            || lower.starts_with("http://backend.userland.com/rss")
        {
            Self::Legacy
        } else if lower.starts_with("http://purl.org/dc/") {
            Self::Dublin
        } else if lower.starts_with("http://purl.org/rss/1.0/modules/syndication") {
            Self::Syndication
        } else if lower.starts_with("http://search.yahoo.com/mrss")
            || lower.starts_with("http://tools.search.yahoo.com/mrss")
        {
            Self::Media
        } else if lower.starts_with("http://www.itunes.com/dtds/podcast")
            || lower.starts_with("http://example.com/dtds/podcast")
        {
            Self::Podcast
        } else if bare == "http://purl.org/rss/1.0/modules/content" {
            Self::Content
        } else if bare == "http://www.w3.org/1999/xhtml" {
            Self::Html
        } else if bare == "http://purl.org/rss/1.0" || bare == "http://www.w3.org/2005/atom" {
            Self::Legacy
        } else {
            Self::Foreign
        }
    }

    /// The vocabulary of a declaration. If the namespace is unknown, its prefix shows what is meant, but not if
    /// the prefix is one for the feed's own elements: anyone uses those.
    pub(super) fn of_declaration(prefix: &str, uri: &str) -> Self {
        match (Self::of_uri(uri), Self::of_prefix(prefix)) {
            (Self::Foreign, meant @ (Self::Content | Self::Dublin | Self::Podcast)) => meant,
            (known, _) => known,
        }
    }

    /// The usual meaning of a prefix that the document does not declare.
    pub(super) fn of_prefix(prefix: &str) -> Self {
        match prefix.to_ascii_lowercase().as_str() {
            "rss" | "atom" | "atom10" | "a10" => Self::Core,
            "content" => Self::Content,
            "dc" | "dcterms" => Self::Dublin,
            "sy" => Self::Syndication,
            "media" => Self::Media,
            "itunes" => Self::Podcast,
            "xhtml" | "html" => Self::Html,
            _ => Self::Foreign,
        }
    }
}

/// The meaning of an element. The number is its rank: the lowest rank with a value is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// `channel`, or a list of items: its content belongs to the feed.
    Channel,
    /// `media:group`: its content belongs to the entry.
    Group,
    /// `item`, `entry`.
    Entry,
    /// A headline.
    Title(u8),
    /// An address, as text or as an attribute.
    Link,
    /// `guid`, `id`.
    Id,
    /// The description.
    Summary(u8),
    /// The full text.
    Body(u8),
    /// The date of publication.
    Published(u8),
    /// The date of the last update.
    Updated(u8),
    /// An author.
    Author(u8),
    /// `ttl`.
    Ttl,
    /// `skipHours`.
    SkipHours,
    /// `skipDays`.
    SkipDays,
    /// `sy:updatePeriod`.
    UpdatePeriod,
    /// `sy:updateFrequency`.
    UpdateFrequency,
    /// Not read.
    Ignored,
}

/// The meaning of an element.
pub(super) fn meaning(space: Space, local: &str) -> Meaning {
    let mut lower = [0u8; 20];
    let Some(name) = lower.get_mut(..local.len()) else {
        return Meaning::Ignored;
    };
    name.copy_from_slice(local.as_bytes());
    name.make_ascii_lowercase();
    let name: &[u8] = name;
    match space {
        Space::Core | Space::Legacy => core(name),
        Space::Content if name == b"encoded" => Meaning::Body(0),
        Space::Dublin => dublin(name),
        Space::Syndication => match name {
            b"updateperiod" => Meaning::UpdatePeriod,
            b"updatefrequency" => Meaning::UpdateFrequency,
            _ => Meaning::Ignored,
        },
        Space::Media => match name {
            b"title" => Meaning::Title(3),
            b"description" => Meaning::Summary(5),
            // Video sites put the only description of an entry in this element.
            b"group" => Meaning::Group,
            _ => Meaning::Ignored,
        },
        Space::Podcast => match name {
            b"title" => Meaning::Title(2),
            b"author" => Meaning::Author(2),
            b"summary" => Meaning::Summary(3),
            b"subtitle" => Meaning::Summary(4),
            _ => Meaning::Ignored,
        },
        Space::Html => match name {
            b"body" => Meaning::Body(1),
            b"div" => Meaning::Body(2),
            _ => Meaning::Ignored,
        },
        Space::Content | Space::Foreign => Meaning::Ignored,
    }
}

fn core(name: &[u8]) -> Meaning {
    match name {
        // A `feed` that is not the root is part of RDF.
        b"channel" | b"items" | b"feed" => Meaning::Channel,
        b"item" | b"entry" => Meaning::Entry,
        b"title" => Meaning::Title(0),
        b"link" => Meaning::Link,
        b"guid" | b"id" => Meaning::Id,
        b"description" | b"summary" => Meaning::Summary(0),
        b"abstract" => Meaning::Summary(1),
        b"content" => Meaning::Body(0),
        b"body" | b"fullitem" | b"content_encoded" => Meaning::Body(1),
        b"pubdate" | b"published" | b"issued" => Meaning::Published(0),
        b"date" => Meaning::Published(1),
        b"created" => Meaning::Published(3),
        b"updated" | b"modified" => Meaning::Updated(0),
        b"author" => Meaning::Author(0),
        b"ttl" => Meaning::Ttl,
        b"skiphours" => Meaning::SkipHours,
        b"skipdays" => Meaning::SkipDays,
        _ => Meaning::Ignored,
    }
}

fn dublin(name: &[u8]) -> Meaning {
    match name {
        b"title" => Meaning::Title(1),
        b"creator" | b"author" => Meaning::Author(1),
        b"date" | b"issued" | b"available" => Meaning::Published(2),
        b"created" => Meaning::Published(3),
        b"modified" => Meaning::Updated(1),
        b"description" | b"abstract" => Meaning::Summary(2),
        _ => Meaning::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_misspelt_name_spaces_are_known() {
        for (uri, space) in [
            ("http://www.w3.org/2005/Atom", Space::Core),
            ("http://www.w3.org/2005/Atom/", Space::Legacy),
            ("http://purl.org/atom/ns#", Space::Legacy),
            ("http://backend.userland.com/RSS2", Space::Legacy),
            ("http://purl.org/dc/terms/", Space::Dublin),
            ("http://www.itunes.com/DTDs/Podcast-1.0.dtd", Space::Podcast),
            ("http://example.org/mine", Space::Foreign),
            ("https://purl.org/rss/1.0/", Space::Legacy),
            ("https://purl.org/dc/elements/1.1/", Space::Dublin),
            ("https://purl.org/rss/1.0/modules/content/", Space::Content),
            (
                "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
                Space::Foreign,
            ),
        ] {
            assert_eq!(Space::of_uri(uri), space, "{uri}");
        }
    }

    #[test]
    fn a_known_prefix_of_an_unknown_name_space_means_what_it_always_means() {
        let mine = "http://example.org/mine";
        let of = Space::of_declaration;
        assert_eq!(of("content", mine), Space::Content);
        assert_eq!(of("dc", mine), Space::Dublin);
        assert_eq!(of("atom", mine), Space::Foreign);
        assert_eq!(of("dc", "http://search.yahoo.com/mrss/"), Space::Media);
    }

    #[test]
    fn extensions_are_told_apart_from_the_feeds_own_elements() {
        assert_eq!(meaning(Space::Core, "pubDate"), Meaning::Published(0));
        assert_eq!(meaning(Space::Foreign, "title"), Meaning::Ignored);
        assert_eq!(meaning(Space::Media, "title"), Meaning::Title(3));
        assert_eq!(
            meaning(Space::Core, "averyveryveryverylongname"),
            Meaning::Ignored
        );
    }
}
