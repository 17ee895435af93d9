//! What kind of edit a change is, how much it matters, and why.

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
    /// A date in the text's frame was changed.
    Date,
    /// The article has another address.
    Address,
    /// The feed gives the entry another guid.
    Guid,
    /// Only the shape of quotation marks, apostrophes, dashes or ellipses.
    Typographic,
    /// A slip of the pen was put right.
    Typo,
    /// Words were changed.
    Wording,
    /// A figure was changed.
    Number,
    /// A name was changed.
    Name,
    /// A negation came or went.
    Negation,
    /// A quotation was changed, added or dropped.
    Quote,
    /// Who is said to have said it was changed.
    Attribution,
    /// A paragraph was added.
    ParagraphAdded,
    /// A paragraph was removed.
    ParagraphRemoved,
    /// A paragraph stands elsewhere.
    Moved,
    /// A link leads elsewhere.
    Link,
    /// The publisher tells of a correction.
    CorrectionNotice,
    /// A return to an earlier state.
    Revert,
    /// A material change without a notice, where a date of the last change is claimed and did not move. Events of older
    /// versions call it `stealth`.
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

    /// The label of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }
}

names! {
    /// How much a change matters to a reader.
    pub enum Significance {
        /// Seen, but not read differently.
        Typographic = "typographic",
        /// A small matter, such as a typo.
        Minor = "minor",
        /// Says something else than before.
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
    /// Points added, or taken away when negative.
    pub points: i32,
    /// For people: what the points are for.
    pub why: String,
}

/// The judgement on a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// In the order of [`Label`], each once.
    pub labels: Vec<Label>,
    /// At least one reason for each label.
    pub reasons: Vec<LabelReason>,
    /// How much it matters.
    pub significance: Significance,
    /// 0–100.
    pub score: u8,
    /// What the score is made of.
    pub score_parts: Vec<ScorePart>,
}
