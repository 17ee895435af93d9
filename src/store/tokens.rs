//! `web_tokens`: who may read the web pages. Only the hash of a token is stored.

use rusqlite::{OptionalExtension, params};

use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::time::Timestamp;

/// The stored data of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name, chosen by a user.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Reader {
    /// All tokens by their names.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT name, created_at FROM web_tokens ORDER BY name")?;
            let rows = statement.query_map([], |row| {
                Ok(TokenRow {
                    name: row.get(0)?,
                    created: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Whether a token with this SHA-256 may read.
    pub fn knows_token(&self, hash: [u8; 32]) -> Result<bool, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT 1 FROM web_tokens WHERE hash = ?1")?;
            let found: Option<i64> = statement.query_row([hash], |row| row.get(0)).optional()?;
            Ok(found.is_some())
        })
    }
}

impl Writer {
    /// Stores the hash of a new token. If there is already one with this name, returns `false` and keeps the old
    /// one.
    pub fn add_token(&self, name: &str, hash: [u8; 32], now: Timestamp) -> Write<bool> {
        let name = name.to_owned();
        self.write(move |tx| {
            let added = tx
                .conn
                .prepare_cached(
                    "INSERT INTO web_tokens (name, hash, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
                )?
                .execute(params![&name, hash, now])?;
            Ok(added > 0)
        })
    }

    /// Deletes a token; returns whether there was one.
    pub fn drop_token(&self, name: &str) -> Write<bool> {
        let name = name.to_owned();
        self.write(move |tx| {
            let dropped = tx
                .conn
                .prepare_cached("DELETE FROM web_tokens WHERE name = ?1")?
                .execute([&name])?;
            Ok(dropped > 0)
        })
    }
}
