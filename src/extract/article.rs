//! A whole article page → what it is and what stands in it.

use crate::domain::state::{Block, PageState};

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageKind {
    /// An article, or anything else with a main text.
    Article,
    /// "Not found", served with status 200.
    Soft404,
    /// A notice that the text is for subscribers.
    Paywall,
    /// A wall that asks for consent first.
    Consent,
    /// A test whether the reader is a robot.
    BotCheck,
    /// No main text.
    NotArticle,
}

impl PageKind {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Soft404 => "soft_404",
            Self::Paywall => "paywall",
            Self::Consent => "consent",
            Self::BotCheck => "bot_check",
            Self::NotArticle => "not_article",
        }
    }
}

/// An article page as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// What it is; only the state of an [`PageKind::Article`] may become a revision.
    pub kind: PageKind,
    /// What it says.
    pub state: PageState,
    /// The headline to show: `h1`, JSON-LD, `og:title`, else the document's title.
    pub title: Option<String>,
    /// The language that the page claims, as in `lang="en-GB"`.
    pub language: Option<String>,
    /// Whether the page was longer than what is read of one.
    pub truncated: bool,
}

/// Reads an article page.
///
/// `content_type` is the header's value as received; `url` is the address that the page came from, after redirects.
#[must_use]
pub fn article(body: &[u8], _content_type: Option<&str>, _url: Option<&str>) -> Article {
    let html = String::from_utf8_lossy(body);
    let text = trafilatura::extract(&html, &trafilatura::Options::default())
        .map(|result| result.content_text)
        .unwrap_or_default();
    Article {
        kind: if text.is_empty() {
            PageKind::NotArticle
        } else {
            PageKind::Article
        },
        state: PageState {
            body: text.lines().map(Block::paragraph).collect(),
            ..PageState::default()
        },
        title: None,
        language: None,
        truncated: false,
    }
}
