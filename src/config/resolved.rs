//! The values that the program uses: durations, limits, and the settings of each feed.
//!
//! Feeds with equal settings share them in memory, so that ten thousand feeds cost little more than their
//! addresses.

use crate::names;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;

use super::archive::ArchiveConfig;
use super::kinds::{KindSettings, TargetKind};
use super::secret::{Secret, SecretSource};
use super::texts::drop_in_folder;
use super::web::WebConfig;
use crate::domain::article_clock::Ladder;
use crate::domain::classify::{Label, Significance};
use crate::domain::event::Field;
use crate::domain::holding::Holding;
use crate::domain::life::LifeRule;
use crate::domain::route::TargetRule;
use crate::domain::schedule::Plan;
use crate::domain::url::canonical;
use crate::domain::wording::WordPhrase;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file that was read; `None` if there is none and the defaults apply.
    pub file: Option<PathBuf>,
    /// The files of `conf.d` that were read.
    pub drop_ins: Vec<PathBuf>,
    /// The lists of feeds that were read.
    pub lists: Vec<PathBuf>,
    /// The database, found as described in design §4.
    pub database: PathBuf,
    /// For cron schedules, digests, reports and dates without an offset.
    pub timezone: Tz,
    /// Messages of the service.
    pub log: LogConfig,
    /// How feeds and pages are fetched, unless a feed says otherwise.
    pub fetch: Arc<FetchConfig>,
    /// When feeds are polled, unless a feed says otherwise.
    pub plan: Plan,
    /// When pages are fetched, unless a feed says otherwise.
    pub page: Arc<PageConfig>,
    /// What is reported, unless a feed says otherwise.
    pub detect: Arc<DetectConfig>,
    /// What is kept.
    pub keep: Keep,
    /// Whether a web archive saves pages as well.
    pub archive: ArchiveConfig,
    /// What the service serves over HTTP, and to whom.
    pub web: WebConfig,
    /// In the order of the file; addresses and names are unique.
    pub feeds: Vec<FeedConfig>,
    /// In the order of the file; names are unique.
    pub targets: Vec<TargetConfig>,
}

impl Config {
    /// The feed with this name, or with exactly this address.
    #[must_use]
    pub fn feed(&self, name_or_url: &str) -> Option<&FeedConfig> {
        let named = self.feeds.iter().find(|feed| feed.name == name_or_url);
        named.or_else(|| self.feeds.iter().find(|feed| feed.url == name_or_url))
    }

    /// The feed that a user means: by name, by address, or by another form of the address if it matches only one
    /// feed.
    #[must_use]
    pub fn feed_meant(&self, name_or_url: &str) -> Option<&FeedConfig> {
        let wanted = name_or_url.trim();
        self.feed(wanted).or_else(|| {
            let wanted = canonical(wanted);
            let is_same = |feed: &&FeedConfig| canonical(&feed.url) == wanted;
            let mut same = self.feeds.iter().filter(is_same);
            same.next().filter(|_| same.next().is_none())
        })
    }

    /// The feeds whose address differs only in form (scheme, `www.`, trailing slash) from one of `left`, addresses
    /// that were removed from the configuration; each with the matching address.
    #[must_use]
    pub fn alike<'a>(&'a self, left: &'a [String]) -> Vec<(&'a FeedConfig, &'a str)> {
        if left.is_empty() {
            return Vec::new();
        }
        let left: HashMap<String, &str> = left
            .iter()
            .map(|url| (canonical(url), url.as_str()))
            .collect();
        let feeds = self.feeds.iter();
        let pair = |feed: &'a FeedConfig| Some((feed, *left.get(&canonical(&feed.url))?));
        feeds.filter_map(pair).collect()
    }

    /// Which events each target wants.
    #[must_use]
    pub fn target_rules(&self) -> Vec<TargetRule> {
        self.targets.iter().map(TargetConfig::rule).collect()
    }

    /// Everything that changes the configuration when edited: its files, the folder of further files, and secrets.
    #[must_use]
    pub fn watched_files(&self) -> Vec<PathBuf> {
        let folder = self.file.as_deref().map(drop_in_folder);
        let secrets = self.secret_files();
        let secrets = secrets.into_iter().map(Path::to_path_buf);
        let files = self.files().cloned();
        files.chain(folder).chain(secrets).collect()
    }

    /// All files that were read: the configuration file, the files of `conf.d`, and the lists of feeds.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.file.iter().chain(&self.drop_ins).chain(&self.lists)
    }

    /// The files that secrets were read from, without duplicates: editing one changes the configuration.
    #[must_use]
    pub fn secret_files(&self) -> BTreeSet<&Path> {
        let settings = self
            .targets
            .iter()
            .flat_map(|target| target.settings.iter());
        let targets = settings.map(|setting| Some(&setting.source));
        let access = self.feeds.iter().filter_map(|feed| feed.access.as_deref());
        let access = access.flat_map(|access| {
            let login = access.login.as_ref().map(Login::source);
            let headers = access.headers.iter().map(|header| Some(&header.source));
            headers.chain([login])
        });
        let fetches = self.feeds.iter().map(|feed| &feed.fetch);
        let proxies = fetches
            .chain([&self.fetch])
            .map(|fetch| match &fetch.proxy {
                Proxy::Direct => None,
                Proxy::Through { source, .. } => Some(source),
            });
        let archive = self.archive.key.iter().map(|key| Some(&key.source));
        let sources = targets.chain(access).chain(proxies).chain(archive);
        let sources = sources.flatten();
        sources.filter_map(SecretSource::file).collect()
    }
}

/// `[log]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// The format of messages.
    pub format: LogFormat,
    /// The lowest level that is logged.
    pub level: LogLevel,
}

names! {
    /// The format of messages.
    pub enum LogFormat {
        /// `Journal` under systemd, else `Text`.
        Auto = "auto",
        /// With priorities, for the systemd journal.
        Journal = "journal",
        /// For people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

names! {
    /// The lowest level that is logged.
    pub enum LogLevel {
        /// Errors that need a person.
        Error = "error",
        /// Errors that revisor recovered from.
        Warn = "warn",
        /// At most one line per check.
        Info = "info",
        /// Details for debugging.
        Debug = "debug",
    }
}

/// `[fetch]`, except for the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchConfig {
    /// Concurrent requests over all hosts; the same for all feeds.
    pub concurrency: usize,
    /// Memory for documents that are being processed, in bytes; the same for all feeds.
    pub memory: u64,
    /// Concurrent requests to one host.
    pub per_host: usize,
    /// The pause between two requests to the same host.
    pub host_delay: Duration,
    /// The total time limit of a request.
    pub timeout: Duration,
    /// The largest decoded body in bytes.
    pub max_size: u64,
    /// Contact address, added to the user agent; may be empty.
    pub user_agent_contact: String,
    /// Private networks that may be reached besides the public ones.
    pub allow_private: Vec<IpNet>,
    /// The proxy for requests.
    pub proxy: Proxy,
    /// Certificates (PEM) to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The proxy for feeds and pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// No proxy.
    Direct,
    /// An HTTP proxy.
    Through {
        /// Its address, which may contain a user name and a password; `None` only if the configuration was loaded
        /// with [`super::Secrets::WhereReadable`] and the source could not be read.
        url: Option<Secret>,
        /// Where the address comes from.
        source: SecretSource,
    },
}

/// What the requests for a feed carry in addition. It is sent only to the origin of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The credentials.
    pub login: Option<Login>,
    /// Headers, in the order of the file, with unique names.
    pub headers: Vec<HeaderConfig>,
}

/// The credentials. Secrets are `None` if they could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// `Authorization: Basic`
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Option<Secret>,
        /// Where the password comes from.
        source: SecretSource,
    },
    /// `Authorization: Bearer`
    Bearer {
        /// The token.
        token: Option<Secret>,
        /// Where it comes from.
        source: SecretSource,
    },
}

impl Login {
    /// Where the secret comes from.
    fn source(&self) -> &SecretSource {
        match self {
            Self::Basic { source, .. } | Self::Bearer { source, .. } => source,
        }
    }
}

/// A request header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderConfig {
    /// As written in the file.
    pub name: String,
    /// `None` if it could not be read.
    pub value: Option<Secret>,
    /// Where the value comes from.
    pub source: SecretSource,
}

names! {
    /// When article pages are fetched.
    pub enum PageMode {
        /// Never.
        Off = "off",
        /// When the entry is new or changed in its feed.
        Changed = "changed",
        /// On the check schedule of the page.
        Always = "always",
    }
}

/// `[page]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageConfig {
    /// When pages are fetched.
    pub mode: PageMode,
    /// The check schedule of a page.
    pub recheck: Ladder,
    /// Whether to obey robots.txt.
    pub robots: bool,
    /// Maximum number of pages per hour from one host, the same for all feeds; `None` for no limit besides the
    /// pauses.
    pub host_budget: Option<u32>,
    /// CSS selectors of the elements that contain the text; if empty, general rules find it.
    pub select: Vec<String>,
    /// CSS selectors of elements that are removed before the text is extracted.
    pub remove: Vec<String>,
}

/// `[detect]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectConfig {
    /// The lowest significance that is reported.
    pub significance: Significance,
    /// Two reverts within this time are flapping.
    pub flap_window: Duration,
    /// This many changed entries in one poll are one event.
    pub bulk_edit: usize,
    /// Additions to a live article are combined into one event per this interval; `None` reports each one.
    pub live_digest: Option<Duration>,
    /// When an article counts as removed, and how soon a check is repeated.
    pub life: LifeRule,
    /// Regular expressions for the parts of a text that are not compared.
    pub ignore: Vec<String>,
}

/// `[keep]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Raw responses.
    pub captures: Retention,
    /// Revisions.
    pub revisions: Retention,
}

/// How long data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Forever.
    All,
    /// Only the newest ones, this many.
    Newest(u32),
    /// For this long.
    For(Duration),
}

/// What is at the address of a `[[feed]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// A document that lists entries.
    Feed,
    /// A single page: its only entry is the page, and a poll is a check of the page.
    Page,
}

impl FeedKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Feed, Self::Page];

    /// The name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Page => "page",
        }
    }
}

/// One `[[feed]]`, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedConfig {
    /// The address as written in the file: it is the feed's identity, and what is requested.
    pub url: String,
    /// Unique among the feeds.
    pub name: String,
    /// What is at the address.
    pub kind: FeedKind,
    /// For selecting feeds.
    pub tags: Arc<[String]>,
    /// When it is polled.
    pub plan: Plan,
    /// How it and its pages are fetched.
    pub fetch: Arc<FetchConfig>,
    /// What its requests carry in addition; `None` for nothing.
    pub access: Option<Box<Access>>,
    /// When its pages are fetched.
    pub page: Arc<PageConfig>,
    /// What is reported.
    pub detect: Arc<DetectConfig>,
}

/// One `[[target]]`, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// Unique among the targets.
    pub name: String,
    /// How alerts are sent.
    pub kind: TargetKind,
    /// The keys of its kind.
    pub settings: KindSettings,
    /// Event names and patterns.
    pub events: Vec<String>,
    /// Names of feeds; empty means all feeds.
    pub feeds: Vec<String>,
    /// Tags of feeds; empty means all feeds.
    pub tags: Vec<String>,
    /// Only changes with one of these labels; empty means any.
    pub labels: Vec<Label>,
    /// Only articles with one of these in a headline, or in text that was removed or added; empty means any.
    pub words: Vec<WordPhrase>,
    /// Which events are held back for a digest.
    pub holding: Holding,
    /// Only changes of one of these fields; empty means any.
    pub fields: Vec<Field>,
    /// Only changes with at least this score.
    pub min_score: u8,
    /// The lowest significance that is sent here. Events below a feed's `detect.significance` are not sent to any
    /// target.
    pub significance: Significance,
    /// The largest body in bytes.
    pub max_payload: u64,
    /// How many deliveries may be pending; further events are given up immediately, but kept and counted.
    pub max_queue: usize,
    /// Private networks that may be reached anyway.
    pub allow_private: Vec<IpNet>,
}

impl TargetConfig {
    /// Which events it wants.
    #[must_use]
    pub fn rule(&self) -> TargetRule {
        TargetRule {
            name: self.name.clone(),
            events: self.events.clone(),
            feeds: self.feeds.clone(),
            tags: self.tags.clone(),
            labels: self.labels.clone(),
            phrases: self.words.clone(),
            fields: self.fields.clone(),
            min_score: self.min_score,
            significance: self.significance,
        }
    }
}
