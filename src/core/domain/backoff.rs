//! Delays after failures.

use std::time::Duration;

/// The longest delay between two attempts to check a failing feed or page.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// The delay before a feed is polled again after `failures` failures in a row: `every`, then twice that, and so on
/// up to [`LONGEST_PAUSE`] (or `every`, if that is longer).
#[must_use]
pub fn feed_delay(failures: u32, every: Duration) -> Duration {
    // Even a feed with a shorter interval waits a second after a failure.
    doubling(failures, every.max(Duration::from_secs(1)))
}

/// The delay before a page is checked again after `failures` failures in a row; `interval` is the delay of its
/// check schedule.
#[must_use]
pub fn page_delay(failures: u32, interval: Duration) -> Duration {
    doubling(failures, interval.max(Duration::from_mins(1)))
}

/// Attempts at a delivery, over three days, before it is given up.
pub const DELIVERY_ATTEMPTS: u32 = 10;

/// After so many refusals of an event, later events no longer wait for it: a few minutes by the schedule below.
pub const REFUSALS: u32 = 3;

/// The delay before the next attempt of a delivery after `attempt` failed attempts (1 is the first), by the
/// schedule of Standard Webhooks. `jitter` in 0–1 adds up to a tenth, so that deliveries that failed together are
/// not retried together. `None` if the delivery is dead.
#[must_use]
pub fn delivery_delay(attempt: u32, jitter: f64) -> Option<Duration> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DELAYS: [u64; DELIVERY_ATTEMPTS as usize - 1] = [
        5,
        5 * MINUTE,
        30 * MINUTE,
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
        14 * HOUR,
        20 * HOUR,
        24 * HOUR,
    ];
    let index = usize::try_from(attempt.saturating_sub(1)).ok()?;
    let delay = Duration::from_secs(*DELAYS.get(index)?);
    Some(lengthened(delay, 0.1, jitter))
}

/// `duration` plus up to `share` of it, by `jitter` in 0–1.
pub(super) fn lengthened(duration: Duration, share: f64, jitter: f64) -> Duration {
    let factor = if share.is_finite() && jitter.is_finite() {
        1.0 + share.clamp(0.0, 1.0) * jitter.clamp(0.0, 1.0)
    } else {
        1.0
    };
    // The factor is finite and at most 2, so only a duration of centuries could overflow.
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration)
}

pub(super) fn doubling(failures: u32, first: Duration) -> Duration {
    let times = failures.saturating_sub(1).min(31);
    first
        .saturating_mul(1 << times)
        .min(LONGEST_PAUSE.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn failing_feed_is_asked_ever_more_seldom() {
        let every = Duration::from_mins(15);
        let minutes: Vec<u64> = (0..9)
            .map(|failures| feed_delay(failures, every).as_secs() / 60)
            .collect();
        assert_eq!(minutes, [15, 15, 30, 60, 120, 240, 480, 960, 1440]);
        assert_eq!(feed_delay(u32::MAX, every), LONGEST_PAUSE);
    }

    #[test]
    fn rare_feed_is_not_asked_more_often_when_it_fails() {
        let week = Duration::from_hours(24 * 7);
        assert_eq!(feed_delay(5, week), week);
        assert_eq!(page_delay(5, week), week);
    }

    #[test]
    fn delivery_is_tried_ten_times() {
        let hours: Vec<Option<u64>> = (1..=11)
            .map(|attempt| delivery_delay(attempt, 0.0).map(|delay| delay.as_secs()))
            .collect();
        assert_eq!(
            hours,
            [
                Some(5),
                Some(300),
                Some(1800),
                Some(7200),
                Some(18_000),
                Some(36_000),
                Some(50_400),
                Some(72_000),
                Some(86_400),
                None,
                None
            ]
        );
        assert_eq!(
            delivery_delay(2, 1.0),
            Some(Duration::from_secs(330)),
            "a tenth more at most"
        );
    }

    proptest! {
        #[test]
        fn delays_are_within_bounds_and_do_not_shrink(failures in 0_u32..200, ms in 0_u64..10_000_000_000, jitter in -1.0..2.0) {
            let every = Duration::from_millis(ms);
            for delay in [feed_delay, page_delay] {
                let now = delay(failures, every);
                prop_assert!(now >= every);
                prop_assert!(now <= LONGEST_PAUSE.max(every));
                prop_assert!(now <= delay(failures + 1, every));
            }
            if let (Some(one), Some(next)) = (delivery_delay(failures, jitter), delivery_delay(failures + 1, jitter)) {
                prop_assert!(one <= next);
            }
        }
    }
}
