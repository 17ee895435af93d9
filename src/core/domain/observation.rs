//! What was seen of an entry at one moment.

use super::state::{Channel, FeedState, PageState};
use crate::time::Timestamp;

/// What was seen of one entry, at one moment, on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When the answer was received.
    pub seen: Timestamp,
    /// What it said.
    pub state: Observed,
}

/// The state seen, by channel.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// An item of the feed.
    Feed(FeedState),
    /// The article page.
    Page(PageState),
}

impl Observation {
    /// The channel that was looked at.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self.state {
            Observed::Feed(_) => Channel::Feed,
            Observed::Page(_) => Channel::Page,
        }
    }
}
