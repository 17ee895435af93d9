//! A page → the same page, well nested and bounded, so that building and walking its tree is safe.
//!
//! Tree builders and extractors recurse, and HTML's rules for misnested formatting multiply elements: a page of a
//! few kilobytes can overflow the stack or take gigabytes. The copy cannot: depth, open formatting elements,
//! nested tables, elements, the sum of their depths, attributes and length are all limited. Ordinary pages lose no
//! text. Scripts, styles and comments are left out; JSON-LD stays.
//!
//! Some text is in places that a browser shows only sometimes. A shadow root and the words of a drawing are always
//! shown. `noscript`, `iframe srcdoc`, `object`, `canvas` and `noframes` contain other pages, notices and
//! advertisements beside a text; they are copied only if the page shows almost nothing without them.

mod elements;

use std::borrow::Cow;

use elements::{ENDS_PARAGRAPH, FORMATTING_NAMES, LEAF, SILENT, TABLE_PARTS, VOID};

use super::markup::{MarkupToken, Tag, Tokens};
use super::{entity, fragment};
use crate::domain::diff::is_ideograph;

/// The greatest depth of elements.
const DEPTH: usize = 256;
/// Elements that directly contain text may be a little deeper, so that text at the limit keeps its blocks.
const LEAF_DEPTH: usize = DEPTH + 32;
/// The most formatting elements (`b`, `i`, `a` …) that may be open at the same time.
const FORMATTING: usize = 32;
/// The greatest depth of nested tables.
const TABLES: usize = 8;
/// The most elements that are copied.
const ELEMENTS: usize = 40_000;
/// The greatest sum of the depths of copied elements: extractors query the ancestors of an element, and everything
/// that those contain.
const DEPTHS: usize = 1_200_000;
/// The greatest sum of the depths of the bytes of text, since every ancestor is queried for its text. Text beyond
/// it is copied at most this deep.
const TEXT_DEPTHS: usize = 64 << 20;
const SHALLOW: usize = 16;
/// The most attributes of one element, and the greatest length of one, in bytes.
const ATTRIBUTES: usize = 64;
const ATTRIBUTE_BYTES: usize = 8 * 1024;
/// The greatest length of the copy, in bytes.
const BYTES: usize = 2 << 20;
/// The same limit, for estimating how much memory a page may take.
pub const MOST_COPIED: u64 = BYTES as u64;
/// The greatest depth of nested documents.
const NESTED: usize = 2;
/// The most elements with fallback text that are read, and the most bytes of them.
const FALLBACKS: usize = 64;
const FALLBACK_BYTES: usize = 1 << 20;
/// The fewest words of a paragraph of fallback text; shorter lines are labels.
const PARAGRAPH_WORDS: usize = 8;
/// Fallback text with fewer words is a notice that scripts are needed.
const FALLBACK_WORDS: usize = 30;
/// A drawing with fewer words is an icon or a logo, one with more is a map.
const DRAWING_WORDS: std::ops::RangeInclusive<usize> = 3..=300;

/// A copy of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bounded {
    /// The copy.
    pub(super) html: String,
    /// Whether the page was longer than the part that is copied.
    pub(super) truncated: bool,
    /// The element whose fallback text was copied because the page does not show any other text.
    pub(super) fallback: Option<&'static str>,
}

/// Copies a page.
pub(super) fn copy(html: &str) -> Bounded {
    let first = Copy::of(html, false, Spent::default());
    let hidden = first
        .fallback_words
        .iter()
        .map(|(_, words)| words)
        .sum::<usize>();
    let most = first.fallback_words.iter().max_by_key(|(_, words)| *words);
    if let Some((name, _)) = most.filter(|_| hidden >= FALLBACK_WORDS)
        && paragraph_words(&first.out) * 3 <= hidden
    {
        let name = *name;
        return Copy::of(html, true, Spent::default()).finish(Some(name));
    }
    first.finish(None)
}

/// The number of words in the paragraphs of a fragment.
fn paragraph_words(html: &str) -> usize {
    let counts = fragment::blocks(html).into_iter().map(|block| {
        let ideographs = block.text.chars().filter(|c| is_ideograph(*c)).count();
        block.text.split_whitespace().count() + ideographs / 2
    });
    counts.filter(|words| *words >= PARAGRAPH_WORDS).sum()
}

/// How much of the limits is used up by the content around a document.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    bytes: usize,
    depth: usize,
    elements: usize,
    depths: usize,
    text_depths: usize,
    nested: usize,
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

struct Copy<'a> {
    html: &'a str,
    out: String,
    truncated: bool,
    /// Open elements, by their names in lower case.
    open: Vec<Cow<'a, str>>,
    /// How many of them are formatting elements.
    formatting: usize,
    used: Spent,
    /// Start tags that were left out; their end tags must be left out, too.
    refused: Vec<(Cow<'a, str>, usize)>,
    /// Where open shadow roots are in `open`.
    shadows: Vec<usize>,
    /// Whether fallback text is copied.
    fallback: bool,
    /// Words of fallback text by the element that contains them.
    fallback_words: Vec<(&'static str, usize)>,
    fallbacks: usize,
    fallback_bytes: usize,
    /// Silent elements that are never closed.
    unclosed: Vec<&'static str>,
}

impl<'a> Copy<'a> {
    fn of(html: &'a str, fallback: bool, used: Spent) -> Self {
        let mut copy = Self {
            html,
            out: String::with_capacity(html.len().min(BYTES) / 2),
            truncated: false,
            open: Vec::new(),
            formatting: 0,
            used,
            refused: Vec::new(),
            shadows: Vec::new(),
            fallback,
            fallback_words: Vec::new(),
            fallbacks: 0,
            fallback_bytes: 0,
            unclosed: Vec::new(),
        };
        copy.run();
        copy.close_to(0);
        copy
    }

    fn finish(self, fallback: Option<&'static str>) -> Bounded {
        Bounded {
            html: self.out,
            truncated: self.truncated,
            fallback,
        }
    }

    fn run(&mut self) {
        let mut tokens = Tokens::new(self.html);
        while let Some(token) = tokens.next() {
            if self.is_full() {
                self.truncated = true;
                return;
            }
            match token {
                MarkupToken::Text(text) | MarkupToken::CData(text) => self.text(text),
                MarkupToken::Start(tag) => {
                    let name = lower(tag.name);
                    match SILENT.iter().find(|silent| **silent == name) {
                        Some(_) if is_shadow_root(&tag, &name) => self.start_shadow(&tag),
                        Some(silent)
                            if !tag.self_closing || *silent == "script" || *silent == "style" =>
                        {
                            self.silent(&mut tokens, &tag, silent);
                        }
                        Some(_) => {}
                        None => self.start(&tag, name),
                    }
                }
                MarkupToken::End(name) => match lower(name) {
                    name if name == "template" => self.end_shadow(),
                    name => self.end(&name),
                },
                MarkupToken::Declaration(_)
                | MarkupToken::Comment
                | MarkupToken::Instruction(_) => {}
            }
        }
    }

    fn is_full(&self) -> bool {
        self.used.bytes + self.out.len() >= BYTES
    }

    fn depth(&self) -> usize {
        self.used.depth + self.open.len()
    }

    /// Copies a nested document as a part of the page.
    fn nested(&mut self, html: &str) {
        if self.used.nested >= NESTED || self.depth() >= DEPTH || !self.count() {
            return;
        }
        let used = Spent {
            bytes: self.used.bytes + self.out.len(),
            depth: self.depth() + 1,
            nested: self.used.nested + 1,
            ..self.used
        };
        let inner = Copy::of(html, self.fallback, used);
        self.used.elements = inner.used.elements;
        self.used.depths = inner.used.depths;
        self.used.text_depths = inner.used.text_depths;
        self.truncated |= inner.truncated;
        self.out.push_str("<div>");
        self.out.push_str(&inner.out);
        self.out.push_str("</div>");
    }

    /// A shadow root is the visible content of its element.
    fn start_shadow(&mut self, tag: &Tag<'a>) {
        let before = self.open.len();
        self.start(tag, Cow::Borrowed("div"));
        if self.open.len() > before {
            self.shadows.push(before);
        }
    }

    fn end_shadow(&mut self) {
        if let Some(at) = self.shadows.pop() {
            self.close_to(at);
        }
    }

    /// Text that a browser shows only if it cannot show something else.
    fn fallback_text(&mut self, name: &'static str, html: &str) {
        self.fallbacks += 1;
        self.fallback_bytes += html.len();
        if self.fallbacks > FALLBACKS || self.fallback_bytes > FALLBACK_BYTES {
            return;
        }
        if self.fallback {
            // A label belongs to something that is not here.
            if paragraph_words(html) > 0 {
                self.nested(html);
            }
            return;
        }
        let words = paragraph_words(html);
        if words == 0 || self.used.nested > 0 {
            return;
        }
        match self.fallback_words.iter_mut().find(|(of, _)| *of == name) {
            Some((_, sum)) => *sum += words,
            None => self.fallback_words.push((name, words)),
        }
    }

    /// The words of a drawing, as a caption if it is in a figure.
    fn drawing(&mut self, html: &'a str) {
        if self
            .open
            .iter()
            .any(|open| matches!(&**open, "a" | "button" | "nav"))
        {
            return;
        }
        let mut tokens = Tokens::new(html);
        let mut words: Vec<String> = Vec::new();
        while let Some(token) = tokens.next() {
            let MarkupToken::Start(tag) = token else {
                continue;
            };
            let inside = |tokens: &mut Tokens<'a>| tokens.raw_text(tag.name);
            if tag.self_closing {
                continue;
            }
            if tag.name.eq_ignore_ascii_case("foreignObject") {
                let inside = inside(&mut tokens);
                self.nested(inside);
            } else if tag.name.eq_ignore_ascii_case("text") {
                let line = fragment::line(inside(&mut tokens));
                if !line.is_empty() && words.len() < FALLBACKS {
                    words.push(line);
                }
            } else if ["style", "script", "title", "desc", "symbol", "defs"]
                .iter()
                .any(|silent| tag.name.eq_ignore_ascii_case(silent))
            {
                tokens.skip_past_end(tag.name);
            }
        }
        let line = words.join(" ");
        if !DRAWING_WORDS.contains(&line.split_whitespace().count())
            || !line.chars().any(char::is_alphabetic)
            || !self.count()
        {
            return;
        }
        let is_figure = self.open.iter().any(|open| open == "figure");
        let (start, end) = match is_figure {
            true => ("<figcaption>", "</figcaption>"),
            false => ("<p>", "</p>"),
        };
        self.out.push_str(start);
        self.text(&line.replace('&', "&amp;"));
        self.out.push_str(end);
    }

    fn text(&mut self, text: &str) {
        let left = BYTES.saturating_sub(self.used.bytes + self.out.len());
        let text = text.get(..text.floor_char_boundary(left)).unwrap_or(text);
        if self.used.text_depths + text.len() * self.depth() > TEXT_DEPTHS {
            self.close_to(SHALLOW);
        }
        self.used.text_depths += text.len() * self.depth();
        // Text that only looks like a tag must not become one.
        let text = entity::decode(text);
        let mut rest: &str = &text;
        while let Some(at) = rest.find(['<', '>', '&']) {
            let (before, from) = rest.split_at(at);
            self.out.push_str(before);
            // Escapes are five times as long as the characters that they replace.
            if self.is_full() {
                return;
            }
            self.out.push_str(match from.as_bytes().first() {
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                _ => "&amp;",
            });
            rest = from.get(1..).unwrap_or("");
        }
        self.out.push_str(rest);
    }

    fn silent(&mut self, tokens: &mut Tokens<'a>, tag: &Tag<'a>, name: &'static str) {
        if name == "script" {
            let inside = tokens.raw_text(name);
            let kind = tag.attribute("type").unwrap_or_default();
            if kind.trim().eq_ignore_ascii_case("application/ld+json") && inside.len() < BYTES / 4 {
                self.out.push_str("<script type=\"application/ld+json\">");
                self.out.push_str(inside);
                self.out.push_str("</script>");
            }
            return;
        }
        if name == "style" {
            tokens.raw_text(name);
            return;
        }
        if name == "iframe"
            && let Some(document) = tag.attribute("srcdoc")
        {
            self.fallback_text(name, &document);
        }
        if self.unclosed.contains(&name) {
            return;
        }
        let from = tokens.offset();
        if !tokens.skip_past_end(name) {
            self.unclosed.push(name);
            return;
        }
        let inside = self.html.get(from..tokens.offset()).unwrap_or_default();
        let inside = inside
            .rfind("</")
            .and_then(|end| inside.get(..end))
            .unwrap_or_default();
        match name {
            "svg" => self.drawing(inside),
            "object" if is_forgotten(tag) => self.nested(inside),
            "noscript" | "object" | "canvas" | "noframes" | "noembed" => {
                self.fallback_text(name, inside);
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'a>, name: Cow<'a, str>) {
        if VOID.contains(&&*name) {
            if self.count() {
                self.write_tag(tag, &name);
            }
            return;
        }
        match &*name {
            "li" => self.end_sibling(&["li"], &["ul", "ol", "menu"]),
            "dt" | "dd" => self.end_sibling(&["dt", "dd"], &["dl"]),
            "tr" => self.end_sibling(&["tr"], &["table"]),
            "td" | "th" => self.end_sibling(&["td", "th"], &["tr", "table"]),
            "option" => self.end_sibling(&["option"], &["select"]),
            _ => {}
        }
        if ENDS_PARAGRAPH.contains(&&*name) {
            self.end_sibling(
                &["p"],
                &[
                    "td", "th", "li", "div", "button", "table", "section", "article",
                ],
            );
        }
        let formatting = FORMATTING_NAMES.contains(&&*name);
        let depth = if formatting || LEAF.contains(&&*name) {
            LEAF_DEPTH
        } else {
            DEPTH
        };
        let refuse = self.depth() >= depth
            || (formatting && self.formatting >= FORMATTING)
            || self.is_table_too_deep(&name)
            || !self.count();
        if refuse {
            self.refuse(name);
            return;
        }
        self.write_tag(tag, &name);
        self.formatting += usize::from(formatting);
        self.open.push(name);
    }

    fn count(&mut self) -> bool {
        self.used.elements += 1;
        self.used.depths += self.depth();
        self.used.elements <= ELEMENTS && self.used.depths <= DEPTHS
    }

    fn is_table_too_deep(&self, name: &str) -> bool {
        if !TABLE_PARTS.contains(&name) {
            return false;
        }
        let tables = self.open.iter().filter(|open| *open == "table").count();
        let inside_refused = || {
            self.refused
                .iter()
                .any(|(refused, count)| refused == "table" && *count > 0)
        };
        tables >= TABLES && (name == "table" || inside_refused())
    }

    fn refuse(&mut self, name: Cow<'a, str>) {
        let known = self
            .refused
            .iter()
            .position(|(refused, _)| *refused == name);
        if let Some((_, count)) = known.and_then(|at| self.refused.get_mut(at)) {
            *count += 1;
        } else if self.refused.len() < 64 {
            // Pages can invent any number of names.
            self.refused.push((name, 1));
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((_, count)) = self
            .refused
            .iter_mut()
            .find(|(refused, count)| refused == name && *count > 0)
        {
            *count -= 1;
            return;
        }
        let Some(at) = self.open.iter().rposition(|open| open == name) else {
            return;
        };
        // A formatting element ends only formatting elements.
        let formatting = FORMATTING_NAMES.contains(&name);
        let inside = self.open.get(at..).unwrap_or_default();
        let all_formatting = inside
            .iter()
            .all(|open| FORMATTING_NAMES.contains(&&**open) || open == "span");
        if !formatting || all_formatting {
            self.close_to(at);
        }
    }

    /// Ends the innermost open element with one of these names, unless one of `stop` is nearer.
    fn end_sibling(&mut self, names: &[&str], stop: &[&str]) {
        let nearest = self
            .open
            .iter()
            .rposition(|open| names.contains(&&**open) || stop.contains(&&**open));
        if let Some(at) = nearest
            && self
                .open
                .get(at)
                .is_some_and(|open| names.contains(&&**open))
        {
            self.close_to(at);
        }
    }

    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            let Some(name) = self.open.pop() else { return };
            if FORMATTING_NAMES.contains(&&*name) {
                self.formatting = self.formatting.saturating_sub(1);
            }
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
        }
    }

    fn write_tag(&mut self, tag: &Tag<'_>, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in tag.attributes().take(ATTRIBUTES) {
            let plain = key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'));
            if value.len() > ATTRIBUTE_BYTES || !plain || key.starts_with("on") {
                continue;
            }
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            for part in value.split_inclusive('"') {
                let (part, quote) = part
                    .strip_suffix('"')
                    .map_or((part, ""), |part| (part, "&quot;"));
                self.out.push_str(part);
                self.out.push_str(quote);
            }
            self.out.push('"');
        }
        self.out.push('>');
    }
}

fn is_shadow_root(tag: &Tag<'_>, name: &str) -> bool {
    name == "template"
        && !tag.self_closing
        && ["shadowrootmode", "shadowroot"]
            .iter()
            .any(|mode| tag.attribute(mode).is_some())
}

/// Whether no current browser can show an object, so that everyone sees its fallback.
fn is_forgotten(tag: &Tag<'_>) -> bool {
    let named = |key: &str| tag.attribute(key).unwrap_or_default().to_ascii_lowercase();
    let (kind, data, class) = (named("type"), named("data"), named("classid"));
    let path = data.split(['?', '#']).next().unwrap_or_default();
    ["flash", "silverlight", "x-java", "director", "realaudio"]
        .iter()
        .any(|of| kind.contains(of))
        || [".swf", ".xap", ".class", ".dcr"]
            .iter()
            .any(|end| path.ends_with(end))
        || class.starts_with("clsid:")
}

#[cfg(test)]
mod tests;
