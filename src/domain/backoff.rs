//! Delays after failures.
