//! What the program uses: durations, limits, and the settings of each feed.
//!
//! Settings that feeds share are shared in memory, so that ten thousand feeds cost little more than their addresses.

use crate::names;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;

use super::archive::ArchiveConfig;
use super::kinds::{Settings, TargetKind};
use super::secret::{Secret, SecretSource};
use super::texts::drop_in_folder;
use super::web::WebConfig;
use crate::domain::article_clock::Ladder;
use crate::domain::classify::{Label, Significance};
use crate::domain::event::Field;
use crate::domain::holding::Holding;
use crate::domain::life::Rule;
use crate::domain::route::TargetRule;
use crate::domain::schedule::Plan;
use crate::domain::url::canonical;
use crate::domain::wording::Phrase;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file that was read; `None` when there is none and the defaults hold.
    pub file: Option<PathBuf>,
    /// The files of `conf.d` that were read.
    pub drop_ins: Vec<PathBuf>,
    /// The lists of feeds that were read.
    pub lists: Vec<PathBuf>,
    /// The database, found by design §4.
    pub database: PathBuf,
    /// For cron schedules, digests, reports and dates without an offset.
    pub timezone: Tz,
    /// Messages of the service.
    pub log: LogConfig,
    /// How feeds and pages are fetched, unless a feed says otherwise.
    pub fetch: Arc<FetchConfig>,
    /// When feeds are polled, unless a feed says otherwise.
    pub plan: Plan,
    /// When pages are read, unless a feed says otherwise.
    pub page: Arc<PageConfig>,
    /// What is told, unless a feed says otherwise.
    pub detect: Arc<DetectConfig>,
    /// What is kept.
    pub keep: Keep,
    /// Whether pages are saved by a web archive as well.
    pub archive: ArchiveConfig,
    /// What the service answers, and whom.
    pub web: WebConfig,
    /// In the order of the file; addresses and names are unique.
    pub feeds: Vec<FeedConfig>,
    /// In the order of the file; names are unique.
    pub targets: Vec<TargetConfig>,
}

impl Config {
    /// The feed of this name, or of this address as it stands in the file.
    #[must_use]
    pub fn feed(&self, name_or_url: &str) -> Option<&FeedConfig> {
        let named = self.feeds.iter().find(|feed| feed.name == name_or_url);
        named.or_else(|| self.feeds.iter().find(|feed| feed.url == name_or_url))
    }

    /// The feed that a person means: by name, by address, or by another form of its address when no other feed has it.
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

    /// The feeds whose address differs only in its form (scheme, `www.`, slash at the end) from one of `left`, which have
    /// left the configuration; each with that one.
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

    /// What each target wants to be told.
    #[must_use]
    pub fn target_rules(&self) -> Vec<TargetRule> {
        self.targets.iter().map(TargetConfig::rule).collect()
    }

    /// What makes another configuration when it is edited: the files, the folder of further ones, and secrets.
    #[must_use]
    pub fn watched_files(&self) -> Vec<PathBuf> {
        let folder = self.file.as_deref().map(drop_in_folder);
        let secrets = self.secret_files();
        let secrets = secrets.into_iter().map(Path::to_path_buf);
        let files = self.files().cloned();
        files.chain(folder).chain(secrets).collect()
    }

    /// All files that were read: the configuration file, those of `conf.d`, the lists of feeds.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.file.iter().chain(&self.drop_ins).chain(&self.lists)
    }

    /// The files that secrets were read from, each once: an edit of one is an edit of the configuration.
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
    /// How messages look.
    pub format: LogFormat,
    /// The least that is logged.
    pub level: LogLevel,
}

names! {
    /// How messages look.
    pub enum LogFormat {
        /// For the journal under systemd, else text.
        Auto = "auto",
        /// With priorities, for the journal.
        Journal = "journal",
        /// For people.
        Text = "text",
        /// One object a line.
        Json = "json",
    }
}

names! {
    /// The least that is logged.
    pub enum LogLevel {
        /// What needs a person.
        Error = "error",
        /// What was recovered from.
        Warn = "warn",
        /// A line a check at most.
        Info = "info",
        /// For finding faults.
        Debug = "debug",
    }
}

/// `[fetch]`, but for the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchConfig {
    /// Requests at once, over all hosts; the same for all feeds.
    pub concurrency: usize,
    /// Memory for the documents in hand, in bytes; the same for all feeds.
    pub memory: u64,
    /// Requests at once to one host.
    pub per_host: usize,
    /// The pause between two requests to one host.
    pub host_delay: Duration,
    /// The whole time of a request.
    pub timeout: Duration,
    /// The largest decoded body in bytes.
    pub max_size: u64,
    /// Added to the user agent; may be empty.
    pub user_agent_contact: String,
    /// Networks that may be reached besides the public ones.
    pub allow_private: Vec<IpNet>,
    /// The way out.
    pub proxy: Proxy,
    /// Certificates (PEM) that are believed besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The way out to feeds and pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// None.
    Direct,
    /// An HTTP proxy.
    Through {
        /// Its address, which may hold a user name and a password; `None` only when the configuration was loaded with
        /// [`super::Secrets::WhereReadable`] and the source could not be read.
        url: Option<Secret>,
        /// Where the address comes from.
        source: SecretSource,
    },
}

/// What the requests for a feed carry besides: to its own origin, and to nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// Who asks.
    pub login: Option<Login>,
    /// Headers, in the order of the file; names differ.
    pub headers: Vec<HeaderConfig>,
}

/// Who asks. Secrets are `None` when they could not be read.
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

/// One header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderConfig {
    /// As it stands in the file.
    pub name: String,
    /// `None` when it could not be read.
    pub value: Option<Secret>,
    /// Where the value comes from.
    pub source: SecretSource,
}

names! {
    /// When article pages are read.
    pub enum PageMode {
        /// Never.
        Off = "off",
        /// When the entry is new or changed in its feed.
        Changed = "changed",
        /// On the article clock.
        Always = "always",
    }
}

/// `[page]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageConfig {
    /// When pages are read.
    pub mode: PageMode,
    /// The article clock.
    pub recheck: Ladder,
    /// Whether robots.txt is obeyed.
    pub robots: bool,
    /// Pages an hour from one host at most, the same for all feeds; `None` for no limit but that of the pauses.
    pub host_budget: Option<u32>,
    /// CSS selectors of the elements that hold the text; found by general rules when there are none.
    pub select: Vec<String>,
    /// CSS selectors of elements that are taken out before the text is looked for.
    pub remove: Vec<String>,
}

/// `[detect]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectConfig {
    /// The least that is told.
    pub significance: Significance,
    /// Two returns within this time are flapping.
    pub flap_window: Duration,
    /// So many changed entries in one poll are one event.
    pub bulk_edit: usize,
    /// Additions to a live article are summed up once in this time; `None` tells each.
    pub live_digest: Option<Duration>,
    /// When an article counts as removed, and how soon a look is repeated.
    pub life: Rule,
    /// Regular expressions for the parts of a text that are not compared.
    pub ignore: Vec<String>,
}

/// `[keep]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Raw answers.
    pub captures: Retention,
    /// Revisions.
    pub revisions: Retention,
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// For ever.
    All,
    /// The newest so many.
    Newest(u32),
    /// So long.
    For(Duration),
}

/// What is at the address of a `[[feed]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// A document that lists entries.
    Feed,
    /// One page, watched by itself: its only entry is the page, and a poll is a check of it.
    Page,
}

impl FeedKind {
    /// Both.
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
    /// The address, as it stands in the file: it is the feed's identity, and what is asked for.
    pub url: String,
    /// Unique among the feeds.
    pub name: String,
    /// What is at the address.
    pub kind: FeedKind,
    /// For choosing.
    pub tags: Arc<[String]>,
    /// When it is polled.
    pub plan: Plan,
    /// How it and its pages are fetched.
    pub fetch: Arc<FetchConfig>,
    /// What its requests carry besides; `None` for nothing.
    pub access: Option<Box<Access>>,
    /// When its pages are read.
    pub page: Arc<PageConfig>,
    /// What of it is told.
    pub detect: Arc<DetectConfig>,
}

/// One `[[target]]`, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// Unique among the targets.
    pub name: String,
    /// How it is told.
    pub kind: TargetKind,
    /// The keys of its kind.
    pub settings: Settings,
    /// Event names and patterns.
    pub events: Vec<String>,
    /// Names of feeds; empty means all feeds.
    pub feeds: Vec<String>,
    /// Tags of feeds; empty means all feeds.
    pub tags: Vec<String>,
    /// Only changes with one of these labels; empty means any.
    pub labels: Vec<Label>,
    /// Only articles with one of these in a headline, or in text that was removed or added; empty means any.
    pub words: Vec<Phrase>,
    /// What is held back for a digest.
    pub holding: Holding,
    /// Only changes of one of these fields; empty means any.
    pub fields: Vec<Field>,
    /// Only changes with this score or more.
    pub min_score: u8,
    /// The least that is told here. What a feed's `detect.significance` holds back is not told anywhere.
    pub significance: Significance,
    /// The largest body in bytes.
    pub max_payload: u64,
    /// Deliveries that may wait; further events are given up at once, kept and counted.
    pub max_queue: usize,
    /// Networks that are not public and may be reached all the same.
    pub allow_private: Vec<IpNet>,
}

impl TargetConfig {
    /// What it wants to be told.
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
