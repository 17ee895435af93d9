//! One check, one transaction: all results of a check of a feed or a page are stored together, or not at all.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::error::StoreError;
use super::events::{self, NewRow};
use super::policy::{self, Recovery};
use super::writer::{Tx, Write, Writer};
use super::{
    captures, changes, digests, entries, feeds, ignored, instance, page_life, page_texts,
    revisions, rules, search, states, waits,
};
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::{
    CaptureId, ChangeNumber, EntryId, EventId, FeedId, RevisionNumber, RuleId,
};
use crate::domain::life::Reason;
use crate::domain::outcome::{
    Base, Behind, ClaimedDates, EntryOutcome, EntryRef, Left, NewAlias, NewChange, NewEvent,
    Outcome, PageCheck, RevisionOrigin, Stamp,
};
use crate::domain::state::Channel;
use crate::time::Timestamp;

/// The result of storing an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// The numbers of its changes, in its order.
    pub changes: Vec<ChangeNumber>,
    /// How many entries are new.
    pub new_entries: usize,
    /// The rows of its entries, in its order.
    pub entry_ids: Vec<EntryId>,
}

impl Writer {
    /// Stores the results of a check. If the number of a revision is not the next one of its entry, it returns
    /// [`StoreError::Conflict`]; then, as with every error, nothing of the outcome is stored.
    pub fn commit(&self, outcome: Outcome) -> Write<Committed> {
        self.write(move |tx| commit(tx, &outcome))
    }

    /// Stores several outcomes, all or none, in one transaction.
    pub fn commit_all(&self, outcomes: Vec<Outcome>) -> Write<Vec<Committed>> {
        self.write(move |tx| {
            let stored = outcomes.iter().map(|outcome| commit(tx, outcome));
            stored.collect()
        })
    }
}

fn commit(tx: &mut Tx<'_>, outcome: &Outcome) -> Result<Committed, StoreError> {
    let mut committed = Committed::default();
    let feed_capture = match &outcome.feed_capture {
        Some(capture) => Some(captures::put(tx, outcome.feed, capture)?),
        None => None,
    };
    let at = moment(outcome);
    let mut learned = Vec::with_capacity(outcome.rules.len());
    for rule in &outcome.rules {
        learned.push(rules::put(tx, outcome.feed, rule, at)?);
    }
    let look = CommittedCheck {
        feed: outcome.feed,
        at,
        feed_capture,
        learned,
    };
    for entry in &outcome.entries {
        write_entry(tx, &look, entry, &mut committed)?;
    }
    for new in &outcome.events {
        let entry = match new.entry {
            Some(EntryRef::Known(id)) => Some(id),
            Some(EntryRef::New) | None => None,
        };
        write_event(tx, outcome.feed, entry, None, new)?;
    }
    if let Some(poll) = &outcome.poll {
        feeds::record_poll(tx, poll)?;
    }
    if let Some(trusted) = outcome.guids_trusted {
        tx.conn
            .prepare_cached("UPDATE feeds SET guids_trusted = ?2 WHERE id = ?1")?
            .execute(params![outcome.feed, trusted])?;
    }
    if outcome.baseline {
        tx.conn
            .prepare_cached(
                "UPDATE feeds SET baseline_at = COALESCE(baseline_at, ?2) WHERE id = ?1",
            )?
            .execute(params![outcome.feed, look.at])?;
    }
    Ok(committed)
}

/// The check that an outcome comes from.
struct CommittedCheck {
    feed: FeedId,
    at: Timestamp,
    /// Stored once, however many entries it has something for.
    feed_capture: Option<CaptureId>,
    /// The numbers of the rules that it has learned, in the order of the outcome.
    learned: Vec<Option<RuleId>>,
}

/// The time of the check, which the outcome has in several places.
fn moment(outcome: &Outcome) -> Timestamp {
    let poll = outcome.poll.as_ref().map(|poll| poll.at);
    let pages = outcome
        .entries
        .iter()
        .filter_map(|entry| entry.page.as_ref());
    let revisions = outcome
        .entries
        .iter()
        .filter_map(|entry| entry.revision.as_ref());
    let waited = outcome.entries.iter().flat_map(|entry| &entry.waited);
    poll.or_else(|| pages.map(|page| page.at).max())
        .or_else(|| outcome.feed_capture.as_ref().map(|capture| capture.fetched))
        .or_else(|| revisions.map(|revision| revision.seen).max())
        .or_else(|| waited.map(|waited| waited.at).max())
        .or_else(|| outcome.events.iter().map(|new| new.event.timestamp).max())
        .unwrap_or_default()
}

/// An entry that is being written.
struct EntryWrite {
    id: EntryId,
    public_id: String,
}

fn write_entry(
    tx: &mut Tx<'_>,
    look: &CommittedCheck,
    outcome: &EntryOutcome,
    committed: &mut Committed,
) -> Result<(), StoreError> {
    let entry = match outcome.entry {
        EntryRef::New => {
            committed.new_entries += 1;
            insert_entry(tx, look, outcome)?
        }
        EntryRef::Known(id) => update_entry(tx, look, id, outcome)?,
    };
    committed.entry_ids.push(entry.id);
    for alias in &outcome.aliases {
        put_alias(tx, look, entry.id, alias)?;
    }
    if let (Some(stamp), EntryRef::Known(_)) = (&outcome.stamp, outcome.entry) {
        stamp_newest(tx.conn, entry.id, outcome, stamp)?;
    }
    let stored = outcome.revision.is_some() || outcome.base.is_some();
    let page_capture = match outcome.page_capture.as_ref().filter(|_| stored) {
        Some(capture) => Some(captures::put(tx, look.feed, capture)?),
        None => None,
    };
    if let Some(base) = &outcome.base {
        let captures = Behind {
            feed: look.feed_capture,
            page: page_capture,
        };
        write_base(tx, entry.id, base, captures)?;
    }
    let mut number = None;
    if let Some(revision) = &outcome.revision {
        let state = states::put(tx, &revision.state)?;
        let brought = |channel| revision.channels.contains(&channel);
        revisions::insert(
            tx,
            entry.id,
            revision,
            &state,
            look.feed_capture.filter(|_| brought(Channel::Feed)),
            page_capture.filter(|_| brought(Channel::Page)),
        )?;
        if let Some(change) = &revision.change {
            number = Some(write_change(tx, look, &entry, revision.number, change)?);
        }
        search::put(tx, entry.id, &revision.state, number)?;
    }
    committed.changes.extend(number);
    if let Some(check) = &outcome.page {
        record_page(tx.conn, entry.id, check)?;
    }
    if let Some(text) = &outcome.page_text {
        page_texts::put(tx.conn, entry.id, text, outcome.stands_in)?;
    }
    if let Some(life) = &outcome.life {
        page_life::put(tx, look.feed, entry.id, life, outcome.held_capture.as_ref())?;
    }
    for text in &outcome.ignored {
        ignored::put(tx, entry.id, text, &look.learned, look.at)?;
    }
    for new in &outcome.events {
        write_event(tx, look.feed, Some(entry.id), number, new)?;
    }
    if let Some(summed_up) = &outcome.summed_up {
        let event = match &summed_up.event {
            Some(new) => Some(write_event(tx, look.feed, Some(entry.id), None, new)?),
            None => None,
        };
        digests::note(tx.conn, entry.id, summed_up.until, event)?;
    }
    if let (Some(wait), Some(number)) = (&outcome.wait, number) {
        waits::begin(tx.conn, look.feed, entry.id, number, wait, look.at)?;
    }
    for waited in &outcome.waited {
        waits::note(tx, entry.id, waited)?;
    }
    Ok(())
}

/// Writes the values derived from the newest revision that was already stored.
fn stamp_newest(
    conn: &Connection,
    entry: EntryId,
    outcome: &EntryOutcome,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let added = [
        outcome.base.as_ref().map(|base| &base.revision),
        outcome.revision.as_ref(),
    ];
    let first = added.into_iter().flatten().next();
    let number: RevisionNumber = match first {
        Some(first) => RevisionNumber(first.number.0.saturating_sub(1)),
        None => conn
            .prepare_cached("SELECT revision FROM entries WHERE id = ?1")?
            .query_row([entry], |row| row.get(0))?,
    };
    revisions::stamp(conn, entry, number, stamp)?;
    if first.is_none() {
        entries::stamp(conn, entry, stamp)?;
    }
    Ok(())
}

/// Stores the revision that makes the last one comparable. A re-read text has its old responses behind it; a new
/// start has those of this check.
pub(super) fn write_base(
    tx: &mut Tx<'_>,
    entry: EntryId,
    base: &Base,
    look: Behind,
) -> Result<(), StoreError> {
    if base.revision.change.is_some() || base.revision.origin == RevisionOrigin::Look {
        return Err(StoreError::Refused(
            "a re-reading that claims to be an edit",
        ));
    }
    let state = states::put(tx, &base.revision.state)?;
    let begins = |channel| {
        base.revision.origin == RevisionOrigin::Rebased && base.revision.channels.contains(&channel)
    };
    let feed = look.feed.filter(|_| begins(Channel::Feed));
    let page = look.page.filter(|_| begins(Channel::Page));
    revisions::insert(
        tx,
        entry,
        &base.revision,
        &state,
        base.captures.feed.or(feed),
        base.captures.page.or(page),
    )?;
    search::put(tx, entry, &base.revision.state, None)
}

fn insert_entry(
    tx: &Tx<'_>,
    look: &CommittedCheck,
    outcome: &EntryOutcome,
) -> Result<EntryWrite, StoreError> {
    let Some(revision) = &outcome.revision else {
        return Err(StoreError::Refused("a new entry without a revision"));
    };
    // Entries are never deleted, so the largest row is the last one.
    let row: i64 = tx
        .conn
        .prepare_cached("SELECT COALESCE(max(id), 0) + 1 FROM entries")?
        .query_row([], |row| row.get(0))?;
    let id = EntryId(row);
    if revision.number != RevisionNumber::FIRST {
        return Err(StoreError::Conflict {
            entry: row,
            offered: revision.number,
        });
    }
    let public_id = instance::entry_name(tx.conn, row)?;
    let in_feed = outcome
        .in_feed
        .unwrap_or_else(|| revision.channels.contains(&Channel::Feed));
    let claimed = ClaimedDates::of(&revision.state);
    tx.conn
        .prepare_cached(
            "INSERT INTO entries (id, public_id, feed_id, in_feed, first_seen_at, last_seen_at, revision, title, \
             feed_fp, page_fp, feed_published_at, feed_updated_at, page_published_at, page_modified_at, page_url, \
             page_next_at, feed_scheme, page_scheme) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
             ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
            id,
            public_id,
            look.feed,
            in_feed,
            revision.seen,
            outcome.last_seen.unwrap_or(revision.seen),
            revision.state.title(),
            revision.fingerprints.feed,
            revision.fingerprints.page,
            claimed.feed_published,
            claimed.feed_updated,
            claimed.page_published,
            claimed.page_modified,
            outcome.page_url,
            outcome.page_next.flatten(),
            revision.schemes.feed,
            revision.schemes.page
        ])?;
    Ok(EntryWrite { id, public_id })
}

fn update_entry(
    tx: &Tx<'_>,
    look: &CommittedCheck,
    id: EntryId,
    outcome: &EntryOutcome,
) -> Result<EntryWrite, StoreError> {
    let known = tx
        .conn
        .prepare_cached(
            "SELECT public_id, revision, feed_published_at, feed_updated_at, page_published_at, page_modified_at \
             FROM entries WHERE id = ?1 AND feed_id = ?2",
        )?
        .query_row(params![id, look.feed], |row| {
            let claimed = ClaimedDates {
                feed_published: row.get(2)?,
                feed_updated: row.get(3)?,
                page_published: row.get(4)?,
                page_modified: row.get(5)?,
            };
            Ok((row.get(0)?, row.get(1)?, claimed))
        })
        .optional()?;
    let Some((public_id, current, claimed_before)) = known else {
        return Err(StoreError::Refused("an entry that its feed does not have"));
    };
    let mut current: RevisionNumber = current;
    let added = [
        outcome.base.as_ref().map(|base| &base.revision),
        outcome.revision.as_ref(),
    ];
    for revision in added.into_iter().flatten() {
        if revision.number != current.next() {
            return Err(StoreError::Conflict {
                entry: id.0,
                offered: revision.number,
            });
        }
        current = revision.number;
        tx.conn
            .prepare_cached(
                "UPDATE entries SET revision = ?2, title = ?3, feed_fp = ?4, page_fp = ?5, feed_scheme = ?6, \
                 page_scheme = ?7 WHERE id = ?1",
            )?
            .execute(params![
                id,
                revision.number,
                revision.state.title(),
                revision.fingerprints.feed,
                revision.fingerprints.page,
                revision.schemes.feed,
                revision.schemes.page
            ])?;
    }
    let claimed = claimed_now(claimed_before, outcome);
    if claimed != claimed_before {
        tx.conn
            .prepare_cached(
                "UPDATE entries SET feed_published_at = ?2, feed_updated_at = ?3, page_published_at = ?4, \
                 page_modified_at = ?5 WHERE id = ?1",
            )?
            .execute(params![
                id,
                claimed.feed_published,
                claimed.feed_updated,
                claimed.page_published,
                claimed.page_modified
            ])?;
    }
    if outcome.date_touched {
        tx.conn
            .prepare_cached("UPDATE entries SET date_touches = date_touches + 1 WHERE id = ?1")?
            .execute([id])?;
    }
    if outcome.in_feed.is_some() || outcome.last_seen.is_some() {
        tx.conn
            .prepare_cached(
                "UPDATE entries SET in_feed = COALESCE(?2, in_feed), last_seen_at = COALESCE(?3, last_seen_at), \
                 left_feed = iif(?2 IS NULL, left_feed, ?4) WHERE id = ?1",
            )?
            .execute(params![
                id,
                outcome.in_feed,
                outcome.last_seen,
                outcome.left.map(Left::as_str)
            ])?;
    }
    let seen = outcome.seen;
    if seen.feed.is_some() || seen.page.is_some() {
        tx.conn
            .prepare_cached(
                "UPDATE entries SET feed_fp = COALESCE(?2, feed_fp), page_fp = COALESCE(?3, page_fp), \
                 feed_streak = ?4, feed_moved_at = ?5, page_streak = ?6, page_moved_at = ?7 WHERE id = ?1",
            )?
            .execute(params![
                id,
                seen.feed,
                seen.page,
                seen.streaks.feed.looks,
                seen.streaks.feed.at,
                seen.streaks.page.looks,
                seen.streaks.page.at
            ])?;
    }
    if let Some(due) = outcome.digest_due {
        tx.conn
            .prepare_cached(
                "UPDATE entries SET digest_due_at = COALESCE(digest_due_at, ?2) WHERE id = ?1",
            )?
            .execute(params![id, due])?;
    }
    if let Some(url) = &outcome.page_url {
        // Validators belong to an address: those of the old one would make the new one look unchanged.
        tx.conn
            .prepare_cached(
                "UPDATE entries SET page_url = ?2, page_etag = NULL, page_last_modified = NULL, \
                 page_body_sha256 = NULL, page_packed_sha256 = NULL WHERE id = ?1 AND page_url IS NOT ?2",
            )?
            .execute(params![id, url])?;
    }
    if let Some(next) = outcome.page_next {
        tx.conn
            .prepare_cached("UPDATE entries SET page_next_at = ?2 WHERE id = ?1")?
            .execute(params![id, next])?;
    }
    Ok(EntryWrite { id, public_id })
}

/// A revision contains what its channels claim; for the other channel, the values of an earlier check are
/// repeated.
fn claimed_now(before: ClaimedDates, outcome: &EntryOutcome) -> ClaimedDates {
    if let Some(claimed) = outcome.claimed {
        return claimed;
    }
    let mut claimed = before;
    if let Some(revision) = &outcome.revision {
        let said = ClaimedDates::of(&revision.state);
        if revision.channels.contains(&Channel::Feed) {
            claimed.feed_published = said.feed_published;
            claimed.feed_updated = said.feed_updated;
        }
        if revision.channels.contains(&Channel::Page) {
            claimed.page_published = said.page_published;
            claimed.page_modified = said.page_modified;
        }
    }
    claimed
}

fn put_alias(
    tx: &Tx<'_>,
    look: &CommittedCheck,
    entry: EntryId,
    alias: &NewAlias,
) -> Result<(), StoreError> {
    // Nearly every name is new. A single statement with an upsert costs several times as much: SQLite keeps a
    // journal for a statement that may stop halfway.
    let inserted = tx
        .conn
        .prepare_cached(
            "INSERT INTO aliases (feed_id, kind, value, entry_id, reason, added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            look.feed,
            alias.key.kind,
            alias.key.value,
            entry,
            alias.reason,
            look.at
        ])?;
    if inserted > 0 || alias.if_free {
        return Ok(());
    }
    // The last decision counts, and the row shows from which entry the name was taken. A person's decision is
    // kept.
    tx.conn
        .prepare_cached(
            "UPDATE aliases SET taken_from = entry_id, entry_id = ?4, reason = ?5, added_at = ?6 \
             WHERE feed_id = ?1 AND kind = ?2 AND value = ?3 AND entry_id <> ?4 AND pinned = 0",
        )?
        .execute(params![
            look.feed,
            alias.key.kind,
            alias.key.value,
            entry,
            alias.reason,
            look.at
        ])?;
    Ok(())
}

fn record_page(conn: &Connection, entry: EntryId, check: &PageCheck) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE entries SET page_checked_at = :at, page_ok_at = iif(:ok, :at, page_ok_at), page_status = :status, \
         page_error = :error, page_failures = iif(:ok, 0, page_failures + 1), page_barred_at = NULL, \
         page_reason = :reason WHERE id = :id",
    )?
    .execute(named_params! {
        ":at": check.at, ":ok": check.ok, ":status": check.status, ":error": check.error,
        ":reason": check.reason.map(Reason::as_str), ":id": entry,
    })?;
    if let Some(validators) = &check.validators {
        conn.prepare_cached(
            "UPDATE entries SET page_etag = ?2, page_last_modified = ?3, page_body_sha256 = ?4, \
             page_packed_sha256 = ?5 WHERE id = ?1",
        )?
        .execute(params![
            entry,
            validators.etag,
            validators.last_modified,
            validators.body_sha256,
            validators.packed_sha256.as_deref()
        ])?;
    }
    Ok(())
}

fn write_change(
    tx: &mut Tx<'_>,
    look: &CommittedCheck,
    entry: &EntryWrite,
    after: RevisionNumber,
    change: &NewChange,
) -> Result<ChangeNumber, StoreError> {
    let event = with_public_id(change.event.clone(), &entry.public_id);
    changes::insert(tx, look.feed, entry.id, after, change, event)
}

fn write_event(
    tx: &mut Tx<'_>,
    feed: FeedId,
    entry: Option<EntryId>,
    change: Option<ChangeNumber>,
    new: &NewEvent,
) -> Result<EventId, StoreError> {
    let mut event = new.event.clone();
    if let Some(id) = entry {
        event = with_public_id(event, &entries::public_id(tx.conn, id)?);
        let life = match event.kind {
            EventKind::EntryRemoved => Some("removed"),
            EventKind::EntryRestored => Some("ok"),
            _ => None,
        };
        if let Some(life) = life {
            tx.conn
                .prepare_cached("UPDATE entries SET life = ?2 WHERE id = ?1")?
                .execute(params![id, life])?;
        }
    }
    if let Some(recovery) = policy::recovery(event.kind) {
        let since = (recovery == Recovery::Owed).then_some(event.timestamp);
        feeds::owe_recovery(tx, feed, since)?;
    }
    // An event about an entry that goes back and forth is found under the change that it came with.
    let change = change.filter(|_| event.kind == EventKind::EntryFlapping);
    event.data.number = event.data.number.or(change);
    events::insert(
        tx,
        &NewRow {
            event: &event,
            feed: Some(feed),
            entry,
            change,
            targets: &new.targets,
        },
    )
}

/// A new entry does not have a public id before it has a row.
fn with_public_id(mut event: Event, public_id: &str) -> Event {
    if let Some(info) = &mut event.data.entry
        && info.id.is_empty()
    {
        public_id.clone_into(&mut info.id);
    }
    event
}
