//! Lists of feeds as other readers keep them: OPML 1 and 2, newsboat's `urls` file, and one address a line.
//!
//! What other programs write is often a little broken, and a subscription that is lost on the way is not missed until
//! it matters. So every place of a list that names a feed, or should, becomes one [`ListItem`]: read, or with the
//! reason why not. Whether an address can be asked for is for the configuration to say.

mod lines;
mod opml;

use serde::Serialize;

use crate::extract::charset;

/// More feeds in one list are told and left out: the configuration is made for ten thousand.
const MOST_ITEMS: usize = 100_000;
/// More tags are none that a person gave.
const MOST_TAGS: usize = 16;
/// As the configuration wants them.
const LONGEST_TAG: usize = 64;
/// What a line holds is shown, not kept.
const LONGEST_SHOWN: usize = 500;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListForm {
    /// OPML 1 or 2.
    Opml,
    /// The `urls` file of newsboat: address, tags, `"~Title"`.
    Newsboat,
    /// One address a line.
    Plain,
}

/// A list that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedList {
    /// How it is written.
    pub form: ListForm,
    /// In the order of the list.
    pub items: Vec<ListItem>,
}

/// One place of a list that names a feed, or should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// From 1.
    pub line: usize,
    /// What stands there: the address as written, or whatever helps to find the place.
    pub what: String,
    /// The feed, or why there is none.
    pub read: Result<ListedFeed, NotListed>,
}

/// A feed as a list names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedFeed {
    /// The address without white space around it, not yet judged.
    pub url: String,
    /// What the list calls it.
    pub title: Option<String>,
    /// From folders, categories and tags; a folder in a folder is `outer/inner`.
    pub tags: Vec<String>,
    /// What the list says of it and revisor does not do.
    pub left_aside: Option<&'static str>,
}

/// Why a place of a list gives no feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotListed {
    /// `exec:…` and `|…`.
    #[error("its text is made by a command, which revisor does not run")]
    Command,
    /// `filter:…`.
    #[error("its text goes through a command, which revisor does not run; list the address itself")]
    Filter,
    /// `query:…`.
    #[error("a search in the other reader, and no feed")]
    Query,
    /// An outline of the type `link` or `include`.
    #[error("a link to another document, and no feed")]
    Link,
    /// An outline of the type `rss` without an address.
    #[error("the outline of a feed has no address (xmlUrl)")]
    NoAddress,
    /// The document is something else.
    #[error("neither OPML nor a list of addresses")]
    NoList,
    /// A comment or the like that never ends, many times over.
    #[error("too broken to read on from here")]
    Broken,
    /// Over the limit of items.
    #[error("the list goes on after 100,000 feeds; import the rest by itself")]
    TooMany,
}

impl NotListed {
    /// Whether a feed may have been lost, rather than something that was never one.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Query | Self::Link)
    }
}

/// Reads a list of feeds, in whatever form and charset. Every input has a reading; the caller bounds its length.
///
/// ```
/// let list = revisor::feed::list::parse(b"https://a.example/rss news \"~The A\"\n");
/// let feed = list.items[0].read.as_ref().unwrap();
/// assert_eq!((feed.url.as_str(), feed.tags[0].as_str()), ("https://a.example/rss", "news"));
/// ```
#[must_use]
pub fn parse(body: &[u8]) -> FeedList {
    let decoded = charset::decode(body, None);
    let text = decoded.text.as_ref();
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let mut items = Items::default();
    let form = if start.starts_with('<') || opml::next_outline(text).is_some() {
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

/// The items of a list, bounded.
#[derive(Default)]
struct Items {
    items: Vec<ListItem>,
    full: bool,
}

impl Items {
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

/// The line of a place, from 1.
fn line_of(text: &str, at: usize) -> usize {
    1 + newlines(text.get(..at).unwrap_or(text))
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// An address as it can be asked for: `feed:` names the program that opens it, not how it is fetched.
fn address(text: &str) -> String {
    let text = text.trim();
    let Some(rest) = text
        .get(..5)
        .filter(|scheme| scheme.eq_ignore_ascii_case("feed:"))
        .and_then(|scheme| text.get(scheme.len()..))
    else {
        return text.to_owned();
    };
    match rest.strip_prefix("//") {
        Some(host) => format!("http://{host}"),
        None => rest.to_owned(),
    }
}

/// What cannot be an address because it names a command or a search; newsboat writes such in OPML as well.
fn no_address(text: &str) -> Option<NotListed> {
    if text.starts_with('|') || text.starts_with("exec:") {
        Some(NotListed::Command)
    } else if text.starts_with("filter:") {
        Some(NotListed::Filter)
    } else {
        text.starts_with("query:").then_some(NotListed::Query)
    }
}

/// On one line, without what cannot be seen.
fn tidy(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds a tag as the configuration takes it, unless it is there or there are enough.
fn add_tag(tags: &mut Vec<String>, tag: &str) {
    let tag: String = tidy(tag).chars().take(LONGEST_TAG).collect();
    let tag = tag.trim();
    if !tag.is_empty() && tags.len() < MOST_TAGS && !tags.iter().any(|there| there == tag) {
        tags.push(tag.to_owned());
    }
}

#[cfg(test)]
mod tests;
