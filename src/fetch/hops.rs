//! A request's path through redirects: where it goes next, and what may be sent there.

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::failure::{Cause, status_message};
use super::request::{FetchRequest, RequestKind};
use super::response::{FailureKind, Redirect};

/// The path from the requested address to the current one.
pub(super) struct Hops {
    pub(super) url: Url,
    /// The first address, once another one has been requested.
    pub(super) start: Option<Url>,
    pub(super) redirects: Vec<Redirect>,
    /// `Authorization` from the user name in the address.
    pub(super) basic: Option<String>,
    /// Whether the configured headers may still be sent.
    pub(super) trusted: bool,
    /// Whether every step so far was permanent.
    pub(super) lasting: bool,
    /// The end of the permanent steps.
    pub(super) permanent_url: Option<String>,
}

impl Hops {
    pub(super) fn start(request: &FetchRequest) -> Result<Self, Cause> {
        let mut url = Url::parse(request.url.trim()).map_err(|error| {
            Cause::new(FailureKind::Refused, format!("not a web address: {error}"))
        })?;
        let mut basic = None;
        if request.kind == RequestKind::Feed
            && (!url.username().is_empty() || url.password().is_some())
        {
            let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
            pair.push(b':');
            pair.extend(percent_decode_str(url.password().unwrap_or_default()));
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            basic = Some(format!("Basic {encoded}"));
            // Both calls fail only for addresses that cannot have a user name, and this one has one.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
        }
        url.set_fragment(None);
        Ok(Self {
            url,
            start: None,
            redirects: Vec::new(),
            basic,
            trusted: true,
            lasting: true,
            permanent_url: None,
        })
    }

    /// Takes the next step, or says why there is none.
    pub(super) fn redirect(
        &mut self,
        status: StatusCode,
        location: Option<&HeaderValue>,
        max_redirects: usize,
    ) -> Result<(), Cause> {
        let fail = |message: String| Err(Cause::new(FailureKind::Redirects, message));
        let Some(location) = location.filter(|location| !location.is_empty()) else {
            return fail(format!("{} without Location", status_message(status)));
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        let Ok(mut next) = self.url.join(&location) else {
            return fail(format!(
                "{} with an invalid Location",
                status_message(status)
            ));
        };
        next.set_fragment(None);
        if self.redirects.len() >= max_redirects {
            return fail(format!("more than {max_redirects} redirects"));
        }
        // Requests differ only in their address, so an address that was requested before would respond as before.
        let start = self.start.get_or_insert_with(|| self.url.clone());
        let seen = next == *start || self.redirects.iter().any(|step| step.to == next.as_str());
        if seen {
            return fail("redirects in a loop".to_owned());
        }
        let step = Redirect {
            status: status.as_u16(),
            to: next.to_string(),
        };
        // An attacker who can redirect from https down to http once must not do so permanently.
        let downgrade = self.url.scheme() == "https" && next.scheme() == "http";
        self.lasting = self.lasting && step.is_permanent() && !downgrade;
        if self.lasting {
            self.permanent_url = Some(step.to.clone());
        }
        self.trusted = self.trusted && same_site(&self.url, &next);
        self.redirects.push(step);
        self.url = next;
        Ok(())
    }

    /// All headers that are sent, except those that the library adds.
    pub(super) fn headers(
        &self,
        request: &FetchRequest,
        agent: &HeaderValue,
    ) -> Result<HeaderMap, Cause> {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::USER_AGENT, agent.clone());
        let accept = HeaderValue::from_static(request.kind.accept());
        headers.insert(header::ACCEPT, accept);
        for (name, value) in request.conditional() {
            // A stored value that cannot be sent is left out: the request is then unconditional, and succeeds.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if !self.trusted {
            return Ok(headers);
        }
        if let Some(basic) = &self.basic
            && let Ok(mut value) = HeaderValue::from_str(basic)
        {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        for (name, value) in &request.headers {
            let (Ok(name), Ok(mut value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) else {
                let message = format!("the configured header `{name}` cannot be sent");
                return Err(Cause::new(FailureKind::Refused, message));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    pub(super) fn into_final_url(self) -> String {
        self.url.into()
    }
}

/// Only the address, because the rest may hold a password.
impl std::fmt::Debug for Hops {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Hops").field(&self.url.as_str()).finish()
    }
}

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether credentials may be sent on: to the same origin, or from http to https on the same host.
pub(super) fn same_site(from: &Url, to: &Url) -> bool {
    let upgraded = from.scheme() == "http"
        && to.scheme() == "https"
        && from.host() == to.host()
        && from.port().is_none()
        && to.port().is_none();
    upgraded || from.origin() == to.origin()
}
