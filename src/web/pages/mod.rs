//! The pages: what a route and its parameters need from the database, and the response for that.

mod article;
mod list;
mod memento;
mod site;

use data_encoding::HEXLOWER;
use std::collections::HashMap;
use std::sync::Arc;

use hyper::StatusCode;
use sha2::{Digest, Sha256};

use super::WebSetup;
use super::route::{ListFormat, Route};
use crate::report::clean;
use crate::report::html::{Links, SHEET};
use crate::report::log::plain_view;
use crate::report::pages::{self, PageContent, PageFrame};
use crate::report::when::TimeView;
use crate::store::{Reader, StoreError};
use crate::time::Timestamp;

/// A request for a page, as far as it matters here.
pub(super) struct PageRequest {
    pub(super) route: Route,
    pub(super) parameters: HashMap<String, String>,
    /// The version that the client already has.
    pub(super) if_none_match: Option<String>,
    pub(super) accept_datetime: Option<String>,
    /// How the client addressed us: `http://127.0.0.1:9464`; empty if it did not say.
    pub(super) origin: String,
    pub(super) setup: Arc<dyn WebSetup>,
    pub(super) now: Timestamp,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageResponse {
    pub(super) status: StatusCode,
    pub(super) media_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Further headers.
    pub(super) headers: Vec<(&'static str, String)>,
    /// What the response depends on, if that is known without making the response.
    pub(super) tag: Option<String>,
}

pub(super) const HTML: &str = "text/html; charset=utf-8";
const ATOM: &str = "application/atom+xml; charset=utf-8";
const JSON_FEED: &str = "application/feed+json; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";
const NDJSON: &str = "application/x-ndjson; charset=utf-8";
const CSV: &str = "text/csv; charset=utf-8";
const LINKS: &str = "application/link-format; charset=utf-8";

impl PageResponse {
    pub(super) fn new(media_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: StatusCode::OK,
            media_type,
            body: body.into(),
            headers: Vec::new(),
            tag: None,
        }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn redirect(to: String) -> Self {
        Self {
            status: StatusCode::FOUND,
            ..Self::new("text/plain; charset=utf-8", format!("{to}\n"))
        }
        .with("location", to)
    }

    /// Nothing new, according to a tag that was found without making the response.
    fn unchanged(tag: String) -> Self {
        Self {
            status: StatusCode::NOT_MODIFIED,
            tag: Some(tag),
            ..Self::new("", String::new())
        }
    }
}

impl PageRequest {
    /// A parameter, without surrounding white space; empty if it is missing.
    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", |value| value.trim())
    }

    fn view(&self) -> TimeView {
        TimeView {
            zone: self.setup.config().timezone,
            ..plain_view(self.now)
        }
    }

    /// The pages, with links relative to this server.
    fn site(&self) -> PageFrame {
        PageFrame {
            links: Links::below(&self.setup.config().web.root()),
            view: self.view(),
        }
    }

    /// The address of the pages for readers elsewhere: as configured, or else as the client addressed us.
    fn base(&self) -> Option<String> {
        let web = &self.setup.config().web;
        let named = (!self.origin.is_empty()).then(|| format!("{}{}", self.origin, web.root()));
        web.base_url.clone().or(named)
    }

    fn page(&self, page: &PageContent) -> PageResponse {
        PageResponse::new(HTML, pages::document(&self.site(), page))
    }

    fn problem(&self, status: StatusCode, title: &str, text: &str) -> PageResponse {
        PageResponse {
            status,
            ..PageResponse::new(HTML, pages::message(&self.site(), title, text))
        }
    }

    fn not_found(&self, what: &str) -> PageResponse {
        self.problem(StatusCode::NOT_FOUND, "Not found", what)
    }

    /// A tag for a response that depends on `newest`, the request and the configuration, and on nothing else.
    fn tag(&self, newest: &str) -> String {
        let config = self.setup.config();
        let mut parameters: Vec<_> = self
            .parameters
            .iter()
            .filter(|(name, _)| *name != "token")
            .collect();
        parameters.sort();
        let all = format!(
            "{}|{}|{}|{:?}|{:?}|{:?}|{:?}|{}",
            env!("CARGO_PKG_VERSION"),
            *pages::SHEET_PATH,
            config.timezone.name(),
            config.web.base_url,
            self.base(),
            self.route,
            parameters,
            newest
        );
        tag_of(&all)
    }

    fn has(&self, tag: &str) -> bool {
        self.if_none_match
            .as_deref()
            .is_some_and(|known| matches(known, tag))
    }
}

/// Whether one of the client's tags is this one.
pub(super) fn matches(known: &str, tag: &str) -> bool {
    known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == "*" || one == tag.trim_start_matches("W/"))
}

/// A tag for a text.
pub(super) fn tag_of(body: impl AsRef<[u8]>) -> String {
    let hash = Sha256::digest(body);
    format!("W/\"{}\"", HEXLOWER.encode(&hash[..12]))
}

/// A value as JSON.
fn json<T: serde::Serialize>(value: &T) -> String {
    // This fails only for maps whose keys are not text, and there are none.
    let json = serde_json::to_string(value).unwrap_or_default();
    format!("{}\n", clean::json(&json))
}

/// Pages that need no database.
pub(super) fn without_database(asked: &PageRequest) -> Option<PageResponse> {
    Some(match &asked.route {
        Route::Sheet => PageResponse::new("text/css; charset=utf-8", SHEET.to_owned()).with(
            "cache-control",
            "public, max-age=31536000, immutable".to_owned(),
        ),
        Route::Icon => PageResponse::new("image/svg+xml", pages::ICON.to_owned())
            .with("cache-control", "public, max-age=86400".to_owned()),
        Route::Robots => {
            let all = if asked.setup.config().web.public {
                ""
            } else {
                " /"
            };
            PageResponse::new(
                "text/plain; charset=utf-8",
                format!("User-agent: *\nDisallow:{all}\n"),
            )
        }
        Route::Guide(topic) => site::guide(asked, topic.as_deref()),
        _ => return None,
    })
}

/// Reads the database and makes the response.
pub(super) fn answer(asked: &PageRequest, reader: &Reader) -> Result<PageResponse, StoreError> {
    match &asked.route {
        Route::List(list, form) => list::answer(asked, list, *form, reader),
        Route::Change(number, form) => article::change(asked, *number, *form, reader),
        Route::Picture(number) => article::picture(asked, *number, reader),
        Route::Evidence(number) => article::evidence(asked, *number, reader),
        Route::Entry(id) => article::entry(asked, id, reader),
        Route::Revision(id, number) => article::revision(asked, id, *number, reader),
        Route::Compare(id, old, new) => article::compare(asked, id, [*old, *new], reader),
        Route::Feed(name) => site::feed(asked, name, reader),
        Route::Feeds(form) => site::feeds(asked, *form, reader),
        Route::Search(form) => site::search(asked, *form, reader),
        Route::Stats(form) => site::stats(asked, *form, reader),
        Route::About => site::about(asked, reader),
        Route::TimeGate(url) => memento::gate(asked, url, reader),
        Route::TimeMap(url) => memento::map(asked, url, reader),
        Route::Guide(_) | Route::Sheet | Route::Icon | Route::Robots => Ok(
            without_database(asked).unwrap_or_else(|| asked.not_found("There is no such page."))
        ),
    }
}

/// The label, media type and file extension of a form.
fn form_name(form: ListFormat) -> (&'static str, &'static str, &'static str) {
    match form {
        ListFormat::Html => ("HTML", HTML, ""),
        ListFormat::Atom => ("Atom", "application/atom+xml", "atom"),
        ListFormat::Json => ("JSON Feed", "application/feed+json", "json"),
        ListFormat::Csv => ("CSV", "text/csv", "csv"),
        ListFormat::Ndjson => ("NDJSON", "application/x-ndjson", "ndjson"),
    }
}
