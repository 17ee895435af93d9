//! Moving a feed to another address by hand, together with its history.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::domain::ids::FeedId;
use crate::time::Timestamp;

/// Appended to an address whose own history made way for the one that was moved there.
const ASIDE: &str = "#before-mv-";

/// The result of moving a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// Neither address has a history.
    Unknown,
    /// The history is already at the new address.
    There,
    /// It has been moved.
    Done {
        /// The number of its entries.
        entries: u64,
        /// The address and number of the entries that the new address had before.
        aside: Option<(String, u64)>,
    },
}

impl Writer {
    /// Moves the history of one address to another, which is polled immediately. Anything already stored for the
    /// new address is kept under a separate name.
    pub fn move_feed(
        &self,
        from: String,
        to: String,
        host: String,
        now: Timestamp,
    ) -> Write<Moved> {
        self.write(move |tx| move_feed(tx.conn, &from, &to, &host, now))
    }
}

impl Reader {
    /// The addresses that are no longer configured, but have a history.
    pub fn left_addresses(&self) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT url FROM feeds WHERE active = 0 AND instr(url, ?1) = 0 \
                 AND EXISTS (SELECT 1 FROM entries WHERE entries.feed_id = feeds.id)",
            )?;
            let rows = statement.query_map([ASIDE], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

struct FeedAt {
    id: FeedId,
    active: bool,
    entries: u64,
}

fn at(conn: &Connection, url: &str) -> Result<Option<FeedAt>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, active, (SELECT count(*) FROM entries WHERE feed_id = feeds.id) FROM feeds WHERE url = ?1",
    )?;
    let row = statement.query_row([url], |row| {
        Ok(FeedAt {
            id: row.get(0)?,
            active: row.get(1)?,
            entries: super::sql::count(row, 2)?,
        })
    });
    Ok(row.optional()?)
}

fn move_feed(
    conn: &Connection,
    from: &str,
    to: &str,
    host: &str,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let (old, new) = (at(conn, from)?, at(conn, to)?);
    let (old, new) = match (old, new) {
        (None, None) => return Ok(Moved::Unknown),
        (None, Some(_)) => return Ok(Moved::There),
        (Some(old), Some(new)) if old.entries == 0 && new.entries > 0 => return Ok(Moved::There),
        (Some(old), new) => (old, new),
    };
    let mut aside = None;
    if let Some(new) = &new {
        let name = format!("{to}{ASIDE}{}", new.id.0);
        conn.prepare_cached("UPDATE feeds SET url = ?2, active = 0 WHERE id = ?1")?
            .execute(params![new.id, name])?;
        aside = (new.entries > 0).then_some((name, new.entries));
    }
    let active = old.active || new.is_some_and(|new| new.active);
    conn.prepare_cached(
        "UPDATE feeds SET url = :url, host = :host, active = :active, etag = NULL, last_modified = NULL, \
         moved_to = NULL, gone_at = NULL, gone_since = NULL, gone_polls = 0, failures = 0, not_before_at = NULL, \
         next_poll_at = :now, next_why = 'moved by hand' WHERE id = :id",
    )?
    .execute(named_params! {
        ":url": to, ":host": host, ":active": active, ":now": now, ":id": old.id,
    })?;
    Ok(Moved::Done {
        entries: old.entries,
        aside,
    })
}
