//! A change as a picture of 1200 × 630 pixels, for posts and link previews: pure; the fonts are an argument.
//!
//! The renderer draws single words, each in one font: SVG does not wrap lines, and usvg 0.49 loses letters of a text
//! in several fonts. If a character has no font, no picture is drawn, because boxes would be worse; an emoji
//! without a font is left out.

use std::fmt::Write as _;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, FaceInfo, Family, Stretch, Style};
use resvg::usvg::{FallbackSelectionFn, FontResolver, Options, Tree};

use self::text::{Piece, Side, Text, Words};
use super::clean;
use super::excerpt::{ExcerptLimits, around_edits};
use super::message::Message;
use super::pages::PICTURE_SIZE;
use crate::domain::diff::Segment;

mod text;

const WIDTH: f32 = PICTURE_SIZE.0 as f32;
const HEIGHT: f32 = PICTURE_SIZE.1 as f32;

const MARGIN: f32 = 64.0;
const ROOM: f32 = WIDTH - 2.0 * MARGIN;
const LINE_HEIGHT: f32 = 1.4;
/// The largest size in which the whole text fits is used; in the smallest one it is cut.
const SIZES: [f32; 4] = [60.0, 48.0, 38.0, 30.0];
/// Both sides of an edit are shown, so neither may fill the card.
const EXCERPT: ExcerptLimits = ExcerptLimits {
    context_words: 18,
    edit: 220,
};
const FAMILIES: &str = "'DejaVu Sans', 'Noto Sans', sans-serif";
const EMOJI_FAMILY: &str = "'Noto Color Emoji'";
const FAINT: &str = "#57606a";
const INK: &str = "#1f2328";
const REMOVED: &str = "#b42318";
const ADDED: &str = "#116329";
const BEHIND_REMOVED: &str = "#ffebe9";
const BEHIND_ADDED: &str = "#dafbe1";

/// Fonts, loaded once.
pub(crate) struct Fonts(Options<'static>);

impl Fonts {
    /// Draws with these fonts.
    #[must_use]
    pub(crate) fn of(fonts: &Database) -> Self {
        let mut faces: Vec<&FaceInfo> = fonts.faces().collect();
        faces.sort_by_key(|face| unlike_a_headline(face));
        // The renderer takes the first face that has a character.
        let mut ordered = Database::new();
        let sans = fonts.family_name(&Family::SansSerif);
        let is_here = |face: &&FaceInfo| face.families.iter().any(|(name, _)| name == sans);
        let sans = faces.iter().find(|face| is_here(face)).or(faces.first());
        if let Some((name, _)) = sans.and_then(|face| face.families.first()) {
            ordered.set_sans_serif_family(name);
        }
        for face in faces {
            ordered.push_face_info(face.clone());
        }
        Self(Options {
            fontdb: Arc::new(ordered),
            font_resolver: FontResolver {
                select_fallback: in_the_same_weight(),
                ..FontResolver::default()
            },
            ..Options::default()
        })
    }
}

/// Upright faces without serifs come first.
fn unlike_a_headline(face: &FaceInfo) -> (bool, bool, bool, bool) {
    let named = |word: &str| face.families.iter().any(|(name, _)| name.contains(word));
    (
        face.style != Style::Normal,
        face.stretch != Stretch::Normal,
        named("Serif") || named("Mono") || face.monospaced,
        !named("Sans"),
    )
}

/// The first face that has a character, in the weight of the text if possible.
fn in_the_same_weight() -> FallbackSelectionFn<'static> {
    let first = FontResolver::default_fallback_selector();
    Box::new(move |letter, used, fonts| {
        let weight = fonts.face(*used.first()?)?.weight;
        let others = fonts.faces().filter(|face| face.weight != weight);
        let not_these: Vec<_> = used
            .iter()
            .copied()
            .chain(others.map(|face| face.id))
            .collect();
        first(letter, &not_these, fonts).or_else(|| first(letter, used, fonts))
    })
}

/// The picture as PNG; `None` if there is nothing to show, or no font for it.
#[must_use]
pub(crate) fn png(message: &Message, fonts: &Fonts) -> Option<Vec<u8>> {
    let svg = svg(message, fonts)?;
    let tree = Tree::from_str(&svg, &fonts.0).ok()?;
    let (width, height) = PICTURE_SIZE;
    let mut pixels = Pixmap::new(width.into(), height.into())?;
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
    let height = below - page.y;
    let fits = |size: &f32| !text.wrap(room_in(*size), lines_in(height, *size)).is_cut;
    let size = SIZES
        .into_iter()
        .find(fits)
        .unwrap_or(SIZES[SIZES.len() - 1]);
    page.paragraph(&text, size, lines_in(height, size), INK);
    page.y = HEIGHT - 72.0;
    page.paragraph(&Text::of(&plain(&foot), fonts)?, 24.0, 1, FAINT);
    Some(frame(&format!(
        "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\
         <rect width=\"16\" height=\"{HEIGHT}\" fill=\"#0969da\"/>{}",
        page.svg
    )))
}

/// The width of a line in text of size 1.
fn room_in(size: f32) -> f32 {
    ROOM / size
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a card has room for a dozen lines, and less than none is none"
)]
fn lines_in(height: f32, size: f32) -> usize {
    (height / (size * LINE_HEIGHT)) as usize
}

fn words(segment: &Segment) -> Words {
    let side = match segment {
        Segment::Equal(_) => Side::Both,
        Segment::Delete(_) => Side::Removed,
        Segment::Insert(_) => Side::Added,
    };
    (side, segment.text().to_owned())
}

/// A card while it is being filled.
struct Page {
    svg: String,
    y: f32,
}

impl Page {
    fn paragraph(&mut self, text: &Text, size: f32, lines: usize, colour: &str) {
        for line in text.wrap(room_in(size), lines).lines {
            let width: f32 = line.iter().map(|piece| piece.width).sum();
            let x = if text.rtl {
                WIDTH - MARGIN - width * size
            } else {
                MARGIN
            };
            self.line(&line, x, self.y + size, size, colour);
            self.y += size * LINE_HEIGHT;
        }
    }

    /// Pieces from left to right. The words of one side have their colours, and one stroke through or below all of
    /// them.
    fn line(&mut self, line: &[&Piece], mut x: f32, y: f32, size: f32, colour: &str) {
        for run in line.chunk_by(|one, next| one.side == next.side) {
            let width = run.iter().map(|piece| piece.width).sum::<f32>() * size;
            let (ink, mark) = match run[0].side {
                Side::Both => (colour, None),
                Side::Removed => (REMOVED, Some((BEHIND_REMOVED, y - 0.33 * size))),
                Side::Added => (ADDED, Some((BEHIND_ADDED, y + 0.12 * size))),
            };
            let stroke = mark.map(|(behind, stroke)| {
                self.bar((x, y - size), (width, 1.28 * size), behind);
                stroke
            });
            let start = x;
            for piece in run {
                if !piece.is_space() {
                    self.svg += &text_of(piece, "", (x, y), size, ink);
                }
                x += piece.width * size;
            }
            if let Some(stroke) = stroke {
                self.bar((start, stroke), (width, 0.06 * size), ink);
            }
        }
    }

    fn bar(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), colour: &str) {
        // Writing to a String cannot fail.
        let _ = write!(
            self.svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\"/>"
        );
    }
}

fn text_of(piece: &Piece, id: &str, (x, y): (f32, f32), size: f32, colour: &str) -> String {
    let weight = match piece.side {
        Side::Added => " font-weight=\"700\"",
        Side::Both | Side::Removed => "",
    };
    let family = if piece.is_emoji {
        format!(" font-family=\"{EMOJI_FAMILY}, {FAMILIES}\"")
    } else {
        String::new()
    };
    // The renderer takes every text for left to right; the isolate says otherwise, also to brackets.
    let (open, close) = if piece.level.is_rtl() {
        ("\u{2067}", "\u{2069}")
    } else {
        ("", "")
    };
    let text = piece
        .text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<text id=\"{id}\" x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\"{weight}{family}>\
         {open}{text}{close}</text>"
    )
}

fn frame(body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"{FAMILIES}\">{body}</svg>"
    )
}

#[cfg(test)]
mod tests;
