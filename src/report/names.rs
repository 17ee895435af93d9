//! The words for labels, fields, kinds of events and significances that people read.

use crate::domain::classify::Label;
use crate::domain::event::{EventKind, Field};
use crate::domain::state::HeadlineSource;

/// Shown for an article without a headline.
pub(super) const NO_HEADLINE: &str = "(no headline)";

/// The name of a label, as in JSON: `paragraph-added`.
#[must_use]
pub(crate) fn label(label: Label) -> &'static str {
    match label {
        Label::Headline => "headline",
        Label::Byline => "byline",
        Label::Date => "date",
        Label::Address => "address",
        Label::Guid => "guid",
        Label::Typographic => "typographic",
        Label::Typo => "typo",
        Label::Wording => "wording",
        Label::Number => "number",
        Label::Name => "name",
        Label::Negation => "negation",
        Label::Quote => "quote",
        Label::Attribution => "attribution",
        Label::ParagraphAdded => "paragraph-added",
        Label::ParagraphRemoved => "paragraph-removed",
        Label::Moved => "moved",
        Label::Link => "link",
        Label::CorrectionNotice => "correction-notice",
        Label::Revert => "revert",
        Label::Unannounced => "unannounced",
    }
}

/// The reader's word for a field: `headline`, `text` …
#[must_use]
pub(crate) fn field(field: Field) -> &'static str {
    match field {
        Field::Title => "headline",
        Field::Standfirst => "standfirst",
        Field::Summary => "summary",
        Field::Body => "text",
        Field::Byline => "by-line",
        Field::Date => "date",
        Field::Address => "address",
        Field::Guid => "guid",
    }
}

/// A field with its article, for a sentence: `a headline`.
pub(super) fn a_field(field: Field) -> &'static str {
    match field {
        Field::Title => "a headline",
        Field::Standfirst => "a standfirst",
        Field::Summary => "a summary",
        Field::Body => "a text",
        Field::Byline => "a by-line",
        Field::Date => "a date",
        Field::Address => "an address",
        Field::Guid => "a guid",
    }
}

/// Whether only the line above the headline changed, not a headline.
#[must_use]
pub(crate) fn is_kicker(headlines: &[HeadlineSource]) -> bool {
    !headlines.is_empty()
        && headlines
            .iter()
            .all(|source| *source == HeadlineSource::Kicker)
}

/// One word for an event that is not a change of words, for the column of `log`.
#[must_use]
pub(crate) fn event(kind: EventKind) -> &'static str {
    match kind {
        EventKind::EntryRevised => "revised",
        EventKind::EntryRemoved => "removed",
        EventKind::EntryRestored => "restored",
        EventKind::EntryFlapping => "flapping",
        EventKind::EntryPublished => "published",
        EventKind::FeedFailing => "failing",
        EventKind::FeedRecovered => "recovered",
        EventKind::FeedGone => "gone",
        EventKind::FeedMoved => "moved",
        EventKind::FeedBulkEdit => "bulk edit",
        EventKind::TargetDisabled => "target disabled",
        EventKind::ServiceOffline => "offline",
        EventKind::ServiceOnline => "online",
        EventKind::DigestReady => "digest",
        EventKind::PingTest => "test",
    }
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub(crate) fn and<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// `1 paragraph`, `2 paragraphs`.
#[must_use]
pub(crate) fn count(number: impl Into<u64>, one: &str) -> String {
    match number.into() {
        1 => format!("1 {one}"),
        number => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::classify::Significance;

    #[test]
    fn names_are_those_of_the_machine_formats() {
        for value in [
            Label::Headline,
            Label::Byline,
            Label::Date,
            Label::Address,
            Label::Guid,
            Label::Typographic,
            Label::Typo,
            Label::Wording,
            Label::Number,
            Label::Name,
            Label::Negation,
            Label::Quote,
            Label::Attribution,
            Label::ParagraphAdded,
            Label::ParagraphRemoved,
            Label::Moved,
            Label::Link,
            Label::CorrectionNotice,
            Label::Revert,
            Label::Unannounced,
        ] {
            assert_eq!(serde_json::to_value(value).unwrap(), label(value));
        }
        for value in [
            Significance::Typographic,
            Significance::Minor,
            Significance::Substantive,
        ] {
            assert_eq!(serde_json::to_value(value).unwrap(), value.as_str());
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(and([]), "");
        assert_eq!(and(["a"]), "a");
        assert_eq!(and(["a", "b", "c"]), "a, b and c");
        assert_eq!(count(1_u32, "word"), "1 word");
        assert_eq!(count(0_u32, "word"), "0 words");
    }
}
