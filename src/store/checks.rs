//! `check_requests`: how a command asks the running daemon to look now, and gets its answer.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::domain::ids::FeedId;
use crate::time::Timestamp;

/// A row of `check_requests`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckRequestId(pub i64);

/// A wish that the daemon fulfils.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRequest {
    /// The wish.
    pub id: CheckRequestId,
    /// When it was made.
    pub created: Timestamp,
    /// The feeds to look at; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Whether to look also at what is not due.
    pub force: bool,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Nobody has taken it up.
    Waiting,
    /// The daemon is at it.
    Taken,
    /// Done; the result is JSON, whose form is the caller's.
    Done(String),
}

impl Writer {
    /// Asks the running daemon to look. The answer comes by [`Reader::request_result`].
    pub fn request_check(
        &self,
        now: Timestamp,
        feeds: Option<Vec<FeedId>>,
        force: bool,
    ) -> Write<CheckRequestId> {
        self.write(move |tx| {
            let feeds = feeds
                .as_ref()
                .map(serde_json::to_string)
                .transpose()
                .map_err(|_| StoreError::Refused("a request that has no JSON form"))?;
            let id = tx
                .conn
                .prepare_cached(
                    "INSERT INTO check_requests (created_at, feeds, force) VALUES (?1, ?2, ?3)",
                )?
                .insert(params![now, feeds, force])?;
            Ok(CheckRequestId(id))
        })
    }

    /// Takes up all wishes that wait, oldest first. Look with [`Reader::has_requests`] first: it costs no write.
    pub fn take_requests(&self, now: Timestamp) -> Write<Vec<CheckRequest>> {
        self.write(move |tx| {
            let requests = waiting(tx.conn)?;
            tx.conn
                .prepare_cached("UPDATE check_requests SET taken_at = ?1 WHERE taken_at IS NULL")?
                .execute([now])?;
            Ok(requests)
        })
    }

    /// Answers a wish.
    pub fn finish_request(&self, id: CheckRequestId, now: Timestamp, result: String) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE check_requests SET taken_at = COALESCE(taken_at, :now), done_at = :now, \
                     result = :result WHERE id = :id",
                )?
                .execute(named_params! {":now": now, ":result": result, ":id": id.0})?;
            Ok(())
        })
    }

    /// Forgets wishes that are done since before a moment, and puts back what a daemon took up and left undone when
    /// it ended: call it at the daemon's start.
    pub fn reset_requests(&self, before: Timestamp) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached("DELETE FROM check_requests WHERE done_at < ?1 OR created_at < ?1")?
                .execute([before])?;
            tx.conn
                .prepare_cached("UPDATE check_requests SET taken_at = NULL WHERE done_at IS NULL")?
                .execute([])?;
            Ok(())
        })
    }
}

impl Reader {
    /// Whether a wish waits.
    pub fn has_requests(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT 1 FROM check_requests WHERE taken_at IS NULL LIMIT 1")?;
            Ok(statement.query_row([], |_| Ok(())).optional()?.is_some())
        })
    }

    /// What became of a wish; `None` when there is no such wish any more.
    pub fn request_result(&self, id: CheckRequestId) -> Result<Option<RequestState>, StoreError> {
        self.read(|conn| {
            let found: Option<(bool, Option<String>)> = conn
                .prepare_cached(
                    "SELECT taken_at IS NOT NULL, result FROM check_requests WHERE id = ?1",
                )?
                .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(found.map(|found| match found {
                (_, Some(result)) => RequestState::Done(result),
                (true, None) => RequestState::Taken,
                (false, None) => RequestState::Waiting,
            }))
        })
    }
}

fn waiting(conn: &Connection) -> Result<Vec<CheckRequest>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, created_at, feeds, force FROM check_requests WHERE taken_at IS NULL ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        let feeds: Option<String> = row.get(2)?;
        let feeds = feeds
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| {
                StoreError::damaged(format!("a check request cannot be read: {error}"))
            })?;
        requests.push(CheckRequest {
            id: CheckRequestId(row.get(0)?),
            created: row.get(1)?,
            feeds,
            force: row.get(3)?,
        });
    }
    Ok(requests)
}
