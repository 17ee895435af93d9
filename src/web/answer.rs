//! Requests and responses.

use std::net::IpAddr;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::pages::{self, HTML, PageRequest, PageResponse};
use super::readers::{AskError, PageThreads};
use super::route::{Route, parameters};
use super::{WebSource, access};
use crate::config::{Auth, WebConfig};
use crate::metrics;

/// The path that shows whether the process makes progress.
pub(super) const HEALTH: &str = "/healthz";

const TEXT: &str = "text/plain; charset=utf-8";

/// After how many seconds to try again.
const AGAIN: &str = "5";

/// What a page may load: only the style sheet and icon of the same server, and no script at all.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The same for a file that contains everything it needs.
const POLICY_OF_FILE: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Responds to a request; its body is not read.
pub(super) async fn answer<B, S: WebSource>(
    request: &Request<B>,
    peer: Option<IpAddr>,
    source: &S,
    readers: &PageThreads,
) -> Response<Vec<u8>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET and HEAD are supported",
        );
        set(&mut refused, "allow", "GET, HEAD");
        return refused;
    }
    let path = request.uri().path();
    let is_state = matches!(path, HEALTH | "/readyz" | "/metrics");
    let setup = source.setup();
    let web = &setup.config().web;
    let host = access::host(request.uri(), request.headers());
    let own = web.host();
    let is_meant = host
        .as_ref()
        .is_ok_and(|host| access::is_meant(host.as_ref(), own.as_deref().filter(|_| !is_state)));
    if !is_meant {
        let message = "use localhost or the IP address in the Host header, or set web.base_url to this address";
        return text(StatusCode::MISDIRECTED_REQUEST, message);
    }
    if is_state {
        if !access::is_local(peer, request.headers()) {
            return text(
                StatusCode::FORBIDDEN,
                "this address answers only programs on the same machine",
            );
        }
        return state_of(path, source).await;
    }
    if !web.pages {
        return text(
            StatusCode::NOT_FOUND,
            "available: /healthz, /readyz and /metrics",
        );
    }
    let origin = host.ok().flatten().map(|host| format!("http://{host}"));
    let root = web.root();
    let inside = path
        .strip_prefix(root.as_str())
        .filter(|rest| rest.starts_with('/'));
    let Some(route) = Route::of(inside.unwrap_or(path), request.uri().query()) else {
        return text(
            StatusCode::NOT_FOUND,
            "there is no such page; the list of changes is at /",
        );
    };
    let asked = PageRequest {
        parameters: parameters(request.uri().query()),
        if_none_match: header(request.headers(), "if-none-match"),
        accept_datetime: header(request.headers(), "accept-datetime"),
        origin: origin.unwrap_or_default(),
        now: source.now(),
        setup: setup.clone(),
        route,
    };
    page(asked, web, peer, request.headers(), readers).await
}

async fn state_of<S: WebSource>(path: &str, source: &S) -> Response<Vec<u8>> {
    match path {
        HEALTH => state(source.health()),
        "/readyz" => state(source.readiness().await),
        _ => match source.metrics().await {
            Ok(metrics) => response(StatusCode::OK, metrics::CONTENT_TYPE, metrics),
            Err(why) => text(StatusCode::INTERNAL_SERVER_ERROR, &why),
        },
    }
}

/// Returns the page to clients that may read it.
async fn page(
    asked: PageRequest,
    web: &WebConfig,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    readers: &PageThreads,
) -> Response<Vec<u8>> {
    let known = asked.if_none_match.clone();
    let is_file = matches!(asked.route, Route::Evidence(_));
    let token = match &web.auth {
        Auth::Off => None,
        Auth::Proxy { user_header, .. } => {
            if !web.auth.trusts(peer) {
                return text(
                    StatusCode::FORBIDDEN,
                    "come through the proxy that asks for a login",
                );
            }
            if header(headers, user_header).is_none_or(|user| user.is_empty()) {
                return text(
                    StatusCode::FORBIDDEN,
                    "the proxy did not name a user (web.user_header)",
                );
            }
            None
        }
        Auth::Tokens => {
            let in_address = asked
                .parameters
                .get("token")
                .filter(|_| asked.route.is_feed());
            match access::token(headers, in_address.map(String::as_str)) {
                Some(hash) => Some(hash),
                None => return who_are_you(),
            }
        }
    };
    let answered = match pages::without_database(&asked) {
        // Style, icon and guide are not secret, but they are of no use without the rest.
        Some(answer) if token.is_none() => Ok(Some(answer)),
        _ => {
            readers
                .ask(move |reader| {
                    if let Some(hash) = token
                        && !reader.knows_token(hash)?
                    {
                        return Ok(None);
                    }
                    pages::answer(&asked, reader).map(Some)
                })
                .await
        }
    };
    match answered {
        Ok(Some(answer)) => finish(answer, web, known.as_deref(), is_file),
        Ok(None) => who_are_you(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &AskError) -> Response<Vec<u8>> {
    let status = match error {
        AskError::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        AskError::Busy | AskError::TooSlow | AskError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    // A crowd of clients must not fill the log as well.
    match error {
        AskError::Busy => tracing::debug!(%error, "a page was not shown"),
        other => tracing::warn!(error = %other, "a page could not be shown"),
    }
    // The path of the database is not for clients.
    let mut response = match error {
        AskError::Store(_) => text(status, "the database cannot be read now; see the log"),
        other => text(status, &other.to_string()),
    };
    set(&mut response, "retry-after", AGAIN);
    response
}

/// Refuses a client with too many requests, or when there are too many clients.
pub(super) fn busy(status: StatusCode, why: &str) -> Response<Vec<u8>> {
    let mut response = text(status, why);
    set(&mut response, "retry-after", AGAIN);
    response
}

fn who_are_you() -> Response<Vec<u8>> {
    let mut response = text(
        StatusCode::UNAUTHORIZED,
        "a token is needed: as password of the login, as bearer token, or as token=… in the address of a feed",
    );
    set(
        &mut response,
        "www-authenticate",
        "Basic realm=\"revisor\", charset=\"UTF-8\"",
    );
    response
}

/// Adds the headers of all pages, and leaves out the body if the client already has it.
fn finish(
    answer: PageResponse,
    web: &WebConfig,
    known: Option<&str>,
    is_file: bool,
) -> Response<Vec<u8>> {
    let is_ok = answer.status == StatusCode::OK;
    let tag = answer
        .tag
        .clone()
        .or_else(|| is_ok.then(|| pages::tag_of(&answer.body)));
    let is_known = is_ok
        && tag
            .as_deref()
            .is_some_and(|tag| known.is_some_and(|known| pages::matches(known, tag)));
    let (status, body) = if is_known {
        (StatusCode::NOT_MODIFIED, Vec::new())
    } else {
        (answer.status, answer.body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if status != StatusCode::NOT_MODIFIED {
        set(&mut response, "content-type", answer.media_type);
    }
    set(
        &mut response,
        "cache-control",
        if web.public {
            "public, no-cache"
        } else {
            "private, no-cache"
        },
    );
    set(&mut response, "x-content-type-options", "nosniff");
    set(&mut response, "referrer-policy", "no-referrer");
    set(&mut response, "cross-origin-opener-policy", "same-origin");
    set(&mut response, "cross-origin-resource-policy", "same-origin");
    set(
        &mut response,
        "content-security-policy",
        if is_file { POLICY_OF_FILE } else { POLICY },
    );
    if !web.public {
        set(&mut response, "x-robots-tag", "noindex, nofollow");
    }
    if answer.media_type == HTML && web.auth != Auth::Off {
        set(&mut response, "vary", "authorization");
    }
    if let Some(tag) = tag {
        set(&mut response, "etag", &tag);
    }
    for (name, value) in &answer.headers {
        set(&mut response, name, value);
    }
    response
}

/// Sets a header if the value is valid: text from strangers cannot end a line.
fn set(response: &mut Response<Vec<u8>>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn state(state: Result<(), String>) -> Response<Vec<u8>> {
    match state {
        Ok(()) => text(StatusCode::OK, "ok"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

fn text(status: StatusCode, line: &str) -> Response<Vec<u8>> {
    response(status, TEXT, format!("{line}\n"))
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Vec<u8>> {
    let mut response = Response::new(body.into_bytes());
    *response.status_mut() = status;
    set(&mut response, "content-type", content_type);
    set(&mut response, "cache-control", "no-store");
    set(&mut response, "x-content-type-options", "nosniff");
    response
}
