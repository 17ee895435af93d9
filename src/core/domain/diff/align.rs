//! Which items of one sequence correspond to which items of another, in order.
//!
//! Small sequences get an optimal alignment: the greatest weight of matched items with the fewest edits, since a
//! reader follows two long edits more easily than five short ones (affine gaps: Gotoh, 1982). Large ones are first
//! cut at items that are unique in both (patience diff), then passed to the crate `similar`. Sequences beyond the
//! [`Budget`] are not aligned at all, and the budget records that. A result never depends on the time that it took.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The remaining work. It is counted, not timed, so that the same input always gives the same result.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    cells: u64,
    /// Whether something was too large.
    pub(super) coarse: bool,
}

impl Budget {
    /// Enough for a book; about a fifth of a second.
    pub(super) fn new() -> Self {
        Self {
            cells: 30_000_000,
            coarse: false,
        }
    }

    /// Takes from the remaining work; if there is too little, the result is coarse.
    pub(super) fn take(&mut self, cells: u64) -> bool {
        let Some(rest) = self.cells.checked_sub(cells) else {
            self.coarse = true;
            return false;
        };
        self.cells = rest;
        true
    }
}

/// What an alignment should prefer.
pub(super) struct AlignWeights<'a> {
    /// The value of matching an item, by its number.
    pub(super) of: &'a [i32],
    /// The cost of starting an edit.
    pub(super) open: i32,
}

/// A matched pair of indices.
pub(super) type Match = (usize, usize);

/// Up to this many pairs of items, the alignment is optimal.
const BEST: usize = 250_000;
/// Up to this many items on both sides, `similar` is used.
const FAST: usize = 20_000;

/// A sequence to be aligned. Each item has a number, and a coarser number that several items share.
#[derive(Clone, Copy)]
pub(super) struct Items<'a> {
    /// Equal for equal items.
    pub(super) ids: &'a [u32],
    /// Equal for items that are nearly equal; such a pair is matched with a slightly lower preference.
    pub(super) keys: &'a [u32],
}

impl<'a> Items<'a> {
    /// Items that are either equal or not.
    pub(super) fn plain(ids: &'a [u32]) -> Self {
        Self { ids, keys: ids }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn range(&self, range: Range<usize>) -> Self {
        Self {
            ids: &self.ids[range.clone()],
            keys: &self.keys[range],
        }
    }
}

/// The matched pairs in increasing order.
pub(super) fn align(
    old: Items,
    new: Items,
    weights: &AlignWeights,
    budget: &mut Budget,
) -> Vec<Match> {
    let most = old.len().min(new.len());
    let head = common(old.ids.iter().zip(new.ids));
    let tail = common(old.ids.iter().rev().zip(new.ids.iter().rev())).min(most - head);
    let (old_tail, new_tail) = (old.len() - tail, new.len() - tail);

    let mut matches: Vec<Match> = (0..head).map(|i| (i, i)).collect();
    let old_mid = old.range(head..old_tail);
    let new_mid = new.range(head..new_tail);
    middle(old_mid, new_mid, head, weights, budget, &mut matches);
    matches.extend((0..tail).map(|i| (old_tail + i, new_tail + i)));
    matches
}

fn common<'a>(pairs: impl Iterator<Item = (&'a u32, &'a u32)>) -> usize {
    pairs.take_while(|(a, b)| a == b).count()
}

fn middle(
    old: Items,
    new: Items,
    head: usize,
    weights: &AlignWeights,
    budget: &mut Budget,
    out: &mut Vec<Match>,
) {
    let shifted = |(i, j): Match| (i + head, j + head);
    if old.len().saturating_mul(new.len()) <= BEST {
        out.extend(exact(old, new, weights, budget).into_iter().map(shifted));
        return;
    }
    let mut pairs = Vec::new();
    // Single items first, then runs of a few if single ones repeat too often.
    let anchors = unique_in_both(old.ids, new.ids);
    at_anchors(
        old,
        new,
        &anchors,
        budget,
        &mut |a, b, budget| {
            if a.len().saturating_mul(b.len()) <= BEST {
                return exact(a, b, weights, budget);
            }
            let runs = unique_in_both(&runs(a.ids), &runs(b.ids));
            let mut pairs = Vec::new();
            at_anchors(
                a,
                b,
                &runs,
                budget,
                &mut |a, b, budget| between(a, b, weights, budget),
                &mut pairs,
            );
            pairs
        },
        &mut pairs,
    );
    out.extend(pairs.into_iter().map(shifted));
}

/// The length of a run.
const RUN: usize = 4;

/// A number for each run of items, indexed by its first item.
fn runs(ids: &[u32]) -> Vec<u32> {
    ids.windows(RUN)
        .map(|run| {
            // It does no harm if two runs share a number by chance: only pairs of equal items become anchors.
            run.iter().fold(0_u32, |hash, &id| {
                (hash.rotate_left(5) ^ id).wrapping_mul(0x9e37_79b9)
            })
        })
        .collect()
}

/// Cuts two sequences at the anchors, aligns the stretches between them with `rest`, and joins the results.
fn at_anchors(
    old: Items,
    new: Items,
    anchors: &[Match],
    budget: &mut Budget,
    rest: &mut dyn FnMut(Items, Items, &mut Budget) -> Vec<Match>,
    out: &mut Vec<Match>,
) {
    let mut from = (0, 0);
    let end = (old.len(), new.len());
    for to in anchors.iter().copied().chain([end]) {
        let is_anchor = to.0 < end.0 && to.1 < end.1;
        if is_anchor && old.ids[to.0] != new.ids[to.1] {
            continue;
        }
        let (a, b) = (old.range(from.0..to.0), new.range(from.1..to.1));
        let pairs = rest(a, b, budget);
        out.extend(pairs.into_iter().map(|(i, j)| (i + from.0, j + from.1)));
        if is_anchor {
            out.push(to);
        }
        from = (to.0 + 1, to.1 + 1);
    }
}

/// Aligns the stretch between two anchors.
fn between(old: Items, new: Items, weights: &AlignWeights, budget: &mut Budget) -> Vec<Match> {
    if old.len() == 0 || new.len() == 0 {
        return Vec::new();
    }
    let cells = old.len().saturating_mul(new.len());
    if cells <= BEST {
        return exact(old, new, weights, budget);
    }
    // Measured: a step of the heuristic costs about as much as sixteen cells on the worst input.
    if old.len() + new.len() > FAST || !budget.take(cells as u64 / 16) {
        budget.coarse = true;
        return Vec::new();
    }
    capture_diff_slices(Algorithm::Myers, old.ids, new.ids)
        .into_iter()
        .filter_map(|op| match op {
            DiffOp::Equal {
                old_index,
                new_index,
                len,
            } => Some((0..len).map(move |k| (old_index + k, new_index + k))),
            _ => None,
        })
        .flatten()
        .collect()
}

/// The items that occur once on each side and keep their order: the longest run of them.
fn unique_in_both(old: &[u32], new: &[u32]) -> Vec<Match> {
    let (old_once, new_once) = (once(old), once(new));
    let mut pairs: Vec<Match> = Vec::new();
    let mut others = new_once.into_iter().peekable();
    for (id, i) in old_once {
        while others.next_if(|other| other.0 < id).is_some() {}
        if let Some((_, j)) = others.next_if(|other| other.0 == id) {
            pairs.push((i, j));
        }
    }
    pairs.sort_unstable();
    let order: Vec<(usize, u64)> = pairs.iter().map(|&(_, j)| (j, 1)).collect();
    longest_increasing(&order)
        .into_iter()
        .filter_map(|k| pairs.get(k).copied())
        .collect()
}

/// The items that occur once, with their positions, in the order of their numbers.
fn once(ids: &[u32]) -> Vec<(u32, usize)> {
    let mut sorted: Vec<(u32, usize)> = ids.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    sorted
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|same| match same {
            [single] => Some(*single),
            _ => None,
        })
        .collect()
}

/// The indices of the heaviest strictly increasing run of `(value, weight)`; O(n log n) with a Fenwick tree of maxima.
pub(super) fn longest_increasing(items: &[(usize, u64)]) -> Vec<usize> {
    let mut sorted: Vec<usize> = items.iter().map(|item| item.0).collect();
    sorted.sort_unstable();
    sorted.dedup();
    // best[rank]: heaviest run that ends at a value up to that rank, and its last item.
    let mut best: Vec<(u64, usize)> = vec![(0, usize::MAX); sorted.len() + 1];
    let mut previous = vec![usize::MAX; items.len()];
    let mut end = (0, usize::MAX);
    for (k, &(value, weight)) in items.iter().enumerate() {
        let rank = sorted.partition_point(|&other| other < value);
        let mut top = (0, usize::MAX);
        let mut at = rank;
        while at > 0 {
            if best[at].0 > top.0 {
                top = best[at];
            }
            at &= at - 1;
        }
        previous[k] = top.1;
        let run = (top.0 + weight, k);
        if run.0 > end.0 {
            end = run;
        }
        at = rank + 1;
        while at < best.len() {
            if run.0 > best[at].0 {
                best[at] = run;
            }
            at += at & at.wrapping_neg();
        }
    }
    let mut run = Vec::new();
    let mut at = end.1;
    while at != usize::MAX {
        run.push(at);
        at = previous[at];
    }
    run.reverse();
    run
}

/// Bits of the trace: how the best way came into a cell.
const MATCH_AFTER_EDIT: u8 = 1;
const EDIT_FROM_UP: u8 = 2;
const EDIT_OPENS: u8 = 4;

/// The best alignment by dynamic programming over (matched, in an edit).
fn exact(old: Items, new: Items, weights: &AlignWeights, budget: &mut Budget) -> Vec<Match> {
    const NEVER: i32 = i32::MIN / 2;
    if old.len() == 0 || new.len() == 0 {
        return Vec::new();
    }
    let (n, m) = (old.len(), new.len());
    let cells = (n + 1) * (m + 1);
    if !budget.take(cells as u64) {
        return Vec::new();
    }
    let mut trace = vec![0_u8; cells];
    let mut matched = vec![NEVER; m + 1];
    let mut editing = vec![NEVER; m + 1];
    for i in 0..=n {
        let item = i.checked_sub(1).map(|k| (old.keys[k], old.ids[k]));
        let whole = item.map_or(0, |(_, id)| {
            weights.of.get(id as usize).copied().unwrap_or(1)
        });
        let row = &mut trace[i * (m + 1)..(i + 1) * (m + 1)];
        // The cell up and left, before this row overwrites it.
        let (mut corner_matched, mut corner_editing) = (NEVER, NEVER);
        for j in 0..=m {
            let (up_matched, up_editing) = (matched[j], editing[j]);
            let mut bits = 0;
            let same = item.filter(|(key, _)| j > 0 && *key == new.keys[j - 1]);
            let here = if let Some((_, id)) = same {
                let worth = whole - i32::from(id != new.ids[j - 1]);
                if corner_editing > corner_matched {
                    bits |= MATCH_AFTER_EDIT;
                }
                corner_matched.max(corner_editing).saturating_add(worth)
            } else if i == 0 && j == 0 {
                0
            } else {
                NEVER
            };
            // Prefer to go on with an edit; among equals prefer to delete last when walking back, so that edits come
            // as late as they can. Sliding puts them right afterwards.
            let mut edit = NEVER;
            if i > 0 {
                edit = up_editing;
                bits |= EDIT_FROM_UP;
                if up_matched - weights.open > edit {
                    edit = up_matched - weights.open;
                    bits |= EDIT_OPENS;
                }
            }
            if j > 0 {
                let (left_matched, left_editing) = (matched[j - 1], editing[j - 1]);
                if left_editing > edit {
                    edit = left_editing;
                    bits &= !(EDIT_FROM_UP | EDIT_OPENS);
                }
                if left_matched - weights.open > edit {
                    edit = left_matched - weights.open;
                    bits &= !EDIT_FROM_UP;
                    bits |= EDIT_OPENS;
                }
            }
            (corner_matched, corner_editing) = (up_matched, up_editing);
            matched[j] = here;
            editing[j] = edit.max(NEVER);
            row[j] = bits;
        }
    }
    walk_back(&trace, n, m, editing[m] > matched[m])
}

fn walk_back(trace: &[u8], n: usize, m: usize, mut in_edit: bool) -> Vec<Match> {
    let (mut i, mut j) = (n, m);
    let mut matches = Vec::with_capacity(n.min(m));
    while i > 0 || j > 0 {
        let bits = trace[i * (m + 1) + j];
        if in_edit {
            in_edit = bits & EDIT_OPENS == 0;
            if bits & EDIT_FROM_UP != 0 && i > 0 {
                i -= 1;
            } else if j > 0 {
                j -= 1;
            } else {
                i -= 1;
            }
        } else if i > 0 && j > 0 {
            matches.push((i - 1, j - 1));
            in_edit = bits & MATCH_AFTER_EDIT != 0;
            i -= 1;
            j -= 1;
        } else {
            break;
        }
    }
    matches.reverse();
    matches
}
