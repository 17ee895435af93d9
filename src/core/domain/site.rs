//! Which part of a host's name is one site: the registered domain, by the public suffix list.

/// The site of a host. Hosts of one site have one owner: they fail together and rate-limit together. If anybody
/// can register a name below a name (`github.io`), each of those is a site. An IP address is a site of its own.
#[must_use]
pub fn site_of(host: &str) -> &str {
    let last = host.rsplit('.').next().unwrap_or(host);
    if host.starts_with('[') || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return host;
    }
    psl::domain_str(host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_a_site_are_one() {
        for (host, site) in [
            ("www.news.example", "news.example"),
            ("news.example", "news.example"),
            ("a.b.bbc.co.uk", "bbc.co.uk"),
            ("bbc.co.uk", "bbc.co.uk"),
            ("feeds.abc.net.au", "abc.net.au"),
            ("www.kyoto-shimbun.kyoto.jp", "kyoto-shimbun.kyoto.jp"),
            // Short names are not suffixes, and suffixes may be long.
            ("www.bit.ly", "bit.ly"),
            ("a.t.co", "t.co"),
            ("one.github.io", "one.github.io"),
            ("two.github.io", "two.github.io"),
            ("www.xn--bcher-kva.de", "xn--bcher-kva.de"),
            ("localhost", "localhost"),
            ("co.uk", "co.uk"),
            ("", ""),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:db8::7]", "[2001:db8::7]"),
        ] {
            assert_eq!(site_of(host), site, "{host}");
        }
    }
}
