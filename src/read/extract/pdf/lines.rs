//! Letters with positions → lines, in drawing order.

use std::collections::HashSet;

use hayro_interpret::font::{Glyph, GlyphRun, PositionedGlyph};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};

/// The most letters that are read from a file.
const LETTERS: usize = 2_000_000;

/// A gap of this many times the letter size is a blank between words.
const BLANK: f64 = 0.18;

/// A gap of this many times the letter size separates two table cells.
const CELL: f64 = 2.0;

/// Letters on one line in the same direction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PdfLine {
    /// Its text; cells are separated by tabs.
    pub(super) text: String,
    /// Where it starts, along its direction.
    pub(super) start: f64,
    /// Where it ends, along its direction.
    pub(super) end: f64,
    /// Its position across its direction, growing from line to line.
    pub(super) level: f64,
    /// The size of its letters.
    pub(super) size: f64,
    /// Its direction in degrees.
    pub(super) angle: i32,
}

/// The lines of a page.
pub(super) type PdfPage = Vec<PdfLine>;

/// Combines the letters of a page into lines.
#[derive(Debug, Default)]
pub(super) struct LineBuilder {
    done: PdfPage,
    open: Option<OpenLine>,
    /// Which letter was drawn where: bold letters are often the same letters drawn twice.
    drawn: HashSet<(u32, [i64; 3])>,
    letters: usize,
    unknown: usize,
}

/// The line to which letters are added.
#[derive(Debug)]
struct OpenLine {
    line: PdfLine,
    direction: Vec2,
    last_at: f64,
}

/// A letter and its position on the page.
struct Letter<'a> {
    text: &'a str,
    at: Point,
    direction: Vec2,
    size: f64,
    advance: f64,
}

impl LineBuilder {
    /// Starts a page after others that had `letters` letters.
    pub(super) fn after(letters: usize) -> Self {
        Self {
            letters,
            ..Self::default()
        }
    }

    /// The number of letters on this page and those before it.
    pub(super) fn letters(&self) -> usize {
        self.letters
    }

    /// The number of letters on this page whose meaning is unknown.
    pub(super) fn unknown(&self) -> usize {
        self.unknown
    }

    /// Whether letters were left out.
    pub(super) fn is_full(&self) -> bool {
        self.letters >= LETTERS
    }

    /// The lines of the page.
    pub(super) fn finish(mut self) -> PdfPage {
        self.close();
        self.done
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take()
            && !open.line.text.trim().is_empty()
        {
            self.done.push(open.line);
        }
    }

    fn glyph(&mut self, glyph: &PositionedGlyph<'_>, transform: Affine) {
        if self.is_full() {
            return;
        }
        let place = transform * glyph.transform();
        let origin = place * Point::ZERO;
        let across = place * Point::new(1000.0, 0.0) - origin;
        let up = place * Point::new(0.0, 1000.0) - origin;
        let (width, size) = (across.hypot(), up.hypot());
        let fits = [origin.x, origin.y, width, size]
            .iter()
            .all(|number| number.is_finite() && number.abs() < 1e7);
        if !fits || width < 1e-3 || size < 1e-3 {
            return;
        }
        let units = match &**glyph {
            Glyph::Outline(outline) => outline.advance_width(),
            Glyph::Type3(drawn) => drawn.advance_width(),
        };
        let advance = units
            .filter(|units| units.is_finite())
            .map_or(width / 2.0, |units| f64::from(units) / 1000.0 * width);
        self.letters += 1;
        let text = match glyph.as_unicode() {
            Some(BfString::Char(c)) => c.to_string(),
            Some(BfString::String(text)) => text,
            None => char::REPLACEMENT_CHARACTER.to_string(),
        };
        let is_private = |c: char| {
            matches!(c, '\u{e000}'..='\u{f8ff}' | char::REPLACEMENT_CHARACTER) || c.is_control()
        };
        if text.chars().any(|c| is_private(c) && !c.is_whitespace()) {
            self.unknown += 1;
        }
        self.letter(&Letter {
            text: &text,
            at: origin,
            direction: across / width,
            size,
            advance,
        });
    }

    fn letter(&mut self, letter: &Letter<'_>) {
        let grid = (letter.size * 0.05).max(1e-3);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "places are bounded where letters are taken"
        )]
        let cell = |at: f64| (at / grid).round() as i64;
        let sign = letter.text.chars().next().map_or(0, u32::from);
        // The grid is as fine as the letters are small, so positions on different grids are never compared.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "sizes are bounded where letters are taken"
        )]
        let size = (letter.size * 100.0).round() as i64;
        let (x, y) = (cell(letter.at.x), cell(letter.at.y));
        let mut around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| [size, x + dx, y + dy]));
        if !letter.text.trim().is_empty() {
            if around.any(|place| self.drawn.contains(&(sign, place))) {
                return;
            }
            self.drawn.insert((sign, [size, x, y]));
        }
        if !self.open.as_ref().is_some_and(|open| open.takes(letter)) {
            self.close();
            self.open = Some(OpenLine::at(letter));
        }
        if let Some(open) = &mut self.open {
            open.add(letter);
        }
    }
}

impl OpenLine {
    fn at(letter: &Letter<'_>) -> Self {
        let (along, across) = places(letter.at, letter.direction);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an angle has at most 360 degrees"
        )]
        let angle = letter.direction.atan2().to_degrees().round() as i32;
        Self {
            line: PdfLine {
                text: String::new(),
                start: along,
                end: along,
                level: across,
                size: letter.size,
                angle,
            },
            direction: letter.direction,
            last_at: along,
        }
    }

    /// Whether a letter continues the line.
    fn takes(&self, letter: &Letter<'_>) -> bool {
        let (along, across) = places(letter.at, self.direction);
        let size = self.line.size.max(letter.size);
        let same_direction = self.direction.dot(letter.direction) > 0.99;
        // A smaller sign above or below the line belongs to it.
        let height = if letter.size < self.line.size * 0.9 {
            0.6
        } else {
            0.35
        };
        same_direction
            && (across - self.line.level).abs() < height * size
            && along > self.last_at - 0.5 * size
            && along > self.line.end - 1.0 * size
            && along - self.line.end < 40.0 * size
    }

    fn add(&mut self, letter: &Letter<'_>) {
        let (along, _) = places(letter.at, self.direction);
        let size = self.line.size.max(letter.size);
        let gap = along - self.line.end;
        let is_blank = letter.text.trim().is_empty();
        if !self.line.text.is_empty() && gap > CELL * size {
            let kept = self.line.text.trim_end().len();
            self.line.text.truncate(kept);
            self.line.text.push('\t');
        } else if gap > BLANK * size && !self.line.text.ends_with(char::is_whitespace) {
            self.line.text.push(' ');
        }
        if is_blank {
            // Blanks do not move the end: text far after them is another cell.
            if !self.line.text.is_empty() && !self.line.text.ends_with(char::is_whitespace) {
                self.line.text.push(' ');
            }
        } else {
            self.line.text.push_str(letter.text);
            self.line.size = self.line.size.max(letter.size);
            self.line.end = self.line.end.max(along + letter.advance.max(0.0));
        }
        self.last_at = along;
    }
}

/// The position of a point along a direction and across it.
fn places(at: Point, direction: Vec2) -> (f64, f64) {
    let at = at.to_vec2();
    (at.dot(direction), direction.cross(at))
}

impl Device<'_> for LineBuilder {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for glyph in run.glyphs() {
            self.glyph(glyph, props.transform);
        }
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
