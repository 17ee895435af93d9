//! Compares like with like: brings what is known of an entry to the schemes that responses are read under today.
//!
//! A state that was read under another scheme cannot be compared with what is read now, because a difference may be
//! of our own making. So the response behind it is read again first. If that gives another text, it is stored as a
//! revision of its own, a re-reading, which is not an edit. If the response is no longer kept, what is seen today
//! is a new first snapshot.

use crate::check::events::revise::{EntryKnowledge, Windows};
use crate::check::reread::reading::{Reading, kept_answer};
use crate::domain::decide::feed_after;
use crate::domain::fingerprint::{Fingerprints, SCHEME, of_feed_state, of_page_state};
use crate::domain::ids::CaptureId;
use crate::domain::links::prints_of;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{
    Base, Behind, ClaimedDates, EntryOutcome, NewRevision, RevisionOrigin, Stamp,
};
use crate::domain::past::PastRevision;
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, EntryState};
use crate::store::{KnownEntry as EntryRow, Reader, StoreError};
use crate::time::Timestamp;

/// What has to be written so that an entry can be compared with what is read today.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::check) struct Rebasing {
    /// What is derived from the newest stored revision, recomputed.
    pub(in crate::check) stamp: Option<Stamp>,
    /// The revision that the next one is compared with.
    pub(in crate::check) base: Option<Base>,
    /// The time from which an edit cannot be ruled out: when the re-read response was fetched, if later ones looked
    /// the same under the old scheme and were not kept.
    pub(in crate::check) since: Option<Timestamp>,
    /// Channels whose responses no longer say anything and that were not checked now: they stay under their scheme.
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

/// A stored response, read again.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::check) struct Again {
    /// What it says.
    pub(in crate::check) state: Observed,
    /// Its row.
    pub(in crate::check) capture: CaptureId,
    /// When it was fetched.
    pub(in crate::check) fetched: Timestamp,
    /// SHA-256 of its body.
    pub(in crate::check) sha256: [u8; 32],
}

/// The responses behind a revision, read again. Each channel has that of the last revision that it brought.
#[derive(Debug, Clone, Default)]
pub(in crate::check) struct ReadAgain {
    feed: Option<Again>,
    page: Option<Again>,
}

impl ReadAgain {
    /// Sets what a channel's response says now; `None` if it no longer says anything about the entry.
    pub(in crate::check) fn put(&mut self, channel: Channel, again: Option<Again>) {
        match channel {
            Channel::Feed => self.feed = again,
            Channel::Page => self.page = again,
        }
    }

    /// What a channel's response says now.
    pub(in crate::check) fn of(&self, channel: Channel) -> Option<&Again> {
        match channel {
            Channel::Feed => self.feed.as_ref(),
            Channel::Page => self.page.as_ref(),
        }
    }
}

/// Whether, according to its row, comparing a channel needs [`rebase`] first.
pub(in crate::check) fn is_stale(row: &EntryRow, channel: Channel, schemes: Schemes) -> bool {
    let print = match channel {
        Channel::Feed => row.feed_fp,
        Channel::Page => row.page_fp,
    };
    print.is_some_and(|print| {
        print.scheme() != SCHEME || row.schemes.of(channel) != schemes.of(channel)
    })
}

/// Brings channels of `entry` to `schemes`. `channels` has each channel at most once, with what was seen of it now;
/// if nothing was seen and its response no longer says anything, a channel stays as it is. `again` has the
/// responses behind the channels that [`stale_channels`] names, and `last` is the hash of the bytes that were last
/// seen of a channel.
pub(in crate::check) fn rebase(
    entry: &mut EntryKnowledge,
    channels: &[(Channel, Option<&Observed>)],
    schemes: Schemes,
    now: Timestamp,
    again: &ReadAgain,
    last: impl Fn(Channel) -> Option<[u8; 32]>,
) -> Rebasing {
    let mut rebasing = Rebasing::default();
    let before = entry.known.state.clone();
    let was_under = entry.schemes;
    let mut state = before.clone();
    let mut behind = Behind::default();
    let (mut moved, mut begins_anew) = (Vec::new(), false);
    let asked = stale_channels(entry, channels, schemes);
    for &(channel, seen) in channels {
        if was_under.of(channel) == schemes.of(channel) {
            continue;
        }
        if !asked.contains(&channel) {
            // Either there is nothing to compare, or nothing differs under either scheme.
            entry.schemes = entry.schemes.take(channel, schemes);
            continue;
        }
        let found = again.of(channel);
        let as_read = match (found, seen) {
            (Some(found), _) => found.state.clone(),
            (None, Some(seen)) => seen.clone(),
            (None, None) => {
                rebasing.lost.push(channel);
                continue;
            }
        };
        entry.schemes = entry.schemes.take(channel, schemes);
        // If the same bytes are now read as other dates, the dates have not moved.
        let after = with(&before, as_read.clone());
        if ClaimedDates::of(&after) != ClaimedDates::of(&before) {
            let claims = with(&before, seen.cloned().unwrap_or_else(|| as_read.clone()));
            entry.known.claimed = claimed(entry.known.claimed, channel, &claims);
        }
        if seen.is_some_and(|seen| reads_alike(&before, seen)) || reads_alike(&before, &as_read) {
            continue;
        }
        match found {
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
        // It reads the same: the stored state stays, and belongs to the new scheme from now on.
        if entry.schemes != was_under || !entry.prints_of_today {
            rebasing.stamp = Some(Stamp {
                fingerprints: Fingerprints::of(&before),
                schemes: entry.schemes,
            });
        }
        return rebasing;
    }
    rebasing.base = Some(Base {
        revision: next(entry, state, moved, begins_anew, now),
        captures: behind,
    });
    rebasing
}

/// The channels whose responses must be read again for [`rebase`]: what is known of them is from another scheme and
/// does not read the same now.
pub(in crate::check) fn stale_channels(
    entry: &EntryKnowledge,
    channels: &[(Channel, Option<&Observed>)],
    schemes: Schemes,
) -> Vec<Channel> {
    let state = &entry.known.state;
    let reads_the_same = |seen: &Observed| {
        let after = with(state, seen.clone());
        reads_alike(state, seen) && !entry.known.claimed.moved_to(&ClaimedDates::of(&after))
    };
    let asked = channels.iter().filter(|(channel, seen)| {
        entry.schemes.of(*channel) != schemes.of(*channel)
            && has(state, *channel)
            && !seen.is_some_and(reads_the_same)
    });
    asked.map(|(channel, _)| *channel).collect()
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
        // The same response under two schemes is one state to return to.
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
            true => RevisionOrigin::Rebased,
            false => RevisionOrigin::Reread,
        },
        channels,
        change: None,
    }
}

/// The channels of observations with what was seen of each, in the form that [`rebase`] takes.
pub(in crate::check) fn seen_channels(
    observations: &[Observation],
) -> Vec<(Channel, Option<&Observed>)> {
    let seen = observations.iter();
    seen.map(|observation| (observation.channel(), Some(&observation.state)))
        .collect()
}

/// Reads what [`rebase`] needs, before the decision on these observations.
pub(in crate::check) fn read_again(
    reader: &Reader,
    reading: &Reading,
    entry: &EntryKnowledge,
    observations: &[Observation],
) -> Result<ReadAgain, StoreError> {
    let mut again = ReadAgain::default();
    let seen = seen_channels(observations);
    for channel in stale_channels(entry, &seen, reading.schemes()) {
        let answer = read_channel_again(reader, reading, entry, channel)?;
        again.put(channel, answer);
    }
    Ok(again)
}

/// Reads the response behind one channel of the newest revision again; `None` if it no longer says anything about
/// the entry.
fn read_channel_again(
    reader: &Reader,
    reading: &Reading,
    entry: &EntryKnowledge,
    channel: Channel,
) -> Result<Option<Again>, StoreError> {
    let behind = reader.captures_behind(entry.id, entry.known.revision)?;
    let id = match channel {
        Channel::Feed => behind.feed,
        Channel::Page => behind.page,
    };
    let Some(id) = id else { return Ok(None) };
    let Some(stored) = kept_answer(reader, id)? else {
        return Ok(None);
    };
    let found = reading.again(&stored.capture, &entry.known.state).ok();
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

/// Whether what is known of a channel and what was seen of it look the same to a reader.
fn reads_alike(known: &EntryState, seen: &Observed) -> bool {
    match seen {
        // Text that the feed left out of that response, but that is remembered, is not a difference.
        Observed::Feed(seen) => known.feed.as_ref().is_some_and(|known| {
            of_feed_state(known) == of_feed_state(&feed_after(Some(known), seen))
        }),
        Observed::Page(seen) => known.page.as_ref().map(of_page_state) == Some(of_page_state(seen)),
    }
}

/// The state with one channel replaced.
fn with(state: &EntryState, seen: Observed) -> EntryState {
    let mut state = state.clone();
    match seen {
        Observed::Feed(feed) => state.feed = Some(feed_after(state.feed.as_ref(), &feed)),
        Observed::Page(page) => state.page = Some(page),
    }
    state
}

/// The claimed dates that are known, with those of one channel taken from a state.
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
    use proptest::prelude::*;

    use super::*;
    use crate::domain::classify::Significance;
    use crate::domain::decide::{Decision, Known, Policy, decide};
    use crate::domain::furniture::{InForce, Streaks};
    use crate::domain::ids::{EntryId, RevisionNumber};
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

    /// The result of a check that sees `seen`, when the response behind the known state now reads as `again`.
    fn look(known: &mut EntryKnowledge, seen: &PageState, again: Option<&PageState>) -> Rebasing {
        let observed = Observed::Page(seen.clone());
        let again = again.map(|page| Again {
            state: Observed::Page(page.clone()),
            capture: CaptureId(7),
            fetched: Timestamp::from_unix(1_000),
            sha256: [7; 32],
        });
        let mut answers = ReadAgain::default();
        answers.put(Channel::Page, again);
        let seen = [(Channel::Page, Some(&observed))];
        rebase(known, &seen, newer(), now(), &answers, |_| Some([7; 32]))
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
                prop_assert_ne!(base.revision.origin, RevisionOrigin::Look);
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
            // A page that reads as stored counts as unchanged, however the stored response would be read now.
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
            let mut answers = ReadAgain::default();
            answers.put(Channel::Page, found);
            let rebasing = rebase(&mut entry, &both, newer(), now(), &answers, |_| None);
            match again {
                None => {
                    prop_assert_eq!(rebasing.base, None);
                    prop_assert_eq!(entry.known.state.page, Some(stored));
                    prop_assert_eq!(entry.schemes, Schemes::default());
                }
                Some(again) => {
                    if let Some(base) = rebasing.base {
                        prop_assert_eq!(base.revision.origin, RevisionOrigin::Reread);
                        prop_assert_eq!(base.captures.page, Some(CaptureId(7)));
                        prop_assert_eq!(base.revision.state.page, Some(again));
                    }
                    prop_assert_eq!(entry.schemes, newer());
                }
            }
        }
    }
}
