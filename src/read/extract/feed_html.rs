//! The text in a feed → blocks, with those marked that are not part of the article.
//!
//! A feed contains the article and nothing around it, so there is nothing to find. But publishers put boxes
//! between the paragraphs: advertisements, newsletters, share bars, links to other articles. Such a block is
//! stored as published and gets the kind [`BlockKind::Furniture`], which is never compared.
//!
//! More is kept than on a page. Captions, credits and dates count, since a feed may consist of them. A class name
//! alone rarely makes a block furniture: many publishers call the first paragraph of an article `teaser`.

use super::fragment::{self, FragmentReader};
use super::furniture::{self, IgnoreRule, Mark};
use super::markup::{MarkupToken, Tag, Tokens};
use url::Url;

use crate::domain::assess::is_notice;
use crate::domain::state::{Block, BlockKind, Link};

/// The most open elements that are remembered. Deeper elements inherit the marks of those around them.
const OPEN_LIMIT: usize = 128;

/// The most links of one text that are kept.
const LINKS_LIMIT: usize = 500;

/// The most marked elements that are remembered in one text.
const MARKED_LIMIT: usize = 10_000;

/// The blocks of a fragment of HTML.
#[must_use]
pub fn blocks(html: &str) -> Vec<Block> {
    if !may_hold_furniture(html) {
        return by_text(fragment::blocks(html));
    }
    let mut walk = TagWalk::default();
    let mut tokens = Tokens::new(html);
    let mut hidden = fragment::Hidden::default();
    while let Some(token) = tokens.next() {
        match token {
            MarkupToken::Text(text) | MarkupToken::CData(text) => walk.text(text),
            MarkupToken::Start(tag) => {
                walk.start(&tag);
                hidden.skip(&mut tokens, &tag);
            }
            MarkupToken::End(name) => walk.end(name),
            _ => {}
        }
    }
    walk.finish()
}

/// The links in a fragment of HTML, in order, each with its words. Addresses are joined to `base`.
#[must_use]
pub fn links(html: &str, base: Option<&Url>) -> Vec<Link> {
    if !(html.contains("<a") || html.contains("<A")) {
        return Vec::new();
    }
    let mut links = Vec::new();
    let mut open: Option<(String, usize)> = None;
    let mut tokens = Tokens::new(html);
    loop {
        let from = tokens.offset();
        let token = tokens.next();
        let is_link = |name: &str| name.eq_ignore_ascii_case("a");
        let begins = matches!(&token, Some(MarkupToken::Start(tag)) if is_link(tag.name));
        let ends = begins || matches!(&token, None | Some(MarkupToken::End("a" | "A")));
        if ends && let Some((address, at)) = open.take() {
            let words = fragment::line(html.get(at..from).unwrap_or_default());
            if !words.is_empty() && links.len() < LINKS_LIMIT {
                links.push(Link { words, address });
            }
        }
        match token {
            None => return links,
            Some(MarkupToken::Start(tag)) if begins => {
                let address = tag.attribute("href");
                let address = address.and_then(|address| leads_to(&address, base));
                open = address.map(|address| (address, tokens.offset()));
            }
            Some(_) => {}
        }
    }
}

/// The target of a link, if it is another document.
fn leads_to(address: &str, base: Option<&Url>) -> Option<String> {
    let address = address.trim();
    if address.is_empty() || address.starts_with('#') {
        return None;
    }
    match Url::parse(address) {
        Ok(url) => matches!(url.scheme(), "http" | "https" | "ftp" | "gemini").then(|| url.into()),
        Err(_) => match base {
            Some(base) => base.join(address).ok().map(Into::into),
            None => Some(address.to_owned()),
        },
    }
}

/// Blocks without markup: only their own words can show that they are furniture.
#[must_use]
pub fn plain_blocks(text: &str) -> Vec<Block> {
    by_text(fragment::plain_blocks(text))
}

fn by_text(mut blocks: Vec<Block>) -> Vec<Block> {
    let furniture: Vec<bool> = blocks
        .iter()
        .map(|block| says_furniture(block, 0.0))
        .collect();
    mark(&mut blocks, &furniture);
    blocks
}

/// Whether elements may say something about their text. Most fragments are only plain paragraphs with links.
fn may_hold_furniture(html: &str) -> bool {
    const HINTS: [&str; 8] = [
        "<a", "<A", "class", "CLASS", "role", "style", "<nav", "hidden",
    ];
    html.contains('<') && HINTS.iter().any(|hint| html.contains(hint))
}

/// A text that consists only of furniture is the text of its entry.
fn mark(blocks: &mut [Block], furniture: &[bool]) {
    if furniture.iter().all(|furniture| *furniture) {
        return;
    }
    for (block, furniture) in blocks.iter_mut().zip(furniture) {
        if *furniture {
            block.kind = BlockKind::Furniture;
        }
    }
}

/// Whether a block's own words show that it is not part of the article.
fn says_furniture(block: &Block, linked: f32) -> bool {
    matches!(
        furniture::rule_of(block, linked),
        Some(
            IgnoreRule::Advertisement
                | IgnoreRule::RelatedLink
                | IgnoreRule::Newsletter
                | IgnoreRule::Share
                | IgnoreRule::Clock
                | IgnoreRule::Position
                | IgnoreRule::Weather
                | IgnoreRule::Contact
                | IgnoreRule::Tags
        )
    )
}

/// An element that says something about its text.
struct Marked {
    mark: Mark,
    /// The marked element around it.
    parent: Option<usize>,
    /// Bytes of text inside.
    bytes: usize,
}

struct OpenTag<'a> {
    name: &'a str,
    /// The innermost marked element, this one included.
    marked: Option<usize>,
    leads_away: bool,
    /// Whether its name says that it contains a count.
    counts: bool,
}

/// The position of a block, and how much of it is links.
#[derive(Clone, Copy, Default)]
struct Standing {
    /// The innermost marked element that contains all of it.
    marked: Option<usize>,
    bytes: usize,
    linked: usize,
    counted: usize,
}

#[derive(Default)]
struct TagWalk<'a> {
    reader: FragmentReader,
    open: Vec<OpenTag<'a>>,
    marked: Vec<Marked>,
    links: usize,
    current: Standing,
    standings: Vec<Standing>,
}

impl<'a> TagWalk<'a> {
    fn start(&mut self, tag: &Tag<'a>) {
        self.reader.start(tag);
        self.settle();
        if tag.self_closing || is_void(tag.name) || self.open.len() >= OPEN_LIMIT {
            return;
        }
        let parent = self.open.last().and_then(|open| open.marked);
        let mut marked = parent;
        if let Some(mark) = furniture::mark_of(tag).filter(|mark| says_enough(*mark))
            && self.marked.len() < MARKED_LIMIT
        {
            self.marked.push(Marked {
                mark,
                parent,
                bytes: 0,
            });
            marked = Some(self.marked.len() - 1);
        }
        let leads_away = tag.name.eq_ignore_ascii_case("a") && tag.attribute("href").is_some();
        self.links += usize::from(leads_away);
        self.open.push(OpenTag {
            name: tag.name,
            marked,
            leads_away,
            counts: furniture::holds_a_count(tag),
        });
    }

    fn end(&mut self, name: &str) {
        self.reader.end(name);
        self.settle();
        let at = self
            .open
            .iter()
            .rposition(|open| open.name.eq_ignore_ascii_case(name));
        if let Some(at) = at {
            for open in self.open.drain(at..) {
                self.links = self.links.saturating_sub(usize::from(open.leads_away));
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.reader.text(text);
        let bytes = text.trim().len();
        if bytes == 0 {
            return;
        }
        let marked = self.open.last().and_then(|open| open.marked);
        let mut next = marked;
        while let Some(element) = next.and_then(|at| self.marked.get_mut(at)) {
            element.bytes += bytes;
            next = element.parent;
        }
        self.current.marked = if self.current.bytes == 0 {
            marked
        } else {
            self.common(self.current.marked, marked)
        };
        self.current.bytes += bytes;
        if self.links > 0 {
            self.current.linked += bytes;
        }
        if self.open.iter().any(|open| open.counts) {
            self.current.counted += bytes;
        }
    }

    /// The innermost marked element around both.
    fn common(&self, one: Option<usize>, other: Option<usize>) -> Option<usize> {
        self.around(one)
            .find(|at| self.around(other).any(|around| around == *at))
    }

    fn around(&self, element: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(element, |at| self.marked.get(*at)?.parent)
    }

    /// Stores the position of the block that has just ended.
    fn settle(&mut self) {
        if self.standings.len() < self.reader.blocks.len() {
            self.standings
                .resize(self.reader.blocks.len(), self.current);
        }
        if self.reader.is_between_blocks() {
            self.current = Standing::default();
        }
    }

    fn finish(mut self) -> Vec<Block> {
        self.reader.flush();
        self.settle();
        let mut blocks = std::mem::take(&mut self.reader.blocks);
        let total: usize = self.standings.iter().map(|standing| standing.bytes).sum();
        let furniture: Vec<bool> = blocks
            .iter()
            .zip(&self.standings)
            .map(|(block, standing)| {
                let linked = standing.linked as f32 / standing.bytes.max(1) as f32;
                let is_count = standing.counted == standing.bytes && is_number(&block.text);
                says_furniture(block, linked)
                    || is_count
                    || self.around(standing.marked).any(|at| {
                        self.marked.get(at).is_some_and(|element| {
                            let share = element.bytes as f32 / total.max(1) as f32;
                            is_furniture(element.mark, share, block, linked)
                        })
                    })
            })
            .collect();
        let furniture = with_their_lists(&blocks, furniture);
        mark(&mut blocks, &furniture);
        blocks
    }
}

/// Extends a heading that is furniture to the blocks up to the next heading, if those are a list of titles without
/// prose.
fn with_their_lists(blocks: &[Block], mut furniture: Vec<bool>) -> Vec<bool> {
    let mut from = 0;
    for section in blocks.chunk_by(|_, next| next.kind != BlockKind::Heading) {
        let to = from + section.len();
        let is_headed = section[0].kind == BlockKind::Heading && furniture[from];
        let says_little = |block: &Block| {
            let words = block.text.split_whitespace().count();
            words <= 12 && !furniture::ends_as_sentence(&block.text) && !is_notice(&block.text)
        };
        if is_headed && section[1..].iter().all(says_little) {
            furniture[from..to].fill(true);
        }
        from = to;
    }
    furniture
}

/// `12`, `1,204`, `1.2K`
fn is_number(text: &str) -> bool {
    text.chars().any(char::is_numeric)
        && text.chars().all(|c| {
            c.is_numeric()
                || c.is_whitespace()
                || matches!(c, '.' | ',' | '+' | 'k' | 'K' | 'm' | 'M')
        })
}

/// Whether a mark is enough to treat a text in a feed as not part of the article.
fn says_enough(mark: Mark) -> bool {
    !matches!(
        mark,
        Mark::Aside | Mark::Control | Mark::Caption | Mark::Meta
    )
}

/// Whether a block inside a marked element is furniture. `share` is the element's share of the whole text: if it
/// is large, the mark means something else.
fn is_furniture(mark: Mark, share: f32, block: &Block, linked: f32) -> bool {
    let words = block.text.split_whitespace().count();
    let small = match mark {
        Mark::Hidden => 0.8,
        Mark::Advertisement => 0.5,
        _ => 0.3,
    };
    share < small
        && !is_notice(&block.text)
        && match mark {
            Mark::Hidden => true,
            Mark::Advertisement => words <= 80,
            Mark::Newsletter => words <= 60,
            Mark::Share | Mark::Comments => linked >= 0.5 || words <= 12,
            Mark::Navigation | Mark::Related => linked >= 0.5,
            Mark::Aside | Mark::Control | Mark::Caption | Mark::Meta => false,
        }
}

fn is_void(name: &str) -> bool {
    const VOID: [&str; 12] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr",
    ];
    VOID.iter().any(|void| name.eq_ignore_ascii_case(void))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "<p>The council met on Monday and heard the report of the harbour master in full.</p>\
        <p>It will decide on the bridge in May, after a second reading of the plan by its committee.</p>";

    /// The texts of the blocks that are marked as furniture.
    fn furniture_of(html: &str) -> Vec<String> {
        blocks(html)
            .into_iter()
            .filter(|block| block.kind == BlockKind::Furniture)
            .map(|block| block.text)
            .collect()
    }

    #[test]
    fn boxes_between_the_paragraphs_are_told_apart() {
        for (html, text) in [
            (
                "<div class=\"ad advert\"><a rel=\"sponsored\" href=\"x\">Save 9 percent on insurance</a></div>",
                "Save 9 percent on insurance",
            ),
            (
                "<p><a rel='nofollow sponsored' href='x'>Save 9 percent</a></p>",
                "Save 9 percent",
            ),
            (
                "<p>Advertisement: save 9 percent</p>",
                "Advertisement: save 9 percent",
            ),
            (
                "<div class=newsletter-box><p>Our best stories, every morning.</p></div>",
                "Our best stories, every morning.",
            ),
            (
                "<div class=related-links><p><a href=x>The other story</a></p></div>",
                "The other story",
            ),
            (
                "<p>Read more: <a href=x>the other story</a></p>",
                "Read more: the other story",
            ),
            (
                "<ul class=share><li><a href=x>Share on X</a></li></ul>",
                "Share on X",
            ),
            ("<p style='display: none'>not shown</p>", "not shown"),
            ("<p>12 comments</p>", "12 comments"),
            (
                "<div class='wp-votes'><span class='count-box'>102</span></div>",
                "102",
            ),
        ] {
            assert_eq!(furniture_of(&format!("{TEXT}{html}")), [text], "{html}");
        }
    }

    #[test]
    fn links_are_kept_with_their_words() {
        let base = Url::parse("https://news.example/a/").unwrap();
        let html = "<p>Get <a href='https://dl.example/b?x=1&amp;y=2'>our <b>build</b></a>, <a href=next>the \
                    next</a>, <a name=here>here</a> or <a href='mailto:a@b.example'>write</a> <a href=/open>on";
        let found: Vec<(String, String)> = links(html, Some(&base))
            .into_iter()
            .map(|link| (link.words, link.address))
            .collect();
        let link = |words: &str, address: &str| (words.to_owned(), address.to_owned());
        assert_eq!(
            found,
            [
                link("our build", "https://dl.example/b?x=1&y=2"),
                link("the next", "https://news.example/a/next"),
                link("on", "https://news.example/open"),
            ]
        );
    }

    #[test]
    fn titles_below_a_heading_of_other_articles_go_with_it() {
        let html = format!(
            "{TEXT}<div class='related'><h3>Related</h3></div><p>The other story</p><p>One more of them</p>\
             <h3>What comes next</h3><p>A vote in May</p>"
        );
        assert_eq!(
            furniture_of(&html),
            ["Related", "The other story", "One more of them"]
        );
        let prose = format!("{TEXT}<h3>Related</h3><p>The other story was told in June.</p>");
        assert_eq!(furniture_of(&prose), ["Related"]);
        for text in [
            "<ul><li>102</li></ul>",
            "<p class=count>102 people were hurt</p>",
        ] {
            assert_eq!(furniture_of(&format!("{TEXT}{text}")), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_the_article_says_counts_whatever_it_is_called() {
        for html in [
            "<p class=teaser>The council will decide on the bridge in May.</p>",
            "<figure><figcaption>The harbour in May. Photograph: Ann Bell</figcaption></figure>",
            "<p>12 March 2026</p>",
            "<div class=ad><p>Correction: an earlier version misstated the date.</p></div>",
            "<aside>The bridge was built in 1932.</aside>",
            "<div class=related><p>A related case was heard in June, and nothing came of it.</p></div>",
            "<p>Save the date, <a href=x rel=sponsored>they said</a>, and come.</p>",
            "<blockquote class=social-embed><p>We will not be moved by any of this, whatever they may say of us \
             in the papers tomorrow.</p></blockquote>",
        ] {
            assert_eq!(furniture_of(&format!("{TEXT}{html}")), [""; 0], "{html}");
        }
    }

    #[test]
    fn a_text_that_is_furniture_as_a_whole_counts() {
        assert_eq!(
            furniture_of("<div class=ad><p>All there is.</p></div>"),
            [""; 0]
        );
        assert_eq!(furniture_of("<p>Advertisement</p>"), [""; 0]);
        let most = format!("<div class=newsletter>{TEXT}</div><p>More.</p>");
        assert_eq!(furniture_of(&most), [""; 0]);
    }

    #[test]
    fn deep_and_broken_markup_costs_no_more_than_its_length() {
        let html = "<div class=ad>x<p>".repeat(50_000);
        assert!(!blocks(&html).is_empty());
    }

    proptest! {
        #[test]
        fn the_texts_are_those_of_the_fragment(html in "(<p>|</p>|<div class=ad>|</div>|<li>|<br>|<a href=x>|</a>|a|b| |<|>){0,40}") {
            let texts = |blocks: Vec<Block>| blocks.into_iter().map(|block| block.text).collect::<Vec<_>>();
            prop_assert_eq!(texts(blocks(&html)), texts(fragment::blocks(&html)));
        }
    }
}
