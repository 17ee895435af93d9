//! Connections: where they may lead, through which proxy, and which certificates are trusted.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use url::{Host, Url};

use super::address::AddressPolicy;
use super::failure::{self, Cause};
use super::resolver::{self, GuardedResolver, Lookup};
use super::settings::{ClientConfig, ClientError};
use crate::time::Stopwatch;

/// The most response headers that are read; some sites set a cookie for each of their partners.
const MAX_HEADERS: usize = 400;

/// The most unused connections that are kept. A thousand feeds that are polled together must not leave a thousand of
/// them: each keeps the buffer for its longest response, often 100 to 400 KB, and one of the system's descriptors.
const MOST_KEPT: usize = 64;

/// The same, limited to a quarter of the descriptors.
fn most_kept() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let quarter = limit.map_or(MOST_KEPT, |limit| {
        usize::try_from(limit / 4).unwrap_or(MOST_KEPT)
    });
    quarter.clamp(1, MOST_KEPT)
}

/// Connections, and where they may lead; clones are the same pool.
#[derive(Clone)]
pub(super) struct Pool {
    http: reqwest::Client,
    /// A second client that keeps no connections, for when there are enough of them. Made on demand.
    once: Arc<OnceLock<Option<reqwest::Client>>>,
    config: Arc<ClientConfig>,
    policy: Arc<AddressPolicy>,
    lookup: Arc<Lookup>,
    /// Whether there is a proxy, which looks up names itself.
    proxied: bool,
    kept: Arc<PooledOrigins>,
}

/// Origins to which a connection may be kept: the library does not say which connection a request used.
struct PooledOrigins {
    /// How long an unused one is kept.
    keep_alive: Duration,
    /// How many connections may be kept.
    most: usize,
    /// The origins that have a slot.
    answered: Mutex<HashMap<String, PoolSlot>>,
}

/// The slot for a connection to one origin.
#[derive(Debug, Clone, Copy)]
struct PoolSlot {
    /// When it last responded, or got the slot.
    since: Stopwatch,
    answered: bool,
}

impl Pool {
    /// A separate pool; only the connection settings in `config` are used.
    pub(super) fn new(config: &ClientConfig, lookup: Arc<Lookup>) -> Result<Self, ClientError> {
        choose_cryptography();
        Ok(Self {
            http: Self::client(config, &lookup, 1)?,
            once: Arc::default(),
            policy: Arc::new(config.policy.clone()),
            lookup,
            proxied: config.proxy.is_some(),
            kept: Arc::new(PooledOrigins {
                keep_alive: config.keep_alive,
                most: most_kept(),
                answered: Mutex::default(),
            }),
            config: Arc::new(config.clone()),
        })
    }

    /// A client that keeps this many unused connections to each host.
    fn client(
        config: &ClientConfig,
        lookup: &Arc<Lookup>,
        kept: usize,
    ) -> Result<reqwest::Client, ClientError> {
        // The proxy is the operator's, in whatever network; requests are judged before they are passed to it.
        let reach = match &config.proxy {
            Some(_) => Arc::new(AddressPolicy::anywhere()),
            None => Arc::new(config.policy.clone()),
        };
        let mut http = reqwest::Client::builder()
            // A proxy from the environment would resolve names itself and bypass the address policy.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(GuardedResolver::new(reach, Arc::clone(lookup)))
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(kept)
            .pool_idle_timeout(config.keep_alive)
            // A connection lives for seconds and every wait has its own limit, so the library's five socket options
            // for finding dead peers are useless system calls: a twentieth of an unchanged poll.
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
        http.build()
            .map_err(|error| ClientError::Setup(error.into()))
    }

    /// Sends a request. Its connection is kept afterwards unless there are too many of them.
    pub(super) async fn execute(
        &self,
        request: reqwest::Request,
    ) -> reqwest::Result<reqwest::Response> {
        let keeps = self
            .kept
            .reserve(request.url().origin().ascii_serialization());
        let once = || {
            let made = self.once.get_or_init(|| {
                // If it cannot be made now, nor could the first one.
                Self::client(&self.config, &self.lookup, 0).ok()
            });
            made.as_ref()
        };
        let client = match keeps {
            true => &self.http,
            false => once().unwrap_or(&self.http),
        };
        client.execute(request).await
    }

    /// Records that an origin has responded.
    pub(super) fn answered(&self, url: &Url) {
        let origin = url.origin().ascii_serialization();
        let mut answered = self.kept.lock();
        // Without a slot, the request used a connection that is not kept.
        if let Some(place) = answered.get_mut(&origin) {
            *place = PoolSlot {
                since: Stopwatch::start(),
                answered: true,
            };
        }
    }

    /// Whether a request may use a connection that was used before.
    pub(super) fn may_be_kept(&self, url: &Url) -> bool {
        let answered = self.kept.lock();
        let at = answered.get(&url.origin().ascii_serialization());
        at.is_some_and(|at| at.answered && at.since.elapsed() <= self.kept.keep_alive)
    }

    /// Whether an address may be requested, as far as that is known before connecting. Names are looked up here,
    /// with a time limit of their own, so that a slow name server does not reduce the time to connect. Through a
    /// proxy, all addresses of a name must be permitted, because the proxy looks it up again.
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

    /// What went wrong before a response arrived.
    pub(super) fn cause(&self, error: &reqwest::Error, url: &Url) -> Cause {
        let host = url.host_str().unwrap_or_default();
        let mut cause = failure::of_sending(error, host, url.scheme() == "https");
        if self.proxied {
            cause.message.push_str(", through the proxy");
        }
        cause
    }
}

impl PooledOrigins {
    /// Whether the connection for a request to this origin may be kept: it has a slot, or one is free.
    fn reserve(&self, origin: String) -> bool {
        let mut answered = self.lock();
        if answered.contains_key(&origin) {
            return true;
        }
        if answered.len() >= self.most {
            answered.retain(|_, place| place.since.elapsed() <= self.keep_alive);
        }
        if answered.len() >= self.most {
            return false;
        }
        let since = Stopwatch::start();
        answered.insert(
            origin,
            PoolSlot {
                since,
                answered: false,
            },
        );
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, PoolSlot>> {
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
        return Err(wrong("it has no certificate".to_owned()));
    }
    Ok(found)
}

/// Sets the cryptography for TLS, once per process: `ring`, which compiles in a tenth of the time that the
/// library's default takes. If another one was set before, that one stays.
fn choose_cryptography() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
