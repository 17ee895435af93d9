//! Runs of text with one style, and how they are cut to the limit of a service: pure.

use unicode_segmentation::UnicodeSegmentation as _;

use super::changed;
use crate::domain::diff::Segment;

/// The style of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Face {
    /// Unstyled.
    Plain,
    /// Bold.
    Strong,
    /// Only in the old text.
    Removed,
    /// Only in the new text.
    Added,
    /// Less important.
    Faint,
    /// A link; the text of the run is shown for it.
    Link(String),
}

/// Text with one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// The text.
    pub text: String,
    /// Its style.
    pub face: Face,
}

impl Run {
    /// Creates a run.
    pub(crate) fn new(face: Face, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            face,
        }
    }
}

/// Segments as runs. Adjacent removed and added words are separated by a space, so that their marks do not touch.
#[must_use]
pub(crate) fn runs_of(segments: &[Segment]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::with_capacity(segments.len() + 1);
    for segment in segments {
        let text = segment.text();
        let face = match segment {
            Segment::Equal(_) => Face::Plain,
            Segment::Delete(_) => Face::Removed,
            Segment::Insert(_) => Face::Added,
        };
        let touches = runs.last().is_some_and(|last| {
            last.face != Face::Plain
                && face != Face::Plain
                && !last.text.ends_with(char::is_whitespace)
                && !text.starts_with(char::is_whitespace)
        });
        if touches {
            runs.push(Run::new(Face::Plain, " "));
        }
        runs.push(Run::new(face, text));
    }
    if changed::is_invisible(segments) {
        runs.push(Run::new(Face::Faint, format!(" {}", changed::INVISIBLE)));
    }
    runs
}

/// An address, which is a link if it is one of the web.
pub(super) fn link(address: &str) -> Run {
    if changed::is_web(address) {
        Run::new(Face::Link(address.to_owned()), address)
    } else {
        Run::new(Face::Plain, address)
    }
}

/// The runs cut to `room`: unchanged text before the first change is cut first, then both sides of the first
/// change share the remaining room, then the rest is left out.
#[must_use]
pub(crate) fn cut(runs: Vec<Run>, room: usize, size: &dyn Fn(&Run) -> usize) -> Vec<Run> {
    if runs.iter().map(size).sum::<usize>() <= room {
        return runs;
    }
    let is_change = |run: &Run| matches!(run.face, Face::Removed | Face::Added);
    let mut kept: Vec<Run> = Vec::new();
    let mut left = room;
    let mut changed = false;
    let of = runs.len();
    let mut runs = runs.into_iter().peekable();
    while let Some(run) = runs.next() {
        let before = !changed && !is_change(&run);
        let more = runs.peek().is_some();
        let allowed = match (before && more, is_change(&run)) {
            (true, _) => left / 4,
            // Both sides are shown; a space may be between them.
            (false, true) if run.face == Face::Removed && more => left / 2,
            _ => left,
        };
        let whole = size(&run) <= allowed;
        let Some(run) = cut_run(run, allowed, size) else {
            if before {
                continue;
            }
            break;
        };
        changed |= is_change(&run);
        left = left.saturating_sub(size(&run));
        let removed = run.face == Face::Removed;
        kept.push(run);
        if !whole && !before && !removed {
            break;
        }
    }
    if kept.len() < of {
        with_sign(kept, room, size)
    } else {
        kept
    }
}

/// Adds `…` to runs of which some were left out, unless one of them ends with it already.
fn with_sign(mut kept: Vec<Run>, room: usize, size: &dyn Fn(&Run) -> usize) -> Vec<Run> {
    if kept.iter().any(|run| run.text.ends_with('…')) {
        return kept;
    }
    while let Some(last) = kept.pop_if(|last| !matches!(last.face, Face::Link(_))) {
        let left = room.saturating_sub(kept.iter().map(size).sum());
        let marked = Run::new(last.face.clone(), format!("{}…", last.text));
        if size(&marked) <= left {
            kept.push(marked);
            break;
        }
        // Letters make room for the sign, or if there are too few, the whole run.
        let longer = Run::new(last.face, format!("{}……", last.text));
        if let Some(marked) = cut_run(longer, left, size) {
            kept.push(marked);
            break;
        }
    }
    kept
}

/// The longest beginning of a run that fits, with `…` at its end; `None` if nothing fits.
fn cut_run(run: Run, room: usize, size: &dyn Fn(&Run) -> usize) -> Option<Run> {
    if size(&run) <= room {
        return Some(run);
    }
    // A truncated link would lead elsewhere.
    if matches!(run.face, Face::Link(_)) {
        return None;
    }
    let with = |end: usize| Run::new(run.face.clone(), format!("{}…", run.text[..end].trim_end()));
    // A grapheme takes at least one of the counted units, so more than this never fit.
    let ends: Vec<usize> = run
        .text
        .grapheme_indices(true)
        .map(|(at, _)| at)
        .take(room + 2)
        .collect();
    let fitting = ends.partition_point(|end| size(&with(*end)) <= room);
    let end = *ends.get(fitting.checked_sub(1)?)?;
    if end == 0 {
        return None;
    }
    let word = if run.text[end..].starts_with(char::is_whitespace) {
        end
    } else {
        run.text[..end]
            .rfind(char::is_whitespace)
            .filter(|at| at * 2 >= end)
            .unwrap_or(end)
    };
    let cut = with(word);
    // Escapes can make a cut text longer if a mark loses its context; in any case the limit is kept.
    (size(&cut) <= room && cut.text != "…").then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_runs() -> impl Strategy<Value = Vec<Run>> {
        let face = prop_oneof![Just(Face::Plain), Just(Face::Removed), Just(Face::Added)];
        proptest::collection::vec(
            (face, "\\PC{0,60}").prop_map(|(face, text)| Run::new(face, text)),
            0..8,
        )
    }

    proptest! {
        #[test]
        fn what_is_cut_fits_and_splits_no_grapheme(runs in any_runs(), room in 0_usize..200) {
            let size = |run: &Run| run.text.len() + if run.face == Face::Plain { 0 } else { 4 };
            let kept = cut(runs.clone(), room, &size);
            prop_assert!(kept.iter().map(size).sum::<usize>() <= room);
            for run in kept {
                let text = run.text.strip_suffix('…').unwrap_or(&run.text);
                let from = runs.iter().find(|from| from.text == run.text || from.text.starts_with(text));
                let from = from.expect("a beginning of a run");
                let edges = from.text.grapheme_indices(true).map(|(at, _)| at).chain([from.text.len()]);
                prop_assert!(edges.into_iter().any(|at| at == text.len()));
            }
        }
    }
}
