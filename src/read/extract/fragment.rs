//! A fragment of HTML from a feed → blocks of text as a reader sees them.
//!
//! No tree is built: one pass over the tokens, with a short memory of which block is open. Feeds contain thousands
//! of such fragments, nearly all of them plain paragraphs, and the cost of a hostile one must stay linear in its
//! length.

use std::borrow::Cow;

use super::entity;
use super::markup::{MarkupToken, Tag, Tokens};
use super::style::{STRUCK, Style};
use crate::domain::state::{Block, BlockKind};

/// The most open elements that are remembered; deeper ones are read as paragraphs.
const OPEN_LIMIT: usize = 64;

/// The blocks of a fragment of HTML.
#[must_use]
pub fn blocks(html: &str) -> Vec<Block> {
    let mut reader = FragmentReader::default();
    if html.contains('<') {
        reader.read(html);
    } else {
        reader.text(html);
    }
    reader.finish()
}

/// The blocks of plain text: one paragraph between blank lines.
#[must_use]
pub fn plain_blocks(text: &str) -> Vec<Block> {
    let mut paragraphs = Vec::new();
    let mut paragraph = String::new();
    for line in text.lines().chain(std::iter::once("")) {
        if line.trim().is_empty() {
            if !paragraph.is_empty() {
                paragraphs.push(Block::paragraph(std::mem::take(&mut paragraph)));
            }
        } else {
            append_collapsed(&mut paragraph, line, true);
        }
    }
    paragraphs
}

/// A fragment of HTML as one line of plain text, for titles and names.
///
/// A title is often plain text in an HTML field: a tag that HTML does not know (`Vec<String>`) is text.
#[must_use]
pub fn line(html: &str) -> String {
    let mut out = String::new();
    if !html.contains('<') {
        append_collapsed(&mut out, &entity::decode(html), false);
        return out;
    }
    let mut tokens = Tokens::new(html);
    let mut hidden = Hidden::default();
    let mut space = false;
    loop {
        let from = tokens.offset();
        let Some(token) = tokens.next() else { break };
        match token {
            MarkupToken::Text(text) => {
                space = append_collapsed(&mut out, &entity::decode(text), space);
            }
            MarkupToken::CData(text) => space = append_collapsed(&mut out, text, space),
            MarkupToken::Start(tag) if is_unknown(&tag) => {
                let written = html.get(from..tokens.offset()).unwrap_or("");
                space = append_collapsed(&mut out, written, space);
            }
            MarkupToken::Start(tag) => {
                space |= !is_inline(tag.name);
                hidden.skip(&mut tokens, &tag);
            }
            MarkupToken::End(name) => space |= !is_inline(name),
            _ => {}
        }
    }
    out
}

/// Plain text as one line.
#[must_use]
pub fn plain_line(text: &str) -> String {
    let mut out = String::new();
    append_collapsed(&mut out, text, false);
    out
}

/// Appends text with its white space collapsed; `space` says whether white space came before it. Returns whether
/// white space comes after it.
fn append_collapsed(out: &mut String, text: &str, mut space: bool) -> bool {
    let mut rest = text;
    loop {
        let gap = rest.bytes().take_while(|byte| is_space(*byte)).count();
        space |= gap > 0;
        rest = rest.get(gap..).unwrap_or("");
        if rest.is_empty() {
            return space;
        }
        // Words separated by single blanks are copied in one go.
        let run = tidy_run(rest);
        let (tidy, behind) = rest.split_at_checked(run).unwrap_or((rest, ""));
        if space && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(tidy);
        rest = behind;
        space = false;
    }
}

/// The length of the longest prefix whose only white space is single blanks between words.
fn tidy_run(text: &str) -> usize {
    let mut before = 0u8;
    for (at, byte) in text.bytes().enumerate() {
        if byte <= b' ' && is_space(byte) {
            if byte != b' ' {
                return at - usize::from(before == b' ');
            }
            if before == b' ' {
                return at - 1;
            }
        }
        before = byte;
    }
    text.len() - usize::from(before == b' ')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | 0x0c)
}

/// What a tag does to blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockTag {
    /// Starts and ends a block, and gives its kind.
    Kind(BlockKind),
    /// Starts and ends a block.
    Block,
    /// `ul`, `ol`, `dl`: a list, whose items are blocks.
    List,
    /// `td`, `th`.
    Cell,
    /// `table`.
    Table,
    /// Part of the running text.
    Inline,
}

fn element(name: &str) -> BlockTag {
    // XHTML in feeds may have a prefix.
    let name = name.rsplit(':').next().unwrap_or(name);
    let mut lower = [0u8; 12];
    let Some(buffer) = lower.get_mut(..name.len()) else {
        return BlockTag::Inline;
    };
    buffer.copy_from_slice(name.as_bytes());
    buffer.make_ascii_lowercase();
    match &*buffer {
        b"p" | b"div" | b"section" | b"article" | b"header" | b"footer" | b"main" | b"aside"
        | b"nav" | b"figure" | b"address" | b"center" | b"form" | b"fieldset" | b"details"
        | b"summary" | b"hr" | b"body" | b"html" | b"tbody" | b"thead" | b"tfoot" | b"dir"
        | b"legend" => BlockTag::Block,
        b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => BlockTag::Kind(BlockKind::Heading),
        b"li" | b"dt" | b"dd" => BlockTag::Kind(BlockKind::ListItem),
        b"ul" | b"ol" | b"dl" | b"menu" => BlockTag::List,
        b"blockquote" => BlockTag::Kind(BlockKind::Quote),
        b"figcaption" | b"caption" => BlockTag::Kind(BlockKind::Caption),
        b"pre" | b"listing" | b"xmp" => BlockTag::Kind(BlockKind::Code),
        b"tr" => BlockTag::Kind(BlockKind::TableRow),
        b"td" | b"th" => BlockTag::Cell,
        b"table" => BlockTag::Table,
        _ => BlockTag::Inline,
    }
}

fn is_inline(name: &str) -> bool {
    element(name) == BlockTag::Inline && !name.eq_ignore_ascii_case("br")
}

/// A tag in a title that is not HTML: `Vec<String>`, `<your name>`.
fn is_unknown(tag: &Tag<'_>) -> bool {
    const INLINE: [&str; 48] = [
        "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "br", "button", "cite", "code",
        "data", "del", "dfn", "em", "embed", "font", "i", "iframe", "img", "input", "ins", "kbd",
        "label", "mark", "math", "nobr", "noscript", "object", "q", "rp", "rt", "ruby", "s",
        "samp", "script", "small", "span", "strike", "strong", "style", "sub", "sup", "svg",
        "time", "tt", "u",
    ];
    let known = element(tag.name) != BlockTag::Inline
        || INLINE
            .iter()
            .any(|name| tag.name.eq_ignore_ascii_case(name))
        || ["var", "wbr", "video", "canvas", "picture", "source"]
            .iter()
            .any(|name| tag.name.eq_ignore_ascii_case(name));
    // Custom elements and those of other namespaces have a dash or a colon.
    !known && tag.is_plain() && !tag.self_closing && !tag.name.contains(['-', ':'])
}

/// Skips elements that a reader does not see.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// Elements whose end tag is missing from here on; the search is not repeated.
    unclosed: Vec<&'static str>,
}

impl Hidden {
    const NAMES: [&'static str; 13] = [
        "script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea",
        "head", "video", "audio", "canvas",
    ];

    /// Skips to the end of the element if it shows no text.
    pub(super) fn skip(&mut self, tokens: &mut Tokens<'_>, tag: &Tag<'_>) {
        let Some(name) = Self::NAMES
            .iter()
            .find(|name| tag.name.eq_ignore_ascii_case(name))
        else {
            return;
        };
        if tag.self_closing || self.unclosed.contains(name) {
            return;
        }
        if !tokens.skip_past_end(name) {
            self.unclosed.push(name);
        }
    }
}

/// Builds blocks from a sequence of tags and text.
#[derive(Debug, Default)]
pub(super) struct FragmentReader {
    /// The finished blocks.
    pub(super) blocks: Vec<Block>,
    text: String,
    /// White space follows the text so far.
    space: bool,
    /// A single line break follows the text so far.
    line_break: bool,
    /// A table cell has ended after the text so far.
    cell_border: bool,
    /// The open elements that determine the kind of a block.
    open: Vec<(BlockTag, BlockKind)>,
    /// Which text is struck out or superscript.
    style: Style,
}

impl FragmentReader {
    fn read(&mut self, html: &str) {
        let mut tokens = Tokens::new(html);
        let mut hidden = Hidden::default();
        while let Some(token) = tokens.next() {
            match token {
                // A CDATA section here is content that was wrapped twice.
                MarkupToken::Text(text) | MarkupToken::CData(text) => self.text(text),
                MarkupToken::Start(tag) => {
                    self.start(&tag);
                    hidden.skip(&mut tokens, &tag);
                }
                MarkupToken::End(name) => self.end(name),
                _ => {}
            }
        }
    }

    /// Adds text, with its entities as written.
    pub(super) fn text(&mut self, text: &str) {
        if self.kind() == BlockKind::Code {
            self.text.push_str(&entity::decode(text));
            return;
        }
        if text.bytes().all(is_space) {
            self.space |= !text.is_empty();
            return;
        }
        let decoded: Cow<'_, str> = entity::decode(text);
        self.line_break = false;
        let before = self.text.chars().next_back().filter(|_| !self.space);
        let mark = self.style.mark_before(before, &decoded);
        if mark == STRUCK {
            let space = std::mem::take(&mut self.space) && !self.text.is_empty();
            self.text
                .extend((space && self.style.is_struck()).then_some(' '));
            self.text.push_str(mark);
            self.space = space && !self.style.is_struck();
        } else {
            self.text.push_str(mark);
        }
        if std::mem::take(&mut self.cell_border) && !self.text.is_empty() {
            self.text.push_str(" |");
            self.space = true;
        }
        self.space = append_collapsed(&mut self.text, &decoded, self.space);
    }

    fn kind(&self) -> BlockKind {
        self.open
            .last()
            .map_or(BlockKind::Paragraph, |(_, kind)| *kind)
    }

    /// Processes a start tag.
    pub(super) fn start(&mut self, tag: &Tag<'_>) {
        let element = element(tag.name);
        match element {
            BlockTag::Inline => {
                if tag.name.eq_ignore_ascii_case("br") {
                    self.line_break();
                } else if tag.name.eq_ignore_ascii_case("img") {
                    self.picture(tag);
                } else {
                    self.style.start(tag);
                }
            }
            BlockTag::Block => self.block_border(),
            BlockTag::List => {
                self.flush();
                self.push(BlockTag::List, self.kind());
            }
            BlockTag::Table => {
                // A table inside a row is used for layout: the row does not contain cells of data.
                self.flush();
                let outer = self
                    .open
                    .iter_mut()
                    .filter(|(_, kind)| *kind == BlockKind::TableRow);
                for (_, kind) in outer {
                    *kind = BlockKind::Paragraph;
                }
                self.push(BlockTag::Table, BlockKind::Paragraph);
            }
            BlockTag::Cell => self.cell_border = !self.text.is_empty(),
            BlockTag::Kind(kind) => {
                self.flush();
                // A new item ends the previous item, a new row the previous row.
                match kind {
                    BlockKind::ListItem => self.close_to(element, BlockTag::List),
                    BlockKind::TableRow => self.close_to(element, BlockTag::Table),
                    _ => {}
                }
                self.push(element, kind);
            }
        }
    }

    /// Processes an end tag.
    pub(super) fn end(&mut self, name: &str) {
        match element(name) {
            BlockTag::Inline => self.style.end(name),
            BlockTag::Block => self.block_border(),
            BlockTag::Cell => self.cell_border = !self.text.is_empty(),
            element => {
                self.flush();
                if let Some(at) = self.open.iter().rposition(|(open, _)| *open == element) {
                    self.open.truncate(at);
                }
            }
        }
    }

    /// The start or end of a paragraph. Inside a table row it counts only as white space.
    fn block_border(&mut self) {
        if self.kind() == BlockKind::TableRow {
            self.space = true;
        } else {
            self.flush();
        }
    }

    /// Two consecutive line breaks end a paragraph; a single one is white space.
    fn line_break(&mut self) {
        match self.kind() {
            BlockKind::Code => self.text.push('\n'),
            BlockKind::TableRow => self.space = true,
            _ if self.line_break => self.flush(),
            _ => {
                self.space = true;
                self.line_break = true;
            }
        }
    }

    fn close_to(&mut self, element: BlockTag, stop: BlockTag) {
        let found = self
            .open
            .iter()
            .rposition(|(open, _)| *open == element || *open == stop);
        if let Some(at) = found
            && self.open.get(at).is_some_and(|(open, _)| *open == element)
        {
            self.open.truncate(at);
        }
    }

    fn push(&mut self, element: BlockTag, kind: BlockKind) {
        if self.open.len() < OPEN_LIMIT {
            self.open.push((element, kind));
        }
    }

    /// Whether a new block has no text yet.
    pub(super) fn is_between_blocks(&self) -> bool {
        self.text.is_empty()
    }

    /// A picture that replaces a character: an emoji with its character in `alt`.
    fn picture(&mut self, tag: &Tag<'_>) {
        let alt = tag.attribute("alt").unwrap_or_default();
        let is_symbol = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace();
        if !alt.is_empty() && alt.chars().count() <= 8 && alt.chars().all(is_symbol) {
            self.text(&alt);
        }
    }

    /// Ends the block.
    pub(super) fn flush(&mut self) {
        self.text.push_str(self.style.mark_at_end());
        self.space = false;
        self.line_break = false;
        self.cell_border = false;
        let kind = self.kind();
        let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
        if self.text.chars().all(blank) {
            self.text.clear();
            return;
        }
        let text = std::mem::take(&mut self.text);
        let text = match kind {
            BlockKind::Code => text.trim_matches('\n').trim_end().to_owned(),
            _ if text.starts_with(blank) || text.ends_with(blank) => {
                text.trim_matches(blank).to_owned()
            }
            _ => text,
        };
        self.blocks.push(Block { kind, text });
    }

    fn finish(mut self) -> Vec<Block> {
        self.flush();
        self.blocks
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(html: &str, expected: &[(BlockKind, &str)]) {
        let found = blocks(html);
        let found: Vec<(BlockKind, &str)> = found
            .iter()
            .map(|block| (block.kind, block.text.as_str()))
            .collect();
        assert_eq!(found, expected, "{html}");
    }

    #[test]
    fn blocks_are_those_a_reader_sees() {
        use BlockKind::{Caption, Code, Heading, ListItem, Paragraph, Quote, TableRow};
        check(
            "plain\n text &amp; more",
            &[(Paragraph, "plain text & more")],
        );
        check(
            "<p>One <b>bo</b>ld.</p>\n<p>Two<br>lines</p><p>&nbsp;</p>",
            &[(Paragraph, "One bold."), (Paragraph, "Two lines")],
        );
        check(
            "a<br/><br />b<br>\n<br>c",
            &[(Paragraph, "a"), (Paragraph, "b"), (Paragraph, "c")],
        );
        check(
            "<h2>H</h2>text<ul><li>x<li>y<ul><li>z</ul>w</ul>end",
            &[
                (Heading, "H"),
                (Paragraph, "text"),
                (ListItem, "x"),
                (ListItem, "y"),
                (ListItem, "z"),
                (ListItem, "w"),
                (Paragraph, "end"),
            ],
        );
        check(
            "<blockquote><p>q1</p><p>q2</p></blockquote><figure><img><figcaption>cap</figcaption></figure>",
            &[(Quote, "q1"), (Quote, "q2"), (Caption, "cap")],
        );
        check(
            "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td><p>2</p></td></tr></table>",
            &[(TableRow, "A | B"), (TableRow, "1 | 2")],
        );
        check(
            "<pre>\n  x\n   y &lt;z&gt;\n</pre>after",
            &[(Code, "  x\n   y <z>"), (Paragraph, "after")],
        );
        check(
            "<table><tr><td><table><tr><td>in</td></tr></table><p>a</p><p>b</p></td></tr></table>",
            &[(TableRow, "in"), (Paragraph, "a"), (Paragraph, "b")],
        );
    }

    #[test]
    fn what_is_not_shown_is_no_text() {
        check(
            "a<script>if (a<b) alert('</p>')</script><style>p{}</style>b <!-- c --> <iframe src=x />d",
            &[(BlockKind::Paragraph, "ab d")],
        );
        check(
            "<noscript>kept, it never ends",
            &[(BlockKind::Paragraph, "kept, it never ends")],
        );
    }

    #[test]
    fn titles_survive() {
        for (html, expected) in [
            ("AT&T", "AT&T"),
            ("AT&amp;T", "AT&T"),
            ("5 < 6", "5 < 6"),
            ("5 &lt; 6", "5 < 6"),
            ("a <i>b</i> c<br>d", "a b c d"),
            ("Vec<String> in <b>Rust</b>", "Vec<String> in Rust"),
            ("  many\n\t spaces ", "many spaces"),
            ("re<wbr>port<script>x</script>", "report"),
        ] {
            assert_eq!(line(html), expected, "{html}");
        }
    }

    #[test]
    fn plain_text_breaks_at_blank_lines() {
        let found = plain_blocks("one\ntwo\n \nthree <b>\n");
        let texts: Vec<&str> = found.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["one two", "three <b>"]);
    }

    #[test]
    fn unclosed_hidden_elements_cost_no_more_than_their_length() {
        let html = "<noscript>".repeat(200_000);
        assert!(blocks(&html).is_empty());
    }

    proptest! {
        #[test]
        fn no_block_is_empty_or_badly_spaced(html in "(<p>|</p>|<li>|<br>|<td>|<pre>|</pre>|<table>|a|b| |\n|&nbsp;|<|>){0,40}") {
            for block in blocks(&html) {
                prop_assert!(!block.text.trim().is_empty());
                if block.kind != BlockKind::Code {
                    prop_assert!(!block.text.contains('\n'));
                    prop_assert_eq!(block.text.trim(), block.text.as_str());
                    prop_assert!(!block.text.contains("  "));
                }
            }
        }
    }
}
