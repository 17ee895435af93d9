//! Texts as numbers, and the longest sequence that two documents have in common.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::domain::normalise::visible;

/// Numbers for texts; texts that look the same have the same number.
#[derive(Debug, Default)]
pub(super) struct Numbers(HashMap<String, usize>);

impl Numbers {
    pub(super) fn of(&mut self, text: &str) -> usize {
        let next = self.0.len();
        let text = visible(text);
        match self.0.get(&*text) {
            Some(number) => *number,
            None => *self.0.entry(text.into_owned()).or_insert(next),
        }
    }
}

/// Pairs of positions with the same text, in the order of both.
pub(super) fn shared(old: &[usize], new: &[usize]) -> Vec<(usize, usize)> {
    let equal = |op| match op {
        DiffOp::Equal {
            old_index,
            new_index,
            len,
        } => Some((0..len).map(move |at| (old_index + at, new_index + at))),
        DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => None,
    };
    capture_diff_slices(Algorithm::Myers, old, new)
        .into_iter()
        .filter_map(equal)
        .flatten()
        .collect()
}
