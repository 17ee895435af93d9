//! Lists of feeds from other readers: OPML 1 and 2, newsboat's `urls` file, and one address per line.
//!
//! Files from other programs are often slightly broken, and nobody misses a subscription lost in an import until
//! it matters. So every place in a list that names a feed, or should, becomes one [`ListItem`]: either the feed,
//! or the reason why there is none. Whether an address can be fetched is decided by the configuration.

mod lines;
mod opml;

use serde::Serialize;

pub use lines::{LineWord, words};

use crate::extract::charset;

/// Feeds beyond this number are reported and left out: the configuration is designed for ten thousand.
const MOST_ITEMS: usize = 100_000;
/// No person sets more tags than this.
const MOST_TAGS: usize = 16;
/// The limit of the configuration.
const LONGEST_TAG: usize = 64;
/// A line is only shown, not stored.
const LONGEST_SHOWN: usize = 500;

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListForm {
    /// OPML 1 or 2.
    Opml,
    /// The `urls` file of newsboat: address, tags, `"~Title"`.
    Newsboat,
    /// One address per line.
    Plain,
}

/// A list that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedList {
    /// Its format.
    pub form: ListForm,
    /// In the order of the list.
    pub items: Vec<ListItem>,
}

/// A place in a list that names a feed, or should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// The line number, from 1.
    pub line: usize,
    /// The text there: the address as written, or anything that helps to find the place.
    pub what: String,
    /// The feed, or why there is none.
    pub read: Result<ListedFeed, NotListed>,
}

/// A feed in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedFeed {
    /// The address without white space around it, not yet validated.
    pub url: String,
    /// Its title in the list.
    pub title: Option<String>,
    /// From folders, categories and tags; a nested folder is `outer/inner`.
    pub tags: Vec<String>,
    /// A setting in the list that revisor does not support.
    pub left_aside: Option<&'static str>,
}

/// Why a place in a list does not give a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotListed {
    /// `exec:…` and `|…`.
    #[error("its text comes from a command, which revisor does not run")]
    Command,
    /// `filter:…`.
    #[error("its text goes through a command, which revisor does not run; list the address itself")]
    Filter,
    /// `query:…`.
    #[error("a search in the other reader, not a feed")]
    Query,
    /// An outline of the type `link` or `include`.
    #[error("a link to another document, not a feed")]
    Link,
    /// An outline of the type `rss` without an address.
    #[error("the feed has no address (xmlUrl)")]
    NoAddress,
    /// The document ends before the address does.
    #[error("the list ends in the middle of this address; it was cut off")]
    Cut,
    /// The document is not a list.
    #[error("neither OPML nor a list of addresses")]
    NoList,
    /// A comment or similar that never ends, many times over.
    #[error("too damaged to read further")]
    Broken,
    /// Over the limit of items.
    #[error("the list has more than 100,000 feeds; import the rest separately")]
    TooMany,
}

impl NotListed {
    /// Whether a feed may have been lost, as opposed to something that never was a feed.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Query | Self::Link)
    }
}

/// Reads a list of feeds, in whatever form and charset. Every input can be read; the caller limits its length.
///
/// ```
/// let list = revisor_read::feed::list::parse(b"https://a.example/rss news \"~The A\"\n");
/// let feed = list.items[0].read.as_ref().unwrap();
/// assert_eq!((feed.url.as_str(), feed.tags[0].as_str()), ("https://a.example/rss", "news"));
/// ```
#[must_use]
pub fn parse(body: &[u8]) -> FeedList {
    let decoded = charset::decode(body, None);
    let text = decoded.text.as_ref();
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let mut items = ListItems::default();
    let is_markup = start.starts_with('<') && !start.starts_with("<http");
    let form = if is_markup || opml::next_outline(text).is_some() {
        opml::read(text, &mut items);
        ListForm::Opml
    } else {
        lines::read(start, line_of(text, text.len() - start.len()), &mut items)
    };
    FeedList {
        form,
        items: items.items,
    }
}

/// The items of a list, up to the limit.
#[derive(Default)]
struct ListItems {
    items: Vec<ListItem>,
    full: bool,
}

impl ListItems {
    fn add(&mut self, line: usize, what: &str, read: Result<ListedFeed, NotListed>) {
        if self.full {
            return;
        }
        self.full = self.items.len() == MOST_ITEMS;
        let read = if self.full {
            Err(NotListed::TooMany)
        } else {
            read
        };
        let what = what.trim();
        let end = what
            .char_indices()
            .nth(LONGEST_SHOWN)
            .map_or(what.len(), |(at, _)| at);
        self.items.push(ListItem {
            line,
            what: what.get(..end).unwrap_or(what).to_owned(),
            read,
        });
    }
}

/// The line number of a position, from 1.
fn line_of(text: &str, at: usize) -> usize {
    1 + newlines(text.get(..at).unwrap_or(text))
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// An address as a person or another program wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The address in a form that can be fetched.
    pub url: String,
    /// Whether it had no scheme, so that https was assumed.
    pub assumed: bool,
}

impl Written {
    /// Reads an address: `feed:` names the program that opens it, not how to fetch it.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let scheme = text.get(..5).filter(|it| it.eq_ignore_ascii_case("feed:"));
        let rest = scheme.map_or(text, |scheme| text.get(scheme.len()..).unwrap_or_default());
        let bare = rest.strip_prefix("//").unwrap_or(rest);
        let assumed = bare.len() < rest.len() || !rest.contains("://");
        Self {
            url: match assumed {
                true => format!("https://{bare}"),
                false => rest.to_owned(),
            },
            assumed,
        }
    }
}

const ASSUMED: &str = "no scheme given: reading it as https://";

/// Sets the address of a feed. Words that do not name a host stay as they are, for the configuration to reject.
fn put_address(feed: &mut ListedFeed, text: &str) {
    let written = Written::read(text);
    let feed_scheme = text
        .trim()
        .get(..5)
        .is_some_and(|it| it.eq_ignore_ascii_case("feed:"));
    if written.assumed && !feed_scheme && !names_a_host(text.trim()) {
        text.trim().clone_into(&mut feed.url);
        return;
    }
    feed.url = written.url;
    if written.assumed {
        feed.left_aside.get_or_insert(ASSUMED);
    }
}

/// Whether a word starts like `www.news.example/feed` or `news.example/feed`; a word that merely has a dot may be
/// anything.
fn names_a_host(word: &str) -> bool {
    let (host, path) = word.split_once('/').unwrap_or((word, ""));
    let host = host.split_once(':').map_or(host, |(host, port)| {
        match !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) {
            true => host,
            false => "",
        }
    });
    let (first, rest) = host.split_once('.').unwrap_or((host, ""));
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let labels = is_label(first) && !rest.is_empty() && rest.split('.').all(is_label);
    labels && (!path.is_empty() || first.eq_ignore_ascii_case("www"))
}

/// A command or a search in place of an address; newsboat writes these in OPML as well.
fn no_address(text: &str) -> Option<NotListed> {
    if text.starts_with('|') || text.starts_with("exec:") {
        Some(NotListed::Command)
    } else if text.starts_with("filter:") {
        Some(NotListed::Filter)
    } else {
        text.starts_with("query:").then_some(NotListed::Query)
    }
}

/// Puts a text on one line, without invisible characters.
fn tidy(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds a tag in the configuration's format, unless it is already there or there are enough.
fn add_tag(tags: &mut Vec<String>, tag: &str) {
    let tag: String = tidy(tag).chars().take(LONGEST_TAG).collect();
    let tag = tag.trim();
    if !tag.is_empty() && tags.len() < MOST_TAGS && !tags.iter().any(|there| there == tag) {
        tags.push(tag.to_owned());
    }
}

#[cfg(test)]
mod tests;
