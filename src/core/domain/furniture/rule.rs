//! A rule: what it is about, where it comes from, what it was learned from.

use crate::names;
use regex::{Regex, RegexBuilder};

use super::pattern::{Shape, ValueKind};
use crate::domain::ids::RuleId;
use crate::domain::normalise::visible;
use crate::time::Timestamp;

names! {
    /// What a rule is about.
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
    pub enum Origin {
        /// From many looks.
        Learned = "learned",
        /// Somebody added it.
        Person = "person",
        /// It stands in the configuration, as `detect.ignore`.
        Config = "config",
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
    /// The places of a template that moved; what stands elsewhere in such a text counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Whether such a text also came and went as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub comes_and_goes: bool,
    /// Whether it stands before or after headlines, and is no text by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_titles: bool,
    /// Whether an older version has learned it from less: not in force any more, and may be learned again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// A place of a template that moved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Which of the numbers and names of the text, from 0.
    pub at: usize,
    /// What was seen there: nothing else is passed over.
    pub kinds: Vec<ValueKind>,
}

impl Place {
    /// Whether a value of this kind was seen there.
    #[must_use]
    pub(super) fn allows(&self, kind: ValueKind) -> bool {
        self.kinds.contains(&kind)
    }
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

impl Rule {
    /// Whether an older version has learned it from less than is asked for today.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.evidence
            .as_ref()
            .is_some_and(|evidence| evidence.retired)
    }
}

/// A template with the places in braces that may move: `{12} people are reading this`.
#[must_use]
pub fn with_places(pattern: &str, places: &[Place]) -> String {
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
        // The last line says what is wrong; those above draw it.
        let last = text.lines().last().unwrap_or(&text);
        RuleError::Expression(last.trim_start_matches("error: ").to_owned())
    })?;
    if built.is_match("") {
        return Err(RuleError::MatchesNothing);
    }
    Ok(built)
}
