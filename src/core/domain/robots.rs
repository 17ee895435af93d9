//! robots.txt according to RFC 9309: which addresses of a host a program may fetch.
//!
//! Only the rules for one product are kept. A robots.txt is written by hand, so this parser forgives what other
//! crawlers forgive: a missing colon, common misspellings, a version after the product.

mod known;

pub use known::{KnownRobots, RobotsFound, RobotsVerdict};

use std::time::Duration;

use url::Url;

/// The product token at the beginning of our `User-Agent`.
pub const PRODUCT: &str = "revisor";

/// The maximum number of bytes read from a robots.txt; RFC 9309 requires at least this many.
pub const MAX_BYTES: usize = 500 * 1024;

/// The maximum number of bytes read from a pattern; no browser requests longer addresses.
const MAX_PATTERN: usize = 2048;

/// The longest `Crawl-delay` that is obeyed; a site that allows less than one page an hour should use `Disallow`.
pub const LONGEST_CRAWL_DELAY: Duration = Duration::from_hours(1);

/// The rules of one robots.txt for one product.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RobotsRules {
    rules: Vec<RobotsRule>,
    crawl_delay: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq)]
struct RobotsRule {
    allow: bool,
    /// As written, for people.
    written: Box<str>,
    /// Normalised, without the final `$`.
    pattern: Box<str>,
    /// Whether the pattern has to match up to the end.
    to_end: bool,
}

/// The meaning of a line.
enum RobotsLine<'a> {
    Agent(&'a str),
    Rule { allow: bool, pattern: &'a str },
    CrawlDelay(&'a str),
    Other,
}

/// The rules found for an agent so far.
#[derive(Default)]
struct AgentGroup {
    found: bool,
    rules: RobotsRules,
}

impl RobotsRules {
    /// Parses the rules for `product`, a token such as `revisor`: those of all groups that name it, else those of
    /// all groups for `*`. Any text is a valid robots.txt; without rules it forbids nothing.
    #[must_use]
    pub fn parse(body: &[u8], product: &str) -> Self {
        let (mut ours, mut everybody) = (AgentGroup::default(), AgentGroup::default());
        // Whom the following lines are for, and whether the list of agents before them is complete.
        let (mut for_us, mut for_all, mut listed) = (false, false, true);
        for line in lines(body) {
            let line = String::from_utf8_lossy(line);
            match read_line(&line) {
                RobotsLine::Agent(agent) => {
                    if listed {
                        (for_us, for_all, listed) = (false, false, false);
                    }
                    let name = token(agent);
                    if agent == "*" || agent.starts_with("* ") || agent.starts_with("*\t") {
                        for_all = true;
                        everybody.found = true;
                    } else if name.eq_ignore_ascii_case(product) {
                        for_us = true;
                        ours.found = true;
                    }
                }
                RobotsLine::Rule { allow, pattern } => {
                    listed = true;
                    let groups = [(for_us, &mut ours), (for_all, &mut everybody)];
                    for group in groups
                        .into_iter()
                        .filter_map(|(is, group)| is.then_some(group))
                    {
                        group.rules.rules.extend(RobotsRule::new(allow, pattern));
                    }
                }
                // It is not in the standard; sites that use it mean it as a rule for the agents above it.
                RobotsLine::CrawlDelay(text) => {
                    listed = true;
                    let delay = crawl_delay(text);
                    let groups = [(for_us, &mut ours), (for_all, &mut everybody)];
                    for group in groups
                        .into_iter()
                        .filter_map(|(is, group)| is.then_some(group))
                    {
                        let rules = &mut group.rules;
                        rules.crawl_delay = rules.crawl_delay.max(delay);
                    }
                }
                RobotsLine::Other => {}
            }
        }
        if ours.found {
            ours.rules
        } else {
            everybody.rules
        }
    }

    /// The rule that forbids an address, as written; `None` if the address may be fetched. The longest matching
    /// pattern decides; if two are equally long, the one that allows wins.
    #[must_use]
    pub fn forbids(&self, url: &Url) -> Option<String> {
        let mut target = url.path().to_owned();
        if let Some(query) = url.query() {
            target.push('?');
            target.push_str(query);
        }
        if target == "/robots.txt" {
            return None;
        }
        let target = normalised(&target, false);
        let best = self
            .rules
            .iter()
            .filter(|rule| rule.matches(&target))
            .max_by_key(|rule| (rule.length(), rule.allow))?;
        (!best.allow).then(|| format!("Disallow: {}", best.written))
    }

    /// The pause that the site requests between two requests, at most [`LONGEST_CRAWL_DELAY`].
    #[must_use]
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

impl RobotsRule {
    /// `None` for an empty pattern, which is not a rule, and for one that no address can match.
    fn new(allow: bool, pattern: &str) -> Option<Self> {
        let starts = pattern.starts_with(['/', '*', '$']);
        // `Disallow: private/` is a mistake with an obvious meaning.
        let written = if starts {
            pattern.to_owned()
        } else {
            format!("/{pattern}")
        };
        if pattern.is_empty() || written.len() > MAX_PATTERN {
            return None;
        }
        let (body, to_end) = match written.strip_suffix('$') {
            Some(body) => (body, true),
            None => (written.as_str(), false),
        };
        Some(Self {
            allow,
            pattern: normalised(body, true).into(),
            written: pattern.into(),
            to_end,
        })
    }

    fn length(&self) -> usize {
        self.pattern.len() + usize::from(self.to_end)
    }

    /// Whether the pattern matches the beginning of the target. Each part between two `*` is matched at its first
    /// occurrence after the previous part, so the time is linear.
    fn matches(&self, target: &str) -> bool {
        let mut parts = self.pattern.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = target.strip_prefix(first) else {
            return false;
        };
        let mut last = None;
        for part in parts {
            // The last part of a pattern with `$` must be at the end, wherever else it occurs.
            if let Some(before) = last.replace(part) {
                match rest.find(before) {
                    Some(at) => rest = rest.get(at + before.len()..).unwrap_or_default(),
                    None => return false,
                }
            }
        }
        match (last, self.to_end) {
            (None, true) => rest.is_empty(),
            (None, false) => true,
            (Some(part), true) => rest.ends_with(part),
            (Some(part), false) => rest.contains(part),
        }
    }
}

/// The lines without comments, ended by any kind of line break, up to the size limit. A line that is cut off by the
/// limit is left out.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let body = match body.get(..MAX_BYTES) {
        Some(first) if body.len() > MAX_BYTES => {
            let end = first.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
            first.get(..end.unwrap_or(0)).unwrap_or_default()
        }
        _ => body,
    };
    body.split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|line| line.split(|byte| *byte == b'#').next().unwrap_or_default())
}

fn read_line(line: &str) -> RobotsLine<'_> {
    let line = line.trim();
    let (key, value) = match line.split_once(':') {
        Some((key, value)) => (key.trim(), value.trim()),
        // A line without a colon is valid only if it has exactly two words.
        None => match line.split_once([' ', '\t']) {
            Some((key, value)) if !value.trim().contains([' ', '\t']) => (key, value.trim()),
            _ => return RobotsLine::Other,
        },
    };
    let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
    if is(&["user-agent", "useragent", "user agent"]) {
        RobotsLine::Agent(value)
    } else if is(&[
        "disallow",
        "dissallow",
        "dissalow",
        "disalow",
        "diasllow",
        "disallaw",
    ]) {
        RobotsLine::Rule {
            allow: false,
            pattern: value,
        }
    } else if is(&["allow"]) {
        RobotsLine::Rule {
            allow: true,
            pattern: value,
        }
    } else if is(&["crawl-delay", "crawldelay", "crawl delay"]) {
        RobotsLine::CrawlDelay(value)
    } else {
        RobotsLine::Other
    }
}

/// Returns `revisor` for `revisor/1.0 (…)`.
fn token(agent: &str) -> &str {
    let end = agent.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '-' | '_')));
    agent.get(..end.unwrap_or(agent.len())).unwrap_or_default()
}

fn crawl_delay(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    let delay = Duration::try_from_secs_f64(seconds).ok()?;
    (!delay.is_zero()).then(|| delay.min(LONGEST_CRAWL_DELAY))
}

/// One spelling for equivalent addresses: only characters that need it are escaped, in upper case. In a pattern a
/// `*` is kept; in an address it is escaped. A `$` is escaped in both, since a pattern keeps its final `$`
/// separately.
fn normalised(text: &str, pattern: bool) -> String {
    use std::fmt::Write as _;
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let (value, escaped) = match hex {
            Some(value) => (value, true),
            None => (byte, false),
        };
        at += if escaped { 3 } else { 1 };
        let unreserved =
            value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~');
        let plain = match value {
            b'*' => pattern && !escaped,
            b'$' => false,
            // A reserved character and its escaped form are two addresses (RFC 3986 2.2).
            _ => value.is_ascii_graphic() && !escaped && value != b'%',
        };
        if unreserved || plain {
            out.push(char::from(value));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{value:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
