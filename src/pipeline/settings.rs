//! The configuration as checks need it: by feed address, with the rules of the targets at hand.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Config, FeedConfig};
use crate::domain::route::TargetRule;
use crate::fetch::host_key;
use crate::store::ConfiguredFeed;

/// A configuration that is in force.
#[derive(Debug)]
pub struct Settings {
    config: Config,
    feeds: HashMap<String, Arc<FeedConfig>>,
    rules: Vec<TargetRule>,
}

impl Settings {
    /// Makes a configuration ready for use.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        // Each feed is kept once, under its address.
        let feeds = std::mem::take(&mut config.feeds)
            .into_iter()
            .map(|feed| (feed.url.clone(), Arc::new(feed)))
            .collect();
        let rules = config.target_rules();
        Self {
            config,
            feeds,
            rules,
        }
    }

    /// The configuration without its feeds.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The settings of a feed, by its address.
    #[must_use]
    pub fn feed(&self, url: &str) -> Option<Arc<FeedConfig>> {
        self.feeds.get(url).cloned()
    }

    /// How many feeds there are.
    #[must_use]
    pub fn feed_count(&self) -> usize {
        self.feeds.len()
    }

    /// The feeds, as the store wants to know them.
    #[must_use]
    pub fn configured_feeds(&self) -> Vec<ConfiguredFeed> {
        let feeds = self.feeds.values().map(|feed| ConfiguredFeed {
            url: feed.url.clone(),
            name: feed.name.clone(),
            host: host_key(&feed.url),
            schedule: feed.plan.identity(),
            ignore: feed.detect.ignore.clone(),
        });
        let mut feeds: Vec<ConfiguredFeed> = feeds.collect();
        feeds.sort_by(|a, b| a.url.cmp(&b.url));
        feeds
    }

    /// The longest decoded answer, in bytes.
    #[must_use]
    pub fn max_size(&self) -> usize {
        usize::try_from(self.config.fetch.max_size).unwrap_or(usize::MAX)
    }

    /// Who wants to be told of what.
    #[must_use]
    pub fn rules(&self) -> &[TargetRule] {
        &self.rules
    }
}
