//! From raw to resolved: every value is checked, and every mistake noted.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;

use super::listen::Listen;
use super::load::{Environment, Secrets};
use super::names;
use super::problem::{Place, Problems};
use super::raw::{
    RawDetect, RawFeed, RawFetch, RawGlobal, RawKeep, RawLog, RawPage, RawTable as _,
};
use super::reader::{At, RawLadder};
use super::resolved::{
    DetectConfig, FeedConfig, FetchConfig, Keep, LogConfig, LogFormat, LogLevel, PageConfig,
    PageMode,
};
use super::values::{http_url, unknown_choice};
use crate::domain::article_clock::{Ladder, Step};
use crate::domain::classify::Significance;
use crate::domain::cron::CronSchedule;
use crate::domain::durations::{parse_share, shortened};
use crate::domain::furniture::{RuleKind, check_pattern};
use crate::domain::life::Rule;
use crate::domain::schedule::{Every, LONGEST_HINT, Plan};

const SECOND: Duration = Duration::from_secs(1);
pub(super) const YEAR: Duration = Duration::from_hours(24 * 365);

pub(super) const SIGNIFICANCES: [(&str, Significance); 3] = [
    ("typographic", Significance::Typographic),
    ("minor", Significance::Minor),
    ("substantive", Significance::Substantive),
];

/// What stands in for a default that `config/default.toml` does not give; a test rules that out.
const LEAST_PLAN: Plan = Plan {
    every: Every::Interval(Duration::from_hours(1)),
    jitter: 0.0,
    slowest: None,
    unconditional: None,
    longest_hint: LONGEST_HINT,
};
const LEAST_FETCH: FetchConfig = FetchConfig {
    concurrency: 1,
    per_host: 1,
    host_delay: SECOND,
    timeout: Duration::from_secs(30),
    max_size: 1 << 20,
    user_agent_contact: String::new(),
    allow_private: Vec::new(),
};
const LEAST_DETECT: DetectConfig = DetectConfig {
    significance: Significance::Minor,
    flap_window: Duration::from_hours(24),
    bulk_edit: 10,
    live_digest: Some(Duration::from_hours(1)),
    life: Rule {
        checks: 3,
        after: Duration::from_hours(6),
        confirm: Duration::from_mins(10),
    },
    ignore: Vec::new(),
};

fn least_page() -> PageConfig {
    PageConfig {
        mode: PageMode::Changed,
        recheck: Ladder::news(),
        robots: true,
        host_budget: None,
        select: Vec::new(),
        remove: Vec::new(),
    }
}

/// What is at hand while a configuration is resolved.
pub(super) struct Resolver<'a, 't> {
    pub(super) problems: &'a mut Problems<'t>,
    pub(super) warnings: Vec<(Place, String)>,
    pub(super) environment: &'a Environment,
    pub(super) secrets: Secrets,
    pub(super) file: Option<&'a Path>,
    timezone: Tz,
    crons: HashMap<String, Arc<CronSchedule>>,
    tags: HashSet<Arc<[String]>>,
    recent: Recent,
}

/// Settings that some feeds share, to be shared in memory.
#[derive(Default)]
struct Recent {
    fetch: Vec<Arc<FetchConfig>>,
    page: Vec<Arc<PageConfig>>,
    detect: Vec<Arc<DetectConfig>>,
}

/// The settings that hold where a feed says nothing.
pub(super) struct Common {
    pub(super) timezone: Tz,
    pub(super) log: LogConfig,
    pub(super) plan: Plan,
    pub(super) fetch: Arc<FetchConfig>,
    pub(super) page: Arc<PageConfig>,
    pub(super) detect: Arc<DetectConfig>,
    pub(super) keep: Keep,
    pub(super) listen: Option<Listen>,
}

/// Feeds while they are resolved.
pub(super) struct Building {
    feeds: Vec<FeedConfig>,
    addresses: HashMap<String, Place>,
    taken: names::Taken,
}

impl Building {
    pub(super) fn with_capacity(feeds: usize) -> Self {
        Self {
            feeds: Vec::with_capacity(feeds),
            addresses: HashMap::with_capacity(feeds),
            taken: names::Taken::default(),
        }
    }

    /// The feeds, in the order of the file. Names that were not given are made from the addresses, and give way to
    /// those that were.
    pub(super) fn finish(mut self) -> Vec<FeedConfig> {
        for feed in &mut self.feeds {
            if feed.name.is_empty() {
                feed.name = self.taken.unique(&names::from_address(&feed.url));
            }
        }
        self.feeds
    }
}

impl<'a, 't> Resolver<'a, 't> {
    pub(super) fn new(
        problems: &'a mut Problems<'t>,
        environment: &'a Environment,
        secrets: Secrets,
        file: Option<&'a Path>,
    ) -> Self {
        Self {
            problems,
            warnings: Vec::new(),
            environment,
            secrets,
            file,
            timezone: Tz::UTC,
            crons: HashMap::new(),
            tags: HashSet::new(),
            recent: Recent::default(),
        }
    }

    /// Resolves all but feeds and targets.
    pub(super) fn common(&mut self, raw: &RawGlobal) -> Common {
        self.timezone = self.timezone(raw.top.timezone.as_ref());
        Common {
            timezone: self.timezone,
            log: self.log(&raw.log),
            plan: self.plan(&raw.fetch, &LEAST_PLAN),
            fetch: Arc::new(self.fetch(&raw.fetch, &LEAST_FETCH)),
            page: Arc::new(self.page(&raw.page, &least_page())),
            detect: Arc::new(self.detect(&raw.detect, &LEAST_DETECT)),
            keep: self.keep(&raw.keep),
            listen: self.measured("listen", raw.web.listen.as_ref(), Listen::parse),
        }
    }

    /// Resolves one feed and adds it.
    pub(super) fn feed(&mut self, raw: RawFeed, common: &Common, building: &mut Building) {
        let place = raw.place.clone();
        let url = if let Some(url) = raw.own.url {
            self.feed_url(&url, &mut building.addresses);
            url.value
        } else {
            let message = "url is missing; expected url = \"https://…\"";
            self.problems.add(&place, message);
            String::new()
        };
        let name = raw.own.name.map(|name| {
            self.name(&name, "feed", &mut building.taken);
            name.value
        });
        let tags = self.tags(raw.own.tags);
        let plan = self.plan(&raw.fetch, &common.plan);
        let fetch = if raw.fetch.is_only_plan() {
            Arc::clone(&common.fetch)
        } else {
            let fetch = self.fetch(&raw.fetch, &common.fetch);
            shared(&mut self.recent.fetch, &common.fetch, fetch)
        };
        let page = if raw.page.is_empty() {
            Arc::clone(&common.page)
        } else {
            let page = self.page(&raw.page, &common.page);
            shared(&mut self.recent.page, &common.page, page)
        };
        let detect = if raw.detect.is_empty() {
            Arc::clone(&common.detect)
        } else {
            let detect = self.detect(&raw.detect, &common.detect);
            shared(&mut self.recent.detect, &common.detect, detect)
        };
        building.feeds.push(FeedConfig {
            url,
            name: name.unwrap_or_default(),
            tags,
            plan,
            fetch,
            page,
            detect,
        });
    }

    fn feed_url(&mut self, url: &At<String>, addresses: &mut HashMap<String, Place>) {
        match http_url(&url.value) {
            Ok(parsed) => {
                if let Some(first) = addresses.get(parsed.as_str()) {
                    let first = self.problems.mentioned(first);
                    let message = format!("the address is given twice; the first is {first}");
                    self.problems.add(&url.place, message);
                } else {
                    addresses.insert(parsed.into(), url.place.clone());
                }
            }
            Err(problem) => self.problems.add(&url.place, format!("url {problem}")),
        }
    }

    pub(super) fn name(&mut self, name: &At<String>, what: &str, taken: &mut names::Taken) {
        if let Err(problem) = names::check(&name.value) {
            self.problems
                .add(&name.place, format!("the name of a {what} {problem}"));
        } else if !taken.insert(&name.value) {
            let name_text = shortened(&name.value);
            self.problems.add(
                &name.place,
                format!("another {what} has the name {name_text:?}; expected names that differ"),
            );
        }
    }

    fn tags(&mut self, tags: Option<At<Vec<At<String>>>>) -> Arc<[String]> {
        let tags: Arc<[String]> = self.tag_list(tags).into();
        if let Some(known) = self.tags.get(&tags) {
            return Arc::clone(known);
        }
        self.tags.insert(Arc::clone(&tags));
        tags
    }

    /// Checked tags, each once.
    pub(super) fn tag_list(&mut self, tags: Option<At<Vec<At<String>>>>) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        for tag in tags.map(|tags| tags.value).unwrap_or_default() {
            let bad = tag.value.is_empty()
                || tag.value.chars().count() > 64
                || tag.value.contains(char::is_control);
            if bad {
                let message = "a tag is empty, longer than 64 characters or has control characters";
                self.problems.add(&tag.place, message);
            } else if !list.contains(&tag.value) {
                list.push(tag.value);
            }
        }
        list
    }

    fn timezone(&mut self, name: Option<&At<String>>) -> Tz {
        let Some(name) = name else { return Tz::UTC };
        name.value.parse().unwrap_or_else(|_| {
            let zones = chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name());
            let near = zones
                .clone()
                .find(|zone| {
                    let last = zone.rsplit('/').next().unwrap_or(zone);
                    zone.eq_ignore_ascii_case(&name.value) || last.eq_ignore_ascii_case(&name.value)
                })
                .map_or_else(String::new, |zone| format!("; did you mean {zone:?}?"));
            let message = format!(
                "{:?} is no time zone; expected one such as \"UTC\" or \"Europe/Paris\"{near}",
                shortened(&name.value)
            );
            self.problems.add(&name.place, message);
            Tz::UTC
        })
    }

    fn log(&mut self, raw: &RawLog) -> LogConfig {
        let formats = [
            LogFormat::Auto,
            LogFormat::Journal,
            LogFormat::Text,
            LogFormat::Json,
        ]
        .map(|format| (format.as_str(), format));
        let levels = [
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
        ]
        .map(|level| (level.as_str(), level));
        LogConfig {
            format: self.choice("format", raw.format.as_ref(), &formats, LogFormat::Auto),
            level: self.choice("level", raw.level.as_ref(), &levels, LogLevel::Info),
        }
    }

    fn plan(&mut self, raw: &RawFetch, below: &Plan) -> Plan {
        let every = match (&raw.cron, &raw.every) {
            (Some(cron), _) => self.cron(cron),
            (None, Some(every)) => {
                let every = self.duration("every", Some(every), SECOND..=YEAR, SECOND);
                Some(Every::Interval(every))
            }
            (None, None) => None,
        };
        let jitter = self.measured("jitter", raw.jitter.as_ref(), parse_share);
        // Who names a rhythm is taken at the word: the bounds of a level above do not stretch it.
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

    /// A bound that "0s" takes away.
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

    fn fetch(&mut self, raw: &RawFetch, below: &FetchConfig) -> FetchConfig {
        let delays = Duration::ZERO..=Duration::from_hours(1);
        let timeouts = Duration::from_millis(100)..=Duration::from_mins(10);
        let sizes = 1 << 10..=256 << 20;
        let contact = raw.user_agent_contact.as_ref();
        let networks = raw.allow_private.as_ref();
        FetchConfig {
            concurrency: self.number(
                "concurrency",
                raw.concurrency.as_ref(),
                1..=1000,
                below.concurrency,
            ),
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
        }
    }

    fn contact(&mut self, contact: &At<String>) -> String {
        // It becomes a part of a header, inside parentheses.
        let fits = contact.value.len() <= 200
            && contact
                .value
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && !b"()\\".contains(&byte));
        if !fits {
            let message = "user_agent_contact cannot stand in a header; expected at most 200 ASCII characters \
                           without parentheses, such as \"https://desk.example/bot\"";
            self.problems.add(&contact.place, message);
        }
        contact.value.clone()
    }

    fn networks(&mut self, networks: &[At<String>]) -> Vec<IpNet> {
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
                        "{:?} is no network; expected one such as \"10.1.0.0/16\" or \"fd00::/8\"",
                        shortened(text)
                    ),
                ),
            }
        }
        list
    }

    fn page(&mut self, raw: &RawPage, below: &PageConfig) -> PageConfig {
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
            .map(|(age, interval)| Step {
                below: self.duration("the age", Some(age), range.clone(), SECOND),
                interval: self.duration("the interval", Some(interval), range.clone(), SECOND),
            })
            .collect();
        match Ladder::from_steps(steps) {
            Ok(ladder) => ladder,
            Err(error) => {
                // A duration that could not be read says enough.
                if self.problems.count() == before {
                    self.problems.add(&raw.place, format!("recheck: {error}"));
                }
                Ladder::news()
            }
        }
    }

    fn detect(&mut self, raw: &RawDetect, below: &DetectConfig) -> DetectConfig {
        let windows = SECOND..=YEAR;
        let edits = 2..=1_000_000;
        DetectConfig {
            significance: self.choice(
                "significance",
                raw.significance.as_ref(),
                &SIGNIFICANCES,
                below.significance,
            ),
            flap_window: self.duration(
                "flap_window",
                raw.flap_window.as_ref(),
                windows,
                below.flap_window,
            ),
            bulk_edit: self.number("bulk_edit", raw.bulk_edit.as_ref(), edits, below.bulk_edit),
            live_digest: self.live_digest(raw.live_digest.as_ref(), below.live_digest),
            life: self.life(raw, &below.life),
            ignore: self.patterns("ignore", raw.ignore.as_ref(), &below.ignore, |pattern| {
                check_pattern(RuleKind::Ignore, pattern).map_err(|error| error.to_string())
            }),
        }
    }

    fn life(&mut self, raw: &RawDetect, below: &Rule) -> Rule {
        let days = Duration::ZERO..=Duration::from_hours(24 * 30);
        Rule {
            checks: self
                .number("removed_checks", raw.removed_checks.as_ref(), 1..=100, 0)
                .try_into()
                .ok()
                .filter(|checks| *checks > 0)
                .unwrap_or(below.checks),
            after: self.duration(
                "removed_after",
                raw.removed_after.as_ref(),
                days,
                below.after,
            ),
            confirm: self.duration(
                "confirm_after",
                raw.confirm_after.as_ref(),
                Duration::ZERO..=Duration::from_hours(24),
                below.confirm,
            ),
        }
    }

    fn live_digest(
        &mut self,
        raw: Option<&At<String>>,
        below: Option<Duration>,
    ) -> Option<Duration> {
        let Some(raw) = raw else {
            return below;
        };
        if raw.value == "off" {
            return None;
        }
        let range = Duration::from_mins(1)..=Duration::from_hours(7 * 24);
        Some(self.duration("live_digest", Some(raw), range, Duration::from_hours(1)))
    }

    fn keep(&mut self, raw: &RawKeep) -> Keep {
        Keep {
            captures: self.retention("captures", raw.captures.as_ref()),
            revisions: self.retention("revisions", raw.revisions.as_ref()),
        }
    }
}

/// Shares a value with an equal one.
fn shared<T: PartialEq>(recent: &mut Vec<Arc<T>>, common: &Arc<T>, value: T) -> Arc<T> {
    // More kinds of settings than this are rare, and looking longer would cost more than it saves.
    const MOST: usize = 64;
    if **common == value {
        return Arc::clone(common);
    }
    if let Some(known) = recent.iter().find(|known| ***known == value) {
        return Arc::clone(known);
    }
    let value = Arc::new(value);
    if recent.len() < MOST {
        recent.push(Arc::clone(&value));
    }
    value
}
