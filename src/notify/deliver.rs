//! One attempt of a delivery.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::edges;
use super::kinds::{self, DeliveryResult, Judged, Letter, Step, Work};
use super::redact::redact;
use super::target::Target;
use crate::config::TargetKind;
use crate::domain::event::Event;
use crate::fetch::{
    AddressPolicy, Client, ClientConfig, ClientError, FailureKind, FetchFailure, PostAnswer,
    PostRequest,
};
use crate::picture;
use crate::report::message::Message;
use crate::time::{Clock, Stopwatch, Timestamp};

/// The time limit of one request, mail or message.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);
/// The time limit of a whole attempt: a picture, a login and a post, each of them slow. It ends before its lease does,
/// and after the longest `timeout` of a program.
pub(super) const LONGEST: Duration = Duration::from_secs(50);
/// An attempt, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// Its result.
    pub result: DeliveryResult,
    /// HTTP status, or the reply code of a mail server, if there was a response.
    pub status: Option<u16>,
    /// Whether the receiver refused the event itself.
    pub refused: bool,
    /// What went wrong, for people; may include the beginning of the receiver's response.
    pub error: Option<String>,
    /// The address of the post that it created.
    pub post: Option<String>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The same on every attempt of a delivery.
    pub uid: String,
    /// The event as it is stored.
    pub body: Vec<u8>,
    /// When the event was noticed.
    pub created: Timestamp,
    /// The first post about the same article.
    pub thread: Option<String>,
}

/// Sends one event to one target.
pub trait Deliver: Send + Sync {
    /// One attempt.
    fn deliver(&self, target: &Target, outgoing: Outgoing) -> impl Future<Output = Attempt> + Send;
}

/// Sends in the way of the target's kind.
///
/// Targets come from the operator's own configuration, so those that are named in it may be in private networks.
/// Addresses that their names resolve to are under somebody else's control and are checked like all addresses.
/// Redirects are not followed.
#[derive(Clone)]
pub struct Deliverer {
    user_agent: String,
    timeout: Duration,
    longest: Duration,
    /// One client for each policy: a kept connection must not be used for a target that may not reach its address.
    clients: Arc<Mutex<Vec<(AddressPolicy, Client)>>>,
    /// What a conversation keeps for the next one, by target: sessions.
    memories: Arc<Mutex<HashMap<String, String>>>,
    clock: Arc<dyn Clock>,
}

/// The most requests of one attempt: a picture, a refreshed session or a login, the picture again, a post, and one without it.
const MOST_STEPS: usize = 6;

/// The longest time to draw a picture; the post goes without one then.
const DRAWING: Duration = Duration::from_secs(5);

/// The most policies in use at the same time; those from before a reload are dropped.
const MOST_CLIENTS: usize = 16;

impl Deliverer {
    /// A deliverer with its own connections.
    pub fn new(user_agent: String, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let deliverer = Self {
            user_agent,
            timeout: TIMEOUT,
            longest: LONGEST,
            clients: Arc::default(),
            memories: Arc::default(),
            clock,
        };
        // Report a client that cannot be set up at the start, not at the first delivery.
        deliverer.client(&AddressPolicy::public_and([]))?;
        Ok(deliverer)
    }

    /// The client for targets with this policy.
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
    async fn deliver(&self, target: &Target, outgoing: Outgoing) -> Attempt {
        let at = self.clock.now();
        let stopwatch = Stopwatch::start();
        let mut hide = Vec::new();
        let attempt = self.attempt(target, &outgoing, at, &mut hide);
        let judged = match tokio::time::timeout(self.longest, attempt).await {
            Ok(judged) => judged,
            Err(_) => edges::retry(format!("not sent within {} s", self.longest.as_secs())),
        };
        let error = judged.error.map(|error| redact(&error, target, &hide));
        let result = match judged.result {
            DeliveryResult::Disabled(why) => DeliveryResult::Disabled(redact(&why, target, &hide)),
            result => result,
        };
        Attempt {
            at,
            duration_ms: stopwatch.elapsed_ms(),
            result,
            status: judged.status,
            refused: judged.refused,
            error,
            post: judged.post,
        }
    }
}

impl Deliverer {
    /// Creates the work for a letter and does it. Secrets that no error may show are added to `hide`.
    async fn attempt(
        &self,
        target: &Target,
        outgoing: &Outgoing,
        at: Timestamp,
        hide: &mut Vec<String>,
    ) -> Judged {
        let event = serde_json::from_slice::<Event>(&outgoing.body);
        let Ok(event) = event else {
            return self.unknown(target, outgoing, at, hide).await;
        };
        let message = Message::of(&event);
        let memory = self.memories().get(&target.name).cloned();
        let picture = picture(target, &message).await;
        let letter = Letter {
            target,
            stored: &outgoing.body,
            event: &event,
            message: &message,
            uid: &outgoing.uid,
            at,
            created: outgoing.created,
            memory: memory.as_deref(),
            thread: outgoing.thread.as_deref(),
            picture: picture.as_deref(),
        };
        match kinds::of(target.kind).request(&letter) {
            Err(error) => Judged {
                result: DeliveryResult::Dead,
                status: None,
                refused: false,
                error: Some(error),
                post: None,
            },
            Ok(Work::Mail(mail)) => edges::mail(*mail, self.timeout).await,
            Ok(Work::Run(run)) => edges::run(run).await,
            Ok(Work::Publish(publish)) => edges::publish(publish, self.timeout).await,
            Ok(Work::Ask(request, step)) => self.converse(&letter, request, step, hide).await,
        }
    }

    /// A stored event that this version does not know can still be sent to a webhook as it is stored.
    async fn unknown(
        &self,
        target: &Target,
        outgoing: &Outgoing,
        at: Timestamp,
        hide: &mut Vec<String>,
    ) -> Judged {
        let plain =
            target.kind == TargetKind::Webhook && target.settings.text("template").is_none();
        if plain
            && let Work::Ask(request, _) =
                kinds::standard(target, &outgoing.body, &outgoing.uid, at)
        {
            return match self.ask(target, request, hide).await {
                Ok(answer) => kinds::judge(&answer),
                Err(judged) => judged,
            };
        }
        Judged {
            result: DeliveryResult::Dead,
            status: None,
            refused: false,
            error: Some("the event is of a newer version".to_owned()),
            post: None,
        }
    }

    /// Sends the request, and further ones as long as the kind asks for them.
    async fn converse(
        &self,
        letter: &Letter<'_>,
        mut request: PostRequest,
        mut step: &'static str,
        hide: &mut Vec<String>,
    ) -> Judged {
        let kind = kinds::of(letter.target.kind);
        let mut memory = letter.memory.map(str::to_owned);
        for _ in 0..MOST_STEPS {
            let letter = Letter {
                memory: memory.as_deref(),
                ..*letter
            };
            let next = match self.ask(letter.target, request, hide).await {
                Ok(answer) => kind.judge(&letter, step, &answer),
                Err(judged) => match kind.unanswered(&letter, step) {
                    Some(next) => next,
                    None => return judged,
                },
            };
            match next {
                Step::Done(judged) => return judged,
                Step::Next(next, word, kept) => {
                    (request, step) = (next, word);
                    if let Some(kept) = kept {
                        self.memories()
                            .insert(letter.target.name.clone(), kept.clone());
                        memory = Some(kept);
                    }
                }
            }
        }
        edges::retry("the service keeps asking for another step")
    }

    async fn ask(
        &self,
        target: &Target,
        request: PostRequest,
        hide: &mut Vec<String>,
    ) -> Result<PostAnswer, Judged> {
        let secret = request.headers.iter().filter(|(name, _)| {
            ["authorization", "webhook-signature", "x-gotify-key"].contains(name)
        });
        hide.extend(secret.flat_map(|(_, value)| value.split(' ').map(str::to_owned)));
        let url = request.url.clone();
        match self.client(&target.reach) {
            Err(error) => Err(edges::retry(error.to_string())),
            Ok(client) => client
                .post(request)
                .await
                .map_err(|failure| judge_failure(&failure, &url)),
        }
    }

    fn memories(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports to a heartbeat target that the service is well, or what is wrong with it.
    pub async fn heartbeat(&self, target: &Target, well: bool, status: &str) -> Result<(), String> {
        let request = kinds::heartbeat(target, well, status);
        let mut hide = Vec::new();
        let judged = match self.ask(target, request, &mut hide).await {
            Ok(answer) => kinds::judge(&answer),
            Err(judged) => judged,
        };
        match judged.error {
            None => Ok(()),
            Some(error) => Err(redact(&error, target, &hide)),
        }
    }
}

/// The picture that a public post shows. Nothing depends on it: whatever goes wrong, the post goes without one.
async fn picture(target: &Target, message: &Message) -> Option<Vec<u8>> {
    if !picture::AVAILABLE || !target.kind.is_public() || message.changes.is_empty() {
        return None;
    }
    let message = message.clone();
    let drawn = tokio::task::spawn_blocking(move || picture::of(&message));
    tokio::time::timeout(DRAWING, drawn).await.ok()?.ok()?
}

/// What would be sent, for people to check; secrets are hidden. For a conversation, it is the first request.
pub(crate) fn preview(
    target: &Target,
    outgoing: &Outgoing,
    at: Timestamp,
) -> Result<String, String> {
    let event: Event = serde_json::from_slice(&outgoing.body).map_err(|error| error.to_string())?;
    let message = Message::of(&event);
    let session = r#"{"accessJwt":"hidden","did":"did:plc:example"}"#;
    let letter = Letter {
        target,
        stored: &outgoing.body,
        event: &event,
        message: &message,
        uid: &outgoing.uid,
        at,
        created: outgoing.created,
        memory: (target.kind == TargetKind::Bluesky).then_some(session),
        thread: outgoing.thread.as_deref(),
        picture: None,
    };
    let body = match kinds::of(target.kind).request(&letter)? {
        Work::Ask(request, _) => request.body,
        Work::Mail(mail) => mail.message.formatted(),
        Work::Run(run) => run.input,
        Work::Publish(publish) => publish.body,
    };
    let text = String::from_utf8_lossy(&body);
    let pretty = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    Ok(redact(
        &pretty.unwrap_or_else(|| text.into_owned()),
        target,
        &[],
    ))
}

fn judge_failure(failure: &FetchFailure, url: &str) -> Judged {
    let can_be_sent = AddressPolicy::anywhere().permits_url(url);
    let result = match failure.kind {
        // The address that a name resolves to, and what the configuration permits, may be corrected meanwhile.
        FailureKind::Refused if !can_be_sent => DeliveryResult::Dead,
        _ => DeliveryResult::Retry { after: None },
    };
    let message = failure
        .message
        .replace("`fetch.allow_private`", "`allow_private` of the target");
    Judged {
        result,
        status: failure.status,
        refused: failure.status.is_some_and(kinds::is_refusal),
        error: Some(message),
        post: None,
    }
}

#[cfg(test)]
mod tests;
