//! The daemon: starts, polls, delivers and stops.

pub mod systemd;
