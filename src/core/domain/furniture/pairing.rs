//! Two states as they are compared under the rules.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::counter;
use super::passing::{has_passed, phrases, without};
use super::rules::Rules;
use crate::domain::diff::LeftOut;
use crate::domain::normalise::visible;
use crate::domain::state::{Block, BlockKind, EntryState};

/// An ignored block is compared with at most this many blocks of the other side.
const EDITED: usize = 50;

/// Two states as they are compared.
#[derive(Debug, Clone)]
pub struct Paired<'a> {
    /// The old state without ignored text.
    pub old: Cow<'a, EntryState>,
    /// The new state without ignored text.
    pub new: Cow<'a, EntryState>,
    /// What was removed from the feed's description.
    pub summary: LeftOut,
    /// What was removed from the feed's text.
    pub feed_body: LeftOut,
    /// What was removed from the page's text.
    pub page_body: LeftOut,
}

impl Rules {
    /// Two states as they are compared: without ignored blocks, and with equal text where they differ only in an
    /// ignored part. The rest is as published.
    ///
    /// A block that one side marks as furniture is also removed from the other side: a publisher, or a later
    /// version of this program, may start to mark it.
    #[must_use]
    pub fn pair<'a>(&self, old: &'a EntryState, new: &'a EntryState) -> Paired<'a> {
        if old == new {
            return Paired {
                old: Cow::Borrowed(old),
                new: Cow::Borrowed(new),
                summary: LeftOut::default(),
                feed_body: LeftOut::default(),
                page_body: LeftOut::default(),
            };
        }
        let mut left_out = <[LeftOut; 3]>::default();
        let (mut left, mut right) = (old.clone(), new.clone());
        if let (Some(old), Some(new)) = (&mut left.feed, &mut right.feed) {
            self.pair_title(&old.title, &mut new.title);
            self.pair_line(&old.byline, &mut new.byline);
            left_out[0] = self.pair_blocks(&mut old.summary, &mut new.summary);
            left_out[1] = self.pair_blocks(&mut old.body, &mut new.body);
        }
        if let (Some(old), Some(new)) = (&mut left.page, &mut right.page) {
            self.pair_title(&old.h1, &mut new.h1);
            self.pair_title(&old.og_title, &mut new.og_title);
            self.pair_title(&old.ld_headline, &mut new.ld_headline);
            self.pair_line(&old.kicker, &mut new.kicker);
            self.pair_line(&old.standfirst, &mut new.standfirst);
            self.pair_line(&old.byline, &mut new.byline);
            left_out[2] = self.pair_blocks(&mut old.body, &mut new.body);
        }
        let [summary, feed_body, page_body] = left_out;
        Paired {
            old: Cow::Owned(left),
            new: Cow::Owned(right),
            summary,
            feed_body,
            page_body,
        }
    }

    fn pair_title(&self, old: &Option<String>, new: &mut Option<String>) {
        if let (Some(before), Some(after)) = (old, new.as_ref())
            && before != after
            && self.title_form(before) == self.title_form(after)
        {
            new.clone_from(old);
        }
    }

    fn pair_line(&self, old: &Option<String>, new: &mut Option<String>) {
        let (before, after) = (
            old.as_deref().unwrap_or_default(),
            new.as_deref().unwrap_or_default(),
        );
        if before != after
            && (self.form(before, false) == self.form(after, false)
                || has_passed(before, after, self.elapsed()))
        {
            new.clone_from(old);
        }
    }

    /// A text as a reader sees it, without the ignored parts. `beside` says whether it is beside a counter.
    fn form(&self, text: &str, beside: bool) -> String {
        let masked = self.masked(text);
        let counted = counter::masked(&masked, beside);
        visible(counted.as_deref().unwrap_or(&masked)).into_owned()
    }

    fn pair_blocks(&self, old: &mut Vec<Block>, new: &mut Vec<Block>) -> LeftOut {
        if old == new && !old.iter().any(|block| !self.counts(block)) {
            return LeftOut::default();
        }
        let marked: HashSet<String> = old
            .iter()
            .chain(new.iter())
            .filter(|block| block.kind == BlockKind::Furniture)
            .map(|block| visible(&block.text).into_owned())
            .collect();
        let counts = |block: &Block| {
            self.counts(block) && (marked.is_empty() || !marked.contains(&*visible(&block.text)))
        };
        let coming = |blocks: &[Block]| -> Vec<Option<String>> {
            let keys = blocks
                .iter()
                .map(|block| self.coming_and_going(&block.text));
            keys.collect()
        };
        let (old_keys, new_keys) = (coming(old), coming(new));
        let left = stays([old, new], [&old_keys, &new_keys], &counts);
        let right = stays([new, old], [&new_keys, &old_keys], &counts);
        let mut left_out = LeftOut {
            before: keep(old, &left),
            after: keep(new, &right),
            as_before: Vec::new(),
        };
        let kept = numbers(&right, true);
        self.settle_parts(old, new, &kept, &mut left_out);
        if self.restless().reorders(old, new) {
            new.clone_from(old);
            left_out.as_before = kept;
        }
        left_out
    }

    /// Makes blocks equal that differ only in ignored parts.
    fn settle_parts(&self, old: &[Block], new: &mut [Block], kept: &[u32], left_out: &mut LeftOut) {
        let shown: HashSet<String> = old
            .iter()
            .map(|block| visible(&block.text).into_owned())
            .collect();
        let is_shown = |block: &Block| shown.contains(&*visible(&block.text));
        if new.iter().all(is_shown) {
            return;
        }
        let beside =
            |blocks: &[Block]| counter::beside(blocks.iter().map(|block| block.text.as_str()));
        let (beside_old, beside_new) = (beside(old), beside(new));
        // Each old block matches only one new block.
        let mut forms: HashMap<String, Vec<&str>> = HashMap::new();
        let mut times: HashMap<String, Vec<&str>> = HashMap::new();
        for (block, beside) in old.iter().zip(beside_old) {
            forms
                .entry(self.form(&block.text, beside))
                .or_default()
                .push(&block.text);
            let passed = phrases(&block.text, true);
            if !passed.is_empty() {
                let without = without(&block.text, &passed);
                times.entry(without).or_default().push(&block.text);
            }
        }
        for (block, beside) in new.iter().zip(&beside_new) {
            if is_shown(block)
                && let Some(same) = forms.get_mut(&self.form(&block.text, *beside))
            {
                let at = same
                    .iter()
                    .position(|text| visible(text) == visible(&block.text));
                at.map(|at| same.remove(at));
            }
        }
        for ((block, number), beside) in new.iter_mut().zip(kept).zip(beside_new) {
            if shown.contains(&*visible(&block.text)) {
                continue;
            }
            let mut text = forms
                .get_mut(&self.form(&block.text, beside))
                .filter(|same| !same.is_empty())
                .map(|same| same.remove(0));
            if text.is_none() {
                let passed = phrases(&block.text, true);
                let before = times.get(&without(&block.text, &passed));
                let mut before = before.into_iter().flatten().copied();
                text = before.find(|before| has_passed(before, &block.text, self.elapsed()));
            }
            if let Some(text) = text {
                block.text = text.to_owned();
                left_out.as_before.push(*number);
            }
        }
    }
}

/// Which blocks of the first text are compared. A block that may come and go, with its form in `keys`, is compared
/// if both sides have it.
fn stays(
    [mine, others]: [&[Block]; 2],
    keys: [&[Option<String>]; 2],
    counts: &impl Fn(&Block) -> bool,
) -> Vec<bool> {
    let there: HashSet<&String> = keys[1].iter().flatten().collect();
    let edited = edited_into(mine, others, counts);
    mine.iter()
        .zip(edited)
        .zip(keys[0])
        .map(|((block, edited), key)| {
            edited || (counts(block) && key.as_ref().is_none_or(|key| there.contains(key)))
        })
        .collect()
}

/// Removes the other blocks and returns their numbers.
fn keep(blocks: &mut Vec<Block>, stays: &[bool]) -> Vec<u32> {
    let mut each = stays.iter();
    blocks.retain(|_| each.next().copied().unwrap_or(true));
    numbers(stays, false)
}

/// The numbers (from 1) of the blocks that stay, or of those that do not.
fn numbers(stays: &[bool], wanted: bool) -> Vec<u32> {
    (1..)
        .zip(stays)
        .filter(|(_, stays)| **stays == wanted)
        .map(|(number, _)| number)
        .collect()
}

/// Which ignored blocks are one side of an edit of a block that counts: a block with half of their words is only
/// on the other side. Such a block is kept, so that the edit is shown.
fn edited_into(mine: &[Block], others: &[Block], counts: &impl Fn(&Block) -> bool) -> Vec<bool> {
    let texts = |blocks: &[Block]| -> HashSet<String> {
        blocks
            .iter()
            .map(|block| visible(&block.text).into_owned())
            .collect()
    };
    let (here, there) = (texts(mine), texts(others));
    let alone: Vec<HashSet<&str>> = others
        .iter()
        .filter(|block| counts(block) && !here.contains(&*visible(&block.text)))
        .take(EDITED)
        .map(|block| block.text.split_whitespace().collect())
        .collect();
    mine.iter()
        .map(|block| {
            let learned = block.kind != BlockKind::Furniture && !counts(block);
            if !learned || alone.is_empty() || there.contains(&*visible(&block.text)) {
                return false;
            }
            let words: HashSet<&str> = block.text.split_whitespace().collect();
            alone
                .iter()
                .any(|other| words.intersection(other).count() * 2 > words.len().max(other.len()))
        })
        .collect()
}
