//! The score: how urgently a change should be reviewed, and the parts that the score adds up.
//!
//! The weights are based on those of EDGI's page scorer (research: field §2.10), adapted to news: the reported
//! facts count most, then who stated them, then how much of the text is new.

use super::judge::Finding;
use crate::domain::classify::{Label, ScorePart, Significance};
use crate::domain::compare::Comparison;

/// Points for the first finding of a label, for each further one, and the cap.
fn points(label: Label) -> (i32, i32, i32) {
    match label {
        Label::Headline => (25, 0, 25),
        Label::Number => (20, 5, 35),
        Label::Negation => (20, 5, 30),
        Label::Quote | Label::ParagraphRemoved => (15, 5, 30),
        Label::CorrectionNotice => (20, 0, 20),
        Label::Name => (12, 4, 20),
        Label::Attribution => (10, 4, 18),
        Label::Unannounced | Label::Revert => (10, 0, 10),
        Label::Wording => (8, 1, 12),
        Label::ParagraphAdded => (8, 3, 20),
        Label::Byline => (6, 0, 6),
        Label::Address | Label::Moved | Label::Typo | Label::Link => (4, 1, 8),
        Label::Guid | Label::Date => (2, 0, 2),
        Label::Typographic => (1, 0, 1),
    }
}

/// The points of each label, in the order of the findings.
fn of_labels(findings: &[Finding]) -> Vec<ScorePart> {
    let mut parts: Vec<ScorePart> = Vec::new();
    let mut at = 0;
    while let Some(first) = findings.get(at) {
        let same: Vec<&Finding> = findings[at..]
            .iter()
            .take_while(|finding| finding.label == first.label)
            .collect();
        at += same.len();
        let (one, more, cap) = points(first.label);
        let count = same.iter().map(|finding| finding.count).sum::<u32>();
        let further = i32::try_from(count.saturating_sub(1)).unwrap_or(i32::MAX);
        let mut points = one.saturating_add(more.saturating_mul(further)).min(cap);
        // A label with only minor findings counts half.
        if same
            .iter()
            .all(|finding| finding.significance < Significance::Substantive)
            && points > 6
        {
            points /= 2;
        }
        parts.push(ScorePart {
            points,
            why: name(first.label, count),
        });
    }
    parts
}

/// The weight of the findings regardless of the length of the texts: significance first, then points.
pub(super) fn weight(findings: &[Finding]) -> (Significance, i32) {
    let most = findings.iter().map(|finding| finding.significance).max();
    let parts = of_labels(findings);
    let points = parts.iter().map(|part| part.points);
    (
        most.unwrap_or(Significance::Typographic),
        points.fold(0, i32::saturating_add),
    )
}

/// The parts of the score, in the order of the findings.
pub(super) fn parts(findings: &[Finding], comparison: &Comparison) -> Vec<ScorePart> {
    let mut parts = of_labels(findings);
    let changed = comparison.words.added.max(comparison.words.removed);
    // 1 word: 2, 10 words: 6, 100 words: 13, 1,000 words: 19.
    let volume = (f64::from(changed.min(10_000)) + 1.0).log2() * 1.9;
    #[expect(clippy::cast_possible_truncation, reason = "at most 26")]
    let volume = volume.round() as i32;
    if volume > 0 {
        parts.push(ScorePart {
            points: volume,
            why: format!(
                "words: {} added, {} removed",
                comparison.words.added, comparison.words.removed
            ),
        });
    }
    parts
}

fn name(label: Label, count: u32) -> String {
    let name = match label {
        Label::Headline => "headline",
        Label::Byline => "by-line",
        Label::Date => "date",
        Label::Address => "address",
        Label::Guid => "guid",
        Label::Typographic => "shape of marks",
        Label::Typo => "typo",
        Label::Wording => "wording",
        Label::Number => "number",
        Label::Name => "name",
        Label::Negation => "negation or hedge",
        Label::Quote => "quotation",
        Label::Attribution => "attribution",
        Label::ParagraphAdded => "paragraph added",
        Label::ParagraphRemoved => "paragraph removed",
        Label::Moved => "moved",
        Label::Link => "link",
        Label::CorrectionNotice => "correction notice",
        Label::Revert => "revert",
        Label::Unannounced => "unannounced",
    };
    if count > 1 {
        format!("{name} ×{count}")
    } else {
        name.to_owned()
    }
}

/// The score, 0–100, within the range of the significance: typographic at most 5, minor at most 39, substantive at
/// least 20. If the range changes the sum, the difference becomes a part, so that the parts add up to the score.
pub(super) fn total(parts: &mut Vec<ScorePart>, significance: Significance) -> u8 {
    let sum = parts
        .iter()
        .map(|part| part.points)
        .fold(0, i32::saturating_add);
    let (least, most, why) = match significance {
        Significance::Typographic => (0, 5, "typographic: at most 5"),
        Significance::Minor => (1, 39, "minor: at most 39"),
        Significance::Substantive => (20, 100, "substantive: 20 to 100"),
    };
    let score = sum.clamp(least, most);
    if score != sum {
        parts.push(ScorePart {
            points: score.saturating_sub(sum),
            why: why.to_owned(),
        });
    }
    u8::try_from(score).unwrap_or(100)
}
