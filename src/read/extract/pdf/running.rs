//! Text that is on every page: headers, footers, page numbers.

use std::collections::{HashMap, HashSet};

use super::lines::{PdfLine, PdfPage};
use crate::domain::state::Block;

/// How many lines at the top and bottom of a page may be running lines.
const EDGE: usize = 3;

/// Removes text at the same position on most pages, and page numbers; returns the former, each once.
pub(super) fn take_running_lines(pages: &mut [PdfPage]) -> Vec<Block> {
    let mut seen: HashMap<RunningLine, usize> = HashMap::new();
    for page in pages.iter() {
        let edge: HashSet<RunningLine> = edges(page)
            .into_iter()
            .flatten()
            .map(|at| RunningLine::of(&page[at]))
            .collect();
        for running in edge {
            *seen.entry(running).or_default() += 1;
        }
    }
    let many = (pages.len() * 3).div_ceil(5).max(2);
    let mut kept: HashSet<RunningLine> = HashSet::new();
    let mut blocks = Vec::new();
    for (number, page) in (1..).zip(pages.iter_mut()) {
        let mut taken: HashSet<usize> = HashSet::new();
        for edge in edges(page) {
            // From the edge inwards, up to the first line that is only on this page.
            for at in edge {
                let running = RunningLine::of(&page[at]);
                let runs = seen.get(&running).is_some_and(|pages| *pages >= many);
                if runs && running.text.chars().any(char::is_alphabetic) {
                    if kept.insert(running) {
                        blocks.push(Block::paragraph(page[at].text.clone()));
                    }
                } else if !runs && !is_page_number(&page[at].text, number) {
                    break;
                }
                taken.insert(at);
            }
        }
        let mut at = 0;
        page.retain(|_| {
            at += 1;
            !taken.contains(&(at - 1))
        });
    }
    blocks
}

/// The criteria by which lines on two pages are the same running line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RunningLine {
    /// Its text without digits.
    text: String,
    /// Its position.
    level: i64,
}

impl RunningLine {
    fn of(line: &PdfLine) -> Self {
        let mut text = String::new();
        for c in line.text.chars() {
            match c.is_numeric() {
                true if text.ends_with('#') => {}
                true => text.push('#'),
                false => text.push(c),
            }
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "places are bounded where letters are taken"
        )]
        let level = (line.level / 2.0).round() as i64;
        Self { text, level }
    }
}

/// The lines at the top of a page, from the top down, and those at the bottom, from the bottom up.
fn edges(page: &PdfPage) -> [Vec<usize>; 2] {
    let mut order: Vec<usize> = (0..page.len()).collect();
    order.sort_by(|a, b| page[*a].level.total_cmp(&page[*b].level));
    let top = order.iter().copied().take(EDGE).collect();
    let foot = order.iter().copied().rev().take(EDGE).collect();
    [top, foot]
}

/// `3`, `- 3 -`, `3 / 12`: only the page number.
fn is_page_number(text: &str, page: usize) -> bool {
    let first = text.trim_matches(|c: char| !c.is_ascii_digit());
    let digits: String = first.chars().take_while(char::is_ascii_digit).collect();
    text.chars().count() <= 12 && digits.parse() == Ok(page)
}
