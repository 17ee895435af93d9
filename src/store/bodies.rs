//! `bodies`: the bytes of responses. Each distinct body is stored once, either whole or as its difference from
//! another.

use rusqlite::{Connection, OptionalExtension, params};

use super::codec::{unpack, unpack_against};
use super::error::StoreError;
use super::writer::Tx;

/// Stores a body, or finds an existing one.
pub(super) fn put(tx: &mut Tx<'_>, sha256: &[u8; 32], body: &[u8]) -> Result<i64, StoreError> {
    let known: Option<i64> = tx
        .conn
        .prepare_cached("SELECT id FROM bodies WHERE sha256 = ?1")?
        .query_row([sha256], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let packed = tx.codec.pack(body)?;
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    Ok(tx
        .conn
        .prepare_cached("INSERT INTO bodies (sha256, bytes, body) VALUES (?1, ?2, ?3)")?
        .insert(params![sha256, bytes, packed])?)
}

/// Reads a body. Call it inside one transaction, or while a statement is open; otherwise the body's base may be
/// deleted in the meantime.
pub(super) fn get(conn: &Connection, id: i64) -> Result<Vec<u8>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT bytes, body, base_id FROM bodies WHERE id = ?1")?;
    let mut deltas = Vec::new();
    let mut at = id;
    let mut body = loop {
        let row: Option<(i64, Vec<u8>, Option<i64>)> = statement
            .query_row([at], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((bytes, packed, base)) = row else {
            return Err(StoreError::damaged(format!("body {at} is missing")));
        };
        match base.filter(|&base| base != at) {
            None => break unpack(&packed, bytes)?,
            // A base always has a later id, so this ends.
            Some(base) if base < at => {
                return Err(StoreError::damaged(format!(
                    "body {at} is based on an earlier one"
                )));
            }
            Some(base) => {
                deltas.push((bytes, packed));
                at = base;
            }
        }
    };
    for (bytes, packed) in deltas.iter().rev() {
        body = unpack_against(&body, packed, *bytes)?;
    }
    Ok(body)
}

/// How many other bodies are needed to read this one.
pub(super) fn depth(conn: &Connection, id: i64) -> Result<usize, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT base_id FROM bodies WHERE id = ?1 AND base_id > id")?;
    let (mut at, mut depth) = (id, 0);
    while let Some(base) = statement.query_row([at], |row| row.get(0)).optional()? {
        (at, depth) = (base, depth + 1);
    }
    Ok(depth)
}

/// Deletes a body that no capture and no other body needs, then those that only it needed. Returns how many were
/// deleted.
pub(super) fn drop_unused(conn: &Connection, id: i64) -> Result<usize, StoreError> {
    let mut dropped = 0;
    let mut next = Some(id);
    while let Some(id) = next {
        let gone: Option<Option<i64>> = conn
            .prepare_cached(
                "DELETE FROM bodies WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM captures WHERE body_id = ?1) \
                 AND NOT EXISTS (SELECT 1 FROM bodies WHERE base_id = ?1 AND id <> ?1) RETURNING nullif(base_id, id)",
            )?
            .query_row([id], |row| row.get(0))
            .optional()?;
        dropped += usize::from(gone.is_some());
        next = gone.flatten();
    }
    Ok(dropped)
}
