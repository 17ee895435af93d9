//! Sends a body to an address, as deliveries need. No redirect is followed, and little of the response is read.

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

/// How many bytes of a response are read, to show what a receiver complains about.
const EXCERPT: usize = 512;
/// How long to wait for the body of a response; its status is what counts.
const EXCERPT_TIMEOUT: Duration = Duration::from_secs(2);

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PostMethod {
    /// For most receivers.
    #[default]
    Post,
    /// If the address names what is created.
    Put,
    /// Only reads.
    Get,
}

/// One request to a receiver; a POST unless `method` says otherwise.
#[derive(Clone)]
pub struct PostRequest {
    /// The method.
    pub method: PostMethod,
    /// The address.
    pub url: String,
    /// Additional headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The type of the body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// How many bytes of the response body to read, whatever its status.
    pub read: usize,
}

impl PostRequest {
    /// A POST for which only the status of the response matters.
    #[must_use]
    pub fn new(url: String, content_type: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            method: PostMethod::Post,
            url,
            headers: Vec::new(),
            content_type: content_type.into(),
            body,
            read: 0,
        }
    }

    /// A POST of JSON.
    #[must_use]
    pub fn json(url: &str, body: &serde_json::Value) -> Self {
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        Self::new(url.to_owned(), "application/json", bytes)
    }

    /// The same, with this many bytes of the response.
    #[must_use]
    pub fn reading(mut self, bytes: usize) -> Self {
        self.read = bytes;
        self
    }
}

/// The response to a POST, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostAnswer {
    /// HTTP status.
    pub status: u16,
    /// The status in words: `answered 503 Service Unavailable`.
    pub message: String,
    /// `Retry-After`, at most seven days.
    pub retry_after: Option<Duration>,
    /// The beginning of the body of an unsuccessful response, without control characters.
    pub excerpt: String,
    /// As much of the body as was requested.
    pub body: String,
}

impl Client {
    /// Sends the body within the client's timeout, which does not include the lookup of the name. A response with
    /// any status is a result; a failure means that there was none.
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
        let content_type = HeaderValue::from_str(&request.content_type);
        let content_type = content_type.map_err(|_| {
            Cause::new(
                FailureKind::Refused,
                "the content type cannot be sent".to_owned(),
            )
        })?;
        if request.method != PostMethod::Get && !request.body.is_empty() {
            headers.insert(CONTENT_TYPE, content_type);
        }
        for (name, value) in &request.headers {
            let Ok(value) = HeaderValue::from_str(value) else {
                let message = format!("the header `{name}` cannot be sent");
                return Err(Cause::new(FailureKind::Refused, message));
            };
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut again = true;
        let response = loop {
            let method = match request.method {
                PostMethod::Post => Method::POST,
                PostMethod::Put => Method::PUT,
                PostMethod::Get => Method::GET,
            };
            let mut post = reqwest::Request::new(method, url.clone());
            *post.headers_mut() = headers.clone();
            *post.body_mut() = Some(request.body.clone().into());
            match self.pool.execute(post).await {
                Ok(response) => break response,
                // The receiver closed a kept connection at that moment; the id makes a second arrival harmless.
                Err(error) if again && failure::was_closed(&error) => again = false,
                Err(error) => return Err(self.pool.cause(&error, &url)),
            }
        };
        let status = response.status();
        let wait = lookup(response.headers())("retry-after")
            .and_then(|text| retry_after(text, self.clock.now()));
        let wanted = if status.is_success() {
            request.read
        } else {
            request.read.max(EXCERPT)
        };
        let body = if wanted == 0 {
            String::new()
        } else {
            beginning(response, wanted).await
        };
        let excerpt = if status.is_success() {
            String::new()
        } else {
            on_one_line(
                body.get(..body.floor_char_boundary(EXCERPT))
                    .unwrap_or_default(),
            )
        };
        Ok(PostAnswer {
            status: status.as_u16(),
            message: status_message(status),
            retry_after: wait,
            excerpt,
            body,
        })
    }
}

/// The beginning of a body, if it arrives soon.
async fn beginning(mut response: reqwest::Response, most: usize) -> String {
    let mut bytes: Vec<u8> = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = most.saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
    };
    // What has arrived by then is enough.
    let _ = tokio::time::timeout(EXCERPT_TIMEOUT, reading).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

fn on_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}
