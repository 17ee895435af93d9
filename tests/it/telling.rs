//! From an edit to the alert: the main purpose, end to end.

use serde_json::Value;

use crate::support::{Home, Page, SECRET, Server, rss};

const LONG: &str = "The minister answered questions about the meeting on Monday, after a newspaper had reported that \
                    the two delegations met twice in a hotel near the border, and said that nothing would be added.";

fn home(publisher: &Server, receiver: &Server, page: &str) -> Home {
    Home::new(&format!(
        "[page]\nfetch = \"{page}\"\n\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\ntags = [\"politics\"]\n\n\
         [[target]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nevents = [\"entry.*\", \
         \"feed.*\"]\n",
        publisher.url("/feed.xml"),
        receiver.url("/hook"),
    ))
}

fn serve(publisher: &Server, items: &[(&str, &str, &str, &str)]) {
    publisher.set("/feed.xml", Page::rss(rss(items)));
}

fn article(title: &str, paragraphs: &[&str], weather: &str) -> Page {
    let text = format!("<p>{}</p>", paragraphs.join("</p><p>"));
    Page::html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>{title} | Courier</title></head><body><nav><a href=\"/\">Home</a> \
         <a href=\"/x\">Politics</a></nav><div class=\"weather\">{weather}</div><main><article><h1>{title}</h1>{text}\
         </article></main><footer>© Courier</footer></body></html>"
    ))
}

fn body(hook: &crate::support::Request) -> Value {
    serde_json::from_slice(&hook.body).expect("a webhook is JSON")
}

#[test]
fn a_headline_edit_is_told_once_with_a_signature_and_the_exact_words() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    serve(
        &publisher,
        &[(
            "1",
            "https://e.example/1",
            "Minister denies report of talks",
            LONG,
        )],
    );
    let first = home.check();
    assert_eq!(first["feeds"][0]["new"], 1);
    assert_eq!(first["changes"], serde_json::json!([]));
    assert!(receiver.hooks().is_empty(), "the baseline is silent");

    serve(
        &publisher,
        &[(
            "1",
            "https://e.example/1",
            "Minister confirms report of talks",
            LONG,
        )],
    );
    let second = home.check();
    assert_eq!(second["feeds"][0]["outcome"], "new_content");
    assert_eq!(second["changes"], serde_json::json!([1]));
    let third = home.check();
    assert_eq!(third["changes"], serde_json::json!([]));

    let hooks = receiver.hooks();
    assert_eq!(hooks.len(), 1);
    assert!(verified(&hooks[0]), "the signature fits");
    let event = body(&hooks[0]);
    assert_eq!(event["type"], "entry.revised");
    assert_eq!(event["data"]["number"], 1);
    assert_eq!(event["data"]["change"]["labels"][0], "headline");
    assert_eq!(
        event["data"]["feed"]["tags"],
        serde_json::json!(["politics"])
    );
    assert_eq!(
        event["data"]["diff"]["title"],
        serde_json::json!([
            ["=", "Minister "],
            ["-", "denies"],
            ["+", "confirms"],
            ["=", " report of talks"]
        ])
    );
    assert_eq!(home.events(), vec![event], "log and webhook say the same");
}

#[test]
fn what_no_reader_sees_makes_no_change() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    serve(
        &publisher,
        &[(
            "1",
            "https://e.example/1?utm_source=a",
            "Rates rise",
            "Caf\u{e9} prices &amp; rates",
        )],
    );
    home.check();
    serve(
        &publisher,
        &[(
            "1",
            "http://e.example/1?utm_source=b",
            "Rates  rise",
            "Cafe\u{301} &lt;b&gt;prices&lt;/b&gt; &#38; rates",
        )],
    );
    let report = home.check();
    assert_eq!(report["changes"], serde_json::json!([]), "{report}");
}

#[test]
fn a_typographic_edit_is_kept_and_not_told() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    serve(
        &publisher,
        &[("1", "https://e.example/1", "It's \"over\" - for now", LONG)],
    );
    home.check();
    serve(
        &publisher,
        &[(
            "1",
            "https://e.example/1",
            "It\u{2019}s \u{201c}over\u{201d} \u{2013} for now",
            LONG,
        )],
    );
    home.check();
    let events = home.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["data"]["change"]["significance"], "typographic");
    assert!(receiver.hooks().is_empty());
    assert_eq!(home.ok(&["log", "--format", "ndjson"]), "");
}

#[test]
fn an_edit_of_the_page_is_found_and_furniture_is_not() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "always");
    let link = publisher.url("/news/1");
    let number = |hurt: u32| {
        format!(
            "At least {hurt} people were hurt when a bus slid off the ramp, the fire service said on Monday."
        )
    };
    let last = "The council had put off repairs of the piers in March, when the cheapest offer came in above the budget.";
    serve(
        &publisher,
        &[("1", &link, "Old bridge closed", "The river rose overnight.")],
    );
    publisher.set(
        "/news/1",
        article("Old bridge closed", &[LONG, &number(12), last], "11 °C"),
    );
    home.check();
    publisher.set(
        "/news/1",
        article("Old bridge closed", &[LONG, &number(12), last], "14 °C"),
    );
    assert_eq!(home.check()["changes"], serde_json::json!([]));
    publisher.set(
        "/news/1",
        article("Old bridge closed", &[LONG, &number(21), last], "16 °C"),
    );
    let report = home.check();
    assert_eq!(report["pages"]["changed"], 1, "{report}");
    let hooks = receiver.hooks();
    assert_eq!(hooks.len(), 1);
    let event = body(&hooks[0]);
    let change = &event["data"]["change"];
    assert_eq!(change["fields"], serde_json::json!(["body"]));
    assert_eq!(change["channel"], serde_json::json!(["page"]));
    assert!(
        change["labels"]
            .as_array()
            .unwrap()
            .contains(&"number".into()),
        "{change}"
    );
}

#[test]
fn feed_and_page_that_change_together_are_one_change() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "always");
    let link = publisher.url("/news/1");
    let put = |title: &str| {
        serve(
            &publisher,
            &[("1", &link, title, "The river rose overnight.")],
        );
        publisher.set(
            "/news/1",
            article(
                title,
                &[LONG, LONG, "And then nothing more was said of it."],
                "x",
            ),
        );
    };
    put("Old bridge closed");
    home.check();
    put("Old bridge torn down");
    let report = home.check();
    assert_eq!(report["changes"], serde_json::json!([1]), "{report}");
    assert_eq!(receiver.hooks().len(), 1);
    assert_eq!(
        body(&receiver.hooks()[0])["data"]["change"]["channel"],
        serde_json::json!(["feed", "page"])
    );
}

#[test]
fn a_return_to_an_earlier_headline_is_a_revert_and_going_on_so_is_flapping() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    let put = |title: &str| serve(&publisher, &[("1", "https://e.example/1", title, LONG)]);
    for title in [
        "A quiet day in town",
        "A loud day in town",
        "A quiet day in town",
        "A loud day in town",
        "A quiet day in town",
    ] {
        put(title);
        home.check();
    }
    put("A third kind of day in town");
    home.check();
    let events = home.events();
    let labels = |n: usize| events[n]["data"]["change"]["labels"].to_string();
    assert_eq!(
        events.len(),
        6,
        "five changes and the flapping: {events:#?}"
    );
    assert!(!labels(0).contains("revert"));
    assert!(labels(1).contains("revert"));
    assert_eq!(events[1]["data"]["change"]["revert_of"], 1);
    let kinds: Vec<String> = receiver
        .hooks()
        .iter()
        .map(|hook| body(hook)["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        [
            "entry.revised",
            "entry.revised",
            "entry.flapping",
            "entry.revised"
        ]
    );
}

#[test]
fn a_receiver_that_is_down_gets_everything_later_in_order_under_the_same_ids() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    serve(&publisher, &[("1", "https://e.example/1", "One", LONG)]);
    home.check();
    receiver.answer_hooks_with(&[503, 503]);
    for title in ["Two is the new one", "Three is the new two"] {
        serve(&publisher, &[("1", "https://e.example/1", title, LONG)]);
        home.check();
    }
    let listed = home.ok(&["notify", "list"]);
    assert!(listed.contains("desk"), "{listed}");
    home.run(&["notify", "retry", "desk"]);
    home.ok(&["notify", "retry", "desk"]);
    let hooks = receiver.hooks();
    let ids: Vec<&str> = hooks
        .iter()
        .map(|hook| hook.headers["webhook-id"].as_str())
        .collect();
    let taken: Vec<u64> = hooks[2..]
        .iter()
        .map(|hook| body(hook)["data"]["number"].as_u64().unwrap())
        .collect();
    assert_eq!(taken, [1, 2]);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[2], ids[3]);
    assert!(hooks.iter().all(verified));
}

#[test]
fn a_paused_target_gets_everything_after_the_pause_and_a_replay_keeps_the_ids() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    serve(&publisher, &[("1", "https://e.example/1", "One", LONG)]);
    assert!(
        home.ok(&["notify", "pause", "desk"])
            .contains("Paused desk"),
        "a target can be paused before the first look"
    );
    home.check();
    for title in ["Two is the new one", "Three is the new two"] {
        serve(&publisher, &[("1", "https://e.example/1", title, LONG)]);
        home.check();
    }
    assert!(receiver.hooks().is_empty());
    let listed = home.ok(&["notify", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["state"], "paused");
    assert_eq!(listed[0]["pending"], 2);
    let resumed = home.ok(&["notify", "resume", "desk"]);
    assert_eq!(resumed, "Resumed desk; 2 deliveries are pending\n");
    home.check();
    let ids = |from: usize| -> Vec<String> {
        receiver.hooks()[from..]
            .iter()
            .map(|hook| hook.headers["webhook-id"].clone())
            .collect()
    };
    let first = ids(0);
    assert_eq!(first.len(), 2);

    let would = home.ok(&["notify", "replay", "--since", "1h", "-n"]);
    assert_eq!(would, "Would resend 2 deliveries\n");
    let none = home.ok(&["notify", "replay", "--since", "2h", "--until", "1h"]);
    assert_eq!(none, "No events for these targets in that time\n");
    let again = home.ok(&["notify", "replay", "--since", "1h", "--target", "desk"]);
    assert!(again.contains("2 delivered, 0 failed"), "{again}");
    assert_eq!(ids(2), first, "the same events under the same ids");

    let reversed = home.run(&["notify", "replay", "--since", "1h", "--until", "2h"]);
    assert_eq!(reversed.code, Some(2));
    assert_eq!(home.run(&["notify", "pause", "nobody"]).code, Some(2));
}

#[test]
fn a_retry_enables_what_was_disabled_and_leaves_a_pause_to_whoever_made_it() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    serve(&publisher, &[("1", "https://e.example/1", "One", LONG)]);
    home.check();
    receiver.answer_hooks_with(&[410]);
    serve(
        &publisher,
        &[("1", "https://e.example/1", "Two is the new one", LONG)],
    );
    home.check();
    home.ok(&["notify", "pause", "desk"]);
    let state = || -> Value {
        let listed = home.ok(&["notify", "list", "--json"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed[0].clone()
    };
    let sent = receiver.hooks().len();
    home.run(&["notify", "retry", "desk"]);
    assert_eq!(receiver.hooks().len(), sent);
    let listed = state();
    assert_eq!(listed["state"], "paused", "{listed:#}");
    home.ok(&["notify", "resume", "desk"]);
    home.ok(&["notify", "retry", "desk"]);
    assert_eq!(receiver.hooks().len(), sent + 1);
}

#[test]
fn a_refused_event_is_listed_lets_others_pass_and_can_be_skipped() {
    let (publisher, receiver) = (Server::start(), Server::start());
    let home = home(&publisher, &receiver, "off");
    serve(&publisher, &[("1", "https://e.example/1", "One", LONG)]);
    home.check();
    receiver.answer_hooks_with(&[400, 400, 400]);
    for title in ["Two is the new one", "Three is the new two"] {
        serve(&publisher, &[("1", "https://e.example/1", title, LONG)]);
        home.check();
    }
    home.run(&["notify", "retry", "desk"]);
    // The third refusal sets it aside, and the second event arrives.
    home.run(&["notify", "retry", "desk"]);
    let row = || -> Value {
        let listed: Value = serde_json::from_str(&home.ok(&["notify", "list", "--json"])).unwrap();
        listed[0].clone()
    };
    let sent = receiver.hooks();
    let last = body(sent.last().unwrap())["data"]["number"].clone();
    assert_eq!(
        sent.len(),
        5,
        "the refused one again after the accepted one: {last}"
    );
    assert_eq!(row()["pending"], 0, "and then it was accepted");

    receiver.answer_hooks_with(&[400]);
    serve(
        &publisher,
        &[("1", "https://e.example/1", "Four is the new three", LONG)],
    );
    home.check();
    assert_eq!(row()["pending"], 1);
    assert_eq!(home.run(&["notify", "skip", "nobody"]).code, Some(2));
    assert_eq!(home.run(&["notify", "skip", "desk", "#99"]).code, Some(2));
    assert_eq!(
        home.ok(&["notify", "skip", "desk", "#3"]),
        "Skipped 1 delivery.\n"
    );
    assert_eq!(home.ok(&["notify", "skip", "desk"]), "Nothing to skip.\n");
    assert_eq!(
        (row()["pending"].clone(), row()["dead"].clone()),
        (0.into(), 1.into())
    );
    let again = home.ok(&["notify", "retry", "desk", "#3"]);
    assert!(again.contains("1 delivered, 0 failed"), "{again}");
}

/// Checks the signature like any receiver, without help from the program.
fn verified(hook: &crate::support::Request) -> bool {
    let header = |name: &str| hook.headers.get(name).map(String::as_str);
    let secret = revisor::SigningSecret::parse(SECRET).unwrap();
    let now = revisor::time::Clock::now(&revisor::time::System);
    revisor::verify(&[secret], header, &hook.body, now).is_ok()
}
