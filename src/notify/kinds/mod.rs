//! How to send to each kind of target: pure, one file for each kind.
//!
//! A kind turns an event into [`Work`] (a request, a mail, a run of a program) and interprets the response.
//! [`super::deliver`] does the sending. [`crate::report::message`] lays out messages, measured in the way the
//! service writes and counts them; limits are constants with their source. Text from outside stays plain text:
//! each file escapes it for its service and disables mentions.
//!
//! `request` depends on the letter alone, so that digests can be rendered in the same way.

mod apprise;
mod bluesky;
mod command;
pub(super) mod discord;
pub(super) mod email;
mod gotify;
mod healthchecks;
mod mastodon;
mod matrix;
mod mattermost;
mod mqtt;
mod ntfy;
mod pushover;
mod slack;
mod style;
mod teams;
mod telegram;
#[cfg(test)]
mod tests;
mod webhook;

use std::time::Duration;

use serde_json::Value;

pub(super) use command::CommandRun;
pub(super) use healthchecks::heartbeat;
pub(super) use mqtt::Publish;
pub(super) use webhook::standard;

use super::target::Target;
use crate::config::TargetKind;
use crate::domain::classify::Significance;
use crate::domain::event::Event;
use crate::fetch::{PostAnswer, PostRequest};
use crate::report::message::Message;
use crate::time::Timestamp;

/// The longest pause that a receiver can ask for, as long as the last step of the schedule.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The receiver has accepted it.
    Delivered,
    /// Try again later, after `after` if the receiver asks for it.
    Retry {
        /// At most [`MAX_RETRY_AFTER`].
        after: Option<Duration>,
    },
    /// The receiver wants no more deliveries, for this reason.
    Disabled(String),
    /// It can never be sent: the target's address is not valid, or the event cannot be read.
    Dead,
}

/// The result of an attempt with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The result.
    pub result: DeliveryResult,
    /// HTTP status, or the reply code of a mail server, if there was a response.
    pub status: Option<u16>,
    /// Whether this event itself was refused; then later events do not wait for it.
    pub refused: bool,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// The address of the post, for replies to it: in the form that the kind expects in [`Letter::thread`].
    pub post: Option<String>,
}

/// One event for one target.
pub(crate) struct Letter<'a> {
    /// The receiver.
    pub target: &'a Target,
    /// The event as it is stored.
    pub stored: &'a [u8],
    /// The event.
    pub event: &'a Event,
    /// The event as a message.
    pub message: &'a Message,
    /// The same on every attempt.
    pub uid: &'a str,
    /// The time of this attempt.
    pub at: Timestamp,
    /// When the event was noticed.
    pub created: Timestamp,
    /// What an earlier conversation with this target asked to remember, such as a session.
    pub memory: Option<&'a str>,
    /// The first post about the same article.
    pub thread: Option<&'a str>,
    /// The change as PNG, for kinds of which [`TargetKind::is_public`] holds.
    pub picture: Option<&'a [u8]>,
}

impl Letter<'_> {
    /// Whether a person should see it now.
    fn is_weighty(&self) -> bool {
        let change = self.event.data.change.as_ref();
        change.is_some_and(|change| change.significance >= Significance::Substantive)
    }

    /// A text setting; the configuration has checked that required ones are set.
    fn text(&self, key: &str) -> &str {
        self.target.settings.text(key).unwrap_or_default()
    }

    /// The address of a service, without a trailing slash.
    fn server(&self) -> &str {
        self.text("server").trim_end_matches('/')
    }
}

/// What an attempt does.
pub(crate) enum Work {
    /// Sends an HTTP request; the word identifies the step of a conversation.
    Ask(PostRequest, &'static str),
    /// Sends a mail.
    Mail(Box<email::Mail>),
    /// Runs a program.
    Run(CommandRun),
    /// Publishes to a broker.
    Publish(Publish),
}

/// What follows from a response.
pub(crate) enum Step {
    /// The attempt is over.
    Done(Judged),
    /// The attempt needs another request; the text, if any, is remembered for later attempts.
    Next(PostRequest, &'static str, Option<String>),
}

/// One kind of target.
pub(crate) trait Kind: Sync {
    /// What to send. An error says why this event can never be sent.
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String>;

    /// Interprets a response; `step` is the word of the request.
    fn judge(&self, _letter: &Letter<'_>, _step: &'static str, answer: &PostAnswer) -> Step {
        Step::Done(judge(answer))
    }

    /// What follows if a request had no answer; `None` ends the attempt.
    fn unanswered(&self, _letter: &Letter<'_>, _step: &'static str) -> Option<Step> {
        None
    }
}

/// The implementation of a kind.
#[must_use]
pub(crate) fn of(kind: TargetKind) -> &'static dyn Kind {
    match kind {
        TargetKind::Webhook => &webhook::Webhook,
        TargetKind::Email => &email::Email,
        TargetKind::Slack => &slack::Slack,
        TargetKind::Mattermost => &mattermost::Mattermost,
        TargetKind::Discord => &discord::Discord,
        TargetKind::Ntfy => &ntfy::Ntfy,
        TargetKind::Telegram => &telegram::Telegram,
        TargetKind::Matrix => &matrix::Matrix,
        TargetKind::Teams => &teams::Teams,
        TargetKind::Gotify => &gotify::Gotify,
        TargetKind::Pushover => &pushover::Pushover,
        TargetKind::Apprise => &apprise::Apprise,
        TargetKind::Mqtt => &mqtt::Mqtt,
        TargetKind::Command => &command::CommandTarget,
        TargetKind::Bluesky => &bluesky::Bluesky,
        TargetKind::Mastodon => &mastodon::Mastodon,
        TargetKind::Healthchecks => &healthchecks::Healthchecks,
    }
}

/// 2xx is success, and 410 is final. 429, 502, 503 and 504 may say when to retry. Everything else, including
/// redirects, is a failure that may be temporary.
pub(super) fn judge(answer: &PostAnswer) -> Judged {
    let result = match answer.status {
        200..=299 => return done(answer),
        410 => DeliveryResult::Disabled("the receiver returned 410 Gone".to_owned()),
        429 | 502 | 503 | 504 => DeliveryResult::Retry {
            after: answer.retry_after.map(|after| after.min(MAX_RETRY_AFTER)),
        },
        _ => DeliveryResult::Retry { after: None },
    };
    failed(answer, result)
}

fn done(answer: &PostAnswer) -> Judged {
    Judged {
        result: DeliveryResult::Delivered,
        status: Some(answer.status),
        refused: false,
        error: None,
        post: None,
    }
}

fn failed(answer: &PostAnswer, result: DeliveryResult) -> Judged {
    let error = match (answer.status, answer.excerpt.is_empty()) {
        (300..=399, _) => format!("{}; redirects are not followed", answer.message),
        (_, true) => answer.message.clone(),
        (_, false) => format!("{}: {}", answer.message, answer.excerpt),
    };
    Judged {
        result,
        status: Some(answer.status),
        refused: is_refusal(answer.status),
        error: Some(error),
        post: None,
    }
}

/// Whether a status means that the receiver refuses this event: 408, 425 and 429 are about the time, and 410 is
/// about the address.
pub(super) fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && ![408, 410, 425, 429].contains(&status)
}

/// A pause in seconds, possibly with a fraction, from the body of a response.
fn pause(answer: &PostAnswer, seconds: Option<f64>) -> Judged {
    let asked = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
    // Keep the fraction: a request slightly too early would be refused again.
    let after = asked
        .or(answer.retry_after)
        .map(|after| after.min(MAX_RETRY_AFTER));
    failed(answer, DeliveryResult::Retry { after })
}

/// The receiver is gone, as this response of the service means.
fn gone(answer: &PostAnswer, what: &str) -> Judged {
    failed(
        answer,
        DeliveryResult::Disabled(format!("{what} ({})", answer.message)),
    )
}

/// A response with a success status whose body reports a failure.
fn not_taken(answer: &PostAnswer, why: &str) -> Judged {
    Judged {
        result: DeliveryResult::Retry { after: None },
        status: Some(answer.status),
        refused: false,
        error: Some(why.to_owned()),
        post: None,
    }
}

fn body(answer: &PostAnswer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_default()
}
