//! The counts of a report: by article, by group, by day, by delay.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use super::{Details, GroupBy};
use crate::domain::event::EventData;
use crate::domain::ids::{EntryId, EventId, FeedId, RevisionNumber};
use crate::domain::outline::Outline;
use crate::report::{changed, clean};
use crate::time::Timestamp;

/// Days with a bar; for a longer period, the last ones.
const DAYS: usize = 92;

/// An article that was edited more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EditedArticle {
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
pub(crate) struct GroupCount {
    /// The name of the feed, the tag, or the identifier of the article.
    pub key: String,
    /// Its name for people.
    pub title: String,
    /// Events in the period, removals included.
    pub changes: u64,
}

/// Changes first seen on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct DayCount {
    /// The day.
    pub day: NaiveDate,
    /// How many.
    pub changes: u64,
}

/// How many articles were first edited within a time span after publication, but not within a shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Delay {
    /// The span in seconds; absent for "later".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<u64>,
    /// Its name.
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
    feeds: HashMap<Option<FeedId>, u64>,
    articles: HashMap<Option<EntryId>, OfArticle>,
    days: BTreeMap<NaiveDate, u64>,
    delays: [u64; DELAYS.len()],
}

#[derive(Debug, Default)]
struct OfArticle {
    events: u64,
    changes: u64,
    /// The newest change.
    newest: Option<(Timestamp, EventId)>,
}

pub(super) struct Tallied {
    pub(super) events: u64,
    pub(super) articles: u64,
    pub(super) most_edited: Vec<EditedArticle>,
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
            feeds: HashMap::new(),
            articles: HashMap::new(),
            days: BTreeMap::new(),
            delays: [0; DELAYS.len()],
        }
    }

    pub(super) fn add(&mut self, outline: &Outline) {
        self.events += 1;
        *self.feeds.entry(outline.feed).or_default() += 1;
        let article = self.articles.entry(outline.entry).or_default();
        article.events += 1;
        let Some(change) = &outline.change else {
            return;
        };
        article.changes += 1;
        article.newest = article.newest.max(Some((outline.at, outline.event)));
        *self.days.entry(self.day(outline.at)).or_default() += 1;
        if let Some(span) = change.first_edit {
            self.delay(span);
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

    /// The articles that were edited more than once, the most changes first, each with its newest change.
    pub(super) fn most_edited(&self, most: usize) -> Vec<(u64, EventId)> {
        let mut edited: Vec<(u64, EventId)> = self
            .articles
            .iter()
            .filter(|(entry, article)| entry.is_some() && article.changes > 1)
            .filter_map(|(_, article)| Some((article.changes, article.newest?.1)))
            .collect();
        edited.sort_unstable_by_key(|edited| Reverse(*edited));
        edited.truncate(most);
        edited
    }

    /// The articles with an event.
    pub(super) fn entries(&self) -> impl Iterator<Item = EntryId> {
        self.articles.keys().copied().flatten()
    }

    pub(super) fn finish(self, most: usize, by: GroupBy, known: &Details) -> Tallied {
        let most_edited = self.most_edited(most).into_iter();
        let most_edited = most_edited
            .filter_map(|(changes, newest)| edited(changes, &known.rows.get(&newest)?.event.data));
        let articles = self.articles.iter();
        let articles = articles.filter(|(entry, article)| entry.is_some() && article.changes > 0);
        let delays = DELAYS.into_iter().zip(self.delays);
        Tallied {
            events: self.events,
            articles: articles.count() as u64,
            most_edited: most_edited.collect(),
            groups: self.groups(by, known),
            days: self.all_days(),
            delays: delays
                .map(|((within, name), articles)| Delay {
                    within,
                    name,
                    articles,
                })
                .collect(),
        }
    }

    fn groups(&self, by: GroupBy, known: &Details) -> Vec<GroupCount> {
        let mut groups: HashMap<String, GroupCount> = HashMap::new();
        let mut count = |keys: Vec<(String, String)>, changes: u64| {
            for (key, title) in keys {
                let group = groups.entry(key.clone());
                let group = group.or_insert(GroupCount {
                    key,
                    title,
                    changes: 0,
                });
                group.changes += changes;
            }
        };
        if by == GroupBy::Entry {
            for (entry, article) in &self.articles {
                count(known.keys(by, None, *entry), article.events);
            }
        } else {
            for (feed, events) in &self.feeds {
                count(known.keys(by, *feed, None), *events);
            }
        }
        let mut groups: Vec<GroupCount> = groups.into_values().collect();
        groups.sort_by(|a, b| b.changes.cmp(&a.changes).then_with(|| a.key.cmp(&b.key)));
        groups
    }

    /// Every day of the period, including those without a change.
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

fn edited(changes: u64, data: &EventData) -> Option<EditedArticle> {
    Some(EditedArticle {
        entry: data.entry.as_ref()?.id.clone(),
        title: changed::title(data, 160),
        url: changed::address(data),
        feed: data
            .feed
            .as_ref()
            .map(|feed| feed.name.clone())
            .unwrap_or_default(),
        changes,
        revision: data.after.as_ref()?.revision,
    })
}

impl Details {
    /// The groups that an event belongs to, with their names for people.
    pub(super) fn keys(
        &self,
        by: GroupBy,
        feed: Option<FeedId>,
        entry: Option<EntryId>,
    ) -> Vec<(String, String)> {
        const NONE: &str = "-";
        let feed = feed.and_then(|id| self.feeds.get(&id));
        let entry = entry.and_then(|id| self.entries.get(&id));
        match (by, feed, entry) {
            (GroupBy::Feed, Some(feed), _) => {
                vec![(feed.name.clone(), changed::feed_name(Some(feed), 80))]
            }
            (GroupBy::Tag, Some(feed), _) if !feed.tags.is_empty() => {
                let tags = feed.tags.iter();
                tags.map(|tag| (tag.clone(), clean::excerpt(tag, 80)))
                    .collect()
            }
            (GroupBy::Entry, _, Some((id, title))) => {
                let title = title.as_deref().map(|title| clean::excerpt(title, 160));
                let title = title.filter(|title| !title.is_empty());
                vec![(id.clone(), title.unwrap_or_else(|| id.clone()))]
            }
            (GroupBy::Tag, ..) => vec![(NONE.to_owned(), "no tag".to_owned())],
            _ => vec![(NONE.to_owned(), NONE.to_owned())],
        }
    }
}
