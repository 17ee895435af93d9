//! Feeds without trouble that are still worth a line.

use serde::Serialize;

use super::{StatusMark, StatusPart, TROUBLED_MAX};
use crate::report::clean;

/// A feed with a very large number of new entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CrowdedFeed {
    /// The feed's name.
    pub feed: String,
    /// New entries that are still to be stored.
    pub postponed: u64,
}

/// A feed whose address was probably edited by hand, which starts a new history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AlikeFeed {
    /// The feed's name.
    pub feed: String,
    /// Its address, without a login.
    pub url: String,
    /// The address that has a history, without a login.
    pub old: String,
}

pub(super) fn crowded(feeds: &[CrowdedFeed]) -> Vec<StatusPart> {
    let part = |feed: &CrowdedFeed| {
        let name = clean::excerpt(&feed.feed, 60);
        let text = format!(
            "{name} has very many new entries: {} are still to be stored, by the next polls",
            feed.postponed
        );
        StatusPart::new(StatusMark::Look, "feed", text).hint(format!("revisor entries {name}"))
    };
    feeds.iter().take(TROUBLED_MAX).map(part).collect()
}

pub(super) fn alike(feeds: &[AlikeFeed]) -> Vec<StatusPart> {
    let part = |feed: &AlikeFeed| {
        let [name, url, old] = [
            clean::excerpt(&feed.feed, 60),
            clean::excerpt(&clean::address(&feed.url), 200),
            clean::excerpt(&clean::address(&feed.old), 200),
        ];
        StatusPart::new(
            StatusMark::Look,
            "feed",
            format!("{name}: {url} has a history as {old}"),
        )
        .hint(format!("revisor mv {old} {url}"))
    };
    feeds.iter().take(TROUBLED_MAX).map(part).collect()
}
