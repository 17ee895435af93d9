//! The visible content of a page, line by line: the text, where it is, and how much of the page is given to other
//! stories.
//!
//! This reads tags and counts words; [`super`] judges what the words say.

use crate::extract::kind::{plain, words};
use crate::extract::markup::{MarkupToken, Tag, Tokens};
use crate::extract::{entity, fragment};

/// The most lines that are read of a page.
const LINES: usize = 400;
/// A copyright notice has at most this many words.
const COPYRIGHT_WORDS: usize = 30;
/// Text that only a class marks as a footer or menu has at most this many words.
const MARKED_WORDS: usize = 60;

/// One visible line.
#[derive(Debug)]
pub(super) struct VisibleLine {
    /// In lower case, with plain apostrophes.
    pub(super) text: String,
    pub(super) words: usize,
    /// In a menu, or in the footer or header of the page.
    pub(super) in_chrome: bool,
    /// In an element that claims to be the article or the main part.
    pub(super) in_article: bool,
}

/// The visible content of a page.
#[derive(Debug, Default)]
pub(super) struct ShownPage {
    pub(super) lines: Vec<VisibleLine>,
    /// Headings below the first rank, and how many of them are links.
    headings: usize,
    linked_headings: usize,
}

impl ShownPage {
    /// Reads a page that is well nested (see [`crate::extract::sanitise`]).
    pub(super) fn of(html: &str) -> Self {
        let mut walk = LineWalk::default();
        let mut tokens = Tokens::new(html);
        while let Some(token) = tokens.next() {
            if walk.shown.lines.len() >= LINES {
                break;
            }
            match token {
                MarkupToken::Start(tag) if is_raw(tag.name) => {
                    tokens.raw_text(tag.name);
                }
                MarkupToken::Start(tag) => walk.start(&tag),
                MarkupToken::End(name) => walk.end(name),
                MarkupToken::Text(text) => walk.text(text),
                _ => {}
            }
        }
        walk.end_line();
        walk.finish()
    }

    /// Lines outside menus, headers and footers.
    pub(super) fn content(&self) -> impl Iterator<Item = &VisibleLine> {
        self.lines.iter().filter(|line| !line.in_chrome)
    }

    /// Words of all lines.
    pub(super) fn words(&self) -> usize {
        self.lines.iter().map(|line| line.words).sum()
    }

    /// Words outside menus, headers and footers.
    pub(super) fn content_words(&self) -> usize {
        self.content().map(|line| line.words).sum()
    }

    /// Whether the page is a list of other stories: a front page, a section.
    pub(super) fn is_listing(&self) -> bool {
        self.linked_headings >= 3 && self.linked_headings * 2 >= self.headings
    }

    /// Whether a text is a line of the chrome, and only of the chrome.
    pub(super) fn is_chrome(&self, text: &str) -> bool {
        let text = plain(&fragment::plain_line(text));
        let mut found = self
            .lines
            .iter()
            .filter(|line| line.text.contains(&text))
            .peekable();
        found.peek().is_some() && found.all(|line| line.in_chrome)
    }
}

#[derive(Debug, Default)]
struct LineWalk<'a> {
    shown: ShownPage,
    open: Vec<OpenBox<'a>>,
    line: String,
    /// The number of characters in the line, and in its links.
    characters: usize,
    linked: usize,
    /// Lines that only a class marks as chrome.
    marked: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of the elements around a line"
)]
struct OpenBox<'a> {
    name: &'a str,
    chrome: bool,
    marked: bool,
    article: bool,
    link: bool,
    heading: bool,
}

impl<'a> LineWalk<'a> {
    fn start(&mut self, tag: &Tag<'a>) {
        if !is_inline(tag.name) {
            self.end_line();
        }
        if is_void(tag.name) {
            return;
        }
        let around = self.open.last().copied().unwrap_or(OpenBox {
            name: "",
            chrome: false,
            marked: false,
            article: false,
            link: false,
            heading: false,
        });
        let role = tag.attribute("role").unwrap_or_default();
        let article = around.article
            || matches!(tag.name, "article" | "main")
            || role == "main"
            || tag
                .attribute("itemprop")
                .is_some_and(|is| is == "articleBody");
        let chrome = around.chrome
            || tag.name == "nav"
            || role == "navigation"
            || (!article
                && (matches!(tag.name, "header" | "footer")
                    || matches!(&*role, "banner" | "contentinfo")));
        self.open.push(OpenBox {
            name: tag.name,
            chrome,
            marked: around.marked || (!article && is_marked(tag)),
            article,
            link: around.link || tag.name == "a",
            heading: around.heading || matches!(tag.name, "h2" | "h3" | "h4" | "h5"),
        });
    }

    fn end(&mut self, name: &str) {
        if !is_inline(name) {
            self.end_line();
        }
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            self.open.truncate(at);
        }
    }

    fn text(&mut self, text: &str) {
        let text = entity::decode(text);
        let characters = text.chars().filter(|c| !c.is_whitespace()).count();
        self.characters += characters;
        if self.open.last().is_some_and(|open| open.link) {
            self.linked += characters;
        }
        self.line.push_str(&text);
    }

    fn end_line(&mut self) {
        let text = plain(&fragment::plain_line(&std::mem::take(&mut self.line)));
        let linked = self.linked * 10 >= self.characters * 9;
        (self.characters, self.linked) = (0, 0);
        if text.is_empty() {
            return;
        }
        let open = self.open.last();
        if open.is_some_and(|open| open.heading) {
            self.shown.headings += 1;
            self.shown.linked_headings += usize::from(linked);
        }
        let words = words(&text);
        let chrome = open.is_some_and(|open| open.chrome);
        if !chrome && open.is_some_and(|open| open.marked) {
            self.marked.push(self.shown.lines.len());
        }
        self.shown.lines.push(VisibleLine {
            in_chrome: chrome || (words <= COPYRIGHT_WORDS && is_copyright(&text)),
            in_article: open.is_some_and(|open| open.article),
            words,
            text,
        });
    }

    /// A class is weak evidence: it counts only for a short text.
    fn finish(mut self) -> ShownPage {
        let lines = &mut self.shown.lines;
        let count = |at: &usize| lines.get(*at).map_or(0, |line| line.words);
        if self.marked.iter().map(count).sum::<usize>() <= MARKED_WORDS {
            for at in self.marked {
                if let Some(line) = lines.get_mut(at) {
                    line.in_chrome = true;
                }
            }
        }
        self.shown
    }
}

/// Whether a class or an id contains a word for a footer or a menu.
fn is_marked(tag: &Tag<'_>) -> bool {
    ["class", "id"].iter().any(|key| {
        tag.attribute(key).is_some_and(|value| {
            value
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| matches!(word, "footer" | "nav" | "navbar" | "navigation" | "menu"))
        })
    })
}

/// `© 2026 The Courier`, in any language.
fn is_copyright(text: &str) -> bool {
    let year = |rest: &str| {
        let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        let gap = rest.len() - digits.len();
        gap <= 40 && digits.bytes().take_while(u8::is_ascii_digit).count() == 4
    };
    ["©", "(c)", "copyright"].iter().any(|sign| {
        text.split_once(sign)
            .is_some_and(|(before, after)| before.len() <= 60 && (year(after) || year(before)))
    })
}

fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style" | "title" | "textarea" | "select")
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
            | "param"
    )
}

fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr"
            | "b"
            | "bdi"
            | "bdo"
            | "cite"
            | "code"
            | "del"
            | "em"
            | "font"
            | "i"
            | "img"
            | "ins"
            | "kbd"
            | "mark"
            | "q"
            | "s"
            | "small"
            | "span"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "u"
            | "var"
            | "wbr"
    )
}
