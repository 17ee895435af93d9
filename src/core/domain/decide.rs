//! Known state and observations in, decision out; the reason is part of the decision.
//!
//! A decision knows nothing about storing or alerting. The questions in order: is this the first sight, does a
//! reader see a difference, what kind of edit is it, has the text been like this before, is it reported.

use super::assess::{Context, assess};
use super::classify::{Assessment, Label, Significance};
use super::compare::{Comparison, compare_but, compare_under, first_sights};
use super::fingerprint::Fingerprints;
use super::furniture::{InForce, Streaks};
use super::ids::RevisionNumber;
use super::links::LinkChange;
use super::normalise::visible;
use super::observation::{Observation, Observed};
use super::outcome::{ClaimedDates, Quiet};
use super::past::PastRevision;
use super::state::{Block, Channel, EntryState, FeedState, PageState};
use super::{form, live_article, reverts};
use crate::time::Timestamp;
use std::time::Duration;

/// What is known about an entry before a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The current state.
    pub state: EntryState,
    /// Its number.
    pub revision: RevisionNumber,
    /// The dates that were claimed at the last check; later than those of `state` if only a date has changed since.
    pub claimed: ClaimedDates,
    /// The revisions up to the current one, oldest first; in very long histories the oldest are missing.
    pub past: Vec<PastRevision>,
}

/// What is reported and what is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Changes below this are stored but not reported.
    pub significance: Significance,
    /// Two returns within this time are flapping.
    pub flap_window: Duration,
    /// Additions to a live article are reported as a summary, at most once in this time; `None` reports each
    /// addition.
    pub live_digest: Option<Duration>,
}

/// The decision on one entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// A reader sees no difference.
    Unchanged {
        /// The dates that are claimed now.
        claimed: ClaimedDates,
        /// Whether a claimed date moved nevertheless.
        date_touched: bool,
    },
    /// The entry, or one of its channels, is seen for the first time: stored, never reported.
    Baseline(Box<Step>),
    /// The entry was changed.
    Revised(Box<Revised>),
}

/// A new state and the channels that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The number of the new revision.
    pub number: RevisionNumber,
    /// The new state on both channels.
    pub state: EntryState,
    /// The fingerprints of the new state.
    pub fingerprints: Fingerprints,
    /// The channels with something new.
    pub channels: Vec<Channel>,
}

/// A change and its assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct Revised {
    /// The new revision.
    pub step: Step,
    /// What differs.
    pub comparison: Comparison,
    /// What kind of edit it is.
    pub assessment: Assessment,
    /// The earlier revision that the text returned to.
    pub revert_of: Option<RevisionNumber>,
    /// Why it is not reported, if it is not.
    pub quiet: Option<Quiet>,
    /// Set for the change with which the entry begins to flap: reported once, as `entry.flapping`.
    pub begins_to_flap: bool,
    /// Whether text was added and none was removed.
    pub additive: bool,
    /// The fingerprints of the state before under the current rules, if the stored ones are under other rules.
    pub before: Option<Fingerprints>,
}

/// Decides on an entry that was never seen before.
#[must_use]
pub fn first_sight(observations: &[Observation], rules: &InForce) -> Step {
    let state = merge(&EntryState::default(), observations);
    Step {
        number: RevisionNumber::FIRST,
        fingerprints: Fingerprints::of(&rules.now.counted(&state)),
        channels: observations.iter().map(Observation::channel).collect(),
        state,
    }
}

/// Decides on a known entry. `observations` has at most one of each channel. Text that `rules` leave out does not
/// count; if a text differs only because a rule has ended, that is a new first snapshot. `streaks` says how often
/// in a row the texts changed, including this check.
#[must_use]
pub fn decide(
    known: &Known,
    observations: &[Observation],
    streaks: Streaks,
    policy: &Policy,
    rules: &InForce,
    now: Timestamp,
) -> Decision {
    let state = merge(&known.state, observations);
    let claimed = claimed_now(known.claimed, observations);
    let date_touched = known.claimed.moved_to(&claimed);
    let rotating = |link: &LinkChange| reverts::is_rotating(&known.past, link);
    let mut comparison = compare_but(&known.state, &state, rules.for_comparing(), rotating);
    let mut only_rotates = false;
    if comparison.is_none() && is_record_due(known, policy, now) {
        comparison = compare_under(&known.state, &state, rules.for_comparing());
        only_rotates = comparison.is_some();
    }
    let Some(comparison) = comparison else {
        let ended = rules.before.is_some();
        let begins_anew = ended && compare_under(&known.state, &state, &rules.now).is_some();
        if !begins_anew && !first_sights(&known.state, &state) {
            return Decision::Unchanged {
                claimed,
                date_touched,
            };
        }
        return Decision::Baseline(Box::new(Step {
            number: known.revision.next(),
            fingerprints: Fingerprints::of(&rules.now.counted(&state)),
            channels: observations.iter().map(Observation::channel).collect(),
            state,
        }));
    };

    if reverts::keys_rotate(&known.past, &comparison) {
        return Decision::Unchanged {
            claimed,
            date_touched,
        };
    }
    let fingerprints = Fingerprints::of(&rules.now.counted(&state));
    // Recomputed, since the stored fingerprints may be under another scheme.
    let before = Fingerprints::of(&rules.now.counted(&known.state));
    let revert_of = reverts::revert_of(&known.past, &before, &fingerprints).or_else(|| {
        // Fingerprints stored before a rule began do not reflect it.
        let (before, after) = (Fingerprints::of(&known.state), Fingerprints::of(&state));
        reverts::revert_of(&known.past, &before, &after)
    });
    let partly_back_to = match revert_of {
        Some(_) => None,
        None => reverts::partly_back_to(&known.past, &before, &fingerprints),
    };
    let context = Context {
        revert_of,
        partly_back_to,
        dates_moved: date_touched,
        dates_stayed: known.claimed.unmoved(&claimed, &comparison.channels),
    };
    let assessment = assess(&comparison, &context);
    let returns = reverts::returns(&known.past, &before, &fingerprints, policy.flap_window, now);
    let never_rests = never_rests(&comparison.channels, streaks);
    let additive = live_article::is_additive(&comparison);
    let quiet = if assessment.significance < policy.significance {
        Some(Quiet::Insignificant)
    } else if reverts::is_echo(&known.past, &before, &comparison, &fingerprints) {
        Some(Quiet::Echo)
    } else if undoes_what_waits(&known.past, revert_of) && !(returns >= 2 && never_rests) {
        Some(Quiet::Unconfirmed)
    } else if only_rotates
        || (returns >= 2 && !may_be_stale_again(&known.past, returns, never_rests))
        || reverts::never_stays(
            &known.past,
            &before,
            &fingerprints,
            &comparison,
            policy.flap_window,
            now,
        )
    {
        Some(Quiet::Flapping)
    } else if policy.live_digest.is_some()
        && additive
        && !assessment.labels.contains(&Label::CorrectionNotice)
        && live_article::is_live(&known.past, now)
    {
        Some(Quiet::Digest)
    } else {
        None
    };
    let step = Step {
        number: known.revision.next(),
        channels: comparison.channels.clone(),
        state,
        fingerprints,
    };
    // An address that goes back and forth was reported when it first changed.
    let told = |past: &PastRevision| past.quiet == Some(Quiet::Flapping);
    let is_first =
        returns == 2 || (returns > 2 && !known.past.iter().rev().take(returns).any(told));
    let known_before = known.past.last().map(|past| past.fingerprints.stored());
    let begins_to_flap =
        quiet == Some(Quiet::Flapping) && is_first && !reverts::is_of_keys(&comparison);
    Decision::Revised(Box::new(Revised {
        step,
        comparison,
        assessment,
        revert_of,
        quiet,
        begins_to_flap,
        additive,
        before: (known_before != Some(before.stored())).then_some(before),
    }))
}

fn last_quiet(past: &[PastRevision]) -> Option<Quiet> {
    past.last().and_then(|past| past.quiet)
}

/// Whether this only takes back a change that has not been reported yet.
fn undoes_what_waits(past: &[PastRevision], revert_of: Option<RevisionNumber>) -> bool {
    let before = past.iter().rev().nth(1).map(|past| past.number);
    last_quiet(past) == Some(Quiet::Waiting) && before.is_some() && revert_of == before
}

/// Whether this may be another stale copy, as the last one was: they appear from time to time as long as a cache
/// has them.
fn may_be_stale_again(past: &[PastRevision], returns: usize, never_rests: bool) -> bool {
    last_quiet(past) == Some(Quiet::Unconfirmed) && returns < STALE && !never_rests
}

/// This many returns in a row are too many for stale copies.
const STALE: usize = 6;

/// Whether a text changed at each of the last checks: then the page alternates on its own, and this is not a chance
/// stale copy.
fn never_rests(channels: &[Channel], streaks: Streaks) -> bool {
    channels.iter().any(|channel| {
        let streak = match channel {
            Channel::Feed => streaks.feed,
            Channel::Page => streaks.page,
        };
        streak.looks >= IN_TURNS
    })
}

/// This many checks in a row, each with another text than the one before.
const IN_TURNS: u32 = 3;

/// Whether links that lead elsewhere at every check are recorded again, as a change that sends no alert. This is
/// done no more often than states come and go.
fn is_record_due(known: &Known, policy: &Policy, now: Timestamp) -> bool {
    let last = known.past.last();
    last.is_none_or(|last| now.since(last.seen) >= policy.flap_window)
}

/// The dates claimed before, replaced by those of the observed channels.
fn claimed_now(before: ClaimedDates, observations: &[Observation]) -> ClaimedDates {
    observations
        .iter()
        .fold(before, |claimed, observation| match &observation.state {
            Observed::Feed(feed) => ClaimedDates {
                feed_published: feed.published,
                feed_updated: feed.updated,
                ..claimed
            },
            Observed::Page(page) => ClaimedDates {
                page_published: page.published,
                page_modified: page.modified,
                ..claimed
            },
        })
}

/// The known state, with the observed channels replaced.
fn merge(known: &EntryState, observations: &[Observation]) -> EntryState {
    let mut state = known.clone();
    for observation in observations {
        match &observation.state {
            Observed::Feed(feed) => state.feed = Some(feed_after(known.feed.as_ref(), feed)),
            Observed::Page(page) => state.page = Some(page_after(known.page.as_ref(), page)),
        }
    }
    state
}

/// What is known about an item of a feed after it was seen. Text that the feed leaves out, where that is not an
/// edit, stays known; otherwise an edit made meanwhile would appear as a first sight.
#[must_use]
pub fn feed_after(known: Option<&FeedState>, seen: &FeedState) -> FeedState {
    let mut state = seen.clone();
    let Some(known) = known else {
        return state;
    };
    keep(&mut state.guid, &known.guid);
    keep(&mut state.address, &known.address);
    if is_blank(&state.body) {
        state.body.clone_from(&known.body);
    }
    form::keep_known(&mut state, known);
    state
}

/// What is known about a page after it was seen, like [`feed_after`].
fn page_after(known: Option<&PageState>, seen: &PageState) -> PageState {
    let mut state = seen.clone();
    let Some(known) = known else {
        return state;
    };
    keep(&mut state.h1, &known.h1);
    keep(&mut state.og_title, &known.og_title);
    keep(&mut state.ld_headline, &known.ld_headline);
    keep(&mut state.canonical, &known.canonical);
    state
}

fn keep(seen: &mut Option<String>, known: &Option<String>) {
    let nothing = seen.as_deref().is_none_or(|text| visible(text).is_empty());
    if nothing && known.is_some() {
        seen.clone_from(known);
    }
}

fn is_blank(blocks: &[Block]) -> bool {
    blocks.iter().all(|block| visible(&block.text).is_empty())
}

#[cfg(test)]
mod tests;
