//! The clients of all feeds: one for most of them, and others for feeds with settings of their own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use ipnet::IpNet;
use url::Url;

use super::address::AddressPolicy;
use super::client::Client;
use super::pool::Pool;
use super::request::user_agent;
use super::resolver::system_lookup;
use super::settings::{ClientConfig, ClientError};
use crate::config::{FeedConfig, FetchConfig, Login, Proxy, Secret};
use crate::fetch::hops::same_site;
use crate::time::Clock;

/// Makes the client for the settings of a feed. Feeds that may reach the same networks in the same way share
/// connections, whatever else differs; other feeds never do.
pub struct Clients {
    common: Arc<FetchConfig>,
    client: Client,
    pools: Mutex<HashMap<ClientKey, Pool>>,
    clock: Arc<dyn Clock>,
}

/// What decides whether connections may be shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ClientKey {
    allow_private: Vec<IpNet>,
    proxy: Option<Secret>,
    ca_file: Option<PathBuf>,
}

impl ClientKey {
    fn of(fetch: &FetchConfig, config: &ClientConfig) -> Self {
        Self {
            allow_private: fetch.allow_private.clone(),
            proxy: config.proxy.clone(),
            ca_file: config.ca_file.clone(),
        }
    }
}

impl Clients {
    /// The clients of a configuration. All clients that `feeds` need are made now, so that an unreadable
    /// certificate or an unusable proxy is reported before anything is polled.
    pub fn new<'f>(
        common: &Arc<FetchConfig>,
        feeds: impl IntoIterator<Item = &'f Arc<FetchConfig>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let config = config(common)?;
        let pool = Pool::new(&config, system_lookup())?;
        let clients = Self {
            common: Arc::clone(common),
            client: Client::with_pool(pool.clone(), &config, Arc::clone(&clock))?,
            pools: Mutex::new(HashMap::from([(ClientKey::of(common, &config), pool)])),
            clock,
        };
        for feed in feeds {
            if !Arc::ptr_eq(feed, common) {
                clients.of(feed)?;
            }
        }
        Ok(clients)
    }

    /// The client for requests that do not belong to a feed.
    #[must_use]
    pub fn common(&self) -> &Client {
        &self.client
    }

    /// The client for the settings of a feed. Never fails for settings that [`Self::new`] has seen.
    pub fn of(&self, fetch: &FetchConfig) -> Result<Client, ClientError> {
        // Most feeds have the very same settings, so that nothing has to be compared.
        if std::ptr::eq(fetch, &raw const *self.common) || *fetch == *self.common {
            return Ok(self.client.clone());
        }
        let config = config(fetch)?;
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = match pools.entry(ClientKey::of(fetch, &config)) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => new.insert(Pool::new(&config, system_lookup())?).clone(),
        };
        Client::with_pool(pool, &config, Arc::clone(&self.clock))
    }
}

/// A separate client with the settings of feeds that have none of their own.
pub(crate) fn common_client(
    fetch: &FetchConfig,
    clock: Arc<dyn Clock>,
) -> Result<Client, ClientError> {
    Client::new(&config(fetch)?, clock)
}

fn config(fetch: &FetchConfig) -> Result<ClientConfig, ClientError> {
    let proxy = match &fetch.proxy {
        Proxy::Direct => None,
        // A request without the proxy would reveal who sends it.
        Proxy::Through { url: None, .. } => return Err(ClientError::ProxyNotRead),
        Proxy::Through { url: some, .. } => some.clone(),
    };
    Ok(ClientConfig {
        timeout: fetch.timeout,
        max_size: fetch.max_size,
        policy: AddressPolicy::public_and(fetch.allow_private.iter().copied()),
        user_agent: user_agent(&fetch.user_agent_contact),
        proxy,
        ca_file: fetch.ca_file.clone(),
        ..ClientConfig::default()
    })
}

/// The headers that a feed's settings add to a request for `url`: all of them for the feed's own origin, and none
/// elsewhere, so that a feed cannot have its login sent to whatever it links to.
#[must_use]
pub(crate) fn own_headers(feed: &FeedConfig, url: &str) -> Vec<(String, String)> {
    let Some(access) = &feed.access else {
        return Vec::new();
    };
    let home = Url::parse(&feed.url);
    let (Ok(home), Ok(url)) = (home, Url::parse(url.trim())) else {
        return Vec::new();
    };
    if !same_site(&home, &url) {
        return Vec::new();
    }
    let login = access.login.as_ref().and_then(|login| match login {
        Login::Basic { user, password, .. } => {
            let pair = format!("{user}:{}", password.as_ref()?.expose());
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            Some(format!("Basic {encoded}"))
        }
        Login::Bearer { token, .. } => Some(format!("Bearer {}", token.as_ref()?.expose())),
    });
    let login = login.map(|value| ("authorization".to_owned(), value));
    let headers = access.headers.iter().filter_map(|header| {
        let value = header.value.as_ref()?.expose().to_owned();
        Some((header.name.clone(), value))
    });
    login.into_iter().chain(headers).collect()
}
