//! Plain text → blocks: one block per paragraph, with its words unchanged.
//!
//! Lines that were wrapped are joined. Lines that are separate by design (code, tables, addresses, lists of
//! settings) stay separate, in a code block.

use crate::domain::state::{Block, BlockKind};

/// The longest text that is read from a document.
const BYTES: usize = 2 << 20;

/// The most blocks that are read from a document.
const BLOCKS: usize = 40_000;

/// Blocks of a plain text, and whether the text was longer than the part that is read.
#[must_use]
pub(super) fn blocks(text: &str) -> (Vec<Block>, bool) {
    let mut end = text.len().min(BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = &text[..end];
    let lines: Vec<&str> = cut.split(['\n', '\u{c}']).map(str::trim_end).collect();
    // If the whole text is indented, that is its margin.
    let margin = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| indent(line))
        .min()
        .unwrap_or(0);
    let mut blocks = Vec::new();
    for chunk in lines.split(|line| line.is_empty()) {
        if blocks.len() >= BLOCKS {
            return (blocks, true);
        }
        read_chunk(chunk, margin, &mut blocks);
    }
    (blocks, end < text.len())
}

/// Lines between two blank ones.
fn read_chunk(chunk: &[&str], margin: usize, blocks: &mut Vec<Block>) {
    let Some((first, others)) = chunk.split_first() else {
        return;
    };
    if is_code(chunk, margin) {
        let lines: Vec<&str> = chunk
            .iter()
            .map(|line| without_margin(line, margin))
            .collect();
        blocks.push(Block {
            kind: BlockKind::Code,
            text: lines.join("\n"),
        });
        return;
    }
    // A list without blank lines between its items.
    let mut item = vec![*first];
    for line in others {
        if is_item(line) {
            push(&item, blocks);
            item.clear();
        }
        item.push(line);
    }
    push(&item, blocks);
}

fn push(lines: &[&str], blocks: &mut Vec<Block>) {
    let words: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect();
    let kind = match lines.first() {
        Some(first) if is_item(first) => BlockKind::ListItem,
        _ => BlockKind::Paragraph,
    };
    if !words.is_empty() {
        blocks.push(Block {
            kind,
            text: words.join(" "),
        });
    }
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

fn without_margin(line: &str, margin: usize) -> &str {
    let mut chars = line.chars();
    for _ in 0..margin {
        chars.next();
    }
    chars.as_str()
}

/// `- `, `* `, `• `, `1. `, `(a) `: the start of an item.
pub(super) fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let Some((mark, behind)) = line.split_once(char::is_whitespace) else {
        return false;
    };
    if behind.trim().is_empty() {
        return false;
    }
    if matches!(
        mark,
        "-" | "*" | "+" | "•" | "◦" | "▪" | "‣" | "–" | "—" | "·" | "○" | "●"
    ) {
        return true;
    }
    let inner = mark.trim_start_matches('(');
    let inner = inner.strip_suffix(['.', ')']).unwrap_or("");
    let is_number = inner.chars().count() <= 3 && inner.chars().all(|c| c.is_ascii_digit());
    let is_letter =
        inner.chars().count() == 1 && inner.chars().all(char::is_alphabetic) && mark.ends_with(')');
    !inner.is_empty() && (is_number || is_letter)
}

/// Whether the line breaks of a chunk have a meaning.
fn is_code(chunk: &[&str], margin: usize) -> bool {
    if chunk.iter().any(|line| line.trim().starts_with("```")) {
        return true;
    }
    let is_list = chunk.iter().any(|line| is_item(line));
    let deep = chunk
        .iter()
        .filter(|line| indent(line) >= margin + 4)
        .count();
    let aligned = chunk.iter().filter(|line| is_aligned(line)).count();
    let symbols = chunk.iter().filter(|line| has_symbols(line)).count();
    match chunk.len() {
        0 => false,
        1 => deep == 1 && symbols == 1,
        lines => {
            let half = lines.div_ceil(2);
            // The first line of a paragraph may be indented, and so are the lines after the first one of an item.
            let indented = deep >= half && symbols + aligned > 0;
            let stepped = steps(chunk) && !is_list;
            aligned >= half
                || symbols >= half
                || indented
                || stepped
                || (lines > 2 && !is_list && is_ragged(chunk))
        }
    }
}

/// Columns: three blanks in a row, or a tab, inside a line. Also lines drawn with characters.
fn is_aligned(line: &str) -> bool {
    let line = line.trim();
    let drawn = line
        .chars()
        .filter(|c| matches!(c, '|' | '+' | '-' | '=' | '_' | '─' | '│'))
        .count();
    line.contains("   ") || line.contains('\t') || (drawn >= 3 && drawn * 2 >= line.chars().count())
}

/// What lines of programs and settings end with or contain, and lines of prose do not.
fn has_symbols(line: &str) -> bool {
    let line = line.trim();
    let ends =
        line.ends_with([';', '{', '}', '\\']) || line.ends_with("=>") || line.ends_with("->");
    let begins = ["$ ", "# ", "> ", "//", "#include", "+++", "@@ "]
        .iter()
        .any(|start| line.starts_with(start));
    ends || begins
        || [" = ", " := ", " == ", "();", "::", " && "]
            .iter()
            .any(|sign| line.contains(sign))
}

/// Whether the lines of a chunk have more than two depths of indentation.
fn steps(chunk: &[&str]) -> bool {
    let mut depths: Vec<usize> = chunk.iter().skip(1).map(|line| indent(line)).collect();
    depths.sort_unstable();
    depths.dedup();
    depths.len() > 2
}

/// Whether lines end although the first word of the next one would have fitted: then they were not wrapped.
fn is_ragged(chunk: &[&str]) -> bool {
    let length = |text: &str| text.chars().count();
    let width = chunk
        .iter()
        .map(|line| length(line))
        .max()
        .unwrap_or(0)
        .max(50);
    let early = chunk
        .windows(2)
        .filter(|pair| {
            let word = pair[1].split_whitespace().next().unwrap_or_default();
            (length(pair[0]) + 1 + length(word)) * 10 < width * 9
        })
        .count();
    early * 2 > chunk.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(BlockKind, String)> {
        let (blocks, _) = blocks(text);
        blocks
            .into_iter()
            .map(|block| (block.kind, block.text))
            .collect()
    }

    fn check(text: &str, expected: &[(BlockKind, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(kind, text)| (*kind, (*text).to_owned()))
            .collect();
        assert_eq!(read(text), expected, "{text}");
    }

    use BlockKind::{Code, ListItem, Paragraph};

    #[test]
    fn a_paragraph_is_what_stands_between_blank_lines() {
        check(
            "One\ntwo  three\r\n \t\r\nfour\n\n\n",
            &[(Paragraph, "One two three"), (Paragraph, "four")],
        );
        check(" \n", &[]);
        check(
            "    The first line of this paragraph is indented, as typists did, and\nthe others are not; they are broken where the line was full, and the\nparagraph ends early.\n\nparse(Vec<String>) returns <stdin>.",
            &[
                (
                    Paragraph,
                    "The first line of this paragraph is indented, as typists did, and the others are not; they are broken where the line was full, and the paragraph ends early.",
                ),
                (Paragraph, "parse(Vec<String>) returns <stdin>."),
            ],
        );
    }

    #[test]
    fn lines_that_stand_for_themselves_stay_lines() {
        check(
            "fn main() {\n    let list: Vec<String> = read();\n    print(list);\n}\n\nThat was all.",
            &[
                (
                    Code,
                    "fn main() {\n    let list: Vec<String> = read();\n    print(list);\n}",
                ),
                (Paragraph, "That was all."),
            ],
        );
        check(
            "Product   Fixed in\nServer    4.2.1\nClient    4.3.0",
            &[(Code, "Product   Fixed in\nServer    4.2.1\nClient    4.3.0")],
        );
        check(
            "Severity: high\nAffected: 4.0 to 4.2\nFixed: 4.3",
            &[(Code, "Severity: high\nAffected: 4.0 to 4.2\nFixed: 4.3")],
        );
    }

    #[test]
    fn items_of_a_list_are_blocks() {
        check(
            "Changes:\n- one thing\n- another thing, which takes\n  a second line\n2. a third",
            &[
                (Paragraph, "Changes:"),
                (ListItem, "- one thing"),
                (ListItem, "- another thing, which takes a second line"),
                (ListItem, "2. a third"),
            ],
        );
    }

    #[test]
    fn a_text_that_is_indented_as_a_whole_is_prose() {
        check(
            "   1. Introduction\n\n   This memo says what a client does when the server is\n   silent, and for how long it waits before it asks once\n   more.\n",
            &[
                (ListItem, "1. Introduction"),
                (
                    Paragraph,
                    "This memo says what a client does when the server is silent, and for how long it waits before it asks once more.",
                ),
            ],
        );
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let (found, cut) = blocks(&"word ".repeat(1_000_000));
        assert!(cut && found.len() == 1);
        let (found, cut) = blocks(&"x\n\n".repeat(100_000));
        assert!(cut && found.len() <= BLOCKS);
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_none_is_added(text in "([a-z<>{};=|.-]{1,8}[ \n\t]{1,3}){0,60}") {
            let (found, _) = blocks(&text);
            let joined = found.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n");
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&joined), words(&text));
            prop_assert!(found.iter().all(|block| !block.text.trim().is_empty()));
        }
    }
}
