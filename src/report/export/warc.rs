//! Responses as records of a web archive, WARC/1.1 (ISO 28500): for replay and for third-party tools.
//!
//! A record is one block of bytes, which the caller compresses separately, as the standard recommends. Bodies are
//! stored decoded: headers that say otherwise are renamed to `X-Archive-Orig-…`, as pywb does.

use data_encoding::HEXLOWER;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::domain::chain::StoredCapture;
use crate::time::Timestamp;

/// Headers that describe the body as it was sent.
const OF_THE_WIRE: [&str; 3] = ["content-encoding", "transfer-encoding", "content-length"];

/// An earlier response with the same body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Original {
    /// Its address.
    pub url: String,
    /// When it came.
    pub at: Timestamp,
}

/// The first record: the program that made the archive. `database` and `at` make up its name.
#[must_use]
pub(crate) fn info(database: &str, at: Timestamp, program: &str) -> Vec<u8> {
    let text = format!(
        "software: {program}\r\nformat: WARC File Format 1.1\r\n\
         conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
         description: responses as decoded by their client; headers of the transfer are named X-Archive-Orig\r\n"
    );
    let id = record_id(database, &format!("info {}", at.as_millis()));
    let head = [
        ("WARC-Type", "warcinfo".to_owned()),
        ("WARC-Record-ID", id),
        ("WARC-Date", at.to_rfc3339()),
        ("Content-Type", "application/warc-fields".to_owned()),
    ];
    record(&head, text.as_bytes())
}

/// The records of a response and its request. `original` is an earlier response with the same body, if there is
/// one; the body is then referenced instead of repeated. A response whose body is no longer stored has no record:
/// `None`.
#[must_use]
pub(crate) fn response(
    database: &str,
    stored: &StoredCapture,
    original: Option<&Original>,
) -> Option<Vec<u8>> {
    if !stored.body_kept {
        return None;
    }
    let capture = &stored.capture;
    let id = record_id(database, &format!("response {}", stored.id.0));
    let url = uri(&capture.url);
    let digest = |bytes: &[u8]| format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(bytes)));
    let mut block = http_head(capture.status, &capture.headers, capture.body.len());
    let mut head = vec![
        (
            "WARC-Type",
            if original.is_some() {
                "revisit"
            } else {
                "response"
            }
            .to_owned(),
        ),
        ("WARC-Record-ID", id.clone()),
        ("WARC-Date", capture.fetched.to_rfc3339()),
        ("WARC-Target-URI", url.clone()),
        (
            "Content-Type",
            "application/http; msgtype=response".to_owned(),
        ),
        ("WARC-Payload-Digest", digest(&capture.body)),
    ];
    match original {
        Some(original) => {
            head.push((
                "WARC-Profile",
                "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest".to_owned(),
            ));
            head.push(("WARC-Refers-To-Target-URI", uri(&original.url)));
            head.push(("WARC-Refers-To-Date", original.at.to_rfc3339()));
        }
        None => block.extend_from_slice(&capture.body),
    }
    head.push(("WARC-Block-Digest", digest(&block)));
    Some(record(&head, &block))
}

/// The record of the request behind a response; `None` if it is unknown.
#[must_use]
pub(crate) fn request(database: &str, stored: &StoredCapture) -> Option<Vec<u8>> {
    let capture = &stored.capture;
    let headers = capture.request.as_ref()?;
    let url = uri(&capture.url);
    let after_host = url.splitn(4, '/').nth(3).unwrap_or_default();
    let host = url.split('/').nth(2).unwrap_or_default();
    let mut block = format!("GET /{after_host} HTTP/1.1\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        let _ = write!(block, "Host: {host}\r\n");
    }
    for (name, value) in headers {
        put_header(&mut block, name, value);
    }
    block.push_str("\r\n");
    let head = [
        ("WARC-Type", "request".to_owned()),
        (
            "WARC-Record-ID",
            record_id(database, &format!("request {}", stored.id.0)),
        ),
        (
            "WARC-Concurrent-To",
            record_id(database, &format!("response {}", stored.id.0)),
        ),
        ("WARC-Date", capture.fetched.to_rfc3339()),
        ("WARC-Target-URI", url.clone()),
        (
            "Content-Type",
            "application/http; msgtype=request".to_owned(),
        ),
    ];
    Some(record(&head, block.as_bytes()))
}

fn http_head(status: u16, headers: &[(String, String)], length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} \r\n");
    for (name, value) in headers {
        if OF_THE_WIRE.contains(&name.to_ascii_lowercase().as_str()) {
            put_header(&mut head, &format!("X-Archive-Orig-{name}"), value);
        } else {
            put_header(&mut head, name, value);
        }
    }
    let _ = write!(head, "Content-Length: {length}\r\n\r\n");
    head.into_bytes()
}

/// Nothing in a value can start another header.
fn put_header(out: &mut String, name: &str, value: &str) {
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_graphic() && *c != ':')
        .collect();
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
    let _ = write!(out, "{name}: {value}\r\n");
}

fn record(head: &[(&str, String)], block: &[u8]) -> Vec<u8> {
    let mut out = String::from("WARC/1.1\r\n");
    for (name, value) in head {
        put_header(&mut out, name, value);
    }
    let _ = write!(out, "Content-Length: {}\r\n\r\n", block.len());
    let mut out = out.into_bytes();
    out.extend_from_slice(block);
    out.extend_from_slice(b"\r\n\r\n");
    out
}

/// An address without characters that are not allowed in one.
fn uri(url: &str) -> String {
    url.chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>'))
        .collect()
}

/// The same record has the same name in every export: a UUID of version 8 (RFC 9562) derived from a hash.
fn record_id(database: &str, what: &str) -> String {
    let mut hash: [u8; 32] = Sha256::digest(format!("{database} {what}")).into();
    hash[6] = (hash[6] & 0x0f) | 0x80;
    hash[8] = (hash[8] & 0x3f) | 0x80;
    let hex = HEXLOWER.encode(&hash[..16]);
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..32],
    ];
    format!("<urn:uuid:{}>", parts.join("-"))
}
