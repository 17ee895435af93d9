//! The translated document → values, by feed-rs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::DateTime;
use feed_rs::model;
use feed_rs::parser::Builder;

use super::atom::{Aside, Atom};
use super::known;
use super::repair::Repairs;
use super::text;
use super::translate::Translation;
use super::{FeedError, ParsedFeed, Repair};
use crate::domain::known_items::KnownItems;
use crate::domain::state::{AlternativeTexts, FeedState};
use crate::extract::asks_to_pay;
use crate::time::Timestamp;

/// Reads the translated document.
pub(super) fn read(
    translation: Translation,
    known: Option<&KnownItems>,
    mut repairs: Repairs,
) -> Result<ParsedFeed, FeedError> {
    // Names of people are the only part of an Atom document that feed-rs interprets further.
    let Atom {
        document,
        mut beside,
    } = translation.atom;
    let parsed = guarded(&document).or_else(|| {
        repairs.note(Repair::ParserPanic);
        guarded(&without_persons(&document))
    });
    let parsed = parsed.unwrap_or_else(|| Err("the parser failed on it twice".to_owned()));
    let parsed = parsed.map_err(|why| FeedError::Broken {
        line: None,
        column: None,
        why,
    })?;
    let link = |relation: &str| address(&parsed.links, relation);
    beside.resize_with(parsed.entries.len(), Aside::default);
    let panicked = repairs.has(Repair::ParserPanic);
    let read: Vec<FeedState> = parsed
        .entries
        .into_iter()
        .zip(beside)
        .map(|(read, aside)| entry(read, aside))
        .collect();
    let (entries, marks) = match known {
        Some(known) => known::with_known(read, translation.marks, known, !panicked)?,
        None => (read, Vec::new()),
    };
    Ok(ParsedFeed {
        format: translation.format,
        title: parsed.title.as_ref().and_then(title),
        home: link("alternate"),
        self_address: link("self"),
        hub: link("hub"),
        repairs: repairs.into_vec(),
        hints: translation.hints,
        entries,
        marks,
        dropped: translation.dropped,
    })
}

/// feed-rs, isolated from the rest of the program; `None` if it panics.
fn guarded(atom: &str) -> Option<Result<model::Feed, String>> {
    let parse = || {
        Builder::new()
            // We decide identity: an entry without an id stays without one.
            .id_generator(|_, _, _| String::new())
            .timestamp_parser(|text| DateTime::parse_from_rfc3339(text).ok().map(Into::into))
            .sanitize_content(false)
            .build()
            .parse(atom.as_bytes())
            .map_err(|error| error.to_string())
    };
    catch_unwind(AssertUnwindSafe(parse)).ok()
}

fn without_persons(atom: &str) -> String {
    let mut out = String::with_capacity(atom.len());
    let mut rest = atom;
    while let Some((before, behind)) = rest.split_once("<author>") {
        out.push_str(before);
        rest = behind.split_once("</author>").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

fn entry(entry: model::Entry, aside: Aside) -> FeedState {
    let (mut walled, mut links) = (false, Vec::new());
    let page = address(&entry.links, "alternate");
    let names: Vec<String> = entry
        .authors
        .into_iter()
        .filter_map(|person| person.name)
        .collect();
    let mut blocks = |is_html: bool, text: &str| {
        links.extend(text::links(is_html, text, page.as_deref()));
        let blocks = text::blocks(is_html, text);
        walled |= asks_to_pay(text, &blocks);
        blocks
    };
    let summary = entry.summary.as_ref();
    let summary = summary.map(|text| blocks(is_html(&text.content_type), &text.content));
    let summary = summary.unwrap_or_default();
    let body = entry.content.as_ref();
    let body = body.and_then(|content| {
        let text = content.body.as_deref()?;
        Some(blocks(is_html(&content.content_type), text))
    });
    let body = body.unwrap_or_default();
    let others = aside
        .summaries
        .iter()
        .map(|text| text::blocks(text.is_html, &text.text));
    FeedState {
        guid: Some(entry.id).filter(|id| !id.is_empty()),
        address: page,
        title: entry.title.as_ref().and_then(title),
        byline: (!names.is_empty()).then(|| names.join(", ")),
        published: entry.published.map(Timestamp::from),
        updated: entry.updated.map(Timestamp::from),
        beside: AlternativeTexts {
            summary_rank: aside.summary_rank,
            byline_rank: aside.byline_rank,
            summaries: others
                .filter(|other| *other != summary && *other != body)
                .collect(),
            bylines: aside.bylines,
        },
        walled,
        summary,
        body,
        links,
    }
}

fn address(links: &[model::Link], relation: &str) -> Option<String> {
    links
        .iter()
        .find(|link| link.rel.as_deref() == Some(relation))
        .and_then(|link| link.title.clone())
}

fn title(title: &model::Text) -> Option<String> {
    text::line(is_html(&title.content_type), &title.content)
}

fn is_html(kind: &impl ToString) -> bool {
    kind.to_string() == "text/html"
}
