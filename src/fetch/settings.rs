//! The settings of a client, and why one could not be made.

use std::path::PathBuf;
use std::time::Duration;

use super::address::AddressPolicy;
use crate::config::Secret;

/// Settings of a [`Client`](super::Client).
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The total time of a request, including redirects and body.
    pub timeout: Duration,
    /// The time to connect, including TLS.
    pub connect_timeout: Duration,
    /// The longest time without data inside a body.
    pub idle_timeout: Duration,
    /// The largest body in bytes, decoded.
    pub max_size: u64,
    /// The most redirects that are followed.
    pub max_redirects: usize,
    /// How long an unused connection is kept for the next page of the same host.
    pub keep_alive: Duration,
    /// Which addresses may be reached.
    pub policy: AddressPolicy,
    /// The value of `User-Agent`; see [`super::user_agent`].
    pub user_agent: String,
    /// The HTTP proxy for all requests, with its user name and password.
    pub proxy: Option<Secret>,
    /// Certificates (PEM) to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(15),
            max_size: 10 * 1024 * 1024,
            max_redirects: 10,
            keep_alive: Duration::from_secs(10),
            policy: AddressPolicy::default(),
            user_agent: super::user_agent(""),
            proxy: None,
            ca_file: None,
        }
    }
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The user agent has characters that a header cannot have.
    #[error("the user agent cannot be sent as a header")]
    UserAgent,
    /// The certificates to trust besides those of the system.
    #[error("ca_file: cannot load certificates from {}: {why}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The address of the proxy is invalid. It may hold a password and is not shown.
    #[error("proxy: the address is not valid")]
    Proxy,
    /// The address of the proxy is a secret that could not be read.
    #[error("proxy: cannot read its address from here, and requests need it")]
    ProxyNotRead,
    /// TLS could not be set up.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}
