//! The check of an article page, in the order of its steps.

pub(super) mod check;
pub(super) mod decide;
pub(super) mod documents;
pub(super) mod fetch;
pub(super) mod interpret;
pub(super) mod known;
pub(super) mod past;
pub(super) mod shared;
pub(super) mod stand_ins;
