//! What a page is: an article, or one of the things that servers answer with status 200 in its place.
//!
//! A wrong "this is no article" hides edits, a wrong "this is an article" stores a wall as the new text. So a page with
//! a text of its own is an article whatever else it says, and the words of a wall count only where there is little else.
//! A wall that leaves the beginning of a text standing is told by comparing: see [`super::signs`].

mod phrases;

use super::head::Head;
use super::page::Page;
use crate::domain::diff::is_ideograph;
use crate::domain::state::PageState;
pub(super) use phrases::{PHRASES, plain};

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
    /// A notice that the site is out of order for a while.
    Maintenance,
    /// No main text.
    NotArticle,
    /// A PDF, an office document, a picture, a video, an archive: no page, with a text or without one.
    Document,
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
            Self::Document => "document",
            // The names are a contract that knows no word for a site that is out of order; `reason` tells it.
            Self::Maintenance | Self::NotArticle => "not_article",
        }
    }

    /// What the page is in place of an article, for people; `None` for an article and for a document.
    #[must_use]
    pub fn notice(self) -> Option<&'static str> {
        Some(match self {
            Self::Article | Self::Document => return None,
            Self::NotArticle => "no main text was found on the page",
            Self::Soft404 => "the page says that it was not found",
            Self::Paywall => "the page shows a paywall instead of the text",
            Self::Consent => "the page asks for consent instead of showing the text",
            Self::BotCheck => "the page asks whether the reader is a robot",
            Self::Maintenance => "the page says that the site is out of order for a while",
        })
    }
}

/// From this many words on, a page with an article's text is an article.
const ENOUGH_WORDS: usize = 120;

/// A page that shows no more words than this in all may be a notice.
const NOTICE_WORDS: usize = 250;

/// A page that says that its site is out of order says little else.
const DOWN_WORDS: usize = 80;

/// What a page was judged to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Judged {
    /// The kind.
    pub(super) kind: PageKind,
    /// The phrase that it was told by.
    pub(super) said: Option<&'static str>,
}

/// Judges a page by what it says and by what was extracted of it.
pub(super) fn of(html: &str, head: &Head, state: &PageState) -> Judged {
    let judged = |kind| Judged { kind, said: None };
    let words: usize = state.body.iter().map(|block| words(&block.text)).sum();
    if words >= ENOUGH_WORDS {
        return judged(PageKind::Article);
    }
    let shown = Shown::of(html, head, state);
    let notices = [
        (PageKind::BotCheck, shown.bot_check()),
        (PageKind::Soft404, shown.not_found()),
        (PageKind::Consent, shown.consent()),
        (PageKind::Paywall, shown.paywall(head)),
        (PageKind::Maintenance, shown.down()),
    ];
    let notice = notices.into_iter().find(|(_, said)| said.is_some());
    match notice {
        Some((kind, said)) => Judged { kind, said },
        None if state.body.is_empty() => judged(PageKind::NotArticle),
        None => judged(PageKind::Article),
    }
}

/// All that a page without much of a text shows, in lower case.
struct Shown {
    /// The document's title and the headline.
    titles: String,
    /// The visible text.
    text: String,
    /// How many words it has.
    words: usize,
    /// How many words of it were extracted as its main text.
    main_words: usize,
}

impl Shown {
    fn of(html: &str, head: &Head, state: &PageState) -> Self {
        let text = text_of(html);
        let titles = [head.title.as_deref(), state.h1.as_deref()];
        Self {
            titles: plain(&titles.into_iter().flatten().collect::<Vec<_>>().join("\n")),
            words: words(&text),
            main_words: state.body.iter().map(|block| words(&block.text)).sum(),
            text,
        }
    }

    fn says(&self, phrases: &'static [&'static str]) -> Option<&'static str> {
        let said = |phrase: &&&str| self.text.contains(**phrase) || self.titles.contains(**phrase);
        phrases.iter().find(said).copied()
    }

    fn bot_check(&self) -> Option<&'static str> {
        let titled = find(&PHRASES.robot_title, &self.titles).filter(|_| self.main_words < 60);
        let said = self.says(&PHRASES.robot).or(titled);
        said.filter(|_| self.words <= NOTICE_WORDS)
    }

    fn not_found(&self) -> Option<&'static str> {
        let titled = self.titles.lines().find_map(|title| {
            let mut parts = title
                .split([':', '|', '·', '–', '—'])
                .flat_map(|part| part.split(" - "));
            let alone =
                parts.find_map(|part| find(&PHRASES.gone_title, part).filter(|_| words(part) <= 3));
            let of_pages = find(&PHRASES.gone, title).filter(|_| words(title) <= 12);
            alone.or(of_pages)
        });
        let titled = titled.filter(|_| self.main_words < 80);
        titled.or_else(|| {
            find(&PHRASES.gone, &self.text)
                .filter(|_| self.words <= NOTICE_WORDS && self.main_words < 40)
        })
    }

    fn consent(&self) -> Option<&'static str> {
        // A banner stands over nearly every page; a wall is nearly the whole page.
        let asks = self.says(&PHRASES.consent)?;
        self.says(&PHRASES.consent_offer)?;
        let wall =
            self.words <= 2 * NOTICE_WORDS && self.about_consent() * 3 >= self.main_words.max(1);
        wall.then_some(asks)
    }

    /// Words of the lines that are about cookies and privacy.
    fn about_consent(&self) -> usize {
        self.text
            .lines()
            .filter(|line| find(&PHRASES.consent_about, line).is_some())
            .map(words)
            .sum()
    }

    fn paywall(&self, head: &Head) -> Option<&'static str> {
        let asks = self.says(&PHRASES.pay)?;
        let wall = (self.main_words < 60 && self.words <= NOTICE_WORDS) || head.claims_wall();
        wall.then_some(asks)
    }

    fn down(&self) -> Option<&'static str> {
        let titled = self
            .titles
            .lines()
            .find_map(|title| find(&PHRASES.down, title).filter(|_| words(title) <= 8));
        let titled = titled.filter(|_| self.main_words < 40 && self.words <= NOTICE_WORDS);
        titled.or_else(|| {
            find(&PHRASES.down, &self.text)
                .filter(|_| self.words <= DOWN_WORDS && self.main_words < 40)
        })
    }
}

/// The visible text of a page, a block a line, in lower case.
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
    phrases
        .iter()
        .find(|phrase| text.contains(**phrase))
        .copied()
}

/// Words between spaces; of scripts that have none, two characters make a word.
fn words(text: &str) -> usize {
    let ideographs = text.chars().filter(|c| is_ideograph(*c)).count();
    let spaced = text
        .split_whitespace()
        .filter(|word| !word.chars().all(is_ideograph))
        .count();
    spaced + ideographs.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use crate::extract::{PageKind, article};

    fn check(html: &str, kind: PageKind) {
        assert_eq!(article(html.as_bytes(), None, None).kind, kind, "{html}");
    }

    #[test]
    fn walls_and_notices_are_no_articles() {
        check(
            "<html><body><p>Please log in.</p></body></html>",
            PageKind::Paywall,
        );
        check(
            "<title>Page not found - Example</title><h1>Oops!</h1><p>The page that you are looking for is not here. Try a search?</p>",
            PageKind::Soft404,
        );
        check(
            "<title>Just a moment...</title><h1>news.example</h1><p>Verifying you are human. This may take a few seconds.</p>",
            PageKind::BotCheck,
        );
        check(
            "<title>News</title><div><h2>Before you continue</h2><p>We use cookies and data to deliver services, and with our partners to show ads.</p><button>Accept all</button></div>",
            PageKind::Consent,
        );
        check(
            "<h1>Minister resigns</h1><p>The minister has resigned.</p><div>Subscribe to continue reading. Already a subscriber? Log in</div>",
            PageKind::Paywall,
        );
        check(
            "<html><body><img src=a><nav><a href=/>Home</a></nav></body></html>",
            PageKind::NotArticle,
        );
        check("", PageKind::NotArticle);
    }

    #[test]
    fn an_article_is_an_article_whatever_stands_around_it() {
        let text = "<p>The committee met on Monday and agreed on a new plan for the harbour, which is to be built over five years.</p>".repeat(8);
        for around in [
            "<div>We use cookies. Accept all</div>",
            "<div>Already a subscriber? Please log in</div>",
            "<div>404 page not found</div>",
            "<title>Just a moment: how the captcha began</title>",
        ] {
            check(
                &format!("{around}<article><h1>Plan agreed</h1>{text}</article>"),
                PageKind::Article,
            );
        }
        check(
            "<article><h1>Bank closes 404 branches</h1><p>The bank said on Monday that it will close 404 branches by June.</p></article>",
            PageKind::Article,
        );
        check(
            "<article><h1>Missing girl not found after three days</h1><p>The police said that the search would go on.</p></article>",
            PageKind::Article,
        );
        check(
            "<article><h1>Short</h1><p>A short note of one sentence.</p></article>",
            PageKind::Article,
        );
    }
}
