//! Whether an article is still there, as far as looks at its page tell; and which looks are not believed by themselves.
//!
//! What a look saw is a [`Sight`]; what earlier looks have begun and no look has settled is a [`PageLife`]. [`judge`]
//! puts the two together. Three rules, after what other watchers get wrong (a deletion told for one error, a deletion
//! never told, a login wall stored as the text):
//!
//! - *Removed* is told after several looks over some hours that found the article missing. A look that failed, or that
//!   saw a wall, says nothing either way: it neither counts nor ends the row.
//! - A text of which most is gone is *held* at its first sight and looked at again soon. The second look confirms it,
//!   and then the change was made before the first one; or it does not, and then nothing is told.
//! - Nothing is held for ever: a page that shows another doubtful text at every look is believed at the third.

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

/// A doubtful text is believed at this look, although no two looks saw the same one.
const BELIEVED_AT: u32 = 3;

/// When an article counts as removed, and how soon a look is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Looks in a row that have to find it missing, at least one.
    pub checks: u32,
    /// From the first to the last of them.
    pub after: Duration,
    /// How soon a look that is not believed is repeated; zero believes every look.
    pub confirm: Duration,
}

/// What the looks so far have begun.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageLife {
    /// Whether the article was told to be removed.
    pub removed: bool,
    /// The looks that found the article missing, since one has last found it.
    pub missing: Option<Missing>,
    /// A text that no second look has confirmed yet.
    pub held: Option<Held>,
    /// How many texts were held that a second look did not confirm.
    pub unconfirmed: u32,
}

/// Looks that found the article missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The first of them.
    pub since: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// How many.
    pub looks: u32,
    /// Looks before the first that failed, after the last that found the article.
    pub failed_before: u32,
    /// Looks after the last that failed.
    pub failed_since: u32,
}

/// A text that one look is not believed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The look that saw the first text of the kind.
    pub since: Timestamp,
    /// Looks that saw such a text.
    pub looks: u32,
    /// Looks before the first that failed, after the last that found the article as it was.
    pub failed_before: u32,
    /// Of the page that the last of them saw.
    pub print: Fingerprint,
}

/// What is known of the looks at the page so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// The last look that found the article; `None` while none has.
    pub ok: Option<Timestamp>,
    /// Looks since, all of them failed.
    pub failures: u32,
}

/// What a look saw of the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// The article, as it was or with an edit that one look is enough for.
    There,
    /// The article with a text that one look is not enough for; the fingerprint is the page's.
    Doubtful(Fingerprint),
    /// A document without a text that is another one at every look: believed when two looks in a row see the same. The
    /// fingerprint is the page's.
    Restless(Fingerprint),
    /// That it is not there: 404, 410, a page that says so, a redirect to a front page.
    Missing,
    /// Nothing of the article: a wall, an error, no answer.
    Unclear,
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What the page shows is taken as what the article says.
    Read {
        /// The looks by which it was held before, when it was and this look confirms it.
        confirmed: Option<Held>,
        /// Between which looks a removed article came back, when it did.
        restored: Option<Window>,
    },
    /// What the page shows is kept aside.
    Held,
    /// The page is there, and what it shows now is only counted.
    Counted,
    /// The article is missing, and that is not told: not yet, not again, or it was never there.
    Missed,
    /// The article is removed: told now, once. The window says between which looks it went.
    Removed(Window),
    /// The look says nothing.
    Nothing,
}

/// The decision on a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is remembered from now on.
    pub life: PageLife,
    /// What follows.
    pub step: Step,
    /// The page is to be looked at again after this time at the latest; `None` leaves it to the article clock.
    pub again: Option<Duration>,
}

/// Decides what a look at `now` means.
#[must_use]
pub fn judge(known: &PageLife, looks: Looks, sight: Sight, rule: &Rule, now: Timestamp) -> Verdict {
    match sight {
        Sight::There => there(known, now),
        Sight::Doubtful(print) => doubtful(known, looks, print, rule, now),
        Sight::Restless(print) => restless(known, looks, print, now),
        Sight::Missing => missing(known, looks, rule, now),
        Sight::Unclear => unclear(known, rule),
    }
}

fn there(known: &PageLife, now: Timestamp) -> Verdict {
    let unconfirmed = known.unconfirmed + u32::from(known.held.is_some());
    read(known, None, unconfirmed, now)
}

fn doubtful(
    known: &PageLife,
    looks: Looks,
    print: Fingerprint,
    rule: &Rule,
    now: Timestamp,
) -> Verdict {
    let held = held(known, looks, print, now);
    let confirmed = known.held.is_some_and(|held| held.print == print);
    if confirmed || held.looks >= BELIEVED_AT || rule.confirm.is_zero() {
        return read(known, known.held, known.unconfirmed, now);
    }
    Verdict {
        life: PageLife {
            held: Some(Held { print, ..held }),
            ..known.clone()
        },
        step: Step::Held,
        again: Some(rule.confirm),
    }
}

fn restless(known: &PageLife, looks: Looks, print: Fingerprint, now: Timestamp) -> Verdict {
    let held = held(known, looks, print, now);
    if known.held.is_some_and(|held| held.print == print) {
        return read(known, known.held, known.unconfirmed, now);
    }
    Verdict {
        life: PageLife {
            held: Some(Held { print, ..held }),
            ..known.clone()
        },
        step: Step::Counted,
        again: None,
    }
}

/// The row of looks that saw what is not believed, with this one.
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

fn read(known: &PageLife, confirmed: Option<Held>, unconfirmed: u32, now: Timestamp) -> Verdict {
    let restored = known.missing.filter(|_| known.removed).map(|missing| {
        let failed_checks = missing.failed_since;
        // A clock that was put back leaves moments behind that lie ahead.
        let since = confirmed.map(|held| held.since.min(now));
        let first_changed = since.filter(|at| *at > missing.last).unwrap_or(now);
        Window {
            last_unchanged: missing.last.min(first_changed),
            first_changed,
            checks: failed_checks.saturating_add(1),
            failed_checks,
        }
    });
    Verdict {
        life: PageLife {
            unconfirmed,
            ..PageLife::default()
        },
        step: Step::Read {
            confirmed,
            restored,
        },
        again: None,
    }
}

fn missing(known: &PageLife, looks: Looks, rule: &Rule, now: Timestamp) -> Verdict {
    let missing = match known.missing {
        Some(missing) => Missing {
            // A clock that was put back must not make the row longer than it is.
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
        // What was never there was not taken down.
        None => (Step::Missed, None),
        Some(_) if known.removed => (Step::Missed, None),
        Some(ok) if enough => {
            life.removed = true;
            let failed_checks = missing.failed_before;
            let window = Window {
                last_unchanged: ok.min(missing.since),
                first_changed: missing.since,
                checks: failed_checks.saturating_add(1),
                failed_checks,
            };
            (Step::Removed(window), None)
        }
        Some(_) => {
            let again = next_of_row(missing.looks, missing.since, rule, now);
            (Step::Missed, Some(again))
        }
    };
    Verdict { life, step, again }
}

/// When to look again in a row of `looks` that found something missing `since` then. The second look comes soon; those
/// that are left are spread over the time that is left.
#[must_use]
pub fn next_of_row(looks: u32, since: Timestamp, rule: &Rule, now: Timestamp) -> Duration {
    if looks < 2 {
        return rule.confirm;
    }
    let time_left = rule.after.saturating_sub(now.since(since));
    let looks_left = rule.checks.saturating_sub(looks).max(1);
    (time_left / looks_left).max(rule.confirm)
}

fn unclear(known: &PageLife, rule: &Rule) -> Verdict {
    let missing = known.missing.map(|missing| Missing {
        failed_since: missing.failed_since.saturating_add(1),
        ..missing
    });
    Verdict {
        life: PageLife {
            missing,
            ..known.clone()
        },
        step: Step::Nothing,
        // What waits for a second look is not to wait for the pauses of a page that fails.
        again: known.held.map(|_| rule.confirm.saturating_mul(3)),
    }
}

#[cfg(test)]
mod tests;
