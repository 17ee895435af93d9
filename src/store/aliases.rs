//! `aliases`: the names of entries, and how to take one away from an entry that got it by mistake.

use rusqlite::params;

use super::entries::{self, KnownEntry};
use super::error::StoreError;
use super::instance;
use super::reader::Reader;
use super::revisions;
use super::search;
use super::states;
use super::writer::{Tx, Write, Writer};
use crate::domain::fingerprint::Fingerprints;
use crate::domain::ids::{EntryId, RevisionNumber};
use crate::domain::outcome::{AliasKey, AliasKind, ClaimedDates, NewRevision, RevisionOrigin};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, EntryState};
use crate::domain::url::canonical;
use crate::time::Timestamp;

/// How many revisions are searched for the one that had a name.
const LOOKED_THROUGH: usize = 200;

/// A name of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasRow {
    /// The name.
    pub key: AliasKey,
    /// Why this entry has it.
    pub reason: String,
    /// When it was added.
    pub added: Timestamp,
    /// Whether a person has set it.
    pub pinned: bool,
    /// The public id of the entry that had it before.
    pub taken_from: Option<String>,
}

/// The result of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitOff {
    /// The new entry.
    pub entry: EntryId,
    /// Its public id.
    pub public_id: String,
    /// The names that moved with it.
    pub names: Vec<AliasKey>,
}

impl Reader {
    /// The names of an entry, oldest first.
    pub fn aliases(&self, entry: EntryId) -> Result<Vec<AliasRow>, StoreError> {
        self.read(|conn| aliases(conn, entry))
    }
}

fn aliases(conn: &rusqlite::Connection, entry: EntryId) -> Result<Vec<AliasRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT a.kind, a.value, a.reason, a.added_at, a.pinned, t.public_id AS taken_from FROM aliases AS a \
         LEFT JOIN entries AS t ON t.id = a.taken_from \
         WHERE a.feed_id = (SELECT feed_id FROM entries WHERE id = ?1) AND a.entry_id = ?1 \
         ORDER BY a.added_at, a.kind DESC, a.value",
    )?;
    let rows = statement.query_map([entry], |row| {
        Ok(AliasRow {
            key: AliasKey {
                kind: row.get("kind")?,
                value: row.get("value")?,
            },
            reason: row.get("reason")?,
            added: row.get("added_at")?,
            pinned: row.get("pinned")?,
            taken_from: row.get("taken_from")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Writer {
    /// Undoes a merge: takes a name away from an entry, together with the names that the same merge added, and
    /// makes a new entry with them. The new entry starts with the newest state that had the name; the old one
    /// keeps its whole history. The names are pinned, so that later guesses do not merge the two again.
    ///
    /// [`StoreError::Refused`] if the entry does not have the name, or does not have any other.
    pub fn split(&self, entry: EntryId, name: AliasKey, now: Timestamp) -> Write<SplitOff> {
        self.write(move |tx| split(tx, entry, &name, now))
    }
}

fn split(
    tx: &mut Tx<'_>,
    from: EntryId,
    name: &AliasKey,
    now: Timestamp,
) -> Result<SplitOff, StoreError> {
    let Some(known) = entries::by_id(tx.conn, from)? else {
        return Err(StoreError::Refused(
            "a split of an entry that does not exist",
        ));
    };
    let names = aliases(tx.conn, from)?;
    let Some(given) = names.iter().find(|row| row.key == *name) else {
        return Err(StoreError::Refused("a name that the entry does not have"));
    };
    // Names from the same merge move along. Names from the first time an entry was seen do not come from a merge.
    let came_along = |row: &&AliasRow| {
        row.key == *name || (row.added == given.added && given.added > known.first_seen)
    };
    let moving: Vec<AliasKey> = names
        .iter()
        .filter(came_along)
        .map(|row| row.key.clone())
        .collect();
    if moving.len() == names.len() {
        return Err(StoreError::Refused(
            "the only name of an entry: nothing to split",
        ));
    }
    let (state, schemes) = state_of(tx, &known, &moving)?;
    let entry = insert(tx, &known, &state, schemes, now)?;
    let reason = format!("split from {} by hand", known.public_id);
    for key in &moving {
        tx.conn
            .prepare_cached(
                "UPDATE aliases SET entry_id = ?4, taken_from = ?5, reason = ?6, added_at = ?7, pinned = 1 \
                 WHERE feed_id = ?1 AND kind = ?2 AND value = ?3",
            )?
            .execute(params![known.feed, key.kind, key.value, entry, from, reason, now])?;
    }
    Ok(SplitOff {
        entry,
        public_id: entries::public_id(tx.conn, entry)?,
        names: moving,
    })
}

/// The newest state that had one of the names; if none of the searched ones had it, the newest of all.
fn state_of(
    tx: &Tx<'_>,
    entry: &KnownEntry,
    names: &[AliasKey],
) -> Result<(EntryState, Schemes), StoreError> {
    let bears = |state: &EntryState| {
        names.iter().any(|name| {
            let feed = state.feed.as_ref();
            match name.kind {
                AliasKind::Guid => feed.and_then(|feed| feed.guid.as_ref()) == Some(&name.value),
                AliasKind::Address => state.address().map(canonical).as_ref() == Some(&name.value),
                AliasKind::Content => false,
            }
        })
    };
    let (current, _) = revisions::current(tx.conn, entry.id, entry.revision)?;
    let current = states::get(tx.conn, current)?;
    if bears(&current) {
        return Ok((current, entry.schemes));
    }
    for revision in revisions::past(tx.conn, entry.id, LOOKED_THROUGH)?
        .into_iter()
        .rev()
    {
        let (row, _) = revisions::current(tx.conn, entry.id, revision.number)?;
        if let Some(state) = states::find(tx.conn, row)?.filter(|state| bears(state)) {
            return Ok((state, revision.schemes));
        }
    }
    Ok((current, entry.schemes))
}

fn insert(
    tx: &mut Tx<'_>,
    known: &KnownEntry,
    state: &EntryState,
    schemes: Schemes,
    now: Timestamp,
) -> Result<EntryId, StoreError> {
    let row: i64 = tx
        .conn
        .prepare_cached("SELECT COALESCE(max(id), 0) + 1 FROM entries")?
        .query_row([], |row| row.get(0))?;
    let entry = EntryId(row);
    let fingerprints = Fingerprints::of(state);
    let claimed = ClaimedDates::of(state);
    let page = known.page.url.is_some();
    tx.conn
        .prepare_cached(
            "INSERT INTO entries (id, public_id, feed_id, in_feed, first_seen_at, last_seen_at, revision, title, \
             feed_fp, page_fp, feed_published_at, feed_updated_at, page_published_at, page_modified_at, page_url, \
             page_next_at, feed_scheme, page_scheme) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
             ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            entry,
            instance::entry_name(tx.conn, row)?,
            known.feed,
            known.in_feed,
            now,
            state.title(),
            fingerprints.feed,
            fingerprints.page,
            claimed.feed_published,
            claimed.feed_updated,
            claimed.page_published,
            claimed.page_modified,
            state.address().filter(|_| page),
            known.page.next.map(|_| now),
            schemes.feed,
            schemes.page,
        ])?;
    let mut channels = Vec::new();
    channels.extend(state.feed.as_ref().map(|_| Channel::Feed));
    channels.extend(state.page.as_ref().map(|_| Channel::Page));
    let stored = states::put(tx, state)?;
    let revision = NewRevision {
        number: RevisionNumber::FIRST,
        seen: now,
        state: state.clone(),
        fingerprints,
        schemes,
        origin: RevisionOrigin::Look,
        channels,
        change: None,
    };
    revisions::insert(tx, entry, &revision, &stored, None, None)?;
    search::put(tx, entry, state, None)?;
    Ok(entry)
}
