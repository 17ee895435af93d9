//! How a configuration is shown.

use std::time::Duration;

use super::*;
use crate::config::{ScheduleLine, schedules, show};

#[test]
fn shown_configuration_is_a_configuration_again() {
    let text = r#"
        timezone = "Europe/Paris"
        database = "/x/\"quoted\".db"
        [fetch]
        cron = "*/15 6-23 * * 1-5"
        user_agent_contact = "https://desk.example/bot"
        allow_private = ["10.1.2.3/16", "::1"]
        [page]
        recheck = [["1h", "5m"], ["2d", "1h30m"]]
        [keep]
        revisions = "50"
        captures = "all"
        [[feed]]
        url = "https://news.example/rss.xml?a=\"b\""
        tags = ["a", "b \" c"]
        every = "5m"
        jitter = "12.5%"
        host_delay = "0s"
        page.fetch = "changed"
        detect.bulk_edit = 5
        detect.flap_window = "1h"
    "#;
    let first = config(text);
    let again = config(&show(&first));
    assert_eq!(again, first);
    let defaults = config("");
    assert_eq!(config(&show(&defaults)), defaults);
}

#[test]
fn schedules_are_told_with_their_next_runs() {
    let config = config(
        "[[feed]]\nurl = \"https://a.example/\"\n[[feed]]\nurl = \"https://b.example/\"\ncron = \"0 9 * * 1\"\n\
         [[feed]]\nurl = \"https://c.example/\"\n",
    );
    let now = Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap();
    let lines = schedules(&config, now);
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    assert_eq!(
        lines,
        [
            ScheduleLine {
                description: "every 15m".to_owned(),
                expression: None,
                feeds: 2,
                whole: Some(Duration::from_hours(1)),
                next: vec![
                    at("2026-11-23T10:15:00Z"),
                    at("2026-11-23T10:30:00Z"),
                    at("2026-11-23T10:45:00Z")
                ],
            },
            ScheduleLine {
                description: "at 09:00, Monday".to_owned(),
                expression: Some("0 9 * * 1".to_owned()),
                feeds: 1,
                whole: None,
                next: vec![
                    at("2026-11-30T09:00:00Z"),
                    at("2026-12-07T09:00:00Z"),
                    at("2026-12-14T09:00:00Z")
                ],
            },
        ]
    );
}

#[test]
fn derived_names_give_way_to_given_ones() {
    let config = config(
        "[[feed]]\nurl = \"https://news.example/rss\"\n[[feed]]\nurl = \"https://www.news.example/atom\"\n\
         [[feed]]\nurl = \"https://other.example/\"\nname = \"news\"\n",
    );
    let names: Vec<&str> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
    assert_eq!(names, ["news-2", "news-3", "news"]);
    assert_eq!(config.feed("news").unwrap().url, "https://other.example/");
    assert_eq!(
        config.feed("https://news.example/rss").unwrap().name,
        "news-2"
    );
}

#[test]
fn what_is_left_out_is_a_setting_of_a_feed() {
    let config = config(
        "[detect]\nignore = ['\\d+ views']\n\
         [[feed]]\nurl = \"https://a.example/\"\npage.select = [\"main\", \"main\"]\npage.remove = [\".x\"]\n\
         [[feed]]\nurl = \"https://b.example/\"\ndetect.ignore = []\n",
    );
    let [one, other] = config.feeds.as_slice() else {
        panic!("two feeds");
    };
    assert_eq!(one.page.select, ["main"]);
    assert_eq!(one.page.remove, [".x"]);
    assert_eq!(one.detect.ignore, [r"\d+ views"]);
    assert!(other.page.select.is_empty() && other.detect.ignore.is_empty());
    let shown = show(&config);
    for line in [
        r#"page.select = ["main"]"#,
        r#"page.remove = [".x"]"#,
        r"ignore = ['\d+ views']",
        "detect.ignore = []",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}
