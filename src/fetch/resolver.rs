//! Name resolution that hands over permitted addresses only, so that what is connected to is what was checked.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{AddressPolicy, NoAddress, Refused};
use super::failure::{self, Cause};
use super::lookup::Lookups;
use super::response::FailureKind;

/// How a name is looked up: the system's resolver, or a table in tests.
pub(crate) type Lookup = dyn Fn(String) -> LookupFuture + Send + Sync;
pub(crate) type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves by `lookup` and drops what the policy forbids.
pub(crate) struct GuardedResolver {
    policy: Arc<AddressPolicy>,
    lookup: Arc<Lookup>,
}

impl GuardedResolver {
    pub(crate) fn new(policy: Arc<AddressPolicy>, lookup: Arc<Lookup>) -> Self {
        Self { policy, lookup }
    }
}

/// Asks the system.
pub(crate) fn system_lookup() -> Arc<Lookup> {
    let lookups = Lookups::of_system();
    Arc::new(move |host| {
        let lookups = lookups.clone();
        Box::pin(async move { lookups.lookup(&host).await })
    })
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let policy = Arc::clone(&self.policy);
        let looking_up = (self.lookup)(host.clone());
        Box::pin(async move {
            let found = looking_up.await;
            let permitted = permitted(&policy, &host, found)?;
            let with_port = permitted
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(with_port) as Addrs)
        })
    }
}

/// Judges a name that somebody else connects to, by what it leads to here: every address has to be permitted, since
/// nobody here chooses among them.
pub(super) fn judge(
    policy: &AddressPolicy,
    host: &str,
    found: io::Result<Vec<IpAddr>>,
) -> Result<(), Cause> {
    let no_address = |why: String| {
        let message = format!(
            "no address found for {host}{why}; a name that only the proxy can look up is not asked for"
        );
        Cause::new(FailureKind::Dns, message)
    };
    let found = found.map_err(|error| no_address(format!(": {error}")))?;
    if found.is_empty() {
        return Err(no_address(String::new()));
    }
    for address in found {
        policy.judge(address).map_err(|why| why.of_host(host))?;
    }
    Ok(())
}

/// Judges a name before it is connected to: an address that is permitted has to be among those found. What connects
/// looks the name up once more, which is remembered.
pub(super) fn judge_any(
    policy: &AddressPolicy,
    host: &str,
    found: io::Result<Vec<IpAddr>>,
) -> Result<(), Cause> {
    match permitted(policy, host, found) {
        Ok(_) => Ok(()),
        Err(error) => Err(failure::of_lookup(error.as_ref())
            .unwrap_or_else(|| Cause::new(FailureKind::Dns, error.to_string()))),
    }
}

/// The permitted ones of the addresses found; an error when none is left.
fn permitted(
    policy: &AddressPolicy,
    host: &str,
    found: io::Result<Vec<IpAddr>>,
) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
    let found = found.map_err(|error| NoAddress {
        host: host.to_owned(),
        source: Some(error),
    })?;
    let mut refused: Option<Refused> = None;
    let mut kept = Vec::with_capacity(found.len());
    for address in found {
        match policy.judge(address) {
            Ok(()) => kept.push(address),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    match (kept.is_empty(), refused) {
        (false, _) => Ok(kept),
        (true, Some(why)) => Err(why.of_host(host).into()),
        (true, None) => Err(NoAddress {
            host: host.to_owned(),
            source: None,
        }
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn forbidden_addresses_of_a_name_are_dropped() {
        let policy = AddressPolicy::default();
        let mixed = vec![ip("127.0.0.1"), ip("1.1.1.1"), ip("::ffff:10.0.0.1")];
        assert_eq!(
            permitted(&policy, "mixed.test", Ok(mixed)).unwrap(),
            [ip("1.1.1.1")]
        );
        let internal = permitted(&policy, "internal.test", Ok(vec![ip("10.0.0.1")])).unwrap_err();
        assert!(internal.downcast_ref::<Refused>().is_some());
        let nothing = permitted(&policy, "void.test", Ok(vec![])).unwrap_err();
        assert_eq!(nothing.to_string(), "no address found for void.test");
    }
}
