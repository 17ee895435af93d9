//! The HTTP edge: the one place that gets feeds and pages.
//!
//! It promises that an answer is bounded in bytes and time, that no request reaches an address which the policy does
//! not permit, and that a failure is a value with a kind, a status and a sentence for people.
//! It does not parse, schedule, store or retry a poll; the caller decides what an answer means.
//!
//! [`address`], [`request`], [`response`], [`limits`] and [`budget`] are pure; [`client`] is the life of one request, and
//! [`Clients`] those of all feeds.

pub mod address;
mod body;
pub mod budget;
pub mod client;
mod clients;
mod coding;
mod failure;
mod headers;
pub mod limits;
mod lookup;
mod pool;
mod post;
pub mod request;
mod resolver;
pub mod response;
mod room;
mod settings;
mod sites;
#[cfg(test)]
mod tls_tests;
mod trail;
mod turns;

pub use address::{AddressPolicy, Refused};
pub use budget::HostBudget;
pub use client::{Client, Step, Way};
pub use clients::{Clients, own_headers};
pub use limits::{HostLimits, HostQueue, Lane, host_key};
pub use post::{PostAnswer, PostMethod, PostRequest};
pub use request::{FetchRequest, Kind, user_agent};
pub use response::{
    Answer, CacheHints, FailureKind, FetchFailure, Fetched, Gone, NotModified, Redirect,
};
pub use room::{Load, Room, Want};
pub use settings::{ClientConfig, ClientError};
pub use turns::{Turn, Turns};
