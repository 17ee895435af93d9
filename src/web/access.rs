//! Who may read what.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};
use hyper::http::uri::Authority;
use sha2::{Digest, Sha256};

/// The host that a request names; `None` if it names none, as over a Unix socket.
pub(super) fn host(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, ()> {
    match (uri.authority(), headers.get(HOST)) {
        (Some(authority), _) => Ok(Some(authority.clone())),
        (None, Some(host)) if host.is_empty() => Ok(None),
        (None, Some(host)) => match host.to_str().ok().map(str::parse::<Authority>) {
            Some(Ok(authority)) => Ok(Some(authority)),
            _ => Err(()),
        },
        (None, None) => Ok(None),
    }
}

/// Whether a host is `localhost`, an IP address, or the configured name of the pages. A website can point its own
/// name at the address of this machine to read what is here, but then the browser sends that name (DNS rebinding).
pub(super) fn is_meant(host: Option<&Authority>, own: Option<&str>) -> bool {
    let Some(host) = host.map(Authority::host) else {
        return true;
    };
    let number = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || number.parse::<IpAddr>().is_ok()
        || own.is_some_and(|own| own.eq_ignore_ascii_case(host))
}

/// Whether a request comes from this machine itself, and not through a proxy on it.
pub(super) fn is_local(peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    let passed_on = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
    ];
    peer.is_none_or(|peer| peer.is_loopback())
        && !passed_on.iter().any(|name| headers.contains_key(*name))
}

/// The SHA-256 of the token in a request: from a bearer token, the password of a login (browsers, feed readers), or
/// `token` in the address of a feed.
pub(super) fn token(headers: &HeaderMap, in_address: Option<&str>) -> Option<[u8; 32]> {
    let header = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let shown = header.and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(rest.to_owned());
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let login = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        login
            .split_once(':')
            .map(|(_, password)| password.to_owned())
    });
    let shown = shown.or_else(|| in_address.map(str::to_owned))?;
    (!shown.is_empty()).then(|| Sha256::digest(shown).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn a_token_is_read_where_programs_put_it() {
        let hash: [u8; 32] = Sha256::digest("rvt_x").into();
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            headers
        };
        assert_eq!(token(&with("Bearer rvt_x"), None), Some(hash));
        assert_eq!(token(&with("basic YW55OnJ2dF94"), None), Some(hash));
        assert_eq!(token(&HeaderMap::new(), Some("rvt_x")), Some(hash));
        for wrong in [
            "Bearer ",
            "Basic %%%",
            "Basic YW55",
            "Digest rvt_x",
            "rvt_x",
        ] {
            assert_eq!(token(&with(wrong), None), None, "{wrong}");
        }
    }

    #[test]
    fn only_names_that_are_ours_are_meant() {
        let meant = |host: &str| is_meant(Some(&host.parse().unwrap()), Some("changes.example"));
        for host in [
            "localhost:9464",
            "127.0.0.1",
            "[::1]:80",
            "Changes.Example",
            "changes.example:8443",
        ] {
            assert!(meant(host), "{host}");
        }
        for host in [
            "evil.example",
            "changes.example.evil.example",
            "127.0.0.1.evil.example",
        ] {
            assert!(!meant(host), "{host}");
        }
        assert!(is_meant(None, None));
    }

    #[test]
    fn a_proxy_on_this_machine_is_not_this_machine() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert!(is_local(Some(local), &headers) && is_local(None, &headers));
        assert!(!is_local("192.0.2.1".parse().ok(), &headers));
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
        assert!(!is_local(Some(local), &headers) && !is_local(None, &headers));
    }
}
