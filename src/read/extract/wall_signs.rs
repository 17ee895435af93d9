//! Signs of a wall, or of a truncated page, around a text that is still partly there.
//!
//! Nearly every page of a publisher that sells its texts says "already a subscriber?" somewhere, and nearly every
//! page asks for consent. So none of these signs means anything by itself: they count if a text has become shorter
//! and the page did not show them while the text was complete. [`Signs::new_since`] compares the two.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::head::Head;
use super::kind::PageKind;
use super::kind::{self, PHRASES};
use super::markup::{MarkupToken, Tokens};
use super::{charset, sanitise};
use crate::domain::state::Block;

/// Finds any phrase of paywalls in one pass.
static PAY_WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .build(&PHRASES.pay)
        .expect("the phrases are few and short")
});

/// Parts of the address of a page that sells access.
const WAYS: [&str; 10] = [
    "subscribe",
    "subscription",
    "subscriptions",
    "signup",
    "sign-up",
    "membership",
    "login",
    "signin",
    "upgrade",
    "abonnement",
];

/// Finds markup that may ask to pay; most texts have none, and need not be taken apart.
static PAY_MARKUP: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(WAYS.into_iter().chain(["password"]))
        .expect("the words are few and short")
});

/// What a page shows besides its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signs {
    /// The markup ends inside a tag, a script or a comment, or the document is never closed.
    breaks_off: bool,
    /// The page says that its text is not free for everyone.
    claims_wall: bool,
    /// Phrases of walls.
    phrases: Vec<(PageKind, &'static str)>,
}

/// What the page says about why a text is shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The page breaks off.
    BreaksOff,
    /// It has a wall; the kind is never [`PageKind::Article`].
    Wall(PageKind),
}

/// Finds signs on a page; arguments as for [`super::article`].
#[must_use]
pub fn signs(body: &[u8], content_type: Option<&str>) -> Signs {
    let decoded = charset::decode(body, content_type);
    let page = sanitise::copy(&decoded.text);
    let text = kind::text_of(&page.html);
    let mut phrases = Vec::new();
    for (kind, list) in [
        (PageKind::Paywall, &PHRASES.pay),
        (PageKind::Consent, &PHRASES.consent),
        (PageKind::BotCheck, &PHRASES.robot),
    ] {
        let said = list.iter().filter(|phrase| kind::has(&text, phrase));
        phrases.extend(said.map(|phrase| (kind, *phrase)));
    }
    Signs {
        breaks_off: page.truncated || breaks_off(&decoded.text),
        claims_wall: Head::read(&page.html).claims_wall(),
        phrases,
    }
}

impl Signs {
    /// The sign that the page did not show before. `before` is `None` if it is not known any more; then every sign
    /// is new.
    #[must_use]
    pub fn new_since(&self, before: Option<&Self>) -> Option<Sign> {
        if self.breaks_off && before.is_none_or(|before| !before.breaks_off) {
            return Some(Sign::BreaksOff);
        }
        let known = |sign| before.is_some_and(|before| before.phrases.contains(sign));
        if let Some((kind, _)) = self.phrases.iter().find(|sign| !known(sign)) {
            return Some(Sign::Wall(*kind));
        }
        let claimed = self.claims_wall && before.is_none_or(|before| !before.claims_wall);
        claimed.then_some(Sign::Wall(PageKind::Paywall))
    }
}

/// Whether a text in a feed asks its readers to pay, subscribe or enter a password: in a form, in words, or by the
/// target of its links. Many complete texts do so as well, so it counts only if the text did not before. `blocks` are
/// what a reader sees of `html`.
#[must_use]
pub fn asks_to_pay(html: &str, blocks: &[Block]) -> bool {
    let says = |block: &Block| PAY_WORDS.is_match(&kind::plain(&block.text));
    let offers = PAY_MARKUP.is_match(html) && Tokens::new(html).any(asks);
    offers || blocks.iter().any(says)
}

/// Whether a tag asks for a password, or links to a page that sells access.
fn asks(token: MarkupToken<'_>) -> bool {
    let MarkupToken::Start(tag) = token else {
        return false;
    };
    if tag.name.eq_ignore_ascii_case("input") {
        let kind = tag.attribute("type").unwrap_or_default();
        return kind.eq_ignore_ascii_case("password");
    }
    let target = tag
        .attribute("href")
        .filter(|_| tag.name.eq_ignore_ascii_case("a"));
    target.is_some_and(|target| {
        let path = target
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        path.split('/').any(|part| WAYS.contains(&part))
    })
}

/// Whether a document ends prematurely.
fn breaks_off(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    let last = |what: &str| html.rfind(what);
    // Anything that is opened after the last matching end is never closed.
    let open = |start: &str, end: &str| last(start).is_some_and(|at| last(end) < Some(at));
    let in_tag = last("<").is_some_and(|at| {
        let rest = html.get(at + 1..).unwrap_or_default();
        !rest.contains('>')
            && rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!".contains(c))
    });
    let never_closed = (html.contains("<html") || html.contains("<body"))
        && !html.contains("</html")
        && !html.contains("</body");
    in_tag
        || never_closed
        || open("<script", "</script")
        || open("<style", "</style")
        || open("<!--", "-->")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "<!DOCTYPE html><html><head><style>p{}</style></head><body><!-- a --><p>One &lt; two</p>\
                         <script>if (1 < 2) { f('<p>') }</script></body></html>\n";

    #[test]
    fn a_document_that_is_cut_anywhere_breaks_off() {
        assert!(!breaks_off(WHOLE));
        let end = WHOLE.find("</body").unwrap();
        for cut in (22..=end).filter(|cut| WHOLE.is_char_boundary(*cut)) {
            assert!(breaks_off(&WHOLE[..cut]), "{}", &WHOLE[..cut]);
        }
        for fragment in [
            "",
            "plain text, 3 < 4",
            "<p>One<p>Two",
            "<article><p>x</p></article>",
        ] {
            assert!(!breaks_off(fragment), "{fragment}");
        }
    }

    #[test]
    fn only_what_was_not_there_before_is_a_sign() {
        let read = |html: &str| signs(html.as_bytes(), None);
        let header = "<html><body><header>Already a subscriber? Log in</header><p>Text.</p>";
        let plain = read(&format!("{header}</body></html>"));
        let wall = read(&format!(
            "{header}<div>Subscribe to continue reading</div></body></html>"
        ));
        assert_eq!(plain.new_since(Some(&plain)), None);
        assert_eq!(
            wall.new_since(Some(&plain)),
            Some(Sign::Wall(PageKind::Paywall))
        );
        assert_eq!(plain.new_since(Some(&wall)), None);
        assert_eq!(plain.new_since(None), Some(Sign::Wall(PageKind::Paywall)));
        let cut = read(header);
        assert_eq!(cut.new_since(Some(&plain)), Some(Sign::BreaksOff));
        assert_eq!(cut.new_since(Some(&cut)), None);
        let consent = read("<html><body>Wir verwenden Cookies<p>Text.</p></body></html>");
        assert_eq!(
            consent.new_since(Some(&plain)),
            Some(Sign::Wall(PageKind::Consent))
        );
    }
}
