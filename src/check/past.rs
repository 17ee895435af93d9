//! Reads the past of a known entry before the decision on its new text.

use crate::check::Reading;
use crate::check::events::revise::{EntryKnowledge, Windows};
use crate::check::reread::rebase::{ReadAgain, read_again};
use crate::domain::furniture::{ArticlePast, InForce, LOOKS, Restless, Streaks};
use crate::domain::ids::FeedId;
use crate::domain::observation::Observation;
use crate::domain::state::Channel;
use crate::store::{Reader, StoreError};
use crate::time::Timestamp;

/// How many of a feed's newest entries to learn from.
const ARTICLES: usize = 40;

/// How many of the last texts of each entry to read.
const TEXTS: usize = 8;

/// What the past of an entry says about the text that is compared with it.
#[derive(Debug, Default)]
pub(super) struct EntryPast {
    /// What moves in it at every check.
    restless: Restless,
    /// The stored responses behind its state, read under the schemes of today.
    pub(super) again: ReadAgain,
}

impl EntryPast {
    /// Reads it, if these observations need it.
    pub(super) fn read(
        reader: &Reader,
        reading: &Reading,
        entry: &EntryKnowledge,
        observations: &[Observation],
        windows: &Windows,
    ) -> Result<Self, StoreError> {
        let mut restless = Restless::default();
        let Streaks { feed, page } = entry.last.streaks;
        let channels = [
            (Channel::Feed, feed, windows.feed),
            (Channel::Page, page, windows.page),
        ];
        for (channel, streak, window) in channels {
            if window.is_some_and(|window| streak.is_long(Some(window.last_unchanged))) {
                // Some revisions may be of the other channel.
                let texts = reader.last_texts(entry.id, channel, 2 * (LOOKS + 1))?;
                restless.extend(Restless::of(&texts));
            }
        }
        Ok(Self {
            restless,
            again: read_again(reader, reading, entry, observations)?,
        })
    }

    /// The rules for the entry, including what moves in it at every check and how long ago its text was seen.
    pub(super) fn rules(
        &self,
        in_force: &InForce,
        entry: &EntryKnowledge,
        now: Timestamp,
    ) -> InForce {
        let elapsed = now.since(entry.revision_seen);
        in_force.for_entry(self.restless.clone(), Some(elapsed))
    }
}

/// The other pages of a feed, for the check of a page that has changed.
#[derive(Debug)]
pub(super) struct FeedPages {
    /// The last texts of the newest articles.
    pub(super) articles: Vec<ArticlePast>,
    /// How many changes have alerts that wait.
    pub(super) waiting: u64,
}

impl FeedPages {
    /// Reads them.
    pub(super) fn read(reader: &Reader, feed: FeedId) -> Result<Self, StoreError> {
        Ok(Self {
            articles: past_of(reader, feed, Channel::Page)?,
            waiting: reader.count_waiting(feed)?,
        })
    }
}

/// The past of a feed's articles, as far as rules are learned from it.
pub(super) fn past_of(
    reader: &Reader,
    feed: FeedId,
    channel: Channel,
) -> Result<Vec<ArticlePast>, StoreError> {
    reader.past_texts(feed, channel, ARTICLES, TEXTS)
}
