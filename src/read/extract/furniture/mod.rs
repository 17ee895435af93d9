//! Furniture: what stands in and around an article and is no part of it.
//!
//! Two kinds of rule. A [`Mark`] is what an element says of itself by its tag, role, class or id. A [`Rule`] looks at
//! a block's own text and links. Both are named, so that a person can be told why a block does not count. Nothing
//! that an article would say in a sentence may fall under a rule: a missed advertisement is a nuisance, a sentence
//! taken for one is an edit that nobody hears of.

mod marks;
mod rules;

pub(super) use marks::{Mark, Marks, claims_article, holds_a_count, mark_of, marks_of};
pub(super) use rules::{
    Rule, ends_as_sentence, is_clock as is_time_passed, is_date, is_date_word, rule_of,
};
