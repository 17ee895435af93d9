//! Where events are sent.

use super::sign::Secret;
use crate::fetch::AddressPolicy;

/// A receiver, from a `[[target]]` table.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name in the configuration.
    pub name: String,
    /// How it is spoken to.
    pub kind: TargetKind,
    /// The address. It may hold a token, so it is not printed.
    pub url: String,
    /// The secrets that sign, the current one first; the previous one too while it is being replaced. Without any, the
    /// request is not signed.
    pub secrets: Vec<Secret>,
    /// The largest body in bytes.
    pub max_payload: usize,
    /// The addresses that may be reached.
    pub reach: AddressPolicy,
}

/// How a target is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// The event's JSON by POST, as Standard Webhooks.
    Webhook,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("secrets", &self.secrets.len())
            .field("max_payload", &self.max_payload)
            .finish_non_exhaustive()
    }
}
