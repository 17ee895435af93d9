//! Words inside a sentence: which matches to drop, where an edit begins, and how it is shown.

use std::ops::Range;

use super::align::Match;
use super::prepared::Prepared;
use super::segment::Segment;
use super::token::Class;
use super::weight::is_function_word;

/// An edit is tried in at most this many places.
const PLACES: usize = 64;

/// Makes the edits of a sentence readable. `matches` from `first` on are the matches of the items `from` and `to`.
///
/// - An edit that fits in several places goes to the last one: `[A] and [B]` if `and [B]` was added after `[A]`.
///   But it must not cut a pair of brackets.
/// - A single short function word between two parts that were both replaced or removed becomes part of the edit,
///   and so does any single word between two long edits.
pub(super) fn tidy(
    old: &Prepared,
    new: &Prepared,
    from: Range<usize>,
    to: Range<usize>,
    matches: &mut Vec<Match>,
    first: usize,
) {
    let mut kept = matches.split_off(first);
    slide(old, new, &from, &to, &mut kept);
    absorb(old, &from, &to, &mut kept);
    matches.append(&mut kept);
}

/// An edit as ranges of items, and the index of the match after it.
struct Gap {
    old: Range<usize>,
    new: Range<usize>,
    next: usize,
}

fn gaps(from: &Range<usize>, to: &Range<usize>, matches: &[Match]) -> Vec<Gap> {
    let mut out = Vec::new();
    let mut at = (from.start, to.start);
    let ends = matches.iter().copied().chain([(from.end, to.end)]);
    for (next, (i, j)) in ends.enumerate() {
        if i > at.0 || j > at.1 {
            out.push(Gap {
                old: at.0..i,
                new: at.1..j,
                next,
            });
        }
        at = (i + 1, j + 1);
    }
    out
}

fn slide(
    old: &Prepared,
    new: &Prepared,
    from: &Range<usize>,
    to: &Range<usize>,
    matches: &mut [Match],
) {
    for gap in gaps(from, to, matches) {
        if gap.old.is_empty() {
            slide_one(new, &gap.new, gap.next, matches, |m| &mut m.1);
        } else if gap.new.is_empty() {
            slide_one(old, &gap.old, gap.next, matches, |m| &mut m.0);
        }
    }
}

/// Moves the range `gap` of one side to the right over the matches from `next` on.
fn slide_one(
    text: &Prepared,
    gap: &Range<usize>,
    next: usize,
    matches: &mut [Match],
    side: fn(&mut Match) -> &mut usize,
) {
    let mut room = 0;
    // Each step needs a match directly after the edit on both sides.
    while room < PLACES {
        let (Some(out), Some(back)) =
            (text.ids.get(gap.start + room), text.ids.get(gap.end + room))
        else {
            break;
        };
        let follows = matches
            .get_mut(next + room)
            .is_some_and(|m| *side(m) == gap.end + room);
        if out != back || !follows {
            break;
        }
        room += 1;
    }
    let is_bracket = |k: usize| matches!(text.item(k).as_bytes(), [b'(' | b')' | b'[' | b']', ..]);
    let bracketed =
        room > 0 && gap.len() <= PLACES * 4 && (gap.start..gap.end + room).any(is_bracket);
    let steps = if bracketed {
        (0..=room)
            .rev()
            .find(|&k| is_balanced(text, gap.start + k..gap.end + k))
            .unwrap_or(room)
    } else {
        room
    };
    for k in 0..steps {
        if let Some(m) = matches.get_mut(next + k) {
            *side(m) = gap.start + k;
        }
    }
}

fn is_balanced(text: &Prepared, mut range: Range<usize>) -> bool {
    let mut depth = 0_i32;
    let whole = range.all(|k| {
        match text.item(k).as_bytes() {
            [b'(' | b'[', ..] => depth += 1,
            [b')' | b']', ..] => depth -= 1,
            _ => {}
        }
        depth >= 0
    });
    whole && depth == 0
}

/// A function word between two edits of at least `SHORT` items, the larger one twice as long, is an island; so is
/// any word between two edits of [`LONG`] items. The values were chosen for readability. On the human-marked edits
/// of `arXivEdits`, nearby values are within half a point on either half of them: people do not agree on islands.
const SHORT: usize = 3;
const LONG: usize = 4;

fn absorb(old: &Prepared, from: &Range<usize>, to: &Range<usize>, matches: &mut Vec<Match>) {
    let gaps = gaps(from, to, matches);
    let islands: Vec<usize> = gaps
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] if b.next == a.next + 1 => matches
                .get(a.next)
                .is_some_and(|&(item, _)| is_island(old, item, a, b))
                .then_some(a.next),
            _ => None,
        })
        .collect();
    let mut islands = islands.into_iter().peekable();
    let mut index = 0;
    matches.retain(|_| {
        index += 1;
        islands.next_if_eq(&(index - 1)).is_none()
    });
}

/// Whether the single item kept between two edits is better shown as part of them.
fn is_island(old: &Prepared, item: usize, a: &Gap, b: &Gap) -> bool {
    let is_scrap = is_scrap(old.item(item));
    if is_scrap && !a.old.is_empty() && !b.old.is_empty() {
        return true;
    }
    // Two additions or two removals with a word between them are two edits.
    let alike = |empty: fn(&Gap) -> bool| empty(a) && empty(b);
    if alike(|gap| gap.old.is_empty()) || alike(|gap| gap.new.is_empty()) {
        return false;
    }
    let sizes = [a, b].map(|gap| gap.old.len() + gap.new.len());
    let (smaller, larger) = (sizes[0].min(sizes[1]), sizes[0].max(sizes[1]));
    let is_mark = old
        .token(item)
        .is_some_and(|token| token.class == Class::Mark);
    (is_scrap && smaller >= SHORT && larger >= 2 * SHORT) || (!is_mark && smaller >= LONG)
}

/// Whether an item between two edits is better shown as part of them.
fn is_scrap(item: &str) -> bool {
    is_function_word(item)
        || matches!(
            item,
            "(" | ")" | "[" | "]" | "{" | "}" | "/" | "\\" | "|" | "_" | "*"
        )
}

/// Writes the matched items and the text between them. Both sides can be rebuilt byte for byte.
pub(super) fn render(old: &Prepared, new: &Prepared, matches: &[Match]) -> Vec<Segment> {
    let mut out = SegmentWriter::default();
    let mut at = (0, 0);
    let end = (old.items.len(), new.items.len());
    for next in matches.iter().copied().chain([end]) {
        hunk(old, new, at, next, &mut out);
        if next.0 < end.0 && next.1 < end.1 {
            out.word(old.item(next.0), new.item(next.1));
        }
        at = (next.0 + 1, next.1 + 1);
    }
    out.finish()
}

/// The text between two matches: the items from `from` up to `to`, and all white space around them.
fn hunk(old: &Prepared, new: &Prepared, from: Match, to: Match, out: &mut SegmentWriter) {
    let gap =
        |text: &Prepared, item: usize| -> Range<usize> { text.end_before(item)..text.start(item) };
    let (old_lead, new_lead) = (gap(old, from.0), gap(new, from.1));
    let old_text = old.text;
    let new_text = new.text;
    if from.0 >= to.0 && from.1 >= to.1 {
        out.pair(&old_text[old_lead], &new_text[new_lead]);
        return;
    }
    let old_body = old.start(from.0).min(old.end_before(to.0))..old.end_before(to.0);
    let new_body = new.start(from.1).min(new.end_before(to.1))..new.end_before(to.1);
    let (old_trail, new_trail) = (gap(old, to.0), gap(new, to.1));
    if from.0 < to.0 && from.1 < to.1 {
        out.pair(&old_text[old_lead], &new_text[new_lead]);
        out.delete(&old_text[old_body]);
        out.insert(&new_text[new_body]);
        out.pair(&old_text[old_trail], &new_text[new_trail]);
    } else if from.0 < to.0 {
        let single = &new_text[new_lead];
        if old_text[old_lead.clone()] == *single {
            out.equal(single);
            out.delete(&old_text[old_body.start..old_trail.end]);
        } else if old_text[old_trail.clone()] == *single {
            out.delete(&old_text[old_lead.start..old_body.end]);
            out.equal(single);
        } else {
            out.delete(&old_text[old_lead.start..old_trail.end]);
            out.insert(single);
        }
    } else {
        let single = &old_text[old_lead];
        if new_text[new_lead.clone()] == *single {
            out.equal(single);
            out.insert(&new_text[new_body.start..new_trail.end]);
        } else if new_text[new_trail.clone()] == *single {
            out.insert(&new_text[new_lead.start..new_body.end]);
            out.equal(single);
        } else {
            out.delete(single);
            out.insert(&new_text[new_lead.start..new_trail.end]);
        }
    }
}

/// Collects segments. Neighbours of one kind are merged, and in an edit the deletion comes first.
#[derive(Default)]
struct SegmentWriter {
    done: Vec<Segment>,
    equal: String,
    deleted: String,
    inserted: String,
}

impl SegmentWriter {
    fn pair(&mut self, old: &str, new: &str) {
        if old == new {
            self.equal(old);
        } else {
            self.delete(old);
            self.insert(new);
        }
    }

    /// A matched word. If its capitals changed, it is an edit of its own, separate from its neighbours.
    fn word(&mut self, old: &str, new: &str) {
        if old == new {
            self.equal(old);
        } else {
            self.flush_edit();
            self.delete(old);
            self.insert(new);
            self.flush_edit();
        }
    }

    fn equal(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.flush_edit();
        self.equal.push_str(text);
    }

    fn delete(&mut self, text: &str) {
        if !text.is_empty() {
            self.flush_equal();
            self.deleted.push_str(text);
        }
    }

    fn insert(&mut self, text: &str) {
        if !text.is_empty() {
            self.flush_equal();
            self.inserted.push_str(text);
        }
    }

    fn flush_equal(&mut self) {
        if !self.equal.is_empty() {
            self.done
                .push(Segment::Equal(std::mem::take(&mut self.equal)));
        }
    }

    fn flush_edit(&mut self) {
        if !self.deleted.is_empty() {
            self.done
                .push(Segment::Delete(std::mem::take(&mut self.deleted)));
        }
        if !self.inserted.is_empty() {
            self.done
                .push(Segment::Insert(std::mem::take(&mut self.inserted)));
        }
    }

    fn finish(mut self) -> Vec<Segment> {
        self.flush_equal();
        self.flush_edit();
        self.done
    }
}
