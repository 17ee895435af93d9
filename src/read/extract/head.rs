//! Metadata of a page: titles, authors, dates, addresses.
//!
//! Read from the tags in one pass, without a tree. Each value keeps its source; the methods of [`Head`] decide
//! which one counts, most trustworthy first.

use serde_json::Value;
use url::Url;

use super::claimed_date;
use super::fragment;
use super::markup::{MarkupToken, Tag, Tokens};
use crate::time::Timestamp;

/// The longest name or title that is kept, in bytes.
const LINE_BYTES: usize = 2048;
/// The most values of a kind that are kept.
const MANY: usize = 32;
/// The longest JSON-LD script that is read.
const JSON_BYTES: usize = 512 * 1024;

/// The metadata of a page.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// `html lang`.
    pub(super) language: Option<String>,
    /// `title`.
    pub(super) title: Option<String>,
    /// All `h1`, in order.
    h1: Vec<String>,
    /// `meta` by name or property in lower case, in order.
    meta: Vec<(String, String)>,
    /// `link rel=canonical`.
    canonical: Option<String>,
    /// Metadata of the article in JSON-LD.
    ld: LinkedData,
    /// Dates in `time` elements: the value, and whether the element says that it is the date of publication.
    times: Vec<(Timestamp, TimeRole)>,
    /// Texts marked as the author's name, and whether only by a class name.
    marked_authors: Vec<(bool, String)>,
    /// How many marked elements have been read.
    looked_into: usize,
    /// The target of an immediate `meta http-equiv=refresh`, as written.
    refresh: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeRole {
    Published,
    Modified,
    Unknown,
}

/// The article in a page's JSON-LD.
#[derive(Debug, Default)]
struct LinkedData {
    found: bool,
    headline: Option<String>,
    description: Option<String>,
    authors: Vec<String>,
    published: Option<Timestamp>,
    modified: Option<Timestamp>,
    /// `isAccessibleForFree` is false.
    walled: bool,
}

impl Head {
    /// Reads a page.
    pub(super) fn read(html: &str) -> Self {
        let mut head = Self::default();
        let mut tokens = Tokens::new(html);
        while let Some(token) = tokens.next() {
            if let MarkupToken::Start(tag) = token {
                head.tag(&tag, &mut tokens, html);
            }
        }
        head
    }

    fn tag(&mut self, tag: &Tag<'_>, tokens: &mut Tokens<'_>, html: &str) {
        let is = |name: &str| tag.name.eq_ignore_ascii_case(name);
        if is("script") {
            let inside = tokens.raw_text("script");
            let kind = tag.attribute("type").unwrap_or_default();
            if kind.trim().eq_ignore_ascii_case("application/ld+json") && inside.len() <= JSON_BYTES
            {
                self.ld.read(inside);
            }
        } else if is("style") {
            tokens.raw_text("style");
        } else if is("title") {
            let inside = tokens.raw_text("title");
            if self.title.is_none() {
                self.title = one_line(inside);
            }
        } else if is("html") {
            self.language = tag.attribute("lang").and_then(|lang| one_line(&lang));
        } else if is("meta") {
            self.meta(tag);
        } else if is("link") {
            let relation = tag.attribute("rel").unwrap_or_default();
            if relation.trim().eq_ignore_ascii_case("canonical") && self.canonical.is_none() {
                self.canonical = tag.attribute("href").and_then(|href| one_line(&href));
            }
        } else if is("h1") {
            if self.h1.len() < MANY
                && let Some(text) = inside_of(tokens, html, tag.name)
            {
                self.h1.push(text);
            }
        } else if is("time") {
            self.time(tag);
        } else if !tag.is_plain() && !is("img") {
            self.author(tag, tokens, html);
        }
    }

    fn meta(&mut self, tag: &Tag<'_>) {
        let equivalent = tag.attribute("http-equiv").unwrap_or_default();
        if equivalent.eq_ignore_ascii_case("refresh") && self.refresh.is_none() {
            let content = tag.attribute("content").unwrap_or_default();
            self.refresh = refresh_target(&content);
        }
        let name = ["property", "name", "itemprop"]
            .iter()
            .find_map(|key| tag.attribute(key));
        let (Some(name), Some(content)) = (name, tag.attribute("content")) else {
            return;
        };
        if self.meta.len() < 256
            && let Some(content) = one_line(&content)
        {
            self.meta.push((name.trim().to_ascii_lowercase(), content));
        }
    }

    fn time(&mut self, tag: &Tag<'_>) {
        let Some(at) = tag
            .attribute("datetime")
            .and_then(|value| claimed_date::parse(&value))
        else {
            return;
        };
        let marks: String = tag
            .attributes()
            .filter(|(key, _)| ["itemprop", "class", "pubdate"].contains(key))
            .flat_map(|(key, value)| [key, " ", value, " "])
            .collect::<String>()
            .to_ascii_lowercase();
        let role = if marks.contains("modif") || marks.contains("updat") {
            TimeRole::Modified
        } else if marks.contains("publish")
            || marks.contains("pubdate")
            || marks.contains("created")
        {
            TimeRole::Published
        } else {
            TimeRole::Unknown
        };
        if self.times.len() < MANY {
            self.times.push((at, role));
        }
    }

    /// Reads an element that is marked as the author's name.
    fn author(&mut self, tag: &Tag<'_>, tokens: &Tokens<'_>, html: &str) {
        let says = tag.attributes().take(16).any(|(key, value)| match key {
            "rel" => value == "author",
            "itemprop" => value == "author" || value == "creator",
            _ => false,
        });
        let marked = says
            || tag.attributes().take(16).any(|(key, value)| {
                key == "class" && value.split_ascii_whitespace().any(is_author_class)
            });
        self.looked_into += usize::from(marked);
        if marked
            && self.looked_into <= MANY
            && let Some(text) = inside_of(tokens, html, tag.name)
            && text.chars().count() <= 80
        {
            self.marked_authors.push((!says, text));
        }
    }

    fn metas<'h>(&'h self, names: &'h [&str]) -> impl Iterator<Item = &'h str> {
        names.iter().flat_map(|wanted| {
            self.meta
                .iter()
                .filter(move |(name, _)| name == wanted)
                .map(|(_, content)| content.as_str())
        })
    }

    /// `og:title`.
    pub(super) fn og_title(&self) -> Option<String> {
        self.metas(&["og:title"]).next().map(str::to_owned)
    }

    /// The page's descriptions of itself: a hint at the standfirst.
    pub(super) fn descriptions(&self) -> impl Iterator<Item = &str> {
        let names = &["og:description", "description", "twitter:description"];
        self.metas(names).chain(self.ld.description.as_deref())
    }

    /// The headline in JSON-LD.
    pub(super) fn ld_headline(&self) -> Option<String> {
        self.ld.headline.clone()
    }

    /// The headline in the page's `h1`: the first one that another title of the page confirms, or else the first
    /// one. A logo may be an `h1`, too.
    pub(super) fn h1(&self) -> Option<String> {
        let og = self.metas(&["og:title"]).next();
        let known = [og, self.ld.headline.as_deref(), self.title.as_deref()];
        let confirmed = self.h1.iter().find(|h1| {
            known.iter().flatten().any(|title| {
                let (h1, title) = (letters(h1), letters(title));
                h1.len() >= 8 && title.contains(&h1) || title.len() >= 8 && h1.contains(&title)
            })
        });
        confirmed.or(self.h1.first()).cloned()
    }

    /// The canonical address, absolute.
    pub(super) fn canonical(&self, base: Option<&Url>) -> Option<String> {
        let og = self.metas(&["og:url"]).next();
        let named = self.canonical.as_deref().or(og)?;
        match Url::parse(named) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Some(named.to_owned()),
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                base?.join(named).ok().map(String::from)
            }
            _ => None,
        }
    }

    /// The absolute address to which the page redirects its readers immediately; `None` if they are to stay, or to
    /// reload later.
    pub(super) fn refresh(&self, base: Option<&Url>) -> Option<String> {
        let to = base?.join(self.refresh.as_deref()?).ok()?;
        (matches!(to.scheme(), "http" | "https") && base != Some(&to)).then(|| to.into())
    }

    /// The authors, joined by `, `.
    pub(super) fn byline(&self) -> Option<String> {
        let from_meta = || {
            let names = [
                "author",
                "article:author",
                "parsely-author",
                "sailthru.author",
                "byl",
                "dc.creator",
                "dcterms.creator",
                "cxenseparse:author",
            ];
            self.metas(&names)
                .map(clean_author)
                .find(|name| is_name(name))
                .map(|name| vec![name])
        };
        let marked = || {
            // `rel` and `itemprop` are more reliable than a class name.
            let names = self
                .marked_authors
                .iter()
                .map(|(by_class, name)| (*by_class, clean_author(name)));
            names
                .filter(|(_, name)| is_name(name))
                .min_by_key(|(by_class, _)| *by_class)
                .map(|(_, name)| vec![name])
        };
        let from_ld: Vec<String> = self
            .ld
            .authors
            .iter()
            .map(|name| clean_author(name))
            .filter(|name| is_name(name))
            .collect();
        let mut names = Some(from_ld)
            .filter(|names| !names.is_empty())
            .or_else(from_meta)
            .or_else(marked)?;
        let mut seen = Vec::new();
        names.retain(|name| {
            let new = !seen.contains(name);
            seen.push(name.clone());
            new
        });
        Some(names.join(", "))
    }

    /// The claimed date of publication.
    pub(super) fn published(&self) -> Option<Timestamp> {
        let names = [
            "article:published_time",
            "og:article:published_time",
            "article:published",
            "og:published_time",
            "datepublished",
            "parsely-pub-date",
            "sailthru.date",
            "pubdate",
            "publishdate",
            "publish_date",
            "publish-date",
            "date",
            "dc.date",
            "dc.date.issued",
            "dcterms.created",
            "dcterms.issued",
            "cxenseparse:recs:publishtime",
            "ptime",
        ];
        self.ld
            .published
            .or_else(|| self.metas(&names).find_map(claimed_date::parse))
            .or_else(|| self.time_of(TimeRole::Published))
            .or_else(|| self.time_of(TimeRole::Unknown))
    }

    /// The claimed date of the last change.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        let names = [
            "article:modified_time",
            "og:article:modified_time",
            "article:modified",
            "og:updated_time",
            "datemodified",
            "lastmod",
            "last-modified",
            "dcterms.modified",
            "dc.date.modified",
        ];
        self.ld
            .modified
            .or_else(|| self.metas(&names).find_map(claimed_date::parse))
            .or_else(|| self.time_of(TimeRole::Modified))
    }

    fn time_of(&self, role: TimeRole) -> Option<Timestamp> {
        self.times
            .iter()
            .find(|(_, found)| *found == role)
            .map(|(at, _)| *at)
    }

    /// How strongly the page claims to be an article: by its type, and by a date of publication. Dates in the text
    /// do not count, since lists of stories have them, too.
    pub(super) fn claims_article(&self) -> u32 {
        let typed = self.metas(&["og:type"]).any(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind == "article" || kind.ends_with(":article")
        });
        let named = ["article:published_time", "datepublished"];
        let dated = self.ld.published.is_some()
            || self
                .metas(&named)
                .any(|date| claimed_date::parse(date).is_some());
        2 * u32::from(typed) + 2 * u32::from(self.ld.found) + u32::from(dated)
    }

    /// Whether the page says that its text is not free for everyone.
    pub(super) fn claims_wall(&self) -> bool {
        self.ld.walled
            || self
                .metas(&["article:content_tier"])
                .any(|tier| matches!(tier.to_ascii_lowercase().as_str(), "locked" | "metered"))
    }
}

impl LinkedData {
    fn read(&mut self, script: &str) {
        let script = script
            .trim()
            .trim_start_matches("<!--")
            .trim_end_matches("-->");
        let script = script
            .trim()
            .trim_start_matches("//<![CDATA[")
            .trim_end_matches("//]]>");
        let parsed: Result<Value, _> = serde_json::from_str(script);
        let value = match parsed {
            Ok(value) => value,
            // Raw line breaks inside strings are a common mistake.
            Err(_) => match serde_json::from_str(&script.replace(['\n', '\r', '\t'], " ")) {
                Ok(value) => value,
                Err(_) => return,
            },
        };
        let mut left = 2_000;
        self.walk(&value, &mut left);
    }

    /// `serde_json` has already limited the depth.
    fn walk(&mut self, value: &Value, left: &mut usize) {
        if *left == 0 || self.found {
            return;
        }
        *left -= 1;
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.walk(value, left)),
            Value::Object(object) => {
                if is_article(object.get("@type")) {
                    self.take(object);
                    return;
                }
                for key in [
                    "@graph",
                    "mainEntity",
                    "mainEntityOfPage",
                    "hasPart",
                    "itemListElement",
                ] {
                    if let Some(value) = object.get(key) {
                        self.walk(value, left);
                    }
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, object: &serde_json::Map<String, Value>) {
        let text = |key: &str| object.get(key).and_then(Value::as_str).and_then(one_line);
        let date = |key: &str| text(key).and_then(|value| claimed_date::parse(&value));
        self.found = true;
        self.headline = text("headline").or_else(|| text("name"));
        self.description = text("description");
        self.published = date("datePublished").or_else(|| date("dateCreated"));
        self.modified = date("dateModified");
        self.walled = match object.get("isAccessibleForFree") {
            Some(Value::Bool(free)) => !free,
            Some(Value::String(free)) => free.eq_ignore_ascii_case("false"),
            _ => false,
        };
        if let Some(author) = object.get("author").or_else(|| object.get("creator")) {
            self.authors_of(author);
        }
    }

    fn authors_of(&mut self, value: &Value) {
        if self.authors.len() >= MANY {
            return;
        }
        match value {
            Value::Array(values) => values
                .iter()
                .take(MANY)
                .for_each(|value| self.authors_of(value)),
            Value::String(name) => self.authors.extend(one_line(name)),
            Value::Object(person) => match person.get("name") {
                Some(Value::String(name)) => self.authors.extend(one_line(name)),
                Some(names @ Value::Array(_)) => self.authors_of(names),
                _ => {}
            },
            _ => {}
        }
    }
}

/// `0; url=/notice.html` → `/notice.html`, if the delay is no more than a few seconds.
fn refresh_target(content: &str) -> Option<String> {
    let (delay, rest) = content.split_once([';', ','])?;
    let delay: f32 = delay.trim().parse().ok()?;
    let rest = rest.trim();
    let named = rest
        .get(..3)
        .is_some_and(|key| key.eq_ignore_ascii_case("url"));
    let target = match named {
        true => rest.get(3..)?.trim_start().strip_prefix('=')?,
        false => rest,
    };
    let target = target.trim().trim_matches(['"', '\'']);
    (delay <= 10.0 && !target.is_empty()).then(|| target.to_owned())
}

fn is_article(kind: Option<&Value>) -> bool {
    let named = |name: &str| {
        let name = name.rsplit(['/', ':']).next().unwrap_or("");
        name.ends_with("Article")
            || name.ends_with("BlogPosting")
            || matches!(name, "Report" | "Review" | "Recipe" | "TechArticle")
    };
    match kind {
        Some(Value::String(name)) => named(name),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(named),
        _ => false,
    }
}

fn is_author_class(class: &str) -> bool {
    [
        "author",
        "byline",
        "author-name",
        "byline-name",
        "byline__name",
        "author__name",
        "article-author",
        "post-author",
        "article__author",
        "contributor",
        "p-author",
        "vcard",
        "byline-author",
    ]
    .iter()
    .any(|known| class.eq_ignore_ascii_case(known))
}

/// `By Ann Lee | Reporter` → `Ann Lee`.
fn clean_author(name: &str) -> String {
    let name = name.split(" | ").next().unwrap_or(name).trim();
    let by = ["by ", "von ", "por ", "par ", "di ", "door ", "av ", "af "];
    let start = by.iter().find(|by| {
        name.get(..by.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(by))
    });
    let name = start.map_or(name, |by| name.get(by.len()..).unwrap_or(name));
    name.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '·' | '-'))
        .to_owned()
}

/// A name is not an address, has letters, and is not a whole sentence.
fn is_name(name: &str) -> bool {
    !name.contains("://")
        && !name.starts_with("www.")
        && name.chars().any(char::is_alphabetic)
        && name.split_whitespace().count() <= 16
}

/// The letters and digits, in lower case.
fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn one_line(html: &str) -> Option<String> {
    let cut = html
        .get(..html.floor_char_boundary(LINE_BYTES))
        .unwrap_or(html);
    Some(fragment::line(cut)).filter(|line| !line.is_empty())
}

/// The text up to the end tag, which must be near: a headline or a name is short.
fn inside_of(tokens: &Tokens<'_>, html: &str, name: &str) -> Option<String> {
    const FAR: usize = 4096;
    let from = tokens.offset();
    let rest = html.get(from..).unwrap_or("");
    let near = rest.get(..rest.floor_char_boundary(FAR)).unwrap_or(rest);
    let mut ahead = Tokens::new(near);
    let mut depth = 0usize;
    loop {
        let end = ahead.offset();
        match ahead.next()? {
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case(name) && !tag.self_closing => {
                depth += 1;
            }
            MarkupToken::End(found) if found.eq_ignore_ascii_case(name) => {
                if depth == 0 {
                    return one_line(near.get(..end)?);
                }
                depth -= 1;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
