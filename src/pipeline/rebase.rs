//! Like with like: what is known of an entry, brought under the schemes that answers are read under today.
//!
//! A state that was read under another scheme cannot be compared with what is read now: what differs may be our own
//! doing. So the answer behind it is read anew first. When that gives another text it is stored as a revision of its
//! own, a re-reading, which is no edit; when the answer is not kept any more, what is seen today is a new beginning.

use super::reading::Reading;
use super::revise::KnownEntry;
use crate::domain::decide::PastRevision;
use crate::domain::event::Window;
use crate::domain::fingerprint::{Fingerprints, SCHEME, of_feed_state, of_page_state};
use crate::domain::ids::{CaptureId, EntryId, RevisionNumber};
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{
    Base, Behind, ClaimedDates, EntryOutcome, NewRevision, Origin, Stamp,
};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, EntryState};
use crate::store::{KnownEntry as EntryRow, Reader, StoreError};
use crate::time::Timestamp;

/// What has to be written so that an entry can be compared with what is read today.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Rebasing {
    /// What is derived from the newest stored revision, anew.
    pub(super) stamp: Option<Stamp>,
    /// The revision that the next one is compared with.
    pub(super) base: Option<Base>,
    /// Since when nobody can say that nothing was changed: the moment of the answer that was read anew, when later ones
    /// looked the same under the old scheme and were not kept.
    pub(super) since: Option<Timestamp>,
    /// Channels whose answers say nothing any more, and that nobody has looked at now: they stay under their scheme.
    pub(super) lost: Vec<Channel>,
}

impl Rebasing {
    /// Puts it into what is stored of the entry, and widens the window of a change that is decided next.
    pub(super) fn put(self, entry: &mut EntryOutcome, window: &mut Window) {
        entry.stamp = self.stamp;
        entry.base = self.base;
        if let Some(since) = self.since {
            window.last_unchanged = window.last_unchanged.min(since);
        }
    }
}

/// A stored answer, read anew.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Again {
    /// What it says.
    pub(super) state: Observed,
    /// Its row.
    pub(super) capture: CaptureId,
    /// When it came.
    pub(super) fetched: Timestamp,
    /// SHA-256 of its body.
    pub(super) sha256: [u8; 32],
}

/// Whether a row says that comparing a channel needs [`rebase`] first.
pub(super) fn is_stale(row: &EntryRow, channel: Channel, schemes: Schemes) -> bool {
    let print = match channel {
        Channel::Feed => row.feed_fp,
        Channel::Page => row.page_fp,
    };
    print.is_some_and(|print| {
        print.scheme() != SCHEME || row.schemes.of(channel) != schemes.of(channel)
    })
}

/// Brings channels of `entry` under `schemes`. `channels` has at most one of each, with what was seen of it now;
/// without that, a channel whose answer says nothing any more is left as it is. `again` reads the answer behind a
/// channel of the newest revision, and `last` is the hash of the bytes that were seen last of it.
pub(super) fn rebase<E>(
    entry: &mut KnownEntry,
    channels: &[(Channel, Option<&Observed>)],
    schemes: Schemes,
    now: Timestamp,
    mut again: impl FnMut(Channel, &KnownEntry) -> Result<Option<Again>, E>,
    last: impl Fn(Channel) -> Option<[u8; 32]>,
) -> Result<Rebasing, E> {
    let mut rebasing = Rebasing::default();
    let before = entry.known.state.clone();
    let was_under = entry.schemes;
    let mut state = before.clone();
    let mut behind = Behind::default();
    let (mut moved, mut begins_anew) = (Vec::new(), false);
    for &(channel, seen) in channels {
        if was_under.of(channel) == schemes.of(channel) {
            continue;
        }
        let same = seen.is_some_and(|seen| reads_alike(&before, seen));
        if !has(&before, channel) || same {
            // Nothing to compare, or nothing that differs under whichever scheme.
            entry.schemes = entry.schemes.take(channel, schemes);
            continue;
        }
        let as_read = match (again(channel, entry)?, seen) {
            (Some(found), _) => {
                match channel {
                    Channel::Feed => behind.feed = Some(found.capture),
                    Channel::Page => behind.page = Some(found.capture),
                }
                if last(channel) != Some(found.sha256) {
                    rebasing.since = rebasing.since.into_iter().chain([found.fetched]).min();
                }
                found.state
            }
            (None, Some(seen)) => {
                begins_anew = true;
                seen.clone()
            }
            (None, None) => {
                rebasing.lost.push(channel);
                continue;
            }
        };
        entry.schemes = entry.schemes.take(channel, schemes);
        // Dates that the same bytes claim otherwise now have not moved.
        let after = with(&before, as_read.clone());
        if ClaimedDates::of(&after) != ClaimedDates::of(&before) {
            let claims = with(&before, seen.cloned().unwrap_or_else(|| as_read.clone()));
            entry.known.claimed = claimed(entry.known.claimed, channel, &claims);
        }
        if !reads_alike(&before, &as_read) {
            moved.push(channel);
            state = with(&state, as_read);
        }
    }
    if moved.is_empty() {
        // It reads the same: the state stays as it is stored, and is of the new scheme from now on.
        if entry.schemes != was_under {
            rebasing.stamp = Some(Stamp {
                fingerprints: Fingerprints::of(&before),
                schemes: entry.schemes,
            });
        }
        return Ok(rebasing);
    }
    rebasing.base = Some(Base {
        revision: next(entry, state, moved, begins_anew, now),
        captures: behind,
    });
    Ok(rebasing)
}

/// Makes `state` the newest revision of `entry`.
fn next(
    entry: &mut KnownEntry,
    state: EntryState,
    channels: Vec<Channel>,
    begins_anew: bool,
    now: Timestamp,
) -> NewRevision {
    let known = &mut entry.known;
    let fingerprints = Fingerprints::of(&state);
    let past = if begins_anew {
        None
    } else {
        // The same answer under two schemes is one state to come back to.
        known.past.pop()
    };
    if begins_anew {
        entry.revision_seen = now;
    }
    known.revision = known.revision.next();
    known.state = state.clone();
    known.past.push(PastRevision {
        number: known.revision,
        seen: entry.revision_seen,
        fingerprints,
        revert: past.is_some_and(|past| past.revert),
    });
    NewRevision {
        number: known.revision,
        seen: entry.revision_seen,
        state,
        fingerprints,
        schemes: entry.schemes,
        origin: match begins_anew {
            true => Origin::Rebased,
            false => Origin::Reread,
        },
        channels,
        change: None,
    }
}

/// [`rebase`] before a look is decided upon, with the answers that the database has.
pub(super) fn rebase_for(
    reader: &Reader,
    reading: &Reading,
    entry: &mut KnownEntry,
    observations: &[Observation],
    now: Timestamp,
    last: impl Fn(Channel) -> Option<[u8; 32]>,
) -> Result<Rebasing, StoreError> {
    let seen: Vec<(Channel, Option<&Observed>)> = observations
        .iter()
        .map(|observation| (observation.channel(), Some(&observation.state)))
        .collect();
    let again = |channel: Channel, entry: &KnownEntry| {
        let known = &entry.known;
        read_again(
            reader,
            reading,
            entry.id,
            known.revision,
            channel,
            &known.state,
        )
    };
    rebase(entry, &seen, reading.schemes(), now, again, last)
}

/// Reads the answer behind one channel of a revision anew; `None` when it says nothing of the entry any more.
pub(super) fn read_again(
    reader: &Reader,
    reading: &Reading,
    entry: EntryId,
    revision: RevisionNumber,
    channel: Channel,
    known: &EntryState,
) -> Result<Option<Again>, StoreError> {
    let behind = reader.captures_behind(entry, revision)?;
    let id = match channel {
        Channel::Feed => behind.feed,
        Channel::Page => behind.page,
    };
    let Some(id) = id else { return Ok(None) };
    let Some(stored) = reader.capture(id)?.filter(|stored| stored.body_kept) else {
        return Ok(None);
    };
    let found = reading.again(&stored.capture, known).ok();
    Ok(found.map(|found| Again {
        state: found.state,
        capture: id,
        fetched: stored.capture.fetched,
        sha256: stored.body_sha256,
    }))
}

fn has(state: &EntryState, channel: Channel) -> bool {
    match channel {
        Channel::Feed => state.feed.is_some(),
        Channel::Page => state.page.is_some(),
    }
}

/// Whether a reader sees the same in what is known of a channel and in what was seen of it.
fn reads_alike(known: &EntryState, seen: &Observed) -> bool {
    match seen {
        Observed::Feed(seen) => known.feed.as_ref().map(of_feed_state) == Some(of_feed_state(seen)),
        Observed::Page(seen) => known.page.as_ref().map(of_page_state) == Some(of_page_state(seen)),
    }
}

/// A state with one channel put in its place.
fn with(state: &EntryState, seen: Observed) -> EntryState {
    let mut state = state.clone();
    match seen {
        Observed::Feed(feed) => state.feed = Some(feed),
        Observed::Page(page) => state.page = Some(page),
    }
    state
}

/// The dates known to be claimed, with those of one channel taken from a state.
fn claimed(known: ClaimedDates, channel: Channel, state: &EntryState) -> ClaimedDates {
    let said = ClaimedDates::of(state);
    match channel {
        Channel::Feed => ClaimedDates {
            feed_published: said.feed_published,
            feed_updated: said.feed_updated,
            ..known
        },
        Channel::Page => ClaimedDates {
            page_published: said.page_published,
            page_modified: said.page_modified,
            ..known
        },
    }
}
