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
        "/bluesky/xrpc/com.atproto.repo.uploadBlob" => {
            rule(login == "Bearer A", 400, "{\"error\":\"ExpiredToken\"}")?;
            rule(is_picture(body), 400, "{\"error\":\"InvalidMimeType\"}")?;
            let blob = json!({
                "$type": "blob", "ref": {"$link": format!("bafk{}", shared.uploads.len())},
                "mimeType": "image/png", "size": body.len(),
            });
            shared.uploads.push(blob.to_string());
            Ok((
                String::new(),
                String::new(),
                json!({"blob": blob}).to_string(),
            ))
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
            // The picture was uploaded, is small enough, and has a text.
            let embed = &body["record"]["embed"];
            if embed.is_object() {
                let image = &embed["images"][0];
                let known = shared.uploads.contains(&image["image"].to_string());
                let fits = image["image"]["size"].as_u64() <= Some(1_000_000);
                rule(
                    known && fits && embed["$type"] == "app.bsky.embed.images",
                    400,
                    "{\"error\":\"InvalidRequest\",\"message\":\"blob too big (maximum 1000000)\"}",
                )?;
                let words = text(&image["alt"], 400)?.to_owned();
                shared.pictures.push(("bluesky".to_owned(), words));
            }
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
    shared: &mut Shared,
    path: &str,
    login: &str,
    key: &str,
    (form, body): (&str, &[u8]),
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
        "/mastodon/api/v2/media" => {
            let description = uploaded(form, body).ok_or((422, "{}".to_owned()))?;
            shared.uploads.push(description);
            let reply = json!({"id": shared.uploads.len().to_string()}).to_string();
            return Ok((String::new(), String::new(), reply));
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
    for media in body["media_ids"].as_array().into_iter().flatten() {
        let at = media.as_str().and_then(|id| id.parse::<usize>().ok());
        let words = at.and_then(|id| shared.uploads.get(id.wrapping_sub(1)));
        let words = words.ok_or((422, "{\"error\":\"Media not found\"}".to_owned()))?;
        shared.pictures.push(("mastodon".to_owned(), words.clone()));
    }
    let reply = json!({"id": mastodon_id(key)}).to_string();
    Ok((post, key.to_owned(), reply))
}

fn is_picture(body: &[u8]) -> bool {
    body.starts_with(b"\x89PNG\r\n\x1a\n")
}

/// The description of a picture in a form, at most 1,500 characters (`description_limit` of `/api/v2/instance`).
fn uploaded(form: &str, body: &[u8]) -> Option<String> {
    let boundary = form.strip_prefix("multipart/form-data; boundary=")?;
    let boundary = format!("--{boundary}");
    let split = |from: usize| {
        let mut windows = body[from..].windows(boundary.len());
        windows
            .position(|part| part == boundary.as_bytes())
            .map(|at| from + at)
    };
    let first = split(0)?;
    let second = split(first + 1)?;
    let third = split(second + 1)?;
    let content = |from: usize, to: usize| {
        let part = body.get(from..to - 2)?;
        let head = part.windows(4).position(|end| end == b"\r\n\r\n")?;
        Some((
            String::from_utf8_lossy(&part[..head]).into_owned(),
            &part[head + 4..],
        ))
    };
    let (head, description) = content(first, second)?;
    let (file, picture) = content(second, third)?;
    let description = String::from_utf8(description.to_vec()).ok()?;
    let is_right = head.contains("name=\"description\"")
        && file.contains("name=\"file\"; filename=")
        && is_picture(picture)
        && body.ends_with(b"--\r\n")
        && description.chars().count() <= 1500;
    is_right.then_some(description)
}

/// The id of a post, which the server would count.
fn mastodon_id(key: &str) -> String {
    key.bytes()
        .map(|byte| char::from(b'0' + byte % 10))
        .collect()
}
