//! What is known about a host's robots.txt, and for how long: RFC 9309 2.3 and 2.4.

use std::time::Duration;

use url::Url;

use super::{MAX_BYTES, PRODUCT, RobotsRules};
use crate::domain::backoff::doubling;
use crate::domain::schedule::LONGEST_RETRY_AFTER;
use crate::time::Timestamp;

/// A response is valid for at most this long.
const LONGEST: Duration = Duration::from_hours(24);

/// A response is valid for at least this long, whatever its `max-age`: a hundred pages must not cause a hundred
/// requests.
const SHORTEST: Duration = Duration::from_hours(1);

/// The delay before the first retry for a host whose robots.txt cannot be read. It doubles, up to a day.
const FIRST_RETRY: Duration = Duration::from_mins(10);

/// After this long without a response, a host is treated as one without a robots.txt.
const GIVEN_UP: Duration = Duration::from_hours(24 * 30);

/// What a request for a robots.txt found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsFound {
    /// A file.
    File(Vec<u8>),
    /// The file has not changed (304).
    Same,
    /// No file: 4xx, or an endless redirect.
    None,
    /// No meaningful response: 5xx, 429, or no connection. The text says why.
    Unreachable(String),
}

/// What is known about the robots.txt of an origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownRobots {
    /// The file as it was last read, at most [`MAX_BYTES`]; `None` if there was none.
    pub body: Option<Vec<u8>>,
    /// The last request, however it ended; `None` before the first.
    pub asked: Option<Timestamp>,
    /// When to request it again.
    pub ask_again: Option<Timestamp>,
    /// Since when there has been no meaningful response; `None` if the last one was.
    pub unreachable_since: Option<Timestamp>,
    /// Requests since then.
    pub failures: u32,
    /// Whether there has ever been a response.
    pub answered: bool,
    /// Why it cannot be read, for people.
    pub error: Option<String>,
}

/// Whether an address may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsVerdict {
    /// Yes.
    Allowed,
    /// No; the text says why, for people.
    Forbidden(String),
}

impl KnownRobots {
    /// Whether it is valid without another request. It is not valid if it was learned in the future, before the
    /// clock was set back.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked <= now) && self.ask_again.is_some_and(|at| now < at)
    }

    /// What is known after a request at `now`. `asked_for` is how long the response is valid according to its
    /// headers, or how long the host wants us to wait.
    #[must_use]
    pub fn after(&self, found: RobotsFound, now: Timestamp, asked_for: Option<Duration>) -> Self {
        let holds = asked_for.map_or(LONGEST, |age| age.clamp(SHORTEST, LONGEST));
        let answered = |body: Option<Vec<u8>>| Self {
            body,
            asked: Some(now),
            ask_again: Some(now + holds),
            unreachable_since: None,
            failures: 0,
            answered: true,
            error: None,
        };
        match found {
            RobotsFound::File(mut body) => {
                // One extra byte shows that the file is larger.
                body.truncate(MAX_BYTES + 1);
                answered(Some(body))
            }
            RobotsFound::Same => answered(self.body.clone()),
            RobotsFound::None => answered(None),
            RobotsFound::Unreachable(why) => {
                let failures = self.failures.saturating_add(1);
                Self {
                    asked: Some(now),
                    ask_again: Some(
                        now + doubling(failures, FIRST_RETRY)
                            .max(asked_for.unwrap_or_default().min(LONGEST_RETRY_AFTER)),
                    ),
                    unreachable_since: Some(self.unreachable_since.unwrap_or(now)),
                    failures,
                    error: Some(why),
                    ..self.clone()
                }
            }
        }
    }

    /// The rules of the file that apply to us.
    #[must_use]
    pub fn rules(&self) -> RobotsRules {
        self.body
            .as_deref()
            .map_or_else(RobotsRules::default, |body| {
                RobotsRules::parse(body, PRODUCT)
            })
    }

    /// Whether an address may be fetched. A host that has never responded forbids everything, for a month; for a
    /// host that has responded before, its last response counts.
    #[must_use]
    pub fn judge(&self, rules: &RobotsRules, url: &Url, now: Timestamp) -> RobotsVerdict {
        if !self.answered
            && let Some(since) = self.unreachable_since
            && now.since(since) < GIVEN_UP
        {
            let why = self.error.as_deref().unwrap_or("no response");
            return RobotsVerdict::Forbidden(format!("robots.txt cannot be read: {why}"));
        }
        match rules.forbids(url) {
            Some(rule) => RobotsVerdict::Forbidden(format!("robots.txt forbids it ({rule})")),
            None => RobotsVerdict::Allowed,
        }
    }
}
