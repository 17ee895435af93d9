//! The database of diffengine, another program that watches articles: read, to take its history over.
//!
//! The file may be from anyone. It is opened for reading only, what is asked of it has to be tables, and every value is
//! bounded before it is looked at.

use std::path::Path;
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, named_params};

use super::error::StoreError;
use super::writer::{Write, Writer};
use crate::domain::ids::FeedId;
use crate::time::Timestamp;

/// No value is longer; longer texts are cut.
const MOST_BYTES: i32 = 8 << 20;

/// Characters of a text that are read.
const MOST_TEXT: i64 = 1_000_000;

/// Characters of a headline, an address or a name.
const MOST_LINE: i64 = 4000;

/// Versions of one article; nobody edits one more often.
const MOST_VERSIONS: i64 = 10_000;

const TABLES: [&str; 4] = ["feed", "entry", "feedentry", "entryversion"];

/// An open database of diffengine.
#[derive(Debug)]
pub struct Diffengine {
    conn: Connection,
}

/// An article that diffengine has watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedArticle {
    /// Its row.
    pub id: i64,
    /// Its address.
    pub url: String,
    /// The address of the first feed that listed it.
    pub feed_url: String,
    /// The name of that.
    pub feed_name: String,
}

/// A version of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedVersion {
    /// Its headline.
    pub title: String,
    /// Its text: HTML with paragraphs.
    pub html: String,
    /// When it was stored, in UTC; `None` where that is not a time.
    pub seen: Option<Timestamp>,
}

impl Diffengine {
    /// Opens the file at `path`, which is not changed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(Duration::from_secs(5))?;
        conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_BYTES)?;
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "cell_size_check", true)?;
        conn.pragma_update(None, "query_only", true)?;
        // A view, or a virtual table, could run for ever.
        let mut is_table = conn.prepare(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 AND rootpage > 0)",
        )?;
        for table in TABLES {
            if !is_table.query_row([table], |row| row.get::<_, bool>(0))? {
                return Err(StoreError::Refused(
                    "a file without the tables of diffengine",
                ));
            }
        }
        drop(is_table);
        Ok(Self { conn })
    }

    /// How many articles there are.
    pub fn count(&self) -> Result<u64, StoreError> {
        let mut statement = self.conn.prepare("SELECT count(*) FROM entry")?;
        Ok(statement.query_row([], |row| super::sql::count(row, 0))?)
    }

    /// The article after the one of this row, by their rows; `None` behind the last one.
    pub fn article_after(&self, row: i64) -> Result<Option<WatchedArticle>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT entry.id, CAST(substr(entry.url, 1, :most) AS TEXT), \
                    CAST(substr(COALESCE(feed.url, ''), 1, :most) AS TEXT), \
                    CAST(substr(COALESCE(feed.name, ''), 1, :most) AS TEXT) \
             FROM entry LEFT JOIN feed ON feed.url = \
               (SELECT feed_id FROM feedentry WHERE entry_id = entry.id ORDER BY id LIMIT 1) \
             WHERE entry.id > :row ORDER BY entry.id LIMIT 1",
        )?;
        let article = statement.query_row(named_params! {":most": MOST_LINE, ":row": row}, |row| {
            Ok(WatchedArticle {
                id: row.get(0)?,
                url: text(row, 1)?,
                feed_url: text(row, 2)?,
                feed_name: text(row, 3)?,
            })
        });
        Ok(article.optional()?)
    }

    /// Shows the versions of an article, the oldest first.
    pub fn each_version<E: From<StoreError>>(
        &self,
        article: i64,
        mut see: impl FnMut(WatchedVersion) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT CAST(substr(title, 1, :line) AS TEXT), CAST(substr(summary, 1, :text) AS TEXT), \
                        CAST(substr(created, 1, 40) AS TEXT) \
                 FROM entryversion WHERE entry_id = :article ORDER BY created, id LIMIT :most",
            )
            .map_err(StoreError::from)?;
        let values = named_params! {
            ":line": MOST_LINE, ":text": MOST_TEXT, ":article": article, ":most": MOST_VERSIONS,
        };
        let mut rows = statement.query(values).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let of = |at| text(row, at).map_err(StoreError::from);
            see(WatchedVersion {
                title: of(0)?,
                html: of(1)?,
                seen: moment(&of(2)?),
            })?;
        }
        Ok(())
    }
}

impl Writer {
    /// The feed of an address; one that is in no configuration is made for its history, and is not polled.
    pub fn feed_for_history(
        &self,
        url: String,
        name: String,
        host: String,
        now: Timestamp,
    ) -> Write<FeedId> {
        self.write(move |tx| {
            tx.conn
                .prepare_cached(
                    "INSERT INTO feeds (url, name, host, active, added_at, next_why) \
                     VALUES (:url, :name, :host, 0, :now, 'imported') ON CONFLICT DO NOTHING",
                )?
                .execute(named_params! {":url": url, ":name": name, ":host": host, ":now": now})?;
            Ok(tx
                .conn
                .prepare_cached("SELECT id FROM feeds WHERE url = ?1")?
                .query_row([&url], |row| row.get(0))?)
        })
    }
}

/// Text of any bytes; what is not UTF-8 is replaced.
fn text(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<String> {
    let value = row.get_ref(at)?;
    let bytes = value.as_bytes_or_null().ok().flatten().unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// A moment as Python writes one, in UTC: `2017-01-05 12:34:56.789`.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().replacen(' ', "T", 1);
    Timestamp::parse_rfc3339(&format!("{text}Z")).or_else(|| Timestamp::parse_rfc3339(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_python_are_read_and_nonsense_is_none() {
        let expected = Timestamp::parse_rfc3339("2017-01-05T12:34:56.789Z");
        assert!(expected.is_some());
        assert_eq!(moment("2017-01-05 12:34:56.789"), expected);
        assert_eq!(moment("2017-01-05T12:34:56.789+00:00"), expected);
        for nonsense in ["", "yesterday", "2017-13-05 12:34:56", "99999"] {
            assert_eq!(moment(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_view_in_the_place_of_a_table_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "CREATE TABLE feed (url); CREATE TABLE feedentry (id); CREATE TABLE entryversion (id); \
             CREATE VIEW entry AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n;",
        )
        .unwrap();
        assert!(Diffengine::open(&path).is_err());
        assert!(Diffengine::open(&folder.path().join("none.db")).is_err());
    }
}
