//! From what a person types to feeds: an address of a feed, of a site that names its feeds, or of one that hides them.

use std::fmt::Write as _;

use super::input::{self, Document};
use crate::error::Error;
use crate::extract::feed_links;
use crate::feed::{self, FeedError, Format, Limits, ParsedFeed};
use crate::fetch::{Client, Kind};
use crate::report::clean;

/// A feed that was read.
#[derive(Debug)]
pub(super) struct FoundFeed {
    /// The address to poll.
    pub(super) url: String,
    /// Its own title.
    pub(super) title: Option<String>,
    /// For people.
    pub(super) format: &'static str,
}

/// The feeds behind an address. A site with several needs a choice: `pick` (from 1), or `all`.
pub(super) async fn feeds_at(
    client: &Client,
    address: &str,
    pick: Option<usize>,
    all: bool,
) -> Result<Vec<FoundFeed>, Error> {
    let address = with_scheme(address);
    let document = input::fetch(client, &address, Kind::Feed).await?;
    let error = match read(&document) {
        Ok(parsed) => return Ok(vec![found(&address, &document, &parsed)]),
        Err(error) => error,
    };
    let no_feed = || Error::usage(format!("{address}: {error}"));
    if !matches!(error, FeedError::NotAFeed { .. }) || !input::is_html(&document.body) {
        return Err(no_feed());
    }
    let base = document.url.as_deref().unwrap_or(&address);
    let html = input::text(&document.body);
    let links = feed_links(&html, base);
    let chosen: Vec<&str> = match (links.as_slice(), pick) {
        ([], _) => return usual_place(client, base, no_feed()).await,
        (links, Some(number)) => {
            let link = number.checked_sub(1).and_then(|at| links.get(at));
            let link = link.ok_or_else(|| {
                Error::usage(format!(
                    "{address}: there are {} feeds, and no number {number}",
                    links.len()
                ))
                .hint(choices(links))
            })?;
            vec![&link.url]
        }
        ([only], None) => vec![&only.url],
        (links, None) if all => links.iter().map(|link| link.url.as_str()).collect(),
        (links, None) => {
            return Err(Error::usage(format!(
                "{address}: an HTML page that names {} feeds",
                links.len()
            ))
            .hint(choices(links)));
        }
    };
    let mut feeds = Vec::with_capacity(chosen.len());
    for url in chosen {
        let document = input::fetch(client, url, Kind::Feed).await?;
        let parsed = read(&document).map_err(|error| Error::usage(format!("{url}: {error}")))?;
        feeds.push(found(url, &document, &parsed));
    }
    Ok(feeds)
}

/// Looks where feeds commonly are when a page names none; the first one is taken.
async fn usual_place(client: &Client, base: &str, no_feed: Error) -> Result<Vec<FoundFeed>, Error> {
    for url in feed::discover::usual_addresses(base) {
        if let Ok(document) = input::fetch(client, &url, Kind::Feed).await
            && let Ok(parsed) = read(&document)
        {
            return Ok(vec![found(&url, &document, &parsed)]);
        }
    }
    Err(no_feed.hint(
        "the page names no feed, and there is none where feeds usually are; give the address of the feed itself",
    ))
}

fn read(document: &Document) -> Result<ParsedFeed, FeedError> {
    feed::parse(
        &document.body,
        document.content_type.as_deref(),
        document.url.as_deref().unwrap_or_default(),
        &Limits::default(),
    )
}

fn found(asked: &str, document: &Document, parsed: &ParsedFeed) -> FoundFeed {
    // Only a move for good is worth writing down: other redirects may lead elsewhere tomorrow.
    let url = document.moved_to.as_deref().unwrap_or(asked);
    FoundFeed {
        url: url.to_owned(),
        title: parsed.title.clone(),
        format: match parsed.format {
            Format::Rss => "RSS",
            Format::Atom => "Atom",
            Format::Rdf => "RSS 1.0",
            Format::Json => "JSON Feed",
        },
    }
}

fn with_scheme(address: &str) -> String {
    let address = address.trim();
    // `feed://` is what browsers once called it.
    let address = address
        .strip_prefix("feed://")
        .or_else(|| address.strip_prefix("feed:"))
        .unwrap_or(address);
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    }
}

fn choices(links: &[crate::extract::FeedLink]) -> String {
    let mut text = "--pick N takes one of them, --all takes all:".to_owned();
    for (at, link) in links.iter().enumerate() {
        let title = link.title.as_deref().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n    {}  {}  {}",
            at + 1,
            clean::excerpt(&clean::address(&link.url), 200),
            clean::excerpt(title, 80)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_one_of_the_web() {
        assert_eq!(with_scheme("news.example/rss"), "https://news.example/rss");
        assert_eq!(with_scheme(" http://a.example/ "), "http://a.example/");
        assert_eq!(with_scheme("feed://a.example/x"), "https://a.example/x");
        assert_eq!(
            with_scheme("feed:https://a.example/x"),
            "https://a.example/x"
        );
    }
}
