//! JSON Feed, read leniently: it accepts identifiers that are numbers, missing titles, single objects in place of
//! lists, and JSON written by hand.

use serde_json::{Map, Value};
use url::Url;

use super::atom::absolute;
use super::repair::Repairs;
use super::{FeedError, Format, Limits, ParsedFeed, PublisherHints, Repair, found, text};
use super::{json_shape, json_text};
use crate::domain::state::FeedState;
use crate::extract::claimed_date;
use crate::extract::{asks_to_pay, fragment};

/// The longest headline, by-line or identifier, in bytes.
const LINE_LIMIT: usize = 4096;

/// Reads a JSON Feed.
pub(super) fn parse(
    text: &str,
    base: Option<&Url>,
    limits: &Limits,
    mut repairs: Repairs,
) -> Result<ParsedFeed, FeedError> {
    let (value, dropped) = match json_shape::read(text, limits.entries) {
        Ok(read) => read,
        Err(error) => repaired(text, limits, &mut repairs).ok_or_else(|| refusal(text, &error))?,
    };
    let not_a_feed = || FeedError::NotAFeed {
        found: found::describe(text.as_bytes(), text),
    };
    let feed = value.as_object().ok_or_else(not_a_feed)?;
    let version = feed.get("version").and_then(Value::as_str).unwrap_or("");
    let items = feed.get("items").and_then(Value::as_array);
    if !version.contains("jsonfeed.org") {
        // Without a version, it must at least look like a JSON Feed.
        let looks = items.is_some_and(|items| {
            items
                .iter()
                .all(|item| item.get("id").is_some() || item.get("url").is_some())
        });
        if !looks || !(feed.contains_key("title") || feed.contains_key("home_page_url")) {
            return Err(not_a_feed());
        }
        repairs.note(Repair::JsonMembers);
    }
    let items = items.map(Vec::as_slice).unwrap_or_default();
    let mut reader = JsonItems {
        base,
        limits,
        repairs,
    };
    let entries: Vec<FeedState> = items.iter().filter_map(|item| reader.entry(item)).collect();
    let hub = feed
        .get("hubs")
        .and_then(|hubs| hubs.get(0))
        .and_then(|hub| hub.get("url"));
    Ok(ParsedFeed {
        format: Format::Json,
        title: line(feed.get("title")),
        home: address(feed.get("home_page_url"), base),
        self_address: address(feed.get("feed_url"), base),
        hub: address(hub, base),
        hints: PublisherHints::default(),
        dropped,
        repairs: reader.repairs.into_vec(),
        marks: Vec::new(),
        entries,
    })
}

/// JSON written by hand, as a value.
fn repaired(text: &str, limits: &Limits, repairs: &mut Repairs) -> Option<(Value, usize)> {
    let found = json_text::repaired(text, super::field::DEPTH_LIMIT)?;
    let (value, dropped) = json_shape::read(&found.text, limits.entries).ok()?;
    repairs.note(Repair::JsonSyntax);
    if found.cut {
        repairs.note(Repair::Truncated);
        // If it is cut off before its first item, it says nothing about its items.
        value.get("items")?;
    }
    Some((value, dropped))
}

/// Why a document cannot be read.
fn refusal(text: &str, error: &serde_json::Error) -> FeedError {
    // serde_json refuses documents nested deeper than 128.
    if error.to_string().starts_with("recursion limit exceeded") {
        return FeedError::TooDeep {
            limit: super::field::DEPTH_LIMIT,
        };
    }
    let named_feed = text
        .get(..text.floor_char_boundary(2048))
        .unwrap_or("")
        .contains("jsonfeed.org");
    if named_feed {
        let why = error.to_string();
        let why = why.split(" at line").next().unwrap_or(&why).to_owned();
        FeedError::Broken {
            line: Some(error.line()),
            column: Some(error.column()),
            why,
        }
    } else {
        FeedError::NotAFeed {
            found: "broken JSON, and not a feed".to_owned(),
        }
    }
}

struct JsonItems<'a> {
    base: Option<&'a Url>,
    limits: &'a Limits,
    repairs: Repairs,
}

impl JsonItems<'_> {
    fn entry(&mut self, item: &Value) -> Option<FeedState> {
        let Some(item) = item.as_object() else {
            self.repairs.note(Repair::JsonMembers);
            return None;
        };
        let guid = match item.get("id") {
            Some(Value::String(id)) => Some(id.trim().to_owned()),
            Some(Value::Number(id)) => {
                self.repairs.note(Repair::JsonMembers);
                Some(id.to_string())
            }
            _ => {
                self.repairs.note(Repair::JsonMembers);
                None
            }
        };
        let guid = guid
            .filter(|id| !id.is_empty())
            .map(|id| cut(&id, LINE_LIMIT).to_owned());
        let address = address(item.get("url"), self.base)
            .or_else(|| {
                guid.clone()
                    .filter(|id| id.starts_with("http://") || id.starts_with("https://"))
            })
            .or_else(|| address(item.get("external_url"), self.base));
        let body = self.text(item, "content_html", true);
        let body = if body.is_empty() {
            self.text(item, "content_text", false)
        } else {
            body
        };
        let html = item.get("content_html").and_then(Value::as_str);
        let html = html.map(|html| cut(html, self.limits.field_bytes));
        let links = html.map(|html| text::links(true, html, address.as_deref()));
        Some(FeedState {
            links: links.unwrap_or_default(),
            guid,
            address,
            title: line(item.get("title")),
            byline: byline(item),
            published: date(item.get("date_published")),
            updated: date(item.get("date_modified")),
            summary: self.text(item, "summary", false),
            walled: asks_to_pay(html.unwrap_or_default(), &body),
            body,
            ..FeedState::default()
        })
    }

    fn text(
        &mut self,
        item: &Map<String, Value>,
        name: &str,
        is_html: bool,
    ) -> Vec<crate::domain::state::Block> {
        let Some(text) = item.get(name).and_then(Value::as_str) else {
            return Vec::new();
        };
        let kept = cut(text, self.limits.field_bytes);
        if kept.len() < text.len() {
            self.repairs.note(Repair::Oversized);
        }
        text::blocks(is_html, kept)
    }
}

fn line(value: Option<&Value>) -> Option<String> {
    let text = cut(value?.as_str()?, LINE_LIMIT);
    let visible: String = text
        .chars()
        .filter(|c| !c.is_control() || c.is_whitespace())
        .collect();
    Some(fragment::plain_line(&visible)).filter(|line| !line.is_empty())
}

fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

fn address(value: Option<&Value>, base: Option<&Url>) -> Option<String> {
    absolute(value?.as_str()?, base)
}

fn date(value: Option<&Value>) -> Option<crate::time::Timestamp> {
    match value? {
        Value::String(text) => claimed_date::parse(text),
        Value::Number(number) => claimed_date::parse(&number.to_string()),
        _ => None,
    }
}

/// `authors` of version 1.1, or `author` of version 1, each of them an object or a name.
fn byline(item: &Map<String, Value>) -> Option<String> {
    let name = |author: &Value| match author {
        Value::String(name) => Some(name.trim().to_owned()),
        author => line(author.get("name")).or_else(|| line(author.get("url"))),
    };
    let names: Vec<String> = match item.get("authors").or_else(|| item.get("author"))? {
        Value::Array(authors) => authors.iter().take(32).filter_map(name).collect(),
        author => name(author).into_iter().collect(),
    };
    let joined = names.join(", ");
    (!joined.is_empty()).then_some(joined)
}
