//! What changes in an entry at every check: a number in a certain place, the order of a list. It is reported as
//! long as it may be news; after that it is ignored text.

use std::collections::{HashMap, HashSet};

use super::pattern::{Shape, ValueKind};
use super::rule::TemplatePlace;
use crate::domain::assess::is_notice;
use crate::domain::normalise::visible;
use crate::domain::state::{Block, BlockKind};
use crate::time::Timestamp;

/// Once the same text has changed at this many checks in a row, and each was reported, further ones are not.
pub const LOOKS: usize = 4;

/// How often in a row a text of an entry differed from the check before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streak {
    /// The number of checks.
    pub looks: u32,
    /// When it last changed.
    pub at: Option<Timestamp>,
}

impl Streak {
    /// The streak after a check at which the text changed; `last` is the time of the check before.
    #[must_use]
    pub fn after(self, last: Option<Timestamp>, now: Timestamp) -> Self {
        let goes_on = self.is_at(last);
        Self {
            looks: if goes_on {
                self.looks.saturating_add(1)
            } else {
                1
            },
            at: Some(now),
        }
    }

    /// Whether the text changed at each of the last checks, the last of which was at `last`. A text that then
    /// changes in the same way again never settles.
    #[must_use]
    pub fn is_long(self, last: Option<Timestamp>) -> bool {
        self.is_at(last) && self.looks as usize >= LOOKS
    }

    fn is_at(self, last: Option<Timestamp>) -> bool {
        self.at.is_some() && self.at == last
    }
}

/// The streaks of both channels of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streaks {
    /// For the feed's text.
    pub feed: Streak,
    /// For the page's text.
    pub page: Streak,
}

/// What changes in an entry at every check.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restless {
    places: HashMap<String, Vec<TemplatePlace>>,
    order: bool,
}

impl Restless {
    /// Learns from the last texts of an entry, oldest first, from consecutive checks. Fewer than [`LOOKS`] steps
    /// teach nothing.
    #[must_use]
    pub fn of(texts: &[Vec<Block>]) -> Self {
        let first = texts.len().saturating_sub(LOOKS + 1);
        let texts = &texts[first..];
        if texts.len() <= LOOKS {
            return Self::default();
        }
        let mut steps = texts.windows(2).map(|pair| moves(&pair[0], &pair[1]));
        let mut always = steps.next().unwrap_or_default();
        let mut order = is_reordered(&texts[0], &texts[1]);
        for (step, pair) in steps.zip(texts.windows(2).skip(1)) {
            order &= is_reordered(&pair[0], &pair[1]);
            always.retain(|at, kinds| {
                let again = step.get(at);
                kinds.extend(again.into_iter().flatten());
                again.is_some()
            });
        }
        let mut places: HashMap<String, Vec<TemplatePlace>> = HashMap::new();
        for ((key, at), mut kinds) in always {
            kinds.sort_unstable();
            kinds.dedup();
            places
                .entry(key)
                .or_default()
                .push(TemplatePlace { at, kinds });
        }
        Self { places, order }
    }

    /// Whether nothing changes at every check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && !self.order
    }

    /// Adds what changes in another text of the entry.
    pub fn extend(&mut self, other: Self) {
        self.places.extend(other.places);
        self.order |= other.order;
    }

    pub(super) fn allows(&self, key: &str, at: usize, kind: ValueKind) -> bool {
        let places = self.places.get(key).into_iter().flatten();
        places
            .into_iter()
            .any(|place| place.at == at && place.allows(kind))
    }

    /// Whether the new text only reorders lists of the old one, and lists were reordered at every check before.
    pub(super) fn reorders(&self, old: &[Block], new: &[Block]) -> bool {
        self.order && is_reordered(old, new)
    }
}

/// Numbers that changed in texts that are otherwise the same, by the form of the text and the place.
fn moves(old: &[Block], new: &[Block]) -> HashMap<(String, usize), Vec<ValueKind>> {
    let (gone, come) = (only_in(old, new), only_in(new, old));
    let mut moves: HashMap<(String, usize), Vec<ValueKind>> = HashMap::new();
    for (text, shape) in &come {
        let mut others = gone.iter().filter(|(_, other)| other.key == shape.key);
        let (Some((before, was)), None) = (others.next(), others.next()) else {
            continue;
        };
        for (at, (now, then)) in shape.values.iter().zip(&was.values).enumerate() {
            let is_number = now.kind != ValueKind::Name && then.kind != ValueKind::Name;
            if is_number && text.get(now.range.clone()) != before.get(then.range.clone()) {
                moves.insert((shape.key.clone(), at), vec![then.kind, now.kind]);
            }
        }
    }
    moves
}

fn only_in<'b>(these: &'b [Block], others: &[Block]) -> Vec<(&'b str, Shape)> {
    let others: HashSet<&str> = others.iter().map(|other| other.text.as_str()).collect();
    these
        .iter()
        .filter(|block| !others.contains(block.text.as_str()))
        .filter(|block| block.kind != BlockKind::Furniture && !is_notice(&block.text))
        .filter_map(|block| Some((block.text.as_str(), Shape::of(&block.text)?)))
        .collect()
}

/// Whether only the items of lists have changed places.
fn is_reordered(old: &[Block], new: &[Block]) -> bool {
    if old.len() != new.len() || old == new {
        return false;
    }
    let pairs = || old.iter().zip(new);
    let is_item = |block: &Block| matches!(block.kind, BlockKind::ListItem);
    if !pairs().all(|(old, new)| old == new || (is_item(old) && is_item(new))) {
        return false;
    }
    let sorted = |blocks: &[Block]| {
        let mut texts: Vec<String> = blocks
            .iter()
            .map(|block| visible(&block.text).into_owned())
            .collect();
        texts.sort_unstable();
        texts
    };
    sorted(old) == sorted(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[&str]) -> Vec<Block> {
        lines.iter().map(|line| Block::paragraph(*line)).collect()
    }

    #[test]
    fn a_number_that_moves_at_each_look_is_restless_and_no_other_is() {
        let looks = |toll: fn(usize) -> usize| -> Vec<Vec<Block>> {
            (0..5)
                .map(|look| {
                    text(&[
                        "One.",
                        &format!("Translated to {} percent by 12 people.", 10 + look),
                        &format!("{} people were hurt.", toll(look)),
                    ])
                })
                .collect()
        };
        let restless = Restless::of(&looks(|look| look / 2));
        let key = Shape::of("Translated to 1 percent by 2 people.")
            .unwrap()
            .key;
        assert!(restless.allows(&key, 0, ValueKind::Whole));
        assert!(!restless.allows(&key, 0, ValueKind::Decimal));
        assert!(!restless.allows(&key, 1, ValueKind::Whole));
        let hurt = Shape::of("3 people were hurt.").unwrap().key;
        assert!(!restless.allows(&hurt, 0, ValueKind::Whole));
        assert!(Restless::of(&looks(|look| look)[1..]).is_empty());
    }

    #[test]
    fn a_look_without_a_move_ends_a_streak() {
        let at = Timestamp::from_unix;
        let mut streak = Streak::default();
        for look in 1..=4 {
            assert!(!streak.is_long(Some(at(look - 1))));
            streak = streak.after(Some(at(look - 1)), at(look));
        }
        assert!(streak.is_long(Some(at(4))));
        // Nothing moved at the check at 5.
        assert!(!streak.is_long(Some(at(5))));
        assert_eq!(streak.after(Some(at(5)), at(6)).looks, 1);
    }
}
