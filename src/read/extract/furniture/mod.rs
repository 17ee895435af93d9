//! Page furniture: text in and around an article that is not part of it.
//!
//! There are two kinds of rule. A [`Mark`] is what an element says about itself by its tag, role, class or id. A
//! [`IgnoreRule`] checks a block's own text and links. Both have names, so that the reason why a block does not count
//! can be shown. No rule may match anything that an article would say in a sentence: a missed advertisement is a
//! nuisance, but a sentence mistaken for one is an edit that nobody hears about.

mod marks;
mod rules;

pub(super) use marks::{Mark, Marks, claims_article, holds_a_count, mark_of, marks_of};
pub(super) use rules::{
    IgnoreRule, ends_as_sentence, is_clock as is_time_passed, is_date, is_date_word, rule_of,
};
