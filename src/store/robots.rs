//! `robots`: what is known about the robots.txt of each origin, and the pages that it disallows.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, named_params, params};

use super::codec;
use super::error::StoreError;
use super::reader::Reader;
use super::sql;
use super::writer::{Write, Writer};
use crate::domain::ids::EntryId;
use crate::domain::outcome::Validators;
use crate::domain::robots::KnownRobots;
use crate::time::Timestamp;

/// What is known about the robots.txt of an origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RobotsRow {
    /// Scheme, host and port: `https://news.example`.
    pub origin: String,
    /// The file, and how long it is valid.
    pub known: KnownRobots,
    /// The validators for the next conditional request, without a hash.
    pub validators: Validators,
    /// The pause between two requests that it requests.
    pub crawl_delay: Option<Duration>,
}

impl Reader {
    /// What is known about the robots.txt of an origin.
    pub fn robots(&self, origin: &str) -> Result<Option<RobotsRow>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT origin, asked_at, ask_again_at, answered, unreachable_since, failures, error, etag, \
                 last_modified, crawl_delay_ms, bytes, body FROM robots WHERE origin = ?1",
            )?;
            let found = statement.query_row([origin], row).optional()?;
            let Some((mut row, packed)) = found else {
                return Ok(None);
            };
            if let Some((bytes, body)) = packed {
                row.known.body = Some(codec::unpack(&body, bytes)?);
            }
            Ok(Some(row))
        })
    }

    /// Pages with a check schedule that robots.txt disallows.
    pub fn barred_pages(&self) -> Result<u64, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT count(*) FROM entries AS e INDEXED BY entries_barred JOIN feeds AS f ON f.id = e.feed_id \
                 WHERE e.page_barred_at IS NOT NULL AND f.active = 1",
            )?;
            Ok(statement.query_row([], |row| sql::count(row, 0))?)
        })
    }
}

impl Writer {
    /// Stores what is known about the robots.txt of an origin.
    pub fn keep_robots(&self, robots: RobotsRow) -> Write<()> {
        self.write(move |tx| {
            let known = &robots.known;
            let body = match &known.body {
                Some(body) => Some(tx.codec.pack(body)?),
                None => None,
            };
            tx.conn
                .prepare_cached(
                    "INSERT INTO robots (origin, asked_at, ask_again_at, answered, unreachable_since, failures, \
                     error, etag, last_modified, crawl_delay_ms, bytes, body) VALUES (:origin, :asked, :again, \
                     :answered, :since, :failures, :error, :etag, :modified, :delay, :bytes, :body) \
                     ON CONFLICT (origin) DO UPDATE SET asked_at = excluded.asked_at, \
                     ask_again_at = excluded.ask_again_at, answered = excluded.answered, \
                     unreachable_since = excluded.unreachable_since, failures = excluded.failures, \
                     error = excluded.error, etag = excluded.etag, last_modified = excluded.last_modified, \
                     crawl_delay_ms = excluded.crawl_delay_ms, bytes = excluded.bytes, body = excluded.body",
                )?
                .execute(named_params! {
                    ":origin": robots.origin,
                    ":asked": known.asked.unwrap_or_default(),
                    ":again": known.ask_again.unwrap_or_default(),
                    ":answered": known.answered,
                    ":since": known.unreachable_since,
                    ":failures": known.failures,
                    ":error": known.error,
                    ":etag": robots.validators.etag,
                    ":modified": robots.validators.last_modified,
                    ":delay": robots.crawl_delay.map(sql::millis),
                    ":bytes": known.body.as_ref().map(|body| i64::try_from(body.len()).unwrap_or(i64::MAX)),
                    ":body": body,
                })?;
            Ok(())
        })
    }

    /// Records that robots.txt disallows a page, and when to check that again. The other data of the page is kept.
    pub fn bar_page(
        &self,
        entry: EntryId,
        why: String,
        now: Timestamp,
        next: Option<Timestamp>,
    ) -> Write<()> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "UPDATE entries SET page_barred_at = COALESCE(page_barred_at, ?2), page_error = ?3, \
                     page_next_at = ?4 WHERE id = ?1",
                )?
                .execute(params![entry, now, why, next])?;
            Ok(())
        })
    }

    /// Makes pages due that an origin's robots.txt disallowed, if they have a check schedule, because the file has
    /// changed.
    pub fn unbar_pages(&self, origin: &str, now: Timestamp) -> Write<usize> {
        let prefix = format!("{origin}/");
        self.write(move |tx| {
            let rows = tx
                .conn
                .prepare_cached(
                    "UPDATE entries INDEXED BY entries_barred SET page_next_at = min(page_next_at, ?2) \
                     WHERE page_barred_at IS NOT NULL AND page_next_at IS NOT NULL \
                     AND substr(page_url, 1, length(?1)) = ?1",
                )?
                .execute(params![prefix, now])?;
            Ok(rows)
        })
    }
}

type PackedRules = Option<(i64, Vec<u8>)>;

fn row(row: &Row<'_>) -> rusqlite::Result<(RobotsRow, PackedRules)> {
    let bytes: Option<i64> = row.get("bytes")?;
    let body: Option<Vec<u8>> = row.get("body")?;
    Ok((
        RobotsRow {
            origin: row.get("origin")?,
            known: KnownRobots {
                body: None,
                asked: row.get("asked_at")?,
                ask_again: row.get("ask_again_at")?,
                answered: row.get("answered")?,
                unreachable_since: row.get("unreachable_since")?,
                failures: row.get("failures")?,
                error: row.get("error")?,
            },
            validators: Validators {
                etag: row.get("etag")?,
                last_modified: row.get("last_modified")?,
                body_sha256: None,
                packed_sha256: None,
            },
            crawl_delay: sql::duration(row, 9)?,
        },
        bytes.zip(body),
    ))
}
