//! The active rules, and what they leave of a state.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use super::counter;
use super::pattern::{Shape, TextValue, ValueKind, text_key, without};
use super::restless::Restless;
use super::rule::{Rule, RuleKind, RuleOrigin, TemplatePlace, expression};
use super::titles;
use crate::domain::assess::is_notice;
use crate::domain::ids::RuleId;
use crate::domain::links::{self, Linked};
use crate::domain::normalise::visible;
use crate::domain::state::{Block, BlockKind, EntryState, FeedState, PageState};
use crate::time::Timestamp;

/// The active rules of one feed; without any, only text that was marked as furniture when it was read is left out.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    texts: HashMap<String, RuleId>,
    /// Forms of texts that are left out as a whole.
    wholes: HashMap<String, RuleId>,
    /// Forms of texts in which learned places are ignored.
    templates: HashMap<String, Template>,
    titles: HashMap<String, RuleId>,
    ignore: Vec<(RuleId, Regex)>,
    /// Only for one entry.
    restless: Restless,
    /// How long ago the old text of a comparison was seen.
    elapsed: Option<Duration>,
}

/// What was learned about texts of one form.
#[derive(Debug, Clone)]
struct Template {
    rule: RuleId,
    pattern: String,
    moves: Moves,
    /// Whether more may be learned about it.
    grows: bool,
}

/// How texts of one form were seen to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Moves {
    /// The places that changed.
    pub(super) places: Vec<TemplatePlace>,
    /// Whether such a text came and went as a whole.
    pub(super) comes_and_goes: bool,
}

impl Moves {
    fn allows(&self, at: usize, kind: ValueKind) -> bool {
        let mut places = self.places.iter();
        places.any(|place| place.at == at && place.allows(kind))
    }

    /// Adds what was known before.
    pub(super) fn and(mut self, known: &Self) -> Self {
        for place in &known.places {
            match self.places.iter_mut().find(|mine| mine.at == place.at) {
                Some(mine) => {
                    mine.kinds.extend(&place.kinds);
                    mine.kinds.sort_unstable();
                    mine.kinds.dedup();
                }
                None => self.places.push(place.clone()),
            }
        }
        self.places.sort_by_key(|place| place.at);
        self.comes_and_goes |= known.comes_and_goes;
        self
    }
}

impl Template {
    /// Whether such a text may come and go: apart from the places that change, it says exactly what was seen.
    fn comes_and_goes(&self, text: &str, shape: &Shape) -> bool {
        let known = Shape::of(&self.pattern);
        let known = known.iter().flat_map(|shape| &shape.values);
        let same = |(at, (value, known)): (usize, (&TextValue, &TextValue))| {
            self.moves.allows(at, value.kind)
                || text.get(value.range.clone()) == self.pattern.get(known.range.clone())
        };
        self.moves.comes_and_goes
            && !is_notice(text)
            && shape.values.iter().zip(known).enumerate().all(same)
    }
}

/// The rules of a feed at the time of a check.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    /// The active rules.
    pub now: Arc<Rules>,
    /// The active rules, and those that have ended since the last check. Text that an ended rule covered was not
    /// compared before, so it has no past and its current wording is taken as it is. `None` if none has ended.
    pub before: Option<Arc<Rules>>,
    /// The rules for comparing one entry, if more is known about it.
    comparing: Option<Arc<Rules>>,
}

impl InForce {
    /// Selects from all rules of a feed whose text was last read at `last_look`.
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
            comparing: None,
        }
    }

    /// The rules for comparing a check with the one before.
    #[must_use]
    pub fn for_comparing(&self) -> &Rules {
        let rules = self.comparing.as_ref().or(self.before.as_ref());
        rules.unwrap_or(&self.now)
    }

    /// The rules for recording ignored text: a rule that has ended leaves nothing out any more.
    #[must_use]
    pub fn for_record(&self) -> &Rules {
        let rules = self.comparing.as_ref().filter(|_| self.before.is_none());
        rules.unwrap_or(&self.now)
    }

    /// The same for one entry: with the places that change in it at every check, and the time since its last text.
    #[must_use]
    pub fn for_entry(&self, restless: Restless, elapsed: Option<Duration>) -> Self {
        let rules = self.for_comparing().clone();
        let comparing = Some(Arc::new(Rules {
            restless,
            elapsed,
            ..rules
        }));
        Self {
            comparing,
            ..self.clone()
        }
    }
}

impl Rules {
    /// Compiles these rules, active or not. A rule whose pattern cannot be used any more has no effect.
    #[must_use]
    pub fn of<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        let mut made = Self::default();
        for rule in rules {
            match rule.kind {
                RuleKind::Text => {
                    made.texts.insert(text_key(&rule.pattern), rule.id);
                }
                RuleKind::Template => made.template(rule),
                RuleKind::Ignore => {
                    made.ignore
                        .extend(expression(&rule.pattern).ok().map(|found| (rule.id, found)));
                }
            }
        }
        made
    }

    fn template(&mut self, rule: &Rule) {
        if rule
            .evidence
            .as_ref()
            .is_some_and(|evidence| evidence.in_titles)
        {
            let affix = titles::affixes(&rule.pattern).into_iter().next();
            self.titles.extend(affix.map(|affix| (affix.key, rule.id)));
            return;
        }
        let Some(shape) = Shape::of(&rule.pattern) else {
            return;
        };
        let evidence = rule.evidence.as_ref().filter(|evidence| !evidence.retired);
        match evidence.filter(|_| rule.origin == RuleOrigin::Learned) {
            None => {
                self.wholes.insert(shape.key, rule.id);
            }
            Some(evidence) => {
                let template = Template {
                    rule: rule.id,
                    pattern: rule.pattern.clone(),
                    moves: Moves {
                        places: evidence.places.clone(),
                        comes_and_goes: evidence.comes_and_goes,
                    },
                    grows: rule.on,
                };
                self.templates.insert(shape.key, template);
            }
        }
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
            && self.wholes.is_empty()
            && self.templates.is_empty()
            && self.titles.is_empty()
            && self.ignore.is_empty()
            && self.restless.is_empty()
    }

    /// Whether it contains this rule.
    #[must_use]
    pub fn has(&self, rule: RuleId) -> bool {
        let templates = self.templates.values().map(|template| &template.rule);
        let whole = self
            .texts
            .values()
            .chain(self.wholes.values())
            .chain(self.titles.values())
            .chain(templates);
        whole
            .chain(self.ignore.iter().map(|(id, _)| id))
            .any(|id| *id == rule)
    }

    /// The rule by which a whole block is left out.
    #[must_use]
    pub fn rule_of(&self, text: &str) -> Option<RuleId> {
        if !self.texts.is_empty()
            && let Some(id) = self.texts.get(&text_key(text))
        {
            return Some(*id);
        }
        if !self.wholes.is_empty()
            && let Some(shape) = Shape::of(text)
            && let Some(id) = self.wholes.get(&shape.key)
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

    /// Whether there is nothing more to learn about a text.
    #[must_use]
    pub(super) fn knows(&self, text: &str) -> bool {
        self.rule_of(text).is_some()
            || (!self.templates.is_empty()
                && Shape::of(text).is_some_and(|shape| {
                    let template = self.templates.get(&shape.key);
                    template.is_some_and(|template| !template.grows)
                }))
    }

    /// What is known about texts of a form, with the pattern of the rule.
    pub(super) fn moves_of(&self, key: &str) -> Option<(&str, &Moves)> {
        let template = self.templates.get(key)?;
        Some((&template.pattern, &template.moves))
    }

    /// The form of a text that may come and go as a whole: a line of counters, or a text that was learned to do so.
    pub(super) fn coming_and_going(&self, text: &str) -> Option<String> {
        let counters = counter::alone(text);
        if counters.is_some() || self.templates.is_empty() {
            return counters;
        }
        let shape = Shape::of(text)?;
        let template = self.templates.get(&shape.key)?;
        template.comes_and_goes(text, &shape).then_some(shape.key)
    }

    /// Whether this counter in headlines is already covered.
    pub(super) fn knows_in_titles(&self, affix: &str) -> bool {
        self.titles.contains_key(affix)
    }

    /// The places of a text that change, with the rule for them; no rule if they change only in one entry.
    pub(super) fn moving(&self, text: &str) -> (Option<RuleId>, Vec<Range<usize>>) {
        if (self.templates.is_empty() && self.restless.is_empty()) || is_notice(text) {
            return (None, Vec::new());
        }
        let Some(shape) = Shape::of(text) else {
            return (None, Vec::new());
        };
        let template = self.templates.get(&shape.key);
        let values = shape.values.iter().enumerate().filter(|(at, value)| {
            template.is_some_and(|template| template.moves.allows(*at, value.kind))
                || self.restless.allows(&shape.key, *at, value.kind)
        });
        let parts: Vec<_> = values.map(|(_, value)| value.range.clone()).collect();
        let rule = template.map(|template| template.rule);
        (rule.filter(|_| !parts.is_empty()), parts)
    }

    /// A text without the parts that are not compared.
    pub(super) fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let (_, moving) = self.moving(text);
        self.without_parts(match moving.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(without(text, moving)),
        })
    }

    /// A headline without the parts that are not compared.
    pub(super) fn masked_title<'a>(&self, title: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(title);
        if !self.titles.is_empty() {
            let mut affixes = titles::affixes(title).into_iter();
            if let Some(affix) = affixes.find(|affix| self.titles.contains_key(&affix.key)) {
                masked = Cow::Owned(affix.masked(title));
            }
        }
        self.without_parts(masked)
    }

    /// The rule by which a part of a headline is not compared.
    pub(super) fn rule_of_title(&self, title: &str) -> Option<RuleId> {
        let mut affixes = titles::affixes(title).into_iter();
        affixes.find_map(|affix| self.titles.get(&affix.key).copied())
    }

    fn without_parts<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let mut masked = text;
        for (_, found) in &self.ignore {
            if found.is_match(&masked) {
                masked = Cow::Owned(found.replace_all(&masked, "").into_owned());
            }
        }
        masked
    }

    /// A headline in the form in which headlines are compared.
    pub(super) fn title_form(&self, title: &str) -> String {
        let masked = self.masked_title(title);
        let counted = counter::in_title(&masked);
        visible(counted.as_deref().unwrap_or(&masked)).into_owned()
    }

    /// How long ago the old text of a comparison was seen.
    pub(super) fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }

    /// The places that change in the entry at every check.
    pub(super) fn restless(&self) -> &Restless {
        &self.restless
    }

    /// The parts of a text that are not compared, each with its rule.
    pub fn parts<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (RuleId, &'t str)> + use<'t> {
        let of = move |(id, found): &'t (RuleId, Regex)| {
            found.find_iter(text).map(|part| (*id, part.as_str()))
        };
        self.ignore.iter().flat_map(of)
    }

    pub(super) fn counts(&self, block: &Block) -> bool {
        block.kind != BlockKind::Furniture && self.rule_of(&block.text).is_none()
    }

    fn touches(&self, title: Option<&str>, blocks: &[Block]) -> bool {
        let furniture = |block: &Block| block.kind == BlockKind::Furniture;
        !self.is_empty()
            || title.is_some_and(|title| counter::in_title(title).is_some())
            || blocks
                .iter()
                .any(|block| furniture(block) || !counter::parts(&block.text, false).is_empty())
    }

    fn blocks(&self, blocks: &[Block]) -> Vec<Block> {
        let counts =
            |block: &&Block| self.counts(block) && self.coming_and_going(&block.text).is_none();
        let counted: Vec<&Block> = blocks.iter().filter(counts).collect();
        let beside = counter::beside(counted.iter().map(|block| block.text.as_str()));
        counted
            .into_iter()
            .zip(beside)
            .map(|(block, beside)| {
                let masked = self.masked(&block.text);
                let text = counter::masked(&masked, beside);
                Block {
                    kind: block.kind,
                    text: text.unwrap_or_else(|| masked.into_owned()),
                }
            })
            .filter(|block| !visible(&block.text).is_empty())
            .collect()
    }

    fn line(&self, line: Option<&String>) -> Option<String> {
        line.map(|line| self.without_parts(Cow::Borrowed(line)).into_owned())
    }

    fn title(&self, title: Option<&String>) -> Option<String> {
        title.map(|title| {
            let masked = self.masked_title(title);
            counter::in_title(&masked).unwrap_or_else(|| masked.into_owned())
        })
    }

    /// The parts of a feed's item that count and are hashed. Not for display: the parts of a text that are not
    /// compared are removed.
    #[must_use]
    pub fn counted_feed<'a>(&self, state: &'a FeedState) -> Cow<'a, FeedState> {
        let title = state.title.as_deref();
        if !self.touches(title, &state.body) && !self.touches(None, &state.summary) {
            return Cow::Borrowed(state);
        }
        let mut counted = FeedState {
            title: self.title(state.title.as_ref()),
            byline: self.line(state.byline.as_ref()),
            summary: self.blocks(&state.summary),
            body: self.blocks(&state.body),
            ..state.clone()
        };
        counted.links = links::within(Linked::Feed(&counted));
        Cow::Owned(counted)
    }

    /// The parts of a page that count and are hashed. Like [`Self::counted_feed`], not for display.
    #[must_use]
    pub fn counted_page<'a>(&self, state: &'a PageState) -> Cow<'a, PageState> {
        if !self.touches(state.headline(), &state.body) {
            return Cow::Borrowed(state);
        }
        let mut counted = PageState {
            h1: self.title(state.h1.as_ref()),
            og_title: self.title(state.og_title.as_ref()),
            ld_headline: self.title(state.ld_headline.as_ref()),
            kicker: self.line(state.kicker.as_ref()),
            standfirst: self.line(state.standfirst.as_ref()),
            byline: self.line(state.byline.as_ref()),
            body: self.blocks(&state.body),
            ..state.clone()
        };
        // Links are removed together with their text.
        counted.links = links::within(Linked::Page(&counted));
        Cow::Owned(counted)
    }

    /// The parts of both channels that count.
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
}
