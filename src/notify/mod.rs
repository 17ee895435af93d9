//! The edge of the receivers: the outbox is drained here.
//!
//! It promises that a delivery is sent at least once with the same id until the receiver has taken it or the schedule
//! is over, that one target never delays another, and that no transaction is open while something is sent.
//! It does not decide what is told to whom; that is settled when a change is stored.
//!
//! [`kinds`] (how each service is spoken to), [`sign`], [`payload`], `template` and `redact` are pure; [`deliver`] and
//! `edges` send.

pub mod deliver;
mod digest;
pub mod drain;
mod edges;
pub mod kinds;
pub mod outbox;
pub mod payload;
mod redact;
pub mod sign;
pub mod target;
mod template;

#[cfg(test)]
mod testing;

pub use deliver::{Attempt, Deliver, Deliverer, Outgoing, preview};
pub use drain::{Drain, DrainSummary};
pub use kinds::DeliveryResult;
pub use outbox::{Outbox, StoredOutbox};
pub use payload::test_event;
pub use sign::{SecretError, Signed, SigningSecret, VerifyError, sign, verify};
pub use target::{Target, targets};
