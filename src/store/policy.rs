//! What becomes of an event, a delivery and a target: pure.
//!
//! SQL reads the values that these functions take and writes what they return. It decides only which rows to read.

use std::time::Duration;

use super::outbox::{AttemptOutcome, DeliveryState, Next};
use crate::domain::backoff::DELIVERY_ATTEMPTS;
use crate::domain::event::EventKind;
use crate::domain::ids::DeliveryId;
use crate::time::Timestamp;

/// No delivery waits longer than this (the schedule ends with 24 h, and `Retry-After` is limited). A later time was left
/// by a clock that had jumped forward.
const LONGEST_WAIT: Duration = Duration::from_hours(72);

/// The same for leases, which last minutes.
const LONGEST_LEASE: Duration = Duration::from_hours(24);

/// The same for digests.
const LONGEST_DIGEST_WAIT: Duration = Duration::from_hours(24 * 9);

/// A receiver is at fault, and not the events, once it has refused this many to the end and accepted none in between.
/// One headline, or two, may trip a firewall.
const REFUSED_EVENTS: u32 = 10;

/// The queue of a target when an event arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Queue {
    /// Whether a person releases each delivery.
    pub(super) hold: bool,
    /// Whether its receiver asked us to stop.
    pub(super) disabled: bool,
    /// Deliveries that are not done.
    pub(super) open: u64,
    /// The most of them; `None` for no limit.
    pub(super) max_open: Option<u64>,
}

/// What becomes of an event that arrives at a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is sent when its turn comes.
    Queued,
    /// It waits for a person.
    Held,
    /// Nothing is sent to this target; the event can be retried.
    TargetDisabled,
    /// The queue is full; the event can be retried.
    QueueFull,
}

impl Queue {
    /// What becomes of an event that arrives now.
    pub(super) fn admit(self) -> Admission {
        if self.hold {
            Admission::Held
        } else if self.disabled {
            Admission::TargetDisabled
        } else if self.max_open.is_some_and(|most| self.open >= most) {
            Admission::QueueFull
        } else {
            Admission::Queued
        }
    }
}

impl Admission {
    /// The state in which the delivery is stored. What is held is done for the queue until it is released.
    pub(super) fn state(self) -> DeliveryState {
        match self {
            Self::Queued => DeliveryState::Pending,
            Self::Held | Self::TargetDisabled => DeliveryState::Disabled,
            Self::QueueFull => DeliveryState::Dead,
        }
    }
}

/// What an attempt does to its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryUpdate {
    /// It was done already and stays as it is.
    Unchanged,
    /// It was given up or disabled during the attempt, and has arrived after all.
    ArrivedLate,
    /// It is done.
    Done(DeliveryState),
    /// It is tried again.
    Again {
        /// Not before this time.
        at: Timestamp,
        /// Whether later events stop waiting for it.
        set_aside: bool,
    },
}

/// How an attempt ended, and what it does to its delivery, which may be done already.
pub(super) fn after_attempt(next: &Next, open: bool) -> (AttemptOutcome, DeliveryUpdate) {
    let (outcome, update) = match next {
        Next::Delivered => (
            AttemptOutcome::Delivered,
            DeliveryUpdate::Done(DeliveryState::Delivered),
        ),
        Next::RetryAt(at) | Next::SetAside(at) => (
            AttemptOutcome::Retry,
            DeliveryUpdate::Again {
                at: *at,
                set_aside: matches!(next, Next::SetAside(_)),
            },
        ),
        Next::Dead => (
            AttemptOutcome::Dead,
            DeliveryUpdate::Done(DeliveryState::Dead),
        ),
        // The digest is done, but has neither arrived nor been given up: its members are sent.
        Next::Unpack => (
            AttemptOutcome::Dead,
            DeliveryUpdate::Done(DeliveryState::Disabled),
        ),
        Next::DisableTarget(_) => (
            AttemptOutcome::Disabled,
            DeliveryUpdate::Done(DeliveryState::Disabled),
        ),
    };
    let update = match outcome {
        _ if open => update,
        AttemptOutcome::Delivered => DeliveryUpdate::ArrivedLate,
        _ => DeliveryUpdate::Unchanged,
    };
    (outcome, update)
}

/// A delivery, for judging its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PastDelivery {
    /// Its state.
    pub(super) state: DeliveryState,
    /// Attempts at it.
    pub(super) attempts: u32,
    /// Whether it was set aside because its event was refused.
    pub(super) set_aside: bool,
}

impl PastDelivery {
    /// Whether nobody was reached with it for days.
    fn unreached(self) -> bool {
        self.state == DeliveryState::Dead && self.attempts >= DELIVERY_ATTEMPTS && !self.set_aside
    }
}

/// Why a target is disabled although its receiver did not ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// Nobody was reached with two events in a row.
    Unreachable,
    /// It refused all events.
    RefusesAll,
}

impl GivenUp {
    /// The reason, for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "two events in a row were given up, each after ten attempts over three days"
            }
            Self::RefusesAll => {
                "it refused every event for days; the last ten were given up after ten attempts each"
            }
        }
    }
}

/// Whether a target is given up with a delivery. One event may be at fault. `newest` are this delivery and the one
/// before it, and `refused` counts the events that were refused to the end since the target last accepted one.
pub(super) fn give_up(newest: &[PastDelivery], refused: u32) -> Option<GivenUp> {
    if newest.len() >= 2 && newest.iter().all(|past| past.unreached()) {
        Some(GivenUp::Unreachable)
    } else {
        (refused >= REFUSED_EVENTS).then_some(GivenUp::RefusesAll)
    }
}

/// A target, for choosing who is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TargetFlags {
    /// Whether it is in the configuration.
    pub(super) active: bool,
    /// Whether its receiver asked us to stop.
    pub(super) disabled: bool,
    /// Whether it takes notices about other targets.
    pub(super) notices: bool,
}

impl TargetFlags {
    /// Whether it is notified when another target is disabled.
    pub(super) fn takes_notice(self) -> bool {
        self.active && self.notices && !self.disabled
    }
}

/// A delivery that may be the next one of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The row of its target.
    pub(super) target: i64,
    /// The delivery.
    pub(super) id: DeliveryId,
    /// The end of its lease, while a sender has it.
    pub(super) leased_until: Option<Timestamp>,
    /// Not before this time; `None` for immediately.
    pub(super) next_attempt: Option<Timestamp>,
    /// Whether it has left the order.
    pub(super) set_aside: bool,
}

impl Candidate {
    fn due_at(&self) -> Timestamp {
        self.next_attempt.unwrap_or_default()
    }
}

/// When something is due. Times too far away count as due: a clock that had jumped forward has left them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Now.
    pub(super) now: Timestamp,
    /// No delivery waits until after this time.
    pub(super) last_wait: Timestamp,
    /// No lease ends after this time.
    pub(super) last_lease: Timestamp,
}

impl Due {
    /// For leases of this length.
    pub(super) fn new(now: Timestamp, lease_for: Duration) -> Self {
        Self {
            now,
            last_wait: now + LONGEST_WAIT,
            last_lease: now + lease_for + LONGEST_LEASE,
        }
    }

    fn has_come(&self, candidate: &Candidate) -> bool {
        let (at, last) = match candidate.leased_until {
            Some(until) => (until, self.last_lease),
            None => (candidate.due_at(), self.last_wait),
        };
        at <= self.now || at > last
    }
}

/// The candidate of a target whose turn it is, due or not. One is in flight; else one that was set aside and is due goes
/// before the oldest one in the order.
fn turn(candidates: &[Candidate], due: &Due) -> Option<Candidate> {
    let find = |wanted: &dyn Fn(&&Candidate) -> bool| candidates.iter().find(wanted).copied();
    find(&|one| one.leased_until.is_some())
        .or_else(|| find(&|one| one.set_aside && due.has_come(one)))
        .or_else(|| find(&|one| !one.set_aside))
}

/// The deliveries to lease now, one for each target, in order: those that have waited longest first. The candidates of a
/// target are adjacent: what a sender has, the oldest in the order, and the oldest due one that was set aside.
pub(super) fn to_lease(candidates: &[Candidate], due: &Due, limit: usize) -> Vec<DeliveryId> {
    let mut chosen: Vec<Candidate> = by_target(candidates)
        .filter_map(|of_target| turn(of_target, due))
        .filter(|candidate| due.has_come(candidate))
        .collect();
    chosen.sort_by_key(|candidate| (candidate.due_at(), candidate.id));
    chosen.truncate(limit);
    chosen.iter().map(|candidate| candidate.id).collect()
}

/// When [`to_lease`] next has something; `None` if nothing waits. The candidates of a target are adjacent: what a sender
/// has, the oldest in the order, and the first due one that was set aside.
pub(super) fn next_lease(candidates: &[Candidate]) -> Option<Timestamp> {
    by_target(candidates)
        .filter_map(|of_target| {
            let leased = of_target.iter().find_map(|one| one.leased_until);
            leased.or_else(|| of_target.iter().map(Candidate::due_at).min())
        })
        .min()
}

fn by_target(candidates: &[Candidate]) -> impl Iterator<Item = &[Candidate]> {
    candidates.chunk_by(|one, next| one.target == next.target)
}

/// No digest is planned after this time; one that is counts as due, like a delivery.
pub(super) fn last_digest(now: Timestamp) -> Timestamp {
    now + LONGEST_DIGEST_WAIT
}

/// What an event says about whether the recovery of its feed must be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// The feed was reported as failing or gone: its recovery must be reported.
    Owed,
    /// It has been reported.
    Reported,
}

/// What an event changes about the recovery that its feed owes; `None` for nothing.
pub(super) fn recovery(kind: EventKind) -> Option<Recovery> {
    match kind {
        EventKind::FeedFailing | EventKind::FeedGone => Some(Recovery::Owed),
        EventKind::FeedRecovered => Some(Recovery::Reported),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
