//! All kinds together: messages stay within every limit, are plain text only, and show both sides of a change.

mod answers;
mod forms;
mod properties;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation as _;

use self::forms::{are_links, assert_is_mail, is_escaped, is_html, is_markdown};
use super::*;
use crate::config::{Environment, Flags, Secrets, from_text};
use crate::domain::diff::{BlockDiff, BlockOp, LeftOut, Segment, SentenceOps};
use crate::domain::event::{BlocksInfo, DiffInfo, EventKind};
use crate::fetch::PostMethod;
use crate::report::sample;

const URL: &str = "url = \"https://hooks.example/TOPSECRET\"";

/// A target of each kind.
fn target(kind: TargetKind) -> Target {
    let keys = match kind {
        TargetKind::Email => {
            "server = \"mail.example\"\nfrom = \"revisor <bot@desk.example>\"\nto = [\"a@desk.example\", \"b@desk.example\"]"
        }
        TargetKind::Telegram => "token = \"123:TOPSECRET\"\nchat = \"-100\"",
        TargetKind::Matrix => {
            "server = \"https://matrix.example\"\nroom = \"!abc:example\"\ntoken = \"TOPSECRET\""
        }
        TargetKind::Gotify => "server = \"https://push.example\"\ntoken = \"TOPSECRET\"",
        TargetKind::Pushover => "token = \"TOPSECRET\"\nuser = \"TOPSECRET2\"",
        TargetKind::Mqtt => "server = \"mqtt://broker.example\"",
        TargetKind::Command => "command = [\"alert\"]",
        TargetKind::Bluesky => "user = \"desk.example\"\npassword = \"TOPSECRET\"",
        TargetKind::Mastodon => "server = \"https://social.example\"\ntoken = \"TOPSECRET\"",
        _ => URL,
    };
    let text = format!(
        "[[target]]\nname = \"desk\"\nkind = \"{}\"\n{keys}\n",
        kind.as_str()
    );
    let loaded = from_text(
        &text,
        None,
        Flags::default(),
        &Environment::default(),
        Secrets::Required,
    );
    let config = loaded.unwrap_or_else(|error| panic!("{error}")).config;
    crate::notify::targets(&config).unwrap().remove(0)
}

const SESSION: &str = r#"{"accessJwt":"TOPSECRET","refreshJwt":"R","did":"did:plc:abc"}"#;

fn with_letter<T>(target: &Target, event: &Event, then: impl FnOnce(&Letter<'_>) -> T) -> T {
    let stored = serde_json::to_vec(event).unwrap();
    let message = Message::of(event);
    then(&Letter {
        target,
        stored: &stored,
        event,
        message: &message,
        uid: "msg_1",
        at: event.timestamp,
        created: event.timestamp,
        memory: (target.kind == TargetKind::Bluesky).then_some(SESSION),
        thread: None,
        picture: None,
    })
}

fn work(target: &Target, event: &Event) -> Work {
    with_letter(target, event, |letter| {
        of(target.kind).request(letter).unwrap()
    })
}

fn request(kind: TargetKind, event: &Event) -> PostRequest {
    match work(&target(kind), event) {
        Work::Ask(request, _) => request,
        _ => panic!("{kind:?} does not speak HTTP"),
    }
}

fn sent(kind: TargetKind, event: &Event) -> Value {
    serde_json::from_slice(&request(kind, event).body).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// All text in a tree of blocks, under `text`.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "text" => out.push(text.clone()),
                    other => texts(other, out),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, out)),
        _ => {}
    }
}

fn all_text(value: &Value) -> String {
    let mut out = Vec::new();
    texts(value, &mut out);
    out.join(" ")
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The readable text of a message, after checking it against every limit of the service.
fn checked(kind: TargetKind, event: &Event) -> String {
    match kind {
        TargetKind::Slack => {
            let body = sent(kind, event);
            let blocks = body["blocks"].as_array().unwrap();
            assert!(blocks.len() <= 50);
            assert!(utf16(text(&blocks[0]["text"]["text"])) <= 150);
            assert!(
                blocks
                    .iter()
                    .map(|block| utf16(&all_text(block)))
                    .sum::<usize>()
                    <= 10_000
            );
            let fallback = text(&body["text"]);
            assert!(utf16(fallback) <= 3000 && !fallback.is_empty());
            assert!(!fallback.contains(['<', '>']), "{fallback}");
            is_escaped(fallback);
            all_text(&body["blocks"])
        }
        TargetKind::Teams => {
            let body = request(kind, event).body;
            assert!(body.len() <= 28 << 10, "{}", body.len());
            all_text(&serde_json::from_slice(&body).unwrap())
        }
        TargetKind::Discord => {
            let body = sent(kind, event);
            assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]));
            let (title, description) = (
                text(&body["embeds"][0]["title"]),
                text(&body["embeds"][0]["description"]),
            );
            assert!(utf16(title) <= 256 && utf16(description) <= 4096);
            is_markdown(title);
            is_markdown(description);
            unescaped(&format!("{title}{description}"))
        }
        TargetKind::Mattermost => {
            let body = sent(kind, event);
            assert!(utf16(text(&body["text"])) <= 16_383);
            is_markdown(text(&body["text"]));
            unescaped(text(&body["text"]))
        }
        TargetKind::Gotify => {
            let body = sent(kind, event);
            let message = text(&body["message"]);
            assert!(message.len() <= 16_000 && text(&body["title"]).len() <= 250);
            is_markdown(message);
            unescaped(message)
        }
        TargetKind::Telegram => {
            let body = sent(kind, event);
            let html = text(&body["text"]);
            assert!(utf16(html) <= 4096);
            is_html(html);
            without_entities(html)
        }
        TargetKind::Matrix => {
            let request = request(kind, event);
            assert!(request.body.len() <= 60_000, "{}", request.body.len());
            assert_eq!(request.method, PostMethod::Put);
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["m.mentions"], serde_json::json!({}));
            is_html(text(&body["formatted_body"]));
            without_entities(text(&body["formatted_body"]))
        }
        TargetKind::Ntfy => {
            let request = request(kind, event);
            assert!(request.body.len() <= 32_768);
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(
                (text(&body["topic"]), request.url.as_str()),
                ("TOPSECRET", "https://hooks.example/")
            );
            assert!(text(&body["message"]).len() <= 4096 && text(&body["title"]).len() <= 250);
            text(&body["message"]).to_owned()
        }
        TargetKind::Pushover => {
            let body = request(kind, event).body;
            let form: std::collections::HashMap<String, String> =
                url::form_urlencoded::parse(&body).into_owned().collect();
            assert!(
                utf16(&form["title"]) <= 250
                    && utf16(&form["message"]) <= 1024
                    && !form["message"].is_empty()
            );
            assert!(form.get("url").is_none_or(|url| url.len() <= 512));
            form["message"].clone()
        }
        TargetKind::Apprise => {
            let body = sent(kind, event);
            assert!(utf16(text(&body["body"])) <= 30_000 && utf16(text(&body["title"])) <= 250);
            text(&body["body"]).to_owned()
        }
        TargetKind::Bluesky => {
            let body = sent(kind, event);
            let post = text(&body["record"]["text"]).to_owned();
            assert!(
                post.graphemes(true).count() <= 300 && post.len() <= 3000,
                "{post}"
            );
            assert_eq!(text(&body["rkey"]).len(), 13);
            are_links(&post, &body["record"]["facets"]);
            post
        }
        TargetKind::Mastodon => {
            let body = sent(kind, event);
            let post = text(&body["status"]);
            let count: usize = post
                .split_inclusive('\n')
                .map(|line| {
                    if line.starts_with("https://") {
                        23
                    } else {
                        line.chars().count()
                    }
                })
                .sum();
            assert!(count <= 500, "{count}: {post}");
            for line in post.lines().filter(|line| !line.starts_with("https://")) {
                for (at, _) in line.match_indices(['@', '#']) {
                    assert!(line[at + 1..].starts_with('\u{200b}'), "{post}");
                }
            }
            post.replace('\u{200b}', "")
        }
        TargetKind::Email => {
            let target = target(kind);
            assert_is_mail(&work(&target, event));
            let [text, html] = with_letter(&target, event, email::bodies);
            is_html(&html);
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
            without_entities(&html)
        }
        TargetKind::Webhook | TargetKind::Command | TargetKind::Mqtt => {
            let body = match work(&target(kind), event) {
                Work::Ask(request, _) => request.body,
                Work::Run(run) => run.input,
                Work::Publish(publish) => {
                    assert!(
                        !publish.topic.contains(['+', '#'])
                            && publish.topic.split('/').count() == 3
                    );
                    publish.body
                }
                Work::Mail(_) => unreachable!("a mail"),
            };
            let sent: Event = serde_json::from_slice(&body).unwrap();
            assert!(body.len() <= 20 << 10);
            serde_json::to_string(&sent).unwrap()
        }
        TargetKind::Healthchecks => String::new(),
    }
}

fn unescaped(text: &str) -> String {
    text.replace(['\\', '\u{200b}'], "")
}

fn without_entities(html: &str) -> String {
    html.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// The kinds that events can be sent to.
fn kinds() -> impl Iterator<Item = TargetKind> {
    TargetKind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.takes_events())
}

const EVIL: &str = "=1 =?utf-8?q?=0A?= \u{1b}[2J\u{202e}x <script>alert(1)</script> [x](javascript:1) ``` \
                    @everyone <!channel> <@U1> *b* _i_ ~s~ \
                    [-no-]{+yes+} &amp; #tag \r\nBcc: x@y.example\r\n.\r\n||spoiler|| http://a.b";

fn evil() -> Event {
    let mut event = sample::revised();
    event.data.feed.as_mut().unwrap().title = Some(EVIL.into());
    event.data.feed.as_mut().unwrap().name = format!("a/b+#{EVIL}");
    event.data.entry.as_mut().unwrap().url = Some("https://news.example/a?<b>&c=(d)[e]*f".into());
    let diff = event.data.diff.as_mut().unwrap();
    diff.title = Some(vec![
        Segment::Equal(format!("{EVIL} ")),
        Segment::Delete(format!("denies {EVIL}")),
        Segment::Insert(format!("confirms {EVIL}")),
    ]);
    event
}

#[test]
fn every_kind_shows_both_sides_of_a_headline() {
    let event = sample::revised();
    for kind in kinds() {
        let shown = checked(kind, &event);
        assert!(
            shown.contains("denies") && shown.contains("confirms"),
            "{kind:?}: {shown}"
        );
        if kind != TargetKind::Pushover {
            assert!(
                shown.contains("https://news.example/a/123"),
                "{kind:?}: {shown}"
            );
        }
    }
}

#[test]
fn every_kind_of_event_is_sent_by_every_kind_of_target() {
    for kind in kinds() {
        for about in EventKind::ALL {
            let event = crate::notify::test_event(about, sample::at("2026-11-23T10:00:00Z"));
            assert!(!checked(kind, &event).is_empty(), "{kind:?} {about:?}");
            checked(kind, &sample::bare(about));
        }
    }
}

#[test]
fn what_a_stranger_writes_is_text_everywhere() {
    for event in [evil(), digest_of(vec![evil()])] {
        is_text_everywhere(&event);
    }
}

fn is_text_everywhere(event: &Event) {
    for kind in kinds() {
        let shown = checked(kind, event);
        if matches!(
            kind,
            TargetKind::Webhook | TargetKind::Command | TargetKind::Mqtt
        ) {
            continue;
        }
        for bad in ['\u{1b}', '\u{202e}'] {
            assert!(!shown.contains(bad), "{kind:?}: {shown}");
        }
        // Where styles mark an edit, the letters of such a mark in a text mean nothing.
        let marked = matches!(
            kind,
            TargetKind::Mattermost | TargetKind::Discord | TargetKind::Gotify
        );
        assert!(
            marked || !shown.contains("[-no-]") && !shown.contains("{+yes+}"),
            "{kind:?}: {shown}"
        );
    }
    for kind in [
        TargetKind::Mattermost,
        TargetKind::Discord,
        TargetKind::Gotify,
    ] {
        // Titles of Gotify are plain text.
        let body = match kind {
            TargetKind::Gotify => sent(kind, event)["message"].to_string(),
            _ => sent(kind, event).to_string(),
        };
        for live in [
            "@everyone",
            "<!channel>",
            "<@U1>",
            " *b*",
            "~s~",
            "```",
            "](javascript",
            "||spoiler||",
            "<script>",
        ] {
            assert!(!body.contains(live), "{kind:?}: {live} in {body}");
        }
    }
}

#[test]
fn a_change_of_megabytes_is_cut_and_both_sides_stay() {
    for (old, new) in [
        ("oldword ".repeat(100_000), "newword ".repeat(100_000)),
        ("旧".repeat(100_000), "新".repeat(100_000)),
        (
            "<&\"'*_~`\\".repeat(20_000),
            "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}".repeat(20_000),
        ),
    ] {
        let mut event = sample::revised();
        let segments = vec![Segment::Delete(old.clone()), Segment::Insert(new.clone())];
        let block = |segments| BlockDiff {
            op: BlockOp::Edit,
            from: Some(1),
            to: Some(1),
            part_of: None,
            segments,
        };
        event.data.diff = Some(DiffInfo {
            body: Some(BlocksInfo {
                blocks: vec![block(segments)],
                truncated: false,
                coarse: false,
                sentences: SentenceOps::default(),
                left_out: LeftOut::default(),
            }),
            ..DiffInfo::default()
        });
        for kind in kinds() {
            let shown = checked(kind, &event);
            for side in [&old, &new] {
                let start = side.graphemes(true).next().unwrap();
                assert!(shown.contains(start), "{kind:?}: {start} in {shown}");
            }
        }
    }
}

#[test]
fn the_same_event_is_the_same_request() {
    let event = sample::revised();
    for kind in kinds() {
        assert_eq!(checked(kind, &event), checked(kind, &event));
    }
    let matrix = request(TargetKind::Matrix, &event);
    assert_eq!(
        matrix.url,
        "https://matrix.example/_matrix/client/v3/rooms/%21abc%3Aexample/send/m.room.message/msg_1"
    );
    let key = |event: &Event| sent(TargetKind::Bluesky, event)["rkey"].clone();
    assert_eq!(key(&event), key(&event));
}

#[test]
fn golden_bodies() {
    let event = sample::revised();
    assert_eq!(
        text(&sent(TargetKind::Telegram, &event)["text"]),
        "<b>Example News changed a headline and a text</b>\n\
         Minister <s>denies</s> <u>confirms</u> report of talks\n\
         <i>¶1:</i> The minister on Monday <s>denied that talks</s> <u>said that “exploratory talks”</u> had taken place \
         with the envoy.\n\
         <i>¶3→2 moved:</i> Shares fell <s>2</s> <u>3</u> percent.\n\
         <i>changed between 2026-11-23 08:32 and 09:04 UTC</i>\n\
         <a href=\"https://news.example/a/123\">https://news.example/a/123</a>"
    );
    assert_eq!(
        text(&sent(TargetKind::Discord, &event)["embeds"][0]["description"]),
        "Minister ~~denies~~ **confirms** report of talks\n\
         ¶1\\: The minister on Monday ~~denied that talks~~ **said that “exploratory talks”** had taken place with the \
         envoy.\n\
         ¶3→2 moved\\: Shares fell ~~2~~ **3** percent.\n\
         changed between 2026\\-11\\-23 08\\:32 and 09\\:04 UTC\n\
         https://news.example/a/123"
    );
    assert_eq!(
        text(&sent(TargetKind::Mastodon, &event)["status"])
            .lines()
            .collect::<Vec<_>>()[..3],
        [
            "Example News changed a headline and a text",
            "- Minister denies report of talks",
            "+ Minister confirms report of talks"
        ]
    );
    let slack = sent(TargetKind::Slack, &event);
    assert_eq!(
        slack["blocks"][1]["elements"][0]["elements"],
        serde_json::json!([
            {"type": "text", "text": "Minister "},
            {"type": "text", "text": "denies", "style": {"strike": true}},
            {"type": "text", "text": " "},
            {"type": "text", "text": "confirms", "style": {"bold": true}},
            {"type": "text", "text": " report of talks"},
            {"type": "text", "text": "\n"},
        ])
    );
}

#[test]
fn a_webhook_can_be_a_cloudevent_or_what_a_template_says() {
    let event = sample::revised();
    let webhook = |keys: &str| {
        let text = format!("[[target]]\nname = \"a\"\nkind = \"webhook\"\n{URL}\n{keys}\n");
        let loaded = from_text(
            &text,
            None,
            Flags::default(),
            &Environment::default(),
            Secrets::Required,
        );
        let target = crate::notify::targets(&loaded.unwrap().config)
            .unwrap()
            .remove(0);
        match work(&target, &event) {
            Work::Ask(request, _) => request,
            _ => panic!("no request"),
        }
    };
    let cloud = webhook("format = \"cloudevents\"");
    assert_eq!(cloud.content_type, "application/cloudevents+json");
    let body: Value = serde_json::from_slice(&cloud.body).unwrap();
    assert_eq!(body["type"], "dev.revisor.entry.revised");
    assert_eq!(
        (&body["id"], &body["specversion"]),
        (&"msg_1".into(), &"1.0".into())
    );
    assert_eq!(body["data"]["number"], 412);
    let template = webhook(
        "template = '''{\"n\": {{ event.data.number }}, \"t\": {{ headline|cut(12)|tojson }}}'''\ncontent_type = \"application/x\"",
    );
    assert_eq!(
        String::from_utf8(template.body).unwrap(),
        "{\"n\": 412, \"t\": \"Example…\"}"
    );
    assert_eq!(template.content_type, "application/x");
}

fn digest_of(members: Vec<Event>) -> Event {
    let (since, until) = ("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z");
    let events = members.len() as u64;
    crate::notify::digest::of(members, events, sample::at(since), sample::at(until))
}

#[test]
fn a_digest_of_many_events_exceeds_no_limit() {
    for members in [vec![sample::revised(); 100], vec![evil(); 100]] {
        for kind in kinds() {
            checked(kind, &digest_of(members.clone()));
        }
    }
}

#[test]
fn a_digest_shows_each_event_with_its_own_address() {
    let mut other = sample::bare(EventKind::FeedGone);
    other.data.feed.as_mut().unwrap().url = "https://other.example/feed".into();
    let event = digest_of(vec![sample::revised(), other]);
    for kind in kinds() {
        let shown = checked(kind, &event);
        for part in ["denies", "confirms", "https://other.example/feed"] {
            assert!(
                shown.contains(part) || kind == TargetKind::Pushover,
                "{kind:?}: {shown}"
            );
        }
    }
}
