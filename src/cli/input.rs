//! Documents named on the command line: an address, a file, or standard input, all with a size limit.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::CommandContext;
use super::setup::{clock, runtime};
use crate::config::{Config, Secrets};
use crate::domain::outcome::Validators;
use crate::domain::robots::{PRODUCT, RobotsRules};
use crate::error::{Error, Exit};
use crate::extract::charset;
use crate::fetch::{
    AddressPolicy, Client, ClientConfig, Clients, FetchRequest, Fetched, RequestKind, user_agent,
};

/// No document may be longer; also the default of `fetch.max_size`.
const MAX_BYTES: u64 = 10 << 20;

/// How many bytes are checked to detect the type of a document.
const BEGINNING: usize = 4096;

/// A document and its metadata.
#[derive(Debug)]
pub(super) struct InputDocument {
    /// Its bytes.
    pub(super) body: Vec<u8>,
    /// The content type sent by the server.
    pub(super) content_type: Option<String>,
    /// Where it came from; `None` for files.
    pub(super) url: Option<String>,
}

impl CommandContext {
    /// The document at an address, in a file, or on standard input (`-`).
    pub(super) fn document(&self, source: &str, kind: RequestKind) -> Result<InputDocument, Error> {
        if is_address(source) {
            let client = self.client()?;
            return runtime(1)?.block_on(fetch(&client, source, kind));
        }
        if source == "-" {
            return bounded(std::io::stdin().lock(), "standard input");
        }
        file(Path::new(source))
    }

    /// The rule of robots.txt that forbids the service to fetch the page at an address; `None` if there is none,
    /// or none that can be read.
    pub(super) fn barred(&self, source: &str) -> Result<Option<String>, Error> {
        let page = is_address(source).then(|| url::Url::parse(source.trim()));
        let Some(Ok(page)) = page else {
            return Ok(None);
        };
        let client = self.client()?;
        let address = format!("{}/robots.txt", page.origin().ascii_serialization());
        let request = FetchRequest::robots(address, Validators::default());
        Ok(match runtime(1)?.block_on(client.get(&request)) {
            Fetched::Body(answer) => RobotsRules::parse(&answer.body, PRODUCT).forbids(&page),
            Fetched::NotModified(_) | Fetched::Gone(_) | Fetched::Failed(_) => None,
        })
    }

    /// A client with the settings of the configuration; if that is invalid, the client reaches only public
    /// addresses.
    fn client(&self) -> Result<Client, Error> {
        match self.load(Secrets::WhereReadable) {
            Ok(loaded) => client(&loaded.config),
            Err(error) => {
                self.output
                    .warning(&format!("ignoring the configuration: {error}"));
                let config = ClientConfig {
                    policy: AddressPolicy::public_and([]),
                    user_agent: user_agent(""),
                    ..ClientConfig::default()
                };
                Client::new(&config, clock()).map_err(no_client)
            }
        }
    }
}

/// A client with the settings of the configuration.
pub(super) fn client(config: &Config) -> Result<Client, Error> {
    let clients = Clients::new(&config.fetch, [], clock()).map_err(no_client)?;
    Ok(clients.common().clone())
}

fn no_client(error: crate::fetch::ClientError) -> Error {
    Error::new(Exit::USAGE, "cannot start the HTTP client").because(error)
}

/// Whether an argument is an address rather than a file.
pub(super) fn is_address(source: &str) -> bool {
    let scheme = source.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    })
}

/// Fetches an address.
async fn fetch(client: &Client, url: &str, kind: RequestKind) -> Result<InputDocument, Error> {
    let request = FetchRequest {
        url: url.to_owned(),
        kind,
        ..FetchRequest::default()
    };
    let why = match client.get(&request).await {
        Fetched::Body(answer) => {
            return Ok(InputDocument {
                body: answer.body,
                content_type: answer.content_type,
                url: Some(answer.final_url),
            });
        }
        Fetched::Gone(_) => "returned 410 Gone".to_owned(),
        Fetched::NotModified(_) => {
            "returned 304 Not Modified to an unconditional request".to_owned()
        }
        Fetched::Failed(failure) => failure.message,
    };
    Err(Error::usage(format!("cannot read {url}: {why}")))
}

/// Reads a file.
pub(super) fn file(path: &Path) -> Result<InputDocument, Error> {
    let name = path.display().to_string();
    let file = File::open(path)
        .map_err(|error| Error::usage(format!("cannot read {name}")).because(error))?;
    bounded(file, &name)
}

fn bounded(source: impl Read, name: &str) -> Result<InputDocument, Error> {
    let mut body = Vec::new();
    source
        .take(MAX_BYTES + 1)
        .read_to_end(&mut body)
        .map_err(|error| Error::usage(format!("cannot read {name}")).because(error))?;
    if body.len() as u64 > MAX_BYTES {
        return Err(Error::usage(format!("{name} is larger than 10 MiB")));
    }
    Ok(InputDocument {
        body,
        content_type: None,
        url: None,
    })
}

/// The text of a document in any charset.
pub(super) fn text(body: &[u8]) -> String {
    charset::decode(body, None).text.into_owned()
}

/// Whether a document is HTML, judged by its beginning.
pub(super) fn is_html(body: &[u8]) -> bool {
    let beginning = body.get(..BEGINNING).unwrap_or(body);
    let beginning = text(beginning).to_ascii_lowercase();
    let beginning = beginning.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let tags = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<meta",
        "<article",
        "<main",
        "<div",
        "<section",
        "<header",
        "<h1",
        "<p>",
        "<p ",
    ];
    beginning.starts_with('<') && tags.iter().any(|tag| beginning.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_known_by_its_beginning_and_text_about_it_is_not_html() {
        for html in [
            "<!DOCTYPE html><p>x",
            "\u{feff}\n<html lang=en>",
            "<!-- saved from url --><!doctype HTML>",
            "<?xml version=\"1.0\"?><html xmlns=\"x\">",
            "<p>A paragraph.</p>",
        ] {
            assert!(is_html(html.as_bytes()), "{html}");
        }
        for text in [
            "",
            "Plain text.\n\n<p>is a tag",
            "< 5 people and > 3 cats",
            "<b>bold</b>",
        ] {
            assert!(!is_html(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert!(bounded(std::io::repeat(b'x'), "x").is_err());
        assert_eq!(bounded(&b"abc"[..], "x").unwrap().body, b"abc");
    }

    #[test]
    fn addresses_are_told_from_files() {
        assert!(is_address("https://a.example/"));
        assert!(is_address("HTTP://a.example/"));
        assert!(!is_address("file:///etc/passwd"));
        assert!(!is_address("a.xml"));
    }
}
