//! A whole article page → what it is and what stands in it.

use url::Url;

use super::head::Head;
use super::{bounded, charset, kind, main_text};
use crate::domain::state::PageState;

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
pub fn article(body: &[u8], content_type: Option<&str>, url: Option<&str>) -> Article {
    let decoded = charset::decode(body, content_type);
    let page = bounded::copy(&decoded.text);
    let base = url.and_then(|url| Url::parse(url).ok());
    let head = Head::read(&page.html);
    let mut state = PageState {
        h1: head.h1(),
        og_title: head.og_title(),
        ld_headline: head.ld_headline(),
        byline: head.byline(),
        published: head.published(),
        modified: head.modified(),
        canonical: head.canonical(base.as_ref()),
        body: Vec::new(),
    };
    let headlines: Vec<&str> = [&state.h1, &state.og_title, &state.ld_headline, &head.title]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    state.body = main_text::blocks(&page.html, &headlines, base);
    let title = state.headline().map(str::to_owned).or(head.title.clone());
    Article {
        kind: kind::of(&page.html, &head, &state),
        state,
        title,
        language: head.language,
        truncated: page.truncated,
    }
}
