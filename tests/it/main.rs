//! Tests of the whole: the shape of the code, and the real binary from end to end.

mod architecture;
mod docs;
mod support;
mod unit;
mod daemon;
mod telling;
mod trouble;
