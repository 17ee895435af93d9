//! What is asked for, and the answer.

use std::net::IpAddr;

use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName};
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode};

use super::Source;
use crate::metrics;

/// Where it is said whether the process gets on.
pub(super) const HEALTH: &str = "/healthz";

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers; the body of a request is not read.
pub(super) async fn answer<B, S: Source>(request: &Request<B>, source: &S) -> Response<String> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET and HEAD are supported",
        );
        let allow = hyper::header::HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(ALLOW, allow);
        return refused;
    }
    if !is_meant(request) {
        let message = "use localhost or the IP address in the Host header";
        return text(StatusCode::MISDIRECTED_REQUEST, message);
    }
    match request.uri().path() {
        HEALTH => state(source.health()),
        "/readyz" => state(source.readiness().await),
        "/metrics" => match source.metrics().await {
            Ok(metrics) => response(StatusCode::OK, metrics::CONTENT_TYPE, metrics),
            Err(why) => text(StatusCode::INTERNAL_SERVER_ERROR, &why),
        },
        _ => text(
            StatusCode::NOT_FOUND,
            "available: /healthz, /readyz and /metrics",
        ),
    }
}

/// Whether the request names this address as only this machine knows it. A page of the web can give its own name the
/// address of this machine, and would read what is here: a browser then sends that name (DNS rebinding).
fn is_meant<B>(request: &Request<B>) -> bool {
    let host = match (request.uri().authority(), request.headers().get(HOST)) {
        (Some(authority), _) => authority.host().to_owned(),
        (None, Some(host)) => match host.to_str().ok().map(str::parse::<Authority>) {
            Some(Ok(authority)) => authority.host().to_owned(),
            // Over a socket in the file system some programs name nothing.
            _ => return host.is_empty(),
        },
        (None, None) => return true,
    };
    let number = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || number.parse::<IpAddr>().is_ok()
}

fn state(state: Result<(), String>) -> Response<String> {
    match state {
        Ok(()) => text(StatusCode::OK, "ok"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

fn text(status: StatusCode, line: &str) -> Response<String> {
    response(status, TEXT, format!("{line}\n"))
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ] {
        let value = hyper::header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
