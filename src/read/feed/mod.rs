//! Bytes of a response → [`ParsedFeed`].
//!
//! Every dialect (RSS 0.9x, 1.0, 2.0, Atom 0.3 and 1.0, JSON Feed) gives the same values. [`ParsedFeed::repairs`]
//! names the repairs that were needed. Nothing here panics, does IO or reads a clock; input is bounded by
//! [`Limits`] before it is read. Identity is not decided here: an entry contains only what the feed says.

mod atom;
mod dialect;
pub mod discover;
mod error;
mod field;
mod found;
mod hints;
mod json;
mod json_shape;
mod json_text;
mod known;
pub mod list;
mod read;
mod repair;
mod text;
mod translate;
mod wrapped;

use std::time::Duration;

use url::Url;

pub use error::FeedError;
pub use known::ItemMark;
pub use repair::Repair;

use self::repair::Repairs;
use crate::domain::known_items::KnownItems;
use crate::domain::state::FeedState;
use crate::extract::charset;

/// The version of reading feeds. Raise it whenever the same bytes of a feed are read differently: stored texts of
/// an older version are then re-read before they are compared, so that an upgrade is never an edit.
pub const SCHEME: u16 = 5;

/// Limits for reading one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest document, in bytes.
    pub bytes: usize,
    /// The most entries that are kept; the others are counted in [`ParsedFeed::dropped`].
    pub entries: usize,
    /// The longest text of one field, in bytes; longer texts are cut.
    pub field_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 10 << 20,
            entries: 5_000,
            field_bytes: 1 << 20,
        }
    }
}

/// The dialect of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RSS 0.9x and 2.0.
    Rss,
    /// Atom 0.3 and 1.0.
    Atom,
    /// RSS 0.90 and 1.0, which are RDF.
    Rdf,
    /// JSON Feed.
    Json,
}

impl Format {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Rdf => "rdf",
            Self::Json => "json",
        }
    }
}

/// How often the publisher asks to be polled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublisherHints {
    /// RSS `ttl`.
    pub ttl: Option<Duration>,
    /// RSS `skipHours`: hours of the day in GMT, 0–23, sorted.
    pub skip_hours: Vec<u8>,
    /// RSS `skipDays`: days of the week in GMT, 0 is Monday, sorted.
    pub skip_days: Vec<u8>,
    /// `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub update_period: Option<Duration>,
}

/// A feed that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedFeed {
    /// The dialect.
    pub format: Format,
    /// The feed's own title, as plain text.
    pub title: Option<String>,
    /// The site that the feed belongs to, absolute.
    pub home: Option<String>,
    /// The feed's own address as it states it, absolute.
    pub self_address: Option<String>,
    /// The `WebSub` hub, absolute.
    pub hub: Option<String>,
    /// The repairs that were needed, each once, in order.
    pub repairs: Vec<Repair>,
    /// How often the publisher asks to be polled.
    pub hints: PublisherHints,
    /// The entries, in the order of the feed.
    pub entries: Vec<FeedState>,
    /// How to recognise each of these entries; empty if that was not requested.
    pub marks: Vec<ItemMark>,
    /// Entries over [`Limits::entries`] that were left out.
    pub dropped: usize,
}

/// Reads a feed.
///
/// `content_type` is the header's value as received; `base` is the address that the document came from, after
/// redirects: relative addresses are resolved against it.
///
/// # Errors If it is not a feed, is over a limit, or is broken beyond repair.
pub fn parse(
    body: &[u8],
    content_type: Option<&str>,
    base: &str,
    limits: &Limits,
) -> Result<ParsedFeed, FeedError> {
    read_body(body, content_type, base, limits, None)
}

/// Like [`parse`], but skips items whose bytes are known: [`ItemMark::is_known`] marks them, and they have no
/// text. All other values are the same as for [`parse`].
///
/// # Errors As [`parse`].
pub fn parse_knowing(
    body: &[u8],
    content_type: Option<&str>,
    base: &str,
    limits: &Limits,
    known: &KnownItems,
) -> Result<ParsedFeed, FeedError> {
    read_body(body, content_type, base, limits, Some(known))
}

fn read_body(
    body: &[u8],
    content_type: Option<&str>,
    base: &str,
    limits: &Limits,
    known: Option<&KnownItems>,
) -> Result<ParsedFeed, FeedError> {
    if body.len() > limits.bytes {
        return Err(FeedError::TooLarge {
            bytes: body.len(),
            limit: limits.bytes,
        });
    }
    let decoded = charset::decode(body, content_type);
    let mut repairs = Repairs::default();
    if decoded.misdeclared {
        repairs.note(Repair::Charset);
    }
    if decoded.malformed {
        repairs.note(Repair::InvalidBytes);
    }
    let text = text::without_controls(decoded.text, &mut repairs);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let base = Url::parse(base).ok();
    if text.starts_with(['{', '[']) {
        return json::parse(text, base.as_ref(), limits, repairs);
    }
    let translated = translate::translate(text, base.as_ref(), limits, known, &mut repairs)?;
    if let Some(translation) = translated {
        return read::read(translation, known, repairs);
    }
    if let Some(json) = json_text::embedded(text) {
        repairs.note(Repair::JunkBeforeRoot);
        return json::parse(json, base.as_ref(), limits, repairs);
    }
    if let Some(inner) = wrapped::feed_in_page(text) {
        let translated = translate::translate(&inner, base.as_ref(), limits, None, &mut repairs)?;
        let has_entries = |found: &translate::Translation| found.entries > 0;
        if let Some(translation) = translated.filter(has_entries) {
            repairs.note(Repair::JunkBeforeRoot);
            return read::read(translation, None, repairs);
        }
    }
    Err(FeedError::NotAFeed {
        found: found::describe(body, text),
    })
}

#[cfg(test)]
mod tests;
