//! `entries` and `aliases`: the current state of each entry, and its names.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params, params};

use super::error::StoreError;
use super::reader::Reader;
use super::revisions::{self, PastRow};
use super::sql::{columns, limit_of};
use super::{changes, states};
use crate::domain::fingerprint::{Fingerprint, Fingerprints};
use crate::domain::furniture::{Streak, Streaks};
use crate::domain::ids::{EntryId, FeedId, RevisionNumber};
use crate::domain::life::Reason;
use crate::domain::outcome::{AliasKey, AliasKind, ClaimedDates, Left, Stamp, Validators};
use crate::domain::scheme::Schemes;
use crate::domain::state::EntryState;
use crate::time::Timestamp;

/// How many revisions are searched for a return to an earlier state. A live page has hundreds; a return to an even
/// older state is reported as an ordinary change.
const HISTORY: usize = 200;

/// How many changes are searched to decide whether an article is live.
const RECENT_CHANGES: usize = 32;

/// Whether an article is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// As far as we know.
    Ok,
    /// Its page was taken down.
    Removed,
}

/// What is known about an entry now, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEntry {
    /// The row.
    pub id: EntryId,
    /// `ent_…`, for users and receivers.
    pub public_id: String,
    /// Its feed.
    pub feed: FeedId,
    /// Whether the feed lists it.
    pub in_feed: bool,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// The last check that saw it in the feed, as of the day it left or came back. While `in_feed` is true, the
    /// feed's `last_ok` is more accurate.
    pub last_seen: Timestamp,
    /// Whether its article still exists.
    pub life: Life,
    /// The number of the newest revision.
    pub revision: RevisionNumber,
    /// Its headline.
    pub title: Option<String>,
    /// The fingerprint of the text last seen on the feed channel.
    pub feed_fp: Option<Fingerprint>,
    /// The fingerprint of the text last seen on the page channel.
    pub page_fp: Option<Fingerprint>,
    /// How many times in a row the text was different.
    pub streaks: Streaks,
    /// The schemes under which the newest state was read; meaningless for a channel that it does not have.
    pub schemes: Schemes,
    /// The dates claimed at the last check.
    pub claimed: ClaimedDates,
    /// How often a claimed date moved although the text did not change.
    pub date_touches: u32,
    /// When the newest change was first seen.
    pub last_change: Option<Timestamp>,
    /// The article page.
    pub page: PageRow,
    /// How it left the feed; `None` while the feed lists it, and if that is unknown.
    pub left: Option<Left>,
}

/// What is known about an article page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageRow {
    /// Its address; `None` if there is none to check.
    pub url: Option<String>,
    /// When to check next; `None` for never.
    pub next: Option<Timestamp>,
    /// The validators for the next conditional request.
    pub validators: Validators,
    /// The last check, whatever its result.
    pub checked: Option<Timestamp>,
    /// The last check that read the page or found it unchanged.
    pub ok: Option<Timestamp>,
    /// HTTP status of the last check.
    pub status: Option<u16>,
    /// The error of the last check.
    pub error: Option<String>,
    /// Checks since `ok`, all of which failed.
    pub failures: u32,
    /// Since when robots.txt has disallowed it; `error` says how.
    pub barred: Option<Timestamp>,
    /// Why the last check did not read a text; `None` if it did.
    pub reason: Option<Reason>,
}

/// A page that is due for a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePage {
    /// Its entry.
    pub entry: KnownEntry,
    /// The address, which every due page has.
    pub url: String,
}

/// The data of a due page that is needed to choose among many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueKey {
    /// Its entry.
    pub entry: EntryId,
    /// The feed of that entry.
    pub feed: FeedId,
    /// The address.
    pub url: String,
    /// The last check; `None` before the first.
    pub checked: Option<Timestamp>,
    /// When it was due.
    pub due: Timestamp,
}

/// Everything that a decision about an entry needs.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownEntryFull {
    /// The entry.
    pub entry: KnownEntry,
    /// Its newest state.
    pub state: EntryState,
    /// When that state was first seen.
    pub seen: Timestamp,
    /// The newest revisions, oldest first, including the current one; at most the last 200.
    pub history: Vec<PastRow>,
    /// The newest changes, oldest first; at most the last 32.
    pub changes: Vec<changes::RecentChange>,
}

/// An entry that may match an item whose names are unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryCandidate {
    /// The entry.
    pub entry: KnownEntry,
    /// The fingerprints of its newest revision.
    pub fingerprints: Fingerprints,
}

/// An entry and one of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The name.
    pub key: AliasKey,
    /// The entry.
    pub entry: Arc<KnownEntry>,
    /// Whether a person has set the name.
    pub pinned: bool,
}

columns!($ select_entry, column, "e.", " FROM ", [
    id, public_id, feed_id, in_feed, first_seen_at, last_seen_at, life, revision, title, feed_fp, page_fp,
    feed_published_at, feed_updated_at, page_published_at, page_modified_at, date_touches, last_change_at, page_url,
    page_next_at, page_etag, page_last_modified, page_body_sha256, page_checked_at, page_ok_at, page_status,
    page_error, page_failures, feed_scheme, page_scheme, page_barred_at, page_reason, left_feed, feed_streak,
    feed_moved_at, page_streak, page_moved_at, page_packed_sha256,
]);

// After the macro that it uses.
mod finding;

pub use finding::EntryFilter;

/// `ent_…` of a stored entry.
pub(super) fn public_id(conn: &Connection, entry: EntryId) -> Result<String, StoreError> {
    Ok(conn
        .prepare_cached("SELECT public_id FROM entries WHERE id = ?1")?
        .query_row([entry], |row| row.get(0))?)
}

fn entry_row(row: &Row<'_>) -> rusqlite::Result<KnownEntry> {
    Ok(KnownEntry {
        id: row.get(column::id)?,
        public_id: row.get(column::public_id)?,
        feed: row.get(column::feed_id)?,
        in_feed: row.get(column::in_feed)?,
        first_seen: row.get(column::first_seen_at)?,
        last_seen: row.get(column::last_seen_at)?,
        life: match row.get_ref(column::life)?.as_str()? {
            "removed" => Life::Removed,
            _ => Life::Ok,
        },
        revision: row.get(column::revision)?,
        title: row.get(column::title)?,
        feed_fp: row.get(column::feed_fp)?,
        page_fp: row.get(column::page_fp)?,
        schemes: Schemes {
            feed: row.get(column::feed_scheme)?,
            page: row.get(column::page_scheme)?,
        },
        claimed: ClaimedDates {
            feed_published: row.get(column::feed_published_at)?,
            feed_updated: row.get(column::feed_updated_at)?,
            page_published: row.get(column::page_published_at)?,
            page_modified: row.get(column::page_modified_at)?,
        },
        date_touches: row.get(column::date_touches)?,
        last_change: row.get(column::last_change_at)?,
        page: PageRow {
            url: row.get(column::page_url)?,
            next: row.get(column::page_next_at)?,
            validators: Validators {
                etag: row.get(column::page_etag)?,
                last_modified: row.get(column::page_last_modified)?,
                body_sha256: row.get(column::page_body_sha256)?,
                packed_sha256: row
                    .get::<_, Option<_>>(column::page_packed_sha256)?
                    .map(Box::new),
            },
            checked: row.get(column::page_checked_at)?,
            ok: row.get(column::page_ok_at)?,
            status: row.get(column::page_status)?,
            error: row.get(column::page_error)?,
            failures: row.get(column::page_failures)?,
            barred: row.get(column::page_barred_at)?,
            reason: match row.get_ref(column::page_reason)?.as_str_or_null()? {
                Some(name) => Reason::parse(name),
                None => None,
            },
        },
        left: match row.get_ref(column::left_feed)?.as_str_or_null()? {
            Some(name) => Left::parse(name),
            None => None,
        },
        streaks: Streaks {
            feed: Streak {
                looks: row.get(column::feed_streak)?,
                at: row.get(column::feed_moved_at)?,
            },
            page: Streak {
                looks: row.get(column::page_streak)?,
                at: row.get(column::page_moved_at)?,
            },
        },
    })
}

impl Reader {
    /// The entries with these names in a feed, in the order of the names; unused names are left out.
    pub fn known_entries(
        &self,
        feed: FeedId,
        keys: &[AliasKey],
    ) -> Result<Vec<Bearer>, StoreError> {
        self.read(|conn| {
            // Most feeds have no names of this kind, and this runs for each of their items.
            let has_contents: bool = keys.iter().any(|key| key.kind == AliasKind::Content)
                && conn
                    .prepare_cached(
                        "SELECT EXISTS (SELECT 1 FROM aliases WHERE feed_id = ?1 AND kind = ?2)",
                    )?
                    .query_row(params![feed, AliasKind::Content], |row| row.get(0))?;
            let mut names = conn.prepare_cached(
                "SELECT entry_id, pinned FROM aliases WHERE feed_id = ?1 AND kind = ?2 AND value = ?3",
            )?;
            let mut rows =
                conn.prepare_cached(select_entry!("entries AS e WHERE e.id = ?1"))?;
            let mut entries: HashMap<EntryId, Arc<KnownEntry>> = HashMap::new();
            let mut known = Vec::with_capacity(keys.len());
            for key in keys {
                if key.kind == AliasKind::Content && !has_contents {
                    continue;
                }
                let name = names
                    .query_row(params![feed, key.kind, key.value], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()?;
                let Some((id, pinned)) = name else { continue };
                let entry = match entries.get(&id) {
                    Some(entry) => Arc::clone(entry),
                    None => {
                        let entry = Arc::new(rows.query_row([id], entry_row)?);
                        entries.insert(id, Arc::clone(&entry));
                        entry
                    }
                };
                known.push(Bearer {
                    key: key.clone(),
                    entry,
                    pinned,
                });
            }
            Ok(known)
        })
    }

    /// The other entries of a feed whose page is the same as that of `entry` at `url`, ignoring fragments, with
    /// their addresses.
    pub fn entries_with_page(
        &self,
        entry: EntryId,
        url: &str,
    ) -> Result<Vec<(EntryId, String)>, StoreError> {
        const MOST: i64 = 100;
        // This runs before each request for a page, so it is a range of an index; `$` is the character after `#`.
        let page = url.split('#').next().unwrap_or_default();
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, page_url FROM entries WHERE feed_id = (SELECT feed_id FROM entries WHERE id = ?1) \
                 AND id <> ?1 AND page_url >= ?2 AND page_url < ?2 || '$' \
                 AND (page_url = ?2 OR page_url >= ?2 || '#') LIMIT ?3",
            )?;
            let rows = statement.query_map(params![entry, page, MOST], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many entries of a feed were recognised under a new guid.
    pub fn renamed_entries(&self, feed: FeedId) -> Result<usize, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT count(DISTINCT entry_id) FROM aliases \
                 WHERE feed_id = ?1 AND kind = ?2 AND reason LIKE '%, new guid%'",
            )?;
            let count: i64 =
                statement.query_row(params![feed, AliasKind::Guid], |row| row.get(0))?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }

    /// The entries that a feed listed at the last check.
    pub fn entries_in_feed(&self, feed: FeedId) -> Result<Vec<EntryId>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id FROM entries WHERE feed_id = ?1 AND in_feed = 1 ORDER BY id",
            )?;
            let rows = statement.query_map([feed], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The names of an entry.
    pub fn aliases_of(&self, entry: EntryId) -> Result<Vec<AliasKey>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT kind, value FROM aliases \
                 WHERE feed_id = (SELECT feed_id FROM entries WHERE id = ?1) AND entry_id = ?1 ORDER BY kind, value",
            )?;
            let rows = statement.query_map([entry], |row| {
                Ok(AliasKey {
                    kind: row.get(0)?,
                    value: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One entry, without its text.
    pub fn entry(&self, id: EntryId) -> Result<Option<KnownEntry>, StoreError> {
        self.read(|conn| by_id(conn, id))
    }

    /// One entry with its newest state and its past; `None` if there is no such entry.
    pub fn load_entry(&self, id: EntryId) -> Result<Option<KnownEntryFull>, StoreError> {
        self.read(|conn| {
            // One snapshot for all queries, even while the writer continues.
            let tx = conn.unchecked_transaction()?;
            let Some(entry) = by_id(&tx, id)? else {
                return Ok(None);
            };
            let (state_id, seen) = revisions::current(&tx, id, entry.revision)?;
            Ok(Some(KnownEntryFull {
                state: states::get(&tx, state_id)?,
                seen,
                history: revisions::past(&tx, id, HISTORY)?,
                changes: changes::recent(&tx, id, RECENT_CHANGES)?,
                entry,
            }))
        })
    }

    /// Pages that are due, most overdue first, of configured feeds that are not paused.
    pub fn due_pages(&self, now: Timestamp, limit: usize) -> Result<Vec<DuePage>, StoreError> {
        self.pages(Some(now), limit)
    }

    /// Passes the pages of [`Self::due_pages`] one by one, with the data needed to choose among them, since there
    /// may be more of them than fit in memory. Stops when `see` breaks.
    pub fn each_due_page(
        &self,
        now: Timestamp,
        mut see: impl FnMut(DueKey) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT e.id, e.feed_id, e.page_url, e.page_checked_at, e.page_next_at \
                 FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id \
                 WHERE e.page_next_at IS NOT NULL AND e.page_next_at <= ?1 AND e.page_url IS NOT NULL \
                   AND f.active = 1 AND f.paused_at IS NULL \
                 ORDER BY e.page_next_at, e.id",
            )?;
            let mut rows = statement.query([now])?;
            while let Some(row) = rows.next()? {
                let page = DueKey {
                    entry: row.get(0)?,
                    feed: row.get(1)?,
                    url: row.get(2)?,
                    checked: row.get(3)?,
                    due: row.get(4)?,
                };
                if see(page).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// All pages with a check schedule, due or not, next one first.
    pub fn pages_on_clock(&self, limit: usize) -> Result<Vec<DuePage>, StoreError> {
        self.pages(None, limit)
    }

    fn pages(&self, now: Option<Timestamp>, limit: usize) -> Result<Vec<DuePage>, StoreError> {
        self.read(|conn| {
            // Inactive feeds keep their dates in case they come back, so they are skipped here.
            let mut statement = conn.prepare_cached(select_entry!(
                "entries AS e JOIN feeds AS f ON f.id = e.feed_id \
                 WHERE e.page_next_at IS NOT NULL AND e.page_next_at <= :now AND e.page_url IS NOT NULL \
                   AND f.active = 1 AND f.paused_at IS NULL \
                 ORDER BY e.page_next_at, e.id LIMIT :limit"
            ))?;
            let until = now.map_or(i64::MAX, Timestamp::as_millis);
            let rows = statement.query_map(
                named_params! {":now": until, ":limit": limit_of(limit)},
                entry_row,
            )?;
            let mut pages = Vec::new();
            for entry in rows {
                let entry = entry?;
                if let Some(url) = entry.page.url.clone() {
                    pages.push(DuePage { entry, url });
                }
            }
            Ok(pages)
        })
    }

    /// Entries of a feed that may match an item with unknown names, newest first: those that the feed lists, and
    /// those that it has listed since.
    pub fn recent_entries(
        &self,
        feed: FeedId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<EntryCandidate>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(select_entry!(
                "entries AS e WHERE e.feed_id = :feed AND (e.in_feed = 1 OR e.last_seen_at >= :since) \
                 ORDER BY e.id DESC LIMIT :limit"
            ))?;
            let rows = statement.query_map(
                named_params! {":feed": feed, ":since": since, ":limit": limit_of(limit)},
                entry_row,
            )?;
            let mut candidates = Vec::new();
            for entry in rows {
                let entry = entry?;
                let fingerprints = revisions::fingerprints_of(conn, entry.id, entry.revision)?;
                candidates.push(EntryCandidate {
                    entry,
                    fingerprints,
                });
            }
            Ok(candidates)
        })
    }
}

/// Entries ordered by row.
pub(super) fn after(
    conn: &Connection,
    after: EntryId,
    limit: usize,
) -> Result<Vec<KnownEntry>, StoreError> {
    list(
        conn,
        select_entry!("entries AS e WHERE e.id > ?1 ORDER BY e.id LIMIT ?2"),
        &[&after, &limit_of(limit)],
    )
}

/// Writes the values derived from the newest revision.
pub(super) fn stamp(conn: &Connection, entry: EntryId, stamp: &Stamp) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE entries SET feed_fp = ?2, page_fp = ?3, feed_scheme = ?4, page_scheme = ?5 WHERE id = ?1",
    )?
    .execute(params![
        entry,
        stamp.fingerprints.feed,
        stamp.fingerprints.page,
        stamp.schemes.feed,
        stamp.schemes.page
    ])?;
    Ok(())
}

pub(super) fn by_id(conn: &Connection, id: EntryId) -> Result<Option<KnownEntry>, StoreError> {
    let mut statement = conn.prepare_cached(select_entry!("entries AS e WHERE e.id = ?1"))?;
    Ok(statement.query_row([id], entry_row).optional()?)
}

fn list(
    conn: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<KnownEntry>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(values, entry_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
