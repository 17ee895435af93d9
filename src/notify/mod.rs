//! The sending side: drains the outbox.
//!
//! It guarantees that a delivery is sent at least once, always with the same id, until the receiver has accepted
//! it or the schedule is exhausted; that one target never delays another; and that no transaction is open while
//! something is sent. It does not decide which target gets which event; that is decided when a change is stored.
//!
//! [`kinds`] (how to send to each service), [`sign`], [`payload`], `template` and `redact` are pure; [`deliver`]
//! and `edges` send.

pub(crate) mod deliver;
mod digest;
pub(crate) mod drain;
mod edges;
pub(crate) mod kinds;
pub(crate) mod outbox;
pub(crate) mod payload;
mod redact;
pub mod sign;
pub(crate) mod target;
mod template;
pub(crate) mod trial;

#[cfg(test)]
mod testing;

pub use deliver::Deliverer;
pub(crate) use deliver::{Attempt, Deliver, Outgoing, preview};
pub use drain::Drain;
pub(crate) use drain::DrainSummary;
pub(crate) use kinds::DeliveryResult;
pub use outbox::StoredOutbox;
pub use payload::test_event;
pub(crate) use sign::SecretError;
pub use sign::{SigningSecret, sign, verify};
pub use target::{Target, targets};
