//! Blocks that were split off another block, or joined into one.

use super::align::{AlignWeights, Budget, Items, align};
use super::list_number::list_number;
use super::pairs::Pairing;
use super::prepared::Interner;
use super::side::Side;

/// A part has at least this many words, and shares this much of them with the whole in one stretch.
const PART_WORDS: usize = 4;
const PART_SHARE: f64 = 0.75;

/// Finds new blocks that were split off the pair of a neighbour, and old blocks that were joined into one.
pub(super) fn find(
    old: &Side,
    new: &Side,
    interner: &Interner,
    budget: &mut Budget,
    pairing: &mut Pairing,
) {
    let (split_from, joined_into) = (
        attach(new, old, &pairing.of_new, interner, budget),
        attach(old, new, &pairing.of_old, interner, budget),
    );
    pairing.wholes = (
        split_from.iter().copied().flatten().collect(),
        joined_into.iter().copied().flatten().collect(),
    );
    pairing.split_from = split_from;
    pairing.joined_into = joined_into;
}

/// For each block of `parts` without a pair, the block of `wholes` that it is a part of.
///
/// `pairs` maps parts to wholes. A part is next to a block that is paired with its whole, or next to another part.
fn attach(
    parts: &Side,
    wholes: &Side,
    pairs: &[Option<usize>],
    interner: &Interner,
    budget: &mut Budget,
) -> Vec<Option<usize>> {
    let mut attached: Vec<Option<usize>> = vec![None; pairs.len()];
    let forwards = 0..pairs.len();
    let backwards = (0..pairs.len()).rev();
    for (index, step) in forwards.map(|k| (k, -1)).chain(backwards.map(|k| (k, 1))) {
        if pairs[index].is_some() || attached[index].is_some() {
            continue;
        }
        let Some(beside) = index.checked_add_signed(step).filter(|&k| k < pairs.len()) else {
            continue;
        };
        let Some(whole) = pairs[beside].or(attached[beside]) else {
            continue;
        };
        if is_part(parts, index, wholes, whole, beside, interner, budget)
            || is_cut(parts, index, wholes, whole, beside, interner)
        {
            attached[index] = Some(whole);
        }
    }
    attached
}

/// The number of words that are compared after a cut.
const AT_CUT: usize = 4;
/// A part with more words than this is searched for among the words of the whole.
const CUT_WORDS: usize = 12;

/// Whether a short block is exactly the beginning or the end of the whole, and its neighbour continues at the cut.
/// A run-in heading that was moved to its own line is a part, however short. It may follow a list number.
fn is_cut(
    parts: &Side,
    part: usize,
    wholes: &Side,
    whole: usize,
    beside: usize,
    interner: &Interner,
) -> bool {
    // Only as much as is compared is read: the whole may be long and have many neighbours.
    let words = |side: &Side, index: usize, backwards: bool, most: usize| -> Vec<u32> {
        let keys = side.prepared(index).map_or(&[][..], |text| &text.keys);
        let is_word = |id: &u32| interner.is_wordlike(*id);
        if backwards {
            let words = keys.iter().rev().copied().filter(is_word);
            return words.take(most).collect();
        }
        let number = usize::from(list_number(side.text(index)).is_some());
        let words = keys.iter().copied().filter(is_word).skip(number);
        words.take(most).collect()
    };
    let backwards = part > beside;
    let mut own = words(parts, part, false, CUT_WORDS + 1);
    if own.is_empty() || own.len() > CUT_WORDS {
        return false;
    }
    if backwards {
        own.reverse();
    }
    let neighbour = words(parts, beside, backwards, AT_CUT);
    let found = words(wholes, whole, backwards, own.len() + neighbour.len());
    own.extend(&neighbour);
    !neighbour.is_empty() && own == found
}

/// Whether a block is a stretch of the whole that its neighbour lacks.
fn is_part(
    parts: &Side,
    part: usize,
    wholes: &Side,
    whole: usize,
    beside: usize,
    interner: &Interner,
    budget: &mut Budget,
) -> bool {
    let (Some(a), Some(b)) = (parts.prepared(part), wholes.prepared(whole)) else {
        return false;
    };
    let bag = parts.bag(part);
    if bag.ids.len() < PART_WORDS {
        return false;
    }
    let words = bag.ids.len() as f64;
    let room = wholes.bag(whole).weight as f64 - 0.5 * parts.bag(beside).weight as f64;
    let shared = bag.shared(wholes.bag(whole), interner) as f64;
    if shared < PART_SHARE * bag.weight as f64 || room < 0.5 * bag.weight as f64 {
        return false;
    }
    let weights = AlignWeights {
        of: interner.weights(),
        open: super::weight::OPEN,
    };
    let found: Vec<usize> = align(
        Items::plain(&a.keys),
        Items::plain(&b.keys),
        &weights,
        budget,
    )
    .into_iter()
    .filter(|&(i, _)| a.ids.get(i).is_some_and(|&id| interner.is_wordlike(id)))
    .map(|(_, j)| j)
    .collect();
    let span = match (found.first(), found.last()) {
        (Some(first), Some(last)) => (last - first + 1) as f64,
        _ => return false,
    };
    found.len() as f64 >= PART_SHARE * words && span <= 1.5 * a.ids.len() as f64 + 4.0
}
