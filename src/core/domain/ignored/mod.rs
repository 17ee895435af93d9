//! The record of ignored text: nothing that changes in or near an article goes without a trace.
//!
//! Text that is not compared (menus, boxes, counters, text that a rule ignores) is remembered from check to check
//! as a [`Snapshot`]. A difference at the next check is a [`Movement`]: not a change and not an alert, but it is
//! counted for its place, with the text before and after and the reason why it is ignored.
//!
//! The record is bounded. A snapshot has at most [`PIECES`] pieces and [`BYTES`] bytes, each piece at most
//! [`PIECE_BYTES`]; text near the article comes first, and prose before labels. A movement shows at most
//! [`SHOWN_BYTES`] bytes of each text, around the first difference. An entry has at most [`PLACES`] places of its
//! own; movements elsewhere are counted together as place 0. Labels far from the article may take only some of the
//! places, so that a ticker in a menu leaves room for what matters.
//!
//! The snapshot has another use, see [`clean_edges`]: an untouched block whose verdict changes was not edited.

mod edges;
mod excerpt;
mod movements;
mod pairing;
mod sequence;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub use edges::{Cleaned, clean_edges};
pub use movements::Bodies;

use super::ids::RuleId;

/// The most pieces of a snapshot.
pub const PIECES: usize = 1_000;

/// The most bytes of text in a snapshot, not counting the texts of vanished pieces.
pub const BYTES: usize = 32 * 1024;

/// The most bytes of a piece; the rest of its text is not remembered.
pub const PIECE_BYTES: usize = 4 * 1024;

/// How many bytes of a text a movement shows.
pub const SHOWN_BYTES: usize = 300;

/// The places of an entry on each channel.
pub const PLACES: u32 = 64;

/// The place for all movements once the places are used up.
pub const FURTHER: u32 = 0;

/// A piece within this many blocks of the article is near it.
const NEAR: usize = 12;

/// The highest place that a piece of each class may take.
const PLACES_OF: [u32; CLASSES as usize] = [PLACES, 48, 40, 24];

/// Classes of importance: near prose, near labels, far prose, far labels.
const CLASSES: u8 = 4;

/// A piece of ignored text as one check saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The text.
    #[serde(rename = "t")]
    pub text: String,
    /// Why it is ignored, for people.
    #[serde(rename = "w")]
    pub why: String,
    /// How many blocks of the article are before it.
    #[serde(rename = "a")]
    pub after: u32,
    /// The rule that ignores it, if one does. Such a piece is also in the stored text of the article.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// Whether a reader sees it, and it is complete.
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub seen: bool,
}

impl Piece {
    /// A piece that a rule ignores.
    #[must_use]
    pub fn of_rule(text: impl Into<String>, why: &str, after: usize, rule: Option<RuleId>) -> Self {
        Self {
            text: text.into(),
            why: why.to_owned(),
            after: u32::try_from(after).unwrap_or(u32::MAX),
            rule,
            seen: true,
        }
    }

    fn is_prose(&self) -> bool {
        self.text.split_whitespace().nth(5).is_some() || self.text.chars().nth(40).is_some()
    }
}

/// A remembered piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RememberedPiece {
    #[serde(flatten)]
    piece: Piece,
    /// How much it matters; 0 matters most.
    #[serde(rename = "c", default, skip_serializing_if = "is_zero")]
    class: u8,
    /// Its place, if it has ever moved.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    place: Option<u32>,
    /// Whether it has vanished. If it comes back, it has the same place.
    #[serde(rename = "g", default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn is_zero(class: &u8) -> bool {
    *class == 0
}

/// The ignored text of one channel of an entry, as the last check saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    #[serde(rename = "pieces")]
    kept: Vec<RememberedPiece>,
    /// All classes below this one are complete.
    whole: u8,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            whole: CLASSES,
        }
    }
}

/// A place in which ignored text has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The place within the entry and channel; [`FURTHER`] if it has no place of its own.
    pub place: u32,
    /// Why the text is ignored, for people.
    pub why: String,
    /// The rule that ignores it. A negative number is a rule that this check has learned, see [`learned_number`].
    pub rule: Option<RuleId>,
    /// The text before, or the part around the difference; `None` if there was none.
    pub before: Option<String>,
    /// The text after; `None` if it has vanished.
    pub after: Option<String>,
}

/// The provisional number of a rule that has just been learned, from its index among the new rules.
#[must_use]
pub fn learned_number(at: usize) -> RuleId {
    RuleId(-1 - i64::try_from(at).unwrap_or(i64::MAX - 1))
}

/// The index of a rule among those just learned; `None` for a stored rule.
#[must_use]
pub fn learned_at(rule: RuleId) -> Option<usize> {
    usize::try_from(-1 - rule.0).ok()
}

impl Snapshot {
    /// The snapshot of the ignored pieces of a document, in order. `blocks` is the number of blocks of its
    /// article.
    #[must_use]
    pub fn of(pieces: Vec<Piece>, blocks: usize) -> Self {
        let classes = classes(&pieces, blocks);
        let mut kept: Vec<RememberedPiece> = pieces
            .into_iter()
            .zip(classes)
            .map(|(piece, class)| RememberedPiece {
                piece: cut(piece),
                class,
                place: None,
                gone: false,
            })
            .collect();
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.sort_by_key(|at| kept.get(*at).map(|kept| kept.class));
        let (mut bytes, mut count) = (0, 0);
        let mut fits = |at: &usize| {
            bytes += kept.get(*at).map_or(0, |kept| kept.piece.text.len());
            count += 1;
            bytes <= BYTES && count <= PIECES
        };
        let fitting = order.iter().take_while(|at| fits(at)).count();
        let class_of = |at: &usize| kept.get(*at).map(|kept| kept.class);
        let whole = order.get(fitting).and_then(class_of).unwrap_or(CLASSES);
        if fitting < order.len() {
            let mut stays = vec![false; kept.len()];
            for at in order.into_iter().take(fitting) {
                if let Some(stays) = stays.get_mut(at) {
                    *stays = true;
                }
            }
            let mut stays = stays.into_iter();
            kept.retain(|_| stays.next().unwrap_or(false));
        }
        Self { kept, whole }
    }

    /// Whether there are no pieces.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Adds what new rules would have ignored in the last text. A rule is new if no piece of it is remembered.
    #[must_use]
    pub fn with_new_rules(mut self, pieces: Vec<Piece>) -> Self {
        let known: HashSet<RuleId> = self
            .kept
            .iter()
            .filter_map(|kept| kept.piece.rule)
            .collect();
        let is_new = |piece: &Piece| piece.rule.is_some_and(|rule| !known.contains(&rule));
        let new = pieces.into_iter().filter(is_new).take(PIECES);
        self.kept.extend(new.map(|piece| RememberedPiece {
            piece: cut(piece),
            class: 0,
            place: None,
            gone: false,
        }));
        self
    }

    /// Removes what rules ignored that have ended: that text counts from now on.
    #[must_use]
    pub fn without_rules(mut self, ended: impl Fn(RuleId) -> bool) -> Self {
        self.kept
            .retain(|kept| kept.gone || !kept.piece.rule.is_some_and(&ended));
        self
    }

    /// Gives newly learned rules the numbers from the store.
    pub fn number_rules(&mut self, stored: impl Fn(RuleId) -> Option<RuleId>) {
        for kept in &mut self.kept {
            kept.piece.rule = kept.piece.rule.and_then(&stored);
        }
    }

    fn live(&self) -> impl Iterator<Item = &RememberedPiece> {
        self.kept.iter().filter(|kept| !kept.gone)
    }
}

/// How much each piece matters: first those near the article, and prose before labels.
fn classes(pieces: &[Piece], blocks: usize) -> Vec<u8> {
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
    let mut classes = Vec::with_capacity(pieces.len());
    for group in pieces.chunk_by(|one, next| one.after == next.after) {
        for (at, piece) in group.iter().enumerate() {
            let inside = piece.after > 0 && piece.after < blocks;
            let behind = piece.after > 0 && at < NEAR;
            let before = piece.after < blocks && group.len() - at <= NEAR;
            // Text that a rule ignores is inside the article.
            let near = inside || behind || before || piece.rule.is_some();
            classes.push(match (near, piece.is_prose()) {
                (true, true) => 0,
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 3,
            });
        }
    }
    classes
}

fn cut(mut piece: Piece) -> Piece {
    if piece.text.len() > PIECE_BYTES {
        let end = excerpt::floor(&piece.text, PIECE_BYTES);
        piece.text.truncate(end);
        piece.seen = false;
    }
    piece
}
