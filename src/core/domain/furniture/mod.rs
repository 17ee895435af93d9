//! Page furniture (menus, boxes, counters) across the pages of a site: it is left out of the comparison, by rules
//! that a person can read.
//!
//! What a single page gives away is settled where it is read (`extract`): such blocks are no part of the text, or have
//! the kind [`BlockKind::Furniture`](super::state::BlockKind::Furniture). What only many looks at many articles show is
//! learned here: [`learn`] takes the past of a feed's articles and gives rules with their evidence, [`Rules`] holds
//! those that are in force and applies them, to both channels alike, before anything is compared or hashed. Stored
//! texts stay as published.
//!
//! Three kinds are learned, each by what no edit of an article does, and each passes over no more than was seen:
//!
//! - a text that **comes and goes**: the same words went out of several articles and came back, nothing like them took
//!   their place, most of each article stayed meanwhile, and they belong to the site and not to a few stories. Words
//!   that deny, count, name or quote something are never learned so;
//! - a text that **churns**: the same words with other numbers or names, in most articles of the site. Only the places
//!   that moved at most looks in at least half of these articles are passed over, for the kind of value seen there;
//!   whatever stands elsewhere in such a text counts, and so does the text when it is put in or taken out, unless it
//!   was seen to come and go, too;
//! - a **number before or behind headlines** that moves in most of them.
//!
//! Nothing is learned from the look that is being judged: the evidence is what was stored, and told, before. Nor is
//! anything learned from a feed that went back as a whole to what it said before, or from an article whose edits are
//! taken back: a stale copy does that. That many articles share a sentence says nothing: where it leaves one of them,
//! that is an edit. Notes of corrections and updates are never learned.
//!
//! Two things need no learning: counters that say what they count (`12 comments`; a line of nothing but counters may
//! come and go) and relative times (`4 days ago`). What changes in one entry at every look ([`Restless`]) is reported a
//! few times, then only counted.

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
