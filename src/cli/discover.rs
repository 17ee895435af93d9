//! From user input to feeds: the address of a feed, of a site that links to its feeds, or of one that does not.

use std::fmt::Write as _;
use std::time::Duration;

use super::input;
use super::output::ProgressLine;
use crate::check::Settings;
use crate::config::Config;
use crate::domain::outcome::Validators;
use crate::error::Error;
use crate::extract::{feed_links_after, header_links};
use crate::feed::list::Written;
use crate::feed::{self, FeedError, Format, Limits, ParsedFeed};
use crate::fetch::{Answer, Client, FetchRequest, Fetched, Lane, Turns, host_key};
use crate::report::clean;

/// How long to wait for a host that rate-limits us: a user is waiting for the result.
const PATIENCE: Duration = Duration::from_secs(30);

/// A feed that was read.
#[derive(Debug)]
pub(super) struct FoundFeed {
    /// The address to poll.
    pub(super) url: String,
    /// Its own title.
    pub(super) title: Option<String>,
    /// The name of the format, for people.
    pub(super) format: &'static str,
    /// The response of its server, which is reused for the first snapshot; `None` for a page, which is fetched by
    /// its check.
    pub(super) answer: Option<Answer>,
}

impl FoundFeed {
    /// The page at an address, to be watched as a single page.
    pub(super) fn page_itself(address: &str) -> Result<Self, Error> {
        let url = Written::read(address).url;
        if !url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(Error::usage(format!(
                "`{address}` is not an http or https address"
            )));
        }
        Ok(Self {
            url,
            title: None,
            format: "page",
            answer: None,
        })
    }
}

/// Searches for feeds, with the same pauses as the service.
pub(super) struct Finder<'p> {
    client: Client,
    turns: Turns,
    progress: &'p mut ProgressLine,
    notes: Vec<String>,
}

/// A request that returned no document.
struct NoAnswer {
    url: String,
    why: String,
    /// Whether the host rate-limits us.
    unwelcome: bool,
    /// Whether the host appears to have no https.
    may_be_plain: bool,
    /// The status of the response.
    status: Option<u16>,
}

impl From<NoAnswer> for Error {
    fn from(none: NoAnswer) -> Self {
        let error = Self::usage(format!("cannot read {}: {}", none.url, none.why));
        if none.status != Some(401) {
            return error;
        }
        error.hint(
            "to add a feed with a login, write a [[feed]] table in the configuration with `user` and \
             `password_file`, or with `token_file`, next to its `url`",
        )
    }
}

impl<'p> Finder<'p> {
    /// A finder that can reach the same addresses as the feeds of the configuration.
    pub(super) fn new(config: &Config, progress: &'p mut ProgressLine) -> Result<Self, Error> {
        let fetch = &config.fetch;
        let turns = Turns::new(fetch.per_host, fetch.host_delay, fetch.concurrency);
        turns.set_hosts(Settings::new(config.clone()).host_limits());
        Ok(Self {
            client: input::client(config)?,
            turns,
            progress,
            notes: Vec::new(),
        })
    }

    /// Clears the progress line, to print something else.
    pub(super) fn pause(&mut self) {
        self.progress.clear();
    }

    /// The assumptions made since the last call, for people.
    pub(super) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// The feeds at an address. If a site has several, the user chooses with `pick` (from 1) or `all`.
    pub(super) async fn feeds_at(
        &mut self,
        address: &str,
        pick: Option<usize>,
        all: bool,
    ) -> Result<Vec<FoundFeed>, Error> {
        let (address, answer) = self.first(Written::read(address)).await?;
        let error = match read(&answer) {
            Ok(parsed) => return Ok(vec![found(&address, answer, &parsed)]),
            Err(error) => error,
        };
        let no_feed = || Error::usage(format!("{address}: {error}"));
        if !matches!(error, FeedError::NotAFeed { .. }) || !input::is_html(&answer.body) {
            return Err(no_feed());
        }
        let html = input::text(&answer.body);
        let base = answer.final_url.as_str();
        let headers = answer.headers.iter().filter(|(name, _)| name == "link");
        let head = headers.flat_map(|(_, value)| header_links(value, base));
        let links = feed_links_after(head.collect(), &html, base);
        let chosen: Vec<&str> = match (links.as_slice(), pick) {
            ([], _) => return self.usual_place(&answer.final_url, no_feed()).await,
            (links, Some(number)) => {
                let link = number.checked_sub(1).and_then(|at| links.get(at));
                let link = link.ok_or_else(|| {
                    Error::usage(format!(
                        "{address}: there are {} feeds, but no number {number}",
                        links.len()
                    ))
                    .hint(choices(links))
                })?;
                vec![&link.url]
            }
            ([only], None) => vec![&only.url],
            (links, None) if all => links.iter().map(|link| link.url.as_str()).collect(),
            (links, None) => {
                return Err(Error::usage(format!(
                    "{address}: this HTML page links to {} feeds",
                    links.len()
                ))
                .hint(choices(links)));
            }
        };
        let mut feeds = Vec::with_capacity(chosen.len());
        for url in chosen {
            let answer = self.get(url).await?;
            let parsed = read(&answer).map_err(|error| Error::usage(format!("{url}: {error}")))?;
            feeds.push(found(url, answer, &parsed));
        }
        Ok(feeds)
    }

    /// Fetches the requested document. If the user gave no scheme, falls back to http if there is no https.
    async fn first(&mut self, written: Written) -> Result<(String, Answer), NoAnswer> {
        let Written { url, assumed } = written;
        let none = match self.get(&url).await {
            Ok(answer) => return Ok((url, answer)),
            Err(none) => none,
        };
        let rest = url.strip_prefix("https://").filter(|_| assumed);
        let Some(rest) = rest.filter(|_| none.may_be_plain) else {
            return Err(none);
        };
        let plain = format!("http://{rest}");
        match self.get(&plain).await {
            Ok(answer) => {
                self.notes
                    .push(format!("https does not work ({}): using {plain}", none.why));
                Ok((plain, answer))
            }
            // If http responds, its response is more informative.
            Err(other) if other.status.is_some() => Err(other),
            Err(_) => Err(none),
        }
    }

    /// Tries the common places for feeds if a page links to none; returns the first one found.
    async fn usual_place(&mut self, base: &str, no_feed: Error) -> Result<Vec<FoundFeed>, Error> {
        for url in feed::discover::usual_addresses(base) {
            match self.get(&url).await {
                Ok(answer) => {
                    if let Ok(parsed) = read(&answer) {
                        return Ok(vec![found(&url, answer, &parsed)]);
                    }
                }
                // The host has asked us to stop.
                Err(none) if none.unwelcome => {
                    return Err(no_feed.hint(format!(
                        "the page links to no feed, and its host accepts no more requests now ({}); give the address of the \
                         feed itself",
                        none.why
                    )));
                }
                Err(_) => {}
            }
        }
        Err(no_feed.hint(
            "the page links to no feed, and the usual addresses have none; give the address of the feed itself",
        ))
    }

    /// Fetches an address when it is the turn of its host.
    async fn get(&mut self, url: &str) -> Result<Answer, NoAnswer> {
        let none = |why: &str| NoAnswer {
            url: url.to_owned(),
            why: why.to_owned(),
            unwelcome: false,
            may_be_plain: false,
            status: None,
        };
        self.progress
            .show(&format!("checking {}", clean::address(url)));
        let host = host_key(url);
        let turn = self.turns.take_within(&host, Lane::Feed, PATIENCE).await;
        let _turn = turn.map_err(|held| {
            let held = held.as_secs();
            NoAnswer {
                unwelcome: true,
                ..none(&format!(
                    "skipped: the host asked us to wait another {held} s"
                ))
            }
        })?;
        let request = FetchRequest::feed(url, Validators::default());
        match self.client.get(&request).await {
            Fetched::Body(answer) => Ok(*answer),
            Fetched::Gone(_) => Err(none("returned 410 Gone")),
            Fetched::NotModified(_) => Err(none(
                "returned 304 Not Modified to an unconditional request",
            )),
            Fetched::Failed(failure) => {
                if let Some(wait) = failure.retry_after {
                    self.turns.hold(&host, wait);
                }
                let busy = matches!(failure.status, Some(429 | 503));
                Err(NoAnswer {
                    unwelcome: busy || failure.retry_after.is_some(),
                    may_be_plain: failure.may_be_plain(),
                    status: failure.status,
                    ..none(&failure.message)
                })
            }
        }
    }
}

fn read(answer: &Answer) -> Result<ParsedFeed, FeedError> {
    feed::parse(
        &answer.body,
        answer.content_type.as_deref(),
        &answer.final_url,
        &Limits::default(),
    )
}

fn found(asked: &str, answer: Answer, parsed: &ParsedFeed) -> FoundFeed {
    // Only a permanent redirect is worth saving: other redirects may lead elsewhere tomorrow.
    let url = answer.permanent_url.as_deref().unwrap_or(asked);
    FoundFeed {
        url: url.to_owned(),
        title: parsed.title.clone(),
        format: match parsed.format {
            Format::Rss => "RSS",
            Format::Atom => "Atom",
            Format::Rdf => "RSS 1.0",
            Format::Json => "JSON Feed",
        },
        answer: Some(answer),
    }
}

fn choices(links: &[crate::extract::FeedLink]) -> String {
    let mut text = "--pick N adds one of them, --all adds all:".to_owned();
    for (at, link) in links.iter().enumerate() {
        let title = link.title.as_deref().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n    {}  {}  {}",
            at + 1,
            clean::excerpt(&clean::address(&link.url), 200),
            clean::excerpt(title, 80)
        );
    }
    text
}
