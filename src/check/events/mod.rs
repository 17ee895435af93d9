//! What is reported: events and their texts.

pub(super) mod bulk;
pub(super) mod digest;
pub(super) mod revise;
