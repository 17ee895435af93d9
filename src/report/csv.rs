//! Changes as comma-separated values, for spreadsheets.

use super::changed;
use super::clean;
use super::log::LogRow;
use super::names;
use crate::domain::event::RevisionInfo;

/// The header of [`record`].
pub(crate) const HEAD: &str = "number,noticed,feed,entry,address,fields,significance,score,labels,revision_before,\
revision_after,last_unchanged,first_changed,title_before,title_after,words_added,words_removed\r\n";

/// One record of RFC 4180. Times are UTC; a value that a spreadsheet would treat as a formula is prefixed with an
/// apostrophe.
#[must_use]
pub(crate) fn record(row: &LogRow) -> String {
    let data = &row.event.data;
    let change = data.change.as_ref();
    let text = |value: Option<&str>| {
        value
            .map(|v| clean::line(v).into_owned())
            .unwrap_or_default()
    };
    let joined = |names: Vec<&str>| names.join(" ");
    let number = |value: Option<String>| value.unwrap_or_default();
    let side = |side: &Option<RevisionInfo>| {
        (
            number(side.as_ref().map(|s| s.revision.to_string())),
            text(side.as_ref().and_then(|s| s.title.as_deref())),
        )
    };
    let (before, title_before) = side(&data.before);
    let (after, title_after) = side(&data.after);
    let window = changed::window(data);
    let cells = [
        number(data.number.map(|n| n.to_string())),
        row.event.timestamp.to_rfc3339(),
        text(data.feed.as_ref().map(|feed| feed.name.as_str())),
        text(data.entry.as_ref().map(|entry| entry.id.as_str())),
        text(data.entry.as_ref().and_then(|entry| entry.url.as_deref())),
        joined(change.map_or_else(Vec::new, |c| {
            c.fields.iter().map(|f| names::field(*f)).collect()
        })),
        change
            .map(|c| c.significance.as_str().to_owned())
            .unwrap_or_default(),
        number(change.map(|c| c.score.to_string())),
        joined(change.map_or_else(Vec::new, |c| {
            c.labels.iter().map(|l| names::label(*l)).collect()
        })),
        before,
        after,
        number(window.map(|w| w.last_unchanged.to_rfc3339())),
        number(window.map(|w| w.first_changed.to_rfc3339())),
        title_before,
        title_after,
        number(change.map(|c| c.words.added.to_string())),
        number(change.map(|c| c.words.removed.to_string())),
    ];
    let mut record = cells.map(|cell| csv_cell(&cell)).join(",");
    record.push_str("\r\n");
    record
}

/// Characters that start a formula: spreadsheets also accept the full-width forms when typed, and skip white space
/// before them.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A line of any table: text is cleaned, and no cell is a formula.
#[must_use]
pub(crate) fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| csv_cell(&clean::line(cell)))
        .collect();
    format!("{}\r\n", cells.join(","))
}

pub(super) fn csv_cell(text: &str) -> String {
    let guarded = if text.starts_with(FORMULA) || text.trim_start().starts_with(FORMULA) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Event, EventKind};
    use crate::report::sample::{bare, revised};

    fn row(event: Event) -> LogRow {
        LogRow { event, quiet: None }
    }

    #[test]
    fn nothing_begins_a_formula() {
        for text in ["=1", " =1", "\u{a0}@x", "＝1", "-2", "\t1"] {
            assert_eq!(csv_cell(text), format!("'{text}"));
        }
        assert_eq!(csv_cell("1 = 1"), "1 = 1");
    }

    #[test]
    fn csv_has_as_many_cells_as_its_head_and_no_formula() {
        let mut event = revised();
        event.data.after.as_mut().unwrap().title = Some("=HYPERLINK(\"x\"),\r\ny".into());
        let text = record(&row(event));
        assert_eq!(
            text,
            "412,2026-11-23T09:04:12.481Z,example-news,ent_7,https://news.example/a/123,headline text,substantive,71,\
             headline number moved unannounced,2,3,2026-11-23T08:32:00Z,2026-11-23T09:04:12.481Z,\
             Minister denies report of talks,\"'=HYPERLINK(\"\"x\"\"), y\",9,10\r\n"
        );
        let cells = |line: &str| line.matches(',').count();
        assert_eq!(cells(&record(&row(bare(EventKind::FeedGone)))), cells(HEAD));
    }
}
