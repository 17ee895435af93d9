//! Events in the form that a report counts. Those of changes come from an index alone, without reading their
//! content.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params, params};

use super::error::StoreError;
use super::events;
use super::reader::Reader;
use super::sql::{columns, json_word};
use super::timeline::{
    EventFilter, FROM, LISTED, LoggedEvent, OF_CHANGES, OF_EVENTS, TimelineValues, borrowed,
    conditions, json_list,
};
use crate::domain::classify::{Label, Significance};
use crate::domain::event::EventKind;
use crate::domain::ids::{EntryId, EventId};
use crate::domain::outline::{NOTABLE, Outline, OutlinedChange, first_edit};

columns!($ select_outline, outline, "c.", " FROM changes AS c WHERE 1", [
    event_id, noticed_at, feed_id, entry_id, significance, score, labels, headline, published_at, before_revision,
    first_changed_at,
]);

impl Reader {
    /// Passes the outlines of the events that match a filter to `take` one by one, in no order. The filter's limit
    /// is ignored.
    pub fn each_outline(
        &self,
        filter: &EventFilter,
        mut take: impl FnMut(Outline),
    ) -> Result<(), StoreError> {
        let labels = Labels::new();
        let mut unread: Vec<EventId> = Vec::new();
        let (changes, values) = conditions(filter, OF_CHANGES);
        let sql = format!("{}{changes}{LISTED}", select_outline!());
        self.rows(&sql, filter, &values, |row| {
            match change_outline(row, &labels)? {
                Some(outline) => take(outline),
                None => unread.push(row.get(outline::event_id)?),
            }
            Ok(())
        })?;
        let (others, values) = conditions(filter, OF_EVENTS);
        let sql = format!("SELECT v.id{FROM}{others}{LISTED} AND v.change_number IS NULL");
        self.rows(&sql, filter, &values, |row| {
            unread.push(row.get(0)?);
            Ok(())
        })?;
        for id in unread {
            if let Some(outline) = self.read(|conn| event_outline(conn, id))? {
                take(outline);
            }
        }
        Ok(())
    }

    /// These events, except those that do not exist.
    pub fn logged_events(&self, ids: &[EventId]) -> Result<Vec<LoggedEvent>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT v.id, v.uid, v.bytes, v.body, c.quiet FROM events AS v LEFT JOIN changes AS c \
                 ON c.number = v.change_number WHERE v.id = ?1",
            )?;
            let mut events = Vec::with_capacity(ids.len());
            for id in ids {
                let mut rows = statement.query([id])?;
                if let Some(row) = rows.next()? {
                    events.push(LoggedEvent {
                        stored: events::event_row(row)?,
                        quiet: row.get("quiet")?,
                    });
                }
            }
            Ok(events)
        })
    }

    /// The public ids and newest headlines of entries, except those that do not exist.
    pub fn entry_titles(
        &self,
        ids: &[EntryId],
    ) -> Result<Vec<(EntryId, String, Option<String>)>, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT public_id, title FROM entries WHERE id = ?1")?;
            let mut titles = Vec::with_capacity(ids.len());
            for id in ids {
                let found = statement
                    .query_row([id], |row| Ok((*id, row.get(0)?, row.get(1)?)))
                    .optional()?;
                titles.extend(found);
            }
            Ok(titles)
        })
    }

    fn rows(
        &self,
        sql: &str,
        filter: &EventFilter,
        values: &TimelineValues,
        mut take: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let quiet = json_list(filter.quiet.iter().map(|quiet| quiet.as_str()));
        self.read(|conn| {
            let mut statement = conn.prepare_cached(sql)?;
            let mut values: Vec<(&str, &dyn ToSql)> = borrowed(values);
            values.extend_from_slice(named_params! {":quiet": quiet});
            let mut rows = statement.query(values.as_slice())?;
            while let Some(row) = rows.next()? {
                take(row)?;
            }
            Ok(())
        })
    }
}

/// The names of the counted labels, as stored in the database.
struct Labels {
    unannounced: String,
    notable: [String; NOTABLE.len()],
}

impl Labels {
    fn new() -> Self {
        Self {
            unannounced: json_word(&Label::Unannounced),
            notable: NOTABLE.map(|label| json_word(&label)),
        }
    }
}

/// The outline of a change; `None` if an earlier program stored it, so that the event must be read.
fn change_outline(row: &Row<'_>, known: &Labels) -> Result<Option<Outline>, StoreError> {
    let Some(headline) = row.get(outline::headline)? else {
        return Ok(None);
    };
    let text = |column: usize| {
        row.get_ref(column)?
            .as_str()
            .map_err(|_| StoreError::damaged("a change whose significance is not text"))
    };
    let (significance, labels) = (text(outline::significance)?, text(outline::labels)?);
    let significance = Significance::parse(significance)
        .ok_or_else(|| StoreError::damaged("a change of an unknown weight"))?;
    let has = |word: &String| labels.split(',').any(|label| label == word);
    Ok(Some(Outline {
        event: row.get(outline::event_id)?,
        kind: EventKind::EntryRevised,
        at: row.get(outline::noticed_at)?,
        feed: row.get(outline::feed_id)?,
        entry: row.get(outline::entry_id)?,
        change: Some(OutlinedChange {
            significance,
            score: row.get(outline::score)?,
            headline,
            unannounced: has(&known.unannounced),
            notable: known.notable.iter().any(has),
            first_edit: first_edit(
                row.get(outline::before_revision)?,
                row.get(outline::published_at)?,
                row.get(outline::first_changed_at)?,
            ),
        }),
    }))
}

fn event_outline(conn: &Connection, id: EventId) -> Result<Option<Outline>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, uid, bytes, body, feed_id, entry_id FROM events WHERE id = ?1",
    )?;
    let mut rows = statement.query(params![id])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let event = events::event_row(row)?.event;
    Ok(Some(Outline::of(
        id,
        row.get("feed_id")?,
        row.get("entry_id")?,
        &event,
    )))
}
