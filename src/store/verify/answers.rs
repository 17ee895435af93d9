//! Compares the texts of entries and the bodies of responses with their hashes.

use rusqlite::Connection;

use super::super::error::StoreError;
use super::{Verified, VerifyTask};
use crate::bodies as stored;
use crate::codec::{sha256, unpack};
use crate::domain::state::EntryState;

pub(super) fn states(
    conn: &Connection,
    found: &mut Verified,
    work: &mut VerifyTask<'_>,
) -> Result<(), StoreError> {
    let mut statement =
        conn.prepare("SELECT id, sha256, bytes, body, dropped_at IS NULL FROM states ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, hash, bytes): (i64, [u8; 32], i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        work.one();
        let body = row.get_ref(3)?.as_blob().unwrap_or_default();
        if !row.get::<_, bool>(4)? {
            found.dropped += 1;
            if !body.is_empty() {
                found.fault(format!("state {id}: recorded as deleted, but it is there"));
            }
            continue;
        }
        found.states += 1;
        match unpack(body, bytes) {
            Err(error) => found.fault(format!("state {id}: {error}")),
            Ok(json) if sha256(&[&json]) != hash => {
                found.fault(format!("state {id}: its text does not have its hash"));
            }
            Ok(json) => {
                if let Err(error) = serde_json::from_slice::<EntryState>(&json) {
                    found.fault(format!("state {id}: cannot be read: {error}"));
                }
            }
        }
    }
    Ok(())
}

pub(super) fn bodies(
    conn: &Connection,
    found: &mut Verified,
    work: &mut VerifyTask<'_>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare("SELECT id, sha256 FROM bodies ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, hash): (i64, [u8; 32]) = (row.get(0)?, row.get(1)?);
        found.bodies += 1;
        work.one();
        match stored::get(conn, id) {
            Err(error) => found.fault(format!("body {id}: {error}")),
            Ok(body) if sha256(&[&body]) != hash => {
                found.fault(format!("body {id}: its bytes do not have its hash"));
            }
            Ok(_) => {}
        }
    }
    let mut statement = conn.prepare(
        "SELECT c.id FROM captures AS c JOIN bodies AS b ON b.id = c.body_id WHERE b.sha256 <> c.body_sha256",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        found.fault(format!(
            "capture {id}: its body does not have its recorded hash"
        ));
    }
    Ok(())
}
