//! Which addresses a request may reach.
//!
//! Feeds, pages and redirects are written by strangers, so by default only the public internet may be reached.
//! There are two checks. [`AddressPolicy::check_url`] judges the URL itself (an address literal never reaches a
//! resolver). The client's resolver then returns only addresses that [`AddressPolicy::permits`]. So the address
//! that is connected to is the one that was checked, whatever DNS returns the next time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The networks that may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPolicy {
    scope: Scope,
    allow: Vec<IpNet>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Public,
    Any,
}

impl AddressPolicy {
    /// Public addresses, and those in `allow`.
    #[must_use]
    pub fn public_and(allow: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            scope: Scope::Public,
            allow: allow.into_iter().map(unmapped).collect(),
        }
    }

    /// Every address: for receivers that the operator has configured by name.
    #[must_use]
    pub fn anywhere() -> Self {
        Self {
            scope: Scope::Any,
            allow: Vec::new(),
        }
    }

    /// Whether this address may be connected to.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        self.judge(address).is_ok()
    }

    /// Like [`Self::permits`], with the rule that forbids the address.
    pub fn judge(&self, address: IpAddr) -> Result<(), Refused> {
        self.judge_here(address, |_| false)
    }

    /// Like [`Self::judge`], for a machine with addresses of its own: those are no more public than private ones,
    /// because services on them may be closed to everybody else.
    pub(super) fn judge_here(
        &self,
        address: IpAddr,
        is_ours: impl FnOnce(IpAddr) -> bool,
    ) -> Result<(), Refused> {
        let address = address.to_canonical();
        let behind = behind_gateway(address);
        let refused = |network| {
            Err(Refused::Address {
                address,
                network,
                host: None,
            })
        };
        let allows = |net: &IpNet| net.contains(&address) || net.contains(&behind);
        let names = |net: &IpNet| net.prefix_len() == net.max_prefix_len() && allows(net);
        match () {
            () if self.scope == Scope::Any || self.allow.iter().any(names) => Ok(()),
            // Allowing a network does not allow the metadata services that clouds put in it.
            () if METADATA.contains(&behind) => refused("cloud metadata service"),
            () if self.allow.iter().any(allows) => Ok(()),
            () => match reserved(behind) {
                Some(network) => refused(network),
                None if is_ours(behind) => refused("an address of this machine"),
                None => Ok(()),
            },
        }
    }

    /// Checks everything that needs no DNS: the scheme, a host, no user name, and a permitted address if the host
    /// is one. The URL parser reads all spellings of an address (`2130706433`, `0x7f.1`, `[::ffff:7f00:1]`) as the
    /// same one.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(shortened(url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        match url.host() {
            None => Err(Refused::NoHost),
            Some(Host::Domain(name)) if name.trim_matches('.').is_empty() => Err(Refused::NoHost),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.judge(address.into()),
            Some(Host::Ipv6(address)) => self.judge(address.into()),
        }
    }
}

impl AddressPolicy {
    /// Like [`Self::check_url`], for an address that has not been parsed yet.
    #[must_use]
    pub fn permits_url(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| self.check_url(&url).is_ok())
    }
}

impl Default for AddressPolicy {
    fn default() -> Self {
        Self::public_and([])
    }
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a web address.
    #[error("only http and https addresses are fetched, not `{0}:`")]
    Scheme(String),
    /// An address without a host.
    #[error("the address has no host")]
    NoHost,
    /// `http://name@host/`: a stranger's address must not choose credentials, and it hides the real host from readers.
    #[error("the address has a user name or password")]
    UserInfo,
    /// An address that is not public and not allowed by the configuration.
    #[error(
        "{}{address} is not public ({network}); add it or its network to `fetch.allow_private` to allow it",
        .host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default()
    )]
    Address {
        /// The address, a mapped IPv4 address as IPv4.
        address: IpAddr,
        /// The network that it belongs to and what that network is for.
        network: &'static str,
        /// The name that led to it, if there was one.
        host: Option<String>,
    },
}

impl Refused {
    /// The same refusal, naming the host that has the address.
    #[must_use]
    pub(crate) fn of_host(self, name: &str) -> Self {
        match self {
            Self::Address {
                address, network, ..
            } => Self::Address {
                address,
                network,
                host: Some(shortened(name)),
            },
            other => other,
        }
    }
}

/// A name without an address.
#[derive(Debug, thiserror::Error)]
#[error("no address found for {host}")]
pub(crate) struct NoAddress {
    pub(crate) host: String,
    #[source]
    pub(crate) source: Option<std::io::Error>,
}

/// Where clouds offer names, keys and scripts to their machines. Some are in private networks; one looks public.
const METADATA: [IpAddr; 8] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// IANA's special-purpose IPv4 networks that are not globally reachable, and multicast.
const RESERVED_V4: [(Ipv4Net, &str); 15] = [
    (v4([0, 0, 0, 0], 8), "0.0.0.0/8, this host"),
    (v4([10, 0, 0, 0], 8), "10.0.0.0/8, private"),
    (v4([100, 64, 0, 0], 10), "100.64.0.0/10, shared by carriers"),
    (v4([127, 0, 0, 0], 8), "127.0.0.0/8, loopback"),
    (v4([169, 254, 0, 0], 16), "169.254.0.0/16, link-local"),
    (v4([172, 16, 0, 0], 12), "172.16.0.0/12, private"),
    (v4([192, 0, 0, 0], 24), "192.0.0.0/24, protocols"),
    (v4([192, 0, 2, 0], 24), "192.0.2.0/24, documentation"),
    (v4([192, 88, 99, 0], 24), "192.88.99.0/24, 6to4 relays"),
    (v4([192, 168, 0, 0], 16), "192.168.0.0/16, private"),
    (v4([198, 18, 0, 0], 15), "198.18.0.0/15, benchmarks"),
    (v4([198, 51, 100, 0], 24), "198.51.100.0/24, documentation"),
    (v4([203, 0, 113, 0], 24), "203.0.113.0/24, documentation"),
    (v4([224, 0, 0, 0], 4), "224.0.0.0/4, multicast"),
    (v4([240, 0, 0, 0], 4), "240.0.0.0/4, reserved"),
];

/// Addresses that are not public: everything outside the global unicast space `2000::/3`, and the parts of that
/// space that are not internet hosts or that carry an IPv4 address (6to4, Teredo), through which a private one
/// could be reached. The first match names the network. Addresses with the NAT64 gateway's well-known prefix are
/// judged earlier, by the IPv4 address that they carry.
const RESERVED_V6: [(Ipv6Net, &str); 15] = [
    (
        Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128),
        "::1, loopback",
    ),
    (v6(0, 0, 96), "::/96, embedded IPv4"),
    (v6(0x64, 0xff9b, 32), "64:ff9b::/32, NAT64"),
    (v6(0xfc00, 0, 7), "fc00::/7, private"),
    (v6(0xfe80, 0, 10), "fe80::/10, link-local"),
    (v6(0xff00, 0, 8), "ff00::/8, multicast"),
    (v6(0, 0, 3), "outside of 2000::/3"),
    (v6(0x4000, 0, 2), "outside of 2000::/3"),
    (v6(0x8000, 0, 1), "outside of 2000::/3"),
    (v6(0x2001, 0, 32), "2001::/32, Teredo"),
    (v6(0x2001, 0, 23), "2001::/23, protocols"),
    (v6(0x2001, 0xdb8, 32), "2001:db8::/32, documentation"),
    (v6(0x2002, 0, 16), "2002::/16, 6to4"),
    (v6(0x3ffe, 0, 16), "3ffe::/16, given back"),
    (v6(0x3fff, 0, 20), "3fff::/20, documentation"),
];

/// The network because of which an address is not public; `None` for a public one.
fn reserved(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => RESERVED_V4
            .iter()
            .find(|(net, _)| net.contains(&v4))
            .map(|(_, name)| *name),
        IpAddr::V6(v6) => RESERVED_V6
            .iter()
            .find(|(net, _)| net.contains(&v6))
            .map(|(_, name)| *name),
    }
}

/// What a NAT64 gateway connects to: the last 32 bits of an address in its well-known prefix `64:ff9b::/96` (RFC
/// 6052, §2.1). On a machine with only IPv6, DNS64 gives such an address to every name that has only IPv4.
fn behind_gateway(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                let bits = u32::from(high) << 16 | u32::from(low);
                IpAddr::V4(Ipv4Addr::from_bits(bits))
            }
            _ => address,
        },
        IpAddr::V4(_) => address,
    }
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// A network by its first two groups.
const fn v6(first: u16, second: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), prefix)
}

/// A network of mapped IPv4 addresses as an IPv4 network, since addresses are judged in that form.
fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    match (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96)) {
        (Some(v4), Some(prefix)) => {
            Ipv4Net::new(v4, prefix).map_or(IpNet::V6(v6), |net| IpNet::V4(net.trunc()))
        }
        _ => IpNet::V6(Ipv6Net::trunc(&v6)),
    }
}

/// At most 80 characters of a stranger's text, without control characters.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[test]
    fn only_public_addresses_are_permitted() {
        let policy = AddressPolicy::default();
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
            "2003::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b::172.15.255.255",
        ];
        for address in public {
            assert_eq!(policy.judge(address.parse().unwrap()), Ok(()), "{address}");
        }
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::2",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::10.1.2.3",
            "64:ff9b::169.254.169.254",
            "64:ff9b::",
            "64:ff9b::1:808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3ffe::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "8000::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in private {
            assert!(!policy.permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_allowed_network_is_permitted_in_every_spelling_and_nothing_beside_it() {
        let policy = AddressPolicy::public_and(["127.0.0.2/31".parse().unwrap()]);
        for url in [
            "http://127.0.0.2/",
            "http://2130706434/",
            "http://0x7f.2/",
            "http://0177.0.0.2/",
            "http://127.2/",
            "http://[::ffff:127.0.0.2]/",
            "http://127.0.0.3:8900/",
        ] {
            assert_eq!(policy.check_url(&parse(url)), Ok(()), "{url}");
        }
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http:\\\\127.0.0.1\\@news.example/",
            "http://\u{ff11}27.0.0.1/",
        ] {
            let refused = policy.check_url(&parse(url)).unwrap_err();
            assert!(
                matches!(refused, Refused::Address { .. } | Refused::UserInfo),
                "{url}: {refused}"
            );
        }
        let mapped = AddressPolicy::public_and(["::ffff:10.1.0.0/112".parse().unwrap()]);
        assert!(mapped.permits("10.1.2.3".parse().unwrap()));
        assert!(!mapped.permits("10.2.2.3".parse().unwrap()));
    }

    #[test]
    fn metadata_of_clouds_has_to_be_named_one_by_one() {
        let wide = ["0.0.0.0/0", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7"];
        let wide = AddressPolicy::public_and(wide.map(|net| net.parse().unwrap()));
        for address in METADATA {
            for policy in [&AddressPolicy::default(), &wide] {
                let refused = policy.judge(address).unwrap_err();
                let metadata = matches!(
                    refused,
                    Refused::Address {
                        network: "cloud metadata service",
                        ..
                    }
                );
                assert!(metadata, "{address}: {refused}");
            }
            let named = AddressPolicy::public_and([IpNet::from(address)]);
            assert!(named.permits(address), "{address}");
        }
        assert!(!wide.permits("::ffff:168.63.129.16".parse().unwrap()));
        assert!(!wide.permits("64:ff9b::168.63.129.16".parse().unwrap()));
        assert!(wide.permits("100.100.100.201".parse().unwrap()));
    }

    #[test]
    fn an_address_of_this_machine_is_as_little_public_as_a_private_one() {
        let ours: IpAddr = "1.1.1.1".parse().unwrap();
        let is_ours = |address| address == ours;
        let policy = AddressPolicy::default();
        let refused = policy.judge_here(ours, is_ours).unwrap_err();
        assert!(refused.to_string().contains("an address of this machine"));
        assert!(
            policy
                .judge_here("64:ff9b::1.1.1.1".parse().unwrap(), is_ours)
                .is_err()
        );
        assert!(
            policy
                .judge_here("1.0.0.1".parse().unwrap(), is_ours)
                .is_ok()
        );
        let allowed = AddressPolicy::public_and(["1.1.1.0/24".parse().unwrap()]);
        assert!(allowed.judge_here(ours, is_ours).is_ok());
        assert!(AddressPolicy::anywhere().judge_here(ours, is_ours).is_ok());
    }

    #[test]
    fn an_allowed_network_is_permitted_behind_a_gateway_too() {
        let policy = AddressPolicy::public_and(["10.1.0.0/16".parse().unwrap()]);
        assert!(policy.permits("64:ff9b::10.1.2.3".parse().unwrap()));
        let refused = policy.judge("64:ff9b::10.2.2.3".parse().unwrap());
        assert!(
            matches!(&refused, Err(Refused::Address { network, .. }) if network.starts_with("10.0.0.0/8")),
            "{refused:?}"
        );
    }

    #[test]
    fn other_schemes_and_user_names_are_refused() {
        let policy = AddressPolicy::anywhere();
        for url in [
            "file:///etc/passwd",
            "ftp://news.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "gopher://127.0.0.1:6379/_x",
        ] {
            let refused = policy.check_url(&parse(url)).unwrap_err();
            assert!(matches!(refused, Refused::Scheme(_)), "{url}: {refused}");
        }
        for url in ["http://news.example@10.0.0.1/", "http://:x@news.example/"] {
            assert_eq!(
                policy.check_url(&parse(url)),
                Err(Refused::UserInfo),
                "{url}"
            );
        }
        assert_eq!(policy.check_url(&parse("http://./")), Err(Refused::NoHost));
    }

    #[test]
    fn the_refusal_names_the_rule_and_the_way_out() {
        let refused = AddressPolicy::default()
            .judge("10.1.2.3".parse().unwrap())
            .unwrap_err();
        assert_eq!(
            refused.of_host("intranet.example").to_string(),
            "intranet.example: 10.1.2.3 is not public (10.0.0.0/8, private); \
             add it or its network to `fetch.allow_private` to allow it"
        );
    }

    #[test]
    fn receivers_of_the_operator_may_be_anywhere() {
        assert!(AddressPolicy::anywhere().permits("127.0.0.1".parse().unwrap()));
    }
}
