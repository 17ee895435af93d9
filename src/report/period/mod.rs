//! `revisor report`: what changed in a period, and how much of it was watched.
//!
//! [`Builder`] counts the outlines of events one after another and keeps those that the report shows, so that a
//! year of a thousand feeds needs little more memory than a day of one. Only events that are shown are then read
//! in full and passed in as [`Details`]. The renderers, [`text`](text::render), [`markdown`](markdown::render) and
//! [`html`](html::render), take the finished [`Report`].

mod coverage;
pub(crate) mod html;
pub(crate) mod markdown;
mod tally;
pub(crate) mod text;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::changed;
use super::clean;
use super::log::LogRow;
use super::names;
use crate::domain::classify::{Label, Significance};
use crate::domain::event::{Event, EventKind, FeedInfo};
use crate::domain::ids::{ChangeNumber, EntryId, EventId, FeedId};
use crate::domain::outline::Outline;
use crate::time::Timestamp;

pub(crate) use coverage::{Coverage, FeedCoverage, FeedGap};
use tally::Tally;
pub(crate) use tally::{DayCount, Delay, EditedArticle, GroupCount};

/// The version of the JSON form.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Changes that a section shows in full; the rest is listed by feed, one line each.
const IN_FULL: usize = 50;

/// Changes that are listed with one line each; the rest is only counted.
const LINES: usize = 200;

/// Articles in the list of those edited most often.
const MOST_EDITED: usize = 10;

/// How the changes that no section shows are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GroupBy {
    /// By feed.
    Feed,
    /// By tag; a change in a feed with two tags is in both groups.
    Tag,
    /// By article.
    Entry,
}

/// How much was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Totals {
    /// Changes, without events such as removals.
    pub changes: u64,
    /// Changes to the meaning of a text.
    pub substantive: u64,
    /// Typos and the like.
    pub minor: u64,
    /// Quotation marks, dashes and the like.
    pub typographic: u64,
    /// Changes of headlines that readers see.
    pub headlines: u64,
    /// Substantive changes that the article does not mention.
    pub unannounced: u64,
    /// Other substantive changes that are unannounced, or that change figures, negations or quotations.
    pub notable: u64,
    /// Articles that were removed.
    pub removed: u64,
    /// Articles that were restored.
    pub restored: u64,
    /// Articles that alternated between two texts.
    pub flapping: u64,
    /// Articles with at least one change.
    pub articles: u64,
    /// Changes that the default filter hides.
    pub hidden: u64,
}

/// How much was watched at the end of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct WatchedTotals {
    /// Feeds in the configuration.
    pub feeds: u64,
    /// Articles that revisor knows.
    pub articles: u64,
    /// Pages that are still checked.
    pub pages: u64,
}

impl WatchedTotals {
    fn sentence(&self) -> String {
        format!(
            "{}, {}, {} still being checked.",
            names::count(self.feeds, "feed"),
            names::count(self.articles, "article"),
            names::count(self.pages, "page")
        )
    }
}

/// Ignored text that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct IgnoredCount {
    /// Places whose text moved.
    pub places: u64,
    /// Articles with such a place.
    pub articles: u64,
}

/// The data that does not come from the changes themselves.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ReportContext {
    /// How much was watched.
    pub watched: WatchedTotals,
    /// Ignored text that moved.
    pub ignored: IgnoredCount,
    /// What could not be watched.
    pub coverage: Coverage,
    /// Changes that the filter hides.
    pub hidden: u64,
}

/// A finished report. Its JSON form is the output of `report --json`: `changes` contains each event once, and the
/// sections refer to their indices, from 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The start of the period.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// How much was found.
    pub totals: Totals,
    /// How much was watched.
    pub watched: WatchedTotals,
    /// What could not be watched.
    pub coverage: Coverage,
    /// Ignored text that moved.
    pub ignored: IgnoredCount,
    /// Headlines that changed, the weightiest first.
    pub headlines: Vec<usize>,
    /// Unannounced edits, and edits of figures, negations and quotations, the weightiest first.
    pub notable: Vec<usize>,
    /// Articles that were removed or restored, or that alternated between texts, newest first.
    pub removed: Vec<usize>,
    /// Articles that were edited most often.
    pub most_edited: Vec<EditedArticle>,
    /// How many changes each feed, tag or article had, the most first.
    pub groups: Vec<GroupCount>,
    /// What `groups` are grouped by.
    pub grouped_by: GroupBy,
    /// The changes that no section above shows, newest first.
    pub rest: Vec<usize>,
    /// Changes that are only counted because the report would be too long.
    pub left_out: u64,
    /// The groups of each change of `rest`.
    #[serde(skip)]
    rest_groups: Vec<Vec<String>>,
    /// Changes by day, in the time zone of the reader.
    pub days: Vec<DayCount>,
    /// How long after publication articles were first edited.
    pub delays: Vec<Delay>,
    /// The events.
    #[serde(serialize_with = "events")]
    pub changes: Vec<LogRow>,
    /// Pages as a web archive has saved them after a change, by the number of the change.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub snapshots: BTreeMap<ChangeNumber, String>,
}

fn events<S: serde::Serializer>(rows: &[LogRow], serializer: S) -> Result<S::Ok, S::Error> {
    let events: Vec<&Event> = rows.iter().map(|row| &row.event).collect();
    events.serialize(serializer)
}

/// The stored data of the events that a report shows.
#[derive(Debug, Default)]
pub(crate) struct Details {
    /// The events of [`Builder::shown`].
    pub rows: HashMap<EventId, LogRow>,
    /// Every feed, with its current tags.
    pub feeds: HashMap<FeedId, FeedInfo>,
    /// The identifier and the headline of the articles in [`Builder::named`].
    pub entries: HashMap<EntryId, (String, Option<String>)>,
    /// The addresses of snapshots in a web archive.
    pub snapshots: BTreeMap<ChangeNumber, String>,
}

/// Builds a [`Report`] from events, in any order.
#[derive(Debug)]
pub(crate) struct Builder {
    since: Timestamp,
    until: Timestamp,
    grouped_by: GroupBy,
    totals: Totals,
    tally: Tally,
    headlines: Best,
    notable: Best,
    removed: Best,
    rest: Best,
}

impl Builder {
    /// A report from `since` up to `until`; days are those of `zone`.
    #[must_use]
    pub(crate) fn new(
        since: Timestamp,
        until: Timestamp,
        grouped_by: GroupBy,
        zone: chrono_tz::Tz,
    ) -> Self {
        Self {
            since,
            until,
            grouped_by,
            totals: Totals::default(),
            tally: Tally::new(since, until, zone),
            headlines: Best::new(IN_FULL),
            notable: Best::new(IN_FULL),
            removed: Best::new(IN_FULL),
            rest: Best::new(LINES),
        }
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, outline: Outline) {
        self.count(&outline);
        self.tally.add(&outline);
        let score = outline.change.map_or(0, |change| change.score);
        let dropped = match section(&outline) {
            ReportSection::Headlines => {
                self.totals.headlines += 1;
                self.headlines.push(score, outline)
            }
            ReportSection::Notable => {
                self.totals.notable += 1;
                self.notable.push(score, outline)
            }
            // Sorted by time alone.
            ReportSection::Removed => self.removed.push(0, outline),
            ReportSection::Rest => Some(outline),
        };
        if let Some(outline) = dropped {
            self.rest.push(0, outline);
        }
    }

    fn count(&mut self, outline: &Outline) {
        let totals = &mut self.totals;
        match outline.kind {
            EventKind::EntryRemoved => totals.removed += 1,
            EventKind::EntryRestored => totals.restored += 1,
            EventKind::EntryFlapping => totals.flapping += 1,
            _ => {}
        }
        let Some(change) = &outline.change else {
            return;
        };
        totals.changes += 1;
        match change.significance {
            Significance::Substantive => totals.substantive += 1,
            Significance::Minor => totals.minor += 1,
            Significance::Typographic => totals.typographic += 1,
        }
        totals.unannounced += u64::from(change.unannounced);
    }

    fn best(&self) -> [&Best; 4] {
        [&self.headlines, &self.notable, &self.removed, &self.rest]
    }

    /// The events that the report shows in full.
    #[must_use]
    pub(crate) fn shown(&self) -> Vec<EventId> {
        let listed = self.best().into_iter().flat_map(|best| &best.rows);
        let listed = listed.map(|(_, outline)| outline.event);
        let newest = self.tally.most_edited(MOST_EDITED).into_iter();
        let mut events: Vec<EventId> = listed.chain(newest.map(|(_, event)| event)).collect();
        events.sort_unstable();
        events.dedup();
        events
    }

    /// The articles whose names the report needs.
    #[must_use]
    pub(crate) fn named(&self) -> Vec<EntryId> {
        match self.grouped_by {
            GroupBy::Entry => self.tally.entries().collect(),
            GroupBy::Feed | GroupBy::Tag => Vec::new(),
        }
    }

    /// Finishes the report, once all events are added, with the details of those that are shown.
    #[must_use]
    pub(crate) fn finish(self, around: ReportContext, details: &Details) -> Report {
        let shown = self.best().into_iter().map(|best| best.rows.len() as u64);
        let shown: u64 = shown.sum();
        let by = self.grouped_by;
        let tallied = self.tally.finish(MOST_EDITED, by, details);
        let mut changes = Vec::new();
        let mut rest_groups = Vec::new();
        let mut places = |best: Best| -> Vec<usize> {
            let first = changes.len();
            rest_groups.clear();
            for (_, outline) in best.rows {
                if let Some(row) = details.rows.get(&outline.event) {
                    changes.push(row.clone());
                    let keys = details.keys(by, outline.feed, outline.entry);
                    rest_groups.push(keys.into_iter().map(|(key, _)| key).collect());
                }
            }
            (first..changes.len()).collect()
        };
        let (headlines, notable) = (places(self.headlines), places(self.notable));
        let removed = places(self.removed);
        let rest = places(self.rest);
        Report {
            schema_version: SCHEMA_VERSION,
            since: self.since,
            until: self.until,
            totals: Totals {
                articles: tallied.articles,
                hidden: around.hidden,
                ..self.totals
            },
            watched: around.watched,
            coverage: around.coverage,
            ignored: around.ignored,
            headlines,
            notable,
            removed,
            most_edited: tallied.most_edited,
            groups: tallied.groups,
            grouped_by: by,
            rest,
            left_out: tallied.events.saturating_sub(shown),
            rest_groups,
            days: tallied.days,
            delays: tallied.delays,
            changes,
            snapshots: details.snapshots.clone(),
        }
    }
}

enum ReportSection {
    Headlines,
    Notable,
    Removed,
    Rest,
}

fn section(outline: &Outline) -> ReportSection {
    let Some(change) = &outline.change else {
        return ReportSection::Removed;
    };
    if change.headline && change.significance != Significance::Typographic {
        return ReportSection::Headlines;
    }
    if change.notable && change.significance == Significance::Substantive {
        ReportSection::Notable
    } else {
        ReportSection::Rest
    }
}

/// The outlines with the highest score; among equal scores the newest.
#[derive(Debug)]
struct Best {
    most: usize,
    rows: Vec<(Rank, Outline)>,
}

/// Score, time, and for events of the same time the later one.
type Rank = (u8, Timestamp, EventId);

impl Best {
    fn new(most: usize) -> Self {
        Self {
            most,
            rows: Vec::new(),
        }
    }

    /// Adds an outline, and returns the one that no longer fits, if any.
    fn push(&mut self, score: u8, outline: Outline) -> Option<Outline> {
        let rank = (score, outline.at, outline.event);
        let place = self.rows.partition_point(|(other, _)| *other >= rank);
        if place == self.most {
            return Some(outline);
        }
        self.rows.insert(place, (rank, outline));
        if self.rows.len() > self.most {
            self.rows.pop().map(|(_, outline)| outline)
        } else {
            None
        }
    }
}

impl Report {
    /// The address of the page as a web archive has it since the change.
    fn snapshot(&self, row: &LogRow) -> Option<&str> {
        let number = row.event.data.number?;
        self.snapshots.get(&number).map(String::as_str)
    }

    /// The rows of a section.
    pub(crate) fn rows<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = &'a LogRow> {
        places.iter().filter_map(|place| self.changes.get(*place))
    }

    /// The sections with changes in full: name, indices, and the total number of changes.
    fn sections(&self) -> impl Iterator<Item = (String, &[usize])> {
        let gone = self.totals.removed + self.totals.restored + self.totals.flapping;
        let sections = [
            ("Headlines", &self.headlines, self.totals.headlines),
            (
                "Unannounced edits, figures, negations, quotations",
                &self.notable,
                self.totals.notable,
            ),
            ("Removed and restored", &self.removed, gone),
        ];
        let filled = sections
            .into_iter()
            .filter(|(_, places, _)| !places.is_empty());
        filled.map(|(name, places, all)| {
            let shown = places.len() as u64;
            let count = if shown < all {
                format!("{shown} of {all}")
            } else {
                shown.to_string()
            };
            (format!("{name} ({count})"), places.as_slice())
        })
    }

    /// Whether nothing was found.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.left_out == 0
    }

    /// The rows of `rest` by group, groups in the order of [`Self::groups`] and rows newest first.
    fn rest_by_group(&self) -> Vec<(&GroupCount, Vec<&LogRow>)> {
        let mut by_group: HashMap<&str, Vec<&LogRow>> = HashMap::new();
        for (row, keys) in self.rows(&self.rest).zip(&self.rest_groups) {
            for key in keys {
                by_group.entry(key).or_default().push(row);
            }
        }
        let groups = self.groups.iter();
        groups
            .filter_map(|group| Some((group, by_group.remove(group.key.as_str())?)))
            .collect()
    }

    /// The sentences that summarise the report, the most important first.
    fn summary(&self) -> Vec<String> {
        let totals = &self.totals;
        if self.is_empty() {
            return vec!["No changes.".to_owned()];
        }
        let mut parts = vec![format!(
            "{} in {}",
            names::count(totals.changes, "change"),
            names::count(totals.articles, "article")
        )];
        for (count, what) in [
            (totals.headlines, "new headline"),
            (totals.unannounced, "unannounced edit"),
        ] {
            if count > 0 {
                parts.push(names::count(count, what));
            }
        }
        for (count, what) in [
            (totals.removed, "removed"),
            (totals.restored, "restored"),
            (totals.flapping, "flapping"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let mut lines = vec![format!("{}.", parts.join(", "))];
        lines.push(format!(
            "{} substantive, {} minor, {} typographic.",
            totals.substantive, totals.minor, totals.typographic
        ));
        lines
    }

    /// What was not shown as a change: hidden by the filter, or ignored text.
    fn remarks(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.totals.hidden > 0 {
            let hidden = names::count(self.totals.hidden, "change");
            lines.push(format!("{hidden} hidden (--all shows them)."));
        }
        if self.ignored.places > 0 {
            lines.push(format!(
                "Ignored text moved in {} of {} (revisor log --ignored).",
                names::count(self.ignored.places, "place"),
                names::count(self.ignored.articles, "article")
            ));
        }
        if self.left_out > 0 {
            let more = names::count(self.left_out, "more change");
            lines.push(format!("{more} not listed (revisor log lists all)."));
        }
        lines
    }
}

/// Labels whose reasons say more than the words of the change, the most informative first.
const TELLING: [Label; 7] = [
    Label::Negation,
    Label::Number,
    Label::Quote,
    Label::Attribution,
    Label::Name,
    Label::CorrectionNotice,
    Label::Unannounced,
];

/// The maximum number of labels that are explained.
const EXPLAINED: usize = 3;

/// Why a change matters, in one line; empty if there is nothing to say.
pub(super) fn reasons(row: &LogRow) -> String {
    let Some(change) = &row.event.data.change else {
        return String::new();
    };
    let told = TELLING.iter().filter_map(|label| {
        let reasons = change
            .reasons
            .iter()
            .filter(|reason| reason.label == *label);
        let why: Vec<String> = reasons
            .map(|reason| clean::excerpt(&reason.text, 80))
            .collect();
        (!why.is_empty()).then(|| {
            format!(
                "{}: {}",
                names::label(*label),
                clean::excerpt(&why.join("; "), 160)
            )
        })
    });
    let told: Vec<String> = told.take(EXPLAINED).collect();
    told.join(" · ")
}

/// The headline of an article, for lists.
fn headline(row: &LogRow) -> String {
    changed::title(&row.event.data, 160).unwrap_or_else(|| names::NO_HEADLINE.to_owned())
}

#[cfg(test)]
mod tests;
