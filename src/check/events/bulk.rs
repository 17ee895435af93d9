//! Many edits at the same time are one event: a redesign of a site, or a move to other addresses.
//!
//! One poll of a feed sees all of its edits together. Pages are checked one by one, over hours, so each page check
//! asks the database what other pages have brought.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::events::revise::{EventContext, feed_event};
use crate::domain::classify::Label;
use crate::domain::event::{ChangeInfo, EventKind, Field};
use crate::domain::outcome::{EntryOutcome, NewChange, Outcome, Quiet};
use crate::report::names;
use crate::store::{PageEdits, Reader, StoreError};
use crate::time::Timestamp;

/// A poll that changes nearly all entries of a small feed is a bulk edit of the feed if it changes at least this
/// share of what `detect.bulk_edit` asks for.
const MOST: (usize, usize) = (2, 5);

/// The feed has moved if at least this many entries of one poll changed only their address or guid.
const A_MOVE: usize = 3;

/// How far back to search other pages for the same edit.
const SAME_EDIT_FOR: Duration = Duration::from_hours(24);

/// The same edit of at least this many words on three pages is not a coincidence; one of a single word may be.
const LONG_EDIT: u32 = 8;
const SAME_LONG_EDIT: usize = 3;

/// If half of the pages that were checked in this time have changed, the site itself has changed.
const MOST_PAGES_OF: Duration = Duration::from_hours(1);

/// Silences the changes of a poll that touched at least `limit` entries, or that only moved several of them, and
/// reports them as one event.
///
/// `listed` is how many entries of the document were known before.
pub(in crate::check) fn fold_poll(
    outcome: &mut Outcome,
    listed: usize,
    limit: usize,
    event_context: &EventContext<'_>,
    now: Timestamp,
) {
    fold_flapping(outcome, event_context, now);
    let count = |wanted: fn(&ChangeInfo) -> bool| {
        let told = outcome.entries.iter().filter_map(told_change);
        told.filter_map(|change| change.event.data.change.as_ref())
            .filter(|change| wanted(change))
            .count()
    };
    let all = count(|_| true);
    let moved = count(only_moved);
    let (wanted, detail): (fn(&ChangeInfo) -> bool, String) = if all >= limit
        || (all >= A_MOVE.max(limit * MOST.0 / MOST.1) && all * 10 >= listed * 9)
    {
        let fields = fields_of(outcome);
        (
            |_| true,
            format!("{all} entries changed at the same time: {fields}"),
        )
    } else if moved >= A_MOVE {
        let what = format!("{moved} entries have new addresses or guids, and nothing else changed");
        (only_moved, what)
    } else {
        return;
    };
    let mut silenced = Vec::new();
    for change in outcome.entries.iter_mut().filter_map(told_change_mut) {
        if change.event.data.change.as_ref().is_some_and(wanted) {
            silence(change, &mut silenced);
        }
    }
    tell(outcome, detail, silenced, event_context, now);
}

/// Reports all entries of one poll that start to flap as one event.
fn fold_flapping(outcome: &mut Outcome, event_context: &EventContext<'_>, now: Timestamp) {
    let entries = outcome.entries.iter_mut();
    let mut flapping: Vec<_> = entries
        .flat_map(|entry| &mut entry.events)
        .filter(|event| event.event.kind == EventKind::EntryFlapping && !event.targets.is_empty())
        .collect();
    let count = flapping.len();
    if count < A_MOVE {
        return;
    }
    let mut silenced = Vec::new();
    for event in &mut flapping {
        silenced.append(&mut event.targets);
    }
    let detail = format!(
        "{count} entries keep changing back and forth; no more alerts until a new state appears"
    );
    tell(outcome, detail, silenced, event_context, now);
}

fn told_change(entry: &EntryOutcome) -> Option<&NewChange> {
    let change = entry.revision.as_ref()?.change.as_ref();
    change.filter(|change| change.quiet.is_none())
}

fn told_change_mut(entry: &mut EntryOutcome) -> Option<&mut NewChange> {
    let change = entry.revision.as_mut()?.change.as_mut();
    change.filter(|change| change.quiet.is_none())
}

fn only_moved(change: &ChangeInfo) -> bool {
    let moves = |field: &Field| matches!(field, Field::Address | Field::Guid);
    change.fields.iter().all(moves)
}

/// `headline 9, summary 3`
fn fields_of(outcome: &Outcome) -> String {
    let mut counts: BTreeMap<Field, usize> = BTreeMap::new();
    for change in outcome.entries.iter().filter_map(told_change) {
        let fields = change
            .event
            .data
            .change
            .iter()
            .flat_map(|change| &change.fields);
        for field in fields {
            *counts.entry(*field).or_default() += 1;
        }
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(field, count)| format!("{} {count}", names::field(field)))
        .collect();
    parts.join(", ")
}

fn silence(change: &mut NewChange, silenced: &mut Vec<String>) {
    change.quiet = Some(Quiet::BulkEdit);
    silenced.append(&mut change.targets);
}

/// Every target that would have been alerted to one of these edits gets the one event for all of them.
fn tell(
    outcome: &mut Outcome,
    detail: String,
    mut silenced: Vec<String>,
    event_context: &EventContext<'_>,
    now: Timestamp,
) {
    let mut event = feed_event(EventKind::FeedBulkEdit, Some(detail), event_context, now);
    event.targets.append(&mut silenced);
    event.targets.sort_unstable();
    event.targets.dedup();
    outcome.events.push(event);
}

/// What other pages of a feed have brought recently.
#[derive(Debug, Default)]
pub(in crate::check) struct OtherEdits {
    /// Pages with the same edit.
    same: PageEdits,
    /// Pages with any edit.
    any: PageEdits,
}

impl OtherEdits {
    /// Reads them if the outcome has a change of a page that would be reported.
    ///
    /// The caller holds [`Checker::bulk`](crate::check::Checker) for the feed until the outcome is stored, so that
    /// the second of two checks sees the first.
    pub(in crate::check) fn read(
        reader: &Reader,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let Some(change) = outcome.entries.iter().find_map(told_change) else {
            return Ok(Self::default());
        };
        let feed = outcome.feed;
        let same = match change.edit {
            Some(edit) => reader.pages_with_edit(feed, edit, now - SAME_EDIT_FOR)?,
            None => PageEdits::default(),
        };
        let any = reader.page_edits(feed, now - MOST_PAGES_OF)?;
        Ok(Self { same, any })
    }
}

/// Silences the change of a page if it is one of many: the same edit as on other pages of the feed, or an edit
/// while most of its pages are changing. The first change that is silenced brings the event.
pub(in crate::check) fn fold_page(
    outcome: &mut Outcome,
    others: &OtherEdits,
    limit: usize,
    event_context: &EventContext<'_>,
    now: Timestamp,
) {
    let change = outcome.entries.iter().find_map(told_change);
    let Some(info) = change.and_then(|change| change.event.data.change.as_ref()) else {
        return;
    };
    // A correction is always reported.
    if info.labels.contains(&Label::CorrectionNotice) {
        return;
    }
    let enough = match info.words.added.saturating_add(info.words.removed) {
        words if words >= LONG_EDIT => SAME_LONG_EDIT.min(limit),
        _ => limit,
    };
    let OtherEdits { same, any } = others;
    let (already, detail) = if same.changed + 1 >= enough {
        let detail = format!(
            "the same edit was made on {} pages; no single alerts for further pages",
            same.changed + 1
        );
        (same.folded, detail)
    } else {
        let changed = any.changed + 1;
        if changed < limit || changed * 2 < any.looked {
            return;
        }
        let detail = format!(
            "{changed} of {} pages that were checked within an hour changed; no single alerts for further \
             pages",
            any.looked.max(changed)
        );
        (any.folded, detail)
    };
    let mut silenced = Vec::new();
    for change in outcome.entries.iter_mut().filter_map(told_change_mut) {
        silence(change, &mut silenced);
    }
    if !already {
        tell(outcome, detail, silenced, event_context, now);
    }
}
