//! The life of one request: redirects, limits, body.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};
use url::Url;

use super::body::{self, Bounds};
use super::coding::{self, Codings};
use super::failure::{self, Cause, status_message};
use super::headers::lookup;
use super::pool::Pool;
use super::request::FetchRequest;
#[cfg(test)]
use super::resolver::Lookup;
use super::resolver::system_lookup;
use super::response::{
    Answer, CacheHints, FailureKind, FetchFailure, Fetched, GoneResponse, NotModified,
    validators_after_304, validators_of_body,
};
use super::room::{Load, Stalled};
use super::settings::{ClientConfig, ClientError};
use crate::fetch::hops::{Hops, is_redirect};
use crate::time::{Clock, Stopwatch};

/// Bytes of response headers that are kept with an answer; real ones have one or two thousand.
const MAX_KEPT_HEADERS: usize = 64 * 1024;

/// Gets feeds and pages. Cheap to clone; the connections are those of its pool.
#[derive(Clone)]
pub struct Client {
    pub(super) pool: Pool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timeout: Duration,
    idle_timeout: Duration,
    max_size: u64,
    max_redirects: usize,
    pub(super) user_agent: HeaderValue,
}

impl Client {
    /// A client with its own pool of connections. `clock` dates the answers.
    pub fn new(config: &ClientConfig, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        Self::with_pool(Pool::new(config, system_lookup())?, config, clock)
    }

    #[cfg(test)]
    pub(super) fn with_lookup(
        config: &ClientConfig,
        clock: Arc<dyn Clock>,
        lookup: Arc<Lookup>,
    ) -> Result<Self, ClientError> {
        Self::with_pool(Pool::new(config, lookup)?, config, clock)
    }

    /// A client that uses the connections of a pool; of `config` only what is said of single requests counts.
    pub(super) fn with_pool(
        pool: Pool,
        config: &ClientConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let user_agent =
            HeaderValue::from_str(&config.user_agent).map_err(|_| ClientError::UserAgent)?;
        Ok(Self {
            pool,
            clock,
            timeout: config.timeout,
            idle_timeout: config.idle_timeout,
            max_size: config.max_size,
            max_redirects: config.max_redirects,
            user_agent,
        })
    }

    /// Sends the request, follows its redirects and reads the body, within the limits. Never fails otherwise than by
    /// [`Fetched::Failed`]; dropping the future ends the connection.
    pub async fn get(&self, request: &FetchRequest) -> Fetched {
        let mut way = None;
        let mut load = Load::unbounded();
        loop {
            match self.step(request, way, &mut load).await {
                Step::Answered(fetched) => return fetched,
                Step::Redirected(on) => way = Some(on),
            }
        }
    }

    /// Like [`Self::get`], up to the next redirect: the caller decides whether to go on, with the `way` that the previous
    /// step returned. The time between two steps is the caller's and does not count, nor does the time that a body waits
    /// for more room than its `load` has.
    pub async fn step(
        &self,
        request: &FetchRequest,
        way: Option<Box<RedirectChain>>,
        load: &mut Load,
    ) -> Step {
        let limit = request.timeout.unwrap_or(self.timeout);
        let spent = way.as_ref().map_or(Duration::ZERO, |way| way.spent);
        let way = match self.prepare(request, way).await {
            Ok(way) => way,
            Err(cause) => return Step::Answered(Fetched::Failed(self.failed(cause, None, None))),
        };
        let watch = Stopwatch::start();
        let stalled = load.stalled();
        let hop = self.hop(request, way, load);
        let cause = match within(limit.saturating_sub(spent), &stalled, hop).await {
            Ok(Ok(mut step)) => {
                if let Step::Redirected(way) = &mut step {
                    way.spent = spent + watch.elapsed();
                }
                return step;
            }
            Ok(Err(cause)) => cause,
            Err(_) => {
                let message = format!("not complete within {}", seconds(limit));
                Cause::new(FailureKind::Timeout, message)
            }
        };
        Step::Answered(Fetched::Failed(self.failed(cause, None, None)))
    }

    /// The next address to ask, judged. A lookup of its name has a limit of its own and takes nothing from the request's.
    async fn prepare(
        &self,
        request: &FetchRequest,
        way: Option<Box<RedirectChain>>,
    ) -> Result<Box<RedirectChain>, Cause> {
        let way = match way {
            Some(way) => way,
            None => Box::new(RedirectChain {
                trail: Hops::start(request)?,
                spent: Duration::ZERO,
            }),
        };
        self.pool.check(&way.trail.url).await?;
        Ok(way)
    }

    async fn hop(
        &self,
        request: &FetchRequest,
        mut way: Box<RedirectChain>,
        load: &mut Load,
    ) -> Result<Step, Cause> {
        let response = self.send(&way.trail, request).await?;
        if !is_redirect(response.status()) {
            let fetched = self.read(response, way.trail, request, load).await?;
            return Ok(Step::Answered(fetched));
        }
        let location = response.headers().get(header::LOCATION);
        let trail = &mut way.trail;
        trail.redirect(response.status(), location, self.max_redirects)?;
        Ok(Step::Redirected(way))
    }

    /// Sends one GET. A kept connection may have been closed by the server just as it was used; that is
    /// nobody's fault, so the request is sent once more, on another connection.
    async fn send(&self, trail: &Hops, request: &FetchRequest) -> Result<reqwest::Response, Cause> {
        let mut again = self.pool.may_be_kept(&trail.url);
        loop {
            let mut get = reqwest::Request::new(Method::GET, trail.url.clone());
            *get.headers_mut() = trail.headers(request, &self.user_agent)?;
            let accepted = HeaderValue::from_static(coding::ACCEPTED);
            get.headers_mut().insert(header::ACCEPT_ENCODING, accepted);
            match self.pool.execute(get).await {
                Ok(response) => {
                    self.pool.answered(&trail.url);
                    return Ok(response);
                }
                Err(error) if again && failure::was_closed(&error) => again = false,
                Err(error) => return Err(self.pool.cause(&error, &trail.url)),
            }
        }
    }

    /// Turns the last answer into what came of the request.
    async fn read(
        &self,
        response: reqwest::Response,
        trail: Hops,
        request: &FetchRequest,
        load: &mut Load,
    ) -> Result<Fetched, Cause> {
        let status = response.status();
        let now = self.clock.now();
        let hints = CacheHints::read(response.headers(), now);
        match status {
            StatusCode::NOT_MODIFIED if request.conditional().next().is_some() => {
                Ok(Fetched::NotModified(Box::new(NotModified {
                    validators: validators_after_304(
                        &request.validators,
                        lookup(response.headers()),
                    ),
                    hints,
                    permanent_url: trail.permanent_url.clone(),
                    final_url: trail.into_final_url(),
                    at: now,
                })))
            }
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                let answer = self
                    .read_body(response, trail, request, hints, load)
                    .await?;
                Ok(Fetched::Body(Box::new(answer)))
            }
            // What a temporary redirect leads to may be gone; the address itself is not.
            StatusCode::GONE if trail.lasting => Ok(Fetched::Gone(GoneResponse {
                final_url: trail.into_final_url(),
                at: now,
            })),
            other => {
                let message = match other {
                    StatusCode::NOT_MODIFIED => {
                        "returned 304 Not Modified to an unconditional request".to_owned()
                    }
                    _ => status_message(other),
                };
                let cause = Cause::new(FailureKind::Status(other.as_u16()), message);
                let failure = self.failed(cause, Some(other.as_u16()), hints.retry_after);
                Ok(Fetched::Failed(failure))
            }
        }
    }

    async fn read_body(
        &self,
        mut response: reqwest::Response,
        trail: Hops,
        request: &FetchRequest,
        hints: CacheHints,
        load: &mut Load,
    ) -> Result<Answer, Cause> {
        let codings = Codings::of(response.headers())?;
        let max_size = request.max_size.unwrap_or(self.max_size);
        let bounds = Bounds {
            max_size,
            cut: request.cut,
            idle_timeout: self.idle_timeout,
        };
        let body = body::receive(&mut response, bounds, load).await?;
        // From here on the connection is kept.
        self.pool.answered(&trail.url);
        let packed_sha256 = codings.packed_sha256(&body);
        let known = &request.validators;
        // A body from a new address is wanted even if it is the same.
        let known_packed = known.packed_sha256.as_deref();
        let known_packed = known_packed.filter(|_| trail.permanent_url.is_none());
        let (body, body_sha256) = match known.body_sha256 {
            Some(sha256) if packed_sha256.is_some() && packed_sha256.as_ref() == known_packed => {
                (Vec::new(), sha256)
            }
            _ => {
                let body = Box::pin(body::unpack(&codings, body, bounds, load)).await?;
                let sha256 = Sha256::digest(&body).into();
                (body, sha256)
            }
        };
        load.settle(body.len() as u64);
        let get = lookup(response.headers());
        Ok(Answer {
            status: response.status().as_u16(),
            validators: validators_of_body(&get, body_sha256, packed_sha256),
            content_type: get("content-type").map(str::to_owned),
            headers: kept_headers(response.headers(), &codings),
            sent: sent_headers(&trail.headers(request, &self.user_agent)?),
            permanent_url: trail.permanent_url.clone(),
            redirects: trail.redirects.clone(),
            final_url: trail.into_final_url(),
            body,
            hints,
            at: self.clock.now(),
        })
    }

    pub(super) fn failed(
        &self,
        cause: Cause,
        status: Option<u16>,
        retry_after: Option<Duration>,
    ) -> FetchFailure {
        FetchFailure {
            kind: cause.kind,
            message: cause.message,
            status,
            retry_after,
            at: self.clock.now(),
        }
    }
}

/// What came of one step of a request.
#[derive(Debug)]
pub enum Step {
    /// The end of it.
    Answered(Fetched),
    /// A redirect that may be followed.
    Redirected(Box<RedirectChain>),
}

/// How far a request has come.
#[derive(Debug)]
pub struct RedirectChain {
    trail: Hops,
    /// The time that it has taken so far.
    spent: Duration,
}

impl RedirectChain {
    /// The address that is asked next.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.trail.url
    }
}

/// As [`tokio::time::timeout`], but for the time that was spent waiting for room.
async fn within<T>(
    limit: Duration,
    stalled: &Stalled,
    work: impl Future<Output = T>,
) -> Result<T, Late> {
    let watch = Stopwatch::start();
    let mut work = pin!(work);
    loop {
        let left = (limit + stalled.time()).saturating_sub(watch.elapsed());
        if left.is_zero() {
            return Err(Late);
        }
        if let Ok(done) = tokio::time::timeout(left, &mut work).await {
            return Ok(done);
        }
    }
}

/// Not done in time.
struct Late;

pub(super) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// The headers that are kept with a capture: all but cookies, which are for one visitor, as far as they fit.
fn kept_headers(headers: &HeaderMap, codings: &Codings) -> Vec<(String, String)> {
    let mut room = MAX_KEPT_HEADERS;
    // What is kept is the unpacked body, of which these say nothing.
    let of_packed =
        |name: &HeaderName| [header::CONTENT_ENCODING, header::CONTENT_LENGTH].contains(name);
    headers
        .iter()
        .filter(|(name, _)| *name != header::SET_COOKIE)
        .filter(|(name, _)| codings.is_none() || !of_packed(name))
        .map_while(|(name, value)| {
            room = room.checked_sub(name.as_str().len() + value.len())?;
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            Some((name.as_str().to_owned(), value))
        })
        .collect()
}

/// The headers of a request as they are kept with a capture. What is secret is named, and its value left out.
fn sent_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let sent = headers.iter().map(|(name, value)| {
        let value = if value.is_sensitive() {
            "(not kept)".to_owned()
        } else {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        (name.as_str().to_owned(), value)
    });
    sent.collect()
}

#[cfg(test)]
mod tests;
