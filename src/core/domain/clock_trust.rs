//! Whether to trust the clock before anything is deleted by age. A clock that is ten years ahead makes everything
//! look old, and correcting it later does not bring back what was deleted.
//!
//! The witnesses are servers: HTTP responses have their time in the `Date` header (RFC 9110 §6.6.1).

use std::fmt;
use std::time::Duration;

use chrono::DateTime;

use crate::time::Timestamp;

/// How many of the newest responses are checked.
pub const WITNESSES: usize = 200;

/// Only responses of this period are witnesses.
const RECENT: Duration = Duration::from_hours(7 * 24);

/// Smaller offsets do not matter: retention is in days.
const TOLERANCE: Duration = Duration::from_hours(24);

/// A response of a server: when it was complete by our clock, and its `Date` header as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// By our clock.
    pub ours: Timestamp,
    /// By the server's clock; `None` if it does not send one.
    pub theirs: Option<String>,
}

/// Why the clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockDoubt {
    /// No response of the last week is stored; this is the time of the newest.
    NoWitness(Timestamp),
    /// The clocks of all servers differ from ours; the closest one by this much.
    Contradicted(Duration),
}

impl fmt::Display for ClockDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWitness(newest) => write!(
                f,
                "no response of the last week confirms the clock; the newest is from {newest}"
            ),
            Self::Contradicted(apart) => write!(
                f,
                "the clock differs from those of the servers by {} days",
                apart.as_secs() / 86_400
            ),
        }
    }
}

/// The doubt about a clock that shows `now`. There is none if no response was ever stored. One server that agrees
/// is enough: others may be wrong or send cached responses.
#[must_use]
pub fn doubt(now: Timestamp, answers: &[Witness]) -> Option<ClockDoubt> {
    let newest = answers.iter().map(|answer| answer.ours).max()?;
    let recent = answers
        .iter()
        .filter(|answer| now.apart(answer.ours) <= RECENT);
    let mut any = false;
    let mut nearest: Option<Duration> = None;
    for answer in recent {
        any = true;
        let theirs = answer.theirs.as_deref();
        let Some(Ok(date)) = theirs.map(DateTime::parse_from_rfc2822) else {
            continue;
        };
        let off = Timestamp::from(date).apart(answer.ours);
        nearest = Some(nearest.map_or(off, |known| known.min(off)));
    }
    match nearest {
        _ if !any => Some(ClockDoubt::NoWitness(newest)),
        Some(off) if off > TOLERANCE => Some(ClockDoubt::Contradicted(off)),
        // Servers that send no date say nothing about the clock.
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn witness(ours: &str, theirs: Option<&str>) -> Witness {
        Witness {
            ours: at(ours),
            theirs: theirs.map(str::to_owned),
        }
    }

    #[test]
    fn a_clock_is_believed_when_a_server_agrees_and_nothing_else_can_be_asked() {
        let right = || {
            witness(
                "2026-11-24T10:00:00Z",
                Some("Tue, 24 Nov 2026 09:59:59 GMT"),
            )
        };
        let cached = || {
            witness(
                "2026-11-24T10:00:00Z",
                Some("Tue, 03 Nov 2026 09:59:59 GMT"),
            )
        };
        let silent = || witness("2026-11-24T10:00:00Z", None);
        let rubbish = || witness("2026-11-24T10:00:00Z", Some("yesterday"));
        let leapt = || {
            witness(
                "2036-11-24T10:00:00Z",
                Some("Wed, 25 Nov 2026 09:59:59 GMT"),
            )
        };
        let (now, ahead) = ("2026-11-25T12:00:00Z", "2036-11-25T12:00:00Z");
        let never = Some(ClockDoubt::NoWitness(at("2026-11-24T10:00:00Z")));
        let off = |days: u64| Some(ClockDoubt::Contradicted(Duration::from_hours(24 * days)));
        for (name, now, answers, says) in [
            ("nothing was stored", ahead, vec![], None),
            ("a server agrees", now, vec![right()], None),
            ("one of several agrees", now, vec![cached(), right()], None),
            (
                "no server tells the time",
                now,
                vec![silent(), rubbish()],
                None,
            ),
            (
                "the clock leapt, and nothing came since",
                ahead,
                vec![right()],
                never,
            ),
            (
                "the clock leapt, and answers came since",
                ahead,
                vec![leapt(), right()],
                off(3652),
            ),
            ("the clock came back", now, vec![leapt(), right()], None),
            ("only caches", now, vec![cached()], off(21)),
        ] {
            let found = doubt(at(now), &answers);
            let whole_days = |doubt| match doubt {
                ClockDoubt::Contradicted(by) => {
                    ClockDoubt::Contradicted(Duration::from_hours(by.as_secs() / 86_400 * 24))
                }
                ClockDoubt::NoWitness(_) => doubt,
            };
            assert_eq!(found.map(whole_days), says, "{name}");
        }
    }
}
