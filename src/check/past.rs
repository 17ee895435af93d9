//! What is read of a known entry's past before its new text is decided upon.

use crate::check::Reading;
use crate::check::events::revise::{EntryKnowledge, Windows};
use crate::check::reread::rebase::{ReadAgain, read_again};
use crate::domain::furniture::{Article, InForce, LOOKS, Restless, Streaks};
use crate::domain::ids::FeedId;
use crate::domain::observation::Observation;
use crate::domain::state::Channel;
use crate::store::{Reader, StoreError};
use crate::time::Timestamp;

/// The newest entries of a feed that are learned from.
const ARTICLES: usize = 40;

/// The last texts of each.
const TEXTS: usize = 8;

/// What the past of one entry says of the text that is compared with it.
#[derive(Debug, Default)]
pub(super) struct EntryPast {
    /// What moves in it at every check.
    restless: Restless,
    /// The stored answers behind its state, read under the schemes of today.
    pub(super) again: ReadAgain,
}

impl EntryPast {
    /// Reads it, where these observations need it.
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
                // A revision may be of the other channel.
                let texts = reader.last_texts(entry.id, channel, 2 * (LOOKS + 1))?;
                restless.extend(Restless::of(&texts));
            }
        }
        Ok(Self {
            restless,
            again: read_again(reader, reading, entry, observations)?,
        })
    }

    /// The rules for the entry: with what moves in it at every check, and how long ago its text was seen.
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

/// The pages of a feed beside one that has changed.
#[derive(Debug)]
pub(super) struct Site {
    /// The last texts of the newest articles.
    pub(super) articles: Vec<Article>,
    /// Changes whose alerts wait.
    pub(super) waiting: u64,
}

impl Site {
    /// Reads them.
    pub(super) fn read(reader: &Reader, feed: FeedId) -> Result<Self, StoreError> {
        Ok(Self {
            articles: past_of(reader, feed, Channel::Page)?,
            waiting: reader.count_waiting(feed)?,
        })
    }
}

/// The past of the articles of a feed, as far as it is learned from.
pub(super) fn past_of(
    reader: &Reader,
    feed: FeedId,
    channel: Channel,
) -> Result<Vec<Article>, StoreError> {
    reader.past_texts(feed, channel, ARTICLES, TEXTS)
}
