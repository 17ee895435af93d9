//! Lines → paragraphs, so that a changed word is one changed word, even if lines and pages then break elsewhere.

use std::collections::HashSet;

use super::lines::{PdfLine, PdfPage};
use super::running::take_running_lines;
use crate::domain::state::{Block, BlockKind};
use crate::extract::plain::is_item;

/// The most blocks that are read from a file.
const BLOCKS: usize = 40_000;

/// Combines lines into blocks.
pub(super) fn blocks(mut pages: Vec<PdfPage>) -> Vec<Block> {
    for page in &mut pages {
        for line in page.iter_mut() {
            line.text = tidy(&line.text);
        }
        page.retain(|line| !line.text.is_empty());
    }
    let mut blocks = take_running_lines(&mut pages);
    let body = Typical::of(&pages);
    let words = words(&pages);
    let mut paragraphs = Paragraphs::new(&body, &words);
    for page in &pages {
        for (at, line) in page.iter().enumerate() {
            let above = at.checked_sub(1).and_then(|above| page.get(above));
            paragraphs.add(line, above, right_margin(page, at));
        }
    }
    blocks.extend(paragraphs.finish());
    blocks.truncate(BLOCKS);
    blocks
}

/// Turns ligatures into letters, and white space into blanks.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            'ﬀ' => tidy.push_str("ff"),
            'ﬁ' => tidy.push_str("fi"),
            'ﬂ' => tidy.push_str("fl"),
            'ﬃ' => tidy.push_str("ffi"),
            'ﬄ' => tidy.push_str("ffl"),
            'ﬅ' | 'ﬆ' => tidy.push_str("st"),
            '\t' => tidy.push('\t'),
            c if c.is_whitespace() => tidy.push(' '),
            // This includes characters that reverse the text direction: a file must not control a terminal.
            c if c.is_control() => tidy.push(char::REPLACEMENT_CHARACTER),
            c => tidy.push(c),
        }
    }
    tidy
}

/// Values typical of the lines of a document.
struct Typical {
    /// The size of the letters.
    size: f64,
    /// The distance between lines, as a multiple of the letter size.
    pitch: f64,
}

impl Typical {
    fn of(pages: &[PdfPage]) -> Self {
        let lines = || pages.iter().flatten();
        let sizes = lines().map(|line| (line.size, line.text.len())).collect();
        let pitches = pages
            .iter()
            .flat_map(|page| page.windows(2))
            .filter_map(|pair| {
                let [above, line] = pair else { return None };
                let pitch = (line.level - above.level) / line.size;
                let same = above.angle == line.angle && is_near(above.size, line.size);
                (same && (0.8..2.5).contains(&pitch)).then_some((pitch, line.text.len()))
            });
        Self {
            size: weighted(sizes, 2).unwrap_or(1.0),
            // Some distances are those between paragraphs, which are wider.
            pitch: weighted(pitches.collect(), 4).unwrap_or(1.2),
        }
    }
}

/// The value below which a fraction of the weight lies: half of it for the median, a quarter …
fn weighted(mut values: Vec<(f64, usize)>, part: usize) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let below = values.iter().map(|(_, weight)| weight).sum::<usize>() / part;
    let mut sum = 0;
    let found = values.into_iter().find(|(_, weight)| {
        sum += weight;
        sum > below
    });
    found.map(|(value, _)| value)
}

fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 0.12 * one.max(other)
}

/// The furthest right end of the lines around one that start near where it does.
fn right_margin(page: &PdfPage, at: usize) -> f64 {
    let line = &page[at];
    let around = page.iter().take(at + 40).skip(at.saturating_sub(40));
    let beside = around.filter(|other| {
        other.angle == line.angle && (other.start - line.start).abs() < 5.0 * line.size
    });
    beside.map(|other| other.end).fold(line.end, f64::max)
}

/// The words of a document, for distinguishing a word broken at the end of a line from one with a hyphen.
fn words(pages: &[PdfPage]) -> HashSet<String> {
    let texts = pages.iter().flatten().map(|line| line.text.as_str());
    let words = texts.flat_map(|text| text.split_whitespace());
    words.map(bare).filter(|word| !word.is_empty()).collect()
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
}

/// Lines that are combined into paragraphs.
struct Paragraphs<'a> {
    typical: &'a Typical,
    words: &'a HashSet<String>,
    blocks: Vec<Block>,
    open: Option<OpenParagraph>,
}

/// The paragraph to which lines are added.
struct OpenParagraph {
    kind: BlockKind,
    text: String,
    /// Where its lines start, except the first.
    left: f64,
    lines: usize,
    last: PdfLine,
    /// The right margin of its last line.
    margin: f64,
}

impl<'a> Paragraphs<'a> {
    fn new(typical: &'a Typical, words: &'a HashSet<String>) -> Self {
        Self {
            typical,
            words,
            blocks: Vec::new(),
            open: None,
        }
    }

    /// Adds a line; `above` is the line before it on the same page.
    fn add(&mut self, line: &PdfLine, above: Option<&PdfLine>, margin: f64) {
        if line.text.contains('\t') {
            self.close();
            let cells: Vec<&str> = line
                .text
                .split('\t')
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect();
            self.blocks.push(Block {
                kind: BlockKind::TableRow,
                text: cells.join(" | "),
            });
            return;
        }
        // A line of a table of contents.
        if line.text.contains("....") || line.text.contains(". . . .") {
            self.close();
            self.blocks.push(Block::paragraph(line.text.clone()));
            return;
        }
        let continues = match (&self.open, above) {
            (Some(open), Some(_)) => open.continues(line, self.typical),
            (Some(open), None) => open.goes_on(line),
            (None, _) => false,
        };
        if !continues {
            self.close();
            let kind = match () {
                () if is_item(&line.text) => BlockKind::ListItem,
                () if line.size > 1.15 * self.typical.size => BlockKind::Heading,
                () => BlockKind::Paragraph,
            };
            self.open = Some(OpenParagraph {
                kind,
                text: line.text.clone(),
                left: line.start,
                lines: 1,
                last: line.clone(),
                margin,
            });
            return;
        }
        if let Some(open) = &mut self.open {
            join(&mut open.text, &line.text, self.words);
            open.left = if open.lines == 1 {
                line.start
            } else {
                open.left.min(line.start)
            };
            open.lines += 1;
            open.margin = margin;
            open.last = line.clone();
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.blocks.push(Block {
                kind: open.kind,
                text: open.text,
            });
        }
    }

    fn finish(mut self) -> Vec<Block> {
        self.close();
        self.blocks
    }
}

impl OpenParagraph {
    /// Whether the line below the last one continues the paragraph.
    fn continues(&self, line: &PdfLine, typical: &Typical) -> bool {
        let last = &self.last;
        let down = line.level - last.level;
        if line.angle != last.angle || !is_near(line.size, last.size) || is_item(&line.text) {
            return false;
        }
        if down <= 0.3 * line.size {
            // The next column, or a piece that was drawn out of order.
            return self.goes_on(line);
        }
        // Headings and captions are set closer or wider than the text, by an unknown distance of their own.
        if down > 1.3 * typical.pitch.max(1.0) * line.size {
            return false;
        }
        let middle = |line: &PdfLine| f64::midpoint(line.start, line.end);
        let is_centred = (middle(line) - middle(last)).abs() < 0.5 * line.size
            && (line.start - last.start).abs() > line.size;
        let is_indented = line.start - self.left > 0.9 * line.size && self.lines > 1 && !is_centred;
        let outdents = self.left - line.start > 5.0 * line.size && self.lines > 1;
        let ends_early =
            last.end < self.margin - 0.25 * (self.margin - last.start) && ends_sentence(&last.text);
        !(is_indented || outdents || ends_early)
    }

    /// Whether a line on the next page or in the next column continues the paragraph.
    fn goes_on(&self, line: &PdfLine) -> bool {
        let begins = line
            .text
            .chars()
            .next()
            .is_some_and(|c| c.is_lowercase() || is_unspaced(c));
        begins
            && !ends_sentence(&self.last.text)
            && is_near(line.size, self.last.size)
            && line.angle == self.last.angle
    }
}

fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end_matches(['"', '\'', '”', '’', ')', '»', ']', '」']);
    text.ends_with(['.', '!', '?', ':', '…', '。', '！', '？', '।', '؟'])
}

/// Letters of scripts that do not put blanks between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Appends a line to a text.
fn join(text: &mut String, line: &str, words: &HashSet<String>) {
    let (last, first) = (text.chars().next_back(), line.chars().next());
    let before = text.chars().rev().nth(1);
    match (last, first) {
        (Some('\u{ad}'), _) => {
            text.pop();
        }
        (Some('-' | '\u{2010}'), Some(first))
            if before.is_some_and(char::is_alphabetic) && first.is_lowercase() =>
        {
            let head = text
                .rsplit(char::is_whitespace)
                .next()
                .unwrap_or_default()
                .to_owned();
            let tail = line.split(char::is_whitespace).next().unwrap_or_default();
            let whole = bare(&format!(
                "{}{tail}",
                head.trim_end_matches(['-', '\u{2010}'])
            ));
            let hyphened = bare(&format!("{head}{tail}"));
            // The hyphen comes from a line break, unless the document contains the hyphenated word elsewhere.
            if !words.contains(&hyphened) || words.contains(&whole) {
                text.pop();
            }
        }
        (Some('-' | '–' | '—' | '/' | '\u{2010}'), Some(_))
            if before.is_some_and(|c| !c.is_whitespace()) => {}
        (Some(last), Some(first)) if is_unspaced(last) && is_unspaced(first) => {}
        _ => text.push(' '),
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, level: f64) -> PdfLine {
        PdfLine {
            text: text.to_owned(),
            start: 72.0,
            end: 72.0 + text.chars().count() as f64 * 5.0,
            level,
            size: 10.0,
            angle: 0,
        }
    }

    /// A text set in lines of the given width, on pages of `height` lines, with a running head and page numbers.
    fn set(paragraphs: &[&str], width: usize, height: usize) -> Vec<PdfPage> {
        let mut rows: Vec<Option<String>> = Vec::new();
        for paragraph in paragraphs {
            let mut row = String::new();
            for word in paragraph.split(' ') {
                if !row.is_empty() && row.len() + 1 + word.len() > width {
                    rows.push(Some(std::mem::take(&mut row)));
                }
                if !row.is_empty() {
                    row.push(' ');
                }
                row.push_str(word);
            }
            rows.push(Some(row));
            rows.push(None);
        }
        let pages = rows.chunks(height).enumerate().map(|(number, rows)| {
            let lines = rows
                .iter()
                .enumerate()
                .filter_map(|(at, row)| Some(line(row.as_ref()?, 60.0 + 12.0 * at as f64)));
            let mut page = vec![line("Report on the bridge", 20.0)];
            page.extend(lines);
            page.push(line(&(number + 1).to_string(), 800.0));
            page
        });
        pages.collect()
    }

    fn texts(pages: Vec<PdfPage>) -> Vec<String> {
        blocks(pages).into_iter().map(|block| block.text).collect()
    }

    const ONE: &str = "The council met on Monday and agreed on a plan for the bridge, which will be closed until spring.";
    const TWO: &str = "The cost is 3.4 million pounds, the report says, of which the county pays a half and the town the rest.";

    #[test]
    fn the_width_of_lines_and_the_height_of_pages_do_not_matter() {
        let paragraphs: Vec<String> = (1..7)
            .map(|n| {
                if n % 2 == 0 {
                    format!("In year {n}: {ONE}")
                } else {
                    format!("Of part {n}: {TWO}")
                }
            })
            .collect();
        let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
        let expected: Vec<&str> = std::iter::once("Report on the bridge")
            .chain(paragraphs.iter().copied())
            .collect();
        for (width, height) in [(50, 5), (60, 7), (33, 12), (80, 9)] {
            assert_eq!(
                texts(set(&paragraphs, width, height)),
                expected,
                "{width} {height}"
            );
        }
    }

    #[test]
    fn a_word_that_was_broken_is_put_together() {
        let page = vec![
            line("A long-term plan for the infor-", 10.0),
            line("mation centre, a well-", 22.0),
            line("known house, and a long-", 34.0),
            line("term one, 2019-", 46.0),
            line("2024.", 58.0),
        ];
        assert_eq!(
            texts(vec![page]),
            [
                "A long-term plan for the information centre, a wellknown house, and a long-term one, 2019-2024."
            ]
        );
    }

    #[test]
    fn numbers_that_are_no_numbers_of_pages_stay() {
        let mut pages = set(
            &[
                ONE,
                TWO,
                "A third paragraph.",
                "A fourth one.",
                "A fifth one, which is the last.",
            ],
            50,
            4,
        );
        for (number, page) in pages.iter_mut().enumerate() {
            page.push(line(
                &format!("Page {} of 7, version 2.3", number + 1),
                810.0,
            ));
        }
        pages[1].push(line("48", 790.0));
        let found = texts(pages);
        assert!(found.contains(&"48".to_owned()), "{found:?}");
        assert_eq!(
            found
                .iter()
                .filter(|text| text.starts_with("Page 1 of 7"))
                .count(),
            1,
            "{found:?}"
        );
        assert_eq!(
            found.iter().filter(|text| text.starts_with("Page")).count(),
            1,
            "{found:?}"
        );
        assert!(
            found.iter().any(|text| text.starts_with(&TWO[..70])),
            "{found:?}"
        );
    }

    #[test]
    fn gaps_part_cells_and_marks_begin_items() {
        let mut far = line("Server\t4.2", 34.0);
        far.end += 100.0;
        let mut title = line("Advisory", 10.0);
        title.size = 18.0;
        let page = vec![title, far, line("• first", 46.0), line("• second", 58.0)];
        let kinds: Vec<(BlockKind, String)> = blocks(vec![page])
            .into_iter()
            .map(|block| (block.kind, block.text))
            .collect();
        assert_eq!(
            kinds,
            [
                (BlockKind::Heading, "Advisory".to_owned()),
                (BlockKind::TableRow, "Server | 4.2".to_owned()),
                (BlockKind::ListItem, "• first".to_owned()),
                (BlockKind::ListItem, "• second".to_owned()),
            ]
        );
    }
}
