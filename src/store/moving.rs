//! A feed that gets another address by hand: its history goes along.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::domain::ids::FeedId;
use crate::time::Timestamp;

/// Behind an address whose own history gave way to the one that was moved there.
const ASIDE: &str = "#before-mv-";

/// What became of a feed that was to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// Neither address has a history.
    Unknown,
    /// The history is at the new address already.
    There,
    /// It is there now.
    Done {
        /// Its entries.
        entries: u64,
        /// Where the entries are kept that the new address had of its own, and how many they are.
        aside: Option<(String, u64)>,
    },
}

impl Writer {
    /// Puts the history of one address at another, where it is polled at once. What the new address had stored itself is
    /// kept under a name of its own, out of the way.
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
    /// The addresses that are not in the configuration any more and have a history.
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
