//! `revisor diff --files OLD NEW --json`: a difference without a database.

use serde::Serialize;

use super::changed;
use super::style::{Line, TextRole};
use super::when::TimeView;
use crate::domain::classify::{Assessment, Label, LabelReason, ScorePart, Significance};
use crate::domain::diff::{
    BlockDiff, BlockOp, LeftOut, ProseDiff, Segment, SentenceOps, WordCount,
};
use crate::domain::event::BlocksInfo;
use crate::domain::ignored::Movement;
use crate::domain::links::LinkChange;

/// The difference between two texts. Its JSON form is a contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FileDiff {
    /// Whether the texts are equal in everything that counts.
    pub equal: bool,
    /// How much it matters; `null` when equal.
    pub significance: Option<Significance>,
    /// 0–100.
    pub score: u8,
    /// What kinds of edit it is.
    pub labels: Vec<Label>,
    /// Why each label was given.
    pub reasons: Vec<LabelReason>,
    /// The parts of the score.
    pub score_parts: Vec<ScorePart>,
    /// The headline; empty if neither side has one.
    pub title: Vec<Segment>,
    /// The line above the headline; left out if neither side has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kicker: Vec<Segment>,
    /// The sentences under the headline; empty if neither side has any.
    pub standfirst: Vec<Segment>,
    /// The authors; empty if neither side names any.
    pub byline: Vec<Segment>,
    /// All blocks, equal ones included.
    pub blocks: Vec<BlockDiff>,
    /// Links with the same words but a different target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkChange>,
    /// Words removed and added, including headline, standfirst and by-line.
    pub words: WordCount,
    /// Similarity of the text, 0–1.
    pub similarity: f64,
    /// What happened to the sentences of the text.
    #[serde(skip_serializing_if = "SentenceOps::is_empty")]
    pub sentences: SentenceOps,
    /// Set if the texts were too large or too different for the fine method.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub coarse: bool,
    /// Changes in ignored text, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<IgnoredDiff>,
}

/// A piece of ignored text that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct IgnoredDiff {
    /// The text before, or its part around the difference; `null` if there was none.
    pub before: Option<String>,
    /// The text after; `null` if it is gone.
    pub after: Option<String>,
    /// Why it is ignored.
    pub reason: String,
}

impl From<Movement> for IgnoredDiff {
    fn from(moved: Movement) -> Self {
        Self {
            before: moved.before,
            after: moved.after,
            reason: moved.why,
        }
    }
}

/// The lines besides the blocks; a line that is absent is on neither side.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ExtraLines {
    /// The headline.
    pub title: Option<Vec<Segment>>,
    /// The line above it.
    pub kicker: Option<Vec<Segment>>,
    /// The sentences under it.
    pub standfirst: Option<Vec<Segment>>,
    /// The authors.
    pub byline: Option<Vec<Segment>>,
    /// Links with a different target.
    pub links: Vec<LinkChange>,
}

impl FileDiff {
    /// Combines the parts. `assessment` is absent if the two are equal by the rules of normalisation; `words`
    /// counts over all texts.
    #[must_use]
    pub(crate) fn new(
        lines: ExtraLines,
        body: ProseDiff,
        words: WordCount,
        assessment: Option<&Assessment>,
    ) -> Self {
        Self {
            equal: assessment.is_none(),
            significance: assessment.map(|found| found.significance),
            score: assessment.map_or(0, |found| found.score),
            labels: assessment
                .map(|found| found.labels.clone())
                .unwrap_or_default(),
            reasons: assessment
                .map(|found| found.reasons.clone())
                .unwrap_or_default(),
            score_parts: assessment
                .map(|found| found.score_parts.clone())
                .unwrap_or_default(),
            title: lines.title.unwrap_or_default(),
            kicker: lines.kicker.unwrap_or_default(),
            standfirst: lines.standfirst.unwrap_or_default(),
            byline: lines.byline.unwrap_or_default(),
            links: lines.links,
            blocks: body.blocks,
            words,
            similarity: (body.similarity * 10_000.0).round() / 10_000.0,
            sentences: body.sentences,
            coarse: body.coarse,
            ignored: Vec::new(),
        }
    }
}

/// For people: the headline, the paragraphs, the labels; `None` if the two are equal.
#[must_use]
pub(crate) fn text(diff: &FileDiff, all_text: bool, view: &TimeView) -> Option<String> {
    let significance = diff.significance?;
    let mut out = String::new();
    let changed = |line: &[Segment]| line.iter().any(|s| !matches!(s, Segment::Equal(_)));
    if changed(&diff.title) {
        out.push_str(&super::show::headline(&diff.title, &[], view));
    }
    let lines = [
        ("KICKER", &diff.kicker),
        ("STANDFIRST", &diff.standfirst),
        ("BY-LINE", &diff.byline),
    ];
    for (name, line) in lines.into_iter().filter(|(_, line)| changed(line)) {
        out.push_str(&super::show::line(name, line, view));
    }
    if diff.blocks.iter().any(|block| block.op != BlockOp::Equal) || all_text {
        let info = BlocksInfo {
            blocks: diff.blocks.clone(),
            truncated: false,
            coarse: diff.coarse,
            sentences: diff.sentences,
            left_out: LeftOut::default(),
        };
        out.push_str(&super::show::text(
            &info,
            diff.similarity,
            diff.words,
            all_text,
            view,
        ));
    }
    out.push_str(&super::show::links(&diff.links, view));
    let labels: Vec<&str> = diff
        .labels
        .iter()
        .map(|label| super::names::label(*label))
        .collect();
    let last = Line::plain(significance.as_str()).with(
        TextRole::Faint,
        format!(
            ", score {}, {}: {}",
            diff.score,
            changed::words(diff.words),
            labels.join(", ")
        ),
    );
    out.push('\n');
    out.push_str(&last.wrap("", "  ", view.paint));
    if !diff.reasons.is_empty() {
        out.push_str(&super::show::reasons(&diff.labels, &diff.reasons, view));
    }
    if let Some(ignored) = ignored(diff) {
        let ignored = Line::new().with(TextRole::Faint, ignored);
        out.push_str(&ignored.wrap("", "  ", view.paint));
    }
    Some(out.trim_start_matches('\n').to_owned())
}

/// How much of the ignored text changed, if any.
#[must_use]
pub(crate) fn ignored(diff: &FileDiff) -> Option<String> {
    let count = diff.ignored.len() as u64;
    let moved = super::names::count(count, "ignored movement");
    (count > 0).then(|| format!("{moved} (--json lists them)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::{at, block, delete, equal, insert};

    fn diff(assessment: Option<&Assessment>) -> FileDiff {
        FileDiff::new(
            ExtraLines {
                title: Some(vec![equal("Shares fall")]),
                standfirst: Some(vec![delete("Down."), insert("Up.")]),
                links: vec![LinkChange {
                    words: "a report".to_owned(),
                    from: "https://a.example/".to_owned(),
                    to: "https://b.example/".to_owned(),
                }],
                ..ExtraLines::default()
            },
            ProseDiff {
                blocks: vec![
                    block(BlockOp::Equal, 1, 1, vec![equal("First.")]),
                    block(
                        BlockOp::Edit,
                        2,
                        2,
                        vec![equal("Fell "), delete("2"), insert("3"), equal(".")],
                    ),
                ],
                words: WordCount {
                    added: 1,
                    removed: 1,
                },
                similarity: 0.912_345,
                sentences: SentenceOps {
                    edited: 1,
                    ..SentenceOps::default()
                },
                coarse: false,
                left_out: LeftOut::default(),
            },
            WordCount {
                added: 1,
                removed: 1,
            },
            assessment,
        )
    }

    fn assessment() -> Assessment {
        Assessment {
            labels: vec![Label::Number],
            reasons: vec![LabelReason {
                label: Label::Number,
                text: "2 → 3 in ¶2".to_owned(),
            }],
            significance: Significance::Substantive,
            score: 60,
            score_parts: vec![ScorePart {
                points: 60,
                why: "number".to_owned(),
            }],
        }
    }

    #[test]
    fn the_machine_form_is_the_contract() {
        let value = serde_json::to_value(diff(Some(&assessment()))).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "equal": false, "significance": "substantive", "score": 60, "labels": ["number"],
                "reasons": [{"label": "number", "text": "2 → 3 in ¶2"}],
                "score_parts": [{"points": 60, "why": "number"}],
                "title": [["=", "Shares fall"]], "standfirst": [["-", "Down."], ["+", "Up."]], "byline": [],
                "links": [{"words": "a report", "from": "https://a.example/", "to": "https://b.example/"}],
                "blocks": [
                    {"op": "equal", "from": 1, "to": 1, "segments": [["=", "First."]]},
                    {"op": "edit", "from": 2, "to": 2, "segments": [["=", "Fell "], ["-", "2"], ["+", "3"], ["=", "."]]}
                ],
                "words": {"added": 1, "removed": 1},
                "similarity": 0.9123,
                "sentences": {"added": 0, "removed": 0, "edited": 1, "moved": 0}
            })
        );
        let equal = serde_json::to_value(diff(None)).unwrap();
        assert_eq!(equal["equal"], true);
        assert_eq!(equal["significance"], serde_json::Value::Null);
    }

    #[test]
    fn for_reading_equal_paragraphs_are_elided() {
        let view = plain_view(at("2026-11-23T12:00:00Z"));
        assert_eq!(
            text(&diff(Some(&assessment())), false, &view).unwrap(),
            "STANDFIRST\n  − Down.\n  + Up.\n\nTEXT   similarity 91 %   +1 −1 words\n  ··· 1 paragraph unchanged (--full shows them)\n  \
             ¶2 Fell [-2-]{+3+}.\n\nLINKS\n  “a report”\n    − https://a.example/\n    + https://b.example/\n\nsubstantive, score 60, +1 −1 words: number\n  number: 2 → 3 in ¶2\n"
        );
        assert_eq!(text(&diff(None), false, &view), None);
    }
}
