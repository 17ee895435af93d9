//! What one check saw of an entry.

use super::state::{Channel, FeedState, PageState};
use crate::time::Timestamp;

/// What one check saw of an entry on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When the response was received.
    pub seen: Timestamp,
    /// The state that was seen.
    pub state: Observed,
}

/// The state, by channel.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// An item of the feed.
    Feed(FeedState),
    /// The article page.
    Page(PageState),
}

impl Observation {
    /// The channel that was checked.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self.state {
            Observed::Feed(_) => Channel::Feed,
            Observed::Page(_) => Channel::Page,
        }
    }
}
