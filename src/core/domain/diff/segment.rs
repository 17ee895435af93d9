//! Parts of a text that were kept, removed or added.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of a text; written as `["=","kept"]`, `["-","removed"]`, `["+","added"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// In both texts.
    Equal(String),
    /// Only in the old text.
    Delete(String),
    /// Only in the new text.
    Insert(String),
}

impl Segment {
    /// The text, whichever side it is on.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Equal(text) | Self::Delete(text) | Self::Insert(text) => text,
        }
    }

    /// The old side of a run of segments.
    #[must_use]
    pub fn old_side(segments: &[Self]) -> String {
        segments
            .iter()
            .filter(|s| !matches!(s, Self::Insert(_)))
            .map(Self::text)
            .collect()
    }

    /// The new side of a run of segments.
    #[must_use]
    pub fn new_side(segments: &[Self]) -> String {
        segments
            .iter()
            .filter(|s| !matches!(s, Self::Delete(_)))
            .map(Self::text)
            .collect()
    }
}

impl Serialize for Segment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mark = match self {
            Self::Equal(_) => "=",
            Self::Delete(_) => "-",
            Self::Insert(_) => "+",
        };
        (mark, self.text()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mark, text) = <(String, String)>::deserialize(deserializer)?;
        match mark.as_str() {
            "=" => Ok(Self::Equal(text)),
            "-" => Ok(Self::Delete(text)),
            "+" => Ok(Self::Insert(text)),
            other => Err(serde::de::Error::custom(format!(
                "unknown segment mark `{other}`"
            ))),
        }
    }
}
