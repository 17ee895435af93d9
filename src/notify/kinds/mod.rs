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

/// The longest pause that a receiver can ask for; the last step of the schedule is as long.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The receiver has taken it.
    Delivered,
    /// Not this time; `after` is what the receiver asks for.
    Retry {
        /// At most [`MAX_RETRY_AFTER`].
        after: Option<Duration>,
    },
    /// The receiver wants nothing any more, for this reason.
    Disabled(String),
    /// It can never be sent: the target's address is none, or the event cannot be read.
    Dead,
}

/// What became of an attempt, with what is noted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What follows from it.
    pub result: DeliveryResult,
    /// HTTP status, or the code of a mail server, when there was an answer.
    pub status: Option<u16>,
    /// Whether it was this event that was refused: later ones do not wait for it.
    pub refused: bool,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// Where the post is, for what replies to it: as the kind reads it from [`Letter::thread`].
    pub post: Option<String>,
}

/// One event for one target.
pub(crate) struct Letter<'a> {
    /// Where it goes.
    pub target: &'a Target,
    /// The event as it is stored.
    pub stored: &'a [u8],
    /// The event.
    pub event: &'a Event,
    /// What it says.
    pub message: &'a Message,
    /// The same on every attempt.
    pub uid: &'a str,
    /// The moment of this attempt.
    pub at: Timestamp,
    /// When the event was noticed.
    pub created: Timestamp,
    /// What an earlier conversation with this target left to be remembered, such as a session.
    pub memory: Option<&'a str>,
    /// The first post about the same article.
    pub thread: Option<&'a str>,
}

impl Letter<'_> {
    /// Whether a person should look now.
    fn is_weighty(&self) -> bool {
        let change = self.event.data.change.as_ref();
        change.is_some_and(|change| change.significance >= Significance::Substantive)
    }

    /// A text of the settings; configuration has checked that what is required is there.
    fn text(&self, key: &str) -> &str {
        self.target.settings.text(key).unwrap_or_default()
    }

    /// The address of a service, without a slash at its end.
    fn server(&self) -> &str {
        self.text("server").trim_end_matches('/')
    }
}

/// What an attempt does.
pub(crate) enum Work {
    /// Asks over HTTP; the word tells the steps of a conversation apart.
    Ask(PostRequest, &'static str),
    /// Sends a mail.
    Mail(Box<email::Mail>),
    /// Runs a program.
    Run(CommandRun),
    /// Publishes to a broker.
    Publish(Publish),
}

/// What follows from an answer.
pub(crate) enum Step {
    /// The attempt is over.
    Done(Judged),
    /// Another request belongs to it, and something is to be remembered for later attempts.
    Next(PostRequest, &'static str, Option<String>),
}

/// One kind of target.
pub(crate) trait Kind: Sync {
    /// What is sent. An error says why this event can never be.
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String>;

    /// What an answer means; `step` is the word of the request.
    fn judge(&self, _letter: &Letter<'_>, _step: &'static str, answer: &PostAnswer) -> Step {
        Step::Done(judge(answer))
    }
}

/// How targets of a kind are spoken to.
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

/// 2xx is success, 410 the end; 429, 502, 503 and 504 may say when to come back. Everything else, redirects included,
/// is a failure that may pass.
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

/// Whether a status says that the receiver does not take this event: 408, 425 and 429 speak of the moment, and 410 of the
/// address.
pub(super) fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && ![408, 410, 425, 429].contains(&status)
}

/// A pause that the body of an answer asks for, in seconds, which may have a fraction.
fn pause(answer: &PostAnswer, seconds: Option<f64>) -> Judged {
    let asked = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
    // A part of a second too early would be refused again.
    let after = asked
        .or(answer.retry_after)
        .map(|after| after.min(MAX_RETRY_AFTER));
    failed(answer, DeliveryResult::Retry { after })
}

/// The receiver is gone, which the service says with this status.
fn gone(answer: &PostAnswer, what: &str) -> Judged {
    failed(
        answer,
        DeliveryResult::Disabled(format!("{what} ({})", answer.message)),
    )
}

/// An answer of success that says in its body that it is none.
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
