//! Clues in a block's own words and its neighbours.

use super::evidence::{BlockEvidence, Clue};
use super::furniture::{self, IgnoreRule};
use super::page::{Page, PageBlock};
use super::survey::Survey;
use crate::domain::diff::is_ideograph;
use crate::domain::state::BlockKind;

/// Notes what the text of a block by itself suggests.
pub(super) fn note_text(block: &PageBlock, evidence: &mut BlockEvidence) {
    let text = block.block.text.trim();
    let words = block.count;
    match block.block.kind {
        BlockKind::Heading => evidence.note(
            if words > 12 {
                Clue::LongHeading
            } else {
                Clue::Heading
            },
            true,
        ),
        BlockKind::ListItem => evidence.note(
            if words > 12 {
                Clue::LongListItem
            } else {
                Clue::ListItem
            },
            true,
        ),
        BlockKind::TableRow => evidence.note(Clue::TableRow, true),
        BlockKind::Quote => evidence.note(Clue::Quote, true),
        BlockKind::Code => evidence.note(Clue::Code, true),
        BlockKind::Caption | BlockKind::Furniture => evidence.note(Clue::Caption, true),
        BlockKind::Paragraph => {}
    }
    if matches!(block.block.kind, BlockKind::Paragraph | BlockKind::Quote) {
        evidence.note(Clue::Label, words <= 4);
        evidence.note(Clue::ShortText, (5..=11).contains(&words));
        evidence.note(Clue::Sentence, (12..=24).contains(&words));
        evidence.note(Clue::Paragraph, words >= 25);
    }
    let ends = furniture::ends_as_sentence(text);
    evidence.note(Clue::EndsAsSentence, ends && words >= 4);
    let inner = text
        .split([' ', '\u{a0}'])
        .filter(|word| word.len() > 3 && word.ends_with(['.', '!', '?', '。']))
        .count()
        + text.matches('。').count();
    evidence.note(Clue::ManySentences, inner >= 2);
    evidence.note(
        Clue::BeginsLow,
        text.chars().next().is_some_and(char::is_lowercase),
    );
    evidence.note(Clue::Unlinked, block.linked <= 0.0);
    evidence.note(Clue::LittleLinked, block.linked > 0.0 && block.linked < 0.3);
    evidence.note(Clue::HalfLinked, (0.3..0.7).contains(&block.linked));
    evidence.note(Clue::AllLinked, block.linked >= 0.7);
    evidence.note(Clue::Anchored, block.anchored >= 0.5);
    if let Some(rule) = furniture::rule_of(&block.block, block.linked) {
        evidence.note(
            said(rule),
            rule != IgnoreRule::Caption || block.block.kind != BlockKind::Caption,
        );
    }
    evidence.note(Clue::MentionsNewsletter, mentions_newsletter(text));
    let lower = text.to_lowercase();
    let rights =
        lower.starts_with("(c)") || lower.starts_with("copyright") || lower.contains(['©', 'ⓒ']);
    evidence.note(Clue::Copyright, words <= 30 && rights);
    let emphasised = block.emphasised >= 0.9 && block.block.kind != BlockKind::Heading;
    evidence.note(Clue::AllEmphasised, emphasised);
    evidence.note(Clue::HasMail, text.contains('@'));
    evidence.note(
        Clue::HasArrow,
        text.contains(['→', '›', '▶', '►', '⟶']) || text.ends_with(['»', '>']),
    );
    evidence.note(
        Clue::HasBar,
        text.contains(" | ") && block.block.kind != BlockKind::TableRow,
    );
    evidence.note(Clue::EndsWithColon, text.ends_with([':', '：']));
    evidence.note(
        Clue::CutOff,
        text.ends_with(['…', '⋯']) || text.ends_with("..."),
    );
    let quotes = text.matches(['"', '“', '”', '„', '«', '»', '「', '」']);
    evidence.note(Clue::SaysSpeech, quotes.count() >= 2);
    evidence.note(Clue::Asks, text.ends_with(['?', '？', '؟']));
    let digits = text.chars().filter(char::is_ascii_digit).count();
    evidence.note(
        Clue::MostlyDigits,
        digits * 2 > text.chars().filter(|c| !c.is_whitespace()).count(),
    );
}

/// Whether a short text mentions a newsletter, by the word that most languages use. Articles do so, too.
fn mentions_newsletter(text: &str) -> bool {
    let lower = text.to_lowercase();
    text.split_whitespace().count() <= 60
        && ["newsletter", "inbox"]
            .iter()
            .any(|word| lower.contains(word))
}

fn said(rule: IgnoreRule) -> Clue {
    match rule {
        IgnoreRule::Advertisement => Clue::SaysAdvertisement,
        IgnoreRule::RelatedLink => Clue::SaysRelated,
        IgnoreRule::Newsletter => Clue::SaysNewsletter,
        IgnoreRule::Share => Clue::SaysShare,
        IgnoreRule::Clock => Clue::SaysClock,
        IgnoreRule::Date => Clue::SaysDate,
        IgnoreRule::Position => Clue::SaysPosition,
        IgnoreRule::Weather => Clue::SaysWeather,
        IgnoreRule::Caption => Clue::SaysCredit,
        IgnoreRule::Contact => Clue::SaysContact,
        IgnoreRule::Tags => Clue::SaysTags,
    }
}

/// The number of words. In scripts without spaces, two characters make a word.
pub(super) fn count_words(text: &str) -> usize {
    let dense = text.chars().filter(|c| is_ideograph(*c)).count();
    text.split_whitespace().count() + dense / 2
}

/// How far after a heading to look for the text that it heads.
const BELOW: usize = 40;

/// The scores of the individual blocks, and what follows from them for the elements around them.
pub(super) struct Scores {
    scores: Vec<f32>,
    /// For each element, the bytes that are part of the article so far.
    inside: Vec<usize>,
}

impl Scores {
    /// Computes the scores from the evidence on all blocks of a page.
    pub(super) fn of(page: &Page, all: &[BlockEvidence]) -> Self {
        let scores: Vec<f32> = all.iter().map(|evidence| evidence.score(0)).collect();
        let mut inside = vec![0; page.elements.len()];
        for (block, score) in page.blocks.iter().zip(&scores) {
            if *score > 0.0 {
                for at in page.around(block.element) {
                    inside[at] += block.block.text.len();
                }
            }
        }
        Self { scores, inside }
    }

    fn is_in(&self, at: Option<usize>) -> bool {
        at.and_then(|at| self.scores.get(at))
            .is_some_and(|score| *score > 0.0)
    }
}

/// Notes what can be concluded about a block once its neighbours have been judged.
pub(super) fn note_neighbours(
    survey: &Survey<'_>,
    scores: &Scores,
    at: usize,
    evidence: &mut BlockEvidence,
) {
    let page = survey.page;
    let Some(block) = page.blocks.get(at) else {
        return;
    };
    let previous = scores.is_in(at.checked_sub(1));
    let next = scores.is_in(at.checked_add(1));
    evidence.note(Clue::PreviousIn, previous && !next);
    evidence.note(Clue::NextIn, next && !previous);
    evidence.note(Clue::BothIn, previous && next);
    evidence.note(Clue::NeitherIn, !previous && !next);
    let before = scores.scores.iter().take(at).rev().take(6);
    let against = before.filter(|score| **score < 0.0).count();
    evidence.note(Clue::AfterArticle, against >= 4);
    if block.block.kind == BlockKind::Heading {
        let below = page.blocks.iter().enumerate().skip(at + 1).take(BELOW);
        let mut below = below.filter(|(_, block)| block.block.kind != BlockKind::Heading);
        let heads = scores.is_in(below.next().map(|(at, _)| at));
        evidence.note(Clue::HeadsText, heads);
        evidence.note(Clue::HeadsNothing, !heads);
    }
    let own = block.block.text.len();
    let around = page
        .around(block.element)
        .find(|at| survey.boxes.bytes[*at] > own * 3 / 2 + 10);
    let share = around.map_or(0.0, |around| {
        let counted = if scores.is_in(Some(at)) { own } else { 0 };
        let inside = scores.inside[around].saturating_sub(counted);
        inside as f32 / survey.boxes.bytes[around].saturating_sub(own).max(1) as f32
    });
    evidence.note(Clue::BoxIn, share >= 0.8);
    evidence.note(Clue::BoxMixed, (0.2..0.8).contains(&share));
    evidence.note(Clue::BoxOut, share < 0.2);
}
