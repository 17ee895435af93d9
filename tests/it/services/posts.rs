//! The services of public posts.

use serde_json::json;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Accepted, Refusal, Shared, parsed, rule, text};

/// As seen at @atproto/pds 0.4.217: 300 graphemes and 3,000 bytes, a record key that is a TID, links by bytes.
pub(super) fn bluesky(
    shared: &mut Shared,
    path: &str,
    login: &str,
    body: &[u8],
) -> Result<Accepted, Refusal> {
    let session = json!({"accessJwt": "A", "refreshJwt": "R", "did": "did:plc:abc"}).to_string();
    match path {
        "/bluesky/xrpc/com.atproto.server.createSession" => {
            let body = parsed(body)?;
            rule(
                body["password"] == "TOPSECRET",
                401,
                "{\"error\":\"AuthenticationRequired\"}",
            )?;
            shared.logins += 1;
            Ok((String::new(), String::new(), session))
        }
        "/bluesky/xrpc/com.atproto.repo.putRecord" => {
            rule(login == "Bearer A", 400, "{\"error\":\"ExpiredToken\"}")?;
            let body = parsed(body)?;
            let post = text(&body["record"]["text"], 400)?;
            rule(
                post.graphemes(true).count() <= 300 && post.len() <= 3000,
                400,
                "{\"error\":\"InvalidRequest\"}",
            )?;
            let key = text(&body["rkey"], 400)?;
            let letters = key
                .bytes()
                .all(|c| (b'2'..=b'7').contains(&c) || c.is_ascii_lowercase());
            rule(
                key.len() == 13 && letters,
                400,
                "{\"error\":\"InvalidRequest\",\"message\":\"rkey\"}",
            )?;
            // A reply names posts by their address and hash, and those are known.
            let reply = &body["record"]["reply"];
            for part in ["root", "parent"].iter().filter(|_| reply.is_object()) {
                let uri = text(&reply[part]["uri"], 400)?;
                let known = uri
                    .strip_prefix("at://did:plc:abc/app.bsky.feed.post/")
                    .filter(|key| shared.taken.iter().any(|taken| taken.id == *key));
                let cid = format!("cid-{}", known.unwrap_or("unknown"));
                rule(
                    reply[part]["cid"] == cid.as_str(),
                    400,
                    "{\"error\":\"InvalidRequest\"}",
                )?;
            }
            let post = match reply["parent"]["uri"].as_str() {
                Some(parent) => format!("{post} (below {parent})"),
                None => post.to_owned(),
            };
            let post = post.as_str();
            for facet in body["record"]["facets"].as_array().into_iter().flatten() {
                let at = |name: &str| {
                    usize::try_from(facet["index"][name].as_u64().unwrap_or(0)).unwrap_or(0)
                };
                rule(
                    post.get(at("byteStart")..at("byteEnd")).is_some(),
                    400,
                    "{\"error\":\"InvalidRequest\"}",
                )?;
            }
            Ok((
                post.to_owned(),
                key.to_owned(),
                json!({
                    "uri": format!("at://did:plc:abc/app.bsky.feed.post/{key}"), "cid": format!("cid-{key}"),
                })
                .to_string(),
            ))
        }
        _ => Err((501, "{\"error\":\"MethodNotImplemented\"}".to_owned())),
    }
}

/// Mastodon, `POST /api/v1/statuses`: 500 characters, a link counts 23; the idempotency key is known for an hour.
pub(super) fn mastodon(
    shared: &Shared,
    path: &str,
    login: &str,
    key: &str,
    body: &[u8],
) -> Result<Accepted, Refusal> {
    rule(
        login == "Bearer TOPSECRET",
        401,
        "{\"error\":\"The access token is invalid\"}",
    )?;
    // The account, and its posts: a late retry searches them.
    match path {
        "/mastodon/api/v1/accounts/verify_credentials" => {
            return Ok((String::new(), String::new(), "{\"id\":\"7\"}".to_owned()));
        }
        "/mastodon/api/v1/accounts/7/statuses" => {
            let posts = shared.taken.iter().rev();
            let posts = posts
                .filter(|taken| taken.service == "mastodon")
                .map(|taken| {
                    let text = taken.text.split(" (below ").next().unwrap_or_default();
                    let html = text.replace('&', "&amp;").replace('<', "&lt;");
                    json!({"id": mastodon_id(&taken.id), "content": format!("<p>{html}</p>")})
                });
            let posts = json!(posts.collect::<Vec<_>>()).to_string();
            return Ok((String::new(), String::new(), posts));
        }
        _ => {}
    }
    rule(
        path == "/mastodon/api/v1/statuses",
        404,
        "{\"error\":\"Record not found\"}",
    )?;
    let body = parsed(body)?;
    let post = text(&body["status"], 422)?;
    let count: usize = post
        .split_whitespace()
        .map(|word| {
            if word.starts_with("http") {
                24
            } else {
                word.graphemes(true).count() + 1
            }
        })
        .sum();
    rule(
        count <= 501,
        422,
        "{\"error\":\"Validation failed: Text character limit of 500 exceeded\"}",
    )?;
    let parent = body["in_reply_to_id"].as_str();
    let known = |id: &str| {
        let mut posts = shared.taken.iter();
        posts.any(|taken| taken.service == "mastodon" && mastodon_id(&taken.id) == id)
    };
    rule(
        parent.is_none_or(known),
        404,
        "{\"error\":\"The post you are trying to reply to does not appear to exist.\"}",
    )?;
    let post = match parent {
        Some(parent) => format!("{post} (below {parent})"),
        None => post.to_owned(),
    };
    let reply = json!({"id": mastodon_id(key)}).to_string();
    Ok((post, key.to_owned(), reply))
}

/// The id of a post, which the server would count.
fn mastodon_id(key: &str) -> String {
    key.bytes()
        .map(|byte| char::from(b'0' + byte % 10))
        .collect()
}
