//! The HTTP edge: the only place that fetches feeds and pages.
//!
//! It guarantees that a response is limited in bytes and time, that no request reaches an address that the policy
//! does not permit, and that a failure is a value with a kind, a status and a sentence for people. It does not
//! parse, schedule, store or retry a poll; the caller decides what a response means.
//!
//! [`address`], [`request`], [`response`], [`polite::host_queue`] and [`polite::budget`] are pure; [`client`]
//! handles one request, and [`Clients`] has the clients of all feeds.

pub mod address;
mod body;
pub mod client;
mod clients;
mod coding;
mod failure;
mod headers;
mod hops;
mod lookup;
pub mod polite;
mod pool;
mod post;
pub mod request;
mod resolver;
pub mod response;
mod room;
mod settings;
#[cfg(test)]
mod tls_tests;

pub use address::{AddressPolicy, Refused};
pub use client::{Client, RedirectChain, Step};
pub use clients::{Clients, common_client, own_headers};
pub use polite::budget::HostBudget;
pub use polite::host_gate::{Turn, Turns};
pub use polite::host_queue::{HostLimits, HostQueue, Lane, host_key};
pub use post::{PostAnswer, PostMethod, PostRequest};
pub use request::{FetchRequest, RequestKind, user_agent};
pub use response::{
    Answer, CacheHints, FailureKind, FetchFailure, Fetched, GoneResponse, NotModified, Redirect,
};
pub use room::{Load, Room, Want};
pub use settings::{ClientConfig, ClientError};
