//! What is not kept forever: bodies of responses (`keep.captures`) and texts of revisions (`keep.revisions`).
//!
//! No row is deleted. Hashes, fingerprints and dates are kept, so the chain stays complete, a return to a deleted
//! text is still recognised, and the changes keep the changed words.

use rusqlite::{named_params, params};

use super::bodies;
use super::error::StoreError;
use super::reader::Reader;
use super::sql::{count, limit_of};
use super::writer::{Write, Writer};
use crate::time::Timestamp;

/// The responses that retention has pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Captures whose body was deleted; their hash, headers and date are kept.
    pub captures: usize,
    /// Bodies that no capture needed any more.
    pub bodies: usize,
}

/// The result of a step of retention on revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrunedTexts {
    /// Texts that were deleted.
    pub texts: u64,
    /// Where the next step starts; `None` if all revisions have been processed.
    pub next: Option<i64>,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// Captures of this moment and later; revisions that were the newest of their entry at this moment or later.
    Since(Timestamp),
    /// This many of the newest captures of each page and each feed; this many of the newest revisions of each
    /// entry.
    Newest(u32),
}

/// Captures whose bodies are to be deleted, oldest first.
const CAPTURES_BY_AGE: &str =
    "SELECT id FROM captures WHERE body_id IS NOT NULL AND fetched_at < ?1 ORDER BY fetched_at, id";
const CAPTURES_BY_COUNT: &str = "SELECT id FROM (\
       SELECT c.id AS id, c.body_id AS body_id, \
         row_number() OVER (PARTITION BY r.entry_id ORDER BY r.number DESC) AS place \
       FROM revisions AS r JOIN captures AS c ON c.id = r.page_capture_id WHERE c.channel = 'page' \
       UNION ALL \
       SELECT id, body_id, row_number() OVER (PARTITION BY feed_id ORDER BY id DESC) FROM captures \
       WHERE channel = 'feed') \
     WHERE place > ?1 AND body_id IS NOT NULL ORDER BY id";

/// Whether a revision `r` can be deleted: never the newest of its entry, and none that a pending summary of
/// additions needs.
macro_rules! may_go {
    ($rule:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM revisions AS n WHERE n.entry_id = r.entry_id AND n.number = r.number + 1 AND ",
            $rule,
            ") AND NOT EXISTS (SELECT 1 FROM changes AS c WHERE c.entry_id = r.entry_id AND c.quiet = 'digest' \
               AND c.digest_event_id IS NULL AND c.before_revision <= r.number))"
        )
    };
}
const BY_AGE: &str = may_go!("n.seen_at < :value");
const BY_COUNT: &str =
    may_go!("r.number <= (SELECT e.revision FROM entries AS e WHERE e.id = r.entry_id) - :value");

impl Retain {
    fn captures(self) -> (&'static str, i64) {
        match self {
            Self::Since(moment) => (CAPTURES_BY_AGE, moment.as_millis()),
            Self::Newest(count) => (CAPTURES_BY_COUNT, i64::from(count)),
        }
    }

    fn revisions(self) -> (&'static str, i64) {
        match self {
            Self::Since(moment) => (BY_AGE, moment.as_millis()),
            Self::Newest(count) => (BY_COUNT, i64::from(count)),
        }
    }
}

impl Writer {
    /// Deletes the bodies of at most `limit` captures that are not to be kept; if it returns fewer, nothing is
    /// left to do. Hashes, headers and dates are kept.
    pub fn prune_captures(&self, retain: Retain, limit: usize) -> Write<Pruned> {
        self.write(move |tx| {
            let (question, value) = retain.captures();
            let mut statement = tx.conn.prepare_cached(&format!("{question} LIMIT ?2"))?;
            let ids: Vec<i64> = statement
                .query_map(params![value, limit_of(limit)], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut pruned = Pruned::default();
            for id in ids {
                let body: Option<i64> = tx
                    .conn
                    .prepare_cached("SELECT body_id FROM captures WHERE id = ?1")?
                    .query_row([id], |row| row.get(0))?;
                tx.conn
                    .prepare_cached("UPDATE captures SET body_id = NULL WHERE id = ?1")?
                    .execute([id])?;
                pruned.captures += 1;
                if let Some(body) = body {
                    pruned.bodies += bodies::drop_unused(tx.conn, body)?;
                }
            }
            Ok(pruned)
        })
    }

    /// Processes `limit` revisions after a row, and deletes their texts unless a revision that is kept needs them.
    /// Hashes, fingerprints and dates are kept.
    pub fn prune_revisions(
        &self,
        retain: Retain,
        after: i64,
        limit: usize,
        now: Timestamp,
    ) -> Write<PrunedTexts> {
        self.write(move |tx| {
            let (may_go, value) = retain.revisions();
            let mut statement = tx.conn.prepare_cached(&format!(
                "SELECT r.id, r.state_id, {may_go} FROM revisions AS r WHERE r.id > :after ORDER BY r.id LIMIT :limit"
            ))?;
            let rows: Vec<(i64, i64, bool)> = statement
                .query_map(
                    named_params! {":value": value, ":after": after, ":limit": limit_of(limit)},
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )?
                .collect::<Result<_, _>>()?;
            let mut pruned = PrunedTexts {
                texts: 0,
                next: rows.last().map(|row| row.0),
            };
            let mut drop = tx.conn.prepare_cached(&format!(
                "UPDATE states SET body = x'', dropped_at = :now WHERE id = :state AND dropped_at IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM revisions AS r WHERE r.state_id = :state AND NOT {may_go})"
            ))?;
            for (_, state, _) in rows.iter().filter(|row| row.2) {
                let dropped = drop
                    .execute(named_params! {":value": value, ":now": now, ":state": state})?;
                pruned.texts += dropped as u64;
            }
            Ok(pruned)
        })
    }
}

impl Reader {
    /// How many captures would lose their body, and the size of these bodies in bytes.
    pub fn prunable_captures(&self, retain: Retain) -> Result<(u64, u64), StoreError> {
        self.read(|conn| {
            let (question, value) = retain.captures();
            let sql = format!(
                "SELECT (SELECT count(*) FROM ({question})), \
                 (SELECT COALESCE(sum(length(body)), 0) FROM bodies WHERE id IN \
                   (SELECT body_id FROM captures WHERE id IN ({question})))"
            );
            Ok(conn.query_row(&sql, [value], |row| Ok((count(row, 0)?, count(row, 1)?)))?)
        })
    }

    /// How many texts of revisions would be deleted, and their size in bytes.
    pub fn prunable_revisions(&self, retain: Retain) -> Result<(u64, u64), StoreError> {
        self.read(|conn| {
            let (may_go, value) = retain.revisions();
            let sql = format!(
                "SELECT count(*), COALESCE(sum(length(s.body)), 0) FROM states AS s WHERE s.dropped_at IS NULL \
                 AND EXISTS (SELECT 1 FROM revisions AS r WHERE r.state_id = s.id) \
                 AND NOT EXISTS (SELECT 1 FROM revisions AS r WHERE r.state_id = s.id AND NOT {may_go})"
            );
            Ok(conn.query_row(&sql, named_params! {":value": value}, |row| {
                Ok((count(row, 0)?, count(row, 1)?))
            })?)
        })
    }
}
