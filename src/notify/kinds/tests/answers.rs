//! What responses mean, and the conversations that follow from them.

use super::*;

fn answer(status: u16, body: &str) -> PostAnswer {
    PostAnswer {
        status,
        message: format!("returned {status}"),
        retry_after: None,
        excerpt: if status < 300 {
            String::new()
        } else {
            body.to_owned()
        },
        body: body.to_owned(),
    }
}

fn judged(kind: TargetKind, step: &'static str, answer: &PostAnswer) -> Judged {
    let target = target(kind);
    with_letter(&target, &sample::revised(), |letter| {
        match of(kind).judge(letter, step, answer) {
            Step::Done(judged) => judged,
            Step::Next(..) => panic!("{kind:?} asks further"),
        }
    })
}

#[test]
fn answers_mean_what_each_service_says_they_do() {
    use TargetKind::{Apprise, Bluesky, Discord, Matrix, Slack, Teams, Telegram};
    let after = |ms: u64| DeliveryResult::Retry {
        after: Some(Duration::from_millis(ms)),
    };
    let retry = || DeliveryResult::Retry { after: None };
    for (kind, status, body, result) in [
        (Slack, 200, "ok", DeliveryResult::Delivered),
        (Slack, 200, "invalid_payload", retry()),
        (Slack, 400, "invalid_blocks", retry()),
        (Discord, 200, "{}", DeliveryResult::Delivered),
        (
            Discord,
            429,
            "{\"retry_after\": 0.65, \"global\": false}",
            after(650),
        ),
        (
            Telegram,
            429,
            "{\"ok\":false,\"parameters\":{\"retry_after\":35}}",
            after(35_000),
        ),
        (
            Telegram,
            200,
            "{\"ok\":true,\"result\":{}}",
            DeliveryResult::Delivered,
        ),
        (
            Telegram,
            401,
            "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}",
            retry(),
        ),
        (
            Matrix,
            429,
            "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":2000}",
            after(2000),
        ),
        (Teams, 202, "", DeliveryResult::Delivered),
        (
            Teams,
            200,
            "Webhook message delivery failed with error: HTTP error 429",
            retry(),
        ),
        (Apprise, 204, "", retry()),
        (Apprise, 200, "", DeliveryResult::Delivered),
        (
            Bluesky,
            200,
            "{\"uri\":\"at://x\"}",
            DeliveryResult::Delivered,
        ),
    ] {
        let got = judged(kind, "post", &answer(status, body));
        assert_eq!(got.result, result, "{kind:?} {status} {body}");
        assert_eq!(got.error.is_none(), result == DeliveryResult::Delivered);
    }
    for (kind, status, body) in [
        (Slack, 404, "no_service"),
        (Slack, 410, "channel_is_archived"),
        (Discord, 404, "{\"code\": 10015}"),
        (
            Telegram,
            403,
            "{\"description\":\"Forbidden: bot was kicked from the group chat\"}",
        ),
    ] {
        let got = judged(kind, "post", &answer(status, body));
        assert!(
            matches!(got.result, DeliveryResult::Disabled(_)),
            "{kind:?} {status}: {got:?}"
        );
    }
}

/// The steps of one attempt, in order.
fn conversation(
    kind: TargetKind,
    start: &'static str,
    answers: &[PostAnswer],
) -> (Vec<(&'static str, PostRequest)>, Option<Judged>) {
    conversation_with(None, kind, start, answers)
}

fn conversation_with(
    picture: Option<&[u8]>,
    kind: TargetKind,
    start: &'static str,
    answers: &[PostAnswer],
) -> (Vec<(&'static str, PostRequest)>, Option<Judged>) {
    let target = target(kind);
    let mut event = sample::revised();
    // Long ago, so that no session or picture is remembered from an earlier attempt.
    event.timestamp = sample::at("2026-11-23T09:04:12Z");
    with_letter(&target, &event, |letter| {
        let letter = &Letter { picture, ..*letter };
        let mut step = start;
        let mut asked = Vec::new();
        for answer in answers {
            match of(kind).judge(letter, step, answer) {
                Step::Done(judged) => return (asked, Some(judged)),
                Step::Next(request, word, _) => {
                    step = word;
                    asked.push((word, request));
                }
            }
        }
        (asked, None)
    })
}

#[test]
fn a_group_of_telegram_that_moved_is_followed_once() {
    let moved = answer(
        400,
        "{\"ok\":false,\"parameters\":{\"migrate_to_chat_id\":-1009}}",
    );
    let (asked, judged) = conversation(TargetKind::Telegram, "post", &[moved.clone(), moved]);
    assert_eq!(asked.len(), 1);
    let body: Value = serde_json::from_slice(&asked[0].1.body).unwrap();
    assert_eq!(body["chat_id"], -1009);
    assert!(judged.is_some_and(|judged| judged.error.is_some()));
}

#[test]
fn a_session_of_bluesky_is_refreshed_and_else_begun_anew() {
    let expired = answer(400, "{\"error\":\"ExpiredToken\"}");
    let session = answer(
        200,
        "{\"accessJwt\":\"A2\",\"refreshJwt\":\"R2\",\"did\":\"did:plc:abc\"}",
    );
    let (asked, judged) = conversation(
        TargetKind::Bluesky,
        "post",
        &[expired.clone(), expired, session, answer(200, "{}")],
    );
    let steps: Vec<&str> = asked.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, ["refresh", "login", "first"]);
    assert!(
        asked[2]
            .1
            .headers
            .contains(&("authorization", "Bearer A2".into()))
    );
    assert_eq!(judged.unwrap().result, DeliveryResult::Delivered);
}

#[test]
fn a_late_retry_at_mastodon_looks_whether_the_post_is_there() {
    let target = target(TargetKind::Mastodon);
    let event = sample::revised();
    let late = with_letter(&target, &event, |letter| {
        let letter = Letter {
            at: letter.created + Duration::from_hours(5),
            ..*letter
        };
        of(target.kind).request(&letter).unwrap()
    });
    assert!(matches!(late, Work::Ask(request, "account") if request.method == PostMethod::Get));
    let status = sent(TargetKind::Mastodon, &event)["status"]
        .as_str()
        .unwrap()
        .to_owned();
    let html = format!(
        "<p>{}</p>",
        status.replace('&', "&amp;").replace('\n', "<br />")
    );
    let account = answer(200, "{\"id\":\"7\"}");
    let there = answer(200, &serde_json::json!([{"content": html}]).to_string());
    let (asked, judged) = conversation(TargetKind::Mastodon, "account", &[account.clone(), there]);
    assert_eq!(
        asked.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
        ["posts"]
    );
    assert_eq!(judged.unwrap().result, DeliveryResult::Delivered);
    let other = answer(200, "[{\"content\":\"<p>Something else</p>\"}]");
    let (asked, _) = conversation(TargetKind::Mastodon, "account", &[account, other]);
    assert_eq!(
        asked.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
        ["posts", "post"]
    );
}

const PICTURE: &[u8] = b"\x89PNG and the rest of it";

#[test]
fn a_picture_is_uploaded_before_its_post() {
    let blob = answer(200, "{\"blob\": {\"$type\": \"blob\", \"size\": 24}}");
    let (asked, judged) = conversation_with(
        Some(PICTURE),
        TargetKind::Bluesky,
        "picture",
        &[blob, answer(200, "{}")],
    );
    assert_eq!(judged.unwrap().result, DeliveryResult::Delivered);
    let body: Value = serde_json::from_slice(&asked[0].1.body).unwrap();
    let image = &body["record"]["embed"]["images"][0];
    assert_eq!(image["image"]["size"], 24);
    assert!(text(&image["alt"]).contains("+ Minister confirms report of talks"));

    let media = answer(200, "{\"id\": \"77\"}");
    let (asked, judged) = conversation_with(
        Some(PICTURE),
        TargetKind::Mastodon,
        "picture",
        &[media, answer(200, "{\"id\": \"1\"}")],
    );
    assert_eq!(judged.unwrap().result, DeliveryResult::Delivered);
    let body: Value = serde_json::from_slice(&asked[0].1.body).unwrap();
    assert_eq!(body["media_ids"], serde_json::json!(["77"]));
}

/// Whatever happens to the picture, the post is made in the same attempt, and only once.
#[test]
fn a_picture_never_holds_up_its_post() {
    use TargetKind::{Bluesky, Mastodon};
    let stored = |kind| match kind {
        Bluesky => answer(200, "{\"blob\": {\"$type\": \"blob\"}}"),
        _ => answer(200, "{\"id\": \"77\"}"),
    };
    for kind in [Bluesky, Mastodon] {
        for refused in [400, 403, 413, 422, 429, 500, 503] {
            let (asked, _) =
                conversation_with(Some(PICTURE), kind, "picture", &[answer(refused, "")]);
            let body: Value = serde_json::from_slice(&asked[0].1.body).unwrap();
            assert!(body["media_ids"].is_null() && body["record"]["embed"].is_null());
        }
        let (asked, _) = conversation_with(
            Some(PICTURE),
            kind,
            "picture",
            &[stored(kind), answer(422, "too big")],
        );
        assert_eq!(asked[0].0, "pictured", "{kind:?}");
        let body: Value = serde_json::from_slice(&asked[1].1.body).unwrap();
        assert!(body["media_ids"].is_null() && body["record"]["embed"].is_null());
        // If the server fails, that concerns the post itself.
        let (asked, judged) = conversation_with(
            Some(PICTURE),
            kind,
            "picture",
            &[stored(kind), answer(503, "")],
        );
        assert!(asked.len() == 1 && judged.is_some_and(|judged| !judged.refused));
        let target = target(kind);
        with_letter(&target, &sample::revised(), |letter| {
            let next = of(kind).unanswered(letter, "picture");
            assert!(matches!(next, Some(Step::Next(..))), "{kind:?}");
            assert!(of(kind).unanswered(letter, "post").is_none(), "{kind:?}");
        });
    }
}

/// The form that Mastodon gets has two parts, and the description is within its limit, whatever the headline says.
#[test]
fn the_description_of_a_picture_is_cut_and_stays_in_its_part() {
    let mut event = sample::revised();
    let long = "Content-Type: x\r\n\r\n--revisor-msg_1-- 👩‍👩‍👧 word ".repeat(500);
    event.data.diff.as_mut().unwrap().title = Some(vec![Segment::Insert(long)]);
    let target = target(TargetKind::Mastodon);
    with_letter(&target, &event, |letter| {
        let letter = Letter {
            picture: Some(PICTURE),
            ..*letter
        };
        let Ok(Work::Ask(request, "picture")) = of(target.kind).request(&letter) else {
            panic!("no picture");
        };
        let boundary = request.content_type.split_once("boundary=").unwrap().1;
        let body = String::from_utf8_lossy(&request.body);
        let parts: Vec<&str> = body.split(&format!("\r\n--{boundary}")).collect();
        assert_eq!(parts.len(), 3, "{body}");
        let description = parts[0].split_once("\r\n\r\n").unwrap().1;
        assert!(utf16(description) <= 1500, "{}", utf16(description));
        assert!(parts[1].ends_with("PNG and the rest of it"));
    });
}

/// A key that is never read would be an empty promise: the file of each kind reads every key of the kind.
#[test]
fn every_key_of_a_kind_is_read() {
    let sources = concat!(
        include_str!("../apprise.rs"),
        include_str!("../bluesky.rs"),
        include_str!("../command.rs"),
        include_str!("../discord.rs"),
        include_str!("../email.rs"),
        include_str!("../gotify.rs"),
        include_str!("../healthchecks.rs"),
        include_str!("../mastodon.rs"),
        include_str!("../matrix.rs"),
        include_str!("../mattermost.rs"),
        include_str!("../mqtt.rs"),
        include_str!("../ntfy.rs"),
        include_str!("../pushover.rs"),
        include_str!("../slack.rs"),
        include_str!("../teams.rs"),
        include_str!("../telegram.rs"),
        include_str!("../webhook.rs"),
        include_str!("../mod.rs"),
        include_str!("../../target.rs"),
        include_str!("../../drain.rs"),
        include_str!("../../../daemon/heartbeat.rs"),
        include_str!("../../../daemon/assembly.rs"),
    );
    for kind in TargetKind::ALL {
        for key in kind.keys() {
            let read = key.name == "server" || sources.contains(&format!("\"{}\"", key.name));
            assert!(read, "{kind:?} {}", key.name);
        }
    }
}

#[test]
fn some_statuses_refuse_the_event_and_others_speak_of_the_moment_or_the_address() {
    for status in [400, 401, 404, 413, 422] {
        assert!(is_refusal(status), "{status}");
    }
    for status in [200, 301, 408, 410, 425, 429, 500, 503, 550] {
        assert!(!is_refusal(status), "{status}");
    }
}

/// News addresses are long, and a post is short: one of 100 letters left no room for itself.
#[test]
fn a_post_links_to_article_and_change_however_long_and_alike_they_are() {
    let slug = "minister-says-something-about-talks-".repeat(10);
    let links = |article: &str, change: &str| {
        let mut event = sample::revised();
        event.data.entry.as_mut().unwrap().url = Some(article.to_owned());
        event.data.permalink = Some(change.to_owned());
        let record = &sent(TargetKind::Bluesky, &event)["record"];
        are_links(text(&record["text"]), &record["facets"])
    };
    let change = "https://changes.example/c/412";
    for (article, change) in [
        (format!("https://news.example/{slug}"), change.to_owned()),
        (
            format!("https://news.example/über/大臣/{slug}"),
            format!("https://changes.example/{slug}/c/412"),
        ),
        // One is the beginning of the other.
        (
            "https://news.example/".to_owned(),
            "https://news.example/c/412".to_owned(),
        ),
    ] {
        assert_eq!(links(&article, &change), [article, change]);
    }
    // Nothing leads to an address that was cut.
    let endless = format!("https://news.example/{}", slug.repeat(10));
    assert_eq!(links(&endless, change), [change]);
}
