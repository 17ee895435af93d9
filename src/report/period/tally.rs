//! The counts of a report: by article, by group, by day, by delay.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use super::GroupBy;
use crate::domain::event::Event;
use crate::domain::ids::RevisionNumber;
use crate::report::{changed, clean};
use crate::time::Timestamp;

/// Days that the bars show; of a longer period the last ones.
const DAYS: usize = 92;

/// An article that was edited more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// Its identifier, `ent_…`.
    pub entry: String,
    /// Its newest headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The name of its feed.
    pub feed: String,
    /// Changes in the period.
    pub changes: u64,
    /// Its newest revision in the period.
    pub revision: RevisionNumber,
}

/// How many changes a feed, a tag or an article had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupCount {
    /// The name of the feed, the tag, or the identifier of the article.
    pub key: String,
    /// What people call it.
    pub title: String,
    /// Events of the period, removals included.
    pub changes: u64,
}

/// Changes first seen on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayCount {
    /// The day.
    pub day: NaiveDate,
    /// How many.
    pub changes: u64,
}

/// How many articles were first edited within a span after their publication, and not within a shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// The span in seconds; absent for "later".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<u64>,
    /// How it is called.
    pub name: &'static str,
    /// How many articles.
    pub articles: u64,
}

const DELAYS: [(Option<u64>, &str); 7] = [
    (Some(15 * 60), "15 min"),
    (Some(3600), "1 h"),
    (Some(3 * 3600), "3 h"),
    (Some(12 * 3600), "12 h"),
    (Some(86_400), "1 day"),
    (Some(7 * 86_400), "1 week"),
    (None, "later"),
];

#[derive(Debug)]
pub(super) struct Tally {
    zone: Tz,
    since: Timestamp,
    until: Timestamp,
    events: u64,
    articles: HashMap<String, Edited>,
    groups: HashMap<String, GroupCount>,
    days: BTreeMap<NaiveDate, u64>,
    delays: [u64; DELAYS.len()],
}

pub(super) struct Tallied {
    pub(super) events: u64,
    pub(super) articles: u64,
    pub(super) most_edited: Vec<Edited>,
    pub(super) groups: Vec<GroupCount>,
    pub(super) days: Vec<DayCount>,
    pub(super) delays: Vec<Delay>,
}

impl Tally {
    pub(super) fn new(since: Timestamp, until: Timestamp, zone: Tz) -> Self {
        Self {
            zone,
            since,
            until,
            events: 0,
            articles: HashMap::new(),
            groups: HashMap::new(),
            days: BTreeMap::new(),
            delays: [0; DELAYS.len()],
        }
    }

    pub(super) fn add(&mut self, event: &Event, by: GroupBy) {
        self.events += 1;
        for key in keys(event, by) {
            let group = self
                .groups
                .entry(key.clone())
                .or_insert_with(|| GroupCount {
                    title: group_title(event, by, &key),
                    key,
                    changes: 0,
                });
            group.changes += 1;
        }
        let data = &event.data;
        let Some(change) = &data.change else {
            return;
        };
        let day = self.day(event.timestamp);
        *self.days.entry(day).or_default() += 1;
        let (Some(entry), Some(after)) = (&data.entry, &data.after) else {
            return;
        };
        let article = self
            .articles
            .entry(entry.id.clone())
            .or_insert_with(|| Edited {
                entry: entry.id.clone(),
                title: changed::title(data, 160),
                url: changed::address(data),
                feed: data
                    .feed
                    .as_ref()
                    .map(|feed| feed.name.clone())
                    .unwrap_or_default(),
                changes: 0,
                revision: after.revision,
            });
        article.changes += 1;
        let is_first = data
            .before
            .as_ref()
            .is_some_and(|before| before.revision.0 == 1);
        let published = entry.published.filter(|at| *at > Timestamp::from_unix(0));
        if let (true, Some(published)) = (is_first, published)
            && published < change.window.first_changed
        {
            self.delay(change.window.first_changed.since(published));
        }
    }

    fn delay(&mut self, span: Duration) {
        let place = DELAYS
            .iter()
            .position(|(within, _)| within.is_none_or(|within| span.as_secs() < within));
        if let Some(count) = place.and_then(|place| self.delays.get_mut(place)) {
            *count += 1;
        }
    }

    fn day(&self, at: Timestamp) -> NaiveDate {
        at.to_chrono().with_timezone(&self.zone).date_naive()
    }

    pub(super) fn finish(self, most: usize) -> Tallied {
        let articles = self.articles.len() as u64;
        let days = self.all_days();
        let mut most_edited: Vec<Edited> = self
            .articles
            .into_values()
            .filter(|article| article.changes > 1)
            .collect();
        most_edited.sort_by(|a, b| {
            b.changes
                .cmp(&a.changes)
                .then_with(|| a.entry.cmp(&b.entry))
        });
        most_edited.truncate(most);
        let mut groups: Vec<GroupCount> = self.groups.into_values().collect();
        groups.sort_by(|a, b| b.changes.cmp(&a.changes).then_with(|| a.key.cmp(&b.key)));
        let delays = DELAYS.into_iter().zip(self.delays);
        Tallied {
            events: self.events,
            articles,
            most_edited,
            groups,
            days,
            delays: delays
                .map(|((within, name), articles)| Delay {
                    within,
                    name,
                    articles,
                })
                .collect(),
        }
    }

    /// Every day of the period, those without a change too.
    fn all_days(&self) -> Vec<DayCount> {
        let (first, last) = (
            self.day(self.since),
            self.day(self.until - Duration::from_millis(1)),
        );
        let start = self.days.keys().next().copied().unwrap_or(first).min(first);
        let mut days = Vec::new();
        let mut day = last;
        while day >= start && days.len() < DAYS {
            days.push(DayCount {
                day,
                changes: self.days.get(&day).copied().unwrap_or(0),
            });
            let Some(before) = day.pred_opt() else { break };
            day = before;
        }
        days.reverse();
        days
    }
}

/// The groups that an event belongs to.
pub(super) fn keys(event: &Event, by: GroupBy) -> impl Iterator<Item = String> {
    const NONE: &str = "-";
    let data = &event.data;
    let keys = match by {
        GroupBy::Feed => data.feed.iter().map(|feed| feed.name.clone()).collect(),
        GroupBy::Tag => data
            .feed
            .iter()
            .flat_map(|feed| feed.tags.clone())
            .collect(),
        GroupBy::Entry => data.entry.iter().map(|entry| entry.id.clone()).collect(),
    };
    let keys: Vec<String> = keys;
    if keys.is_empty() {
        vec![NONE.to_owned()].into_iter()
    } else {
        keys.into_iter()
    }
}

fn group_title(event: &Event, by: GroupBy, key: &str) -> String {
    match by {
        GroupBy::Feed => changed::feed_name(event.data.feed.as_ref(), 80),
        GroupBy::Tag if key == "-" => "no tag".to_owned(),
        GroupBy::Tag => clean::excerpt(key, 80),
        GroupBy::Entry => changed::title(&event.data, 160).unwrap_or_else(|| key.to_owned()),
    }
}
