//! `[detect]`, and `detect.…` of a feed.

use std::time::Duration;

use super::{Resolver, SECOND, SIGNIFICANCES, YEAR};
use crate::config::raw::RawDetect;
use crate::config::reader::At;
use crate::config::resolved::DetectConfig;
use crate::domain::furniture::{RuleKind, check_pattern};
use crate::domain::life::LifeRule;

impl Resolver<'_> {
    pub(super) fn detect(&mut self, raw: &RawDetect, below: &DetectConfig) -> DetectConfig {
        let windows = SECOND..=YEAR;
        let edits = 2..=1_000_000;
        DetectConfig {
            significance: self.choice(
                "significance",
                raw.significance.as_ref(),
                &SIGNIFICANCES,
                below.significance,
            ),
            flap_window: self.duration(
                "flap_window",
                raw.flap_window.as_ref(),
                windows,
                below.flap_window,
            ),
            bulk_edit: self.number("bulk_edit", raw.bulk_edit.as_ref(), edits, below.bulk_edit),
            live_digest: self.live_digest(raw.live_digest.as_ref(), below.live_digest),
            life: self.life(raw, &below.life),
            ignore: self.patterns("ignore", raw.ignore.as_ref(), &below.ignore, |pattern| {
                check_pattern(RuleKind::Ignore, pattern).map_err(|error| error.to_string())
            }),
        }
    }

    fn life(&mut self, raw: &RawDetect, below: &LifeRule) -> LifeRule {
        let days = Duration::ZERO..=Duration::from_hours(24 * 30);
        LifeRule {
            checks: self
                .number("removed_checks", raw.removed_checks.as_ref(), 1..=100, 0)
                .try_into()
                .ok()
                .filter(|checks| *checks > 0)
                .unwrap_or(below.checks),
            after: self.duration(
                "removed_after",
                raw.removed_after.as_ref(),
                days,
                below.after,
            ),
            confirm: self.duration(
                "confirm_after",
                raw.confirm_after.as_ref(),
                Duration::ZERO..=Duration::from_hours(24),
                below.confirm,
            ),
        }
    }

    fn live_digest(
        &mut self,
        raw: Option<&At<String>>,
        below: Option<Duration>,
    ) -> Option<Duration> {
        let Some(raw) = raw else {
            return below;
        };
        if raw.value == "off" {
            return None;
        }
        let range = Duration::from_mins(1)..=Duration::from_hours(7 * 24);
        Some(self.duration("live_digest", Some(raw), range, Duration::from_hours(1)))
    }
}
