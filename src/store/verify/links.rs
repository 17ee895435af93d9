//! The chain of revisions, and the responses that it binds.

use rusqlite::Connection;

use super::super::error::StoreError;
use super::{Verified, VerifyTask};
use crate::chain::{CaptureHashes, link};
use crate::domain::ids::RevisionNumber;
use crate::time::Timestamp;

pub(super) fn chain(
    conn: &Connection,
    found: &mut Verified,
    work: &mut VerifyTask<'_>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "SELECT r.entry_id, r.number, r.seen_at, r.previous_hash, r.hash, s.sha256, r.captures_hash, \
         r.feed_capture_id, r.page_capture_id \
         FROM revisions AS r LEFT JOIN states AS s ON s.id = r.state_id ORDER BY r.entry_id, r.number",
    )?;
    let mut rows = statement.query([])?;
    let mut hashes = CaptureHashes::default();
    let mut last: Option<(i64, RevisionNumber, [u8; 32])> = None;
    while let Some(row) = rows.next()? {
        let (entry, number): (i64, RevisionNumber) = (row.get(0)?, row.get(1)?);
        let (seen, previous, hash): (Timestamp, [u8; 32], [u8; 32]) =
            (row.get(2)?, row.get(3)?, row.get(4)?);
        let captures: Option<[u8; 32]> = row.get(6)?;
        found.revisions += 1;
        work.one();
        let name = format!("revision {number} of entry {entry}");
        let before = last.filter(|(known, ..)| *known == entry);
        let (expected_number, expected) = match before {
            Some((_, number, hash)) => (number.next(), hash),
            None => (RevisionNumber::FIRST, [0; 32]),
        };
        if number != expected_number {
            found.fault(format!(
                "{name}: revision {expected_number} is missing before it"
            ));
        } else if previous != expected {
            found.fault(format!("{name}: does not follow the revision before it"));
        }
        match row.get::<_, Option<[u8; 32]>>(5)? {
            None => found.fault(format!("{name}: its state is missing")),
            Some(state) if link(&previous, &state, number, seen, captures.as_ref()) != hash => {
                found.fault(format!(
                    "{name}: its hash does not match its state, number, time and responses"
                ));
            }
            Some(_) => {}
        }
        if let Some(captures) = captures {
            match hashes.behind(conn, row.get(7)?, row.get(8)?) {
                Ok(hash) if hash == captures => {}
                Ok(_) => found.fault(format!(
                    "{name}: its responses are not those it was stored with"
                )),
                Err(error) => found.fault(format!("{name}: {error}")),
            }
        }
        last = Some((entry, number, hash));
    }
    let mut statement = conn.prepare(
        "SELECT e.id FROM entries AS e WHERE e.revision IS NOT \
         (SELECT max(number) FROM revisions AS r WHERE r.entry_id = e.id)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let entry: i64 = row.get(0)?;
        found.fault(format!(
            "entry {entry}: its newest revision is not the recorded one"
        ));
    }
    Ok(())
}
