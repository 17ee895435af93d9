//! What the active rules remove from a text, piece by piece, for the record of ignored text.

use super::counter;
use super::passing;
use super::rules::Rules;
use crate::domain::ignored::Piece;
use crate::domain::state::{Block, BlockKind, FeedState, PageState};

const BY_RULE: &str = "left out by a rule";
const COUNTER: &str = "a counter";
const PASSING: &str = "time that passes";
const RESTLESS: &str = "moves at every look";
const MARKED: &str = "marked as page furniture in the feed";

impl Rules {
    /// The pieces that are removed from an item of a feed.
    #[must_use]
    pub fn swallowed_feed(&self, state: &FeedState) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.of_title(state.title.as_deref(), &mut pieces);
        self.of_parts(state.byline.as_deref().unwrap_or_default(), 0, &mut pieces);
        self.of_blocks(&state.summary, 0, &mut pieces);
        self.of_blocks(&state.body, state.summary.len(), &mut pieces);
        pieces
    }

    /// The pieces that are removed from the text of a page.
    #[must_use]
    pub fn swallowed_page(&self, state: &PageState) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.of_title(state.headline(), &mut pieces);
        self.of_parts(state.byline.as_deref().unwrap_or_default(), 0, &mut pieces);
        self.of_blocks(&state.body, 0, &mut pieces);
        pieces
    }

    fn of_title(&self, title: Option<&str>, pieces: &mut Vec<Piece>) {
        let Some(title) = title else { return };
        if let Some(rule) = self.rule_of_title(title) {
            pieces.push(Piece::of_rule(title, BY_RULE, 0, Some(rule)));
        } else if counter::in_title(title).is_some() {
            pieces.push(Piece::of_rule(title, COUNTER, 0, None));
        }
        self.of_parts(title, 0, pieces);
    }

    fn of_blocks(&self, blocks: &[Block], before: usize, pieces: &mut Vec<Piece>) {
        let beside = counter::beside(blocks.iter().map(|block| block.text.as_str()));
        for ((at, block), beside) in blocks.iter().enumerate().zip(beside) {
            let after = before + at;
            if block.kind == BlockKind::Furniture {
                pieces.push(Piece::of_rule(&block.text, MARKED, after, None));
            } else if let Some(rule) = self.rule_of(&block.text) {
                pieces.push(Piece::of_rule(&block.text, BY_RULE, after, Some(rule)));
            } else {
                self.of_places(&block.text, beside, after, pieces);
                self.of_parts(&block.text, after, pieces);
            }
        }
    }

    /// Ignored places inside a text that is otherwise compared.
    fn of_places(&self, text: &str, beside: bool, after: usize, pieces: &mut Vec<Piece>) {
        if !text.contains(char::is_numeric) && self.is_empty() {
            return;
        }
        let (rule, moving) = self.moving(text);
        if !moving.is_empty() {
            let why = rule.map_or(RESTLESS, |_| BY_RULE);
            pieces.push(Piece::of_rule(text, why, after, rule));
        } else if !counter::parts(text, beside).is_empty() {
            pieces.push(Piece::of_rule(text, COUNTER, after, None));
        } else {
            for phrase in passing::phrases(text, false) {
                let part = text.get(phrase.range).unwrap_or_default();
                pieces.push(Piece::of_rule(part, PASSING, after, None));
            }
        }
    }

    fn of_parts(&self, text: &str, after: usize, pieces: &mut Vec<Piece>) {
        for (rule, part) in self.parts(text) {
            pieces.push(Piece::of_rule(part, BY_RULE, after, Some(rule)));
        }
    }
}
