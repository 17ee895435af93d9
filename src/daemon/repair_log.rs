//! Logs which feeds need which repairs.
//!
//! A feed that needs a repair needs it in every poll, so it is logged only when that changes, and once after a start.

use std::collections::HashMap;

use crate::check::FeedReading;
use crate::domain::ids::FeedId;

/// What each feed needed when it was last read.
#[derive(Default)]
pub(super) struct Needs(HashMap<FeedId, RepairNeed>);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct RepairNeed {
    repairs: Vec<&'static str>,
    /// It has more entries than are kept.
    too_long: bool,
    /// It had more new entries than one poll stores.
    postponed: bool,
}

impl Needs {
    /// Logs what a feed needs, if that has changed.
    pub(super) fn log(&mut self, feed: FeedId, name: &str, reading: &FeedReading) {
        let Some((before, now)) = self.news(feed, reading) else {
            return;
        };
        if now.repairs != before.repairs {
            if now.repairs.is_empty() {
                tracing::info!(feed.name = name, "the feed no longer needs repairs");
            } else {
                let repairs = now.repairs.join(", ");
                tracing::info!(
                    feed.name = name,
                    repairs,
                    "the feed needed repairs before it could be read"
                );
            }
        }
        if now.too_long && !before.too_long {
            let dropped = reading.dropped;
            tracing::warn!(
                feed.name = name,
                dropped,
                "the feed has more entries than the limit; the last ones are skipped"
            );
        }
        if now.postponed && !before.postponed {
            let postponed = reading.postponed;
            tracing::warn!(
                feed.name = name,
                postponed,
                "the feed has too many new entries for one poll; the next polls store the others"
            );
        } else if before.postponed && !now.postponed {
            tracing::info!(feed.name = name, "all new entries of the feed are stored");
        }
    }

    /// What the feed needed before and needs now, if that differs.
    fn news(&mut self, feed: FeedId, reading: &FeedReading) -> Option<(RepairNeed, RepairNeed)> {
        let mut repairs = reading.repairs.clone();
        repairs.sort_unstable();
        let now = RepairNeed {
            repairs,
            too_long: reading.dropped > 0,
            postponed: reading.postponed > 0,
        };
        let before = self.0.get(&feed).cloned().unwrap_or_default();
        if now == before {
            return None;
        }
        // Nothing is kept for the many feeds that need nothing.
        if now == RepairNeed::default() {
            self.0.remove(&feed);
        } else {
            self.0.insert(feed, now.clone());
        }
        Some((before, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const CHARSET: &str = "charset";
    const ENTITIES: &str = "entities";

    #[test]
    fn what_a_feed_needs_is_news_once() {
        let mut needs = Needs::default();
        let mut news = |repairs: &[_], dropped| {
            let reading = FeedReading {
                repairs: repairs.to_vec(),
                dropped,
                ..FeedReading::default()
            };
            needs.news(FeedId(1), &reading).is_some()
        };
        assert!(!news(&[], 0));
        assert!(news(&[CHARSET, ENTITIES], 0));
        assert!(!news(&[ENTITIES, CHARSET], 0));
        assert!(news(&[CHARSET], 0));
        assert!(news(&[CHARSET], 7));
        assert!(!news(&[CHARSET], 8), "how many are left out may vary");
        assert!(news(&[], 0));
        assert!(!news(&[], 0));
    }
}
