//! revisor watches feeds and the article pages behind them, keeps every version, and tells people what was changed
//! after publication.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub mod time;

pub mod domain;

pub mod feed;

pub mod extract;

pub mod document;

pub mod report;

pub mod config;

pub mod metrics;

pub mod web;

pub mod fetch;

pub mod store;

pub mod notify;

pub mod pipeline;

pub mod demo;

pub mod daemon;

pub mod error;

pub mod logging;

pub mod memory;

pub mod cli;
