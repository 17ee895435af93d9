//! What is known about an entry's text: as published, by channel.
//!
//! The two channels are never compared with each other: a summary in the feed and the full text on the page are two
//! texts, each with its own history.

use super::normalise::visible;
use crate::names;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

names! {
    /// Where something was seen.
    pub enum Channel {
        /// The item in the feed.
        Feed = "feed",
        /// The article page that the item links to.
        Page = "page",
    }
}

/// Where a headline is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HeadlineSource {
    /// The title of the item in the feed.
    #[serde(rename = "feed")]
    Feed,
    /// The page's `h1`.
    #[serde(rename = "h1")]
    H1,
    /// The page's `og:title`.
    #[serde(rename = "og:title")]
    OgTitle,
    /// The `headline` in the page's JSON-LD.
    #[serde(rename = "json-ld")]
    JsonLd,
    /// The short line above the page's headline.
    #[serde(rename = "kicker")]
    Kicker,
}

impl HeadlineSource {
    /// The name for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::H1 => "h1",
            Self::OgTitle => "og:title",
            Self::JsonLd => "JSON-LD",
            Self::Kicker => "kicker",
        }
    }

    /// The channel that it belongs to.
    #[must_use]
    pub fn channel(self) -> Channel {
        match self {
            Self::Feed => Channel::Feed,
            Self::H1 | Self::OgTitle | Self::JsonLd | Self::Kicker => Channel::Page,
        }
    }
}

/// What a block of text is in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Running text.
    Paragraph,
    /// A heading inside the text.
    Heading,
    /// One item of a list.
    ListItem,
    /// A paragraph inside a block quotation.
    Quote,
    /// The text under a picture.
    Caption,
    /// One row of a table, its cells joined by ` | `.
    TableRow,
    /// Preformatted text.
    Code,
    /// Page furniture between the blocks of the text: an advertisement, a newsletter box, a share bar. It is kept
    /// as published and never compared.
    Furniture,
}

/// One block of text, as published: decoded, without markup, with white space as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Block {
    /// The kind of block.
    pub kind: BlockKind,
    /// Its text: never empty, and without line breaks except in [`BlockKind::Code`].
    pub text: String,
}

impl Block {
    /// Creates a paragraph.
    #[must_use]
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self {
            kind: BlockKind::Paragraph,
            text: text.into(),
        }
    }
}

/// A link in an article's text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// The linked words, as a block's text; never empty.
    pub words: String,
    /// Its target; absolute if the address of the page or feed is known.
    pub address: String,
}

/// What a feed says about one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedState {
    /// The guid as the feed gives it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// The article's address as the feed gives it now, absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The headline, as plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The authors, joined by `, `.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byline: Option<String>,
    /// The claimed publication date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// The claimed date of the last update, if the feed gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// The feed's description.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub summary: Vec<Block>,
    /// The full text, if the feed carries it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Block>,
    /// The links in these texts, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whether it contains a form or notice that asks readers to pay or to enter a password.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub walled: bool,
    /// The elements that these texts come from, and the texts of other elements.
    #[serde(skip_serializing_if = "AlternativeTexts::is_plain")]
    pub beside: AlternativeTexts,
}

/// For items that say one thing in several elements: which element counts, and what the others say. Needed to
/// distinguish a switch of elements from an edit; never compared on its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AlternativeTexts {
    /// The rank of the element that gave the description; 0 is the usual element.
    pub summary_rank: u8,
    /// The rank of the element that gave the by-line.
    pub byline_rank: u8,
    /// Other descriptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub summaries: Vec<Vec<Block>>,
    /// Other by-lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bylines: Vec<String>,
}

impl AlternativeTexts {
    /// Whether there is nothing to record.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// A document that is not a page: a PDF, an office document, a picture, a video, an archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Document {
    /// Its media type by its bytes, such as `application/pdf`.
    pub media_type: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Whether its text could be read.
    #[serde(default)]
    pub text: bool,
}

/// What an article page says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PageState {
    /// The headline in the page's `h1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h1: Option<String>,
    /// The headline in `og:title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub og_title: Option<String>,
    /// The headline in JSON-LD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ld_headline: Option<String>,
    /// The short line above the headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kicker: Option<String>,
    /// The sentences under the headline that introduce the article, also called the dek.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standfirst: Option<String>,
    /// The authors, joined by `, `.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byline: Option<String>,
    /// The claimed publication date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// The claimed date of the last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// The canonical address that the page names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// The article's text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<Block>,
    /// The links in the article's text, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Set if the address leads to a document that is not a page; `body` has its text, if that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

impl FeedState {
    /// The full text that the feed has, else its summary.
    #[must_use]
    pub fn text(&self) -> &[Block] {
        if self.body.is_empty() {
            &self.summary
        } else {
            &self.body
        }
    }
}

impl PageState {
    /// The headline that a reader sees: `h1`, else JSON-LD, else `og:title`. A headline without visible text does
    /// not count.
    #[must_use]
    pub fn headline(&self) -> Option<&str> {
        [&self.h1, &self.ld_headline, &self.og_title]
            .into_iter()
            .filter_map(|title| title.as_deref())
            .find(|title| !visible(title).is_empty())
    }
}

/// The state that a revision stores: the last state seen on each channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EntryState {
    /// `None` if the entry was never seen in a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<FeedState>,
    /// `None` until the page is read for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageState>,
}

impl EntryState {
    /// The headline to show: the feed's, else the page's.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.feed
            .as_ref()
            .and_then(|feed| feed.title.as_deref())
            .or_else(|| self.page.as_ref().and_then(PageState::headline))
    }

    /// The by-line to show: the page's, else the feed's.
    #[must_use]
    pub fn byline(&self) -> Option<&str> {
        let page = self.page.as_ref().and_then(|page| page.byline.as_deref());
        page.or_else(|| self.feed.as_ref().and_then(|feed| feed.byline.as_deref()))
    }

    /// The standfirst, which only a page has.
    #[must_use]
    pub fn standfirst(&self) -> Option<&str> {
        let page = self.page.as_ref();
        page.and_then(|page| page.standfirst.as_deref())
    }

    /// The kicker, which only a page has.
    #[must_use]
    pub fn kicker(&self) -> Option<&str> {
        let page = self.page.as_ref();
        page.and_then(|page| page.kicker.as_deref())
    }

    /// The article's address: the feed's, else the page's canonical one.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.feed
            .as_ref()
            .and_then(|feed| feed.address.as_deref())
            .or_else(|| {
                self.page
                    .as_ref()
                    .and_then(|page| page.canonical.as_deref())
            })
    }

    /// The claimed publication date: the feed's, else the page's.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        let feed = self.feed.as_ref().and_then(|feed| feed.published);
        feed.or_else(|| self.page.as_ref().and_then(|page| page.published))
    }

    /// The longest known text: the page's, else the feed's full text, else its summary.
    #[must_use]
    pub fn body(&self) -> &[Block] {
        let page = self
            .page
            .as_ref()
            .map(|page| page.body.as_slice())
            .filter(|body| !body.is_empty());
        page.or_else(|| self.feed.as_ref().map(FeedState::text))
            .unwrap_or_default()
    }
}
