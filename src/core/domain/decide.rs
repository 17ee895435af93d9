//! Known state and observations in, decision out; the reason is part of the decision.
//!
//! Deciding knows nothing of storing or telling. The order of the questions: is it the first sight, is it the same to
//! a reader, what kind of edit is it, has it been here before, is it to be told.

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

/// What is known of an entry before a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The current state.
    pub state: EntryState,
    /// Its number.
    pub revision: RevisionNumber,
    /// The dates that were claimed at the last look; later than those of `state` when only a date was touched since.
    pub claimed: ClaimedDates,
    /// The revisions up to the current one, the oldest first; very long histories are cut at the old end.
    pub past: Vec<PastRevision>,
}

/// What is told and what is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Changes below this are stored and not told.
    pub significance: Significance,
    /// Two returns inside this time are flapping.
    pub flap_window: Duration,
    /// What is added to a live article is told as a sum, at most once in this time; `None` tells each addition.
    pub live_digest: Option<Duration>,
}

/// The decision on one entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// A reader sees the same.
    Unchanged {
        /// The dates that are claimed now.
        claimed: ClaimedDates,
        /// A claimed date moved all the same.
        date_touched: bool,
    },
    /// The entry, or one of its channels, is seen for the first time: stored, never told.
    Baseline(Box<Step>),
    /// The entry was changed.
    Revised(Box<Revised>),
}

/// A new state and what brought it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The number of the new revision.
    pub number: RevisionNumber,
    /// The new state on both channels.
    pub state: EntryState,
    /// Of the new state.
    pub fingerprints: Fingerprints,
    /// The channels that brought something new.
    pub channels: Vec<Channel>,
}

/// A change and the judgement on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Revised {
    /// The new revision.
    pub step: Step,
    /// What differs.
    pub comparison: Comparison,
    /// What kind of edit it is.
    pub assessment: Assessment,
    /// The earlier revision that this is a return to.
    pub revert_of: Option<RevisionNumber>,
    /// Why it is not told, when it is not.
    pub quiet: Option<Quiet>,
    /// Set on the change that makes the entry flap: told once, as `entry.flapping`.
    pub begins_to_flap: bool,
    /// Whether text was added and none taken away.
    pub additive: bool,
    /// Of the state before, by the rules of now, when those that are known of it are by others.
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

/// Decides on a known entry. `observations` has at most one of each channel. What `rules` leave out does not count; a
/// text that differs only because a rule has ended is a new beginning. `streaks` are how often in a row the texts moved,
/// this look included.
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
    // Computed, and not taken from the past: that may be of another scheme.
    let before = Fingerprints::of(&rules.now.counted(&known.state));
    let revert_of = reverts::revert_of(&known.past, &before, &fingerprints).or_else(|| {
        // What was stored before a rule began has fingerprints without it.
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
    // An address that goes back and forth was told of when it first moved.
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

/// Whether this only takes back a change that nobody was told of yet.
fn undoes_what_waits(past: &[PastRevision], revert_of: Option<RevisionNumber>) -> bool {
    let before = past.iter().rev().nth(1).map(|past| past.number);
    last_quiet(past) == Some(Quiet::Waiting) && before.is_some() && revert_of == before
}

/// Whether this may be a stale copy, as the one before was: one is seen now and then, as long as the cache has it.
fn may_be_stale_again(past: &[PastRevision], returns: usize, never_rests: bool) -> bool {
    last_quiet(past) == Some(Quiet::Unconfirmed) && returns < STALE && !never_rests
}

/// So many returns in a row are more than stale copies do.
const STALE: usize = 6;

/// Whether a text moved at each of the last looks: so a page answers in turns, and no stale copy by chance.
fn never_rests(channels: &[Channel], streaks: Streaks) -> bool {
    channels.iter().any(|channel| {
        let streak = match channel {
            Channel::Feed => streaks.feed,
            Channel::Page => streaks.page,
        };
        streak.looks >= IN_TURNS
    })
}

/// Looks in a row, each with another text than the one before.
const IN_TURNS: u32 = 3;

/// Whether links that lead elsewhere at every look are noted once more: as a change that nobody is told of, and no
/// oftener than states come and go.
fn is_record_due(known: &Known, policy: &Policy, now: Timestamp) -> bool {
    let last = known.past.last();
    last.is_none_or(|last| now.since(last.seen) >= policy.flap_window)
}

/// What was claimed before, with the claims of the channels that were seen put in its place.
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

/// The known state with the channels that were seen put in place of what was known of them.
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

/// What is known of an item of a feed after it was seen. What the feed leaves out, where leaving out is no edit, stays
/// known: else an edit that is made meanwhile would come back as a first sight.
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

/// What is known of a page after it was seen, like [`feed_after`].
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
