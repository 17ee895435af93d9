//! The last step of the translation: drafts → an Atom 1.0 document that feed-rs reads.

use std::fmt::Write as _;

use url::Url;

use super::dialect::Meaning;
use super::field::{ElementField, End};
use super::repair::Repairs;
use super::text::{self, FeedText};
use super::{Format, Repair};
use crate::extract::claimed_date;
use crate::extract::markup::{self, Tag};
use crate::time::Timestamp;

/// The longest value, in bytes, of a field that is not running text.
const TITLE_LIMIT: usize = 4096;
const ADDRESS_LIMIT: usize = 8192;
const AUTHOR_LIMIT: usize = 512;
const AUTHORS_LIMIT: usize = 32;

/// An entry, or the feed itself, built from its elements. Of several values, the one with the lowest rank is kept;
/// of equal ranks, the first.
#[derive(Debug, Default)]
pub(super) struct Draft {
    id: Option<String>,
    /// The guid is an address.
    permalink: bool,
    link: Option<(u8, String)>,
    self_link: Option<String>,
    hub: Option<String>,
    title: Option<(u8, FeedText)>,
    summary: Option<(u8, FeedText)>,
    body: Option<(u8, FeedText)>,
    published: Option<(u8, Timestamp)>,
    updated: Option<(u8, Timestamp)>,
    authors: Vec<String>,
    author_rank: u8,
    /// Values from other elements.
    beside: Aside,
}

/// What an entry says besides the values that are kept, see [`crate::domain::state::AlternativeTexts`].
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) summary_rank: u8,
    pub(super) byline_rank: u8,
    pub(super) summaries: Vec<FeedText>,
    pub(super) bylines: Vec<String>,
}

/// The most other values of one field that are kept.
const BESIDE_LIMIT: usize = 3;

impl Draft {
    /// Adds the value of an element.
    pub(super) fn take(
        &mut self,
        tag: &Tag<'_>,
        meaning: Meaning,
        field: &ElementField<'_>,
        format: Format,
        repairs: &mut Repairs,
    ) {
        match meaning {
            Meaning::Id => {
                // Most guids are addresses.
                let id = field.address(repairs);
                let id = id.trim();
                if self.id.is_none() && !id.is_empty() {
                    self.id = Some(id.to_owned());
                    let named_guid = tag.name.eq_ignore_ascii_case("guid");
                    let denied = tag
                        .attribute("isPermaLink")
                        .is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
                    self.permalink = named_guid && !denied;
                }
            }
            Meaning::Title(rank) => {
                let text = text::of_title(tag, field, format, repairs);
                keep(
                    &mut self.title,
                    rank,
                    Some(text).filter(|text| !text.is_blank()),
                );
            }
            Meaning::Summary(rank) => {
                let text = text::of_body(tag, field, format, repairs);
                if !text.is_blank() {
                    self.summary(rank, text);
                }
            }
            Meaning::Body(rank) => {
                let text = text::of_body(tag, field, format, repairs);
                keep(
                    &mut self.body,
                    rank,
                    Some(text).filter(|text| !text.is_blank()),
                );
            }
            Meaning::Published(rank) => {
                keep(
                    &mut self.published,
                    rank,
                    claimed_date::parse(&field.plain(repairs)),
                );
            }
            Meaning::Updated(rank) => {
                keep(
                    &mut self.updated,
                    rank,
                    claimed_date::parse(&field.plain(repairs)),
                );
            }
            Meaning::Author(rank) => self.author(rank, &text::author(field, repairs)),
            _ => {}
        }
        if field.nested && field.end == End::Own && format != Format::Atom {
            match meaning {
                Meaning::Title(_) | Meaning::Summary(0) => repairs.note(Repair::InlineMarkup),
                _ => {}
            }
        }
    }

    fn author(&mut self, rank: u8, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        if self.authors.is_empty() || rank < self.author_rank {
            let others = std::mem::take(&mut self.authors);
            self.other_byline(others.join(", "));
            self.author_rank = rank;
        }
        if rank == self.author_rank && self.authors.len() < AUTHORS_LIMIT {
            self.authors.push(name.to_owned());
        } else if rank != self.author_rank {
            self.other_byline(name.to_owned());
        }
    }

    fn other_byline(&mut self, names: String) {
        let others = &mut self.beside.bylines;
        if !names.is_empty() && others.len() < BESIDE_LIMIT {
            others.push(names);
        }
    }

    fn summary(&mut self, rank: u8, text: FeedText) {
        let other = match self.summary.take() {
            Some((kept, known)) if kept <= rank => {
                self.summary = Some((kept, known));
                (kept < rank).then_some(text)
            }
            before => {
                self.summary = Some((rank, text));
                before.map(|(_, text)| text)
            }
        };
        let others = &mut self.beside.summaries;
        others.extend(other.filter(|_| others.len() < BESIDE_LIMIT));
    }

    /// `rdf:about`: the item's name in RDF, which is nearly always its address.
    pub(super) fn about(&mut self, about: &str) {
        if !about.is_empty() {
            self.id = Some(about.to_owned());
            self.permalink = true;
        }
    }

    /// Whether nothing identifies it.
    pub(super) fn is_nameless(&self) -> bool {
        self.id.is_none() && self.link.is_none() && self.title.is_none()
    }

    /// Adds a date of the last update from the tag of the entry; a date in an element is preferred.
    pub(super) fn updated(&mut self, date: &str) {
        keep(&mut self.updated, u8::MAX, claimed_date::parse(date));
    }

    /// Adds a link.
    pub(super) fn link(
        &mut self,
        address: &str,
        relation: Option<&str>,
        kind: Option<&str>,
        base: Option<&Url>,
    ) {
        let Some(address) = absolute(address, base) else {
            return;
        };
        let relation = relation.unwrap_or("alternate").trim().to_ascii_lowercase();
        let relation = relation.rsplit('/').next().unwrap_or("");
        match relation {
            "alternate" | "" => {
                let html = kind.is_none_or(|kind| kind.is_empty() || kind.contains("html"));
                keep(&mut self.link, u8::from(!html), Some(address));
            }
            "self" => {
                self.self_link.get_or_insert(address);
            }
            "hub" => {
                self.hub.get_or_insert(address);
            }
            _ => {}
        }
    }
}

fn keep<T>(slot: &mut Option<(u8, T)>, rank: u8, value: Option<T>) {
    if let Some(value) = value
        && slot.as_ref().is_none_or(|(kept, _)| rank < *kept)
    {
        *slot = Some((rank, value));
    }
}

/// An address as published if it is absolute, or else joined with the base. Schemes for code or local files are
/// rejected.
pub(super) fn absolute(address: &str, base: Option<&Url>) -> Option<String> {
    let address: String = address
        .trim()
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '\t'))
        .collect();
    if address.is_empty() || address.len() > ADDRESS_LIMIT {
        return None;
    }
    if has_http_scheme(&address) {
        return Some(address);
    }
    let parsed = match Url::parse(&address) {
        Ok(parsed) => parsed,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return match base.map(|base| base.join(&address)) {
                Some(Ok(joined)) => Some(joined.into()),
                _ => Some(address),
            };
        }
        Err(_) => return Some(address),
    };
    let refused = ["javascript", "vbscript", "data", "file", "blob", "about"];
    (!refused.contains(&parsed.scheme())).then_some(address)
}

/// The document, and what has no place in it.
#[derive(Debug)]
pub(super) struct Atom {
    /// Atom 1.0.
    pub(super) document: String,
    /// What the entries say besides that, in their order.
    pub(super) beside: Vec<Aside>,
}

/// Writes the Atom document.
#[derive(Debug)]
pub(super) struct AtomWriter {
    entries: String,
    beside: Vec<Aside>,
    field_limit: usize,
}

impl AtomWriter {
    /// Creates a writer that cuts texts at `field_limit` bytes.
    pub(super) fn new(field_limit: usize) -> Self {
        Self {
            entries: "<feed xmlns=\"http://www.w3.org/2005/Atom\">".to_owned(),
            beside: Vec::new(),
            field_limit,
        }
    }

    /// Writes an entry; returns whether something had to be cut.
    pub(super) fn entry(&mut self, mut draft: Draft, base: Option<&Url>) -> bool {
        let mut beside = std::mem::take(&mut draft.beside);
        beside.summary_rank = draft.summary.as_ref().map_or(0, |(rank, _)| *rank);
        beside.byline_rank = draft.author_rank;
        for text in &mut beside.summaries {
            text.text
                .truncate(text.text.floor_char_boundary(self.field_limit));
        }
        self.beside.push(beside);
        self.entries.push_str("<entry>");
        let cut = self.fields(draft, base);
        self.entries.push_str("</entry>\n");
        cut
    }

    /// The complete document, with the feed's own fields.
    pub(super) fn finish(mut self, mut feed: Draft, base: Option<&Url>) -> Atom {
        feed.body = None;
        feed.summary = None;
        feed.authors.clear();
        self.fields(feed, base);
        self.entries.push_str("</feed>");
        Atom {
            document: self.entries,
            beside: self.beside,
        }
    }

    fn fields(&mut self, mut draft: Draft, base: Option<&Url>) -> bool {
        let mut cut = false;
        if let Some(id) = &draft.id {
            if draft.permalink && draft.link.is_none() && has_http_scheme(id) {
                draft.link = absolute(id, base).map(|address| (u8::MAX, address));
            }
            cut |= self.element("id", "", id, ADDRESS_LIMIT);
        }
        for (relation, address) in [
            ("alternate", draft.link.as_ref().map(|(_, address)| address)),
            ("self", draft.self_link.as_ref()),
            ("hub", draft.hub.as_ref()),
        ] {
            let Some(address) = address else { continue };
            // feed-rs rewrites addresses; a title keeps the address as published.
            let address = quick_xml::escape::escape(address.as_str());
            let _ = write!(
                self.entries,
                "<link rel=\"{relation}\" href=\"-\" title=\"{address}\"/>"
            );
        }
        for (name, text, limit) in [
            ("title", &draft.title, TITLE_LIMIT),
            ("summary", &draft.summary, self.field_limit),
            ("content", &draft.body, self.field_limit),
        ] {
            if let Some((_, text)) = text {
                let kind = if text.is_html { " type=\"html\"" } else { "" };
                cut |= self.element(name, kind, &text.text, limit);
            }
        }
        for (name, date) in [("published", draft.published), ("updated", draft.updated)] {
            if let Some((_, date)) = date {
                let _ = write!(self.entries, "<{name}>{}</{name}>", date.to_rfc3339());
            }
        }
        for author in &draft.authors {
            self.entries.push_str("<author>");
            cut |= self.element("name", "", author, AUTHOR_LIMIT);
            self.entries.push_str("</author>");
        }
        cut
    }

    /// Writes an element with its text; returns whether the text had to be cut.
    fn element(&mut self, name: &str, attributes: &str, text: &str, limit: usize) -> bool {
        let kept = text.get(..text.floor_char_boundary(limit)).unwrap_or(text);
        let out = &mut self.entries;
        out.push('<');
        out.push_str(name);
        out.push_str(attributes);
        out.push_str("><![CDATA[");
        let mut rest = kept;
        while let Some(at) = markup::find(rest, "]]>") {
            let (before, behind) = rest.split_at(at + 2);
            out.push_str(before);
            out.push_str("]]><![CDATA[");
            rest = behind;
        }
        out.push_str(rest);
        out.push_str("]]></");
        out.push_str(name);
        out.push('>');
        kept.len() < text.len()
    }
}

fn has_http_scheme(address: &str) -> bool {
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    ["http", "https"]
        .iter()
        .any(|http| scheme.eq_ignore_ascii_case(http))
}
