//! A rule: what it covers, where it comes from, and what it was learned from.

use crate::names;
use regex::{Regex, RegexBuilder};

use super::pattern::{Shape, ValueKind};
use crate::domain::ids::RuleId;
use crate::domain::normalise::visible;
use crate::time::Timestamp;

names! {
    /// What a rule covers.
    pub enum RuleKind {
        /// A block with this text.
        Text = "text",
        /// A block with this text, whatever its numbers and names.
        Template = "template",
        /// The parts of any text that match this regular expression.
        Ignore = "ignore",
    }
}

names! {
    /// Where a rule comes from.
    pub enum RuleOrigin {
        /// Learned from many checks.
        Learned = "learned",
        /// Added by a person.
        Person = "person",
        /// Set in the configuration, as `detect.ignore`.
        Config = "config",
    }
}

/// What a rule was learned from.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct RuleEvidence {
    /// For people: `put in and taken out`.
    pub why: String,
    /// How many articles had such a block.
    pub articles: usize,
    /// How many articles were checked.
    pub of: usize,
    /// How often it came, went or changed in them.
    pub moves: usize,
    /// When it was first seen.
    pub since: Timestamp,
    /// Public ids of some of the articles.
    pub entries: Vec<String>,
    /// The places of a template that changed; the rest of such a text counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<TemplatePlace>,
    /// Whether such a text also came and went as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub comes_and_goes: bool,
    /// Whether it is a part before or after headlines, and not a text of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_titles: bool,
    /// Whether an older version learned it from less evidence: no longer active, and may be learned again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// A place of a template that changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TemplatePlace {
    /// The index among the numbers and names of the text, from 0.
    pub at: usize,
    /// The kinds of values seen there; only these are ignored.
    pub kinds: Vec<ValueKind>,
}

impl TemplatePlace {
    /// Whether a value of this kind was seen there.
    #[must_use]
    pub(super) fn allows(&self, kind: ValueKind) -> bool {
        self.kinds.contains(&kind)
    }
}

/// A stored rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its number.
    pub id: RuleId,
    /// What it covers.
    pub kind: RuleKind,
    /// A text as published, or a regular expression.
    pub pattern: String,
    /// Where it comes from.
    pub origin: RuleOrigin,
    /// Whether it is active.
    pub on: bool,
    /// When it was last switched on or off.
    pub since: Timestamp,
    /// What it was learned from; only for a learned rule.
    pub evidence: Option<RuleEvidence>,
}

impl Rule {
    /// Whether an older version learned it from less evidence than is required today.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.evidence
            .as_ref()
            .is_some_and(|evidence| evidence.retired)
    }
}

/// A template with the places that may change in braces: `{12} people are reading this`.
#[must_use]
pub fn with_places(pattern: &str, places: &[TemplatePlace]) -> String {
    let values = Shape::of(pattern).map_or_else(Vec::new, |shape| shape.values);
    let mut shown = pattern.to_owned();
    for (at, value) in values.iter().enumerate().rev() {
        if places.iter().any(|place| place.at == at) {
            shown.insert(value.range.end, '}');
            shown.insert(value.range.start, '{');
        }
    }
    shown
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is not a regular expression, or is too large.
    #[error("{0}")]
    Expression(String),
    /// It matches the empty text, and so everything.
    #[error("the expression matches the empty text")]
    MatchesNothing,
    /// Too little is left when numbers and names are removed.
    #[error("too little is left of the text without its numbers and names")]
    TooShort,
    /// The pattern has no visible text.
    #[error("the text is empty")]
    Empty,
}

/// The maximum size of a compiled expression in bytes.
const EXPRESSION_SIZE: usize = 1 << 18;

/// The maximum length of an expression as written.
const EXPRESSION_LENGTH: usize = 1_000;

/// Whether a pattern of this kind can be used.
pub fn check_pattern(kind: RuleKind, pattern: &str) -> Result<(), RuleError> {
    match kind {
        RuleKind::Text if visible(pattern).is_empty() => Err(RuleError::Empty),
        RuleKind::Text => Ok(()),
        RuleKind::Template => Shape::of(pattern)
            .filter(Shape::says_enough)
            .map(|_| ())
            .ok_or(RuleError::TooShort),
        RuleKind::Ignore => expression(pattern).map(|_| ()),
    }
}

pub(super) fn expression(pattern: &str) -> Result<Regex, RuleError> {
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
        // The last line says what is wrong; the lines above show where.
        let last = text.lines().last().unwrap_or(&text);
        RuleError::Expression(last.trim_start_matches("error: ").to_owned())
    })?;
    if built.is_match("") {
        return Err(RuleError::MatchesNothing);
    }
    Ok(built)
}
