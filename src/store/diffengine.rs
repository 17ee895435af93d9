//! The database of diffengine, another program that watches articles, read to import its history.
//!
//! The file may come from anyone. It is opened read-only, the objects that are queried must be tables, and the
//! size of every value is limited before it is read.

use std::path::Path;
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, named_params};

use super::error::StoreError;
use super::writer::{Write, Writer};
use crate::domain::ids::FeedId;
use crate::time::Timestamp;

/// The longest value; longer texts are cut.
const MOST_BYTES: i32 = 8 << 20;

/// The most characters of a text that are read.
const MOST_TEXT: i64 = 1_000_000;

/// The most characters of a headline, an address or a name.
const MOST_LINE: i64 = 4000;

/// The most versions of one article; nobody edits an article more often.
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
    /// The name of that feed.
    pub feed_name: String,
}

/// A version of an article.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WatchedVersion {
    /// Its headline.
    pub title: String,
    /// Its text: HTML with paragraphs.
    pub html: String,
    /// When it was stored, in UTC; `None` if that is not a valid time.
    pub seen: Option<Timestamp>,
}

impl Diffengine {
    /// Opens the file at `path` without changing it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(Duration::from_secs(5))?;
        conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_BYTES)?;
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "cell_size_check", true)?;
        conn.pragma_update(None, "query_only", true)?;
        // A view or a virtual table could run forever.
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

    /// The number of articles.
    pub fn count(&self) -> Result<u64, StoreError> {
        let mut statement = self.conn.prepare("SELECT count(*) FROM entry")?;
        Ok(statement.query_row([], |row| super::sql::count(row, 0))?)
    }

    /// The next article after this row; `None` after the last one.
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
        let article = article.optional()?;
        if article.as_ref().is_some_and(|article| article.id <= row) {
            // Otherwise it would be read forever.
            return Err(StoreError::damaged("rows that are out of order"));
        }
        Ok(article)
    }

    /// The rows of the versions of an article, the oldest first.
    pub fn versions(&self, article: i64) -> Result<Vec<i64>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT rowid FROM entryversion WHERE entry_id = ?1 ORDER BY created, id LIMIT ?2",
        )?;
        let rows = statement.query_map([article, MOST_VERSIONS], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The version of a row; one that is longer than anybody writes has no time and no text.
    pub fn version(&self, row: i64) -> Result<WatchedVersion, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT CAST(substr(title, 1, :line) AS TEXT), CAST(substr(summary, 1, :text) AS TEXT), \
                    CAST(substr(created, 1, 40) AS TEXT) FROM entryversion WHERE rowid = :row",
        )?;
        let values = named_params! {":line": MOST_LINE, ":text": MOST_TEXT, ":row": row};
        let version = statement.query_row(values, |row| {
            Ok(WatchedVersion {
                title: text(row, 0)?,
                html: text(row, 1)?,
                seen: moment(&text(row, 2)?),
            })
        });
        match version {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::TooBig) => {
                Ok(WatchedVersion::default())
            }
            version => Ok(version?),
        }
    }
}

impl Writer {
    /// The feed of an address. If it is not configured, it is created for its history and not polled.
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

/// A text of any bytes; invalid UTF-8 is replaced.
fn text(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<String> {
    let value = row.get_ref(at)?;
    let bytes = value.as_bytes_or_null().ok().flatten().unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Parses a time as Python writes it, in UTC: `2017-01-05 12:34:56.789`.
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

    const TABLES: &str = "CREATE TABLE feed (url, name, created); CREATE TABLE entry (id INTEGER PRIMARY KEY, url); \
         CREATE TABLE feedentry (id INTEGER PRIMARY KEY, feed_id, entry_id); \
         CREATE TABLE entryversion (id INTEGER PRIMARY KEY, title, summary, created, entry_id);";

    /// Reads everything that an import would.
    fn read_all(path: &Path) -> Result<Vec<(WatchedArticle, Vec<WatchedVersion>)>, StoreError> {
        let theirs = Diffengine::open(path)?;
        theirs.count()?;
        let (mut out, mut row) = (Vec::new(), i64::MIN);
        while let Some(article) = theirs.article_after(row)? {
            row = article.id;
            let versions = theirs.versions(row)?.into_iter();
            let versions = versions.map(|version| theirs.version(version));
            out.push((article, versions.collect::<Result<_, _>>()?));
        }
        Ok(out)
    }

    fn made(folder: &tempfile::TempDir, sql: &str) -> std::path::PathBuf {
        let path = folder.path().join("d.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(sql).unwrap();
        path
    }

    #[test]
    fn missing_values_and_values_of_other_kinds_are_empty_or_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(
            &folder,
            &format!(
                "{TABLES} INSERT INTO entry VALUES (-7, NULL), (1, x'68ff'); \
                 INSERT INTO feedentry VALUES (1, NULL, 1), (2, 9.5, -7); INSERT INTO feed VALUES (NULL, x'00', NULL); \
                 INSERT INTO entryversion VALUES (1, NULL, NULL, NULL, 1), (2, 7, x'3c703eff', 20170107, 1), \
                   (3, zeroblob(5000000), hex(zeroblob(2000000)), '2017-01-05', -7);"
            ),
        );
        let read = read_all(&path).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].0.id, read[0].0.url.as_str()), (-7, ""));
        assert_eq!(read[1].0.url, "h\u{fffd}");
        assert_eq!(read[1].1[0].title, "");
        assert_eq!(read[1].1[1].html, "<p>\u{fffd}");
        assert!(read[0].1[0].html.len() <= 1_000_000);
        assert!(read[0].1[0].title.len() <= 4000 && read[0].1[0].seen.is_none());
    }

    #[test]
    fn a_value_of_a_gigabyte_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(
            &folder,
            &format!(
                "{TABLES} INSERT INTO entry VALUES (1, 'https://e.example/'); \
                      INSERT INTO entryversion VALUES (1, '', zeroblob(9 << 20), '2017-01-05 00:00:00', 1);"
            ),
        );
        let read = read_all(&path).unwrap();
        assert_eq!(read[0].1, [WatchedVersion::default()]);
        // A row that claims a length, but lacks the bytes for it.
        let mut bytes = std::fs::read(&path).unwrap();
        let claim = [0x84, 0x80, 0x80, 0x0c];
        let at = bytes.windows(4).position(|window| window == claim);
        if let Some(at) = at {
            bytes[at] = 0x87;
        }
        std::fs::write(&path, bytes).unwrap();
        let _ = read_all(&path);
    }

    #[test]
    fn a_damaged_file_is_an_error_or_less_text_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let articles: String = (1..60)
            .map(|id| {
                format!(
                    "INSERT INTO entry VALUES ({id}, 'https://e.example/{id}'); \
                     INSERT INTO entryversion VALUES ({id}, 'T', hex(randomblob(300)), '2017-01-05 00:00:00', {id});"
                )
            })
            .collect();
        let path = made(
            &folder,
            &format!("PRAGMA page_size = 512; {TABLES} {articles}"),
        );
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(read_all(&path).unwrap().len(), 59);
        let other = folder.path().join("other.db");
        // A fixed sequence: it does not matter which bytes are hit, only that many are.
        let mut state = 1_u64;
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..4 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] = state.to_be_bytes()[4];
            }
            bytes.truncate((state >> 20) as usize % (4 * bytes.len()));
            std::fs::write(&other, bytes).unwrap();
            let _ = read_all(&other);
        }
        for bytes in [&b""[..], b"not a database", b"SQLite format 3\0"] {
            std::fs::write(&other, bytes).unwrap();
            assert!(read_all(&other).is_err());
        }
    }

    #[test]
    fn triggers_views_and_foreign_functions_in_the_file_are_never_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = made(
            &folder,
            &format!(
                "{TABLES} INSERT INTO entry VALUES (1, 'https://e.example/'); \
                 CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a; \
                 CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entryversion; END; \
                 CREATE INDEX i ON entryversion (entry_id, length(summary));"
            ),
        );
        let before = std::fs::read(&path).unwrap();
        assert_eq!(read_all(&path).unwrap().len(), 1);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // A database without the columns that the query needs.
        let folder = tempfile::tempdir().unwrap();
        let other = made(
            &folder,
            "CREATE TABLE feed (a); CREATE TABLE entry (a); CREATE TABLE feedentry (a); CREATE TABLE entryversion (a);",
        );
        assert!(read_all(&other).is_err());
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
