//! From what a person types to feeds: an address of a feed, of a site that names its feeds, or of one that hides them.

use std::fmt::Write as _;
use std::time::Duration;

use super::input;
use super::output::Progress;
use crate::config::Config;
use crate::domain::outcome::Validators;
use crate::error::Error;
use crate::extract::feed_links;
use crate::feed::{self, FeedError, Format, Limits, ParsedFeed};
use crate::fetch::{Answer, Client, FetchRequest, Fetched, Turns, host_key};
use crate::pipeline::Settings;
use crate::report::clean;

/// How long a host is waited for that has asked to be left alone: somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A feed that was read.
#[derive(Debug)]
pub(super) struct FoundFeed {
    /// The address to poll.
    pub(super) url: String,
    /// Its own title.
    pub(super) title: Option<String>,
    /// For people.
    pub(super) format: &'static str,
    /// What its server answered, so that nobody asks again for the baseline.
    pub(super) answer: Answer,
}

/// Who looks for feeds, with the pauses that the service keeps.
pub(super) struct Finder<'p> {
    client: Client,
    turns: Turns,
    progress: &'p mut Progress,
}

/// A request that brought no document.
struct NoAnswer {
    url: String,
    why: String,
    /// The host wants to be left alone.
    unwelcome: bool,
}

impl From<NoAnswer> for Error {
    fn from(none: NoAnswer) -> Self {
        Self::usage(format!("cannot read {}: {}", none.url, none.why))
    }
}

impl<'p> Finder<'p> {
    /// A finder that reaches what the feeds of the configuration may reach.
    pub(super) fn new(config: &Config, progress: &'p mut Progress) -> Result<Self, Error> {
        let fetch = &config.fetch;
        let turns = Turns::new(fetch.per_host, fetch.host_delay, fetch.concurrency);
        turns.set_hosts(Settings::new(config.clone()).host_limits());
        Ok(Self {
            client: input::client(config)?,
            turns,
            progress,
        })
    }

    /// Takes the line of progress away, for other words.
    pub(super) fn pause(&mut self) {
        self.progress.clear();
    }

    /// The feeds behind an address. A site with several needs a choice: `pick` (from 1), or `all`.
    pub(super) async fn feeds_at(
        &mut self,
        address: &str,
        pick: Option<usize>,
        all: bool,
    ) -> Result<Vec<FoundFeed>, Error> {
        let address = with_scheme(address);
        let answer = self.get(&address).await?;
        let error = match read(&answer) {
            Ok(parsed) => return Ok(vec![found(&address, answer, &parsed)]),
            Err(error) => error,
        };
        let no_feed = || Error::usage(format!("{address}: {error}"));
        if !matches!(error, FeedError::NotAFeed { .. }) || !input::is_html(&answer.body) {
            return Err(no_feed());
        }
        let html = input::text(&answer.body);
        let links = feed_links(&html, &answer.final_url);
        let chosen: Vec<&str> = match (links.as_slice(), pick) {
            ([], _) => return self.usual_place(&answer.final_url, no_feed()).await,
            (links, Some(number)) => {
                let link = number.checked_sub(1).and_then(|at| links.get(at));
                let link = link.ok_or_else(|| {
                    Error::usage(format!(
                        "{address}: there are {} feeds, and no number {number}",
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
                    "{address}: an HTML page that names {} feeds",
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

    /// Looks where feeds commonly are when a page names none; the first one is taken.
    async fn usual_place(&mut self, base: &str, no_feed: Error) -> Result<Vec<FoundFeed>, Error> {
        for url in feed::discover::usual_addresses(base) {
            match self.get(&url).await {
                Ok(answer) => {
                    if let Ok(parsed) = read(&answer) {
                        return Ok(vec![found(&url, answer, &parsed)]);
                    }
                }
                // To go on would be to insist.
                Err(none) if none.unwelcome => {
                    return Err(no_feed.hint(format!(
                        "the page names no feed, and its host wants no more requests now ({}); give the address of the \
                         feed itself",
                        none.why
                    )));
                }
                Err(_) => {}
            }
        }
        Err(no_feed.hint(
            "the page names no feed, and there is none where feeds usually are; give the address of the feed itself",
        ))
    }

    /// Asks for an address when it is the turn of its host.
    async fn get(&mut self, url: &str) -> Result<Answer, NoAnswer> {
        let none = |why: String, unwelcome| NoAnswer {
            url: url.to_owned(),
            why,
            unwelcome,
        };
        self.progress
            .show(&format!("looking at {}", clean::address(url)));
        let host = host_key(url);
        let turn = self.turns.take_within(&host, PATIENCE).await;
        let _turn = turn.map_err(|held| {
            let held = held.as_secs();
            let why = format!("not asked: the host wants to be left alone for another {held} s");
            none(why, true)
        })?;
        let request = FetchRequest::feed(url, Validators::default());
        match self.client.get(&request).await {
            Fetched::Body(answer) => Ok(*answer),
            Fetched::Gone(_) => Err(none("answered 410 Gone".to_owned(), false)),
            Fetched::NotModified(_) => {
                let why = "answered 304 Not Modified to a request for the whole";
                Err(none(why.to_owned(), false))
            }
            Fetched::Failed(failure) => {
                if let Some(wait) = failure.retry_after {
                    self.turns.hold(&host, wait);
                }
                let unwelcome =
                    failure.retry_after.is_some() || matches!(failure.status, Some(429 | 503));
                Err(none(failure.message, unwelcome))
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
    // Only a move for good is worth writing down: other redirects may lead elsewhere tomorrow.
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
        answer,
    }
}

fn with_scheme(address: &str) -> String {
    let address = address.trim();
    // `feed://` is what browsers once called it.
    let address = address
        .strip_prefix("feed://")
        .or_else(|| address.strip_prefix("feed:"))
        .unwrap_or(address);
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    }
}

fn choices(links: &[crate::extract::FeedLink]) -> String {
    let mut text = "--pick N takes one of them, --all takes all:".to_owned();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_one_of_the_web() {
        assert_eq!(with_scheme("news.example/rss"), "https://news.example/rss");
        assert_eq!(with_scheme(" http://a.example/ "), "http://a.example/");
        assert_eq!(with_scheme("feed://a.example/x"), "https://a.example/x");
        assert_eq!(
            with_scheme("feed:https://a.example/x"),
            "https://a.example/x"
        );
    }
}
