//! How runs are written in the languages of the services.

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::report::message::{Face, Layout, Message, Run};

/// A message in the language of a service, written by `write` and counted by `measure`.
pub(super) struct MessageStyle {
    pub(super) write: fn(&Run) -> String,
    pub(super) measure: fn(&str) -> usize,
    pub(super) line_break: &'static str,
    /// Without bold and struck text, a headline has two lines.
    pub(super) plain: bool,
    pub(super) with_headline: bool,
    pub(super) with_address: bool,
}

impl MessageStyle {
    /// The message in at most `room`.
    pub(super) fn compose(&self, message: &Message, room: usize) -> String {
        let size = |run: &Run| (self.measure)(&(self.write)(run));
        let lines = message.fit(&Layout {
            size: &size,
            line_break: (self.measure)(self.line_break),
            room,
            two_lines: self.plain,
            with_headline: self.with_headline,
            with_address: self.with_address,
        });
        let line = |runs: &Vec<Run>| runs.iter().map(self.write).collect::<String>();
        lines
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join(self.line_break)
    }
}

pub(super) fn chars(text: &str) -> usize {
    text.chars().count()
}

pub(super) fn bytes(text: &str) -> usize {
    text.len()
}

/// As JavaScript and Java count, and never less than characters: for services that do not say how they count.
pub(super) fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The bytes inside the quotation marks of JSON.
pub(super) fn json(text: &str) -> usize {
    crate::notify::payload::text_len(text)
}

/// At most `max` as `measure` counts, with `…` where something was cut; for titles.
pub(super) fn short(text: &str, max: usize, measure: fn(&str) -> usize) -> String {
    if measure(text) <= max {
        return text.to_owned();
    }
    let graphemes = text.grapheme_indices(true).map(|(at, _)| at);
    let ends: Vec<usize> = graphemes.take(max + 1).collect();
    let cut = |end: usize| format!("{}…", text[..end].trim_end());
    let fitting = ends.partition_point(|end| measure(&cut(*end)) <= max);
    let end = fitting
        .checked_sub(1)
        .and_then(|at| ends.get(at))
        .copied()
        .unwrap_or(0);
    let word = text[..end].rfind(' ').filter(|at| at * 2 >= end);
    cut(word.unwrap_or(end))
}

/// Marks around the words of a text, with the white space outside: marks have to touch words.
pub(super) fn around(text: &str, open: &str, escape: fn(&str) -> String, close: &str) -> String {
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let start = text.len() - text.trim_start().len();
    let (before, after) = (&text[..start], &text[start + inner.len()..]);
    format!("{before}{open}{}{close}{after}", escape(inner))
}

/// Without any markup: removed and added words have marks that no text of a stranger has, see [`crate::report::clean`].
pub(super) fn plain(run: &Run) -> String {
    match run.face {
        Face::Removed => format!("[-{}-]", run.text),
        Face::Added => format!("{{+{}+}}", run.text),
        _ => run.text.clone(),
    }
}

/// Text in which nothing is markup of Markdown, and no mention is one.
pub(super) fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // A mention needs a name right behind it; what is between is seen by nobody.
            '@' => out.push_str("@\u{200b}"),
            c if "\\`*_{}[]()#+!|~<>&:-".contains(c) => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Markdown with struck and bold text, as chats have it.
pub(super) fn markdown(run: &Run) -> String {
    match &run.face {
        Face::Plain | Face::Faint => escape_markdown(&run.text),
        Face::Strong | Face::Added => around(&run.text, "**", escape_markdown, "**"),
        Face::Removed => around(&run.text, "~~", escape_markdown, "~~"),
        Face::Link(url) => bare_link(url),
    }
}

/// An address that a service makes a link by itself; what could end it early or carry markup is escaped as addresses do.
pub(super) fn bare_link(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '*' | '`' | '|' | '^' | '\\' | '"'
            | '\'' | '@' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{:02X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Text in which nothing is markup of HTML.
pub(super) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
