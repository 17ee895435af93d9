//! Texts split into numbered tokens, ready to be aligned.

use std::collections::HashMap;

use super::align::Items;
use super::token::{Class, Token, tokens};
use super::weight;
use crate::domain::normalise::reading;

/// Ids of tokens, shared by all blocks of a diff: the same text has the same id.
#[derive(Debug, Default)]
pub(super) struct Interner<'a> {
    ids: HashMap<&'a str, u32>,
    /// Folded forms of tokens that are not tokens themselves so far.
    folded: HashMap<String, u32>,
    keys: Vec<u32>,
    weights: Vec<i32>,
    figures: Vec<bool>,
    wordlike: Vec<bool>,
}

impl<'a> Interner<'a> {
    fn id(&mut self, text: &'a str, class: Class) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = u32::try_from(self.weights.len()).unwrap_or(u32::MAX);
        self.ids.insert(text, id);
        let key = match fold(text).filter(|folded| folded != text) {
            Some(folded) => match self.ids.get(folded.as_str()) {
                Some(&plain) => self.keys.get(plain as usize).copied().unwrap_or(plain),
                None => *self.folded.entry(folded).or_insert(id),
            },
            None => self.folded.get(text).copied().unwrap_or(id),
        };
        self.keys.push(key);
        self.weights.push(weight::weight(text, class));
        self.figures.push(class == Class::Number);
        self.wordlike
            .push(!matches!(class, Class::Space | Class::Mark));
        id
    }

    /// Whether the id is of a word, not of a punctuation mark.
    pub(super) fn is_wordlike(&self, id: u32) -> bool {
        self.wordlike.get(id as usize).copied().unwrap_or(false)
    }

    /// How much a word counts when blocks are compared: much, unless it is in every sentence.
    pub(super) fn sense(&self, id: u32) -> u64 {
        let weight = self.weights.get(id as usize).copied().unwrap_or(0);
        if weight >= weight::WEIGHTY { 3 } else { 1 }
    }

    /// Whether the id is of a figure.
    pub(super) fn is_figure(&self, id: u32) -> bool {
        self.figures.get(id as usize).copied().unwrap_or(false)
    }

    /// The value of a match of each id.
    pub(super) fn weights(&self) -> &[i32] {
        &self.weights
    }
}

/// A text split into numbered tokens.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    /// The tokens that are not white space.
    pub(super) items: Vec<usize>,
    /// One id for each item.
    pub(super) ids: Vec<u32>,
    /// One key for each item; the same for words that differ only in capitals or in the shape of marks.
    pub(super) keys: Vec<u32>,
}

/// The form in which a token is matched, if it is not the token itself.
fn fold(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b',' || byte == b'.'
    });
    (!plain).then(|| reading(text).to_lowercase())
}

impl<'a> Prepared<'a> {
    pub(super) fn new(text: &'a str, interner: &mut Interner<'a>) -> Self {
        let tokens = tokens(text);
        let mut items = Vec::with_capacity(tokens.len() / 2 + 1);
        let mut ids = Vec::with_capacity(tokens.len() / 2 + 1);
        let mut keys = Vec::with_capacity(tokens.len() / 2 + 1);
        for (index, token) in tokens.iter().enumerate() {
            if token.class != Class::Space {
                items.push(index);
                let id = interner.id(token.of(text), token.class);
                ids.push(id);
                keys.push(interner.keys.get(id as usize).copied().unwrap_or(id));
            }
        }
        Self {
            text,
            tokens,
            items,
            ids,
            keys,
        }
    }

    /// The items, to be aligned.
    pub(super) fn sequence(&self) -> Items<'_> {
        Items {
            ids: &self.ids,
            keys: &self.keys,
        }
    }

    /// The token of an item.
    pub(super) fn token(&self, item: usize) -> Option<&Token> {
        self.items
            .get(item)
            .and_then(|&index| self.tokens.get(index))
    }

    /// The text of an item.
    pub(super) fn item(&self, item: usize) -> &'a str {
        self.token(item).map_or("", |token| token.of(self.text))
    }

    /// Where the item begins; after the last one, the end of the text.
    pub(super) fn start(&self, item: usize) -> usize {
        self.token(item)
            .map_or(self.text.len(), |token| token.range.start)
    }

    /// Where the item before `item` ends; 0 for the first one.
    pub(super) fn end_before(&self, item: usize) -> usize {
        item.checked_sub(1)
            .and_then(|item| self.token(item))
            .map_or(0, |token| token.range.end)
    }
}
