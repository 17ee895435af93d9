//! The evidence for a change: the chain up to it, both texts, and the responses from which they were read.

use rusqlite::{Connection, params};

use super::captures;
use super::changes::{self, StoredChange};
use super::codec::unpack;
use super::error::StoreError;
use super::reader::Reader;
use crate::domain::chain::{ChainLink, StoredCapture};
use crate::domain::ids::{CaptureId, ChangeNumber, EntryId, RevisionNumber};

/// A change with its evidence, read as one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvidence {
    /// The change.
    pub change: StoredChange,
    /// The chain of its entry, from the first revision to the one after the change.
    pub links: Vec<ChainLink>,
    /// The responses behind the revisions before and after. That of each channel may belong to an earlier
    /// revision.
    pub captures: Vec<StoredCapture>,
}

impl Reader {
    /// The evidence for a change; `None` if there is no such change.
    pub fn evidence(&self, number: ChangeNumber) -> Result<Option<StoredEvidence>, StoreError> {
        self.read(|conn| {
            let tx = conn.unchecked_transaction()?;
            let Some(change) = changes::get(&tx, number)? else {
                return Ok(None);
            };
            let mut links = links(&tx, change.entry, change.after)?;
            let mut wanted = Vec::new();
            for revision in [change.before, change.after] {
                let behind = captures::behind(&tx, change.entry, revision)?;
                wanted.extend([behind.feed, behind.page].into_iter().flatten());
            }
            for link in &mut links {
                if [change.before, change.after].contains(&link.number) {
                    link.state = state_json(&tx, change.entry, link.number)?;
                }
                // The hash of a link covers all of its responses.
                if link.captures.iter().any(|id| wanted.contains(id)) {
                    wanted.extend(&link.captures);
                }
            }
            wanted.sort_unstable();
            wanted.dedup();
            let mut found = Vec::new();
            for id in wanted {
                found.extend(captures::get(&tx, id)?);
            }
            Ok(Some(StoredEvidence {
                change,
                links,
                captures: found,
            }))
        })
    }
}

fn links(
    conn: &Connection,
    entry: EntryId,
    last: RevisionNumber,
) -> Result<Vec<ChainLink>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT r.number, r.seen_at, s.sha256, r.captures_hash, r.previous_hash, r.hash, r.feed_capture_id, \
         r.page_capture_id FROM revisions AS r JOIN states AS s ON s.id = r.state_id \
         WHERE r.entry_id = ?1 AND r.number <= ?2 ORDER BY r.number",
    )?;
    let rows = statement.query_map(params![entry, last], |row| {
        let captures: [Option<CaptureId>; 2] =
            [row.get("feed_capture_id")?, row.get("page_capture_id")?];
        Ok(ChainLink {
            number: row.get("number")?,
            seen: row.get("seen_at")?,
            state_sha256: row.get("sha256")?,
            captures_hash: row.get("captures_hash")?,
            previous: row.get("previous_hash")?,
            hash: row.get("hash")?,
            captures: captures.into_iter().flatten().collect(),
            state: None,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn state_json(
    conn: &Connection,
    entry: EntryId,
    number: RevisionNumber,
) -> Result<Option<String>, StoreError> {
    let (bytes, body, kept): (i64, Vec<u8>, bool) = conn
        .prepare_cached(
            "SELECT s.bytes, s.body, s.dropped_at IS NULL FROM revisions AS r JOIN states AS s ON s.id = r.state_id \
             WHERE r.entry_id = ?1 AND r.number = ?2",
        )?
        .query_row(params![entry, number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if !kept {
        return Ok(None);
    }
    String::from_utf8(unpack(&body, bytes)?)
        .map(Some)
        .map_err(|_| StoreError::damaged(format!("the state of revision {number} is not text")))
}
