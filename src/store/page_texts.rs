//! `page_texts` and `stand_ins`: the text last seen on each page, and texts that are shown instead of articles.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::reader::Reader;
use super::sql;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::EntryId;
use crate::domain::life::stand_in::{Alike, PageText};

/// Pages whose text was last seen longer ago than this do not count.
const WINDOW_MS: i64 = 30 * 24 * 3_600_000;
/// The most pages that are counted.
const MOST: u32 = 100;

impl Reader {
    /// The text last seen on the page of an entry.
    pub fn page_text(&self, entry: EntryId) -> Result<Option<PageText>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT host, address, body_fp, seen_at FROM page_texts WHERE entry_id = ?1",
            )?;
            let text = |row: &Row<'_>| {
                Ok(PageText {
                    host: row.get(0)?,
                    address: row.get(1)?,
                    body: row.get(2)?,
                    seen: row.get(3)?,
                })
            };
            Ok(statement.query_row([entry], text).optional()?)
        })
    }

    /// What is known about other pages with the same text. Copies of one article, by address or headline, count
    /// once.
    pub fn pages_alike(
        &self,
        text: &PageText,
        entry: EntryId,
        title: Option<&str>,
    ) -> Result<Alike, StoreError> {
        let known = self.is_stand_in(&text.host, text.body)?;
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT min(count(DISTINCT address), count(DISTINCT title)) FROM \
                 (SELECT t.address, e.title FROM page_texts AS t JOIN entries AS e ON e.id = t.entry_id \
                  WHERE t.body_fp = ?1 AND t.host = ?2 AND t.entry_id <> ?3 AND t.address <> ?4 \
                  AND e.title IS NOT ?5 AND t.seen_at >= ?6 LIMIT ?7)",
            )?;
            let since = text.seen.as_millis() - WINDOW_MS;
            let values = params![text.body, text.host, entry, text.address, title, since, MOST];
            let others = statement.query_row(values, |row| sql::count(row, 0))?;
            Ok(Alike {
                known,
                others: u32::try_from(others).unwrap_or(u32::MAX),
            })
        })
    }

    /// Whether a text is known as a stand-in.
    pub fn is_stand_in(&self, host: &str, body: Fingerprint) -> Result<bool, StoreError> {
        self.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT 1 FROM stand_ins WHERE host = ?1 AND body_fp = ?2")?;
            let found = statement
                .query_row(params![host, body], |_| Ok(()))
                .optional()?;
            Ok(found.is_some())
        })
    }
}

/// Records the text seen on a page, and whether it is a stand-in.
pub(super) fn put(
    conn: &Connection,
    entry: EntryId,
    text: &PageText,
    is_stand_in: bool,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO page_texts (entry_id, host, address, body_fp, seen_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (entry_id) DO UPDATE SET host = excluded.host, address = excluded.address, \
         body_fp = excluded.body_fp, seen_at = excluded.seen_at \
         WHERE body_fp IS NOT excluded.body_fp OR host IS NOT excluded.host OR address IS NOT excluded.address",
    )?
    .execute(params![entry, text.host, text.address, text.body, text.seen])?;
    if !is_stand_in {
        return Ok(());
    }
    let found = conn
        .prepare_cached(
            "INSERT OR IGNORE INTO stand_ins (host, body_fp, found_at) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![text.host, text.body, text.seen])?;
    if found > 0 {
        // Pages last seen with this text are read at their next check, even if the server says that they are
        // unchanged.
        conn.prepare_cached(
            "UPDATE entries SET page_etag = NULL, page_last_modified = NULL, page_body_sha256 = NULL, \
             page_packed_sha256 = NULL \
             WHERE id IN (SELECT entry_id FROM page_texts WHERE body_fp = ?1 AND host = ?2)",
        )?
        .execute(params![text.body, text.host])?;
    }
    Ok(())
}
