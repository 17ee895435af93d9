//! The edge of the receivers: the outbox is drained here.
//!
//! It promises that a delivery is sent at least once with the same id until the receiver has taken it or the schedule
//! is over, that one target never delays another, and that no transaction is open while something is sent.
//! It does not decide what is told to whom; that is settled when a change is stored.
//!
//! [`sign`], [`payload`] and `redact` are pure.

pub mod deliver;
pub mod drain;
pub mod outbox;
pub mod payload;
mod redact;
pub mod sign;
pub mod target;

#[cfg(test)]
mod testing;

pub use deliver::{Attempt, Deliver, Deliverer, DeliveryResult};
pub use drain::{Drain, DrainSummary};
pub use outbox::{Outbox, StoredOutbox};
pub use payload::{fit, test_event};
pub use sign::{Secret, SecretError, Signed, VerifyError, sign, verify};
pub use target::{Target, TargetKind};
