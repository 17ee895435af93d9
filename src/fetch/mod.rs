//! The HTTP edge: the only place that fetches feeds and pages.
//!
//! It guarantees that a response is limited in bytes and time, that no request reaches an address that the policy
//! does not permit, and that a failure is a value with a kind, a status and a sentence for people. It does not
//! parse, schedule, store or retry a poll; the caller decides what a response means.
//!
//! [`address`], [`request`], [`response`], [`polite::host_queue`] and [`polite::budget`] are pure; [`client`]
//! handles one request, and [`Clients`] has the clients of all feeds.

pub(crate) mod address;
mod body;
pub(crate) mod client;
mod clients;
mod coding;
mod failure;
mod headers;
mod hops;
mod lookup;
pub(crate) mod polite;
mod pool;
mod post;
pub(crate) mod request;
mod resolver;
pub(crate) mod response;
mod room;
mod settings;
#[cfg(test)]
mod tls_tests;

pub(crate) use address::AddressPolicy;
pub(crate) use client::{Client, RedirectChain, Step};
pub(crate) use clients::{Clients, common_client, own_headers};
pub(crate) use polite::budget::HostBudget;
pub(crate) use polite::host_gate::{Turn, Turns};
pub(crate) use polite::host_queue::{HostLimits, Lane, host_key};
pub(crate) use post::{PostAnswer, PostMethod, PostRequest};
pub(crate) use request::{FetchRequest, RequestKind, user_agent};
pub(crate) use response::{Answer, CacheHints, FailureKind, FetchFailure, Fetched};
pub(crate) use room::{Load, Room, Want};
pub(crate) use settings::{ClientConfig, ClientError};
