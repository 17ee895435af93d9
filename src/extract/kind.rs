//! What a page is: an article, or one of the things that servers answer with status 200 in its place.
//!
//! A wrong "this is no article" hides edits, a wrong "this is an article" stores a wall as the new text. So a page with
//! a text of its own is an article whatever else it says, and the words of a wall count only where there is little else.

use super::article::PageKind;
use super::head::Head;
use super::page::Page;
use crate::domain::state::PageState;

/// From this many words on, a page with an article's text is an article.
const ENOUGH_WORDS: usize = 120;

/// A page that shows no more words than this in all may be a notice.
const NOTICE_WORDS: usize = 250;

/// Judges a page by what it says and by what was extracted of it.
pub(super) fn of(html: &str, head: &Head, state: &PageState) -> PageKind {
    let words: usize = state.body.iter().map(|block| words(&block.text)).sum();
    if words >= ENOUGH_WORDS {
        return PageKind::Article;
    }
    let shown = Shown::of(html, head, state);
    if shown.is_bot_check() {
        PageKind::BotCheck
    } else if shown.is_not_found() {
        PageKind::Soft404
    } else if shown.is_consent() {
        PageKind::Consent
    } else if shown.is_paywall(head) {
        PageKind::Paywall
    } else if state.body.is_empty() {
        PageKind::NotArticle
    } else {
        PageKind::Article
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
        let page = Page::read(html);
        let mut text = String::new();
        for block in page.blocks.iter().take(400) {
            text.push_str(&block.block.text);
            text.push('\n');
        }
        let text = plain(&text);
        let titles = [head.title.as_deref(), state.h1.as_deref()];
        Self {
            titles: plain(&titles.into_iter().flatten().collect::<Vec<_>>().join("\n")),
            words: words(&text),
            main_words: state.body.iter().map(|block| words(&block.text)).sum(),
            text,
        }
    }

    fn says(&self, phrases: &[&str]) -> bool {
        phrases
            .iter()
            .any(|phrase| self.text.contains(phrase) || self.titles.contains(phrase))
    }

    fn is_bot_check(&self) -> bool {
        const TITLES: [&str; 8] = [
            "just a moment",
            "attention required! | cloudflare",
            "access denied",
            "are you a robot",
            "verify you are human",
            "pardon our interruption",
            "security check",
            "ddos-guard",
        ];
        const TEXTS: [&str; 14] = [
            "checking your browser",
            "verify you are human",
            "verifying you are human",
            "verify that you are not a robot",
            "verify you are not a robot",
            "i'm not a robot",
            "are you a robot",
            "unusual traffic",
            "complete the captcha",
            "enable javascript and cookies to continue",
            "needs to review the security of your connection",
            "please complete the security check",
            "performance & security by cloudflare",
            "request unsuccessful. incapsula",
        ];
        let titled = TITLES.iter().any(|title| self.titles.contains(title));
        self.words <= NOTICE_WORDS && (self.says(&TEXTS) || (titled && self.main_words < 60))
    }

    fn is_not_found(&self) -> bool {
        /// These speak of pages.
        const OF_PAGES: [&str; 20] = [
            "page not found",
            "page cannot be found",
            "page can't be found",
            "page could not be found",
            "page doesn't exist",
            "page does not exist",
            "page is no longer available",
            "article is no longer available",
            "article not found",
            "story not found",
            "content not found",
            "seite nicht gefunden",
            "page introuvable",
            "page non trouvée",
            "página no encontrada",
            "página não encontrada",
            "pagina non trovata",
            "pagina niet gevonden",
            "страница не найдена",
            "ページが見つかりません",
        ];
        /// These may be about anything: they count as a title of their own.
        const ALONE: [&str; 9] = [
            "404",
            "not found",
            "nicht gefunden",
            "non trouvé",
            "no encontrado",
            "não encontrado",
            "non trovato",
            "niet gevonden",
            "hittades inte",
        ];
        let of_pages = |text: &str| OF_PAGES.iter().any(|name| text.contains(name));
        let titled = self.titles.lines().any(|title| {
            let mut parts = title
                .split([':', '|', '·', '–', '—'])
                .flat_map(|part| part.split(" - "));
            let alone =
                parts.any(|part| words(part) <= 3 && ALONE.iter().any(|name| part.contains(name)));
            alone || (of_pages(title) && words(title) <= 12)
        });
        let told = self.words <= NOTICE_WORDS && of_pages(&self.text);
        (titled && self.main_words < 80) || (told && self.main_words < 40)
    }

    fn is_consent(&self) -> bool {
        const ASKS: [&str; 16] = [
            "we use cookies",
            "we and our partners",
            "we, and our partners",
            "before you continue",
            "your privacy choices",
            "we value your privacy",
            "we care about your privacy",
            "manage consent",
            "wir verwenden cookies",
            "wir und unsere partner",
            "nous utilisons des cookies",
            "nous et nos partenaires",
            "utilizamos cookies",
            "utilizziamo i cookie",
            "wij gebruiken cookies",
            "vi använder cookies",
        ];
        const OFFERS: [&str; 14] = [
            "accept all",
            "accept",
            "agree",
            "reject all",
            "alle akzeptieren",
            "zustimmen",
            "einwilligen",
            "tout accepter",
            "accepter",
            "aceptar",
            "aceitar",
            "accetta",
            "accepteren",
            "godkänn",
        ];
        // A banner stands over nearly every page; a wall is nearly the whole page.
        self.says(&ASKS)
            && self.says(&OFFERS)
            && self.words <= 2 * NOTICE_WORDS
            && self.about_cookies() * 3 >= self.main_words.max(1)
    }

    /// Words of the lines that are about cookies and privacy.
    fn about_cookies(&self) -> usize {
        let about = [
            "cookie",
            "privacy",
            "consent",
            "partner",
            "datenschutz",
            "confidentialité",
            "privacidad",
            "privacidade",
        ];
        self.text
            .lines()
            .filter(|line| about.iter().any(|word| line.contains(word)))
            .map(words)
            .sum()
    }

    fn is_paywall(&self, head: &Head) -> bool {
        const ASKS: [&str; 24] = [
            "subscribe to continue",
            "subscribe to read",
            "subscribe now to read",
            "to continue reading",
            "to read the full",
            "to keep reading",
            "already a subscriber",
            "this article is for subscribers",
            "this content is for subscribers",
            "for subscribers only",
            "exclusive to subscribers",
            "please log in",
            "please sign in",
            "log in to continue",
            "sign in to continue",
            "you must be logged in",
            "jetzt abonnieren",
            "bereits abonnent",
            "réservé aux abonnés",
            "déjà abonné",
            "solo para suscriptores",
            "exclusivo para assinantes",
            "riservato agli abbonati",
            "prenumerera för att läsa",
        ];
        self.says(&ASKS)
            && (self.main_words < 60 || head.claims_wall())
            && (self.words <= NOTICE_WORDS || head.claims_wall())
    }
}

/// Lower case, with plain apostrophes.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
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
