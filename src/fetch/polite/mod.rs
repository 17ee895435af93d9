//! When a host may be asked: its queue, its pauses, and the waits that it asked for.

pub(crate) mod budget;
pub(super) mod host_gate;
pub(crate) mod host_queue;
mod sites;
