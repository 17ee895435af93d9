//! The pure core: values in, values out.
//!
//! Nothing here does IO, reads a clock, uses randomness or logs. The reason for a decision is part of its result.

pub mod article_clock;
pub mod assess;
pub mod backoff;
pub mod chain;
pub mod classify;
pub mod clock_trust;
pub mod compare;
pub mod cron;
pub mod decide;
pub mod diff;
pub mod document;
pub mod durations;
pub mod event;
pub mod event_builder;
pub mod fingerprint;
pub mod form;
pub mod furniture;
pub mod holding;
pub mod identity;
pub mod ids;
pub mod ignored;
pub mod known_items;
pub mod life;
pub mod links;
pub mod live_article;
pub mod moment;
pub mod normalise;
pub mod observation;
pub mod outage;
pub mod outcome;
pub mod outline;
pub mod past;
mod reverts;
pub mod robots;
pub mod route;
pub mod schedule;
pub mod scheme;
pub mod search;
pub mod site;
pub mod state;
pub mod url;
pub mod wayback;
pub mod wording;
