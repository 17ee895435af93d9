//! Requests as each host wants to be asked.

pub(super) mod journey;
pub(super) mod redirect_memory;
pub(super) mod robots;
