//! What changed in the ignored text between two checks.

use std::collections::HashSet;

use super::excerpt::{around_difference, beginning, floor};
use super::pairing::{After, PairedPieces, PieceBefore};
use super::{FURTHER, Movement, PLACES_OF, Piece, RememberedPiece, SHOWN_BYTES, Snapshot};
use crate::domain::state::Block;

/// The article itself at both checks. Text that moved into or out of it is a change and not part of the record.
#[derive(Debug, Clone, Copy)]
pub struct Bodies<'a> {
    /// At the last check.
    pub old: &'a [Block],
    /// At this check.
    pub new: &'a [Block],
}

impl Snapshot {
    /// This snapshot as the successor of `old`, with the same places, and the movements in between.
    #[must_use]
    pub fn following(self, old: &Self, bodies: Option<Bodies<'_>>) -> (Self, Vec<Movement>) {
        self.step(old, bodies, true)
    }

    /// Like [`Self::following`], but for snapshots that were read differently: the differences are of our own
    /// making. Places are carried over, and there are no movements.
    #[must_use]
    pub fn replacing(self, old: &Self) -> Self {
        self.step(old, None, false).0
    }

    fn step(
        mut self,
        old: &Self,
        bodies: Option<Bodies<'_>>,
        recording: bool,
    ) -> (Self, Vec<Movement>) {
        let whole = self.whole.min(old.whole);
        let found = PairedPieces::between(old, &self, bodies);
        let live: Vec<&RememberedPiece> = old.live().collect();
        let ghosts: Vec<&RememberedPiece> = old.kept.iter().filter(|kept| kept.gone).collect();
        let mut places = Places::of(old);
        let mut movements = Vec::new();
        for (kept, before) in self.kept.iter_mut().zip(&found.before) {
            let was = match *before {
                PieceBefore::Same(was) | PieceBefore::Changed(was) => live.get(was).copied(),
                PieceBefore::Gone(ghost) => ghosts.get(ghost).copied(),
                PieceBefore::Nothing | PieceBefore::Article => None,
            };
            kept.place = was.and_then(|was| was.place);
            let known = kept.class < whole || kept.place.is_some();
            let moved = match before {
                PieceBefore::Changed(_) => true,
                PieceBefore::Gone(_) | PieceBefore::Nothing => known,
                PieceBefore::Same(_) | PieceBefore::Article => false,
            };
            if recording && moved {
                let place = places.of_piece(kept);
                let was = was.filter(|was| !was.gone);
                movements.push(movement(place, was, Some(kept)));
                kept.place = (place != FURTHER).then_some(place);
            }
        }
        for (was, fate) in live.iter().zip(&found.after) {
            if *fate == After::Something {
                continue;
            }
            let mut ghost = as_ghost(was);
            if recording && (was.class < whole || was.place.is_some()) {
                let place = places.of_piece(was);
                movements.push(movement(place, Some(was), None));
                ghost.place = (place != FURTHER).then_some(place);
            }
            self.kept
                .extend(Some(ghost).filter(|ghost| ghost.place.is_some()));
        }
        let left = ghosts.into_iter().enumerate();
        let left = left.filter(|(at, _)| !found.before.contains(&PieceBefore::Gone(*at)));
        self.kept.extend(left.map(|(_, ghost)| ghost.clone()));
        (self, movements)
    }
}

/// As much of a vanished piece as is needed to recognise it.
pub(super) fn ghost_text(text: &str) -> &str {
    text.get(..floor(text, SHOWN_BYTES)).unwrap_or_default()
}

fn as_ghost(kept: &RememberedPiece) -> RememberedPiece {
    let piece = Piece {
        text: ghost_text(&kept.piece.text).to_owned(),
        ..kept.piece.clone()
    };
    RememberedPiece {
        piece,
        gone: true,
        ..*kept
    }
}

fn movement(
    place: u32,
    before: Option<&RememberedPiece>,
    after: Option<&RememberedPiece>,
) -> Movement {
    let of = after.or(before);
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) = around_difference(&before.piece.text, &after.piece.text);
            (Some(before), Some(after))
        }
        (before, after) => (
            before.map(|kept| beginning(&kept.piece.text)),
            after.map(|kept| beginning(&kept.piece.text)),
        ),
    };
    Movement {
        place,
        why: of.map(|kept| kept.piece.why.clone()).unwrap_or_default(),
        rule: of.and_then(|kept| kept.piece.rule),
        before,
        after,
    }
}

/// The places in use.
struct Places(HashSet<u32>);

impl Places {
    fn of(old: &Snapshot) -> Self {
        Self(old.kept.iter().filter_map(|kept| kept.place).collect())
    }

    /// The place of a piece that moved; a new one if its class may still have one.
    fn of_piece(&mut self, kept: &RememberedPiece) -> u32 {
        if let Some(place) = kept.place {
            return place;
        }
        let most = PLACES_OF.get(usize::from(kept.class)).copied();
        let free = (1..=most.unwrap_or(0)).find(|place| !self.0.contains(place));
        if let Some(place) = free {
            self.0.insert(place);
        }
        free.unwrap_or(FURTHER)
    }
}
