//! Known state and observations in, decision out; the reason is part of the decision.
//!
//! Deciding knows nothing of storing or telling. The order of the questions: is it the first sight, is it the same to
//! a reader, what kind of edit is it, has it been here before, is it to be told.

use super::assess::{Context, assess};
use super::classify::{Assessment, Significance};
use super::compare::{Comparison, compare, first_sights};
use super::event::Field;
use super::fingerprint::{Fingerprint, Fingerprints};
use super::ids::RevisionNumber;
use super::observation::{Observation, Observed};
use super::outcome::{ClaimedDates, Quiet};
use super::state::{Channel, EntryState};
use crate::time::Timestamp;
use std::time::Duration;

/// A revision that an entry went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRevision {
    /// Its number.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Of its state.
    pub fingerprints: Fingerprints,
    /// Whether it was a return to an earlier state.
    pub revert: bool,
}

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
}

/// Decides on an entry that was never seen before.
#[must_use]
pub fn first_sight(observations: &[Observation]) -> Step {
    let state = merge(&EntryState::default(), observations);
    Step {
        number: RevisionNumber::FIRST,
        fingerprints: Fingerprints::of(&state),
        channels: observations.iter().map(Observation::channel).collect(),
        state,
    }
}

/// Decides on a known entry. `observations` has at most one of each channel.
#[must_use]
pub fn decide(
    known: &Known,
    observations: &[Observation],
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let state = merge(&known.state, observations);
    let claimed = claimed_now(known.claimed, observations);
    let date_touched = known.claimed.moved_to(&claimed);
    let comparison = compare(&known.state, &state);
    let Some(comparison) = comparison else {
        if !first_sights(&known.state, &state) {
            return Decision::Unchanged {
                claimed,
                date_touched,
            };
        }
        return Decision::Baseline(Box::new(Step {
            number: known.revision.next(),
            fingerprints: Fingerprints::of(&state),
            channels: observations.iter().map(Observation::channel).collect(),
            state,
        }));
    };

    let fingerprints = Fingerprints::of(&state);
    let revert_of = revert_of(&known.past, &fingerprints, &comparison);
    let context = Context {
        revert_of,
        dates_moved: date_touched,
    };
    let assessment = assess(&comparison, &context);
    let returns = if revert_of.is_some() {
        returns_within(known, policy, now) + 1
    } else {
        0
    };
    let quiet = if assessment.significance < policy.significance {
        Some(Quiet::Insignificant)
    } else if is_echo(known, &state, &fingerprints, &comparison) {
        Some(Quiet::Echo)
    } else if returns >= 2 {
        Some(Quiet::Flapping)
    } else {
        None
    };
    let step = Step {
        number: known.revision.next(),
        channels: comparison.channels.clone(),
        state,
        fingerprints,
    };
    let begins_to_flap = quiet == Some(Quiet::Flapping) && returns == 2;
    Decision::Revised(Box::new(Revised {
        step,
        comparison,
        assessment,
        revert_of,
        quiet,
        begins_to_flap,
    }))
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
            Observed::Feed(feed) => state.feed = Some(feed.clone()),
            Observed::Page(page) => state.page = Some(page.clone()),
        }
    }
    state
}

/// The latest earlier revision in which every text that moved now was as it is again.
///
/// The revision right before the change is what it moves away from, so it cannot be a return to that one.
fn revert_of(
    past: &[PastRevision],
    now: &Fingerprints,
    comparison: &Comparison,
) -> Option<RevisionNumber> {
    let (current, earlier) = past.split_last()?;
    let moved: Vec<Text> = TEXTS
        .into_iter()
        .filter(|text| text(&current.fingerprints) != text(now))
        .collect();
    let has_text = comparison
        .fields
        .iter()
        .any(|field| matches!(field, Field::Title | Field::Summary | Field::Body));
    if moved.is_empty() || !has_text {
        return None;
    }
    earlier
        .iter()
        .rev()
        .find(|past| {
            moved
                .iter()
                .all(|text| text(now).is_some() && text(&past.fingerprints) == text(now))
        })
        .map(|past| past.number)
}

/// One of the texts of a state.
type Text = fn(&Fingerprints) -> Option<Fingerprint>;

const TEXTS: [Text; 5] = [
    |prints| prints.feed_title,
    |prints| prints.feed_summary,
    |prints| prints.feed_body,
    |prints| prints.page_title,
    |prints| prints.page_body,
];

/// Returns inside the window since the entry last showed a state that it had never had before.
fn returns_within(known: &Known, policy: &Policy, now: Timestamp) -> usize {
    known
        .past
        .iter()
        .rev()
        .take_while(|past| past.revert && now.since(past.seen) <= policy.flap_window)
        .count()
}

/// Whether one channel only says now what the other one has said, and been told for, already: a page that takes up
/// the headline that the feed has had for a while.
fn is_echo(known: &Known, state: &EntryState, now: &Fingerprints, comparison: &Comparison) -> bool {
    if comparison.fields != [Field::Title] || state.feed.is_none() || state.page.is_none() {
        return false;
    }
    let (mine, other): (Text, Text) = match comparison.channels.as_slice() {
        [Channel::Page] => (|p| p.page_title, |p| p.feed_title),
        [Channel::Feed] => (|p| p.feed_title, |p| p.page_title),
        _ => return false,
    };
    let Some((current, earlier)) = known.past.split_last() else {
        return false;
    };
    mine(now).is_some()
        && mine(now) == other(now)
        && earlier
            .iter()
            .any(|past| other(&past.fingerprints) == mine(&current.fingerprints))
}
