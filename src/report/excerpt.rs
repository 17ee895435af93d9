//! Shortens a diff of a block to what changed, with a little text around it.

use unicode_segmentation::UnicodeSegmentation;

use super::clean;
use crate::domain::diff::Segment;

/// How much to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExcerptLimits {
    /// Words of equal text on each side of an edit.
    pub context_words: usize,
    /// Graphemes of a removed or added passage.
    pub edit: usize,
}

/// Segments in which long equal passages are cut to their ends and long edits to their beginnings; `…` replaces
/// the rest. Segments must already be clean.
pub(super) fn around_edits(segments: &[Segment], limits: ExcerptLimits) -> Vec<Segment> {
    let last = segments.len().saturating_sub(1);
    segments
        .iter()
        .enumerate()
        .map(|(at, segment)| match segment {
            Segment::Equal(text) => {
                Segment::Equal(equal(text, limits.context_words, at > 0, at < last))
            }
            Segment::Delete(text) => Segment::Delete(edit(text, limits.edit)),
            Segment::Insert(text) => Segment::Insert(edit(text, limits.edit)),
        })
        .filter(|segment| !segment.text().is_empty())
        .collect()
}

/// Keeps `words` words at the start if an edit precedes the text, and at the end if one follows.
fn equal(text: &str, words: usize, before: bool, after: bool) -> String {
    let front = if before { head(text, words) } else { "" };
    let back = if after { tail(text, words) } else { "" };
    if front.len() + back.len() >= text.len() {
        return text.to_owned();
    }
    match (before, after) {
        (true, true) => format!("{front} … {}", back.trim_start()),
        (true, false) => format!("{front} …"),
        (false, true) => format!("… {}", back.trim_start()),
        // A block without any edit: its beginning identifies it.
        (false, false) => {
            let kept = head(text, words * 2);
            if kept.len() == text.len() {
                text.to_owned()
            } else {
                format!("{kept} …")
            }
        }
    }
}

fn edit(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let kept = clean::excerpt(text, max);
    // White space at the ends keeps words apart.
    let start = &text[..text.len() - text.trim_start().len()];
    format!("{start}{kept}")
}

/// The text up to the end of its `words`th word.
fn head(text: &str, words: usize) -> &str {
    match text.unicode_word_indices().take(words).last() {
        Some((at, word)) if text.unicode_word_indices().nth(words).is_some() => {
            &text[..at + word.len()]
        }
        _ => text,
    }
}

/// The text from the start of its `words`th word, counted from the end.
fn tail(text: &str, words: usize) -> &str {
    let mut from_end = text.unicode_word_indices().rev();
    match from_end.by_ref().take(words).last() {
        Some((at, _)) if from_end.next().is_some() => &text[at..],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(segments: &[Segment]) -> String {
        let limits = ExcerptLimits {
            context_words: 2,
            edit: 12,
        };
        around_edits(segments, limits)
            .iter()
            .map(|s| match s {
                Segment::Equal(t) => t.clone(),
                Segment::Delete(t) => format!("[-{t}-]"),
                Segment::Insert(t) => format!("{{+{t}+}}"),
            })
            .collect()
    }

    fn eq(text: &str) -> Segment {
        Segment::Equal(text.into())
    }

    #[test]
    fn only_the_neighbourhood_of_edits_is_kept() {
        let cases = [
            (
                vec![
                    eq("One two three four "),
                    Segment::Delete("x".into()),
                    eq(" five six seven eight nine "),
                    Segment::Insert("y".into()),
                    eq(" ten eleven twelve."),
                ],
                "… three four [-x-] five six … eight nine {+y+} ten eleven …",
            ),
            (
                vec![
                    eq("Shares fell "),
                    Segment::Insert("3".into()),
                    eq(" percent."),
                ],
                "Shares fell {+3+} percent.",
            ),
            (
                vec![Segment::Insert("one two three four five".into())],
                "{+one two…+}",
            ),
            (
                vec![eq("one two three four five six")],
                "one two three four …",
            ),
            (
                vec![eq("首相は会談の報道を否定"), Segment::Delete("した".into())],
                "… 否定[-した-]",
            ),
        ];
        for (segments, expected) in cases {
            assert_eq!(short(&segments), expected);
        }
    }

    #[test]
    fn a_space_at_the_front_of_an_edit_stays() {
        assert_eq!(
            short(&[
                eq("talks"),
                Segment::Insert(" about the envoy and others".into())
            ]),
            "talks{+ about the…+}"
        );
    }
}
