//! Results of requests: pure values, and how headers are read into them.

use std::fmt;
use std::time::Duration;

use reqwest::header::{self, HeaderMap};

use super::headers::{CacheControl, MAX_WAIT, http_date, lookup, retry_after};
use super::request::MAX_VALIDATOR;
use crate::domain::outcome::Validators;
use crate::time::Timestamp;

/// How messages end if the host does not speak TLS.
pub(super) const NO_TLS: [&str; 2] = [
    "closed the connection instead of speaking TLS",
    "does not speak TLS at this port",
];

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The server says that nothing has changed since the validators that were sent.
    NotModified(Box<NotModified>),
    /// A complete, decoded body.
    Body(Box<Answer>),
    /// 410: removed permanently, according to the address itself or to the end of permanent redirects.
    Gone(GoneResponse),
    /// Anything else.
    Failed(FetchFailure),
}

/// A 304.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotModified {
    /// The validators to keep from now on; `None` if those that were sent still apply. A 304 may bring new ones,
    /// and one that brings none removes none (RFC 9111 4.3.4).
    pub validators: Option<Validators>,
    /// What the server says about the next request.
    pub hints: CacheHints,
    /// The address that responded.
    pub final_url: String,
    /// As in [`Answer::permanent_url`].
    pub permanent_url: Option<String>,
    /// When the response was received.
    pub at: Timestamp,
}

/// A 200 with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status: 200 or 203.
    pub status: u16,
    /// The address that responded, without fragment.
    pub final_url: String,
    /// Where the address has moved permanently: the end of the redirects as long as all were 301 or 308.
    pub permanent_url: Option<String>,
    /// Every redirect, in order.
    pub redirects: Vec<Redirect>,
    /// Names in lower case, in the order received; without `Set-Cookie`, limited in size.
    pub headers: Vec<(String, String)>,
    /// The headers that we sent to `final_url`; credentials without their values.
    pub sent: Vec<(String, String)>,
    /// `Content-Type`, parameters included.
    pub content_type: Option<String>,
    /// The decoded body. Empty if the packed body is the one that the request's validators name, which is then not
    /// unpacked: `validators.body_sha256` identifies it.
    pub body: Vec<u8>,
    /// The validators of this response, with the hash of the body; to be kept only if the body is understood.
    pub validators: Validators,
    /// What the server says about the next request.
    pub hints: CacheHints,
    /// When the response was complete.
    pub at: Timestamp,
}

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// The address that it leads to.
    pub to: String,
}

impl Redirect {
    /// Whether it says that the old address is obsolete.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self.status, 301 | 308)
    }
}

/// A 410.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneResponse {
    /// The address that responded.
    pub final_url: String,
    /// When the response was received.
    pub at: Timestamp,
}

/// A request without a usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// For people, lower case, without control characters.
    pub message: String,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// How long the server asks us to wait, at most seven days.
    pub retry_after: Option<Duration>,
    /// When the failure occurred.
    pub at: Timestamp,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// It is not an address, or the policy forbids it; nothing was sent there.
    Refused,
    /// The host's name has no address.
    Dns,
    /// No connection.
    Connect,
    /// No trusted encrypted connection.
    Tls,
    /// Not complete in time.
    Timeout,
    /// A body that arrives byte by byte.
    Slow,
    /// More bytes than allowed.
    TooLarge,
    /// A status that is not a success.
    Status(u16),
    /// Too many redirects, a loop, or a redirect that leads nowhere.
    Redirects,
    /// The body cannot be decoded.
    Encoding,
    /// The connection ended before the response was complete.
    Interrupted,
    /// The response is not HTTP as we know it.
    Protocol,
    /// This process has no file descriptor left: nothing was sent.
    Exhausted,
}

impl FailureKind {
    /// A short name, for the check log and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Slow => "slow",
            Self::TooLarge => "too_large",
            Self::Status(_) => "status",
            Self::Redirects => "redirects",
            Self::Encoding => "encoding",
            Self::Interrupted => "interrupted",
            Self::Protocol => "protocol",
            Self::Exhausted => "exhausted",
        }
    }
}

impl FetchFailure {
    /// Whether http may work where an https connection could not be made. A certificate that is not trusted does
    /// not count.
    #[must_use]
    pub fn may_be_plain(&self) -> bool {
        match self.kind {
            FailureKind::Connect | FailureKind::Timeout => true,
            FailureKind::Tls => NO_TLS.iter().any(|end| self.message.ends_with(end)),
            _ => false,
        }
    }
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a server says about the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheHints {
    /// `Cache-Control: max-age` minus `Age`; at most seven days.
    pub max_age: Option<Duration>,
    /// `Expires`, converted to our clock if the server sends its own time as `Date`.
    pub expires: Option<Timestamp>,
    /// `Retry-After`, at most seven days.
    pub retry_after: Option<Duration>,
    /// How long such responses are fresh in total, according to either header and regardless of `Age`.
    pub lifetime: Option<Duration>,
    /// Whether both headers are missing.
    pub silent: bool,
}

impl CacheHints {
    /// The hints of a 304: what it does not mention is as in the response before (RFC 9111 4.3.4).
    #[must_use]
    pub fn of_the_same(self, lifetime: Option<Duration>) -> Self {
        match self.silent {
            true => Self {
                max_age: lifetime,
                lifetime,
                ..self
            },
            false => self,
        }
    }

    /// Reads the headers of a response received at `now`.
    #[must_use]
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let get = lookup(headers);
        // Several lines of a list are one list (RFC 9110 5.3).
        let lines: Vec<&str> = headers
            .get_all(header::CACHE_CONTROL)
            .iter()
            .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
            .collect();
        let cache_control = match lines.is_empty() {
            true => CacheControl::Silent,
            false => CacheControl::parse(&lines.join(",")),
        };
        let max_age = match cache_control {
            CacheControl::MaxAge(max_age) => {
                let age = get("age").and_then(|text| text.trim().parse().ok());
                Some(max_age.saturating_sub(Duration::from_secs(age.unwrap_or(0))))
            }
            CacheControl::Silent | CacheControl::Never => None,
        };
        // `Cache-Control` is newer than `Expires` and overrides it (RFC 9111 5.3).
        let expires = get("expires")
            .filter(|_| cache_control == CacheControl::Silent)
            .and_then(http_date)
            .map(|expires| match get("date").and_then(http_date) {
                // The server means a lifetime; its clock may be wrong (RFC 9111 4.2.1).
                Some(date) => now + expires.since(date).min(MAX_WAIT),
                None => expires.min(now + MAX_WAIT),
            });
        let expires = expires.filter(|at| *at > now);
        let lifetime = match cache_control {
            CacheControl::MaxAge(max_age) => Some(max_age),
            CacheControl::Silent | CacheControl::Never => expires.map(|at| at.since(now)),
        };
        Self {
            max_age,
            expires,
            retry_after: get("retry-after").and_then(|text| retry_after(text, now)),
            lifetime,
            silent: lines.is_empty() && !headers.contains_key(header::EXPIRES),
        }
    }

    /// How long from `now` the server wants no other request: the longest wait that any of the headers asks for.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        [
            self.max_age,
            self.expires.map(|at| at.since(now)),
            self.retry_after,
        ]
        .into_iter()
        .flatten()
        .filter(|wait| !wait.is_zero())
        .max()
    }
}

/// The validators of a 200; those that it does not bring are dropped, as are those that are too long to send back.
pub(super) fn validators_of_body<'h>(
    get: impl Fn(&str) -> Option<&'h str>,
    body_sha256: [u8; 32],
    packed_sha256: Option<[u8; 32]>,
) -> Validators {
    Validators {
        etag: get("etag").and_then(usable),
        last_modified: get("last-modified")
            .filter(|at| !is_in_the_future(at, &get))
            .and_then(usable),
        body_sha256: Some(body_sha256),
        packed_sha256: packed_sha256.map(Box::new),
    }
}

/// The validators after a 304; `None` if none are new.
pub(super) fn validators_after_304<'h>(
    sent: &Validators,
    get: impl Fn(&str) -> Option<&'h str>,
) -> Option<Validators> {
    let etag = get("etag").filter(|new| sent.etag.as_deref() != Some(*new));
    let modified = get("last-modified")
        .filter(|new| sent.last_modified.as_deref() != Some(*new) && !is_in_the_future(new, &get));
    let (etag, modified) = (etag.and_then(usable), modified.and_then(usable));
    (etag.is_some() || modified.is_some()).then(|| Validators {
        etag: etag.or_else(|| sent.etag.clone()),
        last_modified: modified.or_else(|| sent.last_modified.clone()),
        body_sha256: sent.body_sha256,
        packed_sha256: sent.packed_sha256.clone(),
    })
}

/// Whether a document claims to have been modified after it was sent (RFC 9110 8.8.2.1). If such a date were sent
/// back, the response would be a 304 until it has passed.
fn is_in_the_future<'h>(modified: &str, get: impl Fn(&str) -> Option<&'h str>) -> bool {
    let sent = get("date").and_then(http_date);
    http_date(modified)
        .zip(sent)
        .is_some_and(|(modified, sent)| modified > sent)
}

fn usable(value: &str) -> Option<String> {
    (!value.is_empty() && value.len() <= MAX_VALIDATOR).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-23T10:00:00Z";

    fn now() -> Timestamp {
        Timestamp::parse_rfc3339(NOW).unwrap()
    }

    fn among<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Fn(&str) -> Option<&'h str> {
        move |name| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }

    fn hints(headers: &[(&'static str, &str)]) -> CacheHints {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        CacheHints::read(&map, now())
    }

    #[test]
    fn a_date_of_modification_in_the_future_is_not_sent_back() {
        let date = ("date", "Mon, 23 Nov 2026 10:00:00 GMT");
        for (modified, kept) in [
            ("Mon, 23 Nov 2026 10:00:00 GMT", true),
            ("Mon, 23 Nov 2026 09:00:00 GMT", true),
            ("Sat, 16 Nov 2041 19:11:00 GMT", false),
            ("no date", true),
        ] {
            let headers = [date, ("last-modified", modified)];
            let kept_of = |validators: Option<Validators>| validators.and_then(|v| v.last_modified);
            let of_body = kept_of(Some(validators_of_body(among(&headers), [0; 32], None)));
            let of_304 = kept_of(validators_after_304(
                &Validators::default(),
                among(&headers),
            ));
            assert_eq!(
                (of_body.is_some(), of_304.is_some()),
                (kept, kept),
                "{modified}"
            );
        }
    }

    #[test]
    fn all_lines_of_cache_control_count() {
        let lines = [
            ("cache-control", "public"),
            ("cache-control", "max-age=3600"),
        ];
        assert_eq!(hints(&lines).max_age, Some(Duration::from_hours(1)));
        let never = [
            ("cache-control", "max-age=3600"),
            ("cache-control", "no-cache"),
        ];
        let one = [("cache-control", "max-age=3600, no-cache")];
        assert_eq!(hints(&never), hints(&one));
    }

    #[test]
    fn the_time_in_a_cache_counts() {
        let hints = hints(&[("cache-control", "max-age=3600"), ("age", "600")]);
        assert_eq!(hints.wait(now()), Some(Duration::from_mins(50)));
    }

    #[test]
    fn expires_is_a_lifetime_on_the_servers_clock() {
        let wrong_clock = hints(&[
            ("date", "Mon, 01 Jan 2001 00:00:00 GMT"),
            ("expires", "Mon, 01 Jan 2001 01:00:00 GMT"),
        ]);
        assert_eq!(wrong_clock.wait(now()), Some(Duration::from_hours(1)));
        let no_date = hints(&[("expires", "Mon, 23 Nov 2026 10:30:00 GMT")]);
        assert_eq!(no_date.wait(now()), Some(Duration::from_mins(30)));
        assert_eq!(hints(&[("expires", "0")]).wait(now()), None);
        let overruled = hints(&[
            ("cache-control", "no-cache"),
            ("expires", "Mon, 23 Nov 2026 10:30:00 GMT"),
        ]);
        assert_eq!(overruled.wait(now()), None);
    }

    #[test]
    fn a_304_updates_what_it_brings_and_keeps_the_rest() {
        let sent = Validators {
            etag: Some("\"a\"".into()),
            last_modified: Some("then".into()),
            body_sha256: Some([7; 32]),
            packed_sha256: None,
        };
        assert_eq!(validators_after_304(&sent, among(&[])), None);
        assert_eq!(
            validators_after_304(&sent, among(&[("etag", "\"a\"")])),
            None
        );
        assert_eq!(
            validators_after_304(&sent, among(&[("etag", "\"b\"")])),
            Some(Validators {
                etag: Some("\"b\"".into()),
                ..sent.clone()
            })
        );
    }

    #[test]
    fn a_200_brings_its_own_validators_and_drops_the_others() {
        let huge = "e".repeat(MAX_VALIDATOR + 1);
        let found = validators_of_body(among(&[("etag", &huge)]), [1; 32], None);
        assert_eq!(
            found,
            Validators {
                body_sha256: Some([1; 32]),
                ..Validators::default()
            }
        );
    }
}
