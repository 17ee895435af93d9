//! A strict server in place of the services that alerts go to: it refuses what the real ones refuse, with their
//! responses. Each rule has its source; real servers, where available, are tested by hand.

mod posts;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// A message that a service accepted.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) service: String,
    /// What a reader sees of it, including markup.
    pub(crate) text: String,
    /// What identifies a repeated message; empty if the service has no such id.
    pub(crate) id: String,
}

#[derive(Default)]
struct Shared {
    taken: Vec<Taken>,
    refused: Vec<String>,
    /// Responses that override the rules, by service, used front to back.
    first: HashMap<String, Vec<(u16, String)>>,
    logins: usize,
    /// The pictures that were uploaded; those of Mastodon come with their description.
    uploads: Vec<String>,
    /// The descriptions of pictures in posts, by service.
    pictures: Vec<(String, String)>,
    down: bool,
    /// Whether accepted messages get a response as if a proxy had lost the real one.
    loses_responses: bool,
}

/// The signing secret of webhooks.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_ZW5kdXJhbmNlLCBlbmR1cmFuY2UsIGVuZHVyYW5jZSE=";

/// The services, each under its own path.
pub(crate) struct Services {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _runtime: tokio::runtime::Runtime,
}

impl Services {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self {
            address,
            shared,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What a service accepted.
    pub(crate) fn taken(&self, service: &str) -> Vec<Taken> {
        let shared = self.shared.lock().unwrap();
        shared
            .taken
            .iter()
            .filter(|taken| taken.service == service)
            .cloned()
            .collect()
    }

    /// Responds only with 503 from now on, or stops doing so.
    pub(crate) fn set_down(&self, down: bool) {
        self.shared.lock().unwrap().down = down;
    }

    /// Accepts everything from now on, but responds with 504, or stops doing so.
    pub(crate) fn lose_responses(&self, lose: bool) {
        self.shared.lock().unwrap().loses_responses = lose;
    }

    /// Forgets what a service accepted.
    pub(crate) fn forget(&self, service: &str) {
        let mut shared = self.shared.lock().unwrap();
        shared.taken.retain(|taken| taken.service != service);
    }

    /// The descriptions of the pictures in posts of a service.
    #[cfg(feature = "cards")]
    pub(crate) fn pictures(&self, service: &str) -> Vec<String> {
        let shared = self.shared.lock().unwrap();
        let pictures = shared.pictures.iter();
        let pictures = pictures.filter(|(of, _)| of == service);
        pictures.map(|(_, words)| words.clone()).collect()
    }

    /// The violations of rules.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.shared.lock().unwrap().refused.clone()
    }

    pub(crate) fn logins(&self) -> usize {
        self.shared.lock().unwrap().logins
    }

    /// Sets the responses to the next requests for a service; they override its rules.
    pub(crate) fn answer_first(&self, service: &str, answers: &[(u16, &str)]) {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()));
        self.shared
            .lock()
            .unwrap()
            .first
            .insert(service.to_owned(), answers.collect());
    }
}

/// A violated rule: the status and body of the service.
type Refusal = (u16, String);

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut shared = shared.lock().unwrap();
    let path = uri.path().to_owned();
    let service = path.split('/').nth(1).unwrap_or_default().to_owned();
    if let Some(first) = shared
        .first
        .get_mut(&service)
        .filter(|first| !first.is_empty())
    {
        let (status, body) = first.remove(0);
        return (StatusCode::from_u16(status).unwrap(), body).into_response();
    }
    if shared.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let result = match service.as_str() {
        _ if path.ends_with("/WRONGTOKEN") => wrong_address(&service),
        "webhook" | "cloudevents" | "template" => webhook(&headers, &body),
        "slack" => slack(&body),
        "mattermost" => mattermost(&body),
        "discord" => discord(&body),
        "ntfy" => ntfy(&header("authorization"), &body),
        "telegram" => telegram(&path, &body),
        "matrix" => matrix(&method, &path, &header("authorization"), &body),
        "teams" => teams(&body),
        "gotify" => gotify(&path, &header("x-gotify-key"), &body),
        "pushover" => pushover(&path, &body),
        "apprise" => apprise(&body),
        "bluesky" => posts::bluesky(&mut shared, &path, &header("authorization"), &body),
        "mastodon" => posts::mastodon(
            &mut shared,
            &path,
            &header("authorization"),
            &header("idempotency-key"),
            (&header("content-type"), &body),
        ),
        "alive" => Ok((path.clone(), String::new(), "OK".to_owned())),
        _ => Err((404, "nothing here".to_owned())),
    };
    match result {
        Ok((text, id, reply)) => {
            // A response that is only a step of a conversation has no text.
            let again = !id.is_empty()
                && shared
                    .taken
                    .iter()
                    .any(|taken| taken.service == service && taken.id == id);
            let lost = shared.loses_responses && !text.is_empty();
            if !text.is_empty() && !again {
                shared.taken.push(Taken { service, text, id });
            }
            if lost {
                return StatusCode::GATEWAY_TIMEOUT.into_response();
            }
            reply.into_response()
        }
        Err((status, body)) => {
            shared.refused.push(format!("{service}: {status} {body}"));
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
    }
}

/// Text, id and response of an accepted message.
type Accepted = (String, String, String);

fn parsed(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| (400, format!("no JSON: {error}")))
}

fn rule(holds: bool, status: u16, body: &str) -> Result<(), Refusal> {
    if holds {
        Ok(())
    } else {
        Err((status, body.to_owned()))
    }
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

fn text(value: &Value, status: u16) -> Result<&str, Refusal> {
    value
        .as_str()
        .ok_or((status, "a text is missing".to_owned()))
}

fn all_text(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| match value {
            Value::String(text) if name == "text" => out.push_str(text),
            other => all_text(other, out),
        }),
        Value::Array(list) => list.iter().for_each(|value| all_text(value, out)),
        _ => {}
    }
}

/// The response of a service to an address with a wrong token.
fn wrong_address(service: &str) -> Result<Accepted, Refusal> {
    Err(match service {
        "slack" => (403, "invalid_token".to_owned()),
        "discord" => (
            401,
            "{\"message\": \"Invalid Webhook Token\", \"code\": 50027}".to_owned(),
        ),
        "mattermost" => (400, "Invalid webhook".to_owned()),
        _ => (401, "unauthorized".to_owned()),
    })
}

/// Standard Webhooks: checks the signature and the recommended limit of 20 KiB.
fn webhook(headers: &HeaderMap, body: &[u8]) -> Result<Accepted, Refusal> {
    let secret = revisor::SigningSecret::parse(WEBHOOK_SECRET).unwrap();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let at = header("webhook-timestamp").and_then(|at| at.parse().ok());
    let at = revisor::time::Timestamp::from_unix(at.unwrap_or_default());
    let verified = revisor::verify(&[secret], header, body, at);
    rule(verified.is_ok(), 401, "wrong signature")?;
    rule(body.len() <= 20_480, 413, "too large")?;
    let id = header("webhook-id").unwrap_or_default().to_owned();
    let body = parsed(body)?;
    let shown = text(&body["data"]["text"], 400)?;
    Ok((shown.to_owned(), id, String::new()))
}

/// docs.slack.dev, Block Kit reference: header 150, 50 blocks; `msg_blocks_too_long` at about 13,200 (bolt-js 2509).
fn slack(body: &[u8]) -> Result<Accepted, Refusal> {
    let body = parsed(body)?;
    let blocks = body["blocks"]
        .as_array()
        .ok_or((400, "invalid_payload".to_owned()))?;
    rule(blocks.len() <= 50, 400, "invalid_blocks")?;
    rule(body["text"].is_string(), 400, "no_text")?;
    let mut shown = String::new();
    for block in blocks {
        match block["type"].as_str() {
            Some("header") => {
                rule(block["text"]["type"] == "plain_text", 400, "invalid_blocks")?;
                rule(
                    utf16(text(&block["text"]["text"], 400)?) <= 150,
                    400,
                    "invalid_blocks",
                )?;
            }
            Some("rich_text") => {
                for section in block["elements"].as_array().into_iter().flatten() {
                    for element in section["elements"].as_array().into_iter().flatten() {
                        let known = matches!(element["type"].as_str(), Some("text" | "link"));
                        rule(
                            known && !text(&element["text"], 400)?.is_empty(),
                            400,
                            "invalid_blocks",
                        )?;
                    }
                }
            }
            _ => return Err((400, "invalid_blocks".to_owned())),
        }
        all_text(block, &mut shown);
    }
    rule(utf16(&shown) <= 13_200, 400, "msg_blocks_too_long")?;
    Ok((shown, String::new(), "ok".to_owned()))
}

/// Mattermost 5.0 and later: 16,383 runes.
fn mattermost(body: &[u8]) -> Result<Accepted, Refusal> {
    let body = parsed(body)?;
    let shown = text(&body["text"], 400)?;
    rule(
        !shown.is_empty() && shown.chars().count() <= 16_383,
        400,
        "Unable to create post: too long",
    )?;
    Ok((shown.to_owned(), String::new(), "ok".to_owned()))
}

/// Discord, "Embed Limits": 256, 4,096 and 6,000.
fn discord(body: &[u8]) -> Result<Accepted, Refusal> {
    let body = parsed(body)?;
    let embed = &body["embeds"][0];
    let (title, description) = (
        text(&embed["title"], 400)?,
        text(&embed["description"], 400)?,
    );
    rule(
        utf16(title) <= 256 && utf16(description) <= 4096,
        400,
        "{\"embeds\": [\"0\"]}",
    )?;
    rule(
        utf16(title) + utf16(description) <= 6000,
        400,
        "{\"embeds\": [\"0\"]}",
    )?;
    rule(
        body["allowed_mentions"]["parse"] == json!([]),
        400,
        "somebody could be mentioned",
    )?;
    Ok((
        format!("{title}\n{description}"),
        String::new(),
        "{\"id\": \"1\"}".to_owned(),
    ))
}

/// ntfy 2.13, server/config.go and server.go: 32,768 bytes of JSON, 4,096 of message.
fn ntfy(login: &str, body: &[u8]) -> Result<Accepted, Refusal> {
    rule(
        login != "Bearer WRONGTOKEN",
        401,
        "{\"code\":40101,\"error\":\"unauthorized\"}",
    )?;
    rule(
        body.len() <= 32_768,
        400,
        "{\"code\":40012,\"error\":\"invalid request: request body too large\"}",
    )?;
    let body = parsed(body)?;
    rule(
        body["topic"] == "desk-topic",
        404,
        "{\"code\":40009,\"error\":\"invalid request: topic invalid\"}",
    )?;
    let shown = text(&body["message"], 400)?;
    rule(shown.len() <= 4096, 400, "it became an attachment")?;
    let priority = body["priority"].as_i64().unwrap_or(0);
    rule(
        (1..=5).contains(&priority),
        400,
        "{\"code\":40007,\"error\":\"invalid request: priority invalid\"}",
    )?;
    let id = text(&body["sequence_id"], 400)?;
    rule(
        id.bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"_-".contains(&c)),
        400,
        "sequence ID invalid",
    )?;
    Ok((
        format!("{}\n{shown}", text(&body["title"], 400)?),
        id.to_owned(),
        "{}".to_owned(),
    ))
}

/// Bot API, `sendMessage`: 4,096 after entities; only its own elements.
fn telegram(path: &str, body: &[u8]) -> Result<Accepted, Refusal> {
    rule(
        path == "/telegram/bot123:TOPSECRET/sendMessage",
        404,
        "{\"ok\":false,\"error_code\":404,\"description\":\"Not Found\"}",
    )?;
    let body = parsed(body)?;
    rule(
        body["chat_id"] == "-100",
        400,
        "{\"ok\":false,\"description\":\"Bad Request: chat not found\"}",
    )?;
    let html = text(&body["text"], 400)?;
    rule(
        utf16(html) <= 4096,
        400,
        "{\"ok\":false,\"description\":\"Bad Request: message is too long\"}",
    )?;
    for part in html.split('<').skip(1) {
        let name = part
            .trim_start_matches('/')
            .split(['>', ' '])
            .next()
            .unwrap_or_default();
        let known = ["b", "i", "u", "s", "a"].contains(&name);
        rule(
            known,
            400,
            "{\"ok\":false,\"description\":\"Bad Request: can't parse entities\"}",
        )?;
    }
    Ok((
        html.to_owned(),
        String::new(),
        "{\"ok\":true,\"result\":{}}".to_owned(),
    ))
}

/// Matrix 1.18: the same transaction is the same event; an event has at most 65,536 bytes. Observed with
/// matrix-synapse 1.163.
fn matrix(method: &Method, path: &str, login: &str, body: &[u8]) -> Result<Accepted, Refusal> {
    rule(
        login == "Bearer TOPSECRET",
        401,
        "{\"errcode\":\"M_UNKNOWN_TOKEN\"}",
    )?;
    rule(
        *method == Method::PUT,
        405,
        "{\"errcode\":\"M_UNRECOGNIZED\"}",
    )?;
    rule(body.len() < 65_000, 413, "{\"errcode\":\"M_TOO_LARGE\"}")?;
    let start = "/matrix/_matrix/client/v3/rooms/%21abc%3Aexample/send/m.room.message/";
    let id = path
        .strip_prefix(start)
        .ok_or((404, "{\"errcode\":\"M_UNRECOGNIZED\"}".to_owned()))?;
    let body = parsed(body)?;
    rule(
        body["m.mentions"] == json!({}),
        400,
        "somebody could be mentioned",
    )?;
    rule(
        body["body"].is_string(),
        400,
        "{\"errcode\":\"M_BAD_JSON\"}",
    )?;
    let shown = text(&body["formatted_body"], 400)?;
    Ok((
        shown.to_owned(),
        id.to_owned(),
        "{\"event_id\":\"$1\"}".to_owned(),
    ))
}

/// Workflows require `attachments` (uptime-kuma 4922), and accept 28 KB.
fn teams(body: &[u8]) -> Result<Accepted, Refusal> {
    rule(body.len() <= 28 << 10, 413, "RequestEntityTooLarge")?;
    let body = parsed(body)?;
    let card = &body["attachments"][0];
    rule(
        card["contentType"] == "application/vnd.microsoft.card.adaptive",
        400,
        "'attachments' is of type 'Null'",
    )?;
    let mut shown = String::new();
    all_text(&card["content"]["body"], &mut shown);
    Ok((shown, String::new(), String::new()))
}

fn gotify(path: &str, key: &str, body: &[u8]) -> Result<Accepted, Refusal> {
    rule(path == "/gotify/message", 404, "{\"error\":\"Not Found\"}")?;
    rule(
        key == "TOPSECRET",
        401,
        "{\"errorDescription\":\"you need to provide a valid access token\"}",
    )?;
    let body = parsed(body)?;
    rule(
        (0..=10).contains(&body["priority"].as_i64().unwrap_or(-1)),
        400,
        "priority",
    )?;
    let shown = text(&body["message"], 400)?;
    rule(!shown.is_empty(), 400, "message is required")?;
    Ok((shown.to_owned(), String::new(), "{}".to_owned()))
}

/// Pushover, "Message API": 1,024, 250 and 512 characters.
fn pushover(path: &str, body: &[u8]) -> Result<Accepted, Refusal> {
    rule(path == "/pushover/1/messages.json", 404, "not found")?;
    let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let has = |key: &str, most: usize| {
        form.get(key)
            .is_some_and(|text| !text.is_empty() && utf16(text) <= most)
    };
    rule(
        form.get("token").is_some_and(|token| token == "TOPSECRET"),
        400,
        "{\"token\":\"invalid\",\"status\":0}",
    )?;
    rule(
        has("message", 1024) && has("title", 250),
        400,
        "{\"message\":\"is too long\",\"status\":0}",
    )?;
    rule(
        form.get("url").is_none_or(|url| url.len() <= 512),
        400,
        "{\"url\":\"is too long\",\"status\":0}",
    )?;
    Ok((
        form["message"].clone(),
        String::new(),
        "{\"status\":1}".to_owned(),
    ))
}

fn apprise(body: &[u8]) -> Result<Accepted, Refusal> {
    let body = parsed(body)?;
    rule(
        ["info", "warning"].contains(&text(&body["type"], 400)?),
        400,
        "bad type",
    )?;
    let shown = text(&body["body"], 400)?;
    rule(
        !shown.is_empty(),
        400,
        "{\"error\": \"Payload lacks minimum requirements\"}",
    )?;
    Ok((shown.to_owned(), String::new(), "{}".to_owned()))
}
