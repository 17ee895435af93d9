//! Changes: their numbers, their columns, and the words between the texts.

use rusqlite::{Connection, Row};

use super::super::error::StoreError;
use super::diff::{unshown_field, unshown_headline, wrong_field};
use super::told::{is_of, numbers, read, side_fits};
use super::{Verified, VerifyTask};
use crate::domain::event::ChangeInfo;
use crate::domain::ids::ChangeNumber;
use crate::domain::state::EntryState;
use crate::sql::{join_words, json_word};
use crate::states;
use crate::time::Timestamp;

pub(super) fn changes(
    conn: &Connection,
    found: &mut Verified,
    work: &mut VerifyTask<'_>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "SELECT c.number, v.bytes, v.body, c.before_revision, c.after_revision, \
         (SELECT state_id FROM revisions WHERE entry_id = c.entry_id AND number = c.before_revision), \
         (SELECT state_id FROM revisions WHERE entry_id = c.entry_id AND number = c.after_revision), \
         c.last_unchanged_at, c.first_changed_at, c.score, c.significance, c.fields, c.labels, c.words_added, \
         c.words_removed, v.type, v.created_at \
         FROM changes AS c LEFT JOIN events AS v ON v.id = c.event_id ORDER BY c.number",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let number: ChangeNumber = row.get(0)?;
        work.one();
        match change(conn, row, number, found) {
            Ok(()) => {}
            // A type that differs from the schema, or invalid text.
            Err(error) if error.is_damaged() => found.fault(format!("change #{number}: {error}")),
            Err(error) => return Err(error),
        }
    }
    numbers(conn, found, "changes", "number", "change")
}

fn change(
    conn: &Connection,
    row: &Row<'_>,
    number: ChangeNumber,
    found: &mut Verified,
) -> Result<(), StoreError> {
    let Some(event) = read(row, 1) else {
        found.fault(format!("change #{number}: its event cannot be read"));
        return Ok(());
    };
    if event.data.number != Some(number) {
        found.fault(format!("change #{number}: its event has another number"));
    }
    if !is_of(&event, row, 15)? {
        found.fault(format!(
            "change #{number}: the kind or time of its event differs from the record"
        ));
    }
    let Some(told) = &event.data.change else {
        found.fault(format!(
            "change #{number}: its event does not say what changed"
        ));
        return Ok(());
    };
    if let Some(what) = differs(told, row)? {
        found.fault(format!(
            "change #{number}: its {what} is not the same in its event"
        ));
    }
    let diff = event.data.diff.unwrap_or_default();
    if let Some(field) = unshown_field(told, &diff) {
        found.fault(format!(
            "change #{number}: its event lists the {} that changed, or shows it, but not both",
            json_word(&field)
        ));
    }
    let state = |column: usize| -> Option<Option<EntryState>> {
        let id: i64 = row.get(column).ok()?;
        states::find(conn, id).ok()
    };
    let (Some(before), Some(after)) = (state(5), state(6)) else {
        found.fault(format!("change #{number}: a revision of it cannot be read"));
        return Ok(());
    };
    let ends = [
        ("before", &event.data.before, row.get(3)?, &before),
        ("after", &event.data.after, row.get(4)?, &after),
    ];
    for (name, side, revision, state) in ends {
        if !side_fits(side.as_ref(), revision, state.as_ref()) {
            found.fault(format!(
                "change #{number}: the text {name} in its event does not match the revision"
            ));
        }
    }
    // If retention has deleted one of the texts, there is nothing to compare with.
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(());
    };
    found.changes += 1;
    if let Some(field) = wrong_field(&diff, &before, &after) {
        found.fault(format!(
            "change #{number}: its {field} does not rebuild both revisions"
        ));
    }
    if let Some(source) = unshown_headline(told, &diff, &before, &after) {
        found.fault(format!(
            "change #{number}: its event does not show how the headline of the {} moved",
            source.as_str()
        ));
    }
    Ok(())
}

/// A list of labels with their current names.
fn as_called_today(labels: &str) -> String {
    labels.replace("stealth", "unannounced")
}

/// A column of a change that differs from its event.
fn differs(told: &ChangeInfo, row: &Row<'_>) -> Result<Option<&'static str>, StoreError> {
    let window: (Timestamp, Timestamp) = (row.get(7)?, row.get(8)?);
    let score: i64 = row.get(9)?;
    let [significance, fields, labels]: [String; 3] = [row.get(10)?, row.get(11)?, row.get(12)?];
    let words: (i64, i64) = (row.get(13)?, row.get(14)?);
    let list = |names: Vec<String>| join_words(names.iter().map(String::as_str));
    let differing = [
        (
            "window",
            window == (told.window.last_unchanged, told.window.first_changed),
        ),
        ("score", score == i64::from(told.score.min(100))),
        ("significance", significance == told.significance.as_str()),
        (
            "list of fields",
            fields == list(told.fields.iter().map(json_word).collect()),
        ),
        (
            "list of labels",
            as_called_today(&labels) == list(told.labels.iter().map(json_word).collect()),
        ),
        (
            "count of words",
            words == (i64::from(told.words.added), i64::from(told.words.removed)),
        ),
    ];
    Ok(differing
        .into_iter()
        .find(|(_, same)| !same)
        .map(|(what, _)| what))
}
