//! The kind of a page: an article, or something else that a server sends with status 200 in its place.
//!
//! A wrong "this is not an article" hides edits; a wrong "this is an article" stores a wall as the new text. So a
//! page with a text of its own is an article whatever else it says. For a page with little text the evidence is
//! weighed. What the page claims to be, and whether it has the feed's headline, speaks for an article; phrases
//! that make up most of its text speak against it. A phrase inside a longer sentence is not evidence by itself. A
//! wall that leaves the beginning of the text in place is detected by comparison: see [`super::wall_signs`].

mod phrases;
mod shown;

use super::head::Head;
use super::page::Page;
use crate::domain::diff::is_ideograph;
use crate::domain::state::{Block, PageState};
pub(super) use phrases::{PHRASES, plain};
use shown::{ShownPage, VisibleLine};

/// The kind of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageKind {
    /// An article, or anything else with a main text.
    Article,
    /// At most menus and a footer: a page that a script fills.
    NoText,
    /// "Not found", served with status 200.
    Soft404,
    /// A notice that the text is for subscribers.
    Paywall,
    /// A wall that first asks for consent.
    Consent,
    /// A check whether the reader is a robot.
    BotCheck,
    /// A notice that the site is temporarily unavailable.
    Maintenance,
    /// A PDF, an office document, a picture, a video, an archive: not a page. It may have text or not.
    Document,
}

impl PageKind {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::NoText => "no_text",
            Self::Soft404 => "soft_404",
            Self::Paywall => "paywall",
            Self::Consent => "consent",
            Self::BotCheck => "bot_check",
            Self::Document => "document",
            // The names are a contract and have no word for a site that is unavailable; `reason` says it.
            Self::Maintenance => "not_article",
        }
    }

    /// What the user sees if the page is not an article; `None` for an article and for a document.
    #[must_use]
    pub fn notice(self) -> Option<&'static str> {
        Some(match self {
            Self::Article | Self::Document => return None,
            Self::NoText => "the page has no text except menus and a footer",
            Self::Soft404 => "the page says that the article was not found",
            Self::Paywall => "the page shows a paywall instead of the text",
            Self::Consent => "the page asks for consent instead of showing the text",
            Self::BotCheck => "the page asks the reader to prove that they are not a robot",
            Self::Maintenance => "the page says that the site is down for maintenance",
        })
    }
}

/// From this many words on, a page with an article's text is an article.
const ENOUGH_WORDS: usize = 120;

/// A page may be a notice if it shows no more than this many words in total.
const NOTICE_WORDS: usize = 250;

/// The main text of a notice has fewer words than this.
const NOTICE_TEXT: usize = 80;

/// A paragraph with this many words is prose.
const PROSE_WORDS: usize = 15;

/// The verdict on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JudgedPage {
    /// The kind.
    pub(super) kind: PageKind,
    /// The phrase that decided it.
    pub(super) said: Option<&'static str>,
    /// Whether it is a list of other stories: a front page, a section.
    pub(super) is_listing: bool,
}

/// Judges a page by its text and by what was extracted from it. `headline` is the one known from the feed; `None`
/// if there is none.
pub(super) fn of(html: &str, head: &Head, state: &PageState, headline: Option<&str>) -> JudgedPage {
    let shown = ShownPage::of(html);
    let judged = |kind| JudgedPage {
        kind,
        said: None,
        is_listing: shown.is_listing(),
    };
    let main_words: usize = state.body.iter().map(|block| words(&block.text)).sum();
    if main_words >= ENOUGH_WORDS {
        return judged(PageKind::Article);
    }
    let case = Case {
        titles: titles(head, state),
        claims: head.claims_article(),
        known: headline.map(|headline| bears(head, state, headline)),
        walled: head.claims_wall(),
        body: &state.body,
        main_words,
        shown: &shown,
    };
    let notices = [
        (PageKind::BotCheck, case.bot_check()),
        (PageKind::Soft404, case.not_found()),
        (PageKind::Consent, case.consent()),
        (PageKind::Paywall, case.paywall()),
        (PageKind::Maintenance, case.down()),
    ];
    let notice = notices.into_iter().find(|(_, said)| said.is_some());
    match notice {
        Some((kind, said)) => JudgedPage {
            said,
            ..judged(kind)
        },
        None if state.body.iter().all(|block| shown.is_chrome(&block.text)) => {
            judged(PageKind::NoText)
        }
        None => judged(PageKind::Article),
    }
}

/// The document's title and the headline, in lower case.
fn titles(head: &Head, state: &PageState) -> Vec<String> {
    let titles = [head.title.as_deref(), state.h1.as_deref()];
    titles.into_iter().flatten().map(plain).collect()
}

/// Whether one of the page's titles is the headline known from the feed.
fn bears(head: &Head, state: &PageState, headline: &str) -> bool {
    let wanted = letters(headline);
    let titles = [&state.h1, &state.og_title, &state.ld_headline, &head.title];
    !wanted.is_empty()
        && titles.into_iter().flatten().any(|title| {
            let title = letters(title);
            title == wanted || (wanted.len() >= 6 && title.contains(&wanted))
        })
}

/// The letters and digits, in lower case.
fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The evidence on a page with little text.
struct Case<'a> {
    titles: Vec<String>,
    /// How strongly the page claims to be an article, see [`Head::claims_article`].
    claims: u32,
    /// Whether it has the headline known from the feed.
    known: Option<bool>,
    /// Whether it says that its text is not free for everyone.
    walled: bool,
    body: &'a [Block],
    main_words: usize,
    shown: &'a ShownPage,
}

impl Case<'_> {
    /// The total weight of the evidence for an article.
    fn for_article(&self) -> u32 {
        let prose = self
            .body
            .iter()
            .any(|block| words(&block.text) >= PROSE_WORDS);
        self.claims + u32::from(prose) + 3 * u32::from(self.known == Some(true))
    }

    /// The phrase that shows that the whole page is a notice: in a title that says little else, or in its text.
    fn notice(
        &self,
        in_title: Option<&'static str>,
        phrases: &'static [&'static str],
    ) -> Option<&'static str> {
        if self.shown.words() > NOTICE_WORDS || self.main_words >= NOTICE_TEXT {
            return None;
        }
        let titled = in_title.or_else(|| {
            let mut parts = self.titles.iter().flat_map(|title| parts(title));
            parts.find_map(|part| titled(phrases, part))
        });
        let all = self.shown.content_words().max(1);
        let mut text = 0;
        let mut said = None;
        for line in self.shown.content() {
            let whole = sentences(&line.text).find_map(|sentence| {
                let phrase = dense(phrases, sentence)?;
                (words(sentence) * 4 >= all).then_some(phrase)
            });
            let weight = match whole {
                Some(_) => 2,
                None => u32::from(find(phrases, &line.text).is_some()),
            };
            if weight > text {
                text = weight;
                said = whole.or_else(|| find(phrases, &line.text));
            }
        }
        let mut against = 2 * u32::from(titled.is_some()) + text;
        if against >= 2 && self.known == Some(false) {
            against += 1;
        }
        (against >= 2 && against > self.for_article())
            .then_some(titled.or(said))
            .flatten()
    }

    fn bot_check(&self) -> Option<&'static str> {
        let mut parts = self.titles.iter().flat_map(|title| parts(title));
        let titled = parts.find_map(|part| titled(&PHRASES.robot_title, part));
        self.notice(titled, &PHRASES.robot)
    }

    fn not_found(&self) -> Option<&'static str> {
        let mut parts = self.titles.iter().flat_map(|title| parts(title));
        let titled = parts.find_map(says_only_gone);
        self.notice(titled, &PHRASES.gone)
    }

    fn down(&self) -> Option<&'static str> {
        self.notice(None, &PHRASES.down)
    }

    fn consent(&self) -> Option<&'static str> {
        let says = |phrases: &'static [&'static str]| {
            let mut lines = self.shown.lines.iter();
            lines.find_map(|line| find(phrases, &line.text))
        };
        let asks = says(&PHRASES.consent)?;
        // An offer is a button with a few words, not part of a sentence.
        let mut lines = self.shown.lines.iter();
        let offers =
            lines.any(|line| line.words <= 6 && find(&PHRASES.consent_offer, &line.text).is_some());
        if !offers || self.shown.words() > 2 * NOTICE_WORDS {
            return None;
        }
        let is_about = |line: &&VisibleLine| find(&PHRASES.consent_about, &line.text).is_some();
        let about: usize = self
            .shown
            .lines
            .iter()
            .filter(is_about)
            .map(|l| l.words)
            .sum();
        let prose = || self.shown.content().filter(|line| line.words >= 8);
        let other: usize = prose().filter(|l| !is_about(l)).map(|l| l.words).sum();
        let in_article: usize = prose().filter(|l| l.in_article).map(|l| l.words).sum();
        let is_known = self.known == Some(true) || self.claims >= 2;
        let article = (is_known && in_article.max(other) >= PROSE_WORDS)
            || (other >= 8 && other * 3 >= about);
        (!article).then_some(asks)
    }

    fn paywall(&self) -> Option<&'static str> {
        // A line in a menu or footer addresses everyone; so does a line above the text.
        let first = self
            .body
            .iter()
            .find(|block| words(&block.text) >= PROSE_WORDS)
            .map(|block| plain(&block.text));
        let mut behind = first.is_none();
        let (mut asks, mut asked) = (None, 0);
        for line in self.shown.content() {
            let phrase = sentences(&line.text).find_map(|sentence| dense(&PHRASES.pay, sentence));
            if let Some(phrase) = phrase.filter(|_| behind) {
                asks = asks.or(Some(phrase));
                asked += 1;
            }
            behind |= first
                .as_deref()
                .is_some_and(|first| line.text.contains(first));
        }
        let asks = asks?;
        if self.walled {
            return Some(asks);
        }
        let few = self.main_words < 60 && self.shown.words() <= NOTICE_WORDS;
        // Many a short text is followed by a login for readers who want to comment.
        let is_known = self.known == Some(true) || self.claims >= 2;
        let ends = self.body.last().is_some_and(|block| ends_well(&block.text));
        let article = first.is_some() && is_known && ends && asked < 2;
        (few && !article).then_some(asks)
    }
}

/// Whether a text ends with the end of a sentence, rather than being cut off.
fn ends_well(text: &str) -> bool {
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || "\"'”’»“)」』".contains(c));
    !text.ends_with("...") && text.ends_with(['.', '!', '?', '。', '！', '？', '।', '؟', '۔'])
}

/// The parts of a title: the headline, the name of the site.
fn parts(title: &str) -> impl Iterator<Item = &str> {
    title
        .split([':', '|', '·', '–', '—', '«', '»', '.'])
        .flat_map(|part| part.split(" - "))
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn sentences(line: &str) -> impl Iterator<Item = &str> {
    line.split(['.', '!', '?', '。', '！', '？', '।', '؟', '…', '\n'])
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
}

/// A phrase that makes up much of a sentence. Two words of five are enough. A quarter of a long sentence is not,
/// since a story may mention such a page.
fn dense(phrases: &'static [&'static str], sentence: &str) -> Option<&'static str> {
    let all = words(sentence);
    let is = |phrase: &&&str| words(phrase) * 5 >= all * 2 && has(sentence, phrase);
    phrases.iter().find(is).copied()
}

/// A phrase that makes up most of a title; half is not enough, since a headline may well contain that.
fn titled(phrases: &'static [&'static str], title: &str) -> Option<&'static str> {
    let all = words(title);
    let is = |phrase: &&&str| words(phrase) * 2 > all && has(title, phrase);
    phrases.iter().find(is).copied()
}

/// Whether a title only says that something was not found.
fn says_only_gone(part: &str) -> Option<&'static str> {
    if words(part) > 6 {
        return None;
    }
    let said = find(&PHRASES.gone_title, part)?;
    let mut rest = part.to_owned();
    for phrase in PHRASES.gone_title.iter().chain(&PHRASES.gone_fill) {
        if has(&rest, phrase) {
            rest = rest.replace(phrase, " ");
        }
    }
    (!rest.chars().any(char::is_alphanumeric)).then_some(said)
}

/// The visible text of a page, one block per line, in lower case.
pub(super) fn text_of(html: &str) -> String {
    let page = Page::read(html);
    let mut text = String::new();
    for block in page.blocks.iter().take(400) {
        text.push_str(&block.block.text);
        text.push('\n');
    }
    plain(&text)
}

fn find(phrases: &'static [&'static str], text: &str) -> Option<&'static str> {
    phrases.iter().find(|phrase| has(text, phrase)).copied()
}

/// Whether a text contains a phrase as whole words. In inflected languages, phrases end where the endings start,
/// so only a number has to end where the phrase does.
pub(super) fn has(text: &str, phrase: &str) -> bool {
    let spaced = |c: char| c.is_alphanumeric() && !is_spaceless(c);
    text.match_indices(phrase).any(|(at, _)| {
        let (before, from) = text.split_at(at);
        let after = from.get(phrase.len()..).unwrap_or_default();
        let begins = !phrase.starts_with(spaced) || !before.ends_with(spaced);
        let ends = !phrase.ends_with(|c: char| c.is_ascii_digit()) || !after.starts_with(spaced);
        begins && ends
    })
}

/// Whether words of a script run together without spaces, or attach their prefixes without one.
fn is_spaceless(c: char) -> bool {
    is_ideograph(c)
        || matches!(u32::from(c), 0x0590..=0x06ff | 0x0e00..=0x0eff | 0x3040..=0x30ff | 0xac00..=0xd7af)
}

/// The number of words, separated by spaces. In scripts without spaces, two characters make a word.
pub(super) fn words(text: &str) -> usize {
    let ideographs = text.chars().filter(|c| is_ideograph(*c)).count();
    let spaced = text
        .split_whitespace()
        .filter(|word| !word.chars().all(is_ideograph))
        .count();
    spaced + ideographs.div_ceil(2)
}

#[cfg(test)]
mod tests;
