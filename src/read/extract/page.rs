//! A page in reading order: all of its blocks, each with its position and its share of links.
//!
//! This is a coarse second view in addition to the extractor's: it leaves out only what a browser does not show.

use super::clues::count_words;
use super::coverage::{self, FNV, step};
use super::fragment::{self, FragmentReader};
use super::furniture::{self, Marks};
use super::markup::{MarkupToken, Tag, Tokens};
use crate::domain::state::{Block, Link};

/// The most links of one block that are kept.
const LINKS: usize = 100;

/// All visible blocks of a page, and the elements that contain them.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The elements, outer before inner; the first one is the document.
    pub(super) elements: Vec<Element>,
    /// The blocks, in order.
    pub(super) blocks: Vec<PageBlock>,
}

/// An element that contains blocks.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that a tag shows; no two exclude one another"
)]
pub(super) struct Element {
    /// The element around it; the document is its own parent.
    pub(super) parent: usize,
    /// What its tag, class or role says about its text.
    pub(super) marks: Marks,
    /// A hash of its name and class, without digits: elements from the same template have the same hash.
    pub(super) shape: u64,
    /// Whether it says that it is the article: `article`, `main`, `itemprop="articleBody"`.
    pub(super) is_article: bool,
    /// Whether it is an `article` element.
    pub(super) is_story: bool,
    /// Whether it is an item of a list.
    pub(super) is_item: bool,
    /// Whether it may contain an article; a paragraph or a list cannot.
    pub(super) is_container: bool,
    /// Whether it contains a picture or a video, directly or in elements without text.
    pub(super) has_picture: bool,
    /// Whether it contains a control that takes input.
    pub(super) has_input: bool,
}

/// A block and its position.
#[derive(Debug)]
pub(super) struct PageBlock {
    /// The block.
    pub(super) block: Block,
    /// Its words as hashes, see [`coverage::words`].
    pub(super) words: Vec<u64>,
    /// The number of words, see [`count_words`].
    pub(super) count: usize,
    /// The innermost element that contains it.
    pub(super) element: usize,
    /// The share of its characters that are links to other pages, 0–1.
    pub(super) linked: f32,
    /// The share of its characters that are links to places in the page, 0–1.
    pub(super) anchored: f32,
    /// The share of its characters that are emphasised: bold, italic, small, 0–1.
    pub(super) emphasised: f32,
    /// The links in it, addresses as written.
    pub(super) links: Vec<Link>,
}

impl Page {
    /// Reads a page that is well nested (see [`super::sanitise`]).
    pub(super) fn read(html: &str) -> Self {
        let mut walk = PageWalk::default();
        walk.page.elements.push(Element {
            parent: 0,
            marks: Marks::default(),
            shape: 0,
            is_article: false,
            is_story: false,
            is_item: false,
            is_container: true,
            has_picture: false,
            has_input: false,
        });
        let mut tokens = Tokens::new(html);
        while let Some(token) = tokens.next() {
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
        walk.finish()
    }

    /// The elements around a block, from the innermost to the document.
    pub(super) fn around(&self, element: usize) -> impl Iterator<Item = usize> {
        let mut next = Some(element);
        std::iter::from_fn(move || {
            let at = next?;
            let parent = self.elements.get(at)?.parent;
            next = (parent != at).then_some(parent);
            Some(at)
        })
    }

    /// Whether something around the block is hidden at first.
    pub(super) fn is_hidden(&self, block: &PageBlock) -> bool {
        let mut around = self
            .around(block.element)
            .filter_map(|at| self.elements.get(at));
        around.any(|element| element.marks.hidden)
    }

    /// Whether the block is inside the element.
    pub(super) fn is_inside(&self, block: &PageBlock, element: usize) -> bool {
        self.around(block.element).any(|around| around == element)
    }
}

fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style" | "title" | "textarea" | "select")
}

#[derive(Default)]
struct PageWalk<'a> {
    page: Page,
    reader: FragmentReader,
    open: Vec<OpenBlock<'a>>,
    /// How many of them are links to other pages.
    links: usize,
    /// How many of them are links to places in the page.
    places: usize,
    /// Directly inside a link to a place in the page.
    anchor: bool,
    /// How many of them add emphasis.
    emphasis: usize,
    /// The link that is being read.
    link: Option<Link>,
    /// For the current block: characters, characters in links, and the element in which it started.
    characters: usize,
    linked: usize,
    anchored: usize,
    emphasised: usize,
    links_read: Vec<Link>,
    began: Option<usize>,
}

struct OpenBlock<'a> {
    name: &'a str,
    /// Its number, or that of the element around it if it does not contain any blocks itself.
    element: usize,
    leads_away: bool,
    leads_within: bool,
    emphasises: bool,
}

impl<'a> PageWalk<'a> {
    fn innermost(&self) -> usize {
        self.open.last().map_or(0, |open| open.element)
    }

    fn start(&mut self, tag: &Tag<'a>) {
        self.reader.start(tag);
        self.settle();
        self.note_things(tag.name);
        if is_void(tag.name) {
            return;
        }
        // A link to a place in the page itself does not lead away.
        let leads_away = tag.name == "a"
            && tag
                .attribute("href")
                .is_some_and(|address| !address.trim_start().starts_with('#'));
        self.links += usize::from(leads_away);
        if leads_away {
            self.link = tag.attribute("href").map(|address| Link {
                words: String::new(),
                address: address.trim().to_owned(),
            });
        }
        let emphasises = matches!(tag.name, "b" | "strong" | "i" | "em" | "small");
        self.emphasis += usize::from(emphasises);
        // An anchor with only a name is a target, and its text is ordinary text.
        let leads_within = tag.name == "a"
            && !leads_away
            && (tag.attribute("href").is_some()
                || (tag.attribute("name").is_none() && tag.attribute("id").is_none()));
        self.places += usize::from(leads_within);
        self.anchor = (tag.name == "a" && !leads_away) || (self.anchor && tag.name == "span");
        let parent = self.innermost();
        let marks = furniture::marks_of(tag);
        let is_article = furniture::claims_article(tag);
        // Formatting elements do not contain blocks; they are numbered only if their marks say something.
        let says = marks != Marks::default() || is_article;
        let element = if says || !is_formatting(tag.name) {
            self.page.elements.push(Element {
                parent,
                marks,
                shape: shape_of(tag),
                is_article,
                is_story: tag.name == "article",
                is_item: tag.name == "li",
                is_container: !is_part(tag.name),
                has_picture: false,
                has_input: false,
            });
            self.page.elements.len() - 1
        } else {
            parent
        };
        self.open.push(OpenBlock {
            name: tag.name,
            element,
            leads_away,
            leads_within,
            emphasises,
        });
    }

    fn end(&mut self, name: &str) {
        self.reader.end(name);
        self.settle();
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            let closed = |counts: fn(&OpenBlock) -> bool| {
                let open = self.open.iter().skip(at);
                open.filter(|open| counts(open)).count()
            };
            let (links, places) = (
                closed(|open| open.leads_away),
                closed(|open| open.leads_within),
            );
            self.emphasis = self.emphasis.saturating_sub(closed(|open| open.emphasises));
            if links > 0
                && let Some(link) = self.link.take()
                && !link.words.is_empty()
                && self.links_read.len() < LINKS
            {
                self.links_read.push(link);
            }
            self.links = self.links.saturating_sub(links);
            self.places = self.places.saturating_sub(places);
            self.open.truncate(at);
        }
    }

    fn text(&mut self, text: &str) {
        // The sign that links to a heading's own address.
        if self.anchor && matches!(text.trim(), "#" | "¶" | "§" | "🔗" | "∞") {
            return;
        }
        self.reader.text(text);
        let characters = text.chars().filter(|c| !c.is_whitespace()).count();
        if characters > 0 {
            self.began.get_or_insert(self.innermost());
            // A block that started in a small element and continues outside it belongs to the outer one.
            if let Some(began) = self.began {
                let inner = self.innermost();
                if began != inner && !self.page.around(inner).any(|around| around == began) {
                    let common = self
                        .page
                        .around(began)
                        .find(|around| self.page.around(inner).any(|other| other == *around));
                    self.began = common;
                }
            }
            self.characters += characters;
            if self.emphasis > 0 {
                self.emphasised += characters;
            }
            if let Some(link) = &mut self.link {
                let words = fragment::line(text);
                let space = !link.words.is_empty() && text.starts_with(char::is_whitespace);
                link.words.extend(space.then_some(' '));
                link.words.push_str(&words);
            }
            if self.links > 0 {
                self.linked += characters;
            } else if self.places > 0 {
                self.anchored += characters;
            }
        }
    }

    /// Notes pictures and controls for the elements that contain them.
    fn note_things(&mut self, name: &str) {
        let is_picture = matches!(name, "img" | "picture" | "video" | "audio" | "figure");
        let is_input = matches!(name, "input" | "button");
        if !is_picture && !is_input {
            return;
        }
        let mut next = Some(self.innermost());
        for _ in 0..4 {
            let Some(at) = next else { return };
            let Some(element) = self.page.elements.get_mut(at) else {
                return;
            };
            element.has_picture |= is_picture;
            element.has_input |= is_input;
            next = (element.parent != at).then_some(element.parent);
        }
    }

    /// Stores the position of the block that has just ended.
    fn settle(&mut self) {
        while self.page.blocks.len() < self.reader.blocks.len() {
            let Some(block) = self.reader.blocks.get(self.page.blocks.len()) else {
                return;
            };
            let share = |part: usize| part as f32 / self.characters.max(1) as f32;
            self.page.blocks.push(PageBlock {
                block: block.clone(),
                words: coverage::words(&block.text),
                count: count_words(&block.text),
                element: self.began.unwrap_or(0),
                linked: share(self.linked),
                anchored: share(self.anchored),
                emphasised: share(self.emphasised),
                links: std::mem::take(&mut self.links_read),
            });
            self.forget();
        }
        if self.reader.is_between_blocks() {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.began = None;
        self.characters = 0;
        self.linked = 0;
        self.anchored = 0;
        self.emphasised = 0;
        self.links_read.clear();
    }

    fn finish(mut self) -> Page {
        self.reader.flush();
        self.settle();
        self.page
    }
}

fn shape_of(tag: &Tag<'_>) -> u64 {
    let hash = |from: u64, text: &str| {
        let bytes = text.bytes().filter(|byte| !byte.is_ascii_digit());
        bytes.fold(from, |hash, byte| step(hash, u64::from(byte)))
    };
    // The digit of a heading is part of its name.
    let name = tag.name.bytes();
    let name = name.fold(FNV, |hash, byte| step(hash, u64::from(byte)));
    let class = tag.attributes().take(32).find(|(key, _)| *key == "class");
    hash(step(name, 0), class.map_or("", |(_, value)| value))
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
            | "basefont"
            | "bgsound"
            | "frame"
            | "keygen"
    )
}

/// Elements that a text consists of.
fn is_part(name: &str) -> bool {
    matches!(
        name,
        "p" | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "ul"
            | "ol"
            | "li"
            | "dl"
            | "dt"
            | "dd"
            | "blockquote"
            | "pre"
            | "table"
            | "tbody"
            | "thead"
            | "tr"
            | "figure"
            | "figcaption"
    ) || is_formatting(name)
}

fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr"
            | "b"
            | "big"
            | "cite"
            | "code"
            | "em"
            | "font"
            | "i"
            | "mark"
            | "nobr"
            | "q"
            | "s"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "tt"
            | "u"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_know_where_they_stand() {
        let page = Page::read(
            "<body><nav><a href=x>Home</a></nav><article><h1>T</h1><p>one <a href=y>two</a></p><aside><p>three</p></aside></article></body>",
        );
        let found: Vec<(&str, f32, bool, bool)> = page
            .blocks
            .iter()
            .map(|block| {
                let marked = page
                    .around(block.element)
                    .any(|at| page.elements[at].marks != Marks::default());
                let article = page
                    .around(block.element)
                    .any(|at| page.elements[at].is_article);
                (block.block.text.as_str(), block.linked, marked, article)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("Home", 1.0, true, false),
                ("T", 0.0, false, true),
                ("one two", 0.5, false, true),
                ("three", 0.0, true, true),
            ]
        );
    }
}
