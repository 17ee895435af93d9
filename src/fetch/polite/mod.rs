//! When a host may be asked: its queue, its pauses, and the waits that it asked for.

pub mod budget;
pub(super) mod host_gate;
pub mod host_queue;
mod sites;
