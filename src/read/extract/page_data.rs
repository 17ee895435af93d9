//! The text of a page that has it only in data: JSON-LD's `articleBody`, or the data from which a script fills the
//! page.
//!
//! Every framework names its data differently, so names do not decide. Anything that reads as prose is text: whole
//! strings, or a list whose items contain it in the same member (`text`, `value`, `html` or any other name). Of
//! several such texts, those under the page's own headline are preferred, and the longest of them counts. Lists of
//! other stories, each with its own address, do not count.

use serde_json::Value;

use super::markup::{MarkupToken, Tokens};
use super::{entity, fragment};
use crate::domain::diff::is_ideograph;
use crate::domain::state::{Block, BlockKind};

/// The most bytes of data, and scripts, that are read of a page.
const BYTES: usize = 3 << 20;
const SCRIPTS: usize = 64;
/// The effort of a search: a value costs one, plus one for every four bytes of its text. Lists in lists are
/// searched repeatedly.
const EFFORT: usize = 2_000_000;
/// The most blocks and bytes of a text.
const BLOCKS: usize = 2_000;
const TEXT_BYTES: usize = 1 << 20;
/// The fewest words of a text in data; anything shorter is a label or a description.
const WORDS: usize = 25;
/// A string with this many words is prose.
const PROSE: usize = 6;

/// Where the text of a page was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextSource {
    /// Its HTML.
    Html,
    /// The fallback content of this element, since the HTML around it has no text.
    Fallback(&'static str),
    /// `articleBody` of its JSON-LD.
    LinkedData,
    /// Data for the page's scripts.
    PageData,
}

impl TextSource {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Fallback(name) => name,
            Self::LinkedData => "json_ld",
            Self::PageData => "page_data",
        }
    }
}

/// Finds the text in the data of a page, using the page as it was sent. `titles` are the page's own.
pub(super) fn find(html: &str, titles: &[&str]) -> Option<(TextSource, Vec<Block>)> {
    let mut linked = Vec::new();
    let mut data = Vec::new();
    let mut left = BYTES;
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        let MarkupToken::Start(tag) = token else {
            continue;
        };
        if linked.len() + data.len() >= SCRIPTS {
            break;
        }
        if tag.name.eq_ignore_ascii_case("script") {
            let kind = tag
                .attribute("type")
                .unwrap_or_default()
                .to_ascii_lowercase();
            let inside = tokens.raw_text("script");
            if inside.len() < WORDS * 4 || inside.len() > left {
                continue;
            }
            left -= inside.len();
            if kind.contains("ld+json") {
                linked.extend(parse(inside));
            } else if kind.contains("json") {
                data.extend(parse(inside));
            } else if kind.is_empty() || kind.contains("javascript") || kind == "module" {
                data.extend(assigned(inside));
            }
        } else if !tag.is_plain() {
            // Some pages put the data into an attribute of the element that the script fills.
            let values = tag.attributes().filter(|(key, _)| key.starts_with("data-"));
            for (_, value) in values.take(8) {
                if value.len() > WORDS * 4 && value.len() <= left && value.starts_with(['{', '[']) {
                    left -= value.len();
                    data.extend(parse(&entity::decode_attribute(value)));
                }
            }
        }
    }
    let bodies = linked.iter().filter_map(article_body);
    if let Some(blocks) = bodies.max_by_key(|blocks| words_of(blocks)) {
        return Some((TextSource::LinkedData, blocks));
    }
    let titles: Vec<String> = titles.iter().map(|title| letters(title)).collect();
    let mut search = Search {
        titles,
        left: EFFORT,
        best: None,
    };
    for value in &data {
        search.walk(value, false);
    }
    search.best.map(|best| (TextSource::PageData, best.blocks))
}

fn parse(json: &str) -> Option<Value> {
    let json = json
        .trim()
        .trim_start_matches("<!--")
        .trim_end_matches("-->");
    serde_json::from_str(json.trim()).ok()
}

/// Values that a script assigns: `window.__STATE__ = {…};`, `JSON.parse("…")`.
fn assigned(script: &str) -> Vec<Value> {
    let mut values = Vec::new();
    let mut at = 0;
    while values.len() < 8 && at < script.len() {
        let Some(found) = script.get(at..).and_then(|rest| rest.find(['=', '('])) else {
            break;
        };
        at += found + 1;
        let rest = script.get(at..).unwrap_or_default().trim_start();
        let is_text = rest.starts_with('"');
        if rest.len() < WORDS * 4 || !(rest.starts_with(['{', '[']) || is_text) {
            continue;
        }
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(value)) = stream.next() else {
            // This is code instead of JSON; the next sign may be far inside it.
            continue;
        };
        at += stream.byte_offset();
        match value {
            Value::String(text) => values.extend(parse(&text).filter(|value| !value.is_string())),
            value => values.push(value),
        }
    }
    values
}

/// The longest `articleBody` of JSON-LD.
fn article_body(value: &Value) -> Option<Vec<Block>> {
    let mut best: Option<Vec<Block>> = None;
    let mut open = vec![value];
    let mut left = 5_000;
    while let Some(value) = open.pop().filter(|_| left > 0) {
        left -= 1;
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(object) => {
                let body = object.get("articleBody").and_then(Value::as_str);
                if let Some(blocks) = body.map(blocks_of)
                    && words_of(&blocks) >= WORDS
                    && best
                        .as_ref()
                        .is_none_or(|best| words_of(best) < words_of(&blocks))
                {
                    best = Some(blocks);
                }
                open.extend(object.values());
            }
            _ => {}
        }
    }
    best
}

/// A text that was found.
struct DataText {
    blocks: Vec<Block>,
    words: usize,
    /// Whether it is under the page's headline.
    under_title: bool,
}

struct Search {
    /// The page's titles, only their letters.
    titles: Vec<String>,
    left: usize,
    best: Option<DataText>,
}

impl Search {
    /// Searches for the best text below a value; `serde_json` has already limited the depth.
    fn walk(&mut self, value: &Value, under_title: bool) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        match value {
            Value::String(text) => {
                self.left = self.left.saturating_sub(text.len() / 4);
                if words(text) >= WORDS && is_prose(text) {
                    self.offer(blocks_of(text), under_title);
                }
            }
            Value::Array(items) => {
                if items.iter().filter(|item| is_story(item)).count() * 2 > items.len() {
                    // A list of stories: the headline may show that one of them is this one.
                    for item in items {
                        if self.has_title(item) {
                            self.walk(item, true);
                        }
                    }
                    return;
                }
                if items.len() <= BLOCKS {
                    let blocks = blocks_in(items, &mut self.left);
                    self.offer(blocks, under_title);
                }
                for item in items {
                    self.walk(item, under_title);
                }
            }
            Value::Object(object) => {
                let under_title = under_title || self.has_title(value);
                for value in object.values() {
                    self.walk(value, under_title);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn has_title(&self, value: &Value) -> bool {
        let Value::Object(object) = value else {
            return false;
        };
        let strings = object.values().filter_map(Value::as_str);
        let mut short = strings.filter(|text| text.len() <= 500).map(letters);
        short.any(|text| {
            text.len() >= 6
                && self
                    .titles
                    .iter()
                    .any(|title| *title == text || title.contains(&text) && text.len() >= 16)
        })
    }

    fn offer(&mut self, blocks: Vec<Block>, under_title: bool) {
        let found = words_of(&blocks);
        let better = self
            .best
            .as_ref()
            .is_none_or(|best| (under_title, found) > (best.under_title, best.words));
        if found >= WORDS && better {
            self.best = Some(DataText {
                blocks,
                words: found,
                under_title,
            });
        }
    }
}

/// Whether a value is a separate story: it has an address and a headline.
fn is_story(value: &Value) -> bool {
    let Value::Object(object) = value else {
        return false;
    };
    let strings = || object.values().filter_map(Value::as_str);
    let is_address = |text: &str| {
        !text.contains(char::is_whitespace) && (text.starts_with('/') || text.contains("://"))
    };
    let is_headline = |text: &str| (3..=30).contains(&words(text)) && !text.contains('<');
    strings().any(is_address) && strings().any(is_headline)
}

/// The text of a list: one block per item, from the strings in the member with the most prose.
fn blocks_in(items: &[Value], left: &mut usize) -> Vec<Block> {
    let mut members: Vec<(&str, usize)> = Vec::new();
    let mut leaves: Vec<Vec<(&str, &str)>> = Vec::new();
    for item in items {
        let mut of_item = Vec::new();
        leaves_of(item, "", left, &mut of_item);
        for (member, text) in &of_item {
            let prose = if words(text) >= 2 && is_prose(text) {
                words(text)
            } else {
                0
            };
            if let Some((_, sum)) = members.iter_mut().find(|(name, _)| name == member) {
                *sum += prose;
            } else if members.len() < 64 {
                members.push((member, prose));
            }
        }
        leaves.push(of_item);
    }
    let Some((member, _)) = members.into_iter().max_by_key(|(_, prose)| *prose) else {
        return Vec::new();
    };
    let mut blocks = Vec::new();
    for (item, leaves) in items.iter().zip(leaves) {
        let text: String = leaves
            .into_iter()
            .filter(|(name, _)| *name == member)
            .map(|(_, text)| text)
            .collect();
        let heading = is_heading(item);
        for mut block in blocks_of(&text) {
            if heading && block.kind == BlockKind::Paragraph {
                block.kind = BlockKind::Heading;
            }
            blocks.push(block);
        }
        if blocks.len() > BLOCKS {
            break;
        }
    }
    blocks
}

/// All strings below a value, each with the name of its member.
fn leaves_of<'v>(
    value: &'v Value,
    member: &'v str,
    left: &mut usize,
    out: &mut Vec<(&'v str, &'v str)>,
) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    match value {
        Value::String(text) => {
            *left = left.saturating_sub(text.len() / 4);
            out.push((member, text));
        }
        Value::Array(values) => {
            for value in values {
                leaves_of(value, member, left, out);
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                leaves_of(value, name, left, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether an item says that it is a heading: `"type": "heading"`, `"tag": "h2"`.
fn is_heading(item: &Value) -> bool {
    let Value::Object(object) = item else {
        return false;
    };
    object.values().filter_map(Value::as_str).any(|text| {
        let text = text.to_ascii_lowercase();
        text.len() <= 20
            && (text.starts_with("head") || matches!(text.as_str(), "h2" | "h3" | "h4" | "title"))
    })
}

/// The blocks of a string: HTML, or plain text with one paragraph per line.
fn blocks_of(text: &str) -> Vec<Block> {
    let text = text
        .get(..text.floor_char_boundary(TEXT_BYTES))
        .unwrap_or(text);
    let is_html = ["</", "<p>", "<br", "<p "]
        .iter()
        .any(|sign| text.contains(sign));
    if is_html {
        return fragment::blocks(&super::sanitise::copy(text).html);
    }
    let text = entity::decode(text);
    let lines = match text.contains("\n\n") {
        true => return fragment::plain_blocks(&text),
        false => text.lines(),
    };
    lines
        .map(fragment::plain_line)
        .filter(|line| !line.is_empty())
        .take(BLOCKS)
        .map(Block::paragraph)
        .collect()
}

/// Whether a string reads as text: words with spaces, and few of the symbols of code and addresses.
fn is_prose(text: &str) -> bool {
    let signs = text
        .chars()
        .filter(|c| matches!(c, '{' | '}' | ';' | '=' | '\\' | '_' | '|'))
        .count();
    // Markup brings its own symbols.
    let allowed = if text.contains("</") {
        text.len() / 12
    } else {
        text.len() / 60
    };
    signs <= allowed.max(1) && (words(text) >= PROSE || !text.contains("://"))
}

fn words_of(blocks: &[Block]) -> usize {
    let counts = blocks.iter().map(|block| words(&block.text));
    counts.filter(|words| *words >= PROSE).sum()
}

/// The number of words, separated by spaces. In scripts without spaces, two characters make a word.
fn words(text: &str) -> usize {
    let ideographs = text.chars().filter(|c| is_ideograph(*c)).count();
    text.split_whitespace().count() + ideographs / 2
}

/// The letters and digits, in lower case.
fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
