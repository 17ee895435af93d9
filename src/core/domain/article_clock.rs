//! When an article page is checked again.
//!
//! Most edits come soon after publication, so the interval grows with the time since publication or the last
//! change, and in the end the checks stop. They continue after the entry has left its feed.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::lengthened;
use crate::time::Timestamp;

/// The longest time before its first sight at which an article can have been published, for the clock: a wrong date
/// must not stop a page from being checked, and an old article that a feed lists again is worth a check from time
/// to time.
const OLDEST_AT_FIRST_SIGHT: Duration = Duration::from_hours(24 * 30);

/// Checks are spread by up to this share of their interval. Jitter only lengthens the interval, so the ladder still
/// limits the number of checks.
const JITTER_SHARE: f64 = 0.05;

/// One step of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LadderStep {
    /// The step applies below this age.
    pub below: Duration,
    /// How long to wait between two checks.
    pub interval: Duration,
}

/// How often a page is checked at which age; after the last step it is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// The name in the configuration, if it is one of ours.
    name: Option<&'static str>,
    steps: Arc<[LadderStep]>,
}

/// An invalid ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// There are no steps.
    #[error(
        "the list is empty; to check no pages on a schedule, set fetch = \"changed\" or \"off\""
    )]
    Empty,
    /// The ages do not increase.
    #[error("ages must grow from step to step")]
    AgesDoNotGrow,
    /// An interval is below a minute.
    #[error("the interval must be at least \"1m\"")]
    IntervalTooShort,
    /// There are more than a hundred steps.
    #[error("more than 100 steps")]
    TooManySteps,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The named ladders, as pairs of (below this age, interval) in seconds.
const NAMED: [(&str, &[(u64, u64)]); 3] = [
    // Design §3. At most 189 checks for an article that never changes.
    (
        "news",
        &[
            (HOUR, 5 * MINUTE),
            (6 * HOUR, 10 * MINUTE),
            (DAY, 30 * MINUTE),
            (3 * DAY, 2 * HOUR),
            (7 * DAY, 6 * HOUR),
            (30 * DAY, DAY),
            (365 * DAY, 7 * DAY),
        ],
    ),
    // For many feeds, or sites that count requests.
    (
        "light",
        &[
            (6 * HOUR, HOUR),
            (DAY, 4 * HOUR),
            (7 * DAY, DAY),
            (30 * DAY, 7 * DAY),
        ],
    ),
    // Advisories are still revised after weeks and years.
    (
        "advisory",
        &[
            (DAY, 2 * HOUR),
            (7 * DAY, 6 * HOUR),
            (90 * DAY, DAY),
            (2 * 365 * DAY, 7 * DAY),
            (5 * 365 * DAY, 30 * DAY),
        ],
    ),
];

impl Ladder {
    /// The names that [`Ladder::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// `news`, `light` or `advisory`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let found = NAMED.iter().find(|(known, _)| *known == name);
        found.map(|(name, steps)| Self::ours(name, steps))
    }

    /// The ladder of design §3.
    #[must_use]
    pub fn news() -> Self {
        let (name, steps) = NAMED[0];
        Self::ours(name, steps)
    }

    fn ours(name: &'static str, steps: &[(u64, u64)]) -> Self {
        let step = |(below, interval): &(u64, u64)| LadderStep {
            below: Duration::from_secs(*below),
            interval: Duration::from_secs(*interval),
        };
        Self {
            name: Some(name),
            steps: steps.iter().map(step).collect(),
        }
    }

    /// A ladder from pairs of age and interval.
    pub fn from_steps(steps: Vec<LadderStep>) -> Result<Self, LadderError> {
        if steps.is_empty() {
            return Err(LadderError::Empty);
        }
        if steps.len() > 100 {
            return Err(LadderError::TooManySteps);
        }
        let mut before = Duration::ZERO;
        for step in &steps {
            if step.below <= before {
                return Err(LadderError::AgesDoNotGrow);
            }
            if step.interval < Duration::from_mins(1) {
                return Err(LadderError::IntervalTooShort);
            }
            before = step.below;
        }
        Ok(Self {
            name: None,
            steps: steps.into(),
        })
    }

    /// The name in the configuration, if it is one of ours.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// The steps, by age.
    #[must_use]
    pub fn steps(&self) -> &[LadderStep] {
        &self.steps
    }

    /// The interval at an age; `None` after the checks have stopped.
    #[must_use]
    pub fn interval_at(&self, age: Duration) -> Option<Duration> {
        let step = self.steps.iter().find(|step| age < step.below)?;
        Some(step.interval)
    }

    /// The age at which the checks stop.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.steps.last().map_or(Duration::ZERO, |step| step.below)
    }
}

/// Whether an article can have been published at that time: there was no web before 1990. Publishers' software
/// writes the start of its calendar (1970, 1904, the year 1) if it knows no date.
#[must_use]
pub fn is_of_the_web(published: Timestamp) -> bool {
    const FIRST_OF_1990: i64 = 631_152_000;
    published.as_unix() >= FIRST_OF_1990
}

/// The time from which an article's age is counted: the later of its publication and its last change.
///
/// The claimed publication date is used only if it is between thirty days before first sight and first sight
/// itself; a date before the web existed is ignored.
#[must_use]
pub fn anchor(
    published: Option<Timestamp>,
    first_seen: Timestamp,
    last_change: Option<Timestamp>,
) -> Timestamp {
    let credible = published.filter(|claimed| is_of_the_web(*claimed));
    let published = credible.map_or(first_seen, |claimed| {
        claimed.clamp(first_seen - OLDEST_AT_FIRST_SIGHT, first_seen)
    });
    last_change.map_or(published, |change| change.max(published))
}

/// When a page that was checked at `now` is checked next; `None` if the checks have stopped. `jitter` in 0–1
/// lengthens the interval by up to a twentieth. If the clock was set back and `anchor` is in the future, the age is
/// zero.
#[must_use]
pub fn next_check(
    ladder: &Ladder,
    anchor: Timestamp,
    now: Timestamp,
    jitter: f64,
) -> Option<Timestamp> {
    let interval = ladder.interval_at(now.since(anchor))?;
    let next = now + lengthened(interval, JITTER_SHARE, jitter);
    // At the end of time, a clamped sum would not be in the future.
    (next > now && next.since(anchor) < ladder.end()).then_some(next)
}

/// How overdue a page is, in units of its own interval: 1 if it is just due. A page that was never checked counts
/// as one on the first step of the ladder, since only its first text can be missed.
#[must_use]
pub fn overdue(checked: Option<Timestamp>, due: Timestamp, now: Timestamp) -> f64 {
    const FIRST: Duration = Duration::from_mins(5);
    let (since, interval) = match checked {
        Some(checked) => (now.since(checked), due.since(checked)),
        None => (FIRST + now.since(due), FIRST),
    };
    since.as_secs_f64() / interval.max(Duration::from_secs(1)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(days: u64) -> Duration {
        Duration::from_secs(days * DAY)
    }

    fn checks(ladder: &Ladder, jitter: impl Fn(usize) -> f64) -> usize {
        let published = Timestamp::from_unix(1_790_000_000);
        let (mut now, mut count) = (published, 0);
        while let Some(next) = next_check(ladder, published, now, jitter(count)) {
            assert!(next > now);
            now = next;
            count += 1;
        }
        assert!(now.since(published) < ladder.end());
        count
    }

    #[test]
    fn unchanged_article_costs_at_most_190_checks() {
        let news = Ladder::named("news").unwrap();
        assert_eq!(checks(&news, |_| 0.0), 188);
        assert!(checks(&news, |_| 1.0) <= 188);
        assert!(checks(&news, |count| (count % 7) as f64 / 6.0) <= 188);
        assert!(checks(&Ladder::named("light").unwrap(), |_| 0.0) < 25);
    }

    #[test]
    fn interval_grows_with_age() {
        let news = Ladder::named("news").unwrap();
        for (age, interval) in [
            (0, Some(5 * MINUTE)),
            (HOUR - 1, Some(5 * MINUTE)),
            (HOUR, Some(10 * MINUTE)),
            (6 * HOUR, Some(30 * MINUTE)),
            (DAY, Some(2 * HOUR)),
            (3 * DAY, Some(6 * HOUR)),
            (7 * DAY, Some(DAY)),
            (30 * DAY, Some(7 * DAY)),
            (365 * DAY, None),
        ] {
            assert_eq!(
                news.interval_at(Duration::from_secs(age)),
                interval.map(Duration::from_secs),
                "{age}"
            );
        }
    }

    #[test]
    fn claimed_dates_cannot_break_the_clock() {
        let seen = Timestamp::from_unix(1_790_000_000);
        assert_eq!(anchor(None, seen, None), seen);
        assert_eq!(anchor(Some(seen + day(400)), seen, None), seen);
        assert_eq!(anchor(Some(seen - day(2)), seen, None), seen - day(2));
        assert_eq!(anchor(Some(seen - day(400)), seen, None), seen - day(30));
        assert_eq!(anchor(Some(Timestamp::from_unix(0)), seen, None), seen);
        let changed = seen + day(90);
        assert_eq!(
            anchor(Some(seen + day(400)), seen, Some(changed)),
            changed,
            "a change starts the clock anew"
        );
    }

    #[test]
    fn senseless_ladders_are_refused() {
        let step = |below, interval| LadderStep {
            below: Duration::from_secs(below),
            interval: Duration::from_secs(interval),
        };
        for (steps, error) in [
            (vec![], LadderError::Empty),
            (
                vec![step(DAY, HOUR), step(DAY, HOUR)],
                LadderError::AgesDoNotGrow,
            ),
            (vec![step(0, HOUR)], LadderError::AgesDoNotGrow),
            (vec![step(DAY, 59)], LadderError::IntervalTooShort),
        ] {
            assert_eq!(Ladder::from_steps(steps), Err(error));
        }
        assert!(Ladder::named("hourly").is_none());
    }

    proptest! {
        #[test]
        fn next_check_is_ahead_and_within_bounds(
            anchor_ms in any::<i64>(),
            now_ms in any::<i64>(),
            jitter in any::<f64>(),
        ) {
            let (anchor, now) = (Timestamp::from_millis(anchor_ms), Timestamp::from_millis(now_ms));
            for name in Ladder::names() {
                let ladder = Ladder::named(name).unwrap();
                if let Some(next) = next_check(&ladder, anchor, now, jitter) {
                    prop_assert!(next > now);
                    let interval = ladder.interval_at(now.since(anchor)).unwrap();
                    prop_assert!(next.since(now) <= interval.mul_f64(1.06));
                }
            }
        }

        #[test]
        fn any_ladder_ends(steps in proptest::collection::vec((1_u64..100_000, 60_u64..100_000), 1..6), jitter in 0.0..1.0) {
            let mut below = 0;
            let steps = steps.iter().map(|(age, interval)| {
                below += age;
                LadderStep { below: Duration::from_secs(below), interval: Duration::from_secs(*interval) }
            });
            let ladder = Ladder::from_steps(steps.collect()).unwrap();
            let most = usize::try_from(below / 60 + 1).unwrap();
            prop_assert!(checks(&ladder, |_| jitter) <= most);
        }
    }
}
