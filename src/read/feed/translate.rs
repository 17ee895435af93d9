//! Any XML dialect, however broken → Atom 1.0, the only dialect that feed-rs reads without loss.
//!
//! The walk is lenient where parsers give up: it needs no declared prefixes, no matching tags, no known version
//! and no end. It copies only what a change can be about, so the translation is never more than a few elements
//! deep and contains nothing that makes feed-rs fail.

use url::Url;

use super::atom::{Atom, AtomWriter, Draft};
use super::dialect::{Meaning, Space, meaning};
use super::field::{self, DEPTH_LIMIT, ElementField};
use super::hints;
use super::known::{self, ItemMark, ItemSpan, ReadingContext};
use super::repair::Repairs;
use super::{FeedError, Format, Limits, PublisherHints, Repair};
use crate::domain::known_items::KnownItems;
use crate::extract::entity;
use crate::extract::markup::{MarkupToken, Tag, Tokens};

/// The most namespace declarations that are read in one tag, and that are in force at the same time.
const DECLARATION_LIMIT: usize = 64;

/// After this many elements without an end, ends are no longer searched for.
const UNCLOSED_LIMIT: usize = 16;

/// A feed in Atom's terms.
#[derive(Debug)]
pub(super) struct Translation {
    /// The dialect that it was written in.
    pub(super) format: Format,
    /// The Atom document.
    pub(super) atom: Atom,
    /// The publisher's hints on polling.
    pub(super) hints: PublisherHints,
    /// How many entries it has.
    pub(super) entries: usize,
    /// The number of entries over the limit.
    pub(super) dropped: usize,
    /// How to recognise each entry; empty if that was not requested.
    pub(super) marks: Vec<ItemMark>,
}

/// Translates a document; `None` if its root is not that of a feed.
pub(super) fn translate(
    text: &str,
    base: Option<&Url>,
    limits: &Limits,
    known: Option<&KnownItems>,
    repairs: &mut Repairs,
) -> Result<Option<Translation>, FeedError> {
    let mut walk = TranslateWalk {
        tokens: Tokens::new(text),
        text,
        open: Vec::new(),
        around: Vec::new(),
        names: Vec::new(),
        bases: base.map(|base| (0, base.clone())).into_iter().collect(),
        unclosed: 0,
        format: None,
        is_vague: false,
        feed: Draft::default(),
        entry: None,
        entries: 0,
        dropped: 0,
        hints: hints::HintReader::default(),
        writer: AtomWriter::new(limits.field_bytes),
        limits,
        token_from: 0,
        known,
        item: None,
        marks: Vec::new(),
        repairs,
    };
    walk.run()?;
    Ok(walk.finish())
}

/// An open element that contains others; its name is in [`TranslateWalk::around`].
#[derive(Debug)]
struct OpenElement {
    is_entry: bool,
    /// How many namespace declarations are in force outside it.
    names: usize,
}

struct TranslateWalk<'a, 'l> {
    tokens: Tokens<'a>,
    text: &'a str,
    open: Vec<OpenElement>,
    /// The names of the open elements.
    around: Vec<&'a str>,
    /// Namespace declarations in force: prefix and vocabulary.
    names: Vec<(&'a str, Space)>,
    /// `xml:base` in force, with the depth of the element that set it.
    bases: Vec<(usize, Url)>,
    /// Elements that turned out to have no end.
    unclosed: usize,
    format: Option<Format>,
    /// The root alone does not identify a feed: other formats use its name, too.
    is_vague: bool,
    feed: Draft,
    entry: Option<Draft>,
    entries: usize,
    dropped: usize,
    hints: hints::HintReader,
    writer: AtomWriter,
    limits: &'l Limits,
    /// Where the current token starts.
    token_from: usize,
    known: Option<&'l KnownItems>,
    /// The item that is being read, if it may be recognised again.
    item: Option<ItemSpan>,
    marks: Vec<ItemMark>,
    repairs: &'l mut Repairs,
}

impl<'a> TranslateWalk<'a, '_> {
    fn run(&mut self) -> Result<(), FeedError> {
        loop {
            self.token_from = self.tokens.offset();
            let Some(token) = self.tokens.next() else {
                return Ok(());
            };
            match token {
                MarkupToken::Start(tag) => {
                    if self.format.is_some() {
                        self.start(tag)?;
                    } else if !self.root(tag) {
                        return Ok(());
                    }
                }
                MarkupToken::End(name) => self.end(name),
                MarkupToken::Text(text) if self.format.is_none() && !text.trim().is_empty() => {
                    self.repairs.note(Repair::JunkBeforeRoot);
                }
                _ => {}
            }
        }
    }

    /// Checks a tag before the root; returns whether to continue the search.
    fn root(&mut self, tag: Tag<'a>) -> bool {
        let local = local_name(tag.name);
        let lower = local.to_ascii_lowercase();
        let (format, is_entry) = match lower.as_str() {
            // RSS 1.1 starts with its channel, and so does CDF, the ancestor of RSS.
            "rss" | "channel" => (Format::Rss, false),
            "rdf" => (Format::Rdf, false),
            "feed" => (Format::Atom, false),
            "entry" => (Format::Atom, true),
            _ => {
                self.repairs.note(Repair::JunkBeforeRoot);
                return is_junk(&lower);
            }
        };
        self.format = Some(format);
        // An unknown default namespace is the feed's own, whatever its name.
        let prefix = tag.name.split_once(':').map_or("", |(prefix, _)| prefix);
        self.push(tag, is_entry);
        // RDF that contains RSS declares it in the root.
        let of_feeds = |(_, space): &(&str, Space)| matches!(space, Space::Core | Space::Legacy);
        self.is_vague = match lower.as_str() {
            "channel" => true,
            "rdf" => !self.names.iter().any(of_feeds),
            _ => false,
        };
        let own = self.names.iter_mut().find(|(name, _)| *name == prefix);
        if let Some((_, space)) = own {
            match (&space, format) {
                (Space::Core, _) => {}
                (Space::Legacy, _) => self.repairs.note(Repair::LegacyNamespace),
                (_, Format::Rdf) if !prefix.is_empty() => {}
                _ => {
                    *space = Space::Core;
                    self.is_vague = true;
                    self.repairs.note(Repair::LegacyNamespace);
                }
            }
        }
        if format == Format::Rdf && self.space_of("") == Space::Legacy {
            self.repairs.note(Repair::LegacyNamespace);
        }
        if format == Format::Rss && lower == "rss" {
            let version = tag.attribute("version").unwrap_or_default();
            if !matches!(&*version, "2.0" | "0.91" | "0.92") {
                self.repairs.note(Repair::RssVersion);
            }
        }
        if is_entry {
            self.entry = Some(Draft::default());
        }
        true
    }

    fn start(&mut self, tag: Tag<'a>) -> Result<(), FeedError> {
        let (prefix, local) = split_name(tag.name);
        let names = self.names.len();
        self.declare(&tag);
        let space = self.space_of(prefix);
        self.names.truncate(names);
        match meaning(space, local) {
            Meaning::Channel | Meaning::Group => self.push_checked(tag, false),
            Meaning::Entry => {
                if self.entry.is_some() {
                    // The previous entry has no end.
                    self.repairs.note(Repair::MismatchedTags);
                    self.close_entry();
                }
                if self.begin_item(&tag) {
                    return Ok(());
                }
                let mut draft = Draft::default();
                let mut attributes = tag.attributes();
                if let Some((_, about)) = attributes.find(|(name, _)| is_about(name)) {
                    draft.about(entity::decode_attribute(about).trim());
                }
                if let Some(address) = tag.attribute("href") {
                    self.resolve_link(&mut draft, &address, None, None);
                }
                // CDF puts the date of an item in the tag.
                if let Some(date) = tag.attribute("lastmod") {
                    draft.updated(&date);
                }
                self.entry = Some(draft);
                self.push_checked(tag, true)?;
                if tag.self_closing {
                    self.end(tag.name);
                }
                Ok(())
            }
            found => self.leaf(tag, found),
        }
    }

    fn push_checked(&mut self, tag: Tag<'a>, is_entry: bool) -> Result<(), FeedError> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(FeedError::TooDeep { limit: DEPTH_LIMIT });
        }
        if is_entry || !tag.self_closing {
            self.push(tag, is_entry);
        }
        Ok(())
    }

    fn push(&mut self, tag: Tag<'a>, is_entry: bool) {
        let names = self.names.len();
        self.around.push(tag.name);
        self.open.push(OpenElement { is_entry, names });
        self.declare(&tag);
        self.set_base(&tag);
    }

    fn set_base(&mut self, tag: &Tag<'a>) {
        let Some(base) = tag.attribute("xml:base") else {
            return;
        };
        let joined = match self.bases.last() {
            Some((_, outer)) => outer.join(base.trim()),
            None => Url::parse(base.trim()),
        };
        if let Ok(joined) = joined {
            self.bases.push((self.open.len(), joined));
        }
    }

    fn end(&mut self, name: &str) {
        let mut around = self.around.iter();
        let Some(at) = around.rposition(|open| open.eq_ignore_ascii_case(name)) else {
            if self.format.is_some() {
                self.repairs.note(Repair::MismatchedTags);
            }
            return;
        };
        if at + 1 != self.open.len() {
            self.repairs.note(Repair::MismatchedTags);
        }
        if self.open.iter().skip(at).any(|open| open.is_entry) {
            self.close_entry();
            self.end_item();
        }
        if let Some(open) = self.open.get(at) {
            self.names.truncate(open.names);
        }
        self.open.truncate(at);
        self.around.truncate(at);
        self.bases.retain(|(depth, _)| *depth <= at);
    }

    /// An element that is read with all of its content.
    fn leaf(&mut self, tag: Tag<'a>, found: Meaning) -> Result<(), FeedError> {
        let behind_tag = self.tokens.clone();
        let patient = self.unclosed < UNCLOSED_LIMIT;
        let field = field::capture(&mut self.tokens, self.text, tag, &self.around, patient)?;
        match field.end {
            field::End::Own => {}
            field::End::Outer => {
                self.repairs.note(Repair::MismatchedTags);
                self.unclosed += 1;
                if found == Meaning::Ignored {
                    // It has no end: what follows belongs to the element around it.
                    self.tokens = behind_tag;
                    return Ok(());
                }
            }
            field::End::Document => self.repairs.note(Repair::Truncated),
        }
        let own_base = self.bases.len();
        self.set_base(&tag);
        if !field.balanced {
            self.repairs.note(Repair::MismatchedTags);
        }
        if field.end == field::End::Document && self.entry.is_some() {
            // Half a text must not be used: the next, complete one would look like an edit.
            self.entry = None;
        } else {
            self.take(&tag, found, &field);
        }
        self.bases.truncate(own_base);
        Ok(())
    }

    fn take(&mut self, tag: &Tag<'a>, found: Meaning, field: &ElementField<'a>) {
        let format = self.format.unwrap_or(Format::Rss);
        match found {
            Meaning::Link => {
                let mut draft = self.entry.take();
                let target = draft.as_mut().unwrap_or(&mut self.feed);
                let mut links = std::mem::take(target);
                let relation = tag.attribute("rel");
                let kind = tag.attribute("type");
                if let Some(address) = tag.attribute("href") {
                    self.resolve_link(&mut links, &address, relation.as_deref(), kind.as_deref());
                } else {
                    let address = field.address(self.repairs);
                    self.resolve_link(&mut links, &address, relation.as_deref(), None);
                }
                match draft {
                    Some(_) => self.entry = Some(links),
                    None => self.feed = links,
                }
            }
            Meaning::Ttl
            | Meaning::SkipHours
            | Meaning::SkipDays
            | Meaning::UpdatePeriod
            | Meaning::UpdateFrequency => {
                if self.entry.is_none() {
                    self.hints.read(found, field.inside);
                }
            }
            Meaning::Channel | Meaning::Group | Meaning::Entry | Meaning::Ignored => {}
            _ => {
                let draft = self.entry.as_mut().unwrap_or(&mut self.feed);
                draft.take(tag, found, field, format, self.repairs);
            }
        }
    }

    fn resolve_link(
        &mut self,
        draft: &mut Draft,
        address: &str,
        relation: Option<&str>,
        kind: Option<&str>,
    ) {
        let base = self.bases.last().map(|(_, base)| base);
        draft.link(address, relation, kind, base);
    }

    fn close_entry(&mut self) {
        let Some(draft) = self.entry.take() else {
            return;
        };
        if self.entries >= self.limits.entries {
            self.dropped += 1;
            return;
        }
        self.entries += 1;
        if self.known.is_some() {
            self.marks.push(ItemMark::default());
        }
        let base = self.bases.last().map(|(_, base)| base.clone());
        if self.writer.entry(draft, base.as_ref()) {
            self.repairs.note(Repair::Oversized);
        }
    }

    /// Reads the namespace declarations of a tag.
    fn declare(&mut self, tag: &Tag<'a>) {
        if tag.is_plain() || self.names.len() >= DECLARATION_LIMIT {
            return;
        }
        for (name, value) in tag.attributes().take(DECLARATION_LIMIT) {
            if let Some(prefix) = name.strip_prefix("xmlns") {
                let prefix = prefix.strip_prefix(':').unwrap_or(prefix);
                self.names
                    .push((prefix, Space::of_declaration(prefix, value.trim())));
            }
        }
    }

    fn space_of(&mut self, prefix: &str) -> Space {
        let declared = self.names.iter().rev().find(|(name, _)| *name == prefix);
        match declared {
            Some((_, space)) => *space,
            None if prefix.is_empty() => Space::Core,
            None => {
                let space = Space::of_prefix(prefix);
                if space != Space::Foreign && prefix != "xml" {
                    self.repairs.note(Repair::UndeclaredPrefix);
                }
                space
            }
        }
    }

    fn finish(mut self) -> Option<Translation> {
        let format = self.format?;
        if self.entries == 0 {
            // An entry without an end may lack its last fields, but it is better than none.
            self.close_entry();
        }
        let is_empty = self.entries == 0 && self.dropped == 0 && self.feed.is_nameless();
        if self.is_vague && is_empty {
            return None;
        }
        if !self.open.is_empty() || self.tokens.is_cut() {
            self.repairs.note(Repair::Truncated);
        }
        let base = self.bases.first().map(|(_, base)| base.clone());
        let atom = self
            .writer
            .finish(std::mem::take(&mut self.feed), base.as_ref());
        Some(Translation {
            format,
            atom,
            hints: self.hints.finish(),
            entries: self.entries,
            dropped: self.dropped,
            marks: self.marks,
        })
    }

    /// Skips an item whose bytes are known, and returns whether it did. Otherwise notes the start of the item.
    fn begin_item(&mut self, tag: &Tag<'a>) -> bool {
        self.item = None;
        let Some(known) = self.known.filter(|_| self.unclosed == 0) else {
            return false;
        };
        let Some((bytes, end)) = known::item_bytes(self.text, self.token_from, tag.name) else {
            return false;
        };
        let print = known::print(&self.surroundings(), bytes);
        if known.get(print).is_none() {
            self.item = Some(ItemSpan {
                print,
                end,
                before: self.marks.len(),
                repairs: self.repairs.count(),
            });
            return false;
        }
        self.tokens.go_to(end);
        if self.entries >= self.limits.entries {
            self.dropped += 1;
        } else {
            self.entries += 1;
            self.marks.push(ItemMark::known(print));
        }
        true
    }

    /// An item can be recognised again if it ended at its first end tag and needed no repair: then the same bytes
    /// in the same surroundings are always read in the same way, whatever follows.
    fn end_item(&mut self) {
        let Some(item) = self.item.take() else { return };
        let as_it_stands = item.end == self.tokens.offset()
            && item.repairs == self.repairs.count()
            && self.unclosed == 0
            && !self.tokens.is_cut();
        // An item over the limit has no mark.
        if let Some(mark) = self.marks.get_mut(item.before).filter(|_| as_it_stands) {
            *mark = ItemMark::fresh(item.print);
        }
    }

    /// Everything besides its own bytes that affects how an item is read.
    fn surroundings(&self) -> ReadingContext<'_> {
        ReadingContext {
            format: self.format,
            around: &self.around,
            names: &self.names,
            base: self.bases.last().map(|(_, base)| base.as_str()),
            field_bytes: self.limits.field_bytes,
        }
    }
}

/// `rdf:about`, whatever the prefix of RDF is.
fn is_about(name: &str) -> bool {
    name.rsplit_once(':')
        .is_some_and(|(_, local)| local.eq_ignore_ascii_case("about"))
}

/// Elements that servers write before a feed after an error.
fn is_junk(name: &str) -> bool {
    [
        "br", "b", "p", "div", "font", "i", "strong", "em", "pre", "hr", "a", "span", "script",
        "style", "table", "tr", "td", "th", "tbody", "center", "h1", "h2", "h3", "code", "tt",
        "small", "noscript",
    ]
    .contains(&name)
}

fn split_name(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

fn local_name(name: &str) -> &str {
    split_name(name).1
}
