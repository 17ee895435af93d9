//! A text of a card: cut into pieces that are measured, lines of them, and their order from left to right.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use resvg::usvg::{Group, Node, Tree};
use unicode_bidi::{BidiInfo, Level};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::{Fonts, INK, frame, text_of};
use crate::report::clean::is_right_to_left;

/// Text is measured in this size and scaled.
const MEASURED: f32 = 100.0;
/// Pieces of a text that are measured at most. In the smallest size a card has room for fewer words of two letters.
const PIECES: usize = 800;
/// A longer word is broken.
const WORD: usize = 40;
/// A longer grapheme is not language; the longest emoji have 41 bytes.
const GRAPHEME_BYTES: usize = 64;

/// Characters that are emoji by themselves, and those that are with a variation selector.
static EMOJI: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\p{Emoji_Presentation}|\x{FE0F}").ok());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Both,
    Removed,
    Added,
}

pub(super) type Words = (Side, String);

/// A word or a part of one, or the space between two: of one side, one direction, and if possible one font.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) side: Side,
    pub(super) text: String,
    pub(super) is_emoji: bool,
    pub(super) level: Level,
    /// In text of size 1.
    pub(super) width: f32,
    /// Whether a line may start with it.
    may_start: bool,
}

impl Piece {
    fn new(side: Side, text: &str, kind: Kind, may_start: bool) -> Self {
        Self {
            side,
            text: text.to_owned(),
            is_emoji: kind == Kind::Emoji,
            level: Level::ltr(),
            width: 0.0,
            may_start,
        }
    }

    #[cfg(test)]
    pub(super) fn may_start(&self) -> bool {
        self.may_start
    }

    pub(super) fn is_space(&self) -> bool {
        self.text == " "
    }
}

/// A text with the width of each piece.
pub(super) struct Text {
    pieces: Vec<Piece>,
    ellipsis: Piece,
    /// The direction is that of the whole text: a line that starts with a foreign word does not turn around.
    pub(super) rtl: bool,
    is_cut: bool,
}

/// Lines of pieces, each from left to right.
pub(super) struct Wrapped<'a> {
    pub(super) lines: Vec<Vec<&'a Piece>>,
    pub(super) is_cut: bool,
}

impl Text {
    /// Measures a text; `None` if a character has no font.
    pub(super) fn of(words: &[Words], fonts: &Fonts) -> Option<Self> {
        let rtl = words.iter().find_map(|(_, text)| is_rtl(text)) == Some(true);
        let base = if rtl { Level::rtl() } else { Level::ltr() };
        let (pieces, is_cut) = pieces(words);
        let mut pieces = of_one_direction(pieces, base);
        // A word that changes its direction at each letter is many pieces.
        let is_cut = is_cut || pieces.len() > PIECES;
        pieces.truncate(PIECES);
        // The ellipsis is what a cut text ends with. A space at an end has no width of its own.
        let samples = ["…", "aa", "a a"].map(|text| Piece {
            level: base,
            ..Piece::new(Side::Both, text, Kind::Mark, false)
        });
        let widths = widths(samples.iter().chain(&pieces), fonts)?;
        let [mut ellipsis, ..] = samples;
        ellipsis.width = *widths.get(&0)?;
        let space = widths.get(&2)? - widths.get(&1)?;
        for (at, piece) in pieces.iter_mut().enumerate() {
            piece.width = match widths.get(&(at + 3)) {
                _ if piece.is_space() => space,
                Some(width) => *width,
                None if piece.is_emoji => 0.0,
                None => return None,
            };
        }
        // An emoji that no font has: a picture without it says nearly the same.
        pieces.retain(|piece| piece.width > 0.0);
        pieces.dedup_by(|next, piece| piece.is_space() && next.is_space());
        Some(Self {
            pieces,
            ellipsis,
            rtl,
            is_cut,
        })
    }

    /// At most so many lines.
    pub(super) fn wrap(&self, room: f32, most: usize) -> Wrapped<'_> {
        let mut lines: Vec<Range<usize>> = Vec::new();
        let (mut start, mut used) = (0, 0.0);
        for (at, piece) in self.pieces.iter().enumerate() {
            if used + piece.width > room && !piece.is_space() && at > start {
                let mut places = (start + 1..=at).rev();
                let end = places.find(|at| self.pieces[*at].may_start);
                let end = end.unwrap_or(at);
                lines.push(start..end);
                start = end;
                used = self.pieces[start..at].iter().map(|piece| piece.width).sum();
            }
            used += piece.width;
        }
        lines.push(start..self.pieces.len());
        let is_cut = self.is_cut || lines.len() > most;
        lines.truncate(most.max(1));
        let last = lines.len() - 1;
        let lines = lines.into_iter().enumerate();
        let lines = lines.map(|(at, line)| self.visual(line, is_cut && at == last));
        Wrapped {
            lines: lines.collect(),
            is_cut,
        }
    }

    /// A line from left to right, without the spaces at its ends.
    fn visual(&self, line: Range<usize>, is_cut: bool) -> Vec<&Piece> {
        let mut line = &self.pieces[line];
        while let [space, rest @ ..] = line
            && space.is_space()
        {
            line = rest;
        }
        while let [rest @ .., space] = line
            && space.is_space()
        {
            line = rest;
        }
        let ellipsis = is_cut.then_some(&self.ellipsis);
        let line: Vec<&Piece> = line.iter().chain(ellipsis).collect();
        let levels: Vec<Level> = line.iter().map(|piece| piece.level).collect();
        let order = BidiInfo::reorder_visual(&levels);
        order.into_iter().map(|at| line[at]).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Letter,
    /// As wide as a Chinese letter: lines are broken before and after it.
    Wide,
    Emoji,
    /// Stays with what it follows.
    Mark,
}

impl Kind {
    fn of(grapheme: &str) -> Self {
        let is_letters = grapheme.chars().all(char::is_alphanumeric);
        if grapheme.trim().is_empty() {
            Self::Space
        } else if EMOJI.as_ref().is_some_and(|emoji| emoji.is_match(grapheme)) {
            Self::Emoji
        } else if !is_letters {
            Self::Mark
        } else if grapheme.width() < 2 {
            Self::Letter
        } else {
            Self::Wide
        }
    }

    /// Whether a line may be broken between two graphemes.
    fn may_break_before(self, next: Self) -> bool {
        let is_apart = |kind| matches!(kind, Self::Wide | Self::Emoji);
        match (self, next) {
            (Self::Space, _) => true,
            (_, Self::Space | Self::Mark) => false,
            _ => is_apart(self) || is_apart(next),
        }
    }
}

/// The pieces of a text, and whether there were too many.
pub(super) fn pieces(words: &[Words]) -> (Vec<Piece>, bool) {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut before, mut letters) = (Kind::Space, 0);
    let mut side_before = Side::Both;
    for (side, text) in words {
        // Old and new words touch where only they differ.
        let touch = *side != Side::Both && side_before != Side::Both && *side != side_before;
        if touch && before != Kind::Space && !text.starts_with(char::is_whitespace) {
            pieces.push(Piece::new(Side::Both, " ", Kind::Space, false));
            before = Kind::Space;
        }
        for letter in text.graphemes(true) {
            if pieces.len() > PIECES {
                pieces.truncate(PIECES);
                return (pieces, true);
            }
            let letter = &letter[..letter.floor_char_boundary(GRAPHEME_BYTES)];
            let kind = Kind::of(letter);
            if kind == Kind::Space {
                if before != Kind::Space {
                    pieces.push(Piece::new(*side, " ", kind, false));
                }
                before = kind;
                continue;
            }
            let may_start = before.may_break_before(kind) || letters == WORD;
            let is_other = before == Kind::Space || before == Kind::Emoji || kind == Kind::Emoji;
            match pieces.last_mut() {
                Some(last) if !may_start && !is_other && last.side == *side => {
                    last.text.push_str(letter);
                    letters += 1;
                }
                _ => {
                    pieces.push(Piece::new(*side, letter, kind, may_start));
                    letters = 1;
                }
            }
            before = kind;
        }
        if !text.is_empty() {
            side_before = *side;
        }
    }
    (pieces, false)
}

/// Splits pieces where the direction changes, as at the full stop behind an English word in a Hebrew sentence.
fn of_one_direction(pieces: Vec<Piece>, base: Level) -> Vec<Piece> {
    let whole: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let levels = BidiInfo::new(&whole, Some(base)).levels;
    let mut split = Vec::with_capacity(pieces.len());
    let mut start = 0;
    for piece in pieces {
        let levels = &levels[start..start + piece.text.len()];
        start += piece.text.len();
        let mut from = 0;
        for run in levels.chunk_by(|one, next| one == next || piece.is_emoji) {
            split.push(Piece {
                text: piece.text[from..from + run.len()].to_owned(),
                level: run[0],
                may_start: piece.may_start && from == 0,
                ..piece
            });
            from += run.len();
        }
    }
    split
}

/// Whether the first letter is written from right to left; `None` for a text without letters.
pub(super) fn is_rtl(text: &str) -> Option<bool> {
    let letter = text.chars().find(|c| c.is_alphabetic())?;
    Some(is_right_to_left(letter))
}

/// The width of each text that can be drawn.
fn widths<'a>(
    pieces: impl Iterator<Item = &'a Piece>,
    fonts: &Fonts,
) -> Option<HashMap<usize, f32>> {
    let pieces = pieces.enumerate().filter(|(_, piece)| !piece.is_space());
    let body: String = pieces
        .map(|(at, piece)| text_of(piece, &at.to_string(), (0.0, MEASURED), MEASURED, INK))
        .collect();
    let tree = Tree::from_str(&frame(&body), &fonts.0).ok()?;
    let mut widths = HashMap::new();
    collect(tree.root(), &mut widths);
    Some(widths)
}

fn collect(group: &Group, widths: &mut HashMap<usize, f32>) {
    for node in group.children() {
        match node {
            Node::Group(group) => collect(group, widths),
            Node::Text(text) => {
                let spans = text.layouted().iter();
                let mut glyphs = spans.flat_map(|span| &span.positioned_glyphs);
                let lacks = glyphs.any(|glyph| glyph.id.0 == 0 && glyph.text.chars().any(is_shown));
                if let (false, Ok(at)) = (lacks, text.id().parse()) {
                    widths.insert(at, text.bounding_box().width() / MEASURED);
                }
            }
            _ => {}
        }
    }
}

/// Whether a character is more than a space or a mark that joins, directs or varies others.
fn is_shown(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}')
}
