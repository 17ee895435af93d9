//! Evidence for and against a block being part of the article.
//!
//! No single sign decides: not the extractor's opinion, not the position of a block, not the name of an element.
//! Each is a [`Clue`] with a weight, and the weights of a block's clues are added up, as in a logistic regression,
//! which is how the weights in `evidence.txt` were found. This way the verdict can be explained clue by clue.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Declares the clues: the name in `evidence.txt`, and the text that users see.
macro_rules! clues {
    ($($clue:ident $text:literal,)*) => {
        /// An observation about a block.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum Clue {
            $(#[doc = $text] $clue,)*
        }

        impl Clue {
            /// All clues.
            pub(super) const ALL: &'static [Self] = &[$(Self::$clue,)*];

            /// The name in `evidence.txt`.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$clue => stringify!($clue),)*
                }
            }

            /// The text that users see.
            pub(super) fn text(self) -> &'static str {
                match self {
                    $(Self::$clue => $text,)*
                }
            }
        }
    };
}

clues! {
    Always "it is on the page",
    CoveredWhole "the extractor has it",
    CoveredMostly "the extractor has most of it",
    CoveredPartly "the extractor has some of it",
    InRegion "it is inside the article's region",
    InArticleElement "it is inside the element that claims to be the article",
    LikeRegion "its container looks like the article's",
    FarOutside "it is outside the article's region",
    Between "it is between paragraphs of the article",
    RightBefore "it is right before the first paragraph",
    LongBefore "it is far before the first paragraph",
    RightAfter "it is right after the last paragraph",
    LongAfter "it is far after the last paragraph",
    Label "it has one to four words",
    ShortText "it has five to eleven words",
    Sentence "it has twelve to twenty-four words",
    Paragraph "it has twenty-five words or more",
    Heading "it is a heading",
    LongHeading "it is a long heading",
    ListItem "it is an item of a list",
    LongListItem "it is a long item of a list",
    TableRow "it is a row of a table",
    Quote "it is a quotation",
    Code "it is code",
    Caption "it is a caption",
    EndsAsSentence "it ends as a sentence does",
    ManySentences "it has several sentences",
    BeginsLow "it begins in lower case",
    Unlinked "it has no link",
    LittleLinked "a little of it is a link",
    HalfLinked "half of it is a link",
    AllLinked "all of it is a link",
    Anchored "it links to a place on the page",
    FormMost "most of the article is marked up like it",
    FormSome "some of the article is marked up like it",
    FormFew "little of the article is marked up like it",
    FormAlien "nothing of the article is marked up like it",
    InCards "it is in one of several boxes of links",
    NamedNavigation "an element around it is named as navigation",
    NamedAside "an element around it is named as a side bar or footer",
    NamedAdvertisement "an element around it is named as an advertisement",
    NamedRelated "an element around it is named as related stories",
    NamedNewsletter "an element around it is named as a subscription box",
    NamedShare "an element around it is named as a share bar",
    NamedComments "an element around it is named as comments",
    NamedControl "an element around it is named as a dialogue",
    NamedCaption "an element around it is named as a caption",
    NamedMeta "an element around it is named as by-line or tags",
    TagNavigation "it is in a nav element",
    TagAside "it is in an aside or footer element",
    TagForm "it is in a form or button",
    Hidden "it is not shown at first",
    HiddenProse "it is prose that is not shown at first",
    SaysAdvertisement "it says that it is an advertisement",
    SaysRelated "it says that it links to other stories",
    SaysNewsletter "it asks for a subscription",
    SaysShare "it asks to share, or is a counter",
    SaysClock "it says how long ago something was",
    SaysDate "it is a date alone",
    SaysPosition "it is a position in a gallery",
    SaysWeather "it is a weather report",
    SaysCredit "it is a credit",
    SaysContact "it says how to reach the author",
    SaysTags "it lists tags",
    Copyright "it is a copyright notice",
    AllEmphasised "all of it is emphasised",
    HasInputs "there is a field or a button beside it",
    HasPicture "there is a picture beside it",
    HasMail "it has a mail address or handle",
    HasArrow "it has an arrow",
    HasBar "it has a bar between words",
    EndsWithColon "it ends with a colon",
    Asks "it ends with a question mark",
    Repeats "the same text comes earlier on the page",
    MostlyDigits "most of it is digits",
    MentionsNewsletter "it mentions a newsletter",
    CutOff "it breaks off",
    SaysSpeech "it has words in quotation marks",
    NoHeadline "the page shows no headline",
    NearHeadline "it is just below the headline",
    BelowHeadline "it is further below the headline",
    FarBelowHeadline "it is far below the headline",
    LineAboveText "it is a line between headline and text",
    WithHeadline "it is in the same part of the page as the headline",
    BesideSomeLinks "some of the box around it is links",
    BesideLinks "most of the box around it is links",
    PartFewLinks "few links are in its part of the page",
    PartSomeLinks "some links are in its part of the page",
    PartManyLinks "many links are in its part of the page",
    OneOfMany "it is one of several alike",
    AfterArticle "blocks before it mark the end of the article",
    PreviousIn "the block before it is part of the article",
    NextIn "the block after it is part of the article",
    BothIn "the blocks around it are part of the article",
    NeitherIn "neither block around it is part of the article",
    BoxIn "most of the box around it is part of the article",
    BoxMixed "some of the box around it is part of the article",
    BoxOut "little of the box around it is part of the article",
    HeadsText "text of the article follows this heading",
    HeadsNothing "no text of the article follows this heading",
    AloneInBox "the box around it has little else and looks unlike the article",
}

/// The two weights of a clue: for judging a block by itself, and once its neighbours are known.
type ClueWeights = [f32; 2];

/// By clue, in the order of [`Clue::ALL`].
static WEIGHTS: LazyLock<Vec<ClueWeights>> = LazyLock::new(|| {
    let named: HashMap<&str, ClueWeights> = weights().collect();
    let of = |clue: &Clue| named.get(clue.name()).copied().unwrap_or_default();
    Clue::ALL.iter().map(of).collect()
});

/// The lines of `evidence.txt`: a clue and its two weights.
fn weights() -> impl Iterator<Item = (&'static str, ClueWeights)> {
    let lines = include_str!("evidence.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            let mut weight = || words.next()?.parse().ok();
            Some((name, [weight()?, weight()?]))
        })
}

/// The evidence for and against one block.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockEvidence {
    /// Its clues.
    pub(super) clues: Vec<Clue>,
}

impl BlockEvidence {
    /// Adds a clue if it holds.
    pub(super) fn note(&mut self, clue: Clue, holds: bool) {
        if holds {
            self.clues.push(clue);
        }
    }

    /// The sum of the weights; above zero the block is part of the article. `round` is 0 for a block by itself and
    /// 1 once its neighbours are known.
    pub(super) fn score(&self, round: usize) -> f32 {
        self.clues.iter().map(|clue| weight(*clue, round)).sum()
    }

    /// Whether something around the block marks it as not being part of an article.
    pub(super) fn is_marked(&self) -> bool {
        let marks = [
            Clue::NamedNavigation,
            Clue::NamedAside,
            Clue::NamedAdvertisement,
            Clue::NamedRelated,
            Clue::NamedNewsletter,
            Clue::NamedShare,
            Clue::NamedComments,
            Clue::NamedControl,
            Clue::NamedMeta,
            Clue::TagNavigation,
            Clue::TagForm,
            Clue::Anchored,
            Clue::Hidden,
        ];
        self.clues.iter().any(|clue| marks.contains(clue))
    }

    /// The clue with the most weight for (or against) the block.
    pub(super) fn strongest(&self, counts: bool) -> Option<Clue> {
        let sign = if counts { 1.0 } else { -1.0 };
        let said = self
            .clues
            .iter()
            .copied()
            .filter(|clue| *clue != Clue::Always);
        said.max_by(|a, b| (sign * weight(*a, 1)).total_cmp(&(sign * weight(*b, 1))))
    }
}

fn weight(clue: Clue, round: usize) -> f32 {
    let weights = WEIGHTS.get(clue as usize);
    weights
        .and_then(|weights| weights.get(round))
        .copied()
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clue_has_its_weights_and_every_weight_its_clue() {
        let named: Vec<&str> = weights().map(|(name, _)| name).collect();
        let known: Vec<&str> = Clue::ALL.iter().map(|clue| clue.name()).collect();
        assert_eq!(named, known);
    }
}
