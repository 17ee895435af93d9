//! What the rules in force leave out of a text, piece by piece, for the record of ignored text.

use super::rules::Rules;
use crate::domain::ignored::Piece;
use crate::domain::state::{Block, BlockKind, FeedState, PageState};

const BY_RULE: &str = "left out by a rule";
const MARKED: &str = "marked as page furniture in the feed";

impl Rules {
    /// What is left out of an item of a feed.
    #[must_use]
    pub fn swallowed_feed(&self, state: &FeedState) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.of_lines([&state.title, &state.byline], &mut pieces);
        self.of_blocks(&state.summary, 0, &mut pieces);
        self.of_blocks(&state.body, state.summary.len(), &mut pieces);
        pieces
    }

    /// What is left out of the text of a page.
    #[must_use]
    pub fn swallowed_page(&self, state: &PageState) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let headline = state.headline().map(str::to_owned);
        self.of_lines([&headline, &state.byline], &mut pieces);
        self.of_blocks(&state.body, 0, &mut pieces);
        pieces
    }

    fn of_lines(&self, lines: [&Option<String>; 2], pieces: &mut Vec<Piece>) {
        for line in lines.into_iter().flatten() {
            self.of_parts(line, 0, pieces);
        }
    }

    fn of_blocks(&self, blocks: &[Block], before: usize, pieces: &mut Vec<Piece>) {
        for (at, block) in blocks.iter().enumerate() {
            let after = before + at;
            if block.kind == BlockKind::Furniture {
                pieces.push(Piece::of_rule(&block.text, MARKED, after, None));
            } else if let Some(rule) = self.rule_of(&block.text) {
                pieces.push(Piece::of_rule(&block.text, BY_RULE, after, Some(rule)));
            } else {
                self.of_parts(&block.text, after, pieces);
            }
        }
    }

    fn of_parts(&self, text: &str, after: usize, pieces: &mut Vec<Piece>) {
        for (rule, part) in self.parts(text) {
            pieces.push(Piece::of_rule(part, BY_RULE, after, Some(rule)));
        }
    }
}
