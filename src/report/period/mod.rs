//! `revisor report`: what changed in a period, and how much of it was watched.
//!
//! [`Builder`] takes the changes one after another and keeps only those that the report shows in full, so that a year
//! of a thousand feeds needs no more memory than a day of one. The renderers, [`text`](text::render),
//! [`markdown`](markdown::render) and [`html`](html::render), take the finished [`Report`].

mod coverage;
pub mod html;
pub mod markdown;
mod tally;
pub mod text;

use serde::Serialize;

use super::changed;
use super::clean;
use super::log::LogRow;
use super::names;
use crate::domain::classify::{Label, Significance};
use crate::domain::event::{Event, EventKind, Field};
use crate::time::Timestamp;

pub use coverage::{Coverage, FeedCoverage, FeedGap};
use tally::Tally;
pub use tally::{DayCount, Delay, Edited, GroupCount};

/// The version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// Changes that a section shows in full; the rest is listed by feed, with a line each.
const IN_FULL: usize = 50;

/// Changes that are listed with a line each; the rest is only counted.
const LINES: usize = 200;

/// Articles in the list of those edited most often.
const MOST_EDITED: usize = 10;

/// How the changes that no section shows are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// By feed.
    Feed,
    /// By tag; a change of a feed with two tags is in both groups.
    Tag,
    /// By article.
    Entry,
}

/// How much was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Changes, events such as removals not counted.
    pub changes: u64,
    /// Those that changed what the text says.
    pub substantive: u64,
    /// Typos and the like.
    pub minor: u64,
    /// Quotation marks, dashes and the like.
    pub typographic: u64,
    /// Changes of headlines that readers see.
    pub headlines: u64,
    /// Substantive changes that the article does not mention.
    pub unannounced: u64,
    /// Other substantive changes that are unannounced, or of figures, negations or quotations.
    pub notable: u64,
    /// Articles that were taken down.
    pub removed: u64,
    /// Articles that came back.
    pub restored: u64,
    /// Articles that went back and forth between two texts.
    pub flapping: u64,
    /// Articles with at least one change.
    pub articles: u64,
    /// Changes that the default filter hides.
    pub hidden: u64,
}

/// How much was watched at the end of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Watched {
    /// Feeds in the configuration.
    pub feeds: u64,
    /// Articles that revisor knows.
    pub articles: u64,
    /// Pages that are still checked.
    pub pages: u64,
}

impl Watched {
    fn sentence(&self) -> String {
        format!(
            "{}, {}, {} still being checked.",
            names::count(self.feeds, "feed"),
            names::count(self.articles, "article"),
            names::count(self.pages, "page")
        )
    }
}

/// Text that is not compared, and moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct IgnoredCount {
    /// Places that moved.
    pub places: u64,
    /// Articles with such a place.
    pub articles: u64,
}

/// What does not come from the changes themselves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Surroundings {
    /// How much was watched.
    pub watched: Watched,
    /// Ignored text that moved.
    pub ignored: IgnoredCount,
    /// What could not be watched.
    pub coverage: Coverage,
    /// Changes that the filter hides.
    pub hidden: u64,
}

/// A finished report. Its JSON form is the output of `report --json`: `changes` holds each event once, and the sections
/// name their places in it, from 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The start of the period.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// How much was found.
    pub totals: Totals,
    /// How much was watched.
    pub watched: Watched,
    /// What could not be watched.
    pub coverage: Coverage,
    /// Ignored text that moved.
    pub ignored: IgnoredCount,
    /// Headlines that changed, the weightiest first.
    pub headlines: Vec<usize>,
    /// Unannounced edits, and edits of figures, negations and quotations, the weightiest first.
    pub notable: Vec<usize>,
    /// Articles that were taken down, came back, or went back and forth, newest first.
    pub removed: Vec<usize>,
    /// Articles that were edited most often.
    pub most_edited: Vec<Edited>,
    /// How many changes each feed, tag or article had, the most first.
    pub groups: Vec<GroupCount>,
    /// What `groups` stands for.
    pub grouped_by: GroupBy,
    /// The changes that no section above shows, newest first.
    pub rest: Vec<usize>,
    /// Changes that are only counted, since the report would be too long.
    pub left_out: u64,
    /// Changes by day, in the time zone of the reader.
    pub days: Vec<DayCount>,
    /// How long after publication articles were first edited.
    pub delays: Vec<Delay>,
    /// The events.
    #[serde(serialize_with = "events")]
    pub changes: Vec<LogRow>,
}

fn events<S: serde::Serializer>(rows: &[LogRow], serializer: S) -> Result<S::Ok, S::Error> {
    let events: Vec<&Event> = rows.iter().map(|row| &row.event).collect();
    events.serialize(serializer)
}

/// Builds a [`Report`] of events that are handed over newest first.
#[derive(Debug)]
pub struct Builder {
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
    /// A report of the time from `since` up to `until`; days are those of `zone`.
    #[must_use]
    pub fn new(
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

    /// Takes the next event.
    pub fn add(&mut self, row: LogRow) {
        self.count(&row.event);
        self.tally.add(&row.event, self.grouped_by);
        let score = row
            .event
            .data
            .change
            .as_ref()
            .map_or(0, |change| change.score);
        let dropped = match section(&row.event) {
            Section::Headlines => self.headlines.push(score, row),
            Section::Notable => {
                self.totals.notable += 1;
                self.notable.push(score, row)
            }
            // By time alone.
            Section::Removed => self.removed.push(0, row),
            Section::Rest => Some(row),
        };
        if let Some(row) = dropped {
            self.rest.push(0, row);
        }
    }

    fn count(&mut self, event: &Event) {
        let totals = &mut self.totals;
        match event.kind {
            EventKind::EntryRemoved => totals.removed += 1,
            EventKind::EntryRestored => totals.restored += 1,
            EventKind::EntryFlapping => totals.flapping += 1,
            _ => {}
        }
        let Some(change) = &event.data.change else {
            return;
        };
        totals.changes += 1;
        match change.significance {
            Significance::Substantive => totals.substantive += 1,
            Significance::Minor => totals.minor += 1,
            Significance::Typographic => totals.typographic += 1,
        }
        totals.headlines += u64::from(is_headline(event));
        totals.unannounced += u64::from(change.labels.contains(&Label::Unannounced));
    }

    /// The report, once all events were added.
    #[must_use]
    pub fn finish(self, around: Surroundings) -> Report {
        let tallied = self.tally.finish(MOST_EDITED);
        let listed = |best: &Best| best.rows.len().min(best.most) as u64;
        let shown = [&self.headlines, &self.notable, &self.removed, &self.rest];
        let shown: u64 = shown.into_iter().map(listed).sum();
        let mut changes = Vec::new();
        let mut places = |best: Best| -> Vec<usize> {
            let first = changes.len();
            changes.extend(best.finish());
            (first..changes.len()).collect()
        };
        let (headlines, notable) = (places(self.headlines), places(self.notable));
        let removed = places(self.removed);
        let mut last = self.rest;
        // Those that had to leave a section came late.
        last.rows.sort_by_key(|(_, row)| {
            std::cmp::Reverse((row.event.timestamp, row.event.data.number))
        });
        let rest = places(last);
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
            grouped_by: self.grouped_by,
            rest,
            left_out: tallied.events.saturating_sub(shown),
            days: tallied.days,
            delays: tallied.delays,
            changes,
        }
    }
}

enum Section {
    Headlines,
    Notable,
    Removed,
    Rest,
}

fn section(event: &Event) -> Section {
    let Some(change) = &event.data.change else {
        return Section::Removed;
    };
    if is_headline(event) {
        return Section::Headlines;
    }
    let weighty = change.significance == Significance::Substantive
        && change.labels.iter().any(|label| {
            matches!(
                label,
                Label::Unannounced | Label::Number | Label::Negation | Label::Quote
            )
        });
    if weighty {
        Section::Notable
    } else {
        Section::Rest
    }
}

/// Whether a headline that readers see has changed its words.
fn is_headline(event: &Event) -> bool {
    event.data.change.as_ref().is_some_and(|change| {
        change.fields.contains(&Field::Title)
            && change.significance != Significance::Typographic
            && names::is_read(&change.headlines)
    })
}

/// The rows with the highest score; of those with the same score the ones that came first.
#[derive(Debug)]
struct Best {
    most: usize,
    rows: Vec<(u8, LogRow)>,
}

impl Best {
    fn new(most: usize) -> Self {
        Self {
            most,
            rows: Vec::new(),
        }
    }

    /// Takes a row, and gives back one that has no place any more.
    fn push(&mut self, score: u8, row: LogRow) -> Option<LogRow> {
        // After all others with this score or a higher one.
        let place = self.rows.partition_point(|(other, _)| *other >= score);
        self.rows.insert(place, (score, row));
        if self.rows.len() > self.most {
            self.rows.pop().map(|(_, row)| row)
        } else {
            None
        }
    }

    fn finish(self) -> impl Iterator<Item = LogRow> {
        self.rows.into_iter().map(|(_, row)| row)
    }
}

impl Report {
    /// The rows of a section.
    pub fn rows<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = &'a LogRow> {
        places.iter().filter_map(|place| self.changes.get(*place))
    }

    /// The sections with changes in full: name, places, and how many changes there are in all.
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
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.left_out == 0
    }

    /// The rows of `rest` by group, groups in the order of [`Self::groups`] and rows newest first.
    fn rest_by_group(&self) -> Vec<(&GroupCount, Vec<&LogRow>)> {
        let groups = self.groups.iter().map(|group| {
            let rows = self.rows(&self.rest);
            let own = rows
                .filter(|row| tally::keys(&row.event, self.grouped_by).any(|key| key == group.key));
            (group, own.collect::<Vec<_>>())
        });
        groups.filter(|(_, rows)| !rows.is_empty()).collect()
    }

    /// The sentences that sum the report up, the most important first.
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
            (totals.headlines, "headline"),
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

/// Labels whose reasons say more than the words of the change themselves, the most telling first.
const TELLING: [Label; 7] = [
    Label::Negation,
    Label::Number,
    Label::Quote,
    Label::Attribution,
    Label::Name,
    Label::CorrectionNotice,
    Label::Unannounced,
];

/// Labels that are explained at most.
const EXPLAINED: usize = 3;

/// Why a change matters, in one line; empty when there is nothing to say.
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
