//! How often a feed has something new.

use std::time::Duration;

use crate::domain::article_clock::is_of_the_web;
use crate::time::Timestamp;

/// The recent past: miniflux also counts the entries of a week.
const WEEK: Duration = Duration::from_hours(24 * 7);

/// Polls per expected entry. Miniflux uses one, but an edit tracker wants to see the first text.
const LOOKS: u32 = 4;

/// How often a feed has something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// The usual time between two entries.
    pub gap: Duration,
    /// When the newest entry was published.
    pub newest: Timestamp,
}

impl Rhythm {
    /// The rhythm of entries published at these times. Times after `now`, or from before the web existed, do not
    /// count. `None` if none are left.
    #[must_use]
    pub fn of(published: impl IntoIterator<Item = Timestamp>, now: Timestamp) -> Option<Self> {
        let (mut newest, mut oldest) = (None, now);
        let (mut recent, mut older) = (0_u32, false);
        let credible = |at: &Timestamp| *at <= now && is_of_the_web(*at);
        for at in published.into_iter().filter(credible) {
            newest = newest.max(Some(at));
            if now.since(at) < WEEK {
                recent += 1;
                oldest = oldest.min(at);
            } else {
                older = true;
            }
        }
        // A feed that only lists the entries of a day says nothing about the week.
        let span = if older { WEEK } else { now.since(oldest) };
        let gap = if recent == 0 { WEEK } else { span / recent };
        Some(Self {
            gap,
            newest: newest?,
        })
    }

    /// The interval between polls: a quarter of the usual time between two entries, or of the time since the last
    /// one, so that a feed that falls silent is polled less and less often.
    #[must_use]
    pub fn interval(&self, now: Timestamp) -> Duration {
        self.gap.max(now.since(self.newest)) / LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_800_000_000)
    }

    fn of(hours_ago: &[u64]) -> Option<(u64, u64)> {
        let at = |hours: &u64| now() - Duration::from_hours(*hours);
        let rhythm = Rhythm::of(hours_ago.iter().map(at), now())?;
        let hours = |wait: Duration| wait.as_secs() / 3600;
        Some((hours(rhythm.gap), hours(now().since(rhythm.newest))))
    }

    #[test]
    fn entries_of_the_last_week_are_counted() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), Some((1, 1)));
        assert_eq!(of(&[10, 30, 400, 500]), Some((84, 10)));
        assert_eq!(of(&[400, 500]), Some((168, 400)));
        assert_eq!(of(&[0]), Some((0, 0)));
    }

    #[test]
    fn the_first_moment_of_a_calendar_does_not_count() {
        let (epoch, first) = (
            Timestamp::from_unix(0),
            Timestamp::from_unix(-62_135_596_800),
        );
        assert_eq!(Rhythm::of([epoch, first], now()), None);
        let hour = now() - Duration::from_hours(1);
        assert_eq!(Rhythm::of([epoch, hour], now()), Rhythm::of([hour], now()));
    }

    #[test]
    fn what_is_dated_ahead_does_not_count() {
        let ahead = [now() + Duration::from_hours(5)];
        assert_eq!(Rhythm::of(ahead, now()), None);
    }
}
