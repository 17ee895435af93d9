//! Sending a body to an address: what deliveries need. No redirect is followed, and little of the answer is read.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::Url;

use super::client::{Client, seconds};
use super::failure::status_message;
use super::failure::{self, Cause};
use super::headers::lookup;
use super::headers::retry_after;
use super::response::{FailureKind, FetchFailure};

/// Bytes of an answer that are read, to show what a receiver complains about.
const EXCERPT: usize = 512;
/// The time that an answer's body is waited for; its status is what counts.
const EXCERPT_TIMEOUT: Duration = Duration::from_secs(2);

/// One POST.
#[derive(Clone)]
pub struct PostRequest {
    /// Where to.
    pub url: String,
    /// Additional headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer to a POST, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostAnswer {
    /// HTTP status.
    pub status: u16,
    /// The status in words: `answered 503 Service Unavailable`.
    pub message: String,
    /// `Retry-After`, at most seven days.
    pub retry_after: Option<Duration>,
    /// The beginning of the body of an answer that is no success, without control characters.
    pub excerpt: String,
}

impl Client {
    /// Sends the body within the client's timeout, which does not include the lookup of the name. An answer of any status is
    /// an answer; a failure is none at all.
    pub async fn post(&self, request: PostRequest) -> Result<PostAnswer, FetchFailure> {
        let url = match self.prepare_post(&request.url).await {
            Ok(url) => url,
            Err(cause) => return Err(self.failed(cause, None, None)),
        };
        match tokio::time::timeout(self.timeout, self.send_body(url, request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(cause)) => Err(self.failed(cause, None, None)),
            Err(_) => {
                let message = format!("no response within {}", seconds(self.timeout));
                Err(self.failed(Cause::new(FailureKind::Timeout, message), None, None))
            }
        }
    }

    async fn prepare_post(&self, url: &str) -> Result<Url, Cause> {
        let url = Url::parse(url).map_err(|error| {
            Cause::new(FailureKind::Refused, format!("not a web address: {error}"))
        })?;
        self.pool.check(&url).await?;
        Ok(url)
    }

    async fn send_body(&self, url: Url, request: PostRequest) -> Result<PostAnswer, Cause> {
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 2);
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(request.content_type));
        for (name, value) in &request.headers {
            let Ok(value) = HeaderValue::from_str(value) else {
                let message = format!("the header `{name}` cannot be sent");
                return Err(Cause::new(FailureKind::Refused, message));
            };
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut again = true;
        let response = loop {
            let mut post = reqwest::Request::new(Method::POST, url.clone());
            *post.headers_mut() = headers.clone();
            *post.body_mut() = Some(request.body.clone().into());
            match self.pool.execute(post).await {
                Ok(response) => break response,
                // A kept connection that the receiver closed just then; the id makes a second arrival harmless.
                Err(error) if again && failure::was_closed(&error) => again = false,
                Err(error) => return Err(self.pool.cause(&error, &url)),
            }
        };
        let status = response.status();
        let wait = lookup(response.headers())("retry-after")
            .and_then(|text| retry_after(text, self.clock.now()));
        let excerpt = if status.is_success() {
            String::new()
        } else {
            excerpt(response).await
        };
        Ok(PostAnswer {
            status: status.as_u16(),
            message: status_message(status),
            retry_after: wait,
            excerpt,
        })
    }
}

/// The beginning of a body, as far as it comes soon.
async fn excerpt(mut response: reqwest::Response) -> String {
    let mut bytes: Vec<u8> = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = EXCERPT.saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
    };
    // What has come by then is enough.
    let _ = tokio::time::timeout(EXCERPT_TIMEOUT, reading).await;
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}
