//! Two texts of an article, compared and assessed.

use crate::domain::assess::{Context as Judged, assess};
use crate::domain::compare::{HeadlineChange, compare};
use crate::domain::diff::{Segment, WordCount, diff_blocks, diff_line};
use crate::domain::state::{EntryState, HeadlineSource};
use crate::report::diff_json::{ExtraLines, FileDiff};

/// Gets a line of a text, unchanged.
type TextLine = fn(&EntryState) -> Option<&str>;

/// The difference with its assessment, as a change would have it.
#[must_use]
pub(crate) fn difference(old: &EntryState, new: &EntryState) -> FileDiff {
    let comparison = compare(old, new);
    let assessment = comparison
        .as_ref()
        .map(|comparison| assess(comparison, &Judged::between(old, new, comparison)));
    let mut lines = ExtraLines::default();
    let (mut body, mut words) = (None, WordCount::default());
    if let Some(found) = comparison {
        let (kickers, titles): (Vec<_>, Vec<_>) = found
            .headlines
            .into_iter()
            .partition(|headline| headline.source == HeadlineSource::Kicker);
        let first = |moved: Vec<HeadlineChange>| moved.into_iter().next().map(|one| one.segments);
        lines = ExtraLines {
            title: first(titles),
            kicker: first(kickers),
            standfirst: found.standfirst,
            byline: found.byline,
            links: found.links,
        };
        (body, words) = (found.body.or(found.summary), found.words);
    }
    // Equal lines are shown as they are.
    let all: [(&mut Option<Vec<Segment>>, TextLine); 4] = [
        (&mut lines.title, EntryState::title),
        (&mut lines.kicker, EntryState::kicker),
        (&mut lines.standfirst, EntryState::standfirst),
        (&mut lines.byline, EntryState::byline),
    ];
    for (line, of) in all {
        line.get_or_insert_with(|| {
            diff_line(of(old).unwrap_or_default(), of(new).unwrap_or_default())
        });
    }
    let body = body.unwrap_or_else(|| diff_blocks(old.body(), new.body()));
    FileDiff::new(lines, body, words, assessment.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::classify::Label;
    use crate::domain::state::{Block, PageState};

    fn state(text: &str) -> EntryState {
        EntryState {
            feed: None,
            page: Some(PageState {
                body: text.split("\n\n").map(Block::paragraph).collect(),
                ..PageState::default()
            }),
        }
    }

    #[test]
    fn what_is_equal_has_no_judgement_and_what_differs_has_one() {
        let old = state("Prices rose by 12 percent.\n\nNothing else was said.");
        let same = difference(
            &old,
            &state("Prices rose by\n12 percent.\n\nNothing else was said."),
        );
        assert!(same.equal);
        assert_eq!(same.labels, []);
        assert_eq!(same.blocks.len(), 2);
        let other = difference(
            &old,
            &state("Prices rose by 21 percent.\n\nNothing else was said."),
        );
        assert!(!other.equal);
        assert!(other.labels.contains(&Label::Number), "{:?}", other.labels);
        assert!(other.score > 0);
    }
}
