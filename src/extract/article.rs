//! A whole article page → what it is and what stands in it.

use url::Url;

use super::bounded::{self, Bounded};
use super::head::Head;
use super::kind::{self, Judged, PageKind};
use super::main_text::Explained;
use super::page_data::{self, TextSource};
use super::view::View;
use super::{charset, main_text};
use crate::domain::state::{Block, PageState};

/// A main text of fewer words gives way to a text that the page has in its data.
const FEW_WORDS: usize = 25;

/// An article page as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// What it is; only the state of an [`PageKind::Article`] may become a revision.
    pub kind: PageKind,
    /// The phrase by which it was told to be no article.
    pub said: Option<&'static str>,
    /// What it says.
    pub state: PageState,
    /// Where its text was read.
    pub source: TextSource,
    /// Whether the page is a list of other stories: a front page, a section.
    pub is_listing: bool,
    /// Where a page without a text sends its readers.
    pub refresh: Option<String>,
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
    article_under(body, content_type, url, view, None)
}

/// Reads an article page that is known under a headline, from its feed; otherwise as [`article_in`].
#[must_use]
pub fn article_under(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &View,
    headline: Option<&str>,
) -> Article {
    let opened = Opened::open(body, content_type, url);
    let read = opened.read(view, headline);
    let title = read
        .state
        .headline()
        .map(str::to_owned)
        .or(opened.head.title.clone());
    let refresh = opened.head.refresh(opened.base.as_ref());
    Article {
        kind: read.judged.kind,
        said: read.judged.said,
        is_listing: read.judged.is_listing,
        refresh: refresh.filter(|_| read.judged.kind == PageKind::NoText),
        state: read.state,
        source: read.source,
        title,
        language: opened.head.language,
        ignored: read
            .explained
            .into_iter()
            .filter(|one| !one.counts)
            .collect(),
        truncated: opened.page.truncated,
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
    Opened::open(body, content_type, url)
        .read(view, None)
        .explained
}

/// A page, decoded and bounded, and what it says about itself.
struct Opened {
    /// As it was sent, since data is not copied.
    sent: String,
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
            sent: decoded.text.into_owned(),
        }
    }

    /// What the page says, and what it is. `headline` is the one that it is known under.
    fn read(&self, view: &View, headline: Option<&str>) -> Read {
        let mut state = self.state();
        let mut explained = self.explain(&state, view);
        let counting = explained.iter().filter(|one| one.counts);
        state.body = counting.map(|one| one.block.clone()).collect();
        let mut judged = kind::of(&self.page.html, &self.head, &state, headline);
        let mut source = self
            .page
            .fallback
            .map_or(TextSource::Html, TextSource::Fallback);
        if let Some((from, blocks)) = self.text_in_data(&state, judged.kind) {
            source = from;
            judged.kind = PageKind::Article;
            without(&mut explained, "the text is in the data of the page");
            let why = format!("read from {}", from.as_str());
            explained.extend(blocks.iter().map(|block| Explained {
                block: block.clone(),
                counts: true,
                why: why.clone(),
            }));
            state.body = blocks;
        } else if judged.kind == PageKind::NoText {
            without(&mut explained, "menu or footer of a page without a text");
            state.body.clear();
        }
        Read {
            state,
            explained,
            judged,
            source,
        }
    }

    /// The text that the page has in its data, when its HTML has none.
    fn text_in_data(&self, state: &PageState, kind: PageKind) -> Option<(TextSource, Vec<Block>)> {
        let words = |blocks: &[Block]| -> usize {
            blocks.iter().map(|block| kind::words(&block.text)).sum()
        };
        let shown = words(&state.body);
        let may = match kind {
            PageKind::NoText => true,
            PageKind::Article => shown < FEW_WORDS,
            _ => false,
        };
        if !may || self.head.claims_wall() {
            return None;
        }
        let found = page_data::find(&self.sent, &self.headlines(state))?;
        (kind == PageKind::NoText || words(&found.1) >= 3 * shown).then_some(found)
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

/// A page, read.
struct Read {
    state: PageState,
    explained: Vec<Explained>,
    judged: Judged,
    source: TextSource,
}

/// Makes no block count.
fn without(explained: &mut [Explained], why: &str) {
    for one in explained.iter_mut().filter(|one| one.counts) {
        one.counts = false;
        why.clone_into(&mut one.why);
    }
}

#[cfg(test)]
mod tests;
