//! Posts of a Bluesky account (or of another AT Protocol server).

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::style::{MessageStyle, plain};
use super::{Judged, Kind, Letter, Step, Work, body, judge, pause};
use crate::fetch::{PostAnswer, PostRequest};

/// A post has 300 graphemes and 3,000 bytes (measured at `@atproto/pds` 0.4.217; `app.bsky.feed.post`).
const POST_MAX: usize = 300;
const BYTES_PER_GRAPHEME: usize = 10;

pub(super) struct Bluesky;

impl Kind for Bluesky {
    /// A session is kept and refreshed: a login for each post would soon be refused (300 a day, docs of 2026-04).
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        Ok(
            match letter.memory.and_then(|session| post(letter, session)) {
                Some(request) => Work::Ask(request, "post"),
                None => Work::Ask(login(letter), "login"),
            },
        )
    }

    fn judge(&self, letter: &Letter<'_>, step: &'static str, answer: &PostAnswer) -> Step {
        let said = body(answer);
        let expired = said["error"] == "ExpiredToken"
            || said["error"] == "InvalidToken"
            || answer.status == 401;
        match (step, answer.status) {
            ("login" | "refresh", 200..=299) => {
                let session = json!({
                    "accessJwt": said["accessJwt"], "refreshJwt": said["refreshJwt"], "did": said["did"],
                })
                .to_string();
                match post(letter, &session) {
                    Some(request) => Step::Next(request, "first", Some(session)),
                    None => Step::Done(super::not_taken(answer, "the server returned no session")),
                }
            }
            ("post", _) if expired => {
                match letter.memory.and_then(|session| refresh(letter, session)) {
                    Some(request) => Step::Next(request, "refresh", None),
                    None => Step::Next(login(letter), "login", None),
                }
            }
            ("refresh", 400..=499) if answer.status != 429 => {
                Step::Next(login(letter), "login", None)
            }
            (_, 429) => Step::Done(pause(answer, None)),
            (_, 200..=299) => Step::Done(Judged {
                post: reference(&said).map(|post| post.to_string()),
                ..judge(answer)
            }),
            _ => Step::Done(judge(answer)),
        }
    }
}

/// What a reply names a post by.
fn reference(post: &Value) -> Option<Value> {
    let (uri, cid) = (post["uri"].as_str()?, post["cid"].as_str()?);
    Some(json!({"uri": uri, "cid": cid}))
}

fn call(letter: &Letter<'_>, method: &str, body: &Value) -> PostRequest {
    PostRequest::json(&format!("{}/xrpc/{method}", letter.server()), body).reading(16 << 10)
}

fn login(letter: &Letter<'_>) -> PostRequest {
    let body = json!({"identifier": letter.text("user"), "password": letter.text("password")});
    call(letter, "com.atproto.server.createSession", &body)
}

fn refresh(letter: &Letter<'_>, session: &str) -> Option<PostRequest> {
    let session: Value = serde_json::from_str(session).ok()?;
    let mut request = call(letter, "com.atproto.server.refreshSession", &Value::Null);
    request.body.clear();
    request.headers.push((
        "authorization",
        format!("Bearer {}", session["refreshJwt"].as_str()?),
    ));
    Some(request)
}

/// The post under a name made from the event: sent again, it is the same post. (`createRecord` answers 500 then.)
fn post(letter: &Letter<'_>, session: &str) -> Option<PostRequest> {
    let session: Value = serde_json::from_str(session).ok()?;
    let (token, did) = (session["accessJwt"].as_str()?, session["did"].as_str()?);
    let style = MessageStyle {
        write: plain,
        measure: |text| {
            text.graphemes(true)
                .count()
                .max(text.len().div_ceil(BYTES_PER_GRAPHEME))
        },
        line_break: "\n",
        plain: true,
        with_headline: true,
        with_address: true,
    };
    let text = style.compose(letter.message, POST_MAX);
    let mut record =
        json!({"$type": "app.bsky.feed.post", "text": text, "createdAt": letter.created});
    // Links are named by their place in bytes; without one, an address is only text.
    let links: Vec<Value> = [&letter.message.address, &letter.message.change_address]
        .into_iter()
        .flatten()
        .filter(|address| address.starts_with("http"))
        .filter_map(|address| {
            let start = text.rfind(address.as_str())?;
            Some(json!({
                "index": {"byteStart": start, "byteEnd": start + address.len()},
                "features": [{"$type": "app.bsky.richtext.facet#link", "uri": address}],
            }))
        })
        .collect();
    if !links.is_empty() {
        record["facets"] = links.into();
    }
    // All that happens to an article is one thread, below its first post.
    let first = letter
        .thread
        .and_then(|post| reference(&serde_json::from_str(post).ok()?));
    if let Some(first) = first {
        record["reply"] = json!({"root": first, "parent": first});
    }
    let body = json!({
        "repo": did, "collection": "app.bsky.feed.post", "rkey": record_key(letter), "record": record,
    });
    let mut request = call(letter, "com.atproto.repo.putRecord", &body);
    request
        .headers
        .push(("authorization", format!("Bearer {token}")));
    Some(request)
}

/// A TID: 13 letters for the microsecond of the event and ten bits more, both from what never changes of it.
fn record_key(letter: &Letter<'_>) -> String {
    const LETTERS: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
    let hash = letter
        .uid
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let millis = u64::try_from(letter.created.as_millis()).unwrap_or(0);
    let micros = millis.wrapping_mul(1000) + hash % 1000;
    let id = (micros & ((1 << 53) - 1)) << 10 | (hash >> 20 & 1023);
    (0..13)
        .rev()
        .map(|place| char::from(LETTERS[(id >> (place * 5) & 31) as usize]))
        .collect()
}
