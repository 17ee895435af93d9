//! Whether an article is still there, according to the checks of its page; and which checks need a confirmation.
//!
//! What a check saw is a [`Sight`]; what earlier checks have begun and no check has settled is a [`PageLife`].
//! [`judge`] combines the two. There are three rules, each against a mistake of other watchers (a deletion reported
//! because of one error, a deletion never reported, a login wall stored as the text):
//!
//! - *Removed* is reported after several checks over some hours that found the article missing. A check that failed
//!   or saw a wall says nothing either way: it neither counts nor ends the series.
//! - A text that has lost most of its content is *held*: it is unconfirmed, and the page is checked again soon. If
//!   the second check confirms it, the change was made before the first one. If not, nothing is reported.
//! - Nothing stays unconfirmed forever: if every check sees another doubtful text, the third one is believed.

use std::time::Duration;

use super::event::Window;
use super::fingerprint::Fingerprint;
use crate::time::Timestamp;

pub mod doubt;
pub mod leaving;
pub mod reason;
pub mod redirect;
pub mod stand_in;

pub use doubt::Doubt;
pub use reason::Reason;

/// A doubtful text is believed at this check, although no two checks saw the same one.
const BELIEVED_AT: u32 = 3;

/// When an article counts as removed, and how soon a check is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeRule {
    /// How many checks in a row have to find it missing, at least one.
    pub checks: u32,
    /// The minimum time from the first to the last of them.
    pub after: Duration,
    /// How soon a check that needs confirmation is repeated; zero believes every check.
    pub confirm: Duration,
}

/// What the checks so far have begun.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageLife {
    /// Whether the article was reported as removed.
    pub removed: bool,
    /// The checks that found the article missing, since the last one that found it.
    pub missing: Option<Missing>,
    /// A text that is still unconfirmed.
    pub held: Option<Held>,
    /// How many unconfirmed texts were not confirmed by a second check.
    pub unconfirmed: u32,
}

/// Checks that found the article missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The first of them.
    pub since: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// How many.
    pub looks: u32,
    /// Failed checks before the first of them and after the last one that found the article.
    pub failed_before: u32,
    /// Failed checks after the last of them.
    pub failed_since: u32,
}

/// A text for which one check is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The check that saw the first such text.
    pub since: Timestamp,
    /// How many checks saw such a text.
    pub looks: u32,
    /// Failed checks before the first of them and after the last one that found the article unchanged.
    pub failed_before: u32,
    /// The fingerprint of the page that the last of them saw.
    pub print: Fingerprint,
}

/// What is known about the checks of the page so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// The last check that found the article; `None` if none has.
    pub ok: Option<Timestamp>,
    /// Checks since then, all of them failed.
    pub failures: u32,
}

/// What a check saw of the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// The article, unchanged or with an edit for which one check is enough.
    There,
    /// The article with a text for which one check is not enough; the fingerprint is the page's.
    Doubtful(Fingerprint),
    /// A document without text whose bytes differ at every check. It is believed if two checks in a row see the
    /// same. The fingerprint is the page's.
    Restless(Fingerprint),
    /// The article is not there: 404, 410, a page that says so, a redirect to a front page.
    Missing,
    /// Nothing of the article: a wall, an error, no response.
    Unclear,
}

/// What follows from a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeStep {
    /// The page is taken as the text of the article.
    Read {
        /// The checks that saw it unconfirmed, if this check confirms it.
        confirmed: Option<Held>,
        /// The checks between which a removed article came back, if it did.
        restored: Option<Window>,
    },
    /// What the page shows is unconfirmed.
    Held,
    /// The page is there; what it shows now is only counted.
    Counted,
    /// The article is missing, and this is not reported: not yet, not again, or because it was never there.
    Missed,
    /// The article is removed; this is reported now, once. The window names the checks between which it
    /// disappeared.
    Removed(Window),
    /// The check says nothing.
    Nothing,
}

/// The decision about a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeVerdict {
    /// What is remembered from now on.
    pub life: PageLife,
    /// What follows.
    pub step: LifeStep,
    /// The page has to be checked again after this time at the latest; `None` leaves it to the article clock.
    pub again: Option<Duration>,
}

/// Decides what a check at `now` means.
#[must_use]
pub fn judge(
    known: &PageLife,
    looks: Looks,
    sight: Sight,
    rule: &LifeRule,
    now: Timestamp,
) -> LifeVerdict {
    match sight {
        Sight::There => there(known, now),
        Sight::Doubtful(print) => doubtful(known, looks, print, rule, now),
        Sight::Restless(print) => restless(known, looks, print, now),
        Sight::Missing => missing(known, looks, rule, now),
        Sight::Unclear => unclear(known, rule),
    }
}

fn there(known: &PageLife, now: Timestamp) -> LifeVerdict {
    let unconfirmed = known.unconfirmed + u32::from(known.held.is_some());
    read(known, None, unconfirmed, now)
}

fn doubtful(
    known: &PageLife,
    looks: Looks,
    print: Fingerprint,
    rule: &LifeRule,
    now: Timestamp,
) -> LifeVerdict {
    let held = held(known, looks, print, now);
    let confirmed = known.held.is_some_and(|held| held.print == print);
    if confirmed || held.looks >= BELIEVED_AT || rule.confirm.is_zero() {
        return read(known, known.held, known.unconfirmed, now);
    }
    LifeVerdict {
        life: PageLife {
            held: Some(Held { print, ..held }),
            ..known.clone()
        },
        step: LifeStep::Held,
        again: Some(rule.confirm),
    }
}

fn restless(known: &PageLife, looks: Looks, print: Fingerprint, now: Timestamp) -> LifeVerdict {
    let held = held(known, looks, print, now);
    if known.held.is_some_and(|held| held.print == print) {
        return read(known, known.held, known.unconfirmed, now);
    }
    LifeVerdict {
        life: PageLife {
            held: Some(Held { print, ..held }),
            ..known.clone()
        },
        step: LifeStep::Counted,
        again: None,
    }
}

/// The series of checks that saw an unconfirmed text, including this one.
fn held(known: &PageLife, looks: Looks, print: Fingerprint, now: Timestamp) -> Held {
    match known.held {
        Some(held) => Held {
            looks: held.looks.saturating_add(1),
            ..held
        },
        None => Held {
            since: now,
            looks: 1,
            failed_before: looks.failures,
            print,
        },
    }
}

fn read(
    known: &PageLife,
    confirmed: Option<Held>,
    unconfirmed: u32,
    now: Timestamp,
) -> LifeVerdict {
    let restored = known.missing.filter(|_| known.removed).map(|missing| {
        let failed_checks = missing.failed_since;
        // If the clock was set back, stored times may be in the future.
        let since = confirmed.map(|held| held.since.min(now));
        let first_changed = since.filter(|at| *at > missing.last).unwrap_or(now);
        Window {
            last_unchanged: missing.last.min(first_changed),
            first_changed,
            checks: failed_checks.saturating_add(1),
            failed_checks,
        }
    });
    LifeVerdict {
        life: PageLife {
            unconfirmed,
            ..PageLife::default()
        },
        step: LifeStep::Read {
            confirmed,
            restored,
        },
        again: None,
    }
}

fn missing(known: &PageLife, looks: Looks, rule: &LifeRule, now: Timestamp) -> LifeVerdict {
    let missing = match known.missing {
        Some(missing) => Missing {
            // If the clock was set back, the series must not become longer than it is.
            since: missing.since.min(now),
            last: now,
            looks: missing.looks.saturating_add(1),
            failed_since: 0,
            ..missing
        },
        None => Missing {
            since: now,
            last: now,
            looks: 1,
            failed_before: looks.failures,
            failed_since: 0,
        },
    };
    let mut life = PageLife {
        missing: Some(missing),
        ..known.clone()
    };
    let enough = missing.looks >= rule.checks && now.since(missing.since) >= rule.after;
    let (step, again) = match looks.ok {
        // An article that was never there was not taken down.
        None => (LifeStep::Missed, None),
        Some(_) if known.removed => (LifeStep::Missed, None),
        Some(ok) if enough => {
            life.removed = true;
            let failed_checks = missing.failed_before;
            let window = Window {
                last_unchanged: ok.min(missing.since),
                first_changed: missing.since,
                checks: failed_checks.saturating_add(1),
                failed_checks,
            };
            (LifeStep::Removed(window), None)
        }
        Some(_) => {
            let again = next_of_row(missing.looks, missing.since, rule, now);
            (LifeStep::Missed, Some(again))
        }
    };
    LifeVerdict { life, step, again }
}

/// When to check again in a series of `looks` that found something missing, the first at `since`. The second check
/// comes soon; the remaining checks are spread over the remaining time.
#[must_use]
pub fn next_of_row(looks: u32, since: Timestamp, rule: &LifeRule, now: Timestamp) -> Duration {
    if looks < 2 {
        return rule.confirm;
    }
    let time_left = rule.after.saturating_sub(now.since(since));
    let looks_left = rule.checks.saturating_sub(looks).max(1);
    (time_left / looks_left).max(rule.confirm)
}

fn unclear(known: &PageLife, rule: &LifeRule) -> LifeVerdict {
    let missing = known.missing.map(|missing| Missing {
        failed_since: missing.failed_since.saturating_add(1),
        ..missing
    });
    LifeVerdict {
        life: PageLife {
            missing,
            ..known.clone()
        },
        step: LifeStep::Nothing,
        // A text that waits for confirmation must not wait for the pauses of a failing page.
        again: known.held.map(|_| rule.confirm.saturating_mul(3)),
    }
}

#[cfg(test)]
mod tests;
