//! Requests to a server. Pure.

use crate::names;
use std::time::Duration;

use crate::domain::outcome::Validators;
use crate::domain::robots;

/// A longer `ETag` or `Last-Modified` is not sent back, because servers refuse long request headers.
pub(super) const MAX_VALIDATOR: usize = 1024;

names! {
    /// What a request is for.
    #[derive(Default)]
    pub enum RequestKind {
        /// A feed.
        #[default]
        Feed = "feed",
        /// An article page, or a site that is searched for feeds.
        Page = "page",
        /// A robots.txt.
        Robots = "robots",
    }
}

impl RequestKind {
    /// The value of `Accept`.
    #[must_use]
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::Feed => {
                "application/atom+xml, application/rss+xml, application/feed+json, \
                 application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, \
                 application/json;q=0.7, */*;q=0.1"
            }
            Self::Page => "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5",
            Self::Robots => "text/plain, */*;q=0.1",
        }
    }
}

/// One request; a GET.
#[derive(Clone, Default)]
pub struct FetchRequest {
    /// The address, exactly as configured or as in the feed. A user name and password in the address of a feed are
    /// sent as basic authentication; in the address of a page they are refused.
    pub url: String,
    /// What is expected there.
    pub kind: RequestKind,
    /// Validators that make the request conditional; empty to fetch the whole document.
    pub validators: Validators,
    /// Headers from the configuration, such as `Authorization`; sent to the first origin only.
    pub headers: Vec<(String, String)>,
    /// The total time, including redirects and body, if different from the client's.
    pub timeout: Option<Duration>,
    /// The largest decoded body in bytes, if different from the client's.
    pub max_size: Option<u64>,
    /// Whether a larger body is cut off there; otherwise it is a failure.
    pub cut: bool,
}

impl FetchRequest {
    /// A request for a feed.
    #[must_use]
    pub fn feed(url: impl Into<String>, validators: Validators) -> Self {
        Self {
            url: url.into(),
            kind: RequestKind::Feed,
            validators,
            ..Self::default()
        }
    }

    /// A request for a page.
    #[must_use]
    pub fn page(url: impl Into<String>, validators: Validators) -> Self {
        Self {
            kind: RequestKind::Page,
            ..Self::feed(url, validators)
        }
    }

    /// A request for a robots.txt; only the beginning of a long one is read.
    #[must_use]
    pub fn robots(url: impl Into<String>, validators: Validators) -> Self {
        Self {
            kind: RequestKind::Robots,
            max_size: Some(robots::MAX_BYTES as u64 + 1),
            cut: true,
            ..Self::feed(url, validators)
        }
    }

    /// `If-None-Match` and `If-Modified-Since`, both if both are known, byte for byte as received.
    pub(super) fn conditional(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let etag = self.validators.etag.as_deref();
        let modified = self.validators.last_modified.as_deref();
        [("if-none-match", etag), ("if-modified-since", modified)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .filter(|(_, value)| !value.is_empty() && value.len() <= MAX_VALIDATOR)
    }
}

/// The values of headers are not shown because they may be credentials.
impl std::fmt::Debug for FetchRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("FetchRequest")
            .field("url", &self.url)
            .field("kind", &self.kind)
            .field("validators", &self.validators)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("max_size", &self.max_size)
            .field("cut", &self.cut)
            .finish()
    }
}

/// `revisor/0.1.0 (+https://project; contact)`: says honestly who sends the request, and where to complain. The first
/// address is the `repository` of the package, so that there is one even if `fetch.user_agent_contact` is not set.
#[must_use]
pub(crate) fn user_agent(contact: &str) -> String {
    let project = env!("CARGO_PKG_REPOSITORY");
    compose_user_agent(env!("CARGO_PKG_VERSION"), project, contact)
}

fn compose_user_agent(version: &str, project: &str, contact: &str) -> String {
    // A comment in a header ends at a parenthesis, and a header ends at a line break.
    let contact: String = contact
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .filter(|c| !matches!(c, '(' | ')' | '\\'))
        .collect();
    let contact = Some(contact.trim()).filter(|contact| !contact.is_empty());
    match contact {
        None => format!("revisor/{version} (+{project})"),
        Some(contact) => format!("revisor/{version} (+{project}; {contact})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditional(etag: Option<&str>, modified: Option<&str>) -> Vec<(&'static str, String)> {
        let validators = Validators {
            etag: etag.map(str::to_owned),
            last_modified: modified.map(str::to_owned),
            body_sha256: None,
            packed_sha256: None,
        };
        FetchRequest::feed("http://a.example/", validators)
            .conditional()
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }

    #[test]
    fn validators_go_back_verbatim_and_none_is_invented() {
        assert_eq!(conditional(None, None), []);
        assert_eq!(
            conditional(Some("W/\"a, b;c-gzip\""), Some("yesterday, at noon")),
            [
                ("if-none-match", "W/\"a, b;c-gzip\"".to_owned()),
                ("if-modified-since", "yesterday, at noon".to_owned()),
            ]
        );
        assert_eq!(
            conditional(Some("unquoted"), None),
            [("if-none-match", "unquoted".to_owned())]
        );
    }

    #[test]
    fn a_huge_etag_is_not_echoed() {
        let huge = "e".repeat(MAX_VALIDATOR + 1);
        assert_eq!(conditional(Some(&huge), None), []);
        assert_eq!(conditional(Some(""), Some("")), []);
    }

    #[test]
    fn user_agent_names_product_version_and_contact() {
        assert_eq!(
            compose_user_agent("1.2.3", "https://h.example", " () "),
            "revisor/1.2.3 (+https://h.example)"
        );
        assert_eq!(
            compose_user_agent("1.2.3", "https://h.example", "x@example.org\r\nEvil: 1)"),
            "revisor/1.2.3 (+https://h.example; x@example.orgEvil: 1)"
        );
        let default = user_agent("");
        assert!(default.contains(" (+https://"), "{default}");
    }

    #[test]
    fn credentials_are_not_printed() {
        let mut request = FetchRequest::feed("http://a.example/", Validators::default());
        request.headers = vec![("authorization".into(), "Bearer s3cret".into())];
        assert!(!format!("{request:?}").contains("s3cret"));
    }
}
