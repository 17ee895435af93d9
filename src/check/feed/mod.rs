//! The check of a feed, in the order of its steps.

pub(super) mod confirm;
pub(super) mod decide;
pub(super) mod identify;
pub(super) mod known;
pub(super) mod pages;
pub(super) mod past;
pub(super) mod poll;
pub(super) mod record;
pub(super) mod watched;
