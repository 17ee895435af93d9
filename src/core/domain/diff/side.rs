//! The blocks of one side, split into tokens, with the weights of their words.

use super::prepared::{Interner, Prepared};
use crate::domain::state::Block;

/// The blocks of one side; those without an equal on the other side are split into tokens.
pub(super) struct Side<'a> {
    blocks: &'a [Block],
    prepared: Vec<Option<Prepared<'a>>>,
    bags: Vec<Bag>,
}

/// The words of a block, sorted, with their total weight.
#[derive(Debug, Default, Clone)]
pub(super) struct Bag {
    pub(super) ids: Vec<u32>,
    pub(super) weight: u64,
}

impl<'a> Side<'a> {
    pub(super) fn new(blocks: &'a [Block]) -> Self {
        Self {
            blocks,
            prepared: blocks.iter().map(|_| None).collect(),
            bags: vec![Bag::default(); blocks.len()],
        }
    }

    pub(super) fn blocks(&self) -> &'a [Block] {
        self.blocks
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn text(&self, index: usize) -> &'a str {
        self.blocks.get(index).map_or("", |block| &block.text)
    }

    /// Tokenises a block if that has not been done yet.
    pub(super) fn prepare(&mut self, index: usize, interner: &mut Interner<'a>) {
        if self.prepared.get(index).is_some_and(Option::is_none) {
            let text = self.text(index);
            self.prepared[index] = Some(Prepared::new(text, interner));
        }
    }

    /// A tokenised block.
    pub(super) fn prepared(&self, index: usize) -> Option<&Prepared<'a>> {
        self.prepared.get(index).and_then(Option::as_ref)
    }

    pub(super) fn fill_bag(&mut self, index: usize, interner: &Interner) {
        if let Some(prepared) = self.prepared(index) {
            let bag = Bag::of(&prepared.keys, interner);
            self.bags[index] = bag;
        }
    }

    /// Its words.
    pub(super) fn bag(&self, index: usize) -> &Bag {
        const NONE: &Bag = &Bag {
            ids: Vec::new(),
            weight: 0,
        };
        self.bags.get(index).unwrap_or(NONE)
    }
}

impl Bag {
    fn of(ids: &[u32], interner: &Interner) -> Self {
        let mut ids: Vec<u32> = ids
            .iter()
            .copied()
            .filter(|&id| interner.is_wordlike(id))
            .collect();
        ids.sort_unstable();
        let weight = ids.iter().map(|&id| interner.sense(id)).sum();
        Self { ids, weight }
    }

    /// The weight of the words that both have, figures included.
    pub(super) fn shared(&self, other: &Self, interner: &Interner) -> u64 {
        let [words, figures] = self.shared_words_and_figures(other, interner);
        words + figures
    }

    /// The weights of the words and of the figures that both have.
    pub(super) fn shared_words_and_figures(&self, other: &Self, interner: &Interner) -> [u64; 2] {
        let (mut i, mut j, mut both) = (0, 0, [0, 0]);
        while let (Some(x), Some(y)) = (self.ids.get(i), other.ids.get(j)) {
            match x.cmp(y) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    both[usize::from(interner.is_figure(*x))] += interner.sense(*x);
                    i += 1;
                    j += 1;
                }
            }
        }
        both
    }
}
