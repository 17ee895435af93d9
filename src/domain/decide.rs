//! Known state and observations in, decision out.
