//! One attempt of one delivery.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::redact::redact;
use super::sign::sign;
use super::target::Target;
use crate::fetch::{
    AddressPolicy, Client, ClientConfig, ClientError, FailureKind, FetchFailure, PostAnswer,
    PostRequest,
};
use crate::time::{Clock, Stopwatch, Timestamp};

/// The whole time of an attempt.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest pause that a receiver can ask for; the last step of the schedule is as long.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

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
    /// The receiver wants nothing any more.
    Disabled,
    /// It can never be sent: the target's address is none, or the event cannot be read.
    Dead,
}

/// An attempt, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// What became of it.
    pub result: DeliveryResult,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// What went wrong, for people; may hold the beginning of the receiver's answer.
    pub error: Option<String>,
}

/// Sends one event to one target.
pub trait Deliver: Send + Sync {
    /// One attempt. `uid` is the same on every attempt of a delivery.
    fn deliver(
        &self,
        target: &Target,
        uid: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Attempt> + Send;
}

/// Sends by HTTP, signed after Standard Webhooks.
///
/// Targets come from the operator's own configuration, so they may stand in private networks, those that they name; what
/// their names lead to is written by somebody else and judged like all addresses, and no redirect is followed.
#[derive(Clone)]
pub struct Deliverer {
    user_agent: String,
    timeout: Duration,
    /// One for each policy, as a kept connection must not serve a target that may not reach so far.
    clients: Arc<Mutex<Vec<(AddressPolicy, Client)>>>,
    clock: Arc<dyn Clock>,
}

/// Policies that are in use at once; those of before a reload are forgotten.
const MOST_CLIENTS: usize = 16;

impl Deliverer {
    /// A deliverer with its own connections.
    pub fn new(user_agent: String, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let deliverer = Self {
            user_agent,
            timeout: TIMEOUT,
            clients: Arc::default(),
            clock,
        };
        // What cannot be set up is told at the start, and not at the first delivery.
        deliverer.client(&AddressPolicy::public_and([]))?;
        Ok(deliverer)
    }

    /// The client for the targets that may reach so far.
    fn client(&self, reach: &AddressPolicy) -> Result<Client, ClientError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(policy, _)| policy == reach) {
            return Ok(client.clone());
        }
        let config = ClientConfig {
            timeout: self.timeout,
            policy: reach.clone(),
            user_agent: self.user_agent.clone(),
            ..ClientConfig::default()
        };
        let client = Client::new(&config, Arc::clone(&self.clock))?;
        if clients.len() >= MOST_CLIENTS {
            clients.remove(0);
        }
        clients.push((reach.clone(), client.clone()));
        Ok(client)
    }
}

impl Deliver for Deliverer {
    async fn deliver(&self, target: &Target, uid: &str, body: Vec<u8>) -> Attempt {
        let at = self.clock.now();
        let stopwatch = Stopwatch::start();
        let signed = sign(&target.secrets, uid, at, &body);
        let request = PostRequest {
            url: target.url.clone(),
            headers: signed.headers(),
            content_type: "application/json",
            body,
        };
        let (result, status, error) = match self.client(&target.reach) {
            Err(error) => {
                let again = DeliveryResult::Retry { after: None };
                (again, None, Some(error.to_string()))
            }
            Ok(client) => match client.post(request).await {
                Ok(answer) => judge(answer),
                Err(failure) => judge_failure(&failure, &target.url),
            },
        };
        let error = error.map(|error| redact(&error, &target.url, &target.secrets, &signed));
        Attempt {
            at,
            duration_ms: stopwatch.elapsed_ms(),
            result,
            status,
            error,
        }
    }
}

type Judgement = (DeliveryResult, Option<u16>, Option<String>);

/// 2xx is success, 410 the end; 429, 502, 503 and 504 may say when to come back. Everything else, redirects included,
/// is a failure that may pass.
fn judge(answer: PostAnswer) -> Judgement {
    let result = match answer.status {
        200..=299 => return (DeliveryResult::Delivered, Some(answer.status), None),
        410 => DeliveryResult::Disabled,
        429 | 502 | 503 | 504 => DeliveryResult::Retry {
            after: answer.retry_after.map(|after| after.min(MAX_RETRY_AFTER)),
        },
        _ => DeliveryResult::Retry { after: None },
    };
    let error = match (answer.status, answer.excerpt.is_empty()) {
        (300..=399, _) => format!("{}; redirects are not followed", answer.message),
        (_, true) => answer.message,
        (_, false) => format!("{}: {}", answer.message, answer.excerpt),
    };
    (result, Some(answer.status), Some(error))
}

fn judge_failure(failure: &FetchFailure, url: &str) -> Judgement {
    let can_be_sent = AddressPolicy::anywhere().permits_url(url);
    let result = match failure.kind {
        // Where a name leads, and what the configuration permits, may be mended meanwhile.
        FailureKind::Refused if !can_be_sent => DeliveryResult::Dead,
        _ => DeliveryResult::Retry { after: None },
    };
    let message = failure
        .message
        .replace("`fetch.allow_private`", "`allow_private` of the target");
    (result, failure.status, Some(message))
}

#[cfg(test)]
mod tests;
