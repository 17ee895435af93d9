//! The configuration as checks need it: by feed address, with the rules of the targets.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Config, FeedConfig, FetchConfig};
use crate::domain::route::TargetRule;
use crate::fetch::{HostLimits, host_key};
use crate::store::ConfiguredFeed;

/// A configuration that is in force.
#[derive(Debug)]
pub struct Settings {
    config: Config,
    feeds: HashMap<String, Arc<FeedConfig>>,
    rules: Vec<TargetRule>,
}

impl Settings {
    /// Prepares a configuration for use.
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

    /// All feeds, by their names.
    #[must_use]
    pub fn by_name(&self) -> Vec<Arc<FeedConfig>> {
        let mut feeds: Vec<Arc<FeedConfig>> = self.feeds.values().cloned().collect();
        feeds.sort_by(|one, other| one.name.cmp(&other.name));
        feeds
    }

    /// How many feeds there are.
    #[must_use]
    pub fn feed_count(&self) -> usize {
        self.feeds.len()
    }

    /// The feeds, in the form that the store needs.
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

    /// The fetch settings in use: every set of settings that differs from the common one, at least once.
    pub fn fetches(&self) -> impl Iterator<Item = &Arc<FetchConfig>> {
        let common = &self.config.fetch;
        let fetches = self.feeds.values().map(|feed| &feed.fetch);
        fetches.filter(move |fetch| !Arc::ptr_eq(fetch, common))
    }

    /// The hosts of feeds that ask for other limits than the common ones; if feeds differ, the most considerate
    /// limit applies.
    #[must_use]
    pub fn host_limits(&self) -> HashMap<String, HostLimits> {
        let limits = |fetch: &FetchConfig| HostLimits {
            per_host: fetch.per_host,
            host_delay: fetch.host_delay,
        };
        let common = limits(&self.config.fetch);
        let mut hosts: HashMap<String, HostLimits> = HashMap::new();
        for feed in self.feeds.values() {
            let own = limits(&feed.fetch);
            if own != common {
                let of_host = hosts.entry(host_key(&feed.url)).or_insert(own);
                *of_host = of_host.and(own);
            }
        }
        hosts
    }

    /// Which target gets which events.
    #[must_use]
    pub fn rules(&self) -> &[TargetRule] {
        &self.rules
    }
}
