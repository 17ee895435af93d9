//! Connections: where they may lead, through what, and whose certificates are believed.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::{Host, Url};

use super::address::AddressPolicy;
use super::failure::{self, Cause};
use super::resolver::{self, GuardedResolver, Lookup};
use super::settings::{ClientConfig, ClientError};
use crate::time::Stopwatch;

/// Headers of an answer that are read; some sites set a cookie for each of their partners.
const MAX_HEADERS: usize = 400;

/// Connections, and where they may lead; clones are the same pool.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) http: reqwest::Client,
    policy: Arc<AddressPolicy>,
    lookup: Arc<Lookup>,
    /// Whether a proxy is asked, which looks names up itself.
    proxied: bool,
    kept: Arc<Kept>,
}

/// To which origins there may be a kept connection: the library does not say on which one a request went.
struct Kept {
    /// How long an unused one is kept.
    keep_alive: Duration,
    /// When each origin answered last.
    answered: Mutex<HashMap<String, Stopwatch>>,
}

/// Origins that are remembered before those without a connection are forgotten.
const CROWD: usize = 1024;

impl Pool {
    /// A pool of its own; of `config` only what is said of connections counts.
    pub(super) fn new(config: &ClientConfig, lookup: Arc<Lookup>) -> Result<Self, ClientError> {
        let policy = Arc::new(config.policy.clone());
        choose_cryptography();
        // The proxy is the operator's, wherever it stands; what it is asked for is judged before it is asked.
        let reach = match &config.proxy {
            Some(_) => Arc::new(AddressPolicy::anywhere()),
            None => Arc::clone(&policy),
        };
        let mut http = reqwest::Client::builder()
            // A proxy from the environment would resolve names itself, past the address policy.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(GuardedResolver::new(reach, Arc::clone(&lookup)))
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(config.keep_alive)
            // A connection lives for seconds and every wait has its own limit, so the library's five socket options
            // that find dead peers are system calls for nothing: a twentieth of an unchanged poll.
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .tcp_user_timeout(None)
            .http1_max_headers(MAX_HEADERS)
            .http2_max_header_list_size(256 * 1024);
        if let Some(proxy) = &config.proxy {
            let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|_| ClientError::Proxy)?;
            http = http.proxy(proxy);
        }
        if let Some(path) = &config.ca_file {
            http = http.tls_certs_merge(certificates(path)?);
        }
        let http = http
            .build()
            .map_err(|error| ClientError::Setup(error.into()))?;
        Ok(Self {
            http,
            policy,
            lookup,
            proxied: config.proxy.is_some(),
            kept: Arc::new(Kept {
                keep_alive: config.keep_alive,
                answered: Mutex::default(),
            }),
        })
    }

    /// Notes that an origin has answered.
    pub(super) fn answered(&self, url: &Url) {
        let Kept { keep_alive, .. } = *self.kept;
        let mut answered = self.kept.lock();
        if answered.len() >= CROWD {
            answered.retain(|_, at| at.elapsed() <= keep_alive);
        }
        answered.insert(url.origin().ascii_serialization(), Stopwatch::start());
    }

    /// Whether a request may go out on a connection that was used before.
    pub(super) fn may_be_kept(&self, url: &Url) -> bool {
        let answered = self.kept.lock();
        let at = answered.get(&url.origin().ascii_serialization());
        at.is_some_and(|at| at.elapsed() <= self.kept.keep_alive)
    }

    /// Whether an address may be asked for, as far as that can be said before the connection is made. Names are looked up
    /// here, within a time of their own: what is left for the connection does not depend on the name server. Through a
    /// proxy all addresses of a name have to be permitted, as the proxy looks it up once more.
    pub(super) async fn check(&self, url: &Url) -> Result<(), Cause> {
        self.policy.check_url(url)?;
        let host = match url.host() {
            Some(Host::Domain(host)) => host,
            Some(Host::Ipv4(address)) => {
                return Ok(resolver::judge_address(&self.policy, address.into())?);
            }
            Some(Host::Ipv6(address)) => {
                return Ok(resolver::judge_address(&self.policy, address.into())?);
            }
            None => return Ok(()),
        };
        if self.proxied {
            let found = (self.lookup)(host.to_owned()).await;
            return resolver::judge(&self.policy, host, found);
        }
        if self.may_be_kept(url) {
            return Ok(());
        }
        let found = (self.lookup)(host.to_owned()).await;
        resolver::judge_any(&self.policy, host, found)
    }

    /// What went wrong before an answer came.
    pub(super) fn cause(&self, error: &reqwest::Error, url: &Url) -> Cause {
        let host = url.host_str().unwrap_or_default();
        let mut cause = failure::of_sending(error, host, url.scheme() == "https");
        if self.proxied {
            cause.message.push_str(", through the proxy");
        }
        cause
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Stopwatch>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The certificates of a file.
fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let wrong = |why: String| ClientError::CaFile {
        path: path.to_owned(),
        why,
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem);
    let found = found.map_err(|_| wrong("it is not in PEM form".to_owned()))?;
    if found.is_empty() {
        return Err(wrong("there is none in it".to_owned()));
    }
    Ok(found)
}

/// Names the cryptography that TLS uses, once for the process: `ring`, which compiles in a tenth of the time that the
/// library's own choice takes. Whoever named another one before keeps it.
fn choose_cryptography() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
