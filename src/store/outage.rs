//! Whether our own network is down, which is remembered across restarts, and what it delayed.

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::events::{self, NewRow};
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::domain::event::Event;
use crate::time::Timestamp;

impl Reader {
    /// Since when our own network has been down; `None` if it is up.
    pub fn offline_since(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|conn| {
            Ok(conn
                .prepare_cached("SELECT offline_at FROM meta WHERE id = 1")?
                .query_row([], |row| row.get(0))?)
        })
    }

    /// Addresses and rows of feeds that were read recently, latest first, for testing whether the network is back.
    pub fn feeds_read_lately(
        &self,
        limit: usize,
    ) -> Result<Vec<(crate::domain::ids::FeedId, String)>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, url FROM feeds WHERE active = 1 AND paused_at IS NULL AND next_poll_at IS NOT NULL \
                 ORDER BY last_ok_at IS NULL, last_ok_at DESC LIMIT ?1",
            )?;
            let rows = statement.query_map([super::sql::limit_of(limit)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

impl Writer {
    /// Records that our own network has been down since then, and notifies these targets.
    pub fn went_offline(&self, since: Timestamp, event: Event, targets: Vec<String>) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .execute("UPDATE meta SET offline_at = ?1 WHERE id = 1", [since])?;
            events::insert(tx, &NewRow::alone(&event, &targets))?;
            Ok(())
        })
    }

    /// Records that it is up again, and notifies these targets. Checks that first failed since then are due now,
    /// and so are deliveries that failed.
    pub fn came_online(&self, since: Timestamp, event: Event, targets: Vec<String>) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .execute("UPDATE meta SET offline_at = NULL WHERE id = 1", [])?;
            make_due(tx.conn, since, event.timestamp)?;
            events::insert(tx, &NewRow::alone(&event, &targets))?;
            Ok(())
        })
    }
}

fn make_due(conn: &Connection, since: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    for sql in [
        "UPDATE feeds SET next_poll_at = ?2, next_why = 'the network is back' \
         WHERE active = 1 AND failures = 1 AND last_poll_at >= ?1 AND last_status IS NULL AND next_poll_at > ?2",
        "UPDATE entries SET page_next_at = ?2 WHERE page_next_at > ?2 AND page_checked_at >= ?1 \
         AND page_failures = 1 AND page_status IS NULL",
        "UPDATE deliveries SET next_attempt_at = NULL WHERE done_at IS NULL AND next_attempt_at > ?2 \
         AND EXISTS (SELECT 1 FROM attempts AS a INDEXED BY attempts_by_delivery \
           WHERE a.delivery_id = deliveries.id AND a.at >= ?1 AND a.status IS NULL)",
    ] {
        conn.execute(sql, params![since, now])?;
    }
    Ok(())
}
