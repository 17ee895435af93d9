//! The edits of a comparison, prepared for judging: where each one is, and what it removed and added.

use std::collections::HashMap;
use std::fmt;

use super::lexicon::Languages;
use super::recut::Recut;
use super::side::EditSide;
use crate::domain::compare::Comparison;
use crate::domain::diff::{
    BlockDiff, BlockOp, ProseDiff, Renumbering, Segment, as_read, diff_line, hunks, list_number,
};
use crate::domain::normalise::{reading, visible};
use crate::domain::state::HeadlineSource;

/// Where an edit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Headline,
    Kicker,
    Standfirst,
    Summary,
    /// The number of the paragraph.
    Body(u32),
    Byline,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Headline => f.write_str("the headline"),
            Self::Kicker => f.write_str("the kicker"),
            Self::Standfirst => f.write_str("the standfirst"),
            Self::Summary => f.write_str("the summary"),
            Self::Body(number) => write!(f, "¶{number}"),
            Self::Byline => f.write_str("the by-line"),
        }
    }
}

/// An edit inside a text that exists before and after.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) place: Place,
    pub(super) removed: EditSide,
    pub(super) added: EditSide,
    /// The word in front of it, in lower case.
    pub(super) before: String,
    /// Whether it begins a sentence, so that a capital means nothing.
    pub(super) begins_sentence: bool,
    /// Whether whole sentences were added or removed, and nothing replaced them.
    pub(super) whole_sentences: bool,
}

/// A block that was added, removed or moved.
#[derive(Debug, Clone)]
pub(super) struct WholeBlock {
    pub(super) place: Place,
    pub(super) text: String,
}

/// Both sides of a changed text, for what only the full text shows: quotations.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub(super) place: Place,
    pub(super) old: String,
    pub(super) new: String,
}

/// At most this many edits are judged; more would not change the verdict.
const MOST_EDITS: usize = 2_000;

/// Everything that a verdict is based on.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) edits: Vec<Edit>,
    pub(super) passages: Vec<Passage>,
    pub(super) added: Vec<WholeBlock>,
    pub(super) removed: Vec<WholeBlock>,
    pub(super) moved: Vec<(u32, u32)>,
    pub(super) split: u32,
    pub(super) joined: u32,
    /// How many list numbers were written out, how many no longer are, and how many follow a new position.
    pub(super) renumbered: [usize; 3],
    /// Places where only the shape of marks was changed.
    pub(super) typographic: Vec<(Place, String)>,
    pub(super) languages: Languages,
}

impl Edit {
    /// Treats an added or removed block as an edit.
    pub(super) fn of_block(block: &WholeBlock, added: bool) -> Self {
        let text = list_number(&block.text).map_or(block.text.as_str(), |(_, item)| item);
        let (removed, added) = if added {
            (EditSide::default(), EditSide::of(text))
        } else {
            (EditSide::of(text), EditSide::default())
        };
        Self {
            place: block.place,
            removed,
            added,
            before: String::new(),
            begins_sentence: true,
            whole_sentences: true,
        }
    }
}

impl Evidence {
    pub(super) fn of(comparison: &Comparison) -> Self {
        let mut evidence = Self {
            languages: Languages::of(&sample(comparison)),
            ..Self::default()
        };
        for (index, headline) in comparison.headlines.iter().enumerate() {
            let known = comparison
                .headlines
                .iter()
                .take(index)
                .any(|other| other.segments == headline.segments);
            if !known {
                let place = match headline.source {
                    HeadlineSource::Kicker => Place::Kicker,
                    _ => Place::Headline,
                };
                evidence.line(place, &headline.segments);
            }
        }
        match comparison.standfirst.as_deref() {
            None => {}
            // A standfirst that was added or removed counts as a paragraph.
            Some([Segment::Insert(text)]) => evidence.whole(Place::Standfirst, text.clone(), true),
            Some([Segment::Delete(text)]) => evidence.whole(Place::Standfirst, text.clone(), false),
            Some(segments) => evidence.line(Place::Standfirst, segments),
        }
        if let Some(segments) = &comparison.byline {
            evidence.line(Place::Byline, segments);
        }
        if let Some(diff) = &comparison.summary {
            evidence.prose(diff, |_| Place::Summary);
        }
        for diff in [&comparison.body, &comparison.feed_body]
            .into_iter()
            .flatten()
        {
            evidence.prose(diff, Place::Body);
        }
        evidence
    }

    /// The evidence of a single block.
    pub(super) fn of_block(block: &BlockDiff) -> Self {
        let text: String = block.segments.iter().map(Segment::text).collect();
        let mut evidence = Self {
            languages: Languages::of(&text),
            ..Self::default()
        };
        let number = block.to.or(block.from).unwrap_or_default();
        match block.op {
            BlockOp::Equal => {}
            _ if block.part_of.is_some() => {}
            BlockOp::Edit | BlockOp::Move => evidence.line(Place::Body(number), &block.segments),
            BlockOp::Insert => evidence.whole(Place::Body(number), text, true),
            BlockOp::Delete => evidence.whole(Place::Body(number), text, false),
        }
        evidence
    }

    /// Whether blocks were only split, joined or renumbered.
    pub(super) fn is_only_recut(&self) -> bool {
        let recut = self.split > 0 || self.joined > 0 || self.renumbered != [0; 3];
        recut && self.edits.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }

    fn line(&mut self, place: Place, segments: &[Segment]) {
        self.line_under(place, segments, None);
    }

    /// Adds the edits of a line. Figures that only follow renumbered items are counted with those items.
    fn line_under(
        &mut self,
        place: Place,
        segments: &[Segment],
        renumbering: Option<&Renumbering>,
    ) {
        let segments = &*as_read(segments);
        let mut at = 0;
        let mut last_text = String::new();
        for hunk in hunks(segments) {
            while at < hunk.at {
                if let Some(Segment::Equal(text)) = segments.get(at) {
                    last_text.clone_from(text);
                }
                at += 1;
            }
            if hunk.is_typographic() {
                if !hunk.is_invisible() {
                    let shown = format!("{} → {}", hunk.removed.trim(), hunk.added.trim());
                    self.typographic.push((place, shown));
                }
                continue;
            }
            if self.edits.len() >= MOST_EDITS {
                continue;
            }
            let before = last_text.trim_end();
            let word_before = before
                .rsplit(char::is_whitespace)
                .next()
                .unwrap_or_default()
                .to_lowercase();
            if renumbering
                .is_some_and(|items| items.follows(&word_before, &hunk.removed, &hunk.added))
            {
                self.renumbered[2] += 1;
                continue;
            }
            let begins_sentence = before.ends_with([
                '.', '!', '?', ':', '"', '“', '”', '…', '–', '—', '。', '！', '？', '：', '」',
                '؟', '۔', '।',
            ]) || before.is_empty();
            let removed = EditSide::of(&hunk.removed);
            let added = EditSide::of(&hunk.added);
            let whole_sentences = is_whole(&removed, &added, begins_sentence)
                || is_whole(&added, &removed, begins_sentence);
            self.edits.push(Edit {
                place,
                before: word_before,
                removed,
                added,
                begins_sentence,
                whole_sentences,
            });
        }
        self.passages.push(Passage {
            place,
            old: Segment::old_side(segments),
            new: Segment::new_side(segments),
        });
    }

    fn prose(&mut self, diff: &ProseDiff, place: impl Fn(u32) -> Place) {
        let recut = Recut::of(diff);
        for (sum, more) in self.renumbered.iter_mut().zip(recut.numbers()) {
            *sum += more;
        }
        for block in &diff.blocks {
            match block.op {
                BlockOp::Equal => {}
                BlockOp::Edit | BlockOp::Move => self.pair(&recut, block, &place),
                BlockOp::Insert | BlockOp::Delete if block.part_of.is_some() => {}
                BlockOp::Insert => {
                    let text = Segment::new_side(&block.segments);
                    let place = place(block.to.unwrap_or_default());
                    self.whole(place, text, true);
                }
                BlockOp::Delete => {
                    let text = Segment::old_side(&block.segments);
                    let place = place(block.from.unwrap_or_default());
                    self.whole(place, text, false);
                }
            }
        }
        self.cancel_moved_sentences();
    }

    fn whole(&mut self, place: Place, text: String, added: bool) {
        if visible(&text).is_empty() {
            return;
        }
        let (old, new) = if added {
            (String::new(), text.clone())
        } else {
            (text.clone(), String::new())
        };
        self.passages.push(Passage { place, old, new });
        let block = WholeBlock { place, text };
        if added {
            self.added.push(block);
        } else {
            self.removed.push(block);
        }
    }

    fn pair(&mut self, recut: &Recut<'_>, block: &BlockDiff, place: &impl Fn(u32) -> Place) {
        let number = block.to.unwrap_or_default();
        if block.op == BlockOp::Move {
            self.moved.push((block.from.unwrap_or_default(), number));
        }
        let Some(whole) = recut.whole(block) else {
            if block.op == BlockOp::Edit || block.segments.len() > 1 {
                self.line_under(place(number), &block.segments, Some(recut.renumbering()));
            }
            return;
        };
        self.split += u32::from(whole.split);
        self.joined += u32::from(whole.joined);
        let segments = diff_line(&whole.old, &whole.new);
        self.line_under(place(number), &segments, Some(recut.renumbering()));
    }

    /// A sentence that moved to another place does not change the meaning.
    fn cancel_moved_sentences(&mut self) {
        let mut came: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, edit) in self.edits.iter().enumerate() {
            if edit.whole_sentences && edit.removed.text.is_empty() {
                came.entry(reading(&edit.added.text).into_owned())
                    .or_default()
                    .push(index);
            }
        }
        let mut moved: Vec<bool> = vec![false; self.edits.len()];
        let number = |edit: &Edit| match edit.place {
            Place::Body(number) => number,
            _ => 0,
        };
        for (index, edit) in self.edits.iter().enumerate() {
            if !edit.whole_sentences || !edit.added.text.is_empty() {
                continue;
            }
            let heir = came
                .get_mut(&*reading(&edit.removed.text))
                .and_then(Vec::pop);
            if let Some((heir, other)) = heir.and_then(|at| Some((at, self.edits.get(at)?))) {
                self.moved.push((number(edit), number(other)));
                (moved[index], moved[heir]) = (true, true);
            }
        }
        let mut gone = moved.into_iter();
        self.edits.retain(|_| !gone.next().unwrap_or(false));
    }
}

/// Some of the text, to detect its language.
fn sample(comparison: &Comparison) -> String {
    const ENOUGH: usize = 1_500;
    let mut sample = String::new();
    let texts = [&comparison.body, &comparison.summary, &comparison.feed_body];
    let prose = texts
        .into_iter()
        .flatten()
        .flat_map(|diff| &diff.blocks)
        .flat_map(|block| &block.segments);
    let lines = [
        &comparison.standfirst,
        &comparison.title,
        &comparison.byline,
    ]
    .into_iter()
    .flatten()
    .flatten();
    for segment in prose.chain(lines) {
        sample.push_str(segment.text());
        sample.push(' ');
        if sample.len() > ENOUGH {
            break;
        }
    }
    sample
}

/// Whether one side has whole sentences and the other side nothing.
fn is_whole(full: &EditSide, empty: &EditSide, begins_sentence: bool) -> bool {
    empty.text.trim().is_empty()
        && begins_sentence
        && full.words.len() >= SHORTEST_SENTENCE
        && ends_sentence(&full.text)
}

/// Anything shorter may be an abbreviation or an exclamation.
pub(super) const SHORTEST_SENTENCE: usize = 3;

/// Whether the text ends like a sentence.
pub(super) fn ends_sentence(text: &str) -> bool {
    text.trim_end()
        .trim_end_matches(['"', '”', '’', '\'', '»', ')', '」'])
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '।'])
}
