//! Credentials, headers and proxies of requests, raw to resolved.

use url::Url;

use super::raw::{RawFeedOwn, RawFetch, RawHeader};
use super::resolve::Resolver;
use super::resolved::{Access, HeaderConfig, Login, Proxy};
use super::secret::SecretSource;
use super::sources::{FoundSecret, Sources};
use crate::domain::durations::shortened;

/// More than this is a mistake.
const MOST_HEADERS: usize = 20;

/// Headers that belong to the protocol or that keep revisor polite, with what to use instead.
const OURS: &[(&str, &str)] = &[
    (
        "accept-encoding",
        "revisor sets it to the encodings that it can decode",
    ),
    ("connection", "HTTP itself sets it"),
    ("content-length", "HTTP itself sets it"),
    ("host", "HTTP itself sets it"),
    (
        "if-modified-since",
        "revisor sets it from the last response",
    ),
    ("if-none-match", "revisor sets it from the last response"),
    (
        "proxy-authorization",
        "put the user name and password in the address of the proxy",
    ),
    ("range", "a part of a feed is not a feed"),
    ("te", "HTTP itself sets it"),
    ("transfer-encoding", "HTTP itself sets it"),
    ("upgrade", "HTTP itself sets it"),
    (
        "user-agent",
        "it identifies revisor; use user_agent_contact to add to it",
    ),
];

impl Resolver<'_> {
    /// The login and the headers for the requests of a feed.
    pub(super) fn access(&mut self, own: &RawFeedOwn) -> Option<Box<Access>> {
        let login = self.login(own);
        let mut headers = Vec::new();
        if let Some(raw) = &own.headers {
            if raw.value.len() > MOST_HEADERS {
                let message = format!("headers has more than {MOST_HEADERS} items");
                self.problems.add(&raw.place, message);
            }
            for header in raw.value.iter().take(MOST_HEADERS) {
                let header = self.header(header, &raw.place, login.is_some(), &headers);
                headers.extend(header);
            }
        }
        (login.is_some() || !headers.is_empty()).then(|| Box::new(Access { login, headers }))
    }

    fn login(&mut self, own: &RawFeedOwn) -> Option<Login> {
        let password = self.secret(Sources {
            key: "password",
            open: false,
            inline: own.password.clone(),
            file: own.password_file.clone(),
            environment: own.password_env.clone(),
            credential: own.password_credential.clone(),
        });
        let token = self.secret(Sources {
            key: "token",
            open: false,
            inline: own.token.clone(),
            file: own.token_file.clone(),
            environment: own.token_env.clone(),
            credential: own.token_credential.clone(),
        });
        let login = match (&own.user, password, token) {
            (None, None, None) => return None,
            (Some(user), Some(password), None) => {
                if user.value.contains(':') || user.value.contains(char::is_control) {
                    let message = "user must not have colons or control characters";
                    self.problems.add(&user.place, message);
                }
                Login::Basic {
                    user: user.value.clone(),
                    password: password.secret,
                    source: password.source,
                }
            }
            (None, None, Some(token)) => {
                self.sendable("token", &token);
                Login::Bearer {
                    token: token.secret,
                    source: token.source,
                }
            }
            (Some(user), None, None) => {
                let message = "user is set without a password; also set password_file, \
                               password_credential, password_env or password";
                self.problems.add(&user.place, message);
                return None;
            }
            (None, Some(password), None) => {
                let message = "a password is set without a user; also set user = \"…\"";
                self.problems.add(&password.place, message);
                return None;
            }
            (_, _, Some(token)) => {
                let message = "both a token and a user or password are set; use one of them";
                self.problems.add(&token.place, message);
                return None;
            }
        };
        if let Some(url) = &own.url
            && url.value.starts_with("http:")
        {
            let message = "the login is sent unencrypted: the address does not use https";
            self.warnings.push((url.place.clone(), message.to_owned()));
        }
        Some(login)
    }

    fn header(
        &mut self,
        raw: &RawHeader,
        list: &super::problem::ValueSource,
        login: bool,
        before: &[HeaderConfig],
    ) -> Option<HeaderConfig> {
        let Some(name) = &raw.name else {
            let message = "a header has no name; expected one such as \
                           { name = \"X-Api-Key\", value_env = \"API_KEY\" }";
            self.problems.add(list, message);
            return None;
        };
        let lower = name.value.to_ascii_lowercase();
        let shown = shortened(&name.value);
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let ours = OURS.iter().find(|(ours, _)| *ours == lower);
        let wrong = if !name.value.bytes().all(token) || name.value.len() > 200 {
            Some(format!("{shown:?} is not a valid header name"))
        } else if let Some((_, why)) = ours {
            Some(format!("the header {shown:?} cannot be set: {why}"))
        } else if login && lower == "authorization" {
            Some(
                "both the header \"Authorization\" and a login are set; use one of them".to_owned(),
            )
        } else if before
            .iter()
            .any(|other| other.name.eq_ignore_ascii_case(&lower))
        {
            Some(format!("the header {shown:?} is set twice"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            self.problems.add(&name.place, wrong);
            return None;
        }
        let secret = [
            "authorization",
            "cookie",
            "key",
            "token",
            "secret",
            "password",
        ];
        let value = self.secret(Sources {
            key: "value",
            open: !secret.iter().any(|word| lower.contains(word)),
            inline: raw.value.clone(),
            file: raw.value_file.clone(),
            environment: raw.value_env.clone(),
            credential: raw.value_credential.clone(),
        });
        let Some(value) = value else {
            let message = format!(
                "the header {shown:?} has no value; expected value, value_file, value_env or value_credential"
            );
            self.problems.add(&name.place, message);
            return None;
        };
        self.sendable("value", &value);
        Some(HeaderConfig {
            name: name.value.clone(),
            value: value.secret,
            source: value.source,
        })
    }

    /// Reports a value that no header can hold, without showing it.
    pub(super) fn sendable(&mut self, key: &str, found: &FoundSecret) {
        let text = found.secret.as_ref().map_or("", |secret| secret.expose());
        if text.len() > 8192 || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            let message = format!("{key} cannot be sent: it is too long or not printable ASCII");
            self.problems.add(&found.place, message);
        }
    }

    /// The proxy for requests; `proxy = "none"` removes one set at a higher level.
    pub(super) fn proxy(&mut self, raw: &RawFetch, below: &Proxy) -> Proxy {
        let found = self.secret(Sources {
            key: "proxy",
            open: true,
            inline: raw.proxy.clone(),
            file: raw.proxy_file.clone(),
            environment: raw.proxy_env.clone(),
            credential: raw.proxy_credential.clone(),
        });
        let Some(found) = found else {
            return below.clone();
        };
        let text = found.secret.as_ref().map(super::secret::Secret::expose);
        if text == Some("none") {
            return Proxy::Direct;
        }
        // The message leaves out the address: it may contain a password.
        let url = text.map(Url::parse);
        let good = url.is_none_or(|url| {
            url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        });
        if !good {
            let message = "proxy is not an http or https address; expected one such as \
                           \"http://proxy.example:3128\", or \"none\"";
            self.problems.add(&found.place, message);
        }
        if found.source == SecretSource::Inline && text.is_some_and(|text| text.contains('@')) {
            let message =
                "proxy has a password in the configuration; use proxy_file to keep it out";
            self.warnings.push((found.place, message.to_owned()));
        }
        Proxy::Through {
            url: found.secret,
            source: found.source,
        }
    }
}
