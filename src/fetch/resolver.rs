//! Name resolution that returns only permitted addresses, so that what is connected to is what was checked.

use std::collections::HashSet;
use std::error::Error;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, getsockname, socket_with};

use super::address::{AddressPolicy, NoAddress, Refused};
use super::failure::{self, Cause};
use super::lookup::Lookups;
use super::response::FailureKind;
use crate::time::Stopwatch;

/// How a name is looked up: by the system's resolver, or in a table in tests.
pub(crate) type Lookup = dyn Fn(String) -> LookupFuture + Send + Sync;
pub(crate) type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves with `lookup` and drops the addresses that the policy forbids.
pub(crate) struct GuardedResolver {
    policy: Arc<AddressPolicy>,
    lookup: Arc<Lookup>,
}

impl GuardedResolver {
    pub(crate) fn new(policy: Arc<AddressPolicy>, lookup: Arc<Lookup>) -> Self {
        Self { policy, lookup }
    }
}

/// The system's resolver.
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

/// Judges a name that another program connects to, by its addresses here. Every address must be permitted, because
/// the choice among them is not ours.
pub(super) fn judge(
    policy: &AddressPolicy,
    host: &str,
    found: io::Result<Vec<IpAddr>>,
) -> Result<(), Cause> {
    let no_address = |why: String| {
        let message = format!(
            "no address found for {host}{why}; names that only the proxy can resolve are not supported"
        );
        Cause::new(FailureKind::Dns, message)
    };
    let found = found.map_err(|error| no_address(format!(": {error}")))?;
    if found.is_empty() {
        return Err(no_address(String::new()));
    }
    for address in found {
        judge_address(policy, address).map_err(|why| why.of_host(host))?;
    }
    Ok(())
}

/// Judges one address, on this machine.
pub(super) fn judge_address(policy: &AddressPolicy, address: IpAddr) -> Result<(), Refused> {
    policy.judge_here(address, is_ours)
}

/// How long the machine's own addresses are remembered.
const OURS_FOR: Duration = Duration::from_mins(1);

/// The most bytes that are read of a kernel table; a machine with a longer one is a router.
const MAX_TABLE: u64 = 1 << 20;

/// When the machine's own addresses were read, and what they are; `None` if the kernel's tables could not be read.
type Own = Option<(Stopwatch, Option<HashSet<IpAddr>>)>;

/// Whether this machine has the address. Called for each address at each request, so the tables are read once a minute.
fn is_ours(address: IpAddr) -> bool {
    static OWN: Mutex<Own> = Mutex::new(None);
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = own.take().filter(|(at, _)| at.elapsed() < OURS_FOR);
    let (at, addresses) = known.unwrap_or_else(|| (Stopwatch::start(), own_addresses()));
    let ours = addresses.as_ref().map(|own| own.contains(&address));
    *own = Some((at, addresses));
    drop(own);
    ours.unwrap_or_else(|| sends_from(address))
}

fn own_addresses() -> Option<HashSet<IpAddr>> {
    let table = |name: &str| {
        let mut text = String::new();
        let file = File::open(Path::new("/proc/self/net").join(name)).ok()?;
        file.take(MAX_TABLE).read_to_string(&mut text).ok()?;
        Some(text)
    };
    let mut own = local_routes(&table("fib_trie")?);
    // Without IPv6 this table does not exist.
    own.extend(interfaces(&table("if_inet6").unwrap_or_default()));
    Some(own)
}

/// The addresses that the kernel routes to this machine: `|-- 192.0.2.7` followed by `/32 host LOCAL`.
fn local_routes(routes: &str) -> HashSet<IpAddr> {
    let mut own = HashSet::new();
    let mut lines = routes.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let address = line.strip_prefix("|-- ").map(str::parse);
        if let Some(Ok(address)) = address
            && lines.peek() == Some(&"/32 host LOCAL")
        {
            own.insert(address);
        }
    }
    own
}

/// The IPv6 addresses of all interfaces, 32 hexadecimal digits at the beginning of each line.
fn interfaces(table: &str) -> impl Iterator<Item = IpAddr> {
    let digits = table.lines().filter_map(|line| line.get(..32));
    let numbers = digits.filter_map(|digits| u128::from_str_radix(digits, 16).ok());
    numbers.map(|number| Ipv6Addr::from_bits(number).into())
}

/// Whether a datagram to the address would also come from it: then it is our own. Nothing is sent or bound.
fn sends_from(address: IpAddr) -> bool {
    let family = match address {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let source = || {
        let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        connect(&socket, &SocketAddr::new(address, 9))?;
        getsockname(&socket)
    };
    let source = source()
        .ok()
        .and_then(|found| SocketAddr::try_from(found).ok());
    source.is_some_and(|source| source.ip() == address)
}

/// Judges a name before it is connected to: at least one of its addresses must be permitted. The connection looks
/// up the name again, and gets the remembered result.
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

/// The addresses found that are permitted; an error if none is.
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
        match judge_address(policy, address) {
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
    fn the_addresses_of_this_machine_are_known() {
        assert!(is_ours(ip("127.0.0.1")) && sends_from(ip("127.0.0.1")));
        for other in ["192.0.2.1", "1.1.1.1", "2001:db8::1"] {
            assert!(!is_ours(ip(other)) && !sends_from(ip(other)), "{other}");
        }
    }

    #[test]
    fn a_second_address_of_an_interface_is_found_in_the_routes() {
        let routes = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     +-- 192.0.2.0/24 2 0 2\n        |-- 192.0.2.0\n           \
                      /24 link UNICAST\n        |-- 192.0.2.7\n           /32 host LOCAL\n        |-- 192.0.2.255\n           \
                      /32 link BROADCAST\n";
        assert_eq!(local_routes(routes), HashSet::from([ip("192.0.2.7")]));
        let table = "20010db8000000000000000000000007 02 40 00 80     eth0\nx\n";
        assert_eq!(interfaces(table).collect::<Vec<_>>(), [ip("2001:db8::7")]);
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
