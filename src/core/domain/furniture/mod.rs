//! Page furniture (menus, boxes, counters) across the pages of a site: it is left out of the comparison, by rules
//! that a person can read.
//!
//! Furniture that a single page reveals is handled where the page is read (`extract`): such blocks are not part of
//! the text, or have the kind [`BlockKind::Furniture`](super::state::BlockKind::Furniture). Furniture that only
//! many checks of many articles reveal is learned here: [`learn`] takes the past of a feed's articles and returns
//! rules with their evidence. [`Rules`] holds the active rules and applies them to both channels before anything is
//! compared or hashed. Stored texts stay as published.
//!
//! Three kinds are learned, each by behaviour that no edit of an article shows, and each ignores no more than was
//! seen:
//!
//! - a text that **comes and goes**: the same words disappeared from several articles and came back, nothing
//!   similar took their place, most of each article stayed the same meanwhile, and they belong to the site and not
//!   to a few stories. Words that deny, count, name or quote something are never learned this way;
//! - a text that **churns**: the same words with other numbers or names, in most articles of the site. Only the
//!   places that changed at most checks in at least half of these articles are ignored, and only for the kind of
//!   value seen there. The rest of such a text counts, and so does its insertion or removal, unless it was also
//!   seen to come and go;
//! - a **number before or after headlines** that changes in most of them.
//!
//! Nothing is learned from the check that is being judged: the evidence is what was stored and reported before. Nor
//! is anything learned from a feed that returned as a whole to an earlier state, or from an article whose edits are
//! taken back: stale copies do that. A sentence shared by many articles is not evidence: if it disappears from one
//! of them, that is an edit. Notes of corrections and updates are never learned.
//!
//! Two things need no learning: counters that say what they count (`12 comments`; a line of nothing but counters
//! may come and go) and relative times (`4 days ago`). A part that changes in one entry at every check
//! ([`Restless`]) is reported a few times, then only counted.

mod counter;
mod learn;
mod motion;
mod pairing;
mod passing;
mod pattern;
mod restless;
mod rule;
mod rules;
mod suspect;
mod swallowed;
mod titles;
mod words;

#[cfg(test)]
mod tests;

pub use learn::{ArticlePast, Learned, LearnedKind, TextStep, learn, may_be_furniture};
pub use pairing::Paired;
pub use pattern::ValueKind;
pub use restless::{LOOKS, Restless, Streak, Streaks};
pub use rule::{
    Rule, RuleError, RuleEvidence, RuleKind, RuleOrigin, TemplatePlace, check_pattern, with_places,
};
pub use rules::{InForce, Rules};
pub use suspect::Suspect;
