//! What is known of a host's robots.txt, and for how long: RFC 9309 2.3 and 2.4.

use std::time::Duration;

use url::Url;

use super::{MAX_BYTES, PRODUCT, RobotsRules};
use crate::domain::backoff::doubling;
use crate::domain::schedule::LONGEST_RETRY_AFTER;
use crate::time::Timestamp;

/// An answer holds at most this long.
const LONGEST: Duration = Duration::from_hours(24);

/// An answer holds at least this long, whatever its `max-age`: a hundred pages are no reason to ask a hundred times.
const SHORTEST: Duration = Duration::from_hours(1);

/// A host whose robots.txt cannot be read is asked again after this, then after twice that, up to a day.
const FIRST_RETRY: Duration = Duration::from_mins(10);

/// After so long without an answer a host is taken for one that has no robots.txt.
const GIVEN_UP: Duration = Duration::from_hours(24 * 30);

/// What a request for a robots.txt found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsFound {
    /// A file.
    File(Vec<u8>),
    /// The file is as it was (304).
    Same,
    /// None: 4xx, or redirects without an end.
    None,
    /// No answer that says anything: 5xx, 429, or no connection. The text says why.
    Unreachable(String),
}

/// What is known of the robots.txt of one origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownRobots {
    /// The file as it was last read, at most [`MAX_BYTES`]; `None` when there was none.
    pub body: Option<Vec<u8>>,
    /// The last request, however it ended; `None` before the first.
    pub asked: Option<Timestamp>,
    /// When to ask again.
    pub ask_again: Option<Timestamp>,
    /// Since when nothing has been answered that says anything; `None` while it is.
    pub unreachable_since: Option<Timestamp>,
    /// Requests since then.
    pub failures: u32,
    /// Whether there ever was an answer.
    pub answered: bool,
    /// Why there is none, for people.
    pub error: Option<String>,
}

/// Whether an address may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsVerdict {
    /// Yes.
    Allowed,
    /// No; the text says why, for people.
    Forbidden(String),
}

impl KnownRobots {
    /// Whether it holds without asking again. What was learned in the future, by a clock that was put back since, does
    /// not.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked <= now) && self.ask_again.is_some_and(|at| now < at)
    }

    /// What is known after a request at `now`; `asked_for` is how long the answer says that it holds, or the host that
    /// it wants to be left alone.
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
                // One byte more tells that there is more.
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

    /// The rules for us that follow from the file.
    #[must_use]
    pub fn rules(&self) -> RobotsRules {
        self.body
            .as_deref()
            .map_or_else(RobotsRules::default, |body| {
                RobotsRules::parse(body, PRODUCT)
            })
    }

    /// Whether an address may be asked for. A host that has never answered forbids everything, for a month; one that
    /// has answered before is taken at its word.
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
