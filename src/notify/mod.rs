//! The edge of the receivers: the outbox is drained here.
