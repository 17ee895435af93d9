//! `known_items`: the items of a feed that need not be read again. A list that cannot be read counts as missing.

use rusqlite::{OptionalExtension, params};

use super::codec::unpack;
use super::error::StoreError;
use super::reader::Reader;
use super::writer::Tx;
use crate::domain::ids::FeedId;
use crate::domain::known_items::KnownItems;

impl Reader {
    /// The items of the last document of a feed that need not be read again.
    pub fn known_items(&self, feed: FeedId) -> Result<Option<KnownItems>, StoreError> {
        self.read(|conn| {
            let row: Option<(i64, Vec<u8>)> = conn
                .prepare_cached("SELECT bytes, items FROM known_items WHERE feed_id = ?1")?
                .query_row([feed], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let json = row.and_then(|(bytes, packed)| unpack(&packed, bytes).ok());
            Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
        })
    }
}

/// Stores them, replacing the previous ones.
pub(super) fn put(tx: &mut Tx<'_>, feed: FeedId, items: &KnownItems) -> Result<(), StoreError> {
    if items.items.is_empty() {
        tx.conn
            .prepare_cached("DELETE FROM known_items WHERE feed_id = ?1")?
            .execute([feed])?;
        return Ok(());
    }
    let json = serde_json::to_vec(items)
        .map_err(|_| StoreError::Refused("a list of items that has no JSON form"))?;
    let packed = tx.codec.pack(&json)?;
    let bytes = i64::try_from(json.len()).unwrap_or(i64::MAX);
    tx.conn
        .prepare_cached(
            "INSERT INTO known_items (feed_id, bytes, items) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes, items = excluded.items",
        )?
        .execute(params![feed, bytes, packed])?;
    Ok(())
}
