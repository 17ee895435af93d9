//! A whole article page → what it is and what stands in it.

use url::Url;

use super::bounded::{self, Bounded};
use super::form::Form;
use super::head::Head;
use super::kind::{self, PageKind};
use super::main_text::Explained;
use super::view::View;
use super::{charset, document, main_text, plain};
use crate::domain::state::PageState;

/// An article page as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// What it is; only the state of an [`PageKind::Article`] may become a revision.
    pub kind: PageKind,
    /// The phrase by which it was told to be no article.
    pub said: Option<&'static str>,
    /// Why a document has no text; absent for everything else.
    pub no_text: Option<String>,
    /// What it says.
    pub state: PageState,
    /// The headline to show: `h1`, JSON-LD, `og:title`, else the document's title.
    pub title: Option<String>,
    /// The language that the page claims, as in `lang="en-GB"`.
    pub language: Option<String>,
    /// The visible blocks that are not part of the article, in the order of the page, each with the reason.
    pub ignored: Vec<Explained>,
    /// Whether the page was longer than what is read of one.
    pub truncated: bool,
}

/// Reads an article page.
///
/// `content_type` is the header's value as received; `url` is the address that the page came from, after redirects.
#[must_use]
pub fn article(body: &[u8], content_type: Option<&str>, url: Option<&str>) -> Article {
    article_in(body, content_type, url, &View::default())
}

/// Reads an article page of a site of which a person has said where its text stands; otherwise as [`article`].
#[must_use]
pub fn article_in(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &View,
) -> Article {
    let decoded;
    let text = match Form::of(body, content_type) {
        Form::Html => None,
        Form::Text => {
            decoded = charset::decode(body, content_type);
            Some(&*decoded.text)
        }
        Form::Pdf => return document(body, Form::PDF, Err(NO_READER.to_owned())),
        Form::Other(media_type) => {
            let why = format!("{media_type} is not read");
            return document(body, media_type, Err(why));
        }
    };
    if let Some(text) = text {
        return plain_text(text);
    }
    let opened = Opened::open(body, content_type, url);
    let mut state = opened.state();
    let explained = opened.explain(&state, view);
    let (body, ignored): (Vec<_>, Vec<_>) = explained.into_iter().partition(|one| one.counts);
    state.body = body.into_iter().map(|explained| explained.block).collect();
    let title = state
        .headline()
        .map(str::to_owned)
        .or(opened.head.title.clone());
    let judged = kind::of(&opened.page.html, &opened.head, &state);
    Article {
        kind: judged.kind,
        said: judged.said,
        no_text: None,
        state,
        title,
        language: opened.head.language,
        ignored,
        truncated: opened.page.truncated,
    }
}

/// Why this crate's pure part reads no PDF by itself: whoever has a process for it calls [`super::document()`].
const NO_READER: &str = "PDFs are read by a process of their own";

/// A notice in place of a plain text is not longer.
const NOTICE_CHARACTERS: usize = 4_000;

/// A page of plain text; what it is in place of an article is told by the same phrases.
fn plain_text(text: &str) -> Article {
    let (body, truncated) = plain::blocks(text);
    let state = PageState {
        body,
        ..PageState::default()
    };
    let shown: String = text.chars().take(NOTICE_CHARACTERS).collect();
    let html = format!("<pre>{}</pre>", quick_xml::escape::escape(&shown));
    let judged = kind::of(&html, &Head::default(), &state);
    Article {
        kind: judged.kind,
        said: judged.said,
        no_text: None,
        state,
        title: None,
        language: None,
        ignored: Vec::new(),
        truncated,
    }
}

/// The blocks of a document that is not HTML, for [`explain`].
fn explain_others(body: &[u8], content_type: Option<&str>) -> Option<Vec<Explained>> {
    match Form::of(body, content_type) {
        Form::Html => None,
        Form::Text => {
            let decoded = charset::decode(body, content_type);
            let blocks = plain::blocks(&decoded.text).0.into_iter();
            let explained = blocks.map(|block| Explained {
                block,
                counts: true,
                why: "plain text".to_owned(),
            });
            Some(explained.collect())
        }
        Form::Pdf | Form::Other(_) => Some(Vec::new()),
    }
}

/// All blocks of an article page, with the reason why each counts, or does not; arguments as for [`article_in`]. Blocks
/// that `view` takes out come last.
#[must_use]
pub fn explain(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &View,
) -> Vec<Explained> {
    if let Some(explained) = explain_others(body, content_type) {
        return explained;
    }
    let opened = Opened::open(body, content_type, url);
    opened.explain(&opened.state(), view)
}

/// A page, decoded and bounded, and what it says about itself.
struct Opened {
    page: Bounded,
    head: Head,
    base: Option<Url>,
}

impl Opened {
    fn open(body: &[u8], content_type: Option<&str>, url: Option<&str>) -> Self {
        let decoded = charset::decode(body, content_type);
        let page = bounded::copy(&decoded.text);
        Self {
            head: Head::read(&page.html),
            base: url.and_then(|url| Url::parse(url).ok()),
            page,
        }
    }

    /// Everything but the text.
    fn state(&self) -> PageState {
        PageState {
            h1: self.head.h1(),
            og_title: self.head.og_title(),
            ld_headline: self.head.ld_headline(),
            byline: self.head.byline(),
            published: self.head.published(),
            modified: self.head.modified(),
            canonical: self.head.canonical(self.base.as_ref()),
            ..PageState::default()
        }
    }

    /// All blocks of the page; those that `view` takes out come last.
    fn explain(&self, state: &PageState, view: &View) -> Vec<Explained> {
        let headlines = self.headlines(state);
        let Some(viewed) = view.of(&self.page.html) else {
            return main_text::explain(&self.page.html, &headlines, self.base.clone());
        };
        let mut explained = match viewed.selected {
            true => main_text::explain_selected(&viewed.html, &headlines),
            false => main_text::explain(&viewed.html, &headlines, self.base.clone()),
        };
        for (selector, blocks) in viewed.removed {
            let why = format!("taken out by page.remove: {selector}");
            explained.extend(blocks.into_iter().map(|block| Explained {
                block,
                counts: false,
                why: why.clone(),
            }));
        }
        explained
    }

    fn headlines<'a>(&'a self, state: &'a PageState) -> Vec<&'a str> {
        [
            &state.h1,
            &state.og_title,
            &state.ld_headline,
            &self.head.title,
        ]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect()
    }
}

#[cfg(test)]
mod tests;
