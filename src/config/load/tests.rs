mod mistakes;
mod secrets;
mod several;
mod shown;

use super::*;
use crate::config::resolved::*;
use crate::config::show;
use crate::domain::classify::Significance;
use crate::domain::schedule::Every;
use crate::time::Timestamp;
use std::time::Duration;

const FILE: &str = "/etc/revisor/config.toml";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn loaded_with(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let environment = Environment::from_pairs(environment.iter().copied());
    let file = Some(Path::new(FILE));
    from_text(
        text,
        file,
        Flags::default(),
        &environment,
        Secrets::Required,
    )
}

fn config(text: &str) -> Config {
    loaded_with(text, &[]).unwrap().config
}

/// The mistakes, without the path in front of line and column.
fn mistakes(text: &str) -> Vec<String> {
    let error = loaded_with(text, &[]).expect_err(text).to_string();
    error
        .lines()
        .map(|line| {
            line.strip_prefix("/etc/revisor/config.toml:")
                .unwrap_or(line)
                .to_owned()
        })
        .collect()
}

#[test]
fn nothing_given_yields_the_defaults_of_the_design() {
    let config = config("");
    assert_eq!(config.database, Path::new("/var/lib/revisor/revisor.db"));
    assert_eq!(config.timezone, chrono_tz::Tz::UTC);
    assert_eq!(config.plan.every, Every::Interval(Duration::from_mins(15)));
    assert!((config.plan.jitter - 0.1).abs() < 1e-9);
    assert_eq!(
        *config.fetch,
        FetchConfig {
            concurrency: 64,
            memory: 240 << 20,
            per_host: 1,
            host_delay: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
            max_size: 10 << 20,
            user_agent_contact: String::new(),
            allow_private: Vec::new(),
            proxy: Proxy::Direct,
            ca_file: None,
        }
    );
    assert_eq!(config.page.mode, PageMode::Always);
    assert_eq!(config.page.recheck.name(), Some("news"));
    assert!(config.page.robots);
    assert_eq!(config.detect.significance, Significance::Minor);
    assert_eq!(config.detect.flap_window, Duration::from_hours(24));
    assert_eq!(config.detect.bulk_edit, 10);
    assert_eq!(
        config.keep.captures,
        Retention::For(Duration::from_hours(24 * 90))
    );
    assert_eq!(config.keep.revisions, Retention::All);
    assert!(config.feeds.is_empty() && config.targets.is_empty());
}

/// The file and the raw types have the same keys, and each default is set in the file and not in the code.
#[test]
fn default_toml_and_the_raw_types_have_the_same_keys() {
    use crate::config::TargetKind;
    use crate::config::raw::{RawFeedOwn, RawTable as _, RawTargetCommon, RawTop};
    use std::collections::BTreeSet;
    let text = with_samples(crate::config::DEFAULT_TOML);
    let root = DeTable::parse(&text).unwrap().into_inner();
    let keys = |table: &DeTable<'_>| -> BTreeSet<String> {
        table.keys().map(|key| key.get_ref().to_string()).collect()
    };
    let named =
        |list: &[&str]| -> BTreeSet<String> { list.iter().map(ToString::to_string).collect() };
    let mut top = named(RawTop::KEYS);
    top.extend(TABLES.iter().map(|(table, _)| (*table).to_owned()));
    top.extend(["feed".to_owned(), "target".to_owned()]);
    assert_eq!(keys(&root), top);
    for (table, known) in TABLES {
        let in_file = root[*table].get_ref().as_table().unwrap();
        assert_eq!(keys(in_file), named(known), "[{table}]");
    }
    let sample = |name: &str| {
        root[name].get_ref().as_array().unwrap()[0]
            .get_ref()
            .as_table()
            .unwrap()
            .clone()
    };
    assert_eq!(keys(&sample("feed")), named(RawFeedOwn::KEYS));
    let samples = root["target"].get_ref().as_array().unwrap();
    let mut kinds = Vec::new();
    for (place, sample) in samples.iter().enumerate() {
        let table = sample.get_ref().as_table().unwrap();
        let name = table["kind"].get_ref().as_str().unwrap().to_owned();
        let kind = TargetKind::ALL
            .iter()
            .find(|kind| kind.as_str() == name)
            .unwrap();
        kinds.push(*kind);
        let mut shown = keys(table);
        // The first target lists the keys that all kinds share; secrets can be set in several ways.
        let mut known = if place == 0 {
            named(RawTargetCommon::KEYS)
        } else {
            named(&["name", "kind"])
        };
        for key in kind.keys() {
            known.insert(key.name.to_owned());
            for suffix in ["_file", "_env", "_credential"]
                .iter()
                .filter(|_| key.is_secret())
            {
                shown.remove(&format!("{}{suffix}", key.name));
            }
        }
        assert_eq!(shown, known, "{name}");
    }
    assert_eq!(
        kinds,
        TargetKind::ALL,
        "each kind has a sample, in the order of the table"
    );
    // The file is a valid configuration, both as it is and with its samples enabled.
    let problems = loaded_with(crate::config::DEFAULT_TOML, &[]);
    assert_eq!(problems.unwrap().config, config(""));
    let sampled = config(&text);
    assert_eq!(sampled.feeds.len(), 1);
    assert_eq!(sampled.targets.len(), TargetKind::ALL.len());
    assert_eq!(sampled.targets[0].max_payload, 20 << 10);
}

#[test]
fn every_comment_of_default_toml_that_looks_like_a_key_is_a_sample() {
    // A prose line such as `every = …` would silently become a key.
    let in_samples: Vec<&str> = crate::config::DEFAULT_TOML
        .lines()
        .skip_while(|line| *line != "# [[feed]]")
        .collect();
    let text = in_samples.join("\n");
    let before = crate::config::DEFAULT_TOML
        .strip_suffix(&format!("{text}\n"))
        .unwrap();
    assert_eq!(with_samples(before), before);
    for line in crate::config::DEFAULT_TOML.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
}

#[test]
fn feed_inherits_and_overrides() {
    let config = config(
        r#"
        timezone = "Europe/Paris"
        [fetch]
        every = "30m"
        timeout = "20s"
        [[feed]]
        url = "https://news.example/rss.xml"
        [[feed]]
        url = "https://gov.example/feed.atom"
        name = "gov"
        tags = ["law", "law", "eu"]
        cron = "0 9 * * 1"
        max_size = "1 MiB"
        page.fetch = "off"
        page.recheck = [["1d", "1h"], ["30d", "1d"]]
        detect.significance = "typographic"
        [[feed]]
        url = "https://c.example/rss"
        jitter = "0%"
        every = "5m"
        page.fetch = "off"
        page.recheck = [["1d", "1h"], ["30d", "1d"]]
        "#,
    );
    let [plain, gov, third] = config.feeds.as_slice() else {
        panic!("three feeds");
    };
    assert_eq!(plain.name, "news");
    assert!(Arc::ptr_eq(&plain.fetch, &config.fetch), "shared in memory");
    assert!(Arc::ptr_eq(&plain.page, &config.page));
    assert_eq!(plain.plan, config.plan);
    assert_eq!(gov.name, "gov");
    assert_eq!(*gov.tags, ["law", "eu"]);
    assert_eq!(gov.plan.describe(), "at 09:00, Monday (Europe/Paris)");
    assert_eq!(gov.fetch.max_size, 1 << 20);
    assert_eq!(gov.fetch.timeout, Duration::from_secs(20));
    assert_eq!(gov.page.mode, PageMode::Off);
    assert_eq!(gov.page.recheck.steps().len(), 2);
    assert!(gov.page.robots);
    assert!(Arc::ptr_eq(&gov.page, &third.page), "equal ones are shared");
    assert_eq!(gov.detect.significance, Significance::Typographic);
    assert_eq!(third.plan.every, Every::Interval(Duration::from_mins(5)));
    assert!(third.plan.jitter.abs() < 1e-9);
}

#[test]
fn feed_can_leave_a_cron_schedule_of_all_feeds() {
    let config = config(
        "[fetch]\ncron = \"@daily\"\n[[feed]]\nurl = \"https://a.example/\"\nevery = \"5m\"\n",
    );
    assert!(matches!(config.plan.every, Every::Cron(_)));
    assert_eq!(
        config.feeds[0].plan.every,
        Every::Interval(Duration::from_mins(5))
    );
}

#[test]
fn environment_wins_over_the_file() {
    let text = "[fetch]\ncron = \"@daily\"\nconcurrency = 3\n";
    let environment = [
        ("REVISOR__FETCH__EVERY", "5m"),
        ("REVISOR__FETCH__CONCURRENCY", "9"),
        ("REVISOR__FETCH__ALLOW_PRIVATE", "[\"10.0.0.0/8\"]"),
        ("REVISOR__PAGE__ROBOTS", "false"),
        ("REVISOR__PAGE__RECHECK", "[[\"1d\", \"1h\"]]"),
        ("REVISOR__TIMEZONE", "Europe/Paris"),
        ("REVISOR__KEEP__CAPTURES", ""),
        ("REVISOR_LOG", "debug"),
    ];
    let config = loaded_with(text, &environment).unwrap().config;
    assert_eq!(config.plan.every, Every::Interval(Duration::from_mins(5)));
    assert_eq!(config.fetch.concurrency, 9);
    assert_eq!(config.fetch.allow_private.len(), 1);
    assert!(!config.page.robots);
    assert_eq!(config.page.recheck.steps().len(), 1);
    assert_eq!(config.timezone, chrono_tz::Europe::Paris);
    assert_eq!(
        config.keep.captures,
        Retention::For(Duration::from_hours(24 * 90))
    );
}

#[test]
fn named_file_that_is_missing_is_an_error_and_no_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let flags = Flags {
        config: Some(&missing),
        database: None,
    };
    let environment = Environment::default();
    let error = load(flags, &environment, Secrets::Required).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }), "{error}");
    assert!(error.to_string().contains("missing.toml"));
    let home = [("XDG_CONFIG_HOME", folder.path().to_str().unwrap())];
    let environment = Environment::from_pairs(home);
    if !Path::new(FILE).exists() {
        let loaded = load(Flags::default(), &environment, Secrets::Required).unwrap();
        assert_eq!(loaded.config.file, None);
    }
}

fn target(lines: &str) -> String {
    format!("[[target]]\nname = \"desk\"\nkind = \"webhook\"\n{lines}\n")
}

#[test]
fn target_tells_what_the_feeds_want_told() {
    let url = "url = \"https://hooks.example.org/\"";
    let plain = config(&target(url));
    assert_eq!(plain.targets[0].significance, Significance::Minor);
    assert_eq!(plain.targets[0].events, ["entry.*"]);
    assert_eq!(plain.targets[0].rule().name, "desk");
    let feed = "[[feed]]\nurl = \"https://a.example/\"\ndetect.significance = \"typographic\"\n";
    let wide = config(&format!("{}{feed}", target(url)));
    assert_eq!(wide.targets[0].significance, Significance::Typographic);
    let own = config(&format!(
        "{}{feed}",
        target(&format!("{url}\nsignificance = \"substantive\""))
    ));
    assert_eq!(own.targets[0].significance, Significance::Substantive);
}

#[test]
fn ten_thousand_feeds_are_read() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..10_000 {
        write!(
            text,
            "[[feed]]\nurl = \"https://n{number}.example/rss.xml\"\nevery = \"5m\"\n"
        )
        .unwrap();
    }
    assert_eq!(config(&text).feeds.len(), 10_000);
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken(text in proptest::prelude::any::<String>()) {
        let _ = loaded_with(&text, &[]);
    }

    #[test]
    fn any_toml_is_taken(
        table in "(\\[fetch\\]|\\[page\\]|\\[\\[feed\\]\\]|\\[\\[target\\]\\]|\\[detect\\]|)",
        key in "(every|cron|url|name|recheck|tags|secret|bulk_edit|events|x)",
        value in "(1|-1|\"\"|\"5m\"|\"* * * * *\"|\\[\\]|\\[\"a\"\\]|\\[\\[\"1d\",\"1h\"\\]\\]|\\{\\}|true|1.5|1979-05-27)",
    ) {
        let _ = loaded_with(&format!("{table}\n{key} = {value}\n"), &[]);
    }
}
