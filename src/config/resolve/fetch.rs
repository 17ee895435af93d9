//! `[fetch]`, and the same keys of a feed: when and how it is polled.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::{Resolver, SECOND, YEAR};
use crate::config::places::path_of;
use crate::config::raw::RawFetch;
use crate::config::reader::At;
use crate::config::resolved::FetchConfig;
use crate::domain::cron::CronSchedule;
use crate::domain::durations::{parse_share, shortened};
use crate::domain::schedule::{Every, LONGEST_HINT, Plan};

impl Resolver<'_> {
    pub(super) fn plan(&mut self, raw: &RawFetch, below: &Plan) -> Plan {
        let every = match (&raw.cron, &raw.every) {
            (Some(cron), _) => self.cron(cron),
            (None, Some(every)) => {
                let every = self.duration("every", Some(every), SECOND..=YEAR, SECOND);
                Some(Every::Interval(every))
            }
            (None, None) => None,
        };
        let jitter = self.measured("jitter", raw.jitter.as_ref(), parse_share);
        // A rhythm is used exactly as set: the bounds of a higher level do not stretch it.
        let (slowest, unconditional) = match every {
            Some(_) => (None, None),
            None => (below.slowest, below.unconditional),
        };
        let longest_hint = raw.longest_hint.as_ref();
        Plan {
            every: every.unwrap_or_else(|| below.every.clone()),
            jitter: jitter.unwrap_or(below.jitter),
            slowest: self.bound("slowest", raw.slowest.as_ref(), slowest),
            unconditional: self.bound("unconditional", raw.unconditional.as_ref(), unconditional),
            longest_hint: self.duration(
                "longest_hint",
                longest_hint,
                Duration::ZERO..=LONGEST_HINT,
                below.longest_hint,
            ),
        }
    }

    /// A bound; "0s" removes it.
    fn bound(
        &mut self,
        key: &str,
        raw: Option<&At<String>>,
        below: Option<Duration>,
    ) -> Option<Duration> {
        if raw.is_none() {
            return below;
        }
        let bound = self.duration(key, raw, Duration::ZERO..=YEAR, Duration::ZERO);
        (!bound.is_zero()).then_some(bound)
    }

    fn cron(&mut self, cron: &At<String>) -> Option<Every> {
        if let Some(known) = self.crons.get(&cron.value) {
            return Some(Every::Cron(Arc::clone(known)));
        }
        match CronSchedule::parse(&cron.value, self.timezone) {
            Ok(schedule) => {
                let schedule = Arc::new(schedule);
                self.crons.insert(cron.value.clone(), Arc::clone(&schedule));
                Some(Every::Cron(schedule))
            }
            Err(error) => {
                self.problems.add(&cron.place, format!("cron: {error}"));
                None
            }
        }
    }

    pub(super) fn fetch(&mut self, raw: &RawFetch, below: &FetchConfig) -> FetchConfig {
        let delays = Duration::ZERO..=Duration::from_hours(1);
        let timeouts = Duration::from_millis(100)..=Duration::from_mins(10);
        let sizes = 1 << 10..=256 << 20;
        let memories = 64 << 20..=64 << 30;
        let contact = raw.user_agent_contact.as_ref();
        let networks = raw.allow_private.as_ref();
        FetchConfig {
            concurrency: self.number(
                "concurrency",
                raw.concurrency.as_ref(),
                1..=1000,
                below.concurrency,
            ),
            memory: self.size("memory", raw.memory.as_ref(), memories, below.memory),
            per_host: self.number("per_host", raw.per_host.as_ref(), 1..=64, below.per_host),
            host_delay: self.duration(
                "host_delay",
                raw.host_delay.as_ref(),
                delays,
                below.host_delay,
            ),
            timeout: self.duration("timeout", raw.timeout.as_ref(), timeouts, below.timeout),
            max_size: self.size("max_size", raw.max_size.as_ref(), sizes, below.max_size),
            user_agent_contact: contact.map_or_else(
                || below.user_agent_contact.clone(),
                |contact| self.contact(contact),
            ),
            allow_private: networks.map_or_else(
                || below.allow_private.clone(),
                |networks| self.networks(&networks.value),
            ),
            proxy: self.proxy(raw, &below.proxy),
            ca_file: match &raw.ca_file {
                Some(path) => Some(path_of(&path.value, self.file, self.environment)),
                None => below.ca_file.clone(),
            },
        }
    }

    fn contact(&mut self, contact: &At<String>) -> String {
        // It becomes part of a header, inside parentheses.
        let fits = contact.value.len() <= 200
            && contact
                .value
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && !b"()\\".contains(&byte));
        if !fits {
            let message = "user_agent_contact cannot be sent in a header; expected at most 200 ASCII characters \
                           without parentheses, such as \"https://desk.example/bot\"";
            self.problems.add(&contact.place, message);
        }
        contact.value.clone()
    }

    pub(in crate::config) fn networks(&mut self, networks: &[At<String>]) -> Vec<IpNet> {
        let mut list = Vec::new();
        for network in networks {
            let text = network.value.as_str();
            let parsed = text
                .parse::<IpNet>()
                .ok()
                .or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
            match parsed {
                Some(network) => list.push(network.trunc()),
                None => self.problems.add(
                    &network.place,
                    format!(
                        "{:?} is not a network; expected one such as \"10.1.0.0/16\" or \"fd00::/8\"",
                        shortened(text)
                    ),
                ),
            }
        }
        list
    }
}
