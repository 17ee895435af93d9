//! A whole article page → what kind of page it is, and its text.

use url::Url;

use super::form::Form;
use super::head::Head;
use super::headlines::Headlines;
use super::kind::{self, JudgedPage, PageKind};
use super::main_text::{ArticleHints, Explained, MainText};
use super::page_data::{self, TextSource};
use super::role::Role;
use super::sanitise::{self, Bounded};
use super::selectors::PageSelectors;
use super::{charset, document, main_text, plain};
use crate::domain::ignored::Piece;
use crate::domain::state::{Block, PageState};

/// If the main text has fewer words than this, a text in the page's data is used instead.
const FEW_WORDS: usize = 25;

/// An article page that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// What kind of page it is. Only the state of a [`PageKind::Article`] may become a revision.
    pub kind: PageKind,
    /// The phrase that showed that it is not an article.
    pub said: Option<&'static str>,
    /// Why a document has no text; `None` for everything else.
    pub no_text: Option<String>,
    /// Its content.
    pub state: PageState,
    /// Where its text was found.
    pub source: TextSource,
    /// Whether the page is a list of other stories: a front page, a section.
    pub is_listing: bool,
    /// The address to which a page without text redirects its readers.
    pub refresh: Option<String>,
    /// The headline to show: `h1`, JSON-LD, `og:title`, or else the document's title.
    pub title: Option<String>,
    /// The language that the page claims, as in `lang="en-GB"`.
    pub language: Option<String>,
    /// The visible blocks that are not part of the article, in page order, each with the reason.
    pub ignored: Vec<Explained>,
    /// For each of them, how many blocks of the article come before it.
    pub ignored_after: Vec<u32>,
    /// Whether the page was longer than the part that is read.
    pub truncated: bool,
}

/// Reads an article page.
///
/// `content_type` is the header's value as received; `url` is the address that the page came from, after redirects.
#[must_use]
pub fn article(body: &[u8], content_type: Option<&str>, url: Option<&str>) -> Article {
    article_in(body, content_type, url, &PageSelectors::default())
}

/// Reads an article page of a site for which a person has set where the text is; otherwise like [`article`].
#[must_use]
pub fn article_in(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &PageSelectors,
) -> Article {
    article_under(body, content_type, url, view, None)
}

/// Reads an article page whose headline is known from its feed; otherwise like [`article_in`].
#[must_use]
pub fn article_under(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &PageSelectors,
    headline: Option<&str>,
) -> Article {
    match Form::of(body, content_type) {
        Form::Html => {}
        Form::Text => return plain_text(&charset::decode(body, content_type).text, headline),
        Form::Pdf => return document(body, Form::PDF, Err(NO_READER.to_owned())),
        Form::Other(media_type) => {
            let why = format!("{media_type} is not read");
            return document(body, media_type, Err(why));
        }
    }
    let opened = Opened::open(body, content_type, url);
    let read = opened.read(view, headline);
    let title = read
        .state
        .headline()
        .map(str::to_owned)
        .or(opened.head.title.clone());
    let refresh = opened.head.refresh(opened.base.as_ref());
    let (ignored, ignored_after) = ignored(read.blocks);
    Article {
        kind: read.judged.kind,
        said: read.judged.said,
        no_text: None,
        is_listing: read.judged.is_listing,
        refresh: refresh.filter(|_| read.judged.kind == PageKind::NoText),
        state: read.state,
        source: read.source,
        title,
        language: opened.head.language,
        ignored,
        ignored_after,
        truncated: opened.page.truncated,
    }
}

/// The blocks that are not compared, and for each how many blocks of the text come before it.
fn ignored(blocks: Vec<Explained>) -> (Vec<Explained>, Vec<u32>) {
    let (mut ignored, mut after) = (Vec::new(), Vec::new());
    let mut before = 0;
    for explained in blocks {
        if explained.role.is_text() {
            before += 1;
        } else if !explained.counts {
            ignored.push(explained);
            after.push(before);
        }
    }
    (ignored, after)
}

impl Article {
    /// The text on the page besides the article, in the form in which it is remembered from check to check.
    #[must_use]
    pub fn ignored_pieces(&self) -> Vec<Piece> {
        let pieces = self.ignored.iter().zip(&self.ignored_after);
        let pieces = pieces.map(|(explained, after)| Piece {
            text: explained.block.text.clone(),
            why: explained.why.clone(),
            after: *after,
            rule: None,
            seen: !explained.hidden,
        });
        pieces.collect()
    }
}

/// Why the pure part of this crate does not read PDFs itself: a caller that has a process for it uses
/// [`super::document()`].
const NO_READER: &str = "PDFs are read by a process of their own";

/// A notice served as plain text is never longer than this.
const NOTICE_CHARACTERS: usize = 4_000;

/// A page of plain text. The same phrases as for HTML show what it is if it is not an article.
fn plain_text(text: &str, headline: Option<&str>) -> Article {
    let (body, truncated) = plain::blocks(text);
    let mut state = PageState {
        body,
        ..PageState::default()
    };
    let shown: String = text.chars().take(NOTICE_CHARACTERS).collect();
    let html = format!("<pre>{}</pre>", quick_xml::escape::escape(&shown));
    let judged = kind::of(&html, &Head::default(), &state, headline);
    if judged.kind == PageKind::NoText {
        state.body.clear();
    }
    Article {
        kind: judged.kind,
        said: judged.said,
        no_text: None,
        is_listing: false,
        refresh: None,
        source: TextSource::Html,
        state,
        title: None,
        language: None,
        ignored: Vec::new(),
        ignored_after: Vec::new(),
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
                role: Role::of_text(block.kind, false),
                counts: true,
                hidden: false,
                why: "plain text".to_owned(),
                block,
            });
            Some(explained.collect())
        }
        Form::Pdf | Form::Other(_) => Some(Vec::new()),
    }
}

/// All blocks of an article page, with the reason why each counts or does not; arguments as for [`article_in`].
/// Blocks that `view` removes come last.
#[must_use]
pub fn explain(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &PageSelectors,
) -> Vec<Explained> {
    if let Some(explained) = explain_others(body, content_type) {
        return explained;
    }
    Opened::open(body, content_type, url)
        .read(view, None)
        .blocks
}

/// A page, decoded and bounded, and its metadata.
struct Opened {
    /// As it was sent, since the bounded copy leaves out the page's data.
    sent: String,
    page: Bounded,
    head: Head,
    base: Option<Url>,
}

impl Opened {
    fn open(body: &[u8], content_type: Option<&str>, url: Option<&str>) -> Self {
        let decoded = charset::decode(body, content_type);
        let page = sanitise::copy(&decoded.text);
        Self {
            head: Head::read(&page.html),
            base: url.and_then(|url| Url::parse(url).ok()),
            page,
            sent: decoded.text.into_owned(),
        }
    }

    /// The content of the page and its kind. `headline` is the one known from the feed.
    fn read(&self, view: &PageSelectors, headline: Option<&str>) -> PageParts {
        let mut state = self.state();
        let MainText { mut blocks, links } = self.main_text(&state, view);
        for explained in &blocks {
            let text = &explained.block.text;
            match explained.role {
                Role::Kicker => state.kicker = Some(text.clone()),
                Role::Standfirst => state.standfirst = Some(text.clone()),
                role if role.is_text() => state.body.push(explained.block.clone()),
                _ => {}
            }
        }
        state.links = links;
        let mut judged = kind::of(&self.page.html, &self.head, &state, headline);
        let mut source = self
            .page
            .fallback
            .map_or(TextSource::Html, TextSource::Fallback);
        if let Some((from, found)) = self.text_in_data(&state, judged.kind) {
            source = from;
            judged.kind = PageKind::Article;
            without(&mut blocks, "the text is in the data of the page");
            let why = format!("read from {}", from.as_str());
            blocks.extend(found.iter().map(|block| Explained {
                block: block.clone(),
                role: Role::of_text(block.kind, false),
                counts: true,
                hidden: false,
                why: why.clone(),
            }));
            state.body = found;
            state.links.clear();
        } else if judged.kind == PageKind::NoText {
            without(&mut blocks, "menu or footer of a page without a text");
            state.body.clear();
            state.links.clear();
        }
        PageParts {
            state,
            blocks,
            judged,
            source,
        }
    }

    /// The text in the page's data, if its HTML has none.
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

    /// The text of the page; blocks that `view` removes come last.
    fn main_text(&self, state: &PageState, view: &PageSelectors) -> MainText {
        let known = ArticleHints {
            headlines: Headlines::of(self.headlines(state).into_iter()),
            descriptions: self.head.descriptions().collect(),
        };
        let Some(viewed) = view.of(&self.page.html) else {
            return self.with_addresses(main_text::read(
                &self.page.html,
                &known,
                self.base.clone(),
            ));
        };
        let mut read = match viewed.selected {
            true => main_text::read_selected(&viewed.html, &known),
            false => main_text::read(&viewed.html, &known, self.base.clone()),
        };
        for (selector, blocks) in viewed.removed {
            let why = format!("removed by page.remove: {selector}");
            read.blocks
                .extend(blocks.into_iter().map(|block| Explained {
                    block,
                    role: Role::Removed,
                    counts: false,
                    hidden: false,
                    why: why.clone(),
                }));
        }
        self.with_addresses(read)
    }

    /// Keeps only links to other pages, and makes them absolute if the page's own address is known.
    fn with_addresses(&self, mut read: MainText) -> MainText {
        for link in &mut read.links {
            if let Some(joined) = self
                .base
                .as_ref()
                .and_then(|base| base.join(&link.address).ok())
            {
                link.address = joined.into();
            }
        }
        read.links.retain(|link| {
            let scheme = link.address.split_once(':').map(|(scheme, _)| scheme);
            !scheme.is_some_and(|scheme| {
                ["mailto", "tel", "javascript", "data"]
                    .iter()
                    .any(|other| scheme.eq_ignore_ascii_case(other))
            })
        });
        read
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

/// A page that has been read.
struct PageParts {
    state: PageState,
    blocks: Vec<Explained>,
    judged: JudgedPage,
    source: TextSource,
}

/// Marks every block as not counting.
fn without(explained: &mut [Explained], why: &str) {
    for one in explained.iter_mut().filter(|one| one.role.is_text()) {
        one.counts = false;
        one.role = Role::Outside;
        why.clone_into(&mut one.why);
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod variants;
