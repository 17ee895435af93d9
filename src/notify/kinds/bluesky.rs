//! Posts of a Bluesky account (or of another AT Protocol server).

use std::ops::Range;

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::style::{MessageStyle, alternative, plain, short};
use super::{Judged, Kind, Letter, Step, Work, body, judge, pause};
use crate::fetch::{PostAnswer, PostRequest};
use crate::report::changed::is_web;
use crate::report::pages::{PICTURE_SIZE, PNG};
use crate::report::runs::Face;

/// A post has 300 graphemes and 3,000 bytes (measured at `@atproto/pds` 0.4.217; `app.bsky.feed.post`).
const POST_MAX: usize = 300;
const BYTES_PER_GRAPHEME: usize = 10;
/// How much of an address a post shows, as in Bluesky's own app: two whole addresses might not fit. The link has all
/// of it.
const ADDRESS_SHOWN: usize = 45;
/// A larger picture makes the post fail: "blob too big" (measured at `@atproto/pds` 0.4.217). Later servers take more.
const PICTURE_MAX: usize = 1_000_000;
/// The text of a picture: what its own app accepts (2026). Servers took 20,000 characters.
const ALT_MAX: usize = 2000;

pub(super) struct Bluesky;

impl Kind for Bluesky {
    /// A session is kept and refreshed: a login for each post would soon be refused (300 a day, docs of 2026-04).
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let known = letter.memory.and_then(|session| begin(letter, session));
        Ok(match known {
            Some((request, Begin::Picture)) => Work::Ask(request, "picture"),
            Some((request, Begin::Post)) => Work::Ask(request, "post"),
            None => Work::Ask(login(letter), "login"),
        })
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
                match begin(letter, &session) {
                    Some((request, Begin::Picture)) => {
                        Step::Next(request, "first picture", Some(session))
                    }
                    Some((request, Begin::Post)) => Step::Next(request, "first", Some(session)),
                    None => Step::Done(super::not_taken(answer, "the server returned no session")),
                }
            }
            ("post" | "picture", _) if expired => {
                match letter.memory.and_then(|session| refresh(letter, session)) {
                    Some(request) => Step::Next(request, "refresh", None),
                    None => Step::Next(login(letter), "login", None),
                }
            }
            ("refresh", 400..=499) if answer.status != 429 => {
                Step::Next(login(letter), "login", None)
            }
            ("picture" | "first picture", 200..=299) => {
                let uploaded = Some(&said["blob"]).filter(|blob| blob.is_object());
                match letter
                    .memory
                    .and_then(|session| post(letter, session, uploaded))
                {
                    Some(request) if uploaded.is_some() => Step::Next(request, "pictured", None),
                    _ => without_picture(letter),
                }
            }
            // A picture that cannot be stored, and a post that is refused with one: the words are what counts.
            ("picture" | "first picture", _) => without_picture(letter),
            ("pictured", 400..=499) if answer.status != 429 => without_picture(letter),
            (_, 429) => Step::Done(pause(answer, None)),
            (_, 200..=299) => Step::Done(Judged {
                post: reference(&said).map(|post| post.to_string()),
                ..judge(answer)
            }),
            _ => Step::Done(judge(answer)),
        }
    }

    fn unanswered(&self, letter: &Letter<'_>, step: &'static str) -> Option<Step> {
        ["picture", "first picture"]
            .contains(&step)
            .then(|| without_picture(letter))
    }
}

/// The request that a session begins with.
enum Begin {
    Picture,
    Post,
}

fn begin(letter: &Letter<'_>, session: &str) -> Option<(PostRequest, Begin)> {
    match upload(letter, session) {
        Some(request) => Some((request, Begin::Picture)),
        None => Some((post(letter, session, None)?, Begin::Post)),
    }
}

/// Posts at once without the picture, which never holds up a post.
fn without_picture(letter: &Letter<'_>) -> Step {
    let session = letter.memory;
    match session.and_then(|session| post(letter, session, None)) {
        Some(request) => Step::Next(request, "first", None),
        None => Step::Next(login(letter), "login", None),
    }
}

/// Uploads the picture. A second upload gives the same one, and the server deletes one that no post shows.
fn upload(letter: &Letter<'_>, session: &str) -> Option<PostRequest> {
    let picture = letter
        .picture
        .filter(|picture| picture.len() <= PICTURE_MAX)?;
    let session: Value = serde_json::from_str(session).ok()?;
    let url = format!("{}/xrpc/com.atproto.repo.uploadBlob", letter.server());
    let mut request = PostRequest::new(url, PNG, picture.to_vec()).reading(16 << 10);
    let token = session["accessJwt"].as_str()?;
    request
        .headers
        .push(("authorization", format!("Bearer {token}")));
    Some(request)
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
fn post(letter: &Letter<'_>, session: &str, picture: Option<&Value>) -> Option<PostRequest> {
    let session: Value = serde_json::from_str(session).ok()?;
    let (token, did) = (session["accessJwt"].as_str()?, session["did"].as_str()?);
    let style = MessageStyle {
        write: |run| match &run.face {
            Face::Link(address) => shown(address),
            _ => plain(run),
        },
        measure,
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
        .filter(|address| is_web(address))
        .filter_map(|address| {
            let line = last_line(&text, &shown(address))?;
            Some(json!({
                "index": {"byteStart": line.start, "byteEnd": line.end},
                "features": [{"$type": "app.bsky.richtext.facet#link", "uri": address}],
            }))
        })
        .collect();
    if !links.is_empty() {
        record["facets"] = links.into();
    }
    if let Some(picture) = picture {
        let (width, height) = PICTURE_SIZE;
        record["embed"] = json!({"$type": "app.bsky.embed.images", "images": [{
            "alt": alternative(letter.message, ALT_MAX), "image": picture,
            "aspectRatio": {"width": width, "height": height},
        }]});
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

/// Counts as the service does, which has two limits.
fn measure(text: &str) -> usize {
    let graphemes = text.graphemes(true).count();
    graphemes.max(text.len().div_ceil(BYTES_PER_GRAPHEME))
}

fn shown(address: &str) -> String {
    short(address, ADDRESS_SHOWN, measure)
}

/// The bytes of the last line that equals `wanted`. A search in the text could find the beginning of another address.
fn last_line(text: &str, wanted: &str) -> Option<Range<usize>> {
    let mut end = text.len();
    for line in text.rsplit('\n') {
        let start = end - line.len();
        if line == wanted {
            return Some(start..end);
        }
        end = start.saturating_sub(1);
    }
    None
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
