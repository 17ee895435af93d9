//! Posts of a Mastodon account.

use std::time::Duration;

use serde_json::{Value, json};

use super::style::{MessageStyle, alternative, bare_link, plain, utf16};
use super::{Judged, Kind, Letter, Step, Work, body, done, judge};
use crate::fetch::{PostAnswer, PostMethod, PostRequest};
use crate::report::pages::PNG;
use crate::report::runs::{Face, Run};

/// Every link counts so many characters (Mastodon, `/api/v2/instance`, 2026-07).
const LINK: usize = 23;
/// An `Idempotency-Key` is forgotten after an hour (Mastodon, `POST /api/v1/statuses`, 2026-07); later, it is looked up
/// whether the post is there.
const REMEMBERED: Duration = Duration::from_mins(50);
/// Bytes of the answer to a post: it has the post as HTML and its account.
const POST_READ: usize = 256 << 10;
/// Characters of the text of a picture (`description_limit` of `/api/v2/instance`, 2026-07).
const ALT_MAX: usize = 1500;
/// Posts that are looked through.
const LOOKED_THROUGH: usize = 40;

pub(super) struct Mastodon;

impl Kind for Mastodon {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        if letter.at.since(letter.created) < REMEMBERED {
            let (request, step) = begin(letter);
            return Ok(Work::Ask(request, step));
        }
        let mut request = get(letter, "/api/v1/accounts/verify_credentials");
        request.read = 64 << 10;
        Ok(Work::Ask(request, "account"))
    }

    fn judge(&self, letter: &Letter<'_>, step: &'static str, answer: &PostAnswer) -> Step {
        match step {
            // A picture never holds up a post: one that is refused, or still being processed (202), is left out.
            "picture" => {
                let media = (answer.status == 200).then(|| id(&body(answer))).flatten();
                let step = if media.is_some() { "pictured" } else { "post" };
                let request = post(letter, letter.thread, media.as_deref());
                return Step::Next(request, step, None);
            }
            "pictured" if super::is_refusal(answer.status) => {
                return Step::Next(post(letter, letter.thread, None), "post", None);
            }
            // The post that it would reply to was deleted (Mastodon, `in_reply_not_found`).
            "post" if answer.status == 404 && letter.thread.is_some() => {
                return Step::Next(post(letter, None, None), "alone", None);
            }
            _ => {}
        }
        if !(200..300).contains(&answer.status) {
            return Step::Done(judge(answer));
        }
        match step {
            "account" => match id(&body(answer)) {
                Some(id) => {
                    let path = format!("/api/v1/accounts/{id}/statuses?limit={LOOKED_THROUGH}");
                    Step::Next(get(letter, &path), "posts", None)
                }
                None => Step::Done(super::not_taken(
                    answer,
                    "the server did not say which account this is",
                )),
            },
            "posts" => {
                let posts = body(answer);
                let ours = letters(&text(letter));
                let is_ours = |post: &Value| {
                    post["content"]
                        .as_str()
                        .is_some_and(|html| letters(&without_tags(html)) == ours)
                };
                let mut posts = posts.as_array().into_iter().flatten();
                match posts.find(|post| is_ours(post)) {
                    Some(post) => Step::Done(Judged {
                        post: id(post),
                        ..done(answer)
                    }),
                    None => {
                        let (request, step) = begin(letter);
                        Step::Next(request, step, None)
                    }
                }
            }
            _ => Step::Done(Judged {
                post: id(&body(answer)),
                ..judge(answer)
            }),
        }
    }

    fn unanswered(&self, letter: &Letter<'_>, step: &'static str) -> Option<Step> {
        let request = || post(letter, letter.thread, None);
        (step == "picture").then(|| Step::Next(request(), "post", None))
    }
}

/// The picture comes first, if there is one.
fn begin(letter: &Letter<'_>) -> (PostRequest, &'static str) {
    match letter.picture {
        Some(picture) => (upload(letter, picture), "picture"),
        None => (post(letter, letter.thread, None), "post"),
    }
}

/// Uploads the picture. The server deletes it if no post shows it within a day.
fn upload(letter: &Letter<'_>, picture: &[u8]) -> PostRequest {
    // No text from a page can contain the id of the event.
    let boundary = format!("revisor-{}", letter.uid);
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\n{}\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"change.png\"\r\n\
         Content-Type: {PNG}\r\n\r\n",
        alternative(letter.message, ALT_MAX)
    )
    .into_bytes();
    body.extend_from_slice(picture);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let url = format!("{}/api/v2/media", letter.server());
    let form = format!("multipart/form-data; boundary={boundary}");
    let mut request = PostRequest::new(url, form, body).reading(64 << 10);
    request
        .headers
        .push(("authorization", format!("Bearer {}", letter.text("token"))));
    request
}

/// The id of an account or a post.
fn id(of: &Value) -> Option<String> {
    let id = of["id"].as_str()?.chars();
    Some(id.filter(char::is_ascii_alphanumeric).take(100).collect())
}

fn get(letter: &Letter<'_>, path: &str) -> PostRequest {
    let mut request = PostRequest::new(
        format!("{}{path}", letter.server()),
        "application/json",
        Vec::new(),
    );
    request.method = PostMethod::Get;
    request.read = 1 << 20;
    request
        .headers
        .push(("authorization", format!("Bearer {}", letter.text("token"))));
    request
}

/// The post; all that happens to an article is one thread, below its first post.
fn post(letter: &Letter<'_>, reply_to: Option<&str>, picture: Option<&str>) -> PostRequest {
    let mut body = json!({"status": text(letter), "visibility": letter.text("visibility")});
    if let Some(first) = reply_to {
        body["in_reply_to_id"] = first.into();
    }
    if let Some(picture) = picture {
        body["media_ids"] = json!([picture]);
    }
    let url = format!("{}/api/v1/statuses", letter.server());
    let mut request = PostRequest::json(&url, &body).reading(POST_READ);
    request
        .headers
        .push(("authorization", format!("Bearer {}", letter.text("token"))));
    request
        .headers
        .push(("idempotency-key", letter.uid.to_owned()));
    request
}

fn text(letter: &Letter<'_>) -> String {
    let room = letter
        .target
        .settings
        .number("max_length")
        .and_then(|most| usize::try_from(most).ok());
    let style = MessageStyle {
        write,
        // A link is written whole and counts as one of fixed length.
        measure: |text| {
            if text.starts_with("https://") || text.starts_with("http://") {
                LINK
            } else {
                utf16(text)
            }
        },
        line_break: "\n",
        plain: true,
        with_headline: true,
        with_address: true,
    };
    style.compose(letter.message, room.unwrap_or(500))
}

/// Nobody is mentioned and no tag is made: the sign and the name do not touch.
fn write(run: &Run) -> String {
    match &run.face {
        Face::Link(url) => bare_link(url),
        _ => {
            // An address in a text is not a link: a short one would count more than it has.
            plain(run)
                .replace('@', "@\u{200b}")
                .replace('#', "#\u{200b}")
                .replace("://", ":\u{200b}//")
        }
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn without_tags(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(out, |text, (entity, letter)| text.replace(entity, letter))
}
