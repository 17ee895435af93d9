//! `article_text` and `change_text`: the index that `revisor search` asks.
//!
//! Both are written in the transaction of the revision. What was stored before there was an index, or under another
//! [`SCHEME`], is indexed in the background by [`Writer::index_for_search`].

use rusqlite::{Connection, OptionalExtension, ToSql, named_params, params};

use super::changes::{self, StoredChange};
use super::error::StoreError;
use super::reader::Reader;
use super::sql::{count, feed_list, limit_of};
use super::states;
use super::writer::{Tx, Write, Writer};
use crate::domain::diff::Segment;
use crate::domain::event::DiffInfo;
use crate::domain::ids::{ChangeNumber, EntryId, FeedId, RevisionNumber};
use crate::domain::search::{ChangedSentences, Query, SCHEME, gone, spaced, texts};
use crate::domain::state::EntryState;
use crate::time::Timestamp;

/// Which texts a search looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchIn {
    /// The current text of articles, and what was removed.
    #[default]
    All,
    /// What was removed.
    Removed,
    /// What was added.
    Added,
    /// Headlines, those of now and those of before.
    Headlines,
}

/// What a search is restricted to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchFilter {
    /// Which texts.
    pub texts: SearchIn,
    /// Only of these feeds; `None` for all.
    pub feeds: Option<Vec<FeedId>>,
    /// Only of this entry.
    pub entry: Option<EntryId>,
    /// Only changes first seen at this moment or later.
    pub since: Option<Timestamp>,
    /// Only changes first seen before this moment.
    pub until: Option<Timestamp>,
    /// At most so many articles, and so many changes.
    pub limit: usize,
}

/// How far the index has been built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchProgress {
    /// Entries and changes that are in it.
    pub done: u64,
    /// All there are.
    pub all: u64,
}

impl SearchProgress {
    /// Whether everything can be found.
    #[must_use]
    pub fn is_complete(self) -> bool {
        self.done >= self.all
    }

    /// 0–100, rounded down.
    #[must_use]
    pub fn percent(self) -> u64 {
        (self.done * 100).checked_div(self.all).unwrap_or(100)
    }
}

impl Reader {
    /// Entries whose newest text has what is looked for, newest first.
    pub fn search_articles(
        &self,
        query: &Query,
        filter: &SearchFilter,
    ) -> Result<Vec<EntryId>, StoreError> {
        let columns = match filter.texts {
            SearchIn::All => "",
            SearchIn::Headlines => "{title} : ",
            SearchIn::Removed | SearchIn::Added => return Ok(Vec::new()),
        };
        let expression = format!("{columns}({})", query.expression());
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT e.id FROM article_text AS t JOIN entries AS e ON e.id = t.rowid \
                 WHERE article_text MATCH :query AND (:entry IS NULL OR e.id = :entry) \
                 AND (:feeds IS NULL OR e.feed_id IN (SELECT value FROM json_each(:feeds))) \
                 ORDER BY t.rowid DESC LIMIT :limit",
            )?;
            let feeds = filter.feeds.as_deref().map(feed_list);
            let values = named_params! {
                ":query": expression, ":entry": filter.entry, ":feeds": feeds, ":limit": limit_of(filter.limit),
            };
            let rows = statement.query_map(values, |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Changes that took away, or brought, what is looked for, newest first.
    pub fn search_changes(
        &self,
        query: &Query,
        filter: &SearchFilter,
    ) -> Result<Vec<ChangeNumber>, StoreError> {
        let columns = match filter.texts {
            SearchIn::All | SearchIn::Removed => "{removed headline_before}",
            SearchIn::Added => "{added headline_after}",
            SearchIn::Headlines => "{headline_before headline_after}",
        };
        let expression = format!("{columns} : ({})", query.expression());
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT c.number FROM change_text AS t JOIN changes AS c ON c.number = t.rowid \
                 WHERE change_text MATCH :query AND (:entry IS NULL OR c.entry_id = :entry) \
                 AND (:feeds IS NULL OR c.feed_id IN (SELECT value FROM json_each(:feeds))) \
                 AND (:since IS NULL OR c.first_changed_at >= :since) \
                 AND (:until IS NULL OR c.first_changed_at < :until) \
                 ORDER BY t.rowid DESC LIMIT :limit",
            )?;
            let feeds = filter.feeds.as_deref().map(feed_list);
            let values = named_params! {
                ":query": expression, ":entry": filter.entry, ":feeds": feeds, ":since": filter.since,
                ":until": filter.until, ":limit": limit_of(filter.limit),
            };
            let rows = statement.query_map(values, |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The entries of some feeds, or one, newest first: for a search that reads everything.
    pub fn entry_ids(
        &self,
        feeds: Option<&[FeedId]>,
        entry: Option<EntryId>,
    ) -> Result<Vec<EntryId>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id FROM entries WHERE (?1 IS NULL OR id = ?1) \
                 AND (?2 IS NULL OR feed_id IN (SELECT value FROM json_each(?2))) ORDER BY id DESC",
            )?;
            let rows =
                statement.query_map(params![entry, feeds.map(feed_list)], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The sentences that a change took away and brought.
    pub fn change_sentences(&self, change: &StoredChange) -> Result<ChangedSentences, StoreError> {
        self.read(|conn| sentences(conn, change))
    }

    /// How far the index has been built.
    pub fn search_progress(&self) -> Result<SearchProgress, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM changes), \
                        iif(scheme = ?1, entries_left, (SELECT count(*) FROM entries)) \
                        + iif(scheme = ?1, changes_left, (SELECT count(*) FROM changes)) FROM search_progress",
            )?;
            let (all, left) = statement.query_row([SCHEME], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
            Ok(SearchProgress {
                done: all.saturating_sub(left),
                all,
            })
        })
    }
}

impl Writer {
    /// Indexes at most `most` entries and changes that are not in the index yet; answers whether there are more.
    pub fn index_for_search(&self, most: usize) -> Write<bool> {
        self.write(move |tx| step(tx.conn, most))
    }

    /// Merges the index into one piece, so that words whose text is gone are gone from the file as well.
    pub fn tidy_search(&self) -> Write<()> {
        self.write(move |tx| {
            tx.conn.execute_batch(
                "INSERT INTO article_text (article_text) VALUES ('optimize'); \
                 INSERT INTO change_text (change_text) VALUES ('optimize');",
            )?;
            Ok(())
        })
    }

    /// Forgets the index; [`Writer::index_for_search`] builds it again.
    pub fn forget_search(&self) -> Write<()> {
        self.write(move |tx| forget(tx.conn))
    }
}

fn forget(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(
        "INSERT INTO article_text (article_text) VALUES ('delete-all'); \
         INSERT INTO change_text (change_text) VALUES ('delete-all');",
    )?;
    conn.execute(
        "UPDATE search_progress SET scheme = ?1, entries_left = (SELECT COALESCE(max(id), 0) FROM entries), \
         changes_left = (SELECT COALESCE(max(number), 0) FROM changes)",
        [SCHEME],
    )?;
    Ok(())
}

fn step(conn: &Connection, most: usize) -> Result<bool, StoreError> {
    let progress = |conn: &Connection| -> Result<(u32, EntryId, ChangeNumber), StoreError> {
        let mut statement =
            conn.prepare_cached("SELECT scheme, entries_left, changes_left FROM search_progress")?;
        Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    };
    let (mut scheme, mut entries, mut changes) = progress(conn)?;
    if scheme != SCHEME {
        forget(conn)?;
        (scheme, entries, changes) = progress(conn)?;
    }
    if entries.0 <= 0 && changes.0 <= 0 {
        return Ok(false);
    }
    let mut left = most;
    while left > 0 && (entries.0 > 0 || changes.0 > 0) {
        left -= 1;
        if changes.0 > 0 {
            let number: Option<ChangeNumber> = last(
                conn,
                "SELECT max(number) FROM changes WHERE number <= ?1",
                &changes,
            )?;
            if let Some(number) = number {
                put_change(conn, number)?;
            }
            changes = ChangeNumber(number.map_or(0, |number| number.0 - 1));
            continue;
        }
        let entry: Option<EntryId> =
            last(conn, "SELECT max(id) FROM entries WHERE id <= ?1", &entries)?;
        if let Some(entry) = entry
            && let Some(state) = newest(conn, entry)?
        {
            put_entry(conn, entry, &state)?;
        }
        entries = EntryId(entry.map_or(0, |entry| entry.0 - 1));
    }
    conn.prepare_cached(
        "UPDATE search_progress SET scheme = ?1, entries_left = ?2, changes_left = ?3",
    )?
    .execute(params![scheme, entries, changes])?;
    Ok(entries.0 > 0 || changes.0 > 0)
}

fn last<T: rusqlite::types::FromSql>(
    conn: &Connection,
    sql: &str,
    up_to: &dyn ToSql,
) -> Result<Option<T>, StoreError> {
    Ok(conn
        .prepare_cached(sql)?
        .query_row([up_to], |row| row.get(0))?)
}

fn newest(conn: &Connection, entry: EntryId) -> Result<Option<EntryState>, StoreError> {
    let revision: RevisionNumber = conn
        .prepare_cached("SELECT revision FROM entries WHERE id = ?1")?
        .query_row([entry], |row| row.get(0))?;
    state_of(conn, entry, revision)
}

/// The state of a revision; `None` when it is missing or retention has taken its text: neither keeps the rest from being
/// found.
fn state_of(
    conn: &Connection,
    entry: EntryId,
    revision: RevisionNumber,
) -> Result<Option<EntryState>, StoreError> {
    let state: Option<i64> = conn
        .prepare_cached("SELECT state_id FROM revisions WHERE entry_id = ?1 AND number = ?2")?
        .query_row(params![entry, revision], |row| row.get(0))
        .optional()?;
    state.map_or(Ok(None), |state| states::find(conn, state))
}

/// Indexes the newest text of an entry, in the place of the one before.
pub(super) fn put_entry(
    conn: &Connection,
    entry: EntryId,
    state: &EntryState,
) -> Result<(), StoreError> {
    let texts = texts(state);
    conn.prepare_cached(
        "INSERT OR REPLACE INTO article_text (rowid, title, body) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![
        entry,
        joined(&texts.headlines),
        joined(&texts.body)
    ])?;
    Ok(())
}

/// Indexes what a change took away and brought.
pub(super) fn put_change(conn: &Connection, number: ChangeNumber) -> Result<(), StoreError> {
    let Some(change) = changes::get(conn, number)? else {
        return Ok(());
    };
    let gone = sentences(conn, &change)?;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO change_text (rowid, removed, added, headline_before, headline_after) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        number,
        joined(&gone.removed),
        joined(&gone.added),
        joined(&gone.headlines_before),
        joined(&gone.headlines_after)
    ])?;
    Ok(())
}

fn joined(texts: &[String]) -> String {
    spaced(texts.iter().map(String::as_str))
}

/// From the texts of both revisions; where retention has taken one, from the words that the event keeps.
fn sentences(conn: &Connection, change: &StoredChange) -> Result<ChangedSentences, StoreError> {
    let side = |revision| state_of(conn, change.entry, revision);
    Ok(match (side(change.before)?, side(change.after)?) {
        (Some(before), Some(after)) => gone(&before, &after),
        _ => of_event(change.stored.event.data.diff.as_ref()),
    })
}

/// The texts with a difference, as the event has them.
fn of_event(diff: Option<&DiffInfo>) -> ChangedSentences {
    let mut gone = ChangedSentences::default();
    let Some(diff) = diff else { return gone };
    let mut headline = |segments: &[Segment]| {
        gone.headlines_before.push(Segment::old_side(segments));
        gone.headlines_after.push(Segment::new_side(segments));
    };
    diff.title.as_deref().map(&mut headline);
    diff.headlines
        .iter()
        .for_each(|other| headline(&other.segments));
    let texts = [&diff.body, &diff.summary].into_iter().flatten();
    let blocks = texts
        .flat_map(|info| &info.blocks)
        .map(|block| block.segments.as_slice());
    let lines = [&diff.standfirst, &diff.byline]
        .into_iter()
        .flatten()
        .map(Vec::as_slice);
    for segments in lines.chain(blocks) {
        let (old, new) = (Segment::old_side(segments), Segment::new_side(segments));
        if old != new {
            gone.removed.push(old);
            gone.added.push(new);
        }
    }
    gone
}

/// Indexes a revision that was just written, with its change.
pub(super) fn put(
    tx: &Tx<'_>,
    entry: EntryId,
    state: &EntryState,
    change: Option<ChangeNumber>,
) -> Result<(), StoreError> {
    put_entry(tx.conn, entry, state)?;
    change.map_or(Ok(()), |number| put_change(tx.conn, number))
}
