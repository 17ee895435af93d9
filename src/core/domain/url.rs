//! The canonical form of an address, for comparison.
//!
//! Two addresses of one article often differ in parts that mean nothing to a reader: the scheme, `www.`, a
//! campaign, a trailing slash. [`canonical`] removes them. Its result is a key: it is compared and stored as an
//! alias, but never fetched or shown. [`desktop`] is a looser key, for AMP and mobile forms. Where a redirect leads
//! is known only from its page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use url::Url;

/// An address as it may be shown: without user name and password.
#[must_use]
pub fn without_login(address: &str) -> Cow<'_, str> {
    match Url::parse(address.trim()) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // This fails only for an address without a host, and that cannot have a login.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url.as_str().to_owned().into()
        }
        Ok(_) | Err(_) => address.into(),
    }
}

/// The form in which addresses are compared.
///
/// - `http` becomes `https`; the host is in lower case, without its default port, user, trailing dots and leading
///   `www.` (we know of no site that serves other articles without it, and some feeds mix both);
/// - the fragment is dropped, unless it is a route of a page that is built in the browser (`#!…`, `#/…`);
/// - the parameters of `config/tracking-params.txt` and `;jsessionid=…` are dropped, and the rest of the query
///   keeps its order; `&amp;` that was escaped twice becomes `&`;
/// - marks of one visit, such as `sid=` with a long value of letters and digits, are dropped; a space in the query
///   is `%20`;
/// - a redirector that names its target (`google.com/url?url=…`) is replaced by the target;
/// - percent-encoding is in upper case and used only where needed; trailing slashes are dropped.
///
/// `index.html`, the letter case of the path and the order of parameters are kept: some servers distinguish them.
/// Text that is not an `http` or `https` address is only trimmed.
///
/// ```
/// use revisor_core::domain::url::canonical;
/// assert_eq!(
///     canonical("http://www.News.example:80/a/?utm_source=rss&id=7#top"),
///     "https://news.example/a?id=7"
/// );
/// assert_eq!(canonical(" urn:a1 "), "urn:a1");
/// ```
#[must_use]
pub fn canonical(address: &str) -> String {
    let trimmed = address.trim();
    let url = parse_http(trimmed);
    let target = url.as_ref().and_then(target_of);
    target
        .or(url)
        .as_ref()
        .and_then(Parts::of)
        .map_or_else(|| trimmed.to_owned(), |parts| parts.joined())
}

/// The target of a redirector whose address carries the whole target in a parameter:
/// `google.com/url?url=https://…`.
fn target_of(url: &Url) -> Option<Url> {
    const NAMES: [&str; 9] = [
        "url",
        "u",
        "q",
        "to",
        "target",
        "dest",
        "destination",
        "redirect",
        "link",
    ];
    const PATHS: [&str; 12] = [
        "", "url", "go", "goto", "out", "exit", "away", "link", "l", "r", "rd", "redir",
    ];
    url.query()?;
    let last = url.path().trim_end_matches('/').rsplit('/').next()?;
    let last = last
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let redirects =
        PATHS.contains(&last.as_str()) || last.contains("click") || last.contains("redirect");
    let mut pairs = url
        .query_pairs()
        .filter(|(name, _)| NAMES.contains(&&*name.to_ascii_lowercase()));
    pairs
        .find_map(|(_, value)| parse_http(value.trim()))
        .filter(|target| redirects && target.host_str() != url.host_str())
}

/// The canonical address of the page behind an AMP or mobile address, which is itself given in its canonical form;
/// `None` if the address is not one of these.
///
/// Looser than [`canonical`]: a site may serve something else there. So it can find an entry, but it does not make
/// two addresses equal.
///
/// ```
/// use revisor_core::domain::url::desktop;
/// let page = Some("https://news.example/a".to_owned());
/// assert_eq!(desktop("https://m.news.example/a"), page);
/// assert_eq!(desktop("https://news.example/a/amp"), page);
/// assert_eq!(desktop("https://google.com/amp/s/amp.news.example/a.amp"), page);
/// assert_eq!(desktop("https://news.example/a"), None);
/// ```
#[must_use]
pub fn desktop(address: &str) -> Option<String> {
    may_be_variant(address)
        .then(|| without_variant(address))
        .flatten()
}

fn without_variant(known: &str) -> Option<String> {
    let mut url = parse_http(known)?;
    if let Some(inner) = unpacked(&url) {
        url = parse_http(&canonical(&inner))?;
    }
    let parts = Parts::of(&url)?;
    let path = plain_path(&parts.path);
    // A home page is not an article, and a host that has only AMP pages has no other form.
    if path.is_empty() && path != parts.path {
        return None;
    }
    let plain = Parts {
        host: plain_host(parts.host),
        path: Cow::Borrowed(path),
        query: plain_query(&parts.query),
        port: parts.port,
        route: parts.route,
    };
    let form = plain.joined();
    (form != known).then_some(form)
}

/// Whether a canonical address has a part that [`without_variant`] could remove. Most have none, and need not be
/// parsed.
fn may_be_variant(known: &str) -> bool {
    let host = known.strip_prefix("https://").unwrap_or(known);
    host.starts_with("m.")
        || host.starts_with("mobile.")
        || host.starts_with("amp.")
        || ["/amp", ".amp", "?"]
            .iter()
            .any(|part| known.contains(part))
}

/// Whether an address is the home page of a site instead of an article.
#[must_use]
pub fn is_home(address: &str) -> bool {
    let url = parse_http(address.trim());
    url.is_none_or(|url| {
        let parts = Parts::of(&url);
        parts.is_none_or(|parts| {
            parts.path.is_empty() && parts.query.is_empty() && parts.route.is_empty()
        })
    })
}

/// The part of a page that an address points to, if any.
#[must_use]
pub fn fragment_of(address: &str) -> Option<String> {
    let url = parse_http(address.trim())?;
    let fragment = url.fragment().filter(|fragment| !is_route(fragment))?;
    (!fragment.is_empty()).then(|| fragment.to_owned())
}

/// The original address inside the address of an AMP cache.
fn unpacked(url: &Url) -> Option<String> {
    let host = canonical_host(url.host_str()?);
    let path = url.path();
    let rest = if host == "google.com" || host.starts_with("google.") {
        path.strip_prefix("/amp/")?
    } else if host.ends_with(".cdn.ampproject.org") || host == "cdn.ampproject.org" {
        let path = path
            .strip_prefix("/c/")
            .or_else(|| path.strip_prefix("/v/"));
        path?
    } else {
        return None;
    };
    let (scheme, rest) = match rest.strip_prefix("s/") {
        Some(rest) => ("https", rest),
        None => ("http", rest),
    };
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    rest.contains('.')
        .then(|| format!("{scheme}://{rest}{query}"))
}

/// A host without the labels of mobile and AMP servers. A label is removed only if the rest still contains a dot.
fn plain_host(host: &str) -> &str {
    ["m.", "mobile.", "amp."]
        .into_iter()
        .find_map(|label| host.strip_prefix(label))
        .filter(|rest| rest.contains('.'))
        .map_or(host, canonical_host)
}

fn plain_path(path: &str) -> &str {
    let path = path.strip_suffix("/amp").unwrap_or(path);
    let path = path.strip_suffix(".amp").unwrap_or(path);
    match path.strip_prefix("/amp") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

fn plain_query(query: &str) -> String {
    let is_form = |parameter: &&str| {
        let lower = parameter.to_ascii_lowercase();
        matches!(
            lower.as_str(),
            "amp"
                | "amp=1"
                | "amp=true"
                | "outputtype=amp"
                | "output=amp"
                | "m=1"
                | "view=mobile"
                | "mobile=1"
        )
    };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|parameter| !is_form(parameter))
        .collect();
    kept.join("&")
}

/// The host that serves an address, as a key for politeness: in lower case, with its port unless that is the
/// default of the scheme. `None` if the text is not an `http` or `https` address.
#[must_use]
pub fn host_of(address: &str) -> Option<String> {
    let url = parse_http(address.trim())?;
    let host = url.host_str()?.trim_end_matches('.');
    if host.is_empty() {
        return None;
    }
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// The parts of an address that distinguish articles, each in its canonical form.
struct Parts<'u> {
    host: &'u str,
    port: Option<u16>,
    path: Cow<'u, str>,
    query: String,
    route: Cow<'u, str>,
}

impl<'u> Parts<'u> {
    fn of(url: &'u Url) -> Option<Self> {
        let host = canonical_host(url.host_str()?);
        if host.is_empty() {
            return None;
        }
        let route = url.fragment().filter(|fragment| is_route(fragment));
        Some(Self {
            host,
            port: url.port(),
            path: canonical_path(url.path()),
            query: url.query().map(canonical_query).unwrap_or_default(),
            route: route.map(normal_percent).unwrap_or_default(),
        })
    }

    fn joined(&self) -> String {
        let length = self.host.len() + self.path.len() + self.query.len() + self.route.len() + 16;
        let mut out = String::with_capacity(length);
        out.push_str("https://");
        out.push_str(self.host);
        if let Some(port) = self.port {
            // Writing to a String cannot fail.
            let _ = write!(out, ":{port}");
        }
        out.push_str(&self.path);
        for (mark, part) in [('?', self.query.as_str()), ('#', &self.route)] {
            if !part.is_empty() {
                out.push(mark);
                out.push_str(part);
            }
        }
        out
    }
}

fn parse_http(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn canonical_host(host: &str) -> &str {
    let mut host = host.trim_end_matches('.');
    while let Some(rest) = host.strip_prefix("www.") {
        // `www.com` is a site of its own.
        if !rest.contains('.') {
            break;
        }
        host = rest;
    }
    host
}

fn canonical_path(path: &str) -> Cow<'_, str> {
    let mut path = normal_percent(path);
    while let Some(start) = find_session(&path) {
        let end = path[start..]
            .find('/')
            .map_or(path.len(), |length| start + length);
        path.to_mut().replace_range(start..end, "");
    }
    let length = path.trim_end_matches('/').len();
    match &mut path {
        Cow::Borrowed(text) => *text = &text[..length],
        Cow::Owned(text) => text.truncate(length),
    }
    path
}

/// Where `;jsessionid=…` of a Java server begins. After a dot it is kept: without it the segment would be `..`.
fn find_session(path: &str) -> Option<usize> {
    const MARK: &[u8] = b";jsessionid=";
    let start = path.find(';')?;
    let found = path.as_bytes()[start..]
        .windows(MARK.len())
        .position(|window| window.eq_ignore_ascii_case(MARK))?
        + start;
    let before = path[..found].chars().next_back();
    (!matches!(before, Some('.' | '/' | ';') | None)).then_some(found)
}

/// Whether a fragment selects the content in the browser and so belongs to the address.
fn is_route(fragment: &str) -> bool {
    fragment.len() > 1 && (fragment.starts_with('!') || fragment.starts_with('/'))
}

fn canonical_query(query: &str) -> String {
    let query = normal_percent(query);
    let mut kept = String::with_capacity(query.len());
    for parameter in query.split('&') {
        let mut parameter = parameter;
        while let Some(rest) = parameter.strip_prefix("amp;") {
            parameter = rest;
        }
        if parameter.is_empty() || TRACKING.drops(parameter) || is_session(parameter) {
            continue;
        }
        if !kept.is_empty() {
            kept.push('&');
        }
        // In a query both mean a space.
        kept.push_str(&parameter.replace('+', "%20"));
    }
    kept
}

/// Whether a parameter is the mark of one visit. A short or plain value under such a name may identify an article.
fn is_session(parameter: &str) -> bool {
    const NAMES: [&str; 7] = [
        "sid",
        "session",
        "sessionid",
        "session_id",
        "phpsessid",
        "jsessionid",
        "s",
    ];
    const SHORTEST: usize = 16;
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
        && value.len() >= SHORTEST
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Percent-encoding with upper-case digits, and none for characters that never need it (RFC 3986 §6.2.2).
fn normal_percent(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, encoded)) = rest.split_once('%') {
        out.push_str(before);
        let digits = encoded.get(..2).filter(|digits| {
            // `from_str_radix` would accept a sign as well.
            digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
            rest = encoded.get(2..).unwrap_or_default();
        } else {
            out.push('%');
            rest = encoded;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

static TRACKING: LazyLock<TrackingRules> =
    LazyLock::new(|| TrackingRules::read(include_str!("../../../config/tracking-params.txt")));

/// The rules of `config/tracking-params.txt`, all in lower case.
#[derive(Debug, Default)]
struct TrackingRules {
    /// Sorted by name; an empty list of values matches every value.
    names: Vec<(String, Vec<ValueRule>)>,
    prefixes: Vec<String>,
}

#[derive(Debug)]
enum ValueRule {
    Is(String),
    BeginsWith(String),
}

impl TrackingRules {
    fn read(text: &str) -> Self {
        let mut names: BTreeMap<String, Vec<ValueRule>> = BTreeMap::new();
        let mut prefixes = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.to_ascii_lowercase();
            if let Some((name, value)) = line.split_once('=') {
                let rule = match value.strip_suffix('*') {
                    Some(prefix) => ValueRule::BeginsWith(prefix.to_owned()),
                    None => ValueRule::Is(value.to_owned()),
                };
                names.entry(name.to_owned()).or_default().push(rule);
            } else if let Some(prefix) = line.strip_suffix('*') {
                prefixes.push(prefix.to_owned());
            } else {
                names.insert(line, Vec::new());
            }
        }
        Self {
            names: names.into_iter().collect(),
            prefixes,
        }
    }

    fn drops(&self, parameter: &str) -> bool {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if self.prefixes.iter().any(|prefix| begins(name, prefix)) {
            return true;
        }
        let found = self.names.binary_search_by(|(known, _)| {
            let given = name.bytes().map(|byte| byte.to_ascii_lowercase());
            known.bytes().cmp(given)
        });
        let rule = found.ok().and_then(|index| self.names.get(index));
        rule.is_some_and(|(_, values)| {
            values.is_empty()
                || values.iter().any(|rule| match rule {
                    ValueRule::Is(wanted) => value.eq_ignore_ascii_case(wanted),
                    ValueRule::BeginsWith(prefix) => begins(value, prefix),
                })
        })
    }
}

/// Whether a text begins with a prefix, ignoring the case of ASCII letters.
fn begins(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

#[cfg(test)]
mod tests;
