//! The role of a block of a page in its article.

use super::evidence::Clue;
use crate::domain::state::BlockKind;

/// The role of a block in the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The headline, or its repetition.
    Headline,
    /// The short line above the headline.
    Kicker,
    /// The sentences under the headline that introduce the article.
    Standfirst,
    /// Running text.
    Text,
    /// A heading inside the text.
    Heading,
    /// An item of a list.
    ListItem,
    /// A row of a table.
    TableRow,
    /// A quotation.
    Quotation,
    /// Text about a picture.
    Caption,
    /// Code.
    Code,
    /// A box beside the text that belongs to it.
    FactBox,
    /// A notice of a correction or an update.
    Notice,
    /// Who wrote it.
    Byline,
    /// When it was published or changed.
    DateLine,
    /// Who took a picture, or owns the rights.
    Credit,
    /// A menu, or links to places in the page.
    Navigation,
    /// A link to another story.
    OtherStory,
    /// An advertisement, a subscription box.
    Promotion,
    /// Sharing, counters.
    Sharing,
    /// A reader's comment.
    Comment,
    /// A form or a dialogue.
    Control,
    /// Hidden at first.
    Hidden,
    /// Text that was on the page before.
    Repetition,
    /// Removed by a person's rule.
    Removed,
    /// Anything else outside the article.
    Outside,
}

impl Role {
    /// The name for users and machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Headline => "headline",
            Self::Kicker => "kicker",
            Self::Standfirst => "standfirst",
            Self::Text => "text",
            Self::Heading => "heading",
            Self::ListItem => "list item",
            Self::TableRow => "table row",
            Self::Quotation => "quotation",
            Self::Caption => "caption",
            Self::Code => "code",
            Self::FactBox => "fact box",
            Self::Notice => "notice",
            Self::Byline => "by-line",
            Self::DateLine => "date line",
            Self::Credit => "credit",
            Self::Navigation => "navigation",
            Self::OtherStory => "link to another story",
            Self::Promotion => "promotion",
            Self::Sharing => "sharing or a counter",
            Self::Comment => "comment",
            Self::Control => "form or dialogue",
            Self::Hidden => "hidden",
            Self::Repetition => "repetition",
            Self::Removed => "removed",
            Self::Outside => "outside of the article",
        }
    }

    /// Whether it is part of the article's text.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Heading
                | Self::ListItem
                | Self::TableRow
                | Self::Quotation
                | Self::Caption
                | Self::Code
                | Self::FactBox
                | Self::Notice
        )
    }

    /// Whether its words are compared: as text, or as a separate field.
    #[must_use]
    pub fn is_watched(self) -> bool {
        self.is_text() || matches!(self, Self::Headline | Self::Kicker | Self::Standfirst)
    }

    /// The role of a block that is part of the text. `in_box`: it is in a box beside the text.
    #[must_use]
    pub fn of_text(kind: BlockKind, in_box: bool) -> Self {
        match kind {
            BlockKind::Paragraph if in_box => Self::FactBox,
            BlockKind::Paragraph | BlockKind::Furniture => Self::Text,
            BlockKind::Heading => Self::Heading,
            BlockKind::ListItem => Self::ListItem,
            BlockKind::Quote => Self::Quotation,
            BlockKind::Caption => Self::Caption,
            BlockKind::TableRow => Self::TableRow,
            BlockKind::Code => Self::Code,
        }
    }

    /// The role of a block that is not part of the text, by the strongest clue against it.
    pub(super) fn of_other(against: Clue) -> Self {
        match against {
            Clue::NamedNavigation | Clue::TagNavigation | Clue::Anchored | Clue::HasBar => {
                Self::Navigation
            }
            Clue::NamedAdvertisement
            | Clue::NamedNewsletter
            | Clue::SaysAdvertisement
            | Clue::SaysNewsletter
            | Clue::MentionsNewsletter => Self::Promotion,
            Clue::NamedRelated
            | Clue::SaysRelated
            | Clue::InCards
            | Clue::AllLinked
            | Clue::HalfLinked
            | Clue::CutOff
            | Clue::BesideLinks
            | Clue::PartManyLinks => Self::OtherStory,
            Clue::NamedShare | Clue::SaysShare => Self::Sharing,
            Clue::NamedComments => Self::Comment,
            Clue::NamedControl | Clue::TagForm | Clue::HasInputs => Self::Control,
            Clue::NamedMeta | Clue::SaysContact | Clue::SaysTags | Clue::LineAboveText => {
                Self::Byline
            }
            Clue::SaysClock | Clue::SaysDate => Self::DateLine,
            Clue::SaysCredit | Clue::Copyright | Clue::NamedCaption => Self::Credit,
            Clue::Hidden | Clue::HiddenProse => Self::Hidden,
            Clue::Repeats => Self::Repetition,
            _ => Self::Outside,
        }
    }
}
