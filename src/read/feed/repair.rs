//! Repairs that a feed needs before it can be read, by name.

use std::fmt;

use serde::{Serialize, Serializer};

/// A kind of repair. A feed that needs one needs it in every poll, so the names are few and stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repair {
    /// The feed is not in the character set that it declares.
    Charset,
    /// Bytes that are not text in the feed's character set.
    InvalidBytes,
    /// Something before the root element.
    JunkBeforeRoot,
    /// The document ends prematurely.
    Truncated,
    /// Tags that do not match.
    MismatchedTags,
    /// Control characters that XML forbids.
    ControlCharacters,
    /// An ampersand that does not start an entity, or an undeclared entity.
    Entities,
    /// A `<` that does not start a tag.
    BareLessThan,
    /// `rss` without a known version.
    RssVersion,
    /// Atom 0.3, or another obsolete namespace.
    LegacyNamespace,
    /// An undeclared prefix.
    UndeclaredPrefix,
    /// Text of an unknown type.
    ContentType,
    /// Markup inside a field that holds escaped text.
    InlineMarkup,
    /// A field that is nested deeper, or is longer, than allowed.
    Oversized,
    /// Invalid JSON.
    JsonSyntax,
    /// JSON Feed members that are missing or of the wrong type.
    JsonMembers,
    /// The parser panicked; the feed was read again without the texts known to cause that.
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
    /// The number of repairs, including repeated ones of the same kind.
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

    /// How many repairs were made.
    pub(super) fn count(&self) -> usize {
        self.all
    }

    /// Whether this repair was made.
    pub(super) fn has(&self, repair: Repair) -> bool {
        self.kinds.contains(&repair)
    }

    /// The repairs.
    pub(super) fn into_vec(self) -> Vec<Repair> {
        self.kinds
    }
}
