//! Text with roles, coloured for a terminal or marked for everything else.
//!
//! Colour is never the only sign: on a terminal removed text is struck through and added text is underlined;
//! without colour the marks are `[-removed-]{+added+}`. Widths are in terminal columns (CJK letters take two), and
//! lines are wrapped between words.

use anstyle::{AnsiColor, Effects, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::clean;
use crate::domain::diff::Segment;

/// How text is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Paint {
    /// With ANSI styles instead of marks.
    pub colour: bool,
    /// Columns to wrap at; `None` for no wrapping.
    pub width: Option<usize>,
}

/// The role of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TextRole {
    /// Running text.
    #[default]
    Plain,
    /// Text to read first.
    Strong,
    /// Text to read last.
    Faint,
    /// Only in the old text.
    Removed,
    /// Only in the new text.
    Added,
    /// In a different place than before.
    Moved,
    /// It succeeded.
    Good,
    /// It needs attention.
    Warning,
    /// It failed.
    Bad,
}

impl TextRole {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Removed => colour(AnsiColor::Red).effects(Effects::STRIKETHROUGH),
            Self::Added => colour(AnsiColor::Green).effects(Effects::UNDERLINE),
            Self::Moved => colour(AnsiColor::Blue),
            Self::Good => colour(AnsiColor::Green),
            Self::Warning => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red),
        }
    }
}

/// A piece of text with its role. The text must be clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    text: String,
    role: TextRole,
}

/// A line, or a paragraph that is wrapped into lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line(Vec<Span>);

impl Line {
    /// An empty line.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Running text.
    #[must_use]
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new().with(TextRole::Plain, text)
    }

    /// Appends a piece of text.
    #[must_use]
    pub(crate) fn with(mut self, role: TextRole, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.push(Span { text, role });
        }
        self
    }

    /// Appends the segments of a diff, and cleans them.
    #[must_use]
    pub(crate) fn segments(mut self, segments: &[Segment]) -> Self {
        for segment in clean::segments(segments) {
            let (role, text) = match segment {
                Segment::Equal(text) => (TextRole::Plain, text),
                Segment::Delete(text) => (TextRole::Removed, text),
                Segment::Insert(text) => (TextRole::Added, text),
            };
            self.0.push(Span { text, role });
        }
        self
    }

    /// Appends another line.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The columns that it takes on one line, marks included.
    #[must_use]
    pub(crate) fn width(&self, paint: Paint) -> usize {
        self.0
            .iter()
            .map(|span| columns(&span.text) + marks(span.role, paint).map_or(0, |_| 4))
            .sum()
    }

    /// Pads the line with spaces to a width.
    #[must_use]
    pub(crate) fn padded(self, width: usize, paint: Paint) -> Self {
        let missing = width.saturating_sub(self.width(paint));
        self.with(TextRole::Plain, " ".repeat(missing))
    }

    /// Reduces runs of spaces, as between columns, to at most two.
    #[must_use]
    pub(crate) fn squeezed(self) -> Self {
        let mut line = Self::new();
        let mut spaces = 0;
        for span in self.0 {
            let mut text = String::with_capacity(span.text.len());
            for c in span.text.chars() {
                spaces = if c == ' ' { spaces + 1 } else { 0 };
                if spaces <= 2 {
                    text.push(c);
                }
            }
            line = line.with(span.role, text);
        }
        line
    }

    /// On one line, regardless of its length.
    #[must_use]
    pub(crate) fn paint(&self, paint: Paint) -> String {
        let mut out = String::new();
        self.pieces(paint)
            .for_each(|(role, text)| push_styled(&mut out, role, &text, paint));
        out
    }

    /// Wrapped between words, with `first` in front of the first line and `rest` in front of the others; each line
    /// ends with a line break.
    #[must_use]
    pub(crate) fn wrap(&self, first: &str, rest: &str, paint: Paint) -> String {
        let Some(width) = paint.width else {
            return format!("{first}{}\n", self.paint(paint));
        };
        let mut lines = Wrapped::new(width, first, rest, paint);
        for word in self.words(paint) {
            lines.push(word);
        }
        lines.finish()
    }

    /// Pieces of one role, with marks if there is no colour.
    fn pieces(&self, paint: Paint) -> impl Iterator<Item = (TextRole, String)> {
        self.0
            .iter()
            .map(move |span| match marks(span.role, paint) {
                Some((open, close)) => (span.role, format!("{open}{}{close}", span.text)),
                None => (span.role, span.text.clone()),
            })
    }

    /// Words and the white space between them, each made of pieces of one role.
    fn words(&self, paint: Paint) -> Vec<StyledWord> {
        let mut words: Vec<StyledWord> = Vec::new();
        for (role, text) in self.pieces(paint) {
            for part in text.split_inclusive(' ') {
                let (word, space) = match part.strip_suffix(' ') {
                    Some(word) => (word, true),
                    None => (part, false),
                };
                if !word.is_empty() {
                    match words.last_mut().filter(|last| !last.space) {
                        Some(last) => last.push(role, word),
                        None => words.push(StyledWord::of(role, word)),
                    }
                }
                if space {
                    words.push(StyledWord {
                        space: true,
                        ..StyledWord::of(role, " ")
                    });
                }
            }
        }
        words
    }
}

/// The columns that a clean text takes.
#[must_use]
pub(crate) fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// At most this many columns, with `…` for the rest.
#[must_use]
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for grapheme in text.graphemes(true) {
        used += columns(grapheme);
        if used > width {
            break;
        }
        out.push_str(grapheme);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

fn marks(role: TextRole, paint: Paint) -> Option<(&'static str, &'static str)> {
    match role {
        TextRole::Removed if !paint.colour => Some(("[-", "-]")),
        TextRole::Added if !paint.colour => Some(("{+", "+}")),
        _ => None,
    }
}

fn push_styled(out: &mut String, role: TextRole, text: &str, paint: Paint) {
    let style = role.style();
    if !paint.colour || style.is_plain() {
        out.push_str(text);
    } else {
        out.push_str(&style.render().to_string());
        out.push_str(text);
        out.push_str(&style.render_reset().to_string());
    }
}

#[derive(Debug)]
struct StyledWord {
    pieces: Vec<(TextRole, String)>,
    columns: usize,
    space: bool,
}

impl StyledWord {
    fn of(role: TextRole, text: &str) -> Self {
        Self {
            pieces: vec![(role, text.to_owned())],
            columns: columns(text),
            space: false,
        }
    }

    fn push(&mut self, role: TextRole, text: &str) {
        self.pieces.push((role, text.to_owned()));
        self.columns += columns(text);
    }
}

/// Lines while they are being filled.
struct Wrapped<'a> {
    out: String,
    line: Vec<(TextRole, String)>,
    used: usize,
    width: usize,
    front: &'a str,
    rest: &'a str,
    paint: Paint,
    /// White space that is written only if a word follows on the same line.
    spaces: Vec<(TextRole, String)>,
}

impl<'a> Wrapped<'a> {
    fn new(width: usize, first: &'a str, rest: &'a str, paint: Paint) -> Self {
        Self {
            out: String::new(),
            line: Vec::new(),
            used: columns(first),
            // There is always room for a word, however deep the indent.
            width: width.max(columns(rest) + 10),
            front: first,
            rest,
            paint,
            spaces: Vec::new(),
        }
    }

    fn push(&mut self, word: StyledWord) {
        if word.space {
            self.spaces.extend(word.pieces);
            return;
        }
        let needed = word.columns + self.spaces.len();
        if !self.line.is_empty() && self.used + needed > self.width {
            self.end_line();
        }
        if self.used + word.columns > self.width {
            self.push_long(word);
            return;
        }
        self.used += needed;
        self.line.append(&mut self.spaces);
        self.line.extend(word.pieces);
    }

    /// A word that is wider than a line, such as text without spaces, is broken between graphemes.
    fn push_long(&mut self, word: StyledWord) {
        self.used += self.spaces.len();
        self.line.append(&mut self.spaces);
        for (role, text) in word.pieces {
            let mut part = String::new();
            for grapheme in text.graphemes(true) {
                let wide = columns(grapheme);
                if self.used + wide > self.width && (!part.is_empty() || !self.line.is_empty()) {
                    self.line.push((role, std::mem::take(&mut part)));
                    self.end_line();
                }
                self.used += wide;
                part.push_str(grapheme);
            }
            self.line.push((role, part));
        }
    }

    fn end_line(&mut self) {
        self.out.push_str(self.front);
        self.front = self.rest;
        // One style for consecutive pieces of one role keeps the line free of needless escape codes.
        let mut run: Option<(TextRole, String)> = None;
        for (role, text) in self.line.drain(..) {
            match &mut run {
                Some((last, joined)) if *last == role => joined.push_str(&text),
                _ => {
                    if let Some((role, text)) = run.replace((role, text)) {
                        push_styled(&mut self.out, role, &text, self.paint);
                    }
                }
            }
        }
        if let Some((role, text)) = run {
            push_styled(&mut self.out, role, &text, self.paint);
        }
        self.out.push('\n');
        self.used = columns(self.rest);
        self.spaces.clear();
    }

    fn finish(mut self) -> String {
        self.end_line();
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{delete, equal, insert};
    use proptest::prelude::*;

    const PLAIN: Paint = Paint {
        colour: false,
        width: None,
    };
    const COLOUR: Paint = Paint {
        colour: true,
        width: None,
    };

    fn edit() -> Line {
        Line::new().segments(&[equal("fell "), delete("2"), insert("3"), equal(" percent")])
    }

    #[test]
    fn without_colour_there_are_marks_and_with_colour_more_than_colour() {
        assert_eq!(edit().paint(PLAIN), "fell [-2-]{+3+} percent");
        assert_eq!(edit().width(PLAIN), "fell [-2-]{+3+} percent".len());
        let painted = edit().paint(COLOUR);
        assert_eq!(
            painted,
            "fell \x1b[9m\x1b[31m2\x1b[0m\x1b[4m\x1b[32m3\x1b[0m percent"
        );
        assert_eq!(edit().width(COLOUR), "fell 23 percent".len());
    }

    #[test]
    fn lines_break_between_words_and_styles_end_with_the_line() {
        let paint = |colour| Paint {
            colour,
            width: Some(24),
        };
        let line = Line::plain("The minister ").segments(&[
            delete("denied that talks"),
            insert("said it"),
            equal(" was so."),
        ]);
        assert_eq!(
            line.wrap("  ", "    ", paint(false)),
            "  The minister [-denied\n    that talks-]{+said\n    it+} was so.\n"
        );
        assert_eq!(
            line.wrap("  ", "    ", paint(true)),
            "  The minister \x1b[9m\x1b[31mdenied\x1b[0m\n    \x1b[9m\x1b[31mthat talks\x1b[0m\x1b[4m\x1b[32msaid it\x1b[0m\n    was so.\n"
        );
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let paint = Paint {
            colour: false,
            width: Some(12),
        };
        assert_eq!(
            Line::plain("首相は会談の報道を否定").wrap("", "", paint),
            "首相は会談の\n報道を否定\n"
        );
        assert_eq!(cut("首相は会談", 7), "首相は…");
        assert_eq!(cut("abc def", 5), "abc…");
        assert_eq!(cut("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_letter_and_the_width(
            words in proptest::collection::vec("[a-z日é]{1,14}", 0..30), width in 12_usize..60
        ) {
            let text = words.join(" ");
            let paint = Paint { colour: false, width: Some(width) };
            let wrapped = Line::plain(text.clone()).wrap("", "", paint);
            prop_assert!(wrapped.lines().all(|line| columns(line) <= width));
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&wrapped), letters(&text));
        }
    }
}
