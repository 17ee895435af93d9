//! A change as a picture of 1200 × 630 pixels, for posts and link previews: pure; the fonts are an argument.
//!
//! SVG does not wrap lines, so that is done here. Each line is one text for the renderer, which shapes it and puts
//! right-to-left words in order. If a character has no font there is no picture: boxes are worse than none.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Group, Node, Options, Tree};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::clean;
use super::excerpt::{ExcerptLimits, around_edits};
use super::message::Message;
use crate::domain::diff::Segment;

const WIDTH: f32 = super::pages::PICTURE_SIZE.0 as f32;
const HEIGHT: f32 = super::pages::PICTURE_SIZE.1 as f32;

const MARGIN: f32 = 64.0;
const ROOM: f32 = WIDTH - 2.0 * MARGIN;
const LINE_HEIGHT: f32 = 1.4;
/// The largest size in which the whole text fits is used; in the smallest one it is cut.
const SIZES: [f32; 4] = [60.0, 48.0, 38.0, 30.0];
/// Text is measured in this size and scaled.
const MEASURED: f32 = 100.0;
/// Pieces of a text that are measured at most. In the smallest size a card has room for fewer words of two letters.
const PIECES: usize = 400;
/// A longer word is broken.
const WORD: usize = 40;
/// A longer grapheme is not language; the longest emoji have 41 bytes.
const GRAPHEME_BYTES: usize = 64;
/// Both sides of an edit are shown, so neither may fill the card.
const EXCERPT: ExcerptLimits = ExcerptLimits {
    context_words: 18,
    edit: 220,
};
const FAMILIES: &str = "'DejaVu Sans', 'Noto Sans', sans-serif";
const FAINT: &str = "#57606a";
const INK: &str = "#1f2328";

/// Fonts, loaded once.
pub(crate) struct Fonts(Options<'static>);

impl Fonts {
    /// Draws with these fonts.
    #[must_use]
    pub(crate) fn of(fonts: Database) -> Self {
        Self(Options {
            fontdb: Arc::new(fonts),
            ..Options::default()
        })
    }
}

/// The picture as PNG; `None` if there is nothing to show, or no font for it.
#[must_use]
pub(crate) fn png(message: &Message, fonts: &Fonts) -> Option<Vec<u8>> {
    // usvg 0.49 panics on some emoji of several characters between two fonts (`process_chunk`). Nothing is shared
    // that a panic could leave half done.
    std::panic::catch_unwind(AssertUnwindSafe(|| draw(message, fonts))).ok()?
}

fn draw(message: &Message, fonts: &Fonts) -> Option<Vec<u8>> {
    let svg = svg(message, fonts)?;
    let tree = Tree::from_str(&svg, &fonts.0).ok()?;
    // Between the lines of a card all is as measured, but a ligature or a mark could still lack its glyph.
    widths(&tree)?;
    let mut pixels = Pixmap::new(WIDTH as u32, HEIGHT as u32)?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().ok()
}

/// What happened, the title, what changed, and at the bottom when.
fn svg(message: &Message, fonts: &Fonts) -> Option<String> {
    let plain = |text: &str| vec![(Side::Both, clean::line(text).into_owned())];
    let change = message.changes.first()?;
    let words: Vec<Words> = around_edits(&change.segments, EXCERPT)
        .iter()
        .map(words)
        .collect();
    let others = message.changes.len() - 1;
    let more = match others {
        0 => String::new(),
        1 => "and 1 more change · ".to_owned(),
        _ => format!("and {others} more changes · "),
    };
    let foot = format!("{more}{}", message.window.as_deref().unwrap_or_default());

    let mut page = Page {
        svg: String::new(),
        y: 56.0,
    };
    let below = HEIGHT - 84.0;
    page.paragraph(&Text::of(&plain(&message.headline), fonts)?, 32.0, 2, FAINT);
    if let Some(title) = &message.title {
        page.paragraph(&Text::of(&plain(title), fonts)?, 36.0, 2, INK);
    }
    page.y += 24.0;
    let text = Text::of(&words, fonts)?;
    let lines_of = |size: f32| ((below - page.y) / (size * LINE_HEIGHT)) as usize;
    let fits = |size: &f32| !text.wrap(*size, lines_of(*size)).is_cut;
    let size = SIZES
        .into_iter()
        .find(fits)
        .unwrap_or(SIZES[SIZES.len() - 1]);
    page.paragraph(&text, size, lines_of(size), INK);
    page.y = HEIGHT - 72.0;
    page.paragraph(&Text::of(&plain(&foot), fonts)?, 24.0, 1, FAINT);
    Some(frame(&format!(
        "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\
         <rect width=\"16\" height=\"{HEIGHT}\" fill=\"#0969da\"/>{}",
        page.svg
    )))
}

/// A card while it is being filled.
struct Page {
    svg: String,
    y: f32,
}

impl Page {
    fn paragraph(&mut self, text: &Text, size: f32, lines: usize, colour: &str) {
        for line in text.wrap(size, lines).lines {
            self.svg += &line_of(&line, size, self.y + size, text.rtl, colour);
            self.y += size * LINE_HEIGHT;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Removed,
    Added,
}

type Words = (Side, String);

fn words(segment: &Segment) -> Words {
    let side = match segment {
        Segment::Equal(_) => Side::Both,
        Segment::Delete(_) => Side::Removed,
        Segment::Insert(_) => Side::Added,
    };
    (side, segment.text().to_owned())
}

/// A text with the width of each piece.
struct Text {
    pieces: Vec<Piece>,
    space: f32,
    /// The direction is that of the whole text: a line that starts with a foreign word does not turn around.
    rtl: bool,
    is_cut: bool,
}

struct Piece {
    side: Side,
    text: String,
    /// Without the space at its end, in [`MEASURED`].
    width: f32,
}

struct Wrapped {
    lines: Vec<Vec<Words>>,
    is_cut: bool,
}

impl Text {
    /// Measures a text; `None` if a character has no font.
    fn of(words: &[Words], fonts: &Fonts) -> Option<Self> {
        let rtl = words.iter().find_map(|(_, text)| is_rtl(text)) == Some(true);
        let all = words
            .iter()
            .flat_map(|(side, text)| pieces(text).into_iter().map(|piece| (*side, piece)));
        let mut all: Vec<Words> = all.take(PIECES + 1).collect();
        let is_cut = all.len() > PIECES;
        all.truncate(PIECES);
        // A space at an end has no width of its own. The ellipsis is what a cut text ends with.
        let samples = ["a a", "aa", "…"].map(|text| (Side::Both, text));
        let shown = all.iter().map(|(side, text)| (*side, text.trim_end()));
        let shown = shown.filter(|(_, text)| !text.is_empty());
        let mut body = String::new();
        let mut count = 0;
        for (side, text) in samples.into_iter().chain(shown) {
            body += &line_of(&[(side, text.to_owned())], MEASURED, MEASURED, false, INK);
            count += 1;
        }
        let tree = Tree::from_str(&frame(&body), &fonts.0).ok()?;
        let mut widths = widths(&tree)?.into_iter();
        // A text that cannot be drawn at all is left out of the tree.
        if widths.len() != count {
            return None;
        }
        let space = widths.next()? - widths.next()?;
        widths.next()?;
        let mut pieces = Vec::with_capacity(all.len());
        for (side, text) in all {
            let width = if text.trim_end().is_empty() {
                0.0
            } else {
                widths.next()?
            };
            pieces.push(Piece { side, text, width });
        }
        Some(Self {
            pieces,
            space,
            rtl,
            is_cut,
        })
    }

    /// At most so many lines.
    fn wrap(&self, size: f32, most: usize) -> Wrapped {
        let room = ROOM * MEASURED / size;
        let mut lines: Vec<Vec<Words>> = Vec::new();
        let mut line: Vec<Words> = Vec::new();
        let mut used = 0.0;
        let mut is_cut = self.is_cut;
        for piece in &self.pieces {
            let bare = piece.text.trim_end();
            if used > 0.0 && used + piece.width > room {
                if lines.len() + 1 >= most {
                    is_cut = true;
                    break;
                }
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if used == 0.0 && bare.is_empty() {
                continue;
            }
            used += piece.width;
            if bare.len() < piece.text.len() {
                used += self.space;
            }
            match line.last_mut().filter(|(known, _)| *known == piece.side) {
                Some((_, last)) => last.push_str(&piece.text),
                None => line.push((piece.side, piece.text.clone())),
            }
        }
        if is_cut {
            line.push((Side::Both, "…".to_owned()));
        }
        lines.push(line);
        for (_, last) in lines.iter_mut().filter_map(|line| line.last_mut()) {
            last.truncate(last.trim_end().len());
        }
        Wrapped { lines, is_cut }
    }
}

/// Where a line may be broken: after a space, next to a character as wide as a Chinese one, and inside very long
/// words.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let (mut wide_before, mut letters) = (false, 0);
    for letter in text.graphemes(true) {
        if pieces.len() > PIECES {
            break;
        }
        let letter = &letter[..letter.floor_char_boundary(GRAPHEME_BYTES)];
        let is_space = letter.trim().is_empty();
        let wide = letter.width() == 2;
        let after_space = piece.ends_with(char::is_whitespace) && !is_space;
        // Punctuation stays with what it follows.
        let beside_wide = (wide || wide_before) && letter.chars().all(char::is_alphanumeric);
        if !piece.is_empty() && (after_space || beside_wide || letters == WORD) {
            pieces.push(std::mem::take(&mut piece));
            letters = 0;
        }
        piece.push_str(letter);
        wide_before = wide;
        letters += 1;
    }
    pieces.push(piece);
    pieces
}

fn line_of(line: &[Words], size: f32, y: f32, rtl: bool, colour: &str) -> String {
    // The renderer takes every text for left to right; the isolate says otherwise.
    let (x, anchor, open, close) = if rtl {
        (WIDTH - MARGIN, "end", "\u{2067}", "\u{2069}")
    } else {
        (MARGIN, "start", "", "")
    };
    let mut out = format!(
        "<text xml:space=\"preserve\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\" \
         fill=\"{colour}\">{open}"
    );
    for (side, text) in line {
        let look = match side {
            Side::Both => "",
            Side::Removed => " fill=\"#b42318\" text-decoration=\"line-through\"",
            Side::Added => " fill=\"#116329\" text-decoration=\"underline\" font-weight=\"700\"",
        };
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        // Writing to a String cannot fail.
        let _ = write!(out, "<tspan{look}>{text}</tspan>");
    }
    out + close + "</text>"
}

/// Whether the first letter is of a right-to-left script: these have their own ranges in Unicode.
fn is_rtl(text: &str) -> Option<bool> {
    let letter = text.chars().find(|c| c.is_alphabetic())?;
    Some(matches!(letter,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'))
}

fn frame(body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"{FAMILIES}\">{body}</svg>"
    )
}

/// The width of each text; `None` if a character has no font.
fn widths(tree: &Tree) -> Option<Vec<f32>> {
    let mut widths = Vec::new();
    collect(tree.root(), &mut widths)?;
    Some(widths)
}

fn collect(group: &Group, widths: &mut Vec<f32>) -> Option<()> {
    for node in group.children() {
        match node {
            Node::Group(group) => collect(group, widths)?,
            Node::Text(text) => {
                let spans = text.layouted().iter();
                let mut glyphs = spans.flat_map(|span| &span.positioned_glyphs);
                if glyphs.any(|glyph| glyph.id.0 == 0 && glyph.text.chars().any(is_shown)) {
                    return None;
                }
                widths.push(text.bounding_box().width());
            }
            _ => {}
        }
    }
    Some(())
}

/// Whether a character is more than a space or a mark that joins, directs or varies others.
fn is_shown(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests;
