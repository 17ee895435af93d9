//! What is put right before a feed can be read, by name.

use std::fmt;

use serde::{Serialize, Serializer};

/// One kind of repair; a feed that needs it needs it in every poll, so the names are few and stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repair {
    /// The character set that the feed declares is not the one it is written in.
    Charset,
    /// Bytes that are no text in the feed's character set.
    InvalidBytes,
    /// Something before the root element.
    JunkBeforeRoot,
    /// The document ends in the middle.
    Truncated,
    /// Tags that do not match.
    MismatchedTags,
    /// Control characters that XML forbids.
    ControlCharacters,
    /// An ampersand that begins no entity, or an entity that nobody declared.
    Entities,
    /// A `<` that begins no tag.
    BareLessThan,
    /// `rss` without a version that is known.
    RssVersion,
    /// Atom 0.3, or another name space of times gone by.
    LegacyNamespace,
    /// A prefix that nobody declared.
    UndeclaredPrefix,
    /// Text of an unknown type.
    ContentType,
    /// Markup inside a field that holds escaped text.
    InlineMarkup,
    /// A field that is nested deeper, or is longer, than allowed.
    Oversized,
    /// JSON that its own rules forbid.
    JsonSyntax,
    /// JSON Feed members that are missing or of the wrong type.
    JsonMembers,
    /// Reading it made the parser fall over; read again without the texts known to do so.
    ParserPanic,
}

impl Repair {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Charset => "charset",
            Self::InvalidBytes => "invalid-bytes",
            Self::JunkBeforeRoot => "junk-before-root",
            Self::Truncated => "truncated",
            Self::MismatchedTags => "mismatched-tags",
            Self::ControlCharacters => "control-characters",
            Self::Entities => "entities",
            Self::BareLessThan => "bare-less-than",
            Self::RssVersion => "rss-version",
            Self::LegacyNamespace => "legacy-namespace",
            Self::UndeclaredPrefix => "undeclared-prefix",
            Self::ContentType => "content-type",
            Self::InlineMarkup => "inline-markup",
            Self::Oversized => "oversized",
            Self::JsonSyntax => "json-syntax",
            Self::JsonMembers => "json-members",
            Self::ParserPanic => "parser-panic",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Repair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The repairs of one document, each once, in the order in which they were needed.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    kinds: Vec<Repair>,
    /// How many there were, those of a kind that was noted before included.
    all: usize,
}

impl Repairs {
    /// Notes a repair.
    pub(super) fn note(&mut self, repair: Repair) {
        self.all += 1;
        if !self.kinds.contains(&repair) {
            self.kinds.push(repair);
        }
    }

    /// How often something was put right.
    pub(super) fn count(&self) -> usize {
        self.all
    }

    /// Whether this was put right.
    pub(super) fn has(&self, repair: Repair) -> bool {
        self.kinds.contains(&repair)
    }

    /// The repairs.
    pub(super) fn into_vec(self) -> Vec<Repair> {
        self.kinds
    }
}
