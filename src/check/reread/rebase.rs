//! Like with like: what is known of an entry, brought under the schemes that answers are read under today.
//!
//! A state that was read under another scheme cannot be compared with what is read now: what differs may be our own
//! doing. So the answer behind it is read anew first. When that gives another text it is stored as a revision of its
//! own, a re-reading, which is no edit; when the answer is not kept any more, what is seen today is a new beginning.

use crate::check::events::revise::{EntryKnowledge, Windows};
use crate::check::reread::reading::{Reading, kept_answer};
use crate::domain::decide::feed_after;
use crate::domain::fingerprint::{Fingerprints, SCHEME, of_feed_state, of_page_state};
use crate::domain::ids::{CaptureId, EntryId, RevisionNumber};
use crate::domain::links::prints_of;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{
    Base, Behind, ClaimedDates, EntryOutcome, NewRevision, Origin, Stamp,
};
use crate::domain::past::PastRevision;
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, EntryState};
use crate::store::{KnownEntry as EntryRow, Reader, StoreError};
use crate::time::Timestamp;

/// What has to be written so that an entry can be compared with what is read today.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::check) struct Rebasing {
    /// What is derived from the newest stored revision, anew.
    pub(in crate::check) stamp: Option<Stamp>,
    /// The revision that the next one is compared with.
    pub(in crate::check) base: Option<Base>,
    /// Since when nobody can say that nothing was changed: the moment of the answer that was read anew, when later ones
    /// looked the same under the old scheme and were not kept.
    pub(in crate::check) since: Option<Timestamp>,
    /// Channels whose answers say nothing any more, and that nobody has looked at now: they stay under their scheme.
    pub(in crate::check) lost: Vec<Channel>,
}

impl Rebasing {
    /// Puts it into what is stored of the entry, and widens the window of a change that is decided next.
    pub(in crate::check) fn put(self, entry: &mut EntryOutcome, windows: &mut Windows) {
        entry.stamp = self.stamp;
        entry.base = self.base;
        if let Some(since) = self.since {
            for window in [&mut windows.feed, &mut windows.page].into_iter().flatten() {
                window.last_unchanged = window.last_unchanged.min(since);
            }
        }
    }
}

/// A stored answer, read anew.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::check) struct Again {
    /// What it says.
    pub(in crate::check) state: Observed,
    /// Its row.
    pub(in crate::check) capture: CaptureId,
    /// When it came.
    pub(in crate::check) fetched: Timestamp,
    /// SHA-256 of its body.
    pub(in crate::check) sha256: [u8; 32],
}

/// Whether a row says that comparing a channel needs [`rebase`] first.
pub(in crate::check) fn is_stale(row: &EntryRow, channel: Channel, schemes: Schemes) -> bool {
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
pub(in crate::check) fn rebase<E>(
    entry: &mut EntryKnowledge,
    channels: &[(Channel, Option<&Observed>)],
    schemes: Schemes,
    now: Timestamp,
    mut again: impl FnMut(Channel, &EntryKnowledge) -> Result<Option<Again>, E>,
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
        let same = seen.is_some_and(|seen| {
            let after = with(&before, seen.clone());
            reads_alike(&before, seen) && !entry.known.claimed.moved_to(&ClaimedDates::of(&after))
        });
        if !has(&before, channel) || same {
            // Nothing to compare, or nothing that differs under whichever scheme.
            entry.schemes = entry.schemes.take(channel, schemes);
            continue;
        }
        let found = again(channel, entry)?;
        let as_read = match (&found, seen) {
            (Some(found), _) => found.state.clone(),
            (None, Some(seen)) => seen.clone(),
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
        if seen.is_some_and(|seen| reads_alike(&before, seen)) || reads_alike(&before, &as_read) {
            continue;
        }
        match &found {
            Some(found) => {
                behind = match channel {
                    Channel::Feed => Behind {
                        feed: Some(found.capture),
                        ..behind
                    },
                    Channel::Page => Behind {
                        page: Some(found.capture),
                        ..behind
                    },
                };
                if last(channel) != Some(found.sha256) {
                    rebasing.since = rebasing.since.into_iter().chain([found.fetched]).min();
                }
            }
            None => begins_anew = true,
        }
        moved.push(channel);
        state = with(&state, as_read);
    }
    if moved.is_empty() {
        // It reads the same: the state stays as it is stored, and is of the new scheme from now on.
        if entry.schemes != was_under || !entry.prints_of_today {
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
    entry: &mut EntryKnowledge,
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
        links: prints_of(&state),
        additive: past.as_ref().is_some_and(|past| past.additive),
        quiet: past.and_then(|past| past.quiet),
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
pub(in crate::check) fn rebase_for(
    reader: &Reader,
    reading: &Reading,
    entry: &mut EntryKnowledge,
    observations: &[Observation],
    now: Timestamp,
    last: impl Fn(Channel) -> Option<[u8; 32]>,
) -> Result<Rebasing, StoreError> {
    let seen: Vec<(Channel, Option<&Observed>)> = observations
        .iter()
        .map(|observation| (observation.channel(), Some(&observation.state)))
        .collect();
    let again = |channel: Channel, entry: &EntryKnowledge| {
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
pub(in crate::check) fn read_again(
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
    let Some(stored) = kept_answer(reader, id)? else {
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
        // What the feed left out of that answer and is remembered is no difference.
        Observed::Feed(seen) => known.feed.as_ref().is_some_and(|known| {
            of_feed_state(known) == of_feed_state(&feed_after(Some(known), seen))
        }),
        Observed::Page(seen) => known.page.as_ref().map(of_page_state) == Some(of_page_state(seen)),
    }
}

/// A state with one channel put in its place.
fn with(state: &EntryState, seen: Observed) -> EntryState {
    let mut state = state.clone();
    match seen {
        Observed::Feed(feed) => state.feed = Some(feed_after(state.feed.as_ref(), &feed)),
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::classify::Significance;
    use crate::domain::decide::{Decision, Known, Policy, decide};
    use crate::domain::furniture::{InForce, Streaks};
    use crate::domain::scheme::Scheme;
    use crate::domain::state::{Block, FeedState, Link, PageState};

    fn now() -> Timestamp {
        Timestamp::from_unix(2_000)
    }

    fn page() -> impl Strategy<Value = PageState> {
        let text = prop_oneof!["[a-c]{0,3}", Just("12 of 21".to_owned())];
        let body = proptest::collection::vec(text.clone().prop_map(Block::paragraph), 0..3);
        let line = proptest::option::of(text);
        let date = proptest::option::of((0_i64..3).prop_map(Timestamp::from_unix));
        let link = ("[a-c]{1,2}", "/[a-c]?").prop_map(|(words, address)| Link { words, address });
        let links = proptest::collection::vec(link, 0..2);
        let around = (line.clone(), line.clone(), links);
        (line.clone(), line, date, body, around).prop_map(
            |(h1, byline, modified, body, (kicker, standfirst, links))| PageState {
                h1,
                kicker,
                standfirst,
                byline,
                modified,
                body,
                links,
                ..PageState::default()
            },
        )
    }

    fn known(page: PageState) -> EntryKnowledge {
        let state = EntryState {
            feed: Some(FeedState::default()),
            page: Some(page),
        };
        let past = PastRevision {
            number: RevisionNumber(3),
            seen: Timestamp::from_unix(1_000),
            fingerprints: Fingerprints::of(&state),
            links: prints_of(&state),
            additive: false,
            quiet: None,
        };
        EntryKnowledge {
            id: EntryId(1),
            public_id: "ent_a".to_owned(),
            first_seen: Timestamp::from_unix(900),
            revision_seen: Timestamp::from_unix(1_000),
            schemes: Schemes::default(),
            last: crate::domain::outcome::SeenPrints::default(),
            prints_of_today: true,
            known: Known {
                claimed: ClaimedDates::of(&state),
                state,
                revision: RevisionNumber(3),
                past: vec![past],
            },
        }
    }

    fn newer() -> Schemes {
        Schemes {
            page: Scheme::version(2),
            ..Schemes::default()
        }
    }

    fn decided(entry: &EntryKnowledge, seen: PageState) -> Decision {
        let policy = Policy {
            significance: Significance::Minor,
            flap_window: std::time::Duration::from_hours(24),
            live_digest: None,
        };
        let seen = Observation {
            seen: now(),
            state: Observed::Page(seen),
        };
        let streaks = Streaks::default();
        decide(
            &entry.known,
            &[seen],
            streaks,
            &policy,
            &InForce::default(),
            now(),
        )
    }

    /// What a look finds that sees `seen`, where the answer behind the known state reads as `again` now.
    fn look(known: &mut EntryKnowledge, seen: &PageState, again: Option<&PageState>) -> Rebasing {
        let observed = Observed::Page(seen.clone());
        let again = again.map(|page| Again {
            state: Observed::Page(page.clone()),
            capture: CaptureId(7),
            fetched: Timestamp::from_unix(1_000),
            sha256: [7; 32],
        });
        let found = rebase(
            known,
            &[(Channel::Page, Some(&observed))],
            newer(),
            now(),
            |_, _| Ok::<_, Infallible>(again.clone()),
            |_| Some([7; 32]),
        );
        let Ok(rebasing) = found;
        rebasing
    }

    fn headed(h1: Option<&str>) -> PageState {
        PageState {
            h1: h1.map(str::to_owned),
            ..PageState::default()
        }
    }

    #[test]
    fn a_headline_without_text_is_none_whichever_way_it_is_read() {
        for stored in [None, Some(""), Some(" "), Some("\u{ad}")] {
            for again in [None, Some(""), Some(" "), Some("\u{ad}")] {
                let mut entry = known(headed(stored));
                look(&mut entry, &headed(Some("a")), Some(&headed(again)));
                let decision = decided(&entry, headed(Some("a")));
                assert!(
                    matches!(decision, Decision::Revised(_)),
                    "{stored:?} {again:?}"
                );
            }
        }
    }

    #[test]
    fn a_date_that_our_reading_finds_elsewhere_has_not_moved() {
        let dated = |seconds| PageState {
            byline: Some("12 of 21".to_owned()),
            modified: Some(Timestamp::from_unix(seconds)),
            body: vec![Block::paragraph("a".to_owned())],
            ..PageState::default()
        };
        let mut entry = known(dated(1));
        look(&mut entry, &dated(0), None);
        let decision = decided(&entry, dated(0));
        assert!(!matches!(
            decision,
            Decision::Revised(_)
                | Decision::Unchanged {
                    date_touched: true,
                    ..
                }
        ));
    }

    proptest! {
        #[test]
        fn what_only_our_reading_changes_is_never_an_edit(
            stored in page(), seen in page(), kept in any::<bool>(),
        ) {
            let mut entry = known(stored);
            let rebasing = look(&mut entry, &seen, kept.then_some(&seen));
            if let Some(base) = &rebasing.base {
                prop_assert_eq!(&base.revision.change, &None);
                prop_assert_ne!(base.revision.origin, Origin::Look);
                prop_assert_eq!(base.revision.number, RevisionNumber(4));
            }
            let decision = decided(&entry, seen);
            let touched = matches!(decision, Decision::Unchanged { date_touched: true, .. });
            let same = matches!(decision, Decision::Unchanged { .. } | Decision::Baseline(_));
            prop_assert!(same && !touched);
            prop_assert_eq!(entry.schemes, newer());
        }

        #[test]
        fn an_edit_is_found_as_if_there_had_been_no_upgrade(
            stored in page(), again in page(), seen in page(),
        ) {
            let mut entry = known(stored);
            look(&mut entry, &seen, Some(&again));
            let fresh = known(again);
            let is_edit = |decision| matches!(decision, Decision::Revised(_));
            let expected = is_edit(decided(&fresh, seen.clone()));
            // What reads as it is stored counts as unchanged, whatever the stored answer would say now.
            let stays = reads_alike(&entry.known.state, &Observed::Page(seen.clone()));
            prop_assert!(is_edit(decided(&entry, seen)) == expected || stays);
        }

        #[test]
        fn read_anew_without_a_look_nothing_is_begun(stored in page(), again in proptest::option::of(page())) {
            let mut entry = known(stored.clone());
            let found = again.clone().map(|page| Again {
                state: Observed::Page(page),
                capture: CaptureId(7),
                fetched: now(),
                sha256: [0; 32],
            });
            let both = [(Channel::Feed, None), (Channel::Page, None)];
            let Ok(rebasing) = rebase(
                &mut entry,
                &both,
                newer(),
                now(),
                |_, _| Ok::<_, Infallible>(found.clone()),
                |_| None,
            );
            match again {
                None => {
                    prop_assert_eq!(rebasing.base, None);
                    prop_assert_eq!(entry.known.state.page, Some(stored));
                    prop_assert_eq!(entry.schemes, Schemes::default());
                }
                Some(again) => {
                    if let Some(base) = rebasing.base {
                        prop_assert_eq!(base.revision.origin, Origin::Reread);
                        prop_assert_eq!(base.captures.page, Some(CaptureId(7)));
                        prop_assert_eq!(base.revision.state.page, Some(again));
                    }
                    prop_assert_eq!(entry.schemes, newer());
                }
            }
        }
    }
}
