//! `page_lives`: doubts that checks of pages have raised and no later check has settled.

use rusqlite::{OptionalExtension, Row, named_params};

use super::captures;
use super::error::StoreError;
use super::reader::Reader;
use super::writer::Tx;
use crate::domain::ids::{EntryId, FeedId};
use crate::domain::life::{Held, Missing, PageLife};
use crate::domain::outcome::Capture;

impl Reader {
    /// The open doubts about the page of an entry.
    pub fn page_life(&self, entry: EntryId) -> Result<PageLife, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT e.life = 'removed' AS removed, l.missing_since, l.missing_last, l.missing_looks, \
                 l.missing_failed_before, l.missing_failed_since, l.held_since, l.held_looks, l.held_failed, \
                 l.held_fp, COALESCE(l.unconfirmed, 0) AS unconfirmed \
                 FROM entries AS e LEFT JOIN page_lives AS l ON l.entry_id = e.id WHERE e.id = ?1",
            )?;
            let life = statement.query_row([entry], life_row).optional()?;
            Ok(life.unwrap_or_default())
        })
    }
}

fn life_row(row: &Row<'_>) -> rusqlite::Result<PageLife> {
    let missing = match row.get("missing_since")? {
        Some(since) => Some(Missing {
            since,
            last: row.get::<_, Option<_>>("missing_last")?.unwrap_or(since),
            looks: row.get("missing_looks")?,
            failed_before: row.get("missing_failed_before")?,
            failed_since: row.get("missing_failed_since")?,
        }),
        None => None,
    };
    let held = match (row.get("held_since")?, row.get("held_fp")?) {
        (Some(since), Some(print)) => Some(Held {
            since,
            looks: row.get("held_looks")?,
            failed_before: row.get("held_failed")?,
            print,
        }),
        _ => None,
    };
    Ok(PageLife {
        removed: row.get("removed")?,
        missing,
        held,
        unconfirmed: row.get("unconfirmed")?,
    })
}

/// Stores the new doubts, and the response behind an unconfirmed text. Whether the article is removed is in
/// `entries`, and is written together with the event that reports it.
pub(super) fn put(
    tx: &mut Tx<'_>,
    feed: FeedId,
    entry: EntryId,
    life: &PageLife,
    held: Option<&Capture>,
) -> Result<(), StoreError> {
    let capture = match held.filter(|_| life.held.is_some()) {
        Some(capture) => Some(captures::put(tx, feed, capture)?),
        None => None,
    };
    let (missing, held) = (life.missing.as_ref(), life.held.as_ref());
    tx.conn
        .prepare_cached(
            "INSERT INTO page_lives (entry_id, missing_since, missing_last, missing_looks, missing_failed_before, \
             missing_failed_since, held_since, held_looks, held_failed, held_fp, held_capture_id, unconfirmed) \
             VALUES (:entry, :missing_since, :missing_last, :missing_looks, :failed_before, :failed_since, \
             :held_since, :held_looks, :held_failed, :held_fp, :capture, :unconfirmed) \
             ON CONFLICT (entry_id) DO UPDATE SET missing_since = excluded.missing_since, \
             missing_last = excluded.missing_last, missing_looks = excluded.missing_looks, \
             missing_failed_before = excluded.missing_failed_before, \
             missing_failed_since = excluded.missing_failed_since, held_since = excluded.held_since, \
             held_looks = excluded.held_looks, held_failed = excluded.held_failed, held_fp = excluded.held_fp, \
             held_capture_id = iif(excluded.held_since IS NULL, NULL, \
                                   COALESCE(excluded.held_capture_id, held_capture_id)), \
             unconfirmed = excluded.unconfirmed",
        )?
        .execute(named_params! {
            ":entry": entry,
            ":missing_since": missing.map(|missing| missing.since),
            ":missing_last": missing.map(|missing| missing.last),
            ":missing_looks": missing.map_or(0, |missing| missing.looks),
            ":failed_before": missing.map_or(0, |missing| missing.failed_before),
            ":failed_since": missing.map_or(0, |missing| missing.failed_since),
            ":held_since": held.map(|held| held.since),
            ":held_looks": held.map_or(0, |held| held.looks),
            ":held_failed": held.map_or(0, |held| held.failed_before),
            ":held_fp": held.map(|held| held.print),
            ":capture": capture,
            ":unconfirmed": life.unconfirmed,
        })?;
    Ok(())
}
