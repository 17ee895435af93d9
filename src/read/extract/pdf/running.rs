//! What stands on every page: heads, feet, numbers of pages.

use std::collections::{HashMap, HashSet};

use super::lines::{Line, Page};
use crate::domain::state::Block;

/// Lines at the top and at the foot of a page that may stand on every page.
const EDGE: usize = 3;

/// Takes out what stands at the same place of most pages, and numbers of pages; gives the former, each once.
pub(super) fn take_running_lines(pages: &mut [Page]) -> Vec<Block> {
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
            // From the edge inwards, as far as it goes without a line of the page's own.
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

/// What makes two lines of two pages the same running line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RunningLine {
    /// Its text, but for the digits.
    text: String,
    /// Where it stands.
    level: i64,
}

impl RunningLine {
    fn of(line: &Line) -> Self {
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

/// The lines at the top of a page, downwards, and those at its foot, upwards.
fn edges(page: &Page) -> [Vec<usize>; 2] {
    let mut order: Vec<usize> = (0..page.len()).collect();
    order.sort_by(|a, b| page[*a].level.total_cmp(&page[*b].level));
    let top = order.iter().copied().take(EDGE).collect();
    let foot = order.iter().copied().rev().take(EDGE).collect();
    [top, foot]
}

/// `3`, `- 3 -`, `3 / 12`: nothing but the number of the page.
fn is_page_number(text: &str, page: usize) -> bool {
    let first = text.trim_matches(|c: char| !c.is_ascii_digit());
    let digits: String = first.chars().take_while(char::is_ascii_digit).collect();
    text.chars().count() <= 12 && digits.parse() == Ok(page)
}
