//! Memento (RFC 7089): the text that an address had at a time, for archivists and their programs.
//!
//! A memento is the text that was read, on a page of ours; a captured page is never served from our own address.

use std::fmt::Write as _;

use chrono::DateTime;
use hyper::StatusCode;

use super::{LINKS, PageRequest, PageResponse};
use crate::domain::ids::RevisionNumber;
use crate::report::changed::is_web;
use crate::report::clean;
use crate::report::html::Links;
use crate::store::{Reader, RevisionRow, StoreError};
use crate::time::Timestamp;

/// The most articles with the same address to examine.
const ENTRIES: usize = 10;

/// A text of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Memento {
    entry: String,
    revision: RevisionNumber,
    seen: Timestamp,
}

/// `Thu, 31 May 2007 20:35:00 GMT`.
fn http_date(at: Timestamp) -> String {
    at.to_chrono()
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

fn links(asked: &PageRequest) -> Links {
    Links::below(
        &asked
            .base()
            .unwrap_or_else(|| asked.setup.config().web.root()),
    )
}

/// An address inside of `<…>`; characters that would end it or a header are percent-encoded.
fn target(url: &str) -> String {
    let mut out = String::new();
    for letter in clean::address(url).chars() {
        match letter {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '"' => out.push_str("%22"),
            letter if letter.is_ascii_graphic() => out.push(letter),
            letter => {
                let mut bytes = [0; 4];
                for byte in letter.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
    }
    out
}

/// The links in every response about an address.
fn common(asked: &PageRequest, original: &str) -> Vec<String> {
    let at = links(asked);
    let original = target(original);
    let gate = at.to(&format!("/timegate/{original}")).unwrap_or_default();
    let map = at
        .to(&format!("/timemap/link/{original}"))
        .unwrap_or_default();
    vec![
        format!("<{original}>; rel=\"original\""),
        format!("<{gate}>; rel=\"timegate\""),
        format!("<{map}>; rel=\"timemap\"; type=\"application/link-format\""),
    ]
}

fn link(asked: &PageRequest, memento: &Memento, relation: &str) -> String {
    let to = links(asked)
        .revision(&memento.entry, memento.revision)
        .unwrap_or_default();
    format!(
        "<{to}>; rel=\"{relation}\"; datetime=\"{}\"",
        http_date(memento.seen)
    )
}

/// The headers that make the page of a revision a memento.
pub(super) fn headers(
    asked: &PageRequest,
    answer: PageResponse,
    original: &str,
    entry: &str,
    rows: &[RevisionRow],
    place: usize,
) -> PageResponse {
    if !is_web(original) {
        return answer;
    }
    let memento = |row: &RevisionRow| Memento {
        entry: entry.to_owned(),
        revision: row.number,
        seen: row.seen,
    };
    let mut all = common(asked, original);
    let around = [
        ("first memento", Some(0)),
        ("prev memento", place.checked_sub(1)),
        ("next memento", Some(place + 1)),
        ("last memento", rows.len().checked_sub(1)),
    ];
    for (relation, at) in around {
        if let Some(row) = at.and_then(|at| rows.get(at)) {
            all.push(link(asked, &memento(row), relation));
        }
    }
    let seen = rows
        .get(place)
        .map(|row| http_date(row.seen))
        .unwrap_or_default();
    answer
        .with("memento-datetime", seen)
        .with("link", all.join(", "))
}

/// All stored texts of an address, oldest first.
fn mementos(url: &str, reader: &Reader) -> Result<Vec<Memento>, StoreError> {
    let mut found = Vec::new();
    if !is_web(url) {
        return Ok(found);
    }
    let canonical = crate::domain::url::canonical(url);
    let mut entries = reader.find_entries(url, ENTRIES)?;
    if entries.is_empty() && canonical != url {
        entries = reader.find_entries(&canonical, ENTRIES)?;
    }
    for entry in entries {
        let rows = reader.history(entry.id, usize::MAX)?;
        found.extend(rows.into_iter().filter(|row| row.kept).map(|row| Memento {
            entry: entry.public_id.clone(),
            revision: row.number,
            seen: row.seen,
        }));
    }
    found.sort_by_key(|memento| memento.seen);
    Ok(found)
}

/// `/timegate/URL`: redirects to the text that the address had at `Accept-Datetime`, or else to the newest one.
pub(super) fn gate(
    asked: &PageRequest,
    url: &str,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let wanted = match asked.accept_datetime.as_deref() {
        None => None,
        Some(text) => match DateTime::parse_from_rfc2822(text.trim()) {
            Ok(at) => Some(at.timestamp_millis()),
            Err(_) => {
                let why = "Accept-Datetime is not a date such as Thu, 31 May 2007 20:35:00 GMT.";
                return Ok(asked.problem(StatusCode::BAD_REQUEST, "Bad request", why));
            }
        },
    };
    let all = mementos(url, reader)?;
    let newest = all.last();
    let at = |wanted: i64| {
        all.iter()
            .rev()
            .find(|memento| memento.seen.as_millis() <= wanted)
    };
    let chosen = match wanted {
        // Before the first one there is nothing better.
        Some(wanted) => at(wanted).or(all.first()),
        None => newest,
    };
    let Some(chosen) = chosen else {
        return Ok(asked.not_found("No article with this address is known."));
    };
    let to = links(asked)
        .revision(&chosen.entry, chosen.revision)
        .unwrap_or_default();
    let mut relations = common(asked, url);
    for (memento, relation) in [(all.first(), "first memento"), (newest, "last memento")] {
        relations.extend(memento.map(|memento| link(asked, memento, relation)));
    }
    Ok(PageResponse::redirect(to)
        .with("vary", "accept-datetime".to_owned())
        .with("link", relations.join(", ")))
}

/// `/timemap/link/URL`: all texts of the address.
pub(super) fn map(
    asked: &PageRequest,
    url: &str,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let all = mementos(url, reader)?;
    if all.is_empty() {
        return Ok(asked.not_found("No article with this address is known."));
    }
    let mut lines = common(asked, url);
    let last = all.len() - 1;
    for (place, memento) in all.iter().enumerate() {
        let relation = match place {
            0 if last == 0 => "first last memento",
            0 => "first memento",
            place if place == last => "last memento",
            _ => "memento",
        };
        lines.push(link(asked, memento, relation));
    }
    Ok(PageResponse::new(LINKS, format!("{}\n", lines.join(",\n"))))
}
