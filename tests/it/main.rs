//! Tests of the whole: the shape of the code, and the real binary from end to end.

mod access;
mod architecture;
mod booted;
mod care;
mod commands;
mod corpora;
mod daemon;
mod database;
mod docs;
mod evidence;
mod exits;
mod furniture;
mod hostile;
mod identity;
mod kills;
mod life;
mod lists;
mod markup;
mod review;
mod revisions;
mod support;
mod telling;
mod trouble;
mod unit;
mod upgrade;
mod watched;
