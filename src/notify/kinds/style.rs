//! How runs are written in the markup of each service.

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::report::message::{Layout, Message};
use crate::report::runs::{Face, Run};

/// The style of a message for a service: written by `write` and measured by `measure`.
pub(super) struct MessageStyle {
    pub(super) write: fn(&Run) -> String,
    pub(super) measure: fn(&str) -> usize,
    pub(super) line_break: &'static str,
    /// Without bold and strikethrough, a changed headline takes two lines.
    pub(super) plain: bool,
    pub(super) with_headline: bool,
    pub(super) with_address: bool,
}

impl MessageStyle {
    /// The message, with a length of at most `room`.
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

/// The whole change in words, for those who cannot see its picture; at most `max` in UTF-16, which is never less than
/// characters.
pub(super) fn alternative(message: &Message, max: usize) -> String {
    let style = MessageStyle {
        write: plain,
        measure: utf16,
        line_break: "\n",
        plain: true,
        with_headline: true,
        with_address: false,
    };
    style.compose(message, max)
}

pub(super) fn chars(text: &str) -> usize {
    text.chars().count()
}

pub(super) fn bytes(text: &str) -> usize {
    text.len()
}

/// Counts UTF-16 units, as JavaScript and Java do, which is never less than the number of characters: for services
/// that do not document how they count.
pub(super) fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The bytes of the text as a JSON string, without the quotation marks.
pub(super) fn json(text: &str) -> usize {
    crate::notify::payload::text_len(text)
}

/// Shortens a title to at most `max` as measured by `measure`, with `…` where it was cut.
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

/// Puts marks around the words of a text, with white space outside them: marks have to touch the words.
pub(super) fn around(text: &str, open: &str, escape: fn(&str) -> String, close: &str) -> String {
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let start = text.len() - text.trim_start().len();
    let (before, after) = (&text[..start], &text[start + inner.len()..]);
    format!("{before}{open}{}{close}{after}", escape(inner))
}

/// Without markup. Removed and added words get marks that text from outside never has, see
/// [`crate::report::clean`].
pub(super) fn plain(run: &Run) -> String {
    match run.face {
        Face::Removed => format!("[-{}-]", run.text),
        Face::Added => format!("{{+{}+}}", run.text),
        _ => run.text.clone(),
    }
}

/// Escapes text so that nothing in it is Markdown or a mention.
pub(super) fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // A mention needs a name directly after it; the separator is invisible.
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

/// Markdown with strikethrough and bold, as used by chat services.
pub(super) fn markdown(run: &Run) -> String {
    match &run.face {
        Face::Plain | Face::Faint => escape_markdown(&run.text),
        Face::Strong | Face::Added => around(&run.text, "**", escape_markdown, "**"),
        Face::Removed => around(&run.text, "~~", escape_markdown, "~~"),
        Face::Link(url) => bare_link(url),
    }
}

/// An address that the service itself turns into a link. Characters that could end it early or be markup are
/// percent-encoded.
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

/// Escapes text so that nothing in it is HTML.
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
