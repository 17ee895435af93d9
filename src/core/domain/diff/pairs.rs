//! The pairs of blocks that were found.

use std::collections::HashSet;

use super::align::longest_increasing;
use super::side::Side;

/// The pairs of two texts of blocks; indices start at 0.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// For each old block, the new block that corresponds to it.
    pub(super) of_old: Vec<Option<usize>>,
    /// For each new block, the old block that corresponds to it.
    pub(super) of_new: Vec<Option<usize>>,
    /// For each old block without a pair, the new block that it was joined into.
    pub(super) joined_into: Vec<Option<usize>>,
    /// For each new block without a pair, the old block that it was split from.
    pub(super) split_from: Vec<Option<usize>>,
    /// Old blocks that were split, and new blocks that others were joined into.
    pub(super) wholes: (HashSet<usize>, HashSet<usize>),
}

impl Pairing {
    /// Whether the pair has parts elsewhere, so that its words have to be counted for the whole.
    pub(super) fn is_shared(&self, i: usize, j: usize) -> bool {
        self.wholes.0.contains(&i) || self.wholes.1.contains(&j)
    }

    /// Pairs two blocks that have no pair yet.
    pub(super) fn join(&mut self, i: usize, j: usize) {
        if self.of_old.get(i) == Some(&None) && self.of_new.get(j) == Some(&None) {
            self.of_old[i] = Some(j);
            self.of_new[j] = Some(i);
        }
    }

    /// For each new block, whether it moved: whether it is outside the longest run that kept its order. If several
    /// runs are equally long, the one with the most text stays.
    pub(super) fn moved(&self, new: &Side) -> Vec<bool> {
        let pairs: Vec<(usize, usize)> = self
            .of_new
            .iter()
            .enumerate()
            .filter_map(|(j, i)| i.map(|i| (i, j)))
            .collect();
        let order: Vec<(usize, u64)> = pairs
            .iter()
            .map(|&(i, j)| (i, (1 << 32) + new.text(j).len() as u64))
            .collect();
        let mut moved: Vec<bool> = self.of_new.iter().map(Option::is_some).collect();
        for k in longest_increasing(&order) {
            if let Some(flag) = pairs.get(k).and_then(|&(_, j)| moved.get_mut(j)) {
                *flag = false;
            }
        }
        moved
    }
}
