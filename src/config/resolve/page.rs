//! `[page]`, and `page.…` of a feed.

use std::time::Duration;

use super::{Resolver, SECOND, YEAR};
use crate::config::problem::unknown_choice;
use crate::config::raw::RawPage;
use crate::config::reader::{At, RawLadder};
use crate::config::resolved::{PageConfig, PageMode};
use crate::domain::article_clock::{Ladder, LadderStep};

impl Resolver<'_> {
    pub(super) fn page(&mut self, raw: &RawPage, below: &PageConfig) -> PageConfig {
        let modes =
            [PageMode::Always, PageMode::Changed, PageMode::Off].map(|mode| (mode.as_str(), mode));
        PageConfig {
            mode: self.choice("fetch", raw.fetch.as_ref(), &modes, below.mode),
            recheck: raw
                .recheck
                .as_ref()
                .map_or_else(|| below.recheck.clone(), |recheck| self.ladder(recheck)),
            robots: raw
                .robots
                .as_ref()
                .map_or(below.robots, |robots| robots.value),
            host_budget: match &raw.host_budget {
                None => below.host_budget,
                some => {
                    let pages = self.number("host_budget", some.as_ref(), 0..=1_000_000, 0);
                    u32::try_from(pages).ok().filter(|pages| *pages > 0)
                }
            },
            select: self.selectors("select", raw.select.as_ref(), &below.select),
            remove: self.selectors("remove", raw.remove.as_ref(), &below.remove),
        }
    }

    fn ladder(&mut self, raw: &At<RawLadder>) -> Ladder {
        let steps = match &raw.value {
            RawLadder::Name(name) => {
                return Ladder::named(name).unwrap_or_else(|| {
                    let message = unknown_choice("recheck", name, Ladder::names());
                    let message = format!(
                        "{message}, or a list such as [[\"1d\", \"1h\"], [\"30d\", \"1d\"]]"
                    );
                    self.problems.add(&raw.place, message);
                    Ladder::news()
                });
            }
            RawLadder::Steps(steps) => steps,
        };
        let range = Duration::from_mins(1)..=YEAR * 100;
        let before = self.problems.count();
        let steps = steps
            .iter()
            .map(|(age, interval)| LadderStep {
                below: self.duration("the age", Some(age), range.clone(), SECOND),
                interval: self.duration("the interval", Some(interval), range.clone(), SECOND),
            })
            .collect();
        match Ladder::from_steps(steps) {
            Ok(ladder) => ladder,
            Err(error) => {
                // An unreadable duration has already been reported.
                if self.problems.count() == before {
                    self.problems.add(&raw.place, format!("recheck: {error}"));
                }
                Ladder::news()
            }
        }
    }
}
