//! `[web]`: where the service listens, what it serves, and to whom.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use super::listen::Listen;
use super::raw::RawWeb;
use super::resolve::Resolver;
use super::web_address::http_url;

/// `[web]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebConfig {
    /// Where the service listens; `None` to not listen at all.
    pub listen: Option<Listen>,
    /// Whether it serves the pages of changes, and not only its health.
    pub pages: bool,
    /// The address that people and links use, without a trailing slash; `None` if it is not set.
    pub base_url: Option<String>,
    /// Whether other machines may open the pages.
    pub allow_remote: bool,
    /// How readers authenticate.
    pub auth: Auth,
    /// Whether anyone may read, search engines included.
    pub public: bool,
}

/// How readers authenticate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Auth {
    /// Not at all: anyone who can reach the address may read.
    #[default]
    Off,
    /// With a token of `revisor tokens`.
    Tokens,
    /// A proxy in front has authenticated them and sends their names.
    Proxy {
        /// The addresses of the proxy; the header is ignored in requests from any other address.
        trusted: Vec<IpNet>,
        /// The header with the reader's name, in lower case.
        user_header: String,
    },
}

impl Auth {
    /// The value in the configuration.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Tokens => "tokens",
            Self::Proxy { .. } => "proxy",
        }
    }

    /// Whether a connection comes from the proxy; over a socket in the file system it has no address.
    #[must_use]
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        match (self, peer) {
            (Self::Proxy { .. }, None) => true,
            (Self::Proxy { trusted, .. }, Some(peer)) => {
                let peer = peer.to_canonical();
                trusted.iter().any(|network| network.contains(&peer))
            }
            (Self::Off | Self::Tokens, _) => false,
        }
    }
}

impl WebConfig {
    /// The host of [`base_url`](Self::base_url).
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = Url::parse(self.base_url.as_deref()?).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// The path of [`base_url`](Self::base_url), without a trailing slash; empty for the root of a host.
    #[must_use]
    pub fn root(&self) -> String {
        let url = self
            .base_url
            .as_deref()
            .and_then(|url| Url::parse(url).ok());
        url.map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default()
    }
}

/// A kind of [`Auth`], before its parts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AuthKind {
    Off,
    Tokens,
    Proxy,
}

impl Resolver<'_> {
    pub(super) fn web(&mut self, raw: &RawWeb) -> WebConfig {
        let listen = self.measured(
            "listen",
            raw.listen.as_ref().filter(|at| !at.value.is_empty()),
            Listen::parse,
        );
        let yes = |at: &Option<super::reader::At<bool>>| at.as_ref().is_some_and(|at| at.value);
        let web = WebConfig {
            pages: yes(&raw.pages),
            base_url: self.base_url(raw),
            allow_remote: yes(&raw.allow_remote),
            auth: self.auth(raw, listen.as_ref()),
            public: yes(&raw.public),
            listen,
        };
        self.check_access(raw, &web);
        web
    }

    fn base_url(&mut self, raw: &RawWeb) -> Option<String> {
        let at = raw.base_url.as_ref().filter(|at| !at.value.is_empty())?;
        let wrong = match http_url(&at.value) {
            Ok(url) if url.query().is_none() && url.fragment().is_none() => {
                return Some(url.as_str().trim_end_matches('/').to_owned());
            }
            Ok(_) => "base_url has a query or a fragment; expected an address such as \
                      \"https://changes.example.org\""
                .to_owned(),
            Err(problem) => format!("base_url {problem}"),
        };
        self.problems.add(&at.place, wrong);
        None
    }

    fn auth(&mut self, raw: &RawWeb, listen: Option<&Listen>) -> Auth {
        let kinds = [
            ("off", AuthKind::Off),
            ("tokens", AuthKind::Tokens),
            ("proxy", AuthKind::Proxy),
        ];
        match self.choice("auth", raw.auth.as_ref(), &kinds, AuthKind::Off) {
            AuthKind::Off => Auth::Off,
            AuthKind::Tokens => Auth::Tokens,
            AuthKind::Proxy => {
                let trusted = raw.trusted_proxies.as_ref();
                let trusted = trusted.map_or_else(Vec::new, |list| self.networks(&list.value));
                if let (Some(at), true, Some(Listen::Tcp(_))) =
                    (&raw.auth, trusted.is_empty(), listen)
                {
                    let message = "auth = \"proxy\" needs the address of the proxy; also set \
                                   trusted_proxies = [\"127.0.0.1\"], or listen on \"unix:/run/revisor/web.sock\"";
                    self.problems.add(&at.place, message);
                }
                Auth::Proxy {
                    trusted,
                    user_header: self.user_header(raw),
                }
            }
        }
    }

    fn user_header(&mut self, raw: &RawWeb) -> String {
        let Some(at) = &raw.user_header else {
            return String::new();
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if at.value.is_empty() || !at.value.bytes().all(token) {
            let message = "user_header is not the name of a header; expected one such as \"X-Forwarded-User\"";
            self.problems.add(&at.place, message);
        }
        at.value.to_ascii_lowercase()
    }

    /// Makes sure that nobody publishes the database by mistake.
    fn check_access(&mut self, raw: &RawWeb, web: &WebConfig) {
        if let (true, Some(at)) = (web.public && web.auth != Auth::Off, &raw.public) {
            let message = format!(
                "public = true lets anyone read, and auth = \"{}\" does not; remove one of them",
                web.auth.as_str()
            );
            self.problems.add(&at.place, message);
        }
        let (Some(Listen::Tcp(address)), Some(at)) = (&web.listen, &raw.listen) else {
            return;
        };
        if address.ip().to_canonical().is_loopback() {
            return;
        }
        let message = match (web.allow_remote, web.auth != Auth::Off || web.public) {
            (true, true) => return,
            (false, _) => {
                "can be reached from other machines; if that is wanted, also set allow_remote = true and auth = \"tokens\" \
                 (or auth = \"proxy\", or public = true); else expected an address of this machine such as \
                 \"127.0.0.1:9464\", or \"unix:/run/revisor/web.sock\""
            }
            (true, false) => {
                "can be reached from other machines, and anyone could read; also set auth = \"tokens\", auth = \"proxy\", or \
                 public = true if that is wanted"
            }
        };
        self.problems
            .add(&at.place, format!("listen: {} {message}", at.value));
    }
}
