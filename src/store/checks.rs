//! `check_requests`: how a command requests work from the running daemon and gets the result.

use rusqlite::{Connection, OptionalExtension, named_params, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::domain::event::EventKind;
use crate::domain::ids::FeedId;
use crate::time::Timestamp;

/// A row of `check_requests`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckRequestId(pub i64);

/// A request for the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRequest {
    /// The id of the request.
    pub id: CheckRequestId,
    /// What is to be done.
    pub work: RequestedWork,
}

/// What the daemon is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedWork {
    /// To check.
    Check {
        /// The feeds to check; `None` for all.
        feeds: Option<Vec<FeedId>>,
        /// Whether to also check what is not due.
        force: bool,
    },
    /// To send a test event.
    Test(TestRequest),
}

/// A test event for targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRequest {
    /// Their names.
    pub targets: Vec<String>,
    /// The event.
    pub event: EventKind,
}

/// The state of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Not picked up yet.
    Waiting,
    /// The daemon is working on it.
    Taken,
    /// Done. The result is JSON in the caller's format.
    Done(String),
}

impl Writer {
    /// Requests work from the running daemon. Get the result with [`Reader::request_result`].
    pub fn request_work(&self, now: Timestamp, work: RequestedWork) -> Write<CheckRequestId> {
        self.write(move |tx| {
            let (feeds, force, test) = match &work {
                RequestedWork::Check { feeds, force } => {
                    (feeds.as_ref().map(json).transpose()?, *force, None)
                }
                RequestedWork::Test(test) => (None, false, Some(json(test)?)),
            };
            let id = tx
                .conn
                .prepare_cached(
                    "INSERT INTO check_requests (created_at, feeds, force, test) VALUES (?1, ?2, ?3, ?4)",
                )?
                .insert(params![now, feeds, force, test])?;
            Ok(CheckRequestId(id))
        })
    }

    /// Picks up all waiting requests, oldest first. Call [`Reader::has_requests`] first: it does not need a write.
    pub fn take_requests(&self, now: Timestamp) -> Write<Vec<CheckRequest>> {
        self.write(move |tx| {
            let requests = waiting(tx.conn)?;
            tx.conn
                .prepare_cached("UPDATE check_requests SET taken_at = ?1 WHERE taken_at IS NULL")?
                .execute([now])?;
            Ok(requests)
        })
    }

    /// Stores the result of a request.
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

    /// Deletes requests that were done before a moment, and puts back the checks that a daemon picked up but did not
    /// finish before it ended. Nobody waits for its tests any more. Call it when the daemon starts.
    pub fn reset_requests(&self, before: Timestamp) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "DELETE FROM check_requests WHERE done_at < ?1 OR created_at < ?1 \
                       OR (test IS NOT NULL AND done_at IS NULL)",
                )?
                .execute([before])?;
            tx.conn
                .prepare_cached("UPDATE check_requests SET taken_at = NULL WHERE done_at IS NULL")?
                .execute([])?;
            Ok(())
        })
    }
}

impl Reader {
    /// Whether a request is waiting.
    pub fn has_requests(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT 1 FROM check_requests WHERE taken_at IS NULL LIMIT 1")?;
            Ok(statement.query_row([], |_| Ok(())).optional()?.is_some())
        })
    }

    /// The state of a request; `None` if it does not exist any more.
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
        "SELECT id, feeds, force, test FROM check_requests WHERE taken_at IS NULL ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        let work = match row.get::<_, Option<String>>(3)? {
            Some(test) => RequestedWork::Test(read(&test)?),
            None => RequestedWork::Check {
                feeds: row
                    .get::<_, Option<String>>(1)?
                    .map(|feeds| read(&feeds))
                    .transpose()?,
                force: row.get(2)?,
            },
        };
        requests.push(CheckRequest {
            id: CheckRequestId(row.get(0)?),
            work,
        });
    }
    Ok(requests)
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Refused("a request that has no JSON form"))
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json)
        .map_err(|error| StoreError::damaged(format!("a request cannot be read: {error}")))
}
