//! Which targets an event is for.

use super::classify::{Label, Significance};
use super::event::{Event, EventKind, Field};
use super::wording::{WordPhrase, mentions};

/// Which events a target wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRule {
    /// The target's name.
    pub name: String,
    /// Event names, or `entry.*`, `feed.*`, `service.*`, `*`.
    pub events: Vec<String>,
    /// Names of feeds; empty means all feeds.
    pub feeds: Vec<String>,
    /// Tags of feeds; empty means all feeds.
    pub tags: Vec<String>,
    /// Only changes of one of these fields; empty means any. Events other than changes have no fields and always
    /// pass.
    pub fields: Vec<Field>,
    /// Only changes with one of these labels; empty means any.
    pub labels: Vec<Label>,
    /// Only events of articles with one of these phrases in a headline, or in removed or added text; empty means
    /// any.
    pub phrases: Vec<WordPhrase>,
    /// Changes with a lower score are not reported.
    pub min_score: u8,
    /// Changes below this significance are not reported.
    pub significance: Significance,
}

impl TargetRule {
    /// Whether the event is for this target.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let feed_tags = event
            .data
            .feed
            .as_ref()
            .map(|feed| feed.tags.as_slice())
            .unwrap_or_default();
        let about_all = matches!(
            event.kind,
            EventKind::ServiceOffline | EventKind::ServiceOnline
        );
        let tagged = about_all
            || self.tags.is_empty()
            || self.tags.iter().any(|tag| feed_tags.contains(tag));
        let feed = event.data.feed.as_ref().map(|feed| &feed.name);
        let named = about_all
            || self.feeds.is_empty()
            || feed.is_some_and(|feed| self.feeds.contains(feed));
        let weighty = event.data.change.as_ref().is_none_or(|change| {
            change.significance >= self.significance
                && change.score >= self.min_score
                && (self.fields.is_empty()
                    || change
                        .fields
                        .iter()
                        .any(|field| self.fields.contains(field)))
                && (self.labels.is_empty()
                    || change
                        .labels
                        .iter()
                        .any(|label| self.labels.contains(label)))
        });
        let listed = self
            .events
            .iter()
            .any(|pattern| matches(pattern, event.kind));
        listed && named && tagged && weighty && mentions(event, &self.phrases)
    }
}

/// The names of the targets that the event is for.
#[must_use]
pub fn targets_for(rules: &[TargetRule], event: &Event) -> Vec<String> {
    rules
        .iter()
        .filter(|rule| rule.wants(event))
        .map(|rule| rule.name.clone())
        .collect()
}

/// `entry.published` is not an edit: a pattern with a star does not match it; it has to be named.
pub(super) fn matches(pattern: &str, kind: EventKind) -> bool {
    // An outage of our own network replaces the events of each feed.
    let stands_for = match kind {
        EventKind::ServiceOffline => Some(EventKind::FeedFailing),
        EventKind::ServiceOnline => Some(EventKind::FeedRecovered),
        _ => None,
    };
    if stands_for.is_some_and(|kind| matches(pattern, kind)) {
        return true;
    }
    let name = kind.as_str();
    match pattern.strip_suffix('*') {
        Some(prefix) => kind != EventKind::EntryPublished && name.starts_with(prefix),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{EventData, FeedInfo, SCHEMA_VERSION};
    use crate::time::Timestamp;

    fn event(kind: EventKind, tags: &[&str]) -> Event {
        let feed = FeedInfo {
            name: "a".into(),
            title: None,
            url: "https://news.example/rss".into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        Event {
            kind,
            timestamp: Timestamp::from_millis(0),
            schema_version: SCHEMA_VERSION,
            data: EventData {
                feed: Some(feed),
                ..EventData::default()
            },
        }
    }

    fn told(events: &[&str], tags: &[&str], event: &Event) -> bool {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let rule = TargetRule {
            name: "desk".into(),
            events: owned(events),
            feeds: Vec::new(),
            tags: owned(tags),
            labels: Vec::new(),
            phrases: Vec::new(),
            fields: Vec::new(),
            min_score: 0,
            significance: Significance::Substantive,
        };
        targets_for(&[rule], event) == ["desk"]
    }

    #[test]
    fn a_star_stands_for_all_but_what_is_no_edit() {
        let removed = event(EventKind::EntryRemoved, &[]);
        for events in [&["*"], &["entry.*"], &["entry.removed"]] {
            assert!(told(events, &[], &removed), "{events:?}");
        }
        for events in [
            &["feed.*"],
            &["entry.restored"],
            &["entry"],
            &["entry.remove"],
        ] {
            assert!(!told(events, &[], &removed), "{events:?}");
        }
        assert!(!told(&[], &[], &removed));
        let published = event(EventKind::EntryPublished, &[]);
        assert!(!told(&["*", "entry.*", "entry.publ*"], &[], &published));
        assert!(told(&["entry.published"], &[], &published));
    }

    #[test]
    fn one_tag_of_the_target_is_enough() {
        let tagged = event(EventKind::EntryRemoved, &["uk", "politics"]);
        assert!(told(&["*"], &[], &tagged));
        assert!(told(&["*"], &["us", "politics"], &tagged));
        assert!(!told(&["*"], &["us"], &tagged));
        assert!(!told(&["*"], &["us"], &event(EventKind::EntryRemoved, &[])));
    }
}
