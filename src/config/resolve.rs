//! From raw to resolved: checks every value and reports every mistake.

mod detect;
mod fetch;
mod page;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::archive::ArchiveConfig;
use super::environment::Environment;
use super::layers::{RawFeed, RawGlobal};
use super::names;
use super::problem::{Problems, ValueSource};
use super::raw::{RawKeep, RawLog, RawPage, RawTable as _};
use super::reader::At;
use super::resolved::{
    DetectConfig, FeedConfig, FeedKind, FetchConfig, Keep, LogConfig, LogFormat, LogLevel,
    PageConfig, PageMode, Proxy,
};
use super::secret::Secrets;
use super::web::WebConfig;
use super::web_address::http_url;
use crate::domain::article_clock::Ladder;
use crate::domain::classify::Significance;
use crate::domain::cron::CronSchedule;
use crate::domain::durations::shortened;
use crate::domain::life::LifeRule;
use crate::domain::schedule::{Every, LONGEST_HINT, Plan};

const SECOND: Duration = Duration::from_secs(1);
pub(super) const YEAR: Duration = Duration::from_hours(24 * 365);

/// How often a page without a feed is checked, unless the configuration says otherwise.
const PAGE_EVERY: Duration = Duration::from_hours(1);

pub(super) const SIGNIFICANCES: [(&str, Significance); 3] = [
    ("typographic", Significance::Typographic),
    ("minor", Significance::Minor),
    ("substantive", Significance::Substantive),
];

/// Placeholder for defaults that are missing from `config/default.toml`; a test makes sure that none are.
const LEAST_PLAN: Plan = Plan {
    every: Every::Interval(Duration::from_hours(1)),
    jitter: 0.0,
    slowest: None,
    unconditional: None,
    longest_hint: LONGEST_HINT,
};
const LEAST_FETCH: FetchConfig = FetchConfig {
    concurrency: 1,
    memory: 64 << 20,
    per_host: 1,
    host_delay: SECOND,
    timeout: Duration::from_secs(30),
    max_size: 1 << 20,
    user_agent_contact: String::new(),
    allow_private: Vec::new(),
    proxy: Proxy::Direct,
    ca_file: None,
};
const LEAST_DETECT: DetectConfig = DetectConfig {
    significance: Significance::Minor,
    flap_window: Duration::from_hours(24),
    bulk_edit: 10,
    live_digest: Some(Duration::from_hours(1)),
    life: LifeRule {
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

/// The context in which a configuration is resolved.
pub(super) struct Resolver<'a> {
    pub(super) problems: &'a mut Problems,
    pub(super) warnings: Vec<(ValueSource, String)>,
    /// Secrets that could not be read and that the service needs.
    pub(super) unread: Vec<(ValueSource, String)>,
    /// The lists of feeds that were read.
    pub(super) lists: Vec<PathBuf>,
    pub(super) environment: &'a Environment,
    pub(super) secrets: Secrets,
    pub(super) file: Option<&'a Path>,
    pub(super) timezone: Tz,
    crons: HashMap<String, Arc<CronSchedule>>,
    tags: HashSet<Arc<[String]>>,
    recent: Recent,
}

/// Recently used settings, so that feeds with equal ones share them in memory.
#[derive(Default)]
struct Recent {
    fetch: Vec<Arc<FetchConfig>>,
    page: Vec<Arc<PageConfig>>,
    detect: Vec<Arc<DetectConfig>>,
}

/// The settings that apply unless a feed overrides them.
pub(super) struct Common {
    pub(super) timezone: Tz,
    pub(super) log: LogConfig,
    pub(super) plan: Plan,
    pub(super) fetch: Arc<FetchConfig>,
    pub(super) page: Arc<PageConfig>,
    pub(super) detect: Arc<DetectConfig>,
    pub(super) keep: Keep,
    pub(super) archive: ArchiveConfig,
    pub(super) web: WebConfig,
}

/// Feeds while they are being resolved.
pub(super) struct Building {
    feeds: Vec<FeedConfig>,
    addresses: HashMap<String, ValueSource>,
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

    /// The feeds, in the order of the file. Names that were not given are derived from the addresses and avoid
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

impl<'a> Resolver<'a> {
    pub(super) fn new(
        problems: &'a mut Problems,
        environment: &'a Environment,
        secrets: Secrets,
        file: Option<&'a Path>,
    ) -> Self {
        Self {
            problems,
            warnings: Vec::new(),
            unread: Vec::new(),
            lists: Vec::new(),
            environment,
            secrets,
            file,
            timezone: Tz::UTC,
            crons: HashMap::new(),
            tags: HashSet::new(),
            recent: Recent::default(),
        }
    }

    /// Resolves everything except feeds and targets.
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
            archive: self.archive(&raw.archive),
            web: self.web(&raw.web),
        }
    }

    /// Resolves one feed and adds it.
    pub(super) fn feed(&mut self, raw: RawFeed, common: &Common, building: &mut Building) {
        let place = raw.place.clone();
        let access = self.access(&raw.own);
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
        let kinds = FeedKind::ALL.map(|kind| (kind.as_str(), kind));
        let kind = self.choice("kind", raw.own.kind.as_ref(), &kinds, FeedKind::Feed);
        let plan = match kind {
            FeedKind::Feed => self.plan(&raw.fetch, &common.plan),
            FeedKind::Page => self.plan(&raw.fetch, &of_pages(&common.plan)),
        };
        let fetch = if raw.fetch.is_only_plan() {
            Arc::clone(&common.fetch)
        } else {
            let fetch = self.fetch(&raw.fetch, &common.fetch);
            shared(&mut self.recent.fetch, &common.fetch, fetch)
        };
        let page = if raw.page.is_empty() && kind == FeedKind::Feed {
            Arc::clone(&common.page)
        } else {
            let mut page = self.page(&raw.page, &common.page);
            if kind == FeedKind::Page {
                self.refuse_article_schedule(&raw.page);
                page.mode = PageMode::Always;
            }
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
            kind,
            tags,
            plan,
            fetch,
            access,
            page,
            detect,
        });
    }

    /// A single page has the schedule of a feed: the check schedule of an article ends after some time.
    fn refuse_article_schedule(&mut self, raw: &RawPage) {
        let places = [
            ("fetch", raw.fetch.as_ref().map(|fetch| &fetch.place)),
            (
                "recheck",
                raw.recheck.as_ref().map(|recheck| &recheck.place),
            ),
        ];
        for (key, place) in places {
            if let Some(place) = place {
                let message =
                    format!("page.{key} does not apply to kind = \"page\"; use every or cron");
                self.problems.add(place, message);
            }
        }
    }

    fn feed_url(&mut self, url: &At<String>, addresses: &mut HashMap<String, ValueSource>) {
        match http_url(&url.value) {
            Ok(parsed) => {
                if let Some(first) = addresses.get(parsed.as_str()) {
                    let first = self.problems.mentioned(first, &url.place);
                    let message = format!("this address is already in the configuration, {first}");
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
                format!(
                    "another {what} already has the name {name_text:?}; choose a different name"
                ),
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

    /// Valid tags, without duplicates.
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
        let Some(name) = name.filter(|name| !name.value.is_empty()) else {
            return self.environment.zone();
        };
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
                "{:?} is not a time zone; expected one such as \"UTC\" or \"Europe/Paris\"{near}",
                shortened(&name.value)
            );
            self.problems.add(&name.place, message);
            Tz::UTC
        })
    }

    fn log(&mut self, raw: &RawLog) -> LogConfig {
        let formats = LogFormat::ALL.map(|format| (format.as_str(), format));
        let levels = LogLevel::ALL.map(|level| (level.as_str(), level));
        LogConfig {
            format: self.choice("format", raw.format.as_ref(), &formats, LogFormat::Auto),
            level: self.choice("level", raw.level.as_ref(), &levels, LogLevel::Info),
        }
    }

    fn keep(&mut self, raw: &RawKeep) -> Keep {
        Keep {
            captures: self.retention("captures", raw.captures.as_ref()),
            revisions: self.retention("revisions", raw.revisions.as_ref()),
        }
    }
}

/// The plan of a page without a rhythm of its own: no feed hints at how often it is worth a request.
fn of_pages(common: &Plan) -> Plan {
    Plan {
        every: Every::Interval(PAGE_EVERY),
        slowest: None,
        unconditional: None,
        ..common.clone()
    }
}

/// Reuses an equal value if there is one.
fn shared<T: PartialEq>(recent: &mut Vec<Arc<T>>, common: &Arc<T>, value: T) -> Arc<T> {
    // More kinds of settings than this are rare; a longer search would cost more than it saves.
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
