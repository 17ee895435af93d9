//! Requests that respect the limits of each host.

pub(super) mod journey;
pub(super) mod redirect_memory;
pub(super) mod robots;
