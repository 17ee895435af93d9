//! Changes as Markdown: untrusted text cannot become markup, HTML or an unintended link.

use super::changed;
use super::clean;
use super::log::LogRow;
use super::names;
use super::style::Paint;
use super::when::TimeView;
use crate::domain::diff::Segment;

/// A Markdown list item with special characters escaped.
#[must_use]
pub(crate) fn item(row: &LogRow, view: &TimeView) -> String {
    let data = &row.event.data;
    let plain = Paint::default();
    let number = data
        .number
        .map(|n| format!("**#{n}** "))
        .unwrap_or_default();
    let when = match changed::window(data) {
        Some(window) => view.exact_window(window),
        None => view.exact(row.event.timestamp),
    };
    let what_moved = match &data.change {
        Some(change) => changed::fields(change).paint(plain),
        None => names::event(row.event.kind).to_owned(),
    };
    let feed = escape_markdown(&changed::feed_name(data.feed.as_ref(), 60));
    let mut out = format!("- {number}{when}, {feed}: {}", what_moved.to_lowercase());
    match data.diff.as_ref().and_then(|diff| diff.title.as_deref()) {
        Some(segments) => {
            out.push_str("  \n  ");
            out.push_str(changed::kicker(data));
            for segment in clean::segments(segments) {
                out.push_str(&match segment {
                    Segment::Equal(text) => escape_markdown(&text),
                    Segment::Delete(text) => around(&text, "~~"),
                    Segment::Insert(text) => around(&text, "**"),
                });
            }
        }
        None => {
            if let Some(title) = changed::title(data, 300) {
                out.push_str("  \n  ");
                out.push_str(&escape_markdown(&title));
            }
        }
    }
    if let Some(address) = changed::address(data) {
        out.push_str("  \n  ");
        out.push_str(&self::address(&address));
    }
    out.push('\n');
    out
}

/// An address as a link. Only web addresses are linked; an address in angle brackets cannot end early or contain
/// markup.
pub(super) fn address(address: &str) -> String {
    if changed::is_web(address) && !address.contains(['<', '>']) {
        format!("<{address}>")
    } else {
        escape_markdown(address)
    }
}

fn around(text: &str, mark: &str) -> String {
    // Marks must touch the words; the white space stays outside.
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let start = text.len() - text.trim_start().len();
    let end = start + inner.len();
    format!(
        "{}{mark}{}{mark}{}",
        &text[..start],
        escape_markdown(inner),
        &text[end..]
    )
}

/// Text in which nothing is markup.
pub(super) fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // Markdown passes HTML through.
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c if "\\`*_{}[]()#+!|~>@".contains(c) => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::{at, delete, equal, insert, revised};

    #[test]
    fn markdown_cannot_be_steered() {
        let view = plain_view(at("2026-11-23T12:00:00Z"));
        let mut event = revised();
        event.data.feed.as_mut().unwrap().title = Some("[x](javascript:1) <b>".into());
        event.data.diff.as_mut().unwrap().title =
            Some(vec![equal("a "), delete("*b* "), insert("<script>")]);
        event.data.entry.as_mut().unwrap().url = Some("javascript:alert(1)".into());
        assert_eq!(
            item(&LogRow { event, quiet: None }, &view),
            "- **#412** 2026-11-23 08:32–09:04, \\[x\\]\\(javascript:1\\) &lt;b\\>: headline + text  \n  \
             a ~~\\*b\\*~~ **&lt;script\\>**  \n  javascript:alert\\(1\\)\n"
        );
    }
}
