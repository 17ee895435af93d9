//! Rules in force, and what they leave of a state.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::pattern::{template_key, text_key};
use crate::domain::assess::is_notice;
use crate::domain::diff::LeftOut;
use crate::domain::ids::RuleId;
use crate::domain::links;
use crate::domain::normalise::visible;
use crate::domain::state::{Block, BlockKind, EntryState, FeedState, PageState};
use crate::time::Timestamp;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// A block with this text.
    Text,
    /// A block with this text, whatever its numbers and names.
    Template,
    /// The parts of any text that match this regular expression.
    Ignore,
}

impl RuleKind {
    /// The name in the database and in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Template => "template",
            Self::Ignore => "ignore",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Text, Self::Template, Self::Ignore]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// From many looks.
    Learned,
    /// Somebody added it.
    Person,
    /// It stands in the configuration, as `detect.ignore`.
    Config,
}

impl Origin {
    /// The name in the database and in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Person => "person",
            Self::Config => "config",
        }
    }

    /// The origin of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Learned, Self::Person, Self::Config]
            .into_iter()
            .find(|origin| origin.as_str() == name)
    }
}

/// What a rule was learned from.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// For people: `put in and taken out`.
    pub why: String,
    /// How many articles had such a block.
    pub articles: usize,
    /// Of how many that were looked at.
    pub of: usize,
    /// How often it came, went or moved in them.
    pub moves: usize,
    /// When it was seen first.
    pub since: Timestamp,
    /// Public ids of some of the articles.
    pub entries: Vec<String>,
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its number.
    pub id: RuleId,
    /// What it is about.
    pub kind: RuleKind,
    /// A text as published, or a regular expression.
    pub pattern: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it is in force.
    pub on: bool,
    /// Since when it is, or is not.
    pub since: Timestamp,
    /// What it was learned from; only of a learned one.
    pub evidence: Option<Evidence>,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is no regular expression, or too large a one.
    #[error("{0}")]
    Expression(String),
    /// It matches the empty text, and with it everything.
    #[error("the expression matches the empty text")]
    MatchesNothing,
    /// Nothing is left of it when numbers and names are taken out.
    #[error("too little is left of the text without its numbers and names")]
    TooShort,
    /// Nothing to see.
    #[error("the text is empty")]
    Empty,
}

/// A compiled expression may take this many bytes.
const EXPRESSION_SIZE: usize = 1 << 18;

/// An expression may be this long as written.
const EXPRESSION_LENGTH: usize = 1_000;

/// Whether a pattern of this kind can be used.
pub fn check_pattern(kind: RuleKind, pattern: &str) -> Result<(), RuleError> {
    match kind {
        RuleKind::Text if visible(pattern).is_empty() => Err(RuleError::Empty),
        RuleKind::Text => Ok(()),
        RuleKind::Template => template_key(pattern).map(|_| ()).ok_or(RuleError::TooShort),
        RuleKind::Ignore => expression(pattern).map(|_| ()),
    }
}

fn expression(pattern: &str) -> Result<Regex, RuleError> {
    if pattern.len() > EXPRESSION_LENGTH {
        let why = format!("it is longer than {EXPRESSION_LENGTH} bytes");
        return Err(RuleError::Expression(why));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(EXPRESSION_SIZE)
        .dfa_size_limit(EXPRESSION_SIZE * 4)
        .nest_limit(50)
        .build();
    let built = built.map_err(|error| {
        let text = error.to_string();
        // The last line says what is wrong; those above draw it.
        let last = text.lines().last().unwrap_or(&text);
        RuleError::Expression(last.trim_start_matches("error: ").to_owned())
    })?;
    if built.is_match("") {
        return Err(RuleError::MatchesNothing);
    }
    Ok(built)
}

/// Rules in force for one feed; without any, only what is marked as furniture where it was read is left out.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    texts: HashMap<String, RuleId>,
    templates: HashMap<String, RuleId>,
    learned_templates: HashSet<RuleId>,
    ignore: Vec<(RuleId, Regex)>,
}

/// The rules of a feed at the moment of a look.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    /// Those in force now.
    pub now: Arc<Rules>,
    /// These and those that were in force at the last look and are no more. What they cover was not compared before,
    /// so that it has no past: what such a block says now is taken as it is. `None` when none has ended.
    pub before: Option<Arc<Rules>>,
}

impl InForce {
    /// Of all rules of a feed, when its text was last read at `last_look`.
    #[must_use]
    pub fn of(rules: &[Rule], last_look: Option<Timestamp>) -> Self {
        let ended = |rule: &Rule| !rule.on && last_look.is_none_or(|last| rule.since > last);
        let now = Rules::of(rules.iter().filter(|rule| rule.on));
        let before = rules.iter().any(ended).then(|| {
            Arc::new(Rules::of(
                rules.iter().filter(|rule| rule.on || ended(rule)),
            ))
        });
        Self {
            now: Arc::new(now),
            before,
        }
    }

    /// By which a look is compared with the one before.
    #[must_use]
    pub fn for_comparing(&self) -> &Rules {
        self.before.as_ref().unwrap_or(&self.now)
    }
}

/// Two states as they are compared.
#[derive(Debug, Clone)]
pub struct Paired<'a> {
    /// The old one, without what does not count.
    pub old: Cow<'a, EntryState>,
    /// The new one, likewise.
    pub new: Cow<'a, EntryState>,
    /// What was left out of the feed's description.
    pub summary: LeftOut,
    /// What was left out of the feed's text.
    pub feed_body: LeftOut,
    /// What was left out of the page's text.
    pub page_body: LeftOut,
}

impl Rules {
    /// Of these rules, whether they are in force or not. One whose pattern cannot be used any more does nothing.
    #[must_use]
    pub fn of<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        let mut made = Self::default();
        for rule in rules {
            match rule.kind {
                RuleKind::Text => {
                    made.texts.insert(text_key(&rule.pattern), rule.id);
                }
                RuleKind::Template => {
                    if let Some(key) = template_key(&rule.pattern) {
                        made.templates.insert(key, rule.id);
                        if rule.origin == Origin::Learned {
                            made.learned_templates.insert(rule.id);
                        }
                    }
                }
                RuleKind::Ignore => {
                    made.ignore
                        .extend(expression(&rule.pattern).ok().map(|found| (rule.id, found)));
                }
            }
        }
        made
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.templates.is_empty() && self.ignore.is_empty()
    }

    /// Whether a rule is one of them.
    #[must_use]
    pub fn has(&self, rule: RuleId) -> bool {
        let whole = self.texts.values().chain(self.templates.values());
        whole
            .chain(self.ignore.iter().map(|(id, _)| id))
            .any(|id| *id == rule)
    }

    /// The rule by which a block as a whole is left out.
    #[must_use]
    pub fn rule_of(&self, text: &str) -> Option<RuleId> {
        if self.is_empty() {
            return None;
        }
        if !self.texts.is_empty()
            && let Some(id) = self.texts.get(&text_key(text))
        {
            return Some(*id);
        }
        if !self.templates.is_empty()
            && let Some(id) = template_key(text).and_then(|key| self.templates.get(&key))
            && !(self.learned_templates.contains(id) && is_notice(text))
        {
            return Some(*id);
        }
        self.ignore
            .iter()
            .find(|(_, found)| {
                found.is_match(text) && visible(&found.replace_all(text, "")).is_empty()
            })
            .map(|(id, _)| *id)
    }

    /// A text without the parts that are not compared.
    fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for (_, found) in &self.ignore {
            if found.is_match(&masked) {
                masked = Cow::Owned(found.replace_all(&masked, "").into_owned());
            }
        }
        masked
    }

    /// The parts of a text that are not compared, each with its rule.
    pub fn parts<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (RuleId, &'t str)> + use<'t> {
        let of = move |(id, found): &'t (RuleId, Regex)| {
            found.find_iter(text).map(|part| (*id, part.as_str()))
        };
        self.ignore.iter().flat_map(of)
    }

    fn counts(&self, block: &Block) -> bool {
        block.kind != BlockKind::Furniture && self.rule_of(&block.text).is_none()
    }

    fn touches(&self, blocks: &[Block]) -> bool {
        !self.is_empty()
            || blocks
                .iter()
                .any(|block| block.kind == BlockKind::Furniture)
    }

    fn blocks(&self, blocks: &[Block]) -> Vec<Block> {
        let counted = blocks.iter().filter(|block| self.counts(block));
        counted
            .map(|block| Block {
                kind: block.kind,
                text: self.masked(&block.text).into_owned(),
            })
            .filter(|block| !visible(&block.text).is_empty())
            .collect()
    }

    fn line(&self, line: Option<&String>) -> Option<String> {
        line.map(|line| self.masked(line).into_owned())
    }

    /// What counts of a feed's item: what is hashed. Not for showing: the parts of a text that are not compared are
    /// taken out of it.
    #[must_use]
    pub fn counted_feed<'a>(&self, state: &'a FeedState) -> Cow<'a, FeedState> {
        if !self.touches(&state.body) && !self.touches(&state.summary) {
            return Cow::Borrowed(state);
        }
        Cow::Owned(FeedState {
            title: self.line(state.title.as_ref()),
            byline: self.line(state.byline.as_ref()),
            summary: self.blocks(&state.summary),
            body: self.blocks(&state.body),
            ..state.clone()
        })
    }

    /// What counts of a page: what is hashed. As with [`Self::counted_feed`], not for showing.
    #[must_use]
    pub fn counted_page<'a>(&self, state: &'a PageState) -> Cow<'a, PageState> {
        if !self.touches(&state.body) {
            return Cow::Borrowed(state);
        }
        let mut counted = PageState {
            h1: self.line(state.h1.as_ref()),
            og_title: self.line(state.og_title.as_ref()),
            ld_headline: self.line(state.ld_headline.as_ref()),
            kicker: self.line(state.kicker.as_ref()),
            standfirst: self.line(state.standfirst.as_ref()),
            byline: self.line(state.byline.as_ref()),
            body: self.blocks(&state.body),
            ..state.clone()
        };
        // Links go with their text.
        counted.links = links::within(&counted);
        Cow::Owned(counted)
    }

    /// What counts of both channels.
    #[must_use]
    pub fn counted<'a>(&self, state: &'a EntryState) -> Cow<'a, EntryState> {
        let feed = state.feed.as_ref().map(|feed| self.counted_feed(feed));
        let page = state.page.as_ref().map(|page| self.counted_page(page));
        if !matches!(feed, Some(Cow::Owned(_))) && !matches!(page, Some(Cow::Owned(_))) {
            return Cow::Borrowed(state);
        }
        Cow::Owned(EntryState {
            feed: feed.map(Cow::into_owned),
            page: page.map(Cow::into_owned),
        })
    }

    /// Two states as they are compared: without the blocks that do not count, and with what differs only in a part
    /// that is not compared made the same. What is left is as published.
    ///
    /// A block that one side marks as furniture is none of the text on the other side either: a publisher, or a later
    /// version of this program, may mark what was not marked before.
    #[must_use]
    pub fn pair<'a>(&self, old: &'a EntryState, new: &'a EntryState) -> Paired<'a> {
        let texts = |state: &'a EntryState| {
            let feed = state.feed.iter();
            let feed = feed.flat_map(|feed| [feed.summary.as_slice(), feed.body.as_slice()]);
            feed.chain(state.page.iter().map(|page| page.body.as_slice()))
        };
        if !texts(old)
            .chain(texts(new))
            .any(|blocks| self.touches(blocks))
        {
            return Paired {
                old: Cow::Borrowed(old),
                new: Cow::Borrowed(new),
                summary: LeftOut::default(),
                feed_body: LeftOut::default(),
                page_body: LeftOut::default(),
            };
        }
        let mut left_out = <[LeftOut; 3]>::default();
        let (mut left, mut right) = (old.clone(), new.clone());
        if let (Some(old), Some(new)) = (&mut left.feed, &mut right.feed) {
            self.pair_line(&old.title, &mut new.title);
            self.pair_line(&old.byline, &mut new.byline);
            left_out[0] = self.pair_blocks(&mut old.summary, &mut new.summary);
            left_out[1] = self.pair_blocks(&mut old.body, &mut new.body);
        }
        if let (Some(old), Some(new)) = (&mut left.page, &mut right.page) {
            self.pair_line(&old.h1, &mut new.h1);
            self.pair_line(&old.og_title, &mut new.og_title);
            self.pair_line(&old.ld_headline, &mut new.ld_headline);
            self.pair_line(&old.kicker, &mut new.kicker);
            self.pair_line(&old.standfirst, &mut new.standfirst);
            self.pair_line(&old.byline, &mut new.byline);
            left_out[2] = self.pair_blocks(&mut old.body, &mut new.body);
        }
        let [summary, feed_body, page_body] = left_out;
        Paired {
            old: Cow::Owned(left),
            new: Cow::Owned(right),
            summary,
            feed_body,
            page_body,
        }
    }

    fn pair_line(&self, old: &Option<String>, new: &mut Option<String>) {
        if self.ignore.is_empty() {
            return;
        }
        let form = |line: &Option<String>| {
            let masked = self.masked(line.as_deref().unwrap_or_default());
            visible(&masked).into_owned()
        };
        if form(old) == form(new) {
            new.clone_from(old);
        }
    }

    fn pair_blocks(&self, old: &mut Vec<Block>, new: &mut Vec<Block>) -> LeftOut {
        let marked: HashSet<String> = old
            .iter()
            .chain(new.iter())
            .filter(|block| block.kind == BlockKind::Furniture)
            .map(|block| visible(&block.text).into_owned())
            .collect();
        let counts = |block: &Block| {
            self.counts(block) && (marked.is_empty() || !marked.contains(&*visible(&block.text)))
        };
        let stays = |mine: &[Block], others: &[Block]| -> Vec<bool> {
            let edited = edited_into(mine, others, &counts);
            mine.iter()
                .zip(edited)
                .map(|(block, edited)| edited || counts(block))
                .collect()
        };
        let (left, right) = (stays(old, new), stays(new, old));
        let mut left_out = LeftOut {
            before: keep(old, &left),
            after: keep(new, &right),
            as_before: Vec::new(),
        };
        if self.ignore.is_empty() {
            return left_out;
        }
        let form = |block: &Block| visible(&self.masked(&block.text)).into_owned();
        let shown: HashSet<String> = old
            .iter()
            .map(|block| visible(&block.text).into_owned())
            .collect();
        let before: HashMap<String, String> = old
            .iter()
            .map(|block| (form(block), block.text.clone()))
            .collect();
        let kept = numbers(&right, true);
        for (block, number) in new.iter_mut().zip(kept) {
            if shown.contains(&*visible(&block.text)) {
                continue;
            }
            if let Some(text) = before.get(&form(block)) {
                block.text.clone_from(text);
                left_out.as_before.push(number);
            }
        }
        left_out
    }
}

/// Leaves the others out, and gives their numbers.
fn keep(blocks: &mut Vec<Block>, stays: &[bool]) -> Vec<u32> {
    let mut each = stays.iter();
    blocks.retain(|_| each.next().copied().unwrap_or(true));
    numbers(stays, false)
}

/// The numbers, from 1, of the blocks that stay, or of those that do not.
fn numbers(stays: &[bool], wanted: bool) -> Vec<u32> {
    (1..)
        .zip(stays)
        .filter(|(_, stays)| **stays == wanted)
        .map(|(number, _)| number)
        .collect()
}

/// Which blocks that do not count are one side of an edit of one that does: what has half of its words stands on the
/// other side only. Such a block is shown as what it was before or became.
fn edited_into(mine: &[Block], others: &[Block], counts: &impl Fn(&Block) -> bool) -> Vec<bool> {
    let texts = |blocks: &[Block]| -> HashSet<String> {
        blocks
            .iter()
            .map(|block| visible(&block.text).into_owned())
            .collect()
    };
    let (here, there) = (texts(mine), texts(others));
    let alone: Vec<HashSet<&str>> = others
        .iter()
        .filter(|block| counts(block) && !here.contains(&*visible(&block.text)))
        .take(EDITED)
        .map(|block| block.text.split_whitespace().collect())
        .collect();
    mine.iter()
        .map(|block| {
            let learned = block.kind != BlockKind::Furniture && !counts(block);
            if !learned || alone.is_empty() || there.contains(&*visible(&block.text)) {
                return false;
            }
            let words: HashSet<&str> = block.text.split_whitespace().collect();
            alone
                .iter()
                .any(|other| words.intersection(other).count() * 2 > words.len().max(other.len()))
        })
        .collect()
}

/// Blocks of one side that one that does not count is held against.
const EDITED: usize = 50;
