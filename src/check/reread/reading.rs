//! Reads responses. A response that has just arrived and one that was stored long ago are read in the same way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::config::{FeedConfig, FetchConfig, PageConfig};
use crate::document;
use crate::domain::chain::StoredCapture;
use crate::domain::fingerprint::address_key;
use crate::domain::ids::CaptureId;
use crate::domain::known_items::KnownItems;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::Capture;
use crate::domain::scheme::{Scheme, Schemes};
use crate::domain::state::{Channel, EntryState, FeedState, PageState};
use crate::domain::url::fragment_of;
use crate::extract::{self, Article, PageKind, PageSelectors};
use crate::feed::{self, FeedError, Limits, ParsedFeed, parse, parse_knowing};
use crate::store::{Reader, StoreError};
use crate::time::Timestamp;

/// How responses are read, according to the current settings.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    limits: Limits,
    schemes: Schemes,
    view: Arc<PageSelectors>,
}

/// Treats a damaged stored response as one that is not kept: it is only one response, and everything else
/// continues. `db verify` lists damaged responses.
pub(in crate::check) fn unless_damaged<T>(
    of: impl std::fmt::Display,
    read: Result<Option<T>, StoreError>,
) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.is_damaged() => {
            tracing::error!(%error, of = %of,
                "a stored response is damaged and is treated as deleted");
            Ok(None)
        }
        read => read,
    }
}

/// A stored response with its body; `None` if that is not kept, or damaged.
pub(in crate::check) fn kept_answer(
    reader: &Reader,
    id: CaptureId,
) -> Result<Option<StoredCapture>, StoreError> {
    let stored = unless_damaged(format_args!("response {id}"), reader.capture(id))?;
    Ok(stored.filter(|stored| stored.body_kept))
}

/// Why a stored response no longer says anything about an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotRead {
    /// The page does not look like an article.
    #[error("{}", .0.notice().unwrap_or("it is not an article"))]
    NoArticle(PageKind),
    /// It could not be read this time.
    #[error("{0}")]
    NotNow(String),
    /// The document does not look like a feed.
    #[error("it cannot be read as a feed: {0}")]
    NoFeed(String),
    /// No item of the feed matches the entry, or several do.
    #[error("none of its items can be matched to this entry")]
    NotListed,
    /// Reading it panicked.
    #[error("revisor crashed on it; this is a bug in revisor, please report it")]
    Crashed,
}

impl Reading {
    /// The reading for the settings of a feed.
    #[must_use]
    pub(crate) fn of(feed: &FeedConfig) -> Self {
        Self::with(&feed.fetch, &feed.page)
    }

    /// The reading for these settings of fetching and of pages, in force or not.
    #[must_use]
    pub(crate) fn with(fetch: &FetchConfig, page: &PageConfig) -> Self {
        // Selected and removed parts are two lists; the prefix keeps them apart.
        let named = |name: &'static str, list: &'_ [String]| -> Vec<String> {
            list.iter().map(|item| format!("{name} {item}")).collect()
        };
        let rules = [named("select", &page.select), named("remove", &page.remove)].concat();
        Self {
            limits: Limits {
                bytes: usize::try_from(fetch.max_size).unwrap_or(usize::MAX),
                ..Limits::default()
            },
            schemes: Schemes {
                feed: Scheme::version(feed::SCHEME),
                page: Scheme::version(extract::SCHEME).with_rules(rules.iter().map(String::as_str)),
            },
            view: Arc::new(PageSelectors::new(&page.select, &page.remove)),
        }
    }

    /// The schemes that responses are read under.
    #[must_use]
    pub(crate) fn schemes(&self) -> Schemes {
        self.schemes
    }

    /// Reads a page. `url` is the address that responded, after redirects; `headline` is the known headline of the
    /// page. With a fragment, only that part of the page is read, and nothing that belongs to the whole page.
    ///
    /// # Errors
    /// If it is a PDF that could not be read this time.
    pub(crate) fn page(
        &self,
        body: &[u8],
        content_type: Option<&str>,
        url: &str,
        headline: Option<&str>,
    ) -> Result<document::Read, document::Unreadable> {
        let Some(fragment) = fragment_of(url) else {
            return document::read_under(body, content_type, Some(url), &self.view, headline);
        };
        let view = self.view.of_section(&fragment);
        let mut read = document::read_under(body, content_type, Some(url), &view, headline)?;
        let state = std::mem::take(&mut read.article.state);
        read.article.state = PageState {
            body: state.body,
            links: state.links,
            document: state.document,
            ..PageState::default()
        };
        Ok(read)
    }

    /// Reads a feed. `url` is the address that responded, after redirects.
    ///
    /// # Errors
    /// If it is not a feed, is over a limit, or is broken beyond repair.
    pub(crate) fn feed(
        &self,
        body: &[u8],
        content_type: Option<&str>,
        url: &str,
    ) -> Result<ParsedFeed, FeedError> {
        parse(body, content_type, url, &self.limits)
    }

    /// Like [`Self::feed`], without reading the items whose bytes are known.
    pub(in crate::check) fn feed_knowing(
        &self,
        body: &[u8],
        content_type: Option<&str>,
        url: &str,
        known: &KnownItems,
    ) -> Result<ParsedFeed, FeedError> {
        parse_knowing(body, content_type, url, &self.limits, known)
    }

    /// Reads what a stored response says about an entry, as if it had arrived today. `known` is what the response
    /// was understood to say, or else what is known of the entry; it shows which item of a feed is meant.
    ///
    /// # Errors
    /// If it says nothing about the entry.
    pub(crate) fn again(
        &self,
        capture: &Capture,
        known: &EntryState,
    ) -> Result<Observation, NotRead> {
        match capture.channel {
            Channel::Feed => self.items(capture)?.observation(known),
            Channel::Page => whatever_happens(|| self.page_again(capture, known.title())),
        }
    }

    /// The items of a stored feed, for callers that look up many entries in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn items(&self, capture: &Capture) -> Result<StoredItems, NotRead> {
        whatever_happens(|| {
            let read = self.feed(&capture.body, content_type(capture), &capture.url);
            let read = read.map_err(|error| NotRead::NoFeed(error.to_string()))?;
            Ok(StoredItems {
                seen: capture.fetched,
                items: read.entries,
            })
        })
    }

    fn page_again(&self, capture: &Capture, title: Option<&str>) -> Result<Observation, NotRead> {
        let read = self.page(&capture.body, content_type(capture), &capture.url, title);
        let read = read.map_err(|error| NotRead::NotNow(error.to_string()))?;
        match article_kind(&read.article) {
            PageKind::Article | PageKind::Document => Ok(Observation {
                seen: capture.fetched,
                state: Observed::Page(read.article.state),
            }),
            kind => Err(NotRead::NoArticle(kind)),
        }
    }
}

/// The items of a stored feed.
#[derive(Debug, Clone)]
pub(crate) struct StoredItems {
    seen: Timestamp,
    items: Vec<FeedState>,
}

impl StoredItems {
    /// What the feed says about an entry; see [`Reading::again`].
    ///
    /// # Errors
    /// If no single item matches the entry.
    pub(crate) fn observation(&self, known: &EntryState) -> Result<Observation, NotRead> {
        let known = known.feed.as_ref().ok_or(NotRead::NotListed)?;
        let item = item_of(&self.items, known).ok_or(NotRead::NotListed)?;
        Ok(Observation {
            seen: self.seen,
            state: Observed::Feed(item.clone()),
        })
    }
}

/// A run over thousands of responses must not be stopped by one of them.
fn whatever_happens<T>(read: impl FnOnce() -> Result<T, NotRead>) -> Result<T, NotRead> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(NotRead::Crashed))
}

fn content_type(capture: &Capture) -> Option<&str> {
    let mut headers = capture.headers.iter();
    headers
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.as_str())
}

/// The item that an entry was read from. Its guid, its address and its headline each narrow the choice. `None` if
/// nothing matches, or several items that differ.
fn item_of<'a>(items: &'a [FeedState], known: &FeedState) -> Option<&'a FeedState> {
    let key = |address: &Option<String>| address.as_deref().map(address_key);
    let narrow = |among: &mut Vec<&'a FeedState>, same: &dyn Fn(&FeedState) -> bool| {
        let fitting: Vec<&FeedState> = among.iter().copied().filter(|item| same(item)).collect();
        let fits = !fitting.is_empty();
        if fits {
            *among = fitting;
        }
        fits
    };
    let mut among: Vec<&FeedState> = items.iter().collect();
    let (guid, address) = (key(&known.guid), key(&known.address));
    let mut found = guid.is_some() && narrow(&mut among, &|item| key(&item.guid) == guid);
    found |= address.is_some() && narrow(&mut among, &|item| key(&item.address) == address);
    if !found && (guid.is_some() || address.is_some()) {
        return None;
    }
    found |= known.title.is_some() && narrow(&mut among, &|item| item.title == known.title);
    narrow(&mut among, &|item| item.published == known.published);
    let (first, others) = among.split_first()?;
    (found && others.iter().all(|other| other == first)).then_some(first)
}

/// The kind of a page; a page without a text never counts as an article whose text was removed.
pub(in crate::check) fn article_kind(read: &Article) -> PageKind {
    match read.kind {
        PageKind::Article if read.state.body.is_empty() => PageKind::NoText,
        kind => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(guid: Option<&str>, address: Option<&str>, title: &str) -> FeedState {
        FeedState {
            guid: guid.map(str::to_owned),
            address: address.map(str::to_owned),
            title: Some(title.to_owned()),
            ..FeedState::default()
        }
    }

    fn reading() -> Reading {
        Reading {
            limits: Limits::default(),
            schemes: Schemes::default(),
            view: Arc::default(),
        }
    }

    fn capture(channel: Channel, content_type: &str, body: &str) -> Capture {
        Capture {
            channel,
            url: "https://n.example/a".to_owned(),
            fetched: Timestamp::from_unix(1_000),
            status: 200,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            request: None,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn an_item_is_found_by_its_names_and_never_guessed() {
        let items = [
            item(Some("1"), Some("https://n.example/a"), "A"),
            item(Some("2"), Some("https://n.example/b"), "B"),
            // Items that share a guid are distinguished by their addresses.
            item(Some("2"), Some("https://n.example/c"), "C"),
            item(None, None, "D"),
            item(None, None, "D"),
            item(None, None, "E"),
        ];
        let found = |known: FeedState| item_of(&items, &known).and_then(|item| item.title.clone());
        let title = |text: &str| Some(text.to_owned());
        assert_eq!(found(item(Some("1"), None, "old headline")), title("A"));
        let tracked = Some("http://n.example/b/?utm_source=x");
        assert_eq!(found(item(Some("2"), tracked, "B")), title("B"));
        assert_eq!(
            found(item(Some("9"), Some("https://n.example/c"), "?")),
            title("C")
        );
        assert_eq!(found(item(Some("9"), None, "A")), None);
        assert_eq!(found(item(Some("2"), None, "new headline")), None);
        // Two equal items count as one.
        assert_eq!(found(item(None, None, "D")), title("D"));
        assert_eq!(found(item(None, None, "F")), None);
    }

    #[test]
    fn a_stored_page_says_what_it_says_when_it_comes() {
        let text = "The council met on Monday and voted for the new bridge. ".repeat(8);
        let html = format!(
            "<html><head><title>t</title></head><body><article><h1>The bridge</h1><p>{text}</p><p>{text}</p></article></body></html>"
        );
        let stored = capture(Channel::Page, "text/html; charset=utf-8", &html);
        let fresh = reading().page(
            html.as_bytes(),
            Some("text/html; charset=utf-8"),
            &stored.url,
            None,
        );
        let fresh = fresh.unwrap().article;
        let again = reading().again(&stored, &EntryState::default()).unwrap();
        assert_eq!(again.state, Observed::Page(fresh.state));
        assert_eq!(again.seen, stored.fetched);

        let empty = capture(Channel::Page, "text/html", "<html><body></body></html>");
        let error = reading().again(&empty, &EntryState::default()).unwrap_err();
        assert!(matches!(error, NotRead::NoArticle(_)));
    }

    #[test]
    fn a_stored_feed_says_what_it_said_of_the_entry() {
        let xml = "<rss version='2.0'><channel><title>t</title>\
            <item><guid>1</guid><title>A</title></item><item><guid>2</guid><title>B</title></item></channel></rss>";
        let stored = capture(Channel::Feed, "application/rss+xml", xml);
        let known = |guid: &str| EntryState {
            feed: Some(item(Some(guid), None, "B")),
            page: None,
        };
        let Ok(Observation {
            state: Observed::Feed(found),
            ..
        }) = reading().again(&stored, &known("2"))
        else {
            panic!("an item");
        };
        assert_eq!(found.title.as_deref(), Some("B"));
        assert_eq!(
            reading().again(&stored, &known("3")),
            Err(NotRead::NotListed)
        );
        let broken = capture(Channel::Feed, "text/html", "<p>not here</p>");
        let error = reading().again(&broken, &known("2")).unwrap_err();
        assert!(matches!(error, NotRead::NoFeed(_)));
    }
}
