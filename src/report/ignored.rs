//! `revisor log --ignored`: ignored text that moved without causing a change.

use serde::Serialize;

use super::clean;
use super::names;
use super::style::{Line, TextRole, cut};
use super::when::TimeView;
use crate::domain::diff::diff_line;
use crate::domain::ids::RuleId;
use crate::domain::state::Channel;
use crate::time::Timestamp;

const INDENT: &str = "      ";

/// A place whose ignored text moved. Its JSON form is a line of `log --ignored --format ndjson`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct IgnoredView {
    /// The name of the feed.
    pub feed: String,
    /// The entry.
    pub entry: IgnoredEntry,
    /// Where it was seen.
    pub channel: Channel,
    /// The place within the entry and channel; 0 stands for all without a place of their own.
    pub place: u32,
    /// Why the text is ignored.
    pub reason: String,
    /// The rule that ignored it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// How often it moved.
    pub times: u64,
    /// When it moved first.
    pub first_at: Timestamp,
    /// When it moved last.
    pub last_at: Timestamp,
    /// The text before it first moved; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The text before it last moved, or its part around the difference; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The text after; absent if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The entry of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct IgnoredEntry {
    /// Its public identifier.
    pub id: String,
    /// The address of its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A few lines: when, how often, feed and headline; the words; the reason.
#[must_use]
pub(crate) fn short(moved: &IgnoredView, view: &TimeView) -> String {
    let paint = view.paint;
    let times = match moved.times {
        1 => "once".to_owned(),
        times => format!("{times}×"),
    };
    let title = moved.entry.title.as_deref();
    let title = title.map(|title| clean::excerpt(title, 200));
    let head = Line::plain(view.moment(moved.last_at))
        .padded(18, paint)
        .with(TextRole::Plain, "  ")
        .and(Line::new().with(TextRole::Strong, times).padded(6, paint))
        .with(TextRole::Plain, "  ")
        .and(Line::plain(cut(&clean::excerpt(&moved.feed, 40), 24)).padded(18, paint))
        .with(TextRole::Plain, "  ")
        .with(TextRole::Plain, title.unwrap_or_default());
    let mut out = head.wrap("", INDENT, paint);
    let words = words(moved.before.as_deref(), moved.after.as_deref());
    out.push_str(&words.wrap(INDENT, INDENT, paint));
    let mut last = reason(moved);
    if moved.times > 1 {
        let first = moved.first.as_deref().map_or_else(
            || "nothing".to_owned(),
            |first| format!("“{}”", clean::excerpt(first, 60)),
        );
        last = format!(
            "{last}; at first {first}, since {}",
            view.moment(moved.first_at)
        );
    }
    let id = clean::excerpt(&moved.entry.id, 40);
    let last = Line::new().with(TextRole::Faint, format!("{last} · {id}"));
    out.push_str(&last.wrap(INDENT, INDENT, paint));
    out
}

/// One line, for searching and counting.
#[must_use]
pub(crate) fn oneline(moved: &IgnoredView, view: &TimeView) -> String {
    let head = format!(
        "{} {}× {} {} ",
        view.exact(moved.last_at),
        moved.times,
        clean::excerpt(&moved.feed, 60),
        clean::excerpt(&moved.entry.id, 40),
    );
    let line = Line::plain(head)
        .and(words(moved.before.as_deref(), moved.after.as_deref()))
        .with(TextRole::Faint, format!(" ({})", reason(moved)));
    format!("{}\n", line.paint(view.paint))
}

fn reason(moved: &IgnoredView) -> String {
    let reason = clean::excerpt(&moved.reason, 120);
    match moved.rule {
        Some(rule) => format!("{reason}, rule {rule}"),
        None => reason,
    }
}

/// The change, as a word diff.
#[must_use]
pub(crate) fn words(before: Option<&str>, after: Option<&str>) -> Line {
    let segments = diff_line(before.unwrap_or_default(), after.unwrap_or_default());
    Line::new().segments(&clean::segments(&segments))
}

/// How many there were, for the end of a list.
#[must_use]
pub(crate) fn summary(shown: u64) -> String {
    match shown {
        0 => "no ignored text moved".to_owned(),
        shown => format!("ignored text moved in {}", names::count(shown, "place")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    fn moved() -> IgnoredView {
        IgnoredView {
            feed: "example-news".to_owned(),
            entry: IgnoredEntry {
                id: "ent_abc".to_owned(),
                url: None,
                title: Some("Harbour\u{1b}[31m to be rebuilt".to_owned()),
            },
            channel: Channel::Page,
            place: 1,
            reason: "outside of the article".to_owned(),
            rule: None,
            times: 100,
            first_at: at("2026-11-23T10:00:00Z"),
            last_at: at("2026-11-23T12:00:00Z"),
            first: Some("12 people are reading this".to_owned()),
            before: Some("98 people are reading this".to_owned()),
            after: Some("99 people are reading this".to_owned()),
        }
    }

    #[test]
    fn a_place_is_told_with_its_words_and_its_reason() {
        let shown = short(&moved(), &plain_view(at("2026-11-23T12:00:00Z")));
        assert!(shown.contains("[-98-]{+99+} people are reading"), "{shown}");
        assert!(shown.contains("100×") && shown.contains("outside of the article"));
        assert!(shown.contains("at first “12 people"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
        let gone = IgnoredView {
            after: None,
            times: 1,
            rule: Some(RuleId(7)),
            ..moved()
        };
        let line = oneline(&gone, &plain_view(at("2026-11-23T12:00:00Z")));
        assert!(line.contains("[-98 people are reading this-]"), "{line}");
        assert!(line.contains("rule 7") && line.lines().count() == 1);
        let json = serde_json::to_value(&gone).unwrap();
        assert_eq!(json["rule"], 7);
        assert_eq!(json.get("after"), None);
    }
}
