//! `captures` and `bodies`: the raw responses behind revisions.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bodies;
use super::codec::sha256;
use super::error::StoreError;
use super::reader::Reader;
use super::sql::{limit_of, parse_channels};
use super::writer::Tx;
use crate::domain::chain::StoredCapture;
use crate::domain::clock_trust::Witness;
use crate::domain::ids::{CaptureId, EntryId, FeedId, RevisionNumber};
use crate::domain::outcome::{Behind, Capture};
use crate::time::Timestamp;

macro_rules! select_capture {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.channel, c.url, c.fetched_at, c.status, c.headers, c.body_sha256, c.body_id, c.request ",
            $rest
        )
    };
}

impl Reader {
    /// The raw responses behind a revision, feed first.
    pub fn captures_of(
        &self,
        entry: EntryId,
        revision: RevisionNumber,
    ) -> Result<Vec<StoredCapture>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_capture!(
                "FROM revisions AS r JOIN captures AS c ON c.id IN (r.feed_capture_id, r.page_capture_id) \
                 WHERE r.entry_id = ?1 AND r.number = ?2 ORDER BY c.channel, c.id"
            ))?;
            let mut rows = statement.query(params![entry, revision])?;
            let mut captures = Vec::new();
            while let Some(row) = rows.next()? {
                captures.push(capture_row(conn, row)?);
            }
            Ok(captures)
        })
    }

    /// The raw response behind the newest revision of an entry that came from its page.
    pub fn last_page_capture(&self, entry: EntryId) -> Result<Option<StoredCapture>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_capture!(
                "FROM revisions AS r JOIN captures AS c ON c.id = r.page_capture_id \
                 WHERE r.entry_id = ?1 ORDER BY r.number DESC LIMIT 1"
            ))?;
            let mut rows = statement.query([entry])?;
            rows.next()?.map(|row| capture_row(conn, row)).transpose()
        })
    }

    /// The address of that response.
    pub fn last_page_address(&self, entry: EntryId) -> Result<Option<String>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT c.url FROM revisions AS r JOIN captures AS c ON c.id = r.page_capture_id \
                 WHERE r.entry_id = ?1 ORDER BY r.number DESC LIMIT 1",
            )?;
            Ok(statement.query_row([entry], |row| row.get(0)).optional()?)
        })
    }

    /// The newest responses with a server time: host, our time, and the `Date` header as received.
    pub fn answer_dates(
        &self,
        limit: usize,
    ) -> Result<Vec<(String, Timestamp, String)>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT c.url, c.fetched_at, (SELECT json_extract(h.value, '$[1]') FROM json_each(iif(json_valid(c.headers), c.headers, '[]')) AS h \
                   WHERE json_extract(h.value, '$[0]') = 'date') AS date \
                 FROM (SELECT url, fetched_at, headers FROM captures ORDER BY id DESC LIMIT ?1) AS c \
                 WHERE date IS NOT NULL",
            )?;
            let rows = statement.query_map([limit_of(limit)], |row| {
                let url: String = row.get(0)?;
                let host = url.split('/').nth(2).unwrap_or_default().to_owned();
                Ok((host, row.get(1)?, row.get(2)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest responses, as evidence of the time.
    pub fn witnesses(&self, limit: usize) -> Result<Vec<Witness>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT fetched_at, (SELECT json_extract(h.value, '$[1]') FROM json_each(iif(json_valid(headers), headers, '[]')) AS h \
                   WHERE json_extract(h.value, '$[0]') = 'date') FROM captures ORDER BY id DESC LIMIT ?1",
            )?;
            let rows = statement.query_map([limit_of(limit)], |row| {
                Ok(Witness {
                    ours: row.get(0)?,
                    theirs: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A raw response; `None` if there is no such row.
    pub fn capture(&self, id: CaptureId) -> Result<Option<StoredCapture>, StoreError> {
        self.read(|conn| get(conn, id))
    }

    /// The raw responses from which a revision's state was read. That of each channel may belong to an earlier
    /// revision.
    pub fn captures_behind(
        &self,
        entry: EntryId,
        revision: RevisionNumber,
    ) -> Result<Behind, StoreError> {
        self.read(|conn| behind(conn, entry, revision))
    }
}

/// The raw responses from which a revision's state was read.
pub(super) fn behind(
    conn: &Connection,
    entry: EntryId,
    revision: RevisionNumber,
) -> Result<Behind, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT \
         (SELECT feed_capture_id FROM revisions WHERE entry_id = ?1 AND number <= ?2 \
            AND channels IN ('feed', 'feed,page', 'page,feed') ORDER BY number DESC LIMIT 1), \
         (SELECT page_capture_id FROM revisions WHERE entry_id = ?1 AND number <= ?2 \
            AND channels IN ('page', 'feed,page', 'page,feed') ORDER BY number DESC LIMIT 1)",
    )?;
    Ok(statement.query_row(params![entry, revision], |row| {
        Ok(Behind {
            feed: row.get(0)?,
            page: row.get(1)?,
        })
    })?)
}

/// A raw response; `None` if there is no such row.
pub(super) fn get(conn: &Connection, id: CaptureId) -> Result<Option<StoredCapture>, StoreError> {
    let mut statement =
        conn.prepare_cached(select_capture!("FROM captures AS c WHERE c.id = ?1"))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(|row| capture_row(conn, row)).transpose()
}

/// `row` comes from a statement that is still open, so that its body is of the same moment.
fn capture_row(conn: &Connection, row: &Row<'_>) -> Result<StoredCapture, StoreError> {
    let id: CaptureId = row.get("id")?;
    let damaged = |what: &str| StoreError::damaged(format!("capture {id} {what}"));
    let channel = parse_channels(&row.get::<_, String>("channel")?);
    let headers: String = row.get("headers")?;
    let request: Option<String> = row.get("request")?;
    let kept: Option<i64> = row.get("body_id")?;
    let body = match kept {
        Some(id) => bodies::get(conn, id)?,
        None => Vec::new(),
    };
    Ok(StoredCapture {
        id,
        capture: Capture {
            channel: channel
                .first()
                .copied()
                .ok_or_else(|| damaged("has no channel"))?,
            url: row.get("url")?,
            fetched: row.get("fetched_at")?,
            status: row.get("status")?,
            headers: serde_json::from_str(&headers)
                .map_err(|_| damaged("has headers that cannot be read"))?,
            request: request
                .map(|request| serde_json::from_str(&request))
                .transpose()
                .map_err(|_| damaged("has headers of its request that cannot be read"))?,
            body,
        },
        body_sha256: row.get("body_sha256")?,
        body_kept: kept.is_some(),
    })
}

/// A raw response without its body, for callers that only need its metadata.
pub(super) fn without_body(
    conn: &Connection,
    id: CaptureId,
) -> Result<Option<StoredCapture>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, channel, url, fetched_at, status, headers, body_sha256, NULL AS body_id, request FROM captures \
         WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(|row| capture_row(conn, row)).transpose()
}

/// Stores a response; a body that is already stored is not stored again.
pub(super) fn put(
    tx: &mut Tx<'_>,
    feed: FeedId,
    capture: &Capture,
) -> Result<CaptureId, StoreError> {
    let sha256 = sha256(&[&capture.body]);
    let body = bodies::put(tx, &sha256, &capture.body)?;
    let json = |headers: &Vec<(String, String)>| {
        serde_json::to_string(headers)
            .map_err(|_| StoreError::Refused("headers that have no JSON form"))
    };
    let headers = json(&capture.headers)?;
    let request = capture.request.as_ref().map(json).transpose()?;
    let id = tx
        .conn
        .prepare_cached(
            "INSERT INTO captures (feed_id, channel, url, fetched_at, status, headers, body_sha256, body_id, request) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .insert(params![
            feed,
            capture.channel.as_str(),
            capture.url,
            capture.fetched,
            capture.status,
            headers,
            sha256,
            body,
            request
        ])?;
    Ok(CaptureId(id))
}
