//! Which piece of ignored text corresponds to which between two checks.

use std::collections::{HashMap, HashSet};

use super::movements::{Bodies, ghost_text};
use super::sequence::{Numbers, shared};
use super::{RememberedPiece, Snapshot};
use crate::domain::diff::is_ideograph;
use crate::domain::state::Block;

/// Texts with at least this share of common words correspond.
const LIKE: f32 = 0.5;

/// At most this many pairs are compared word by word; beyond that, their order decides.
const COMPARED: usize = 20_000;

/// How many words of a text are compared.
const WORDS: usize = 200;

/// What a piece was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceBefore {
    Nothing,
    Same(usize),
    Changed(usize),
    /// A piece that had vanished before the last check.
    Gone(usize),
    /// Part of the article.
    Article,
}

/// What happened to a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    Something,
}

/// A piece during pairing.
struct PairedPiece<'a> {
    kept: &'a RememberedPiece,
    number: usize,
    /// The gap between unchanged pieces that it is in.
    gap: usize,
    /// The run of pieces with the same reason that it is in.
    run: usize,
}

/// For each new piece what it was before, and for each old one whether it still exists in some form.
pub(super) struct PairedPieces {
    pub(super) before: Vec<PieceBefore>,
    pub(super) after: Vec<After>,
}

impl PairedPieces {
    pub(super) fn between(old: &Snapshot, new: &Snapshot, bodies: Option<Bodies<'_>>) -> Self {
        let mut pairing = PiecePairing::of(old, new);
        pairing.elsewhere();
        if let Some(bodies) = bodies {
            pairing.forget_article(bodies);
        }
        pairing.alike();
        pairing.in_order();
        pairing.come_back(old);
        pairing.found
    }
}

struct PiecePairing<'a> {
    old: Vec<PairedPiece<'a>>,
    new: Vec<PairedPiece<'a>>,
    /// Which run of the last check corresponds to which of this check.
    runs: HashMap<usize, usize>,
    found: PairedPieces,
}

impl<'a> PiecePairing<'a> {
    fn of(old: &'a Snapshot, new: &'a Snapshot) -> Self {
        let mut numbers = Numbers::default();
        let mut items = |snapshot: &'a Snapshot| -> Vec<PairedPiece<'a>> {
            let mut run = 0;
            let mut last: Option<&RememberedPiece> = None;
            let mut items = Vec::new();
            for kept in snapshot.live() {
                let goes_on = last.is_some_and(|last| {
                    last.piece.why == kept.piece.why && last.piece.after == kept.piece.after
                });
                run += usize::from(!goes_on);
                last = Some(kept);
                items.push(PairedPiece {
                    kept,
                    number: numbers.of(&kept.piece.text),
                    gap: 0,
                    run,
                });
            }
            items
        };
        let (mut old, mut new) = (items(old), items(new));
        let of =
            |items: &[PairedPiece<'_>]| items.iter().map(|item| item.number).collect::<Vec<_>>();
        let shared = shared(&of(&old), &of(&new));
        let mut before = vec![PieceBefore::Nothing; new.len()];
        let mut after = vec![After::Nothing; old.len()];
        let mut runs = HashMap::new();
        for (was, is) in &shared {
            if let (Some(old), Some(new)) = (old.get(*was), new.get(*is)) {
                runs.entry(new.run).or_insert(old.run);
            }
            set(&mut before, *is, PieceBefore::Same(*was));
            set(&mut after, *was, After::Something);
        }
        number_gaps(&mut old, shared.iter().map(|pair| pair.0));
        number_gaps(&mut new, shared.iter().map(|pair| pair.1));
        Self {
            old,
            new,
            runs,
            found: PairedPieces { before, after },
        }
    }

    fn open_new(&self) -> Vec<usize> {
        let open = self.found.before.iter().enumerate();
        open.filter(|(_, before)| **before == PieceBefore::Nothing)
            .map(|(at, _)| at)
            .collect()
    }

    fn open_old(&self) -> Vec<usize> {
        let open = self.found.after.iter().enumerate();
        open.filter(|(_, after)| **after == After::Nothing)
            .map(|(at, _)| at)
            .collect()
    }

    /// The same text in another order is not a movement.
    fn elsewhere(&mut self) {
        let mut left: HashMap<usize, Vec<usize>> = HashMap::new();
        for was in self.open_old().into_iter().rev() {
            let number = self.old.get(was).map_or(0, |item| item.number);
            left.entry(number).or_default().push(was);
        }
        for is in self.open_new() {
            let number = self.new.get(is).map_or(0, |item| item.number);
            if let Some(was) = left.get_mut(&number).and_then(Vec::pop) {
                set(&mut self.found.before, is, PieceBefore::Same(was));
                set(&mut self.found.after, was, After::Something);
            }
        }
    }

    /// Text that moved into or out of the article does not concern the record of ignored text.
    fn forget_article(&mut self, bodies: Bodies<'_>) {
        if self.open_old().is_empty() && self.open_new().is_empty() {
            return;
        }
        let mut numbers = Numbers::default();
        let mut all = |blocks: &[Block]| -> HashSet<usize> {
            blocks.iter().map(|block| numbers.of(&block.text)).collect()
        };
        let (old, new) = (all(bodies.old), all(bodies.new));
        for was in self.open_old() {
            let number = self
                .old
                .get(was)
                .map(|item| numbers.of(&item.kept.piece.text));
            if number.is_some_and(|number| new.contains(&number) && !old.contains(&number)) {
                set(&mut self.found.after, was, After::Something);
            }
        }
        for is in self.open_new() {
            let number = self
                .new
                .get(is)
                .map(|item| numbers.of(&item.kept.piece.text));
            if number.is_some_and(|number| old.contains(&number) && !new.contains(&number)) {
                set(&mut self.found.before, is, PieceBefore::Article);
            }
        }
    }

    /// Whether one can correspond to the other, judging by their positions.
    fn same_place(&self, was: usize, is: usize) -> bool {
        let (Some(old), Some(new)) = (self.old.get(was), self.new.get(is)) else {
            return false;
        };
        let (of_old, of_new) = (&old.kept.piece, &new.kept.piece);
        if of_old.rule != of_new.rule {
            return false;
        }
        of_old.rule.is_some()
            || (of_old.why == of_new.why
                && (old.gap == new.gap || self.runs.get(&new.run) == Some(&old.run)))
    }

    /// Pairs pieces in the same place that share most of their words.
    fn alike(&mut self) {
        let (open_old, open_new) = (self.open_old(), self.open_new());
        if open_old.len().saturating_mul(open_new.len()) > COMPARED {
            return;
        }
        let words = |items: &[PairedPiece<'_>], open: &[usize]| -> HashMap<usize, Vec<String>> {
            let of = |at: &usize| Some((*at, words(&items.get(*at)?.kept.piece.text)));
            open.iter().filter_map(of).collect()
        };
        let (old, new) = (words(&self.old, &open_old), words(&self.new, &open_new));
        let mut found: Vec<(f32, usize, usize)> = Vec::new();
        for is in &open_new {
            for was in &open_old {
                if self.same_place(*was, *is)
                    && let (Some(one), Some(other)) = (old.get(was), new.get(is))
                {
                    let share = common(one, other);
                    if share >= LIKE {
                        found.push((share, *was, *is));
                    }
                }
            }
        }
        // The sort is stable: of equally similar pairs, the first one wins.
        found.sort_by(|one, other| other.0.total_cmp(&one.0));
        for (_, was, is) in found {
            self.pair(was, is);
        }
    }

    /// Pairs the remaining pieces in the same place in order.
    fn in_order(&mut self) {
        let mut open_old = self.open_old();
        for is in self.open_new() {
            let at = open_old.iter().position(|was| self.same_place(*was, is));
            if let Some(at) = at {
                let was = open_old.remove(at);
                self.pair(was, is);
            }
        }
    }

    fn pair(&mut self, was: usize, is: usize) {
        let open = self.found.before.get(is) == Some(&PieceBefore::Nothing)
            && self.found.after.get(was) == Some(&After::Nothing);
        if open {
            set(&mut self.found.before, is, PieceBefore::Changed(was));
            set(&mut self.found.after, was, After::Something);
        }
    }

    /// A new piece takes over the place of a piece that vanished there before: one with the same words, then one
    /// with similar words, then one that was between the same blocks of the article.
    fn come_back(&mut self, old: &Snapshot) {
        let ghosts: Vec<&RememberedPiece> = old.kept.iter().filter(|kept| kept.gone).collect();
        let mut free: Vec<usize> = (0..ghosts.len()).collect();
        self.take_places(&ghosts, &mut free, |ghost, kept| {
            ghost_text(&kept.piece.text) == ghost.piece.text
        });
        if free.len().saturating_mul(self.open_new().len()) <= COMPARED {
            let known: HashMap<&str, Vec<String>> = ghosts
                .iter()
                .map(|ghost| ghost.piece.text.as_str())
                .map(|text| (text, words(text)))
                .collect();
            self.take_places(&ghosts, &mut free, |ghost, kept| {
                let known = known.get(ghost.piece.text.as_str());
                let like = |known: &Vec<String>| common(known, &words(&kept.piece.text)) >= LIKE;
                ghost.piece.why == kept.piece.why && known.is_some_and(like)
            });
        }
        self.take_places(&ghosts, &mut free, |ghost, kept| {
            ghost.piece.why == kept.piece.why && ghost.piece.after == kept.piece.after
        });
    }

    fn take_places(
        &mut self,
        ghosts: &[&RememberedPiece],
        free: &mut Vec<usize>,
        fits: impl Fn(&RememberedPiece, &RememberedPiece) -> bool,
    ) {
        for is in self.open_new() {
            let Some(kept) = self.new.get(is).map(|item| item.kept) else {
                continue;
            };
            let fits =
                |ghost: &RememberedPiece| ghost.piece.rule == kept.piece.rule && fits(ghost, kept);
            let at = free
                .iter()
                .position(|ghost| ghosts.get(*ghost).is_some_and(|ghost| fits(ghost)));
            if let Some(at) = at {
                set(
                    &mut self.found.before,
                    is,
                    PieceBefore::Gone(free.remove(at)),
                );
            }
        }
    }
}

fn number_gaps(items: &mut [PairedPiece<'_>], stayed: impl Iterator<Item = usize>) {
    let mut stayed = stayed.peekable();
    let mut gap = 0;
    for (at, item) in items.iter_mut().enumerate() {
        if stayed.next_if_eq(&at).is_some() {
            gap += 1;
        }
        item.gap = gap;
    }
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
}

/// The words of a text, sorted; all numbers count as the same. In scripts without spaces, each character is a
/// word.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .flat_map(|word| word.split_inclusive(is_ideograph))
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .map(|word| match word.chars().all(char::is_numeric) {
            true => "0".to_owned(),
            false => word.to_lowercase(),
        })
        .collect();
    words.sort_unstable();
    words
}

/// The share of the longer text's words that the other text also has.
pub(super) fn common(one: &[String], other: &[String]) -> f32 {
    let (mut i, mut j, mut common) = (0, 0, 0_u16);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        common += u16::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    let longer = u16::try_from(one.len().max(other.len())).unwrap_or(u16::MAX);
    f32::from(common) / f32::from(longer.max(1))
}
