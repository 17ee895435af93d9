//! A page → the same page, well nested and bounded, so that building and walking its tree is safe.
//!
//! Tree builders and extractors recurse, and HTML's rules for misnested formatting multiply elements: a page of some
//! kilobytes can overflow the stack or take gigabytes. What is copied here cannot: depth, open formatting elements,
//! nested tables, elements, the sum of their depths, attributes and length are all limited. Of ordinary pages nothing
//! that is text is lost. Scripts, styles, drawings and comments are left out; JSON-LD stays.

use std::borrow::Cow;

use super::entity;
use super::markup::{Tag, Token, Tokens};

/// Elements may be nested this deep …
const DEPTH: usize = 256;
/// … and those that directly hold text a little deeper, so that text at the limit keeps its blocks.
const LEAF_DEPTH: usize = DEPTH + 32;
/// Formatting elements (`b`, `i`, `a` …) that may be open at once.
const FORMATTING: usize = 32;
/// Tables that may be nested.
const TABLES: usize = 8;
/// Elements that are copied.
const ELEMENTS: usize = 40_000;
/// The sum of the depths of those that are copied: extractors ask an element for its ancestors, and ancestors for all
/// that they hold.
const DEPTHS: usize = 1_200_000;
/// The sum of the depths of the bytes of text, since every ancestor is asked for its text; text beyond it is copied at
/// most this deep.
const TEXT_DEPTHS: usize = 64 << 20;
const SHALLOW: usize = 16;
/// Attributes of one element, and the length of one, in bytes.
const ATTRIBUTES: usize = 64;
const ATTRIBUTE_BYTES: usize = 8 * 1024;
/// The length of the copy, in bytes.
const BYTES: usize = 2 << 20;

/// A copy of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bounded {
    /// The copy.
    pub(super) html: String,
    /// Whether the page was longer than what is copied of one.
    pub(super) truncated: bool,
}

/// Copies a page.
pub(super) fn copy(html: &str) -> Bounded {
    let mut copy = Copy {
        out: String::with_capacity(html.len().min(BYTES) / 2),
        open: Vec::new(),
        formatting: 0,
        elements: 0,
        depths: 0,
        text_depths: 0,
        refused: Vec::new(),
    };
    let mut tokens = Tokens::new(html);
    let mut unclosed: Vec<&'static str> = Vec::new();
    let mut truncated = false;
    while let Some(token) = tokens.next() {
        if copy.out.len() >= BYTES {
            truncated = true;
            break;
        }
        match token {
            Token::Text(text) | Token::CData(text) => copy.text(text),
            Token::Start(tag) => {
                let name = lower(tag.name);
                match SILENT.iter().find(|silent| **silent == name) {
                    Some(silent)
                        if !tag.self_closing || *silent == "script" || *silent == "style" =>
                    {
                        copy.silent(&mut tokens, &tag, silent, &mut unclosed);
                    }
                    Some(_) => {}
                    None => copy.start(&tag, name),
                }
            }
            Token::End(name) => copy.end(&lower(name)),
            Token::Declaration(_) | Token::Comment | Token::Instruction(_) => {}
        }
    }
    copy.close_to(0);
    Bounded {
        html: copy.out,
        truncated,
    }
}

/// Elements that show no text; they are left out with what they hold.
const SILENT: [&str; 10] = [
    "script", "style", "noscript", "template", "svg", "iframe", "noembed", "noframes", "canvas",
    "object",
];

const FORMATTING_NAMES: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

const VOID: [&str; 18] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr", "param", "basefont", "bgsound", "frame", "keygen",
];

/// Elements that end an open paragraph.
const ENDS_PARAGRAPH: [&str; 31] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
];

/// Elements that directly hold text.
const LEAF: [&str; 11] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "li",
    "pre",
    "figcaption",
];

const TABLE_PARTS: [&str; 6] = ["table", "tbody", "thead", "tr", "td", "th"];

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

struct Copy<'a> {
    out: String,
    /// Open elements, by their names in lower case.
    open: Vec<Cow<'a, str>>,
    /// How many of them are formatting elements.
    formatting: usize,
    elements: usize,
    depths: usize,
    text_depths: usize,
    /// Start tags that were left out, whose end tags must be left out, too.
    refused: Vec<(Cow<'a, str>, usize)>,
}

impl<'a> Copy<'a> {
    fn text(&mut self, text: &str) {
        let left = BYTES.saturating_sub(self.out.len());
        let text = text.get(..text.floor_char_boundary(left)).unwrap_or(text);
        if self.text_depths + text.len() * self.open.len() > TEXT_DEPTHS {
            self.close_to(SHALLOW);
        }
        self.text_depths += text.len() * self.open.len();
        // What looks like a tag and is none must not become one.
        let text = entity::decode(text);
        let mut rest: &str = &text;
        while let Some(at) = rest.find(['<', '>', '&']) {
            let (before, from) = rest.split_at(at);
            self.out.push_str(before);
            // Escapes are five times as long as what they stand for.
            if self.out.len() >= BYTES {
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

    fn silent(
        &mut self,
        tokens: &mut Tokens<'a>,
        tag: &Tag<'a>,
        name: &'static str,
        unclosed: &mut Vec<&'static str>,
    ) {
        if name == "script" {
            let inside = tokens.raw_text(name);
            let kind = tag.attribute("type").unwrap_or_default();
            if kind.trim().eq_ignore_ascii_case("application/ld+json") && inside.len() < BYTES / 4 {
                self.out.push_str("<script type=\"application/ld+json\">");
                self.out.push_str(inside);
                self.out.push_str("</script>");
            }
        } else if name == "style" {
            tokens.raw_text(name);
        } else if !unclosed.contains(&name) && !tokens.skip_past_end(name) {
            unclosed.push(name);
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
        let refuse = self.open.len() >= depth
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
        self.elements += 1;
        self.depths += self.open.len();
        self.elements <= ELEMENTS && self.depths <= DEPTHS
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
            // Names are the page's own invention; there may be no end of them.
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
        // A formatting element ends only what is formatting itself.
        let formatting = FORMATTING_NAMES.contains(&name);
        let inside = self.open.get(at..).unwrap_or_default();
        let all_formatting = inside
            .iter()
            .all(|open| FORMATTING_NAMES.contains(&&**open) || open == "span");
        if !formatting || all_formatting {
            self.close_to(at);
        }
    }

    /// Ends the innermost open element of these names, unless one of `stop` is nearer.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::fragment;

    #[test]
    fn ordinary_markup_stays() {
        let html = "<html lang=\"en\"><body class=\"a\"><p>x <b>y</b> &amp; z</p><ul><li>1</li></ul></body></html>";
        assert_eq!(copy(html).html, html);
    }

    #[test]
    fn misnested_markup_is_nested() {
        assert_eq!(
            copy("<div><p>a<p>b<b><i>c</b>d</div>e<LI>1<li>2").html,
            "<div><p>a</p><p>b<b><i>c</i></b>d</p></div>e<li>1</li><li>2</li>"
        );
    }

    #[test]
    fn what_shows_no_text_is_left_out() {
        let html = "<script>a</script><style>b</style><script type='application/ld+json'>{\"a\":\"<p>\"}</script><!-- c -->x<svg><text>y</text></svg>";
        assert_eq!(
            copy(html).html,
            "<script type=\"application/ld+json\">{\"a\":\"<p>\"}</script>x"
        );
    }

    #[test]
    fn every_limit_holds() {
        let depth = |html: &str| {
            let (mut depth, mut most) = (0i64, 0);
            for token in Tokens::new(html) {
                match token {
                    Token::Start(tag) if !VOID.contains(&tag.name) => depth += 1,
                    Token::End(_) => depth -= 1,
                    _ => {}
                }
                most = most.max(depth);
            }
            assert_eq!(depth, 0, "every element is closed");
            most
        };
        assert!(depth(&copy(&"<div>".repeat(200_000)).html) <= 256);
        assert!(depth(&copy(&"<a><b><i>".repeat(30_000)).html) <= 32);
        assert!(depth(&copy(&"<table><tr><td>".repeat(10_000)).html) <= 8 * 3);
        assert!(depth(&copy(&"<p><b id=x><font>".repeat(20_000)).html) <= 300);
        let long = copy(&"<p>text</p>".repeat(500_000));
        assert!(long.truncated && long.html.len() < BYTES + 100);
        assert!(copy(&"<br>".repeat(100_000)).html.len() <= ELEMENTS * 4);
    }

    #[test]
    fn many_deep_elements_are_bounded_as_well() {
        let depths = |html: &str| {
            let (mut depth, mut sum) = (0_usize, 0);
            for token in Tokens::new(html) {
                match token {
                    Token::Start(_) => {
                        sum += depth;
                        depth += 1;
                    }
                    Token::End(_) => depth -= 1,
                    _ => {}
                }
            }
            sum
        };
        let figures = "<figure><figcaption>a</figcaption><p>b".repeat(30_000);
        let lists = "<ul><li>a".repeat(30_000);
        let paragraphs = format!("{}{}", "<div>".repeat(250), "<p>a".repeat(30_000));
        for html in [figures, lists, paragraphs] {
            let copied = copy(&html).html;
            assert!(depths(&copied) <= DEPTHS, "{}", depths(&copied));
            let letters = |html: &str| fragment::line(html).matches(['a', 'b']).count();
            assert_eq!(letters(&copied), letters(&html), "no text is lost");
        }
    }

    #[test]
    fn long_text_deep_down_is_brought_up() {
        let deep = "<div>".repeat(200);
        for text in ["word <br>".repeat(100_000), "word ".repeat(400_000)] {
            let (mut depth, mut sum, mut words) = (0_usize, 0, 0);
            for token in Tokens::new(&copy(&format!("{deep}{text}")).html) {
                match token {
                    Token::Start(tag) if !VOID.contains(&tag.name) => depth += 1,
                    Token::End(_) => depth -= 1,
                    Token::Text(text) => {
                        sum += text.len() * depth;
                        words += text.matches("word").count();
                    }
                    _ => {}
                }
            }
            assert_eq!(words, text.matches("word").count(), "no text is lost");
            assert!(sum <= TEXT_DEPTHS + BYTES * SHALLOW, "{sum}");
        }
    }

    proptest! {
        #[test]
        fn a_copy_of_a_copy_is_the_same(html in "(<p>|</p>|<b>|</b>|<i>|</i>|<li>|<ul>|</ul>|<table>|<td>|</table>|<div>|</div>|<|>|&|&lt;|a|\"| |<a href='x\"y'>|</a>){0,30}") {
            let once = copy(&html).html;
            prop_assert_eq!(copy(&once).html, once);
        }
    }
}
