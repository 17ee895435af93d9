//! The kind of edit, how much it matters, and why.

use crate::names;
use serde::{Deserialize, Serialize};

/// The kind of an edit; a change has any number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// A headline was changed.
    Headline,
    /// The authors were changed.
    Byline,
    /// A date shown with the text was changed.
    Date,
    /// The article has another address.
    Address,
    /// The feed gives the entry another guid.
    Guid,
    /// Only the shape of quotation marks, apostrophes, dashes or ellipses was changed.
    Typographic,
    /// A typo was corrected.
    Typo,
    /// Words were changed.
    Wording,
    /// A figure was changed.
    Number,
    /// A name was changed.
    Name,
    /// A negation was added or removed.
    Negation,
    /// A quotation was changed, added or removed.
    Quote,
    /// A statement was attributed to somebody else.
    Attribution,
    /// A paragraph was added.
    ParagraphAdded,
    /// A paragraph was removed.
    ParagraphRemoved,
    /// A paragraph was moved.
    Moved,
    /// The target of a link was changed.
    Link,
    /// The publisher added a correction notice.
    CorrectionNotice,
    /// The text returned to an earlier state.
    Revert,
    /// A material change without a notice, although the page claims a date of its last change and that date did not
    /// move. Events of older versions call it `stealth`.
    #[serde(alias = "stealth")]
    Unannounced,
}

impl Label {
    /// The name in configuration and JSON.
    #[must_use]
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }

    /// The label with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }
}

names! {
    /// How much a change matters to a reader.
    pub enum Significance {
        /// A reader sees a difference but reads the same.
        Typographic = "typographic",
        /// A minor edit, such as a typo.
        Minor = "minor",
        /// The text says something else than before.
        Substantive = "substantive",
    }
}

/// Why a label was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelReason {
    /// The label.
    pub label: Label,
    /// For people: `12 → 21 in ¶3`.
    pub text: String,
}

/// One part of the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorePart {
    /// Points added, or subtracted if negative.
    pub points: i32,
    /// For people: what the points are for.
    pub why: String,
}

/// The assessment of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// In the order of [`Label`], each at most once.
    pub labels: Vec<Label>,
    /// At least one reason for each label.
    pub reasons: Vec<LabelReason>,
    /// How much it matters.
    pub significance: Significance,
    /// From 0 to 100.
    pub score: u8,
    /// The parts of the score.
    pub score_parts: Vec<ScorePart>,
}
