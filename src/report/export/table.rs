//! Changes as a table for spreadsheets and statistics: one row per change, with the words removed and added.

use crate::domain::event::Event;
use crate::domain::outcome::Quiet;
use crate::domain::search::ChangedSentences;
use crate::domain::state::EntryState;
use crate::report::csv::csv_cell;
use crate::report::{clean, names};

/// The header of [`record`].
pub(crate) const HEAD: &str = "number,entry,feed,feed_title,feed_address,guid,address,last_unchanged,first_changed,checks,\
failed_checks,fields,headlines,significance,score,labels,not_reported_because,revision_before,revision_after,title_before,\
title_after,standfirst_before,standfirst_after,body_removed,body_added,words_added,words_removed,texts_kept\r\n";

/// A change with both of its texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// The event of the change.
    pub event: &'a Event,
    /// Why it sent no alert.
    pub quiet: Option<Quiet>,
    /// The texts before and after; `None` for a text that is no longer stored.
    pub states: [Option<&'a EntryState>; 2],
    /// The sentences removed and added; empty if a text is no longer stored.
    pub gone: &'a ChangedSentences,
}

/// One record of RFC 4180. Times are UTC; lists are separated by spaces, sentences by line breaks; a value that a
/// spreadsheet would treat as a formula is prefixed with an apostrophe.
#[must_use]
pub(crate) fn record(row: &Row<'_>) -> String {
    let data = &row.event.data;
    let change = data.change.as_ref();
    let feed = data.feed.as_ref();
    let entry = data.entry.as_ref();
    let [before, after] = row.states;
    let line = |text: Option<&str>| {
        text.map(|text| clean::line(text).into_owned())
            .unwrap_or_default()
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let time = |at: Option<crate::time::Timestamp>| {
        at.map(crate::time::Timestamp::to_rfc3339)
            .unwrap_or_default()
    };
    let window = change.map(|change| change.window);
    let list = |words: Vec<&str>| words.join(" ");
    let titles = [&data.before, &data.after]
        .map(|side| side.as_ref().and_then(|side| side.title.as_deref()));
    let sentences = |sentences: &[String]| {
        let lines: Vec<_> = sentences.iter().map(|text| clean::line(text)).collect();
        lines.join("\n")
    };
    let kept = before.is_some() && after.is_some();
    let cells = [
        number(data.number.map(|number| number.0.unsigned_abs())),
        line(entry.map(|entry| entry.id.as_str())),
        line(feed.map(|feed| feed.name.as_str())),
        line(feed.and_then(|feed| feed.title.as_deref())),
        line(feed.map(|feed| feed.url.as_str())),
        line(entry.and_then(|entry| entry.guid.as_deref())),
        line(entry.and_then(|entry| entry.url.as_deref())),
        time(window.map(|window| window.last_unchanged)),
        time(window.map(|window| window.first_changed)),
        number(window.map(|window| u64::from(window.checks))),
        number(window.map(|window| u64::from(window.failed_checks))),
        list(change.map_or_else(Vec::new, |change| {
            change
                .fields
                .iter()
                .map(|field| names::field(*field))
                .collect()
        })),
        list(change.map_or_else(Vec::new, |change| {
            change
                .headlines
                .iter()
                .map(|source| source.as_str())
                .collect()
        })),
        change
            .map(|change| change.significance.as_str().to_owned())
            .unwrap_or_default(),
        number(change.map(|change| u64::from(change.score))),
        list(change.map_or_else(Vec::new, |change| {
            change
                .labels
                .iter()
                .map(|label| names::label(*label))
                .collect()
        })),
        row.quiet
            .map(|quiet| quiet.as_str().to_owned())
            .unwrap_or_default(),
        number(data.before.as_ref().map(|side| u64::from(side.revision.0))),
        number(data.after.as_ref().map(|side| u64::from(side.revision.0))),
        line(titles[0]),
        line(titles[1]),
        line(before.and_then(EntryState::standfirst)),
        line(after.and_then(EntryState::standfirst)),
        sentences(&row.gone.removed),
        sentences(&row.gone.added),
        number(change.map(|change| u64::from(change.words.added))),
        number(change.map(|change| u64::from(change.words.removed))),
        if kept { "yes" } else { "no" }.to_owned(),
    ];
    let mut record = cells.map(|cell| csv_cell(&cell)).join(",");
    record.push_str("\r\n");
    record
}
