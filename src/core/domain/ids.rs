//! Identifiers of stored things: newtypes, so that one cannot be used for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id!(
    /// A row of `feeds`.
    FeedId
);
row_id!(
    /// A row of `entries`.
    EntryId
);
row_id!(
    /// A row of `captures`.
    CaptureId
);
row_id!(
    /// A row of `events`; later events have larger ids.
    EventId
);
row_id!(
    /// A row of `deliveries`.
    DeliveryId
);
row_id!(
    /// A row of `rules`: the number that people see.
    RuleId
);
row_id!(
    /// The number of a change, such as `#412`: counted over the whole database and never reused.
    ChangeNumber
);

/// The number of a revision of one entry: 1, 2, 3 …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionNumber(pub u32);

impl RevisionNumber {
    /// The first revision of an entry.
    pub const FIRST: Self = Self(1);

    /// The number of the revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RevisionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
