//! Furniture across the pages of a site: what is left out of the comparison, by rules that a person can read.
//!
//! What a single page gives away is settled where it is read (`extract`): such blocks are no part of the text, or have
//! the kind [`BlockKind::Furniture`](super::state::BlockKind::Furniture). What only many looks at many articles show is
//! learned here: [`learn`] takes the past of a feed's articles and gives rules with their evidence, [`Rules`] holds
//! those that are in force and applies them, to both channels alike, before anything is compared or hashed. Stored
//! texts stay as published.
//!
//! Three kinds of block are learned, each by what no edit of an article does:
//!
//! - a text that **comes and goes**: the same words went out of three articles or more and came back, nothing like them
//!   took their place, and most of each article stayed meanwhile;
//! - a text that **churns**: the same words with other numbers or names, in most articles of the site, moving at most
//!   of the looks that saw anything move, in at least half of the articles that have it;
//! - a text that **recurs**: the same sentence in more than half of the articles.
//!
//! Nothing is learned from the look that is being judged: the evidence is what was stored, and told, before. A
//! paragraph that an agency puts into ten articles at once is ten edits (told as one bulk edit), and stays an edit
//! wherever it comes later, unless more than half of all articles have it. Notes of corrections and updates are never
//! learned, nor are lines such as `Severity: high`, which many articles share and whose change is news.

mod learn;
mod pattern;
mod rules;
mod swallowed;

#[cfg(test)]
mod tests;

pub use learn::{Article, Learned, LearnedKind, learn, may_be_furniture};
pub use rules::{
    Evidence, InForce, Origin, Paired, Rule, RuleError, RuleKind, Rules, check_pattern,
};
