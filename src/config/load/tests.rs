use super::*;
use crate::config::resolved::*;
use crate::config::{ScheduleLine, schedules, show};
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

/// The mistakes, without the path before line and column.
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

/// Every key of the raw types is in the file, and every key of the file in the raw types; and each default is given in
/// the file and not in the code.
#[test]
fn default_toml_and_the_raw_types_have_the_same_keys() {
    use crate::config::raw::{RawFeedOwn, RawTable as _, RawTop};
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
    let mut target = keys(&sample("target"));
    // The comment names these.
    target.extend(["url_file", "url_env", "url_credential"].map(str::to_owned));
    assert_eq!(target, named(RawTarget::KEYS));
    // The file as it is, and with its samples, is a configuration.
    let problems = loaded_with(crate::config::DEFAULT_TOML, &[]);
    assert_eq!(problems.unwrap().config, config(""));
    let sampled = config(&text);
    assert_eq!(sampled.feeds.len(), 1);
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
fn every_mistake_is_told_with_its_place() {
    for (text, expected) in [
        ("x", &["1:2: "][..]),
        (
            "timezone = \"UTC\"\ntimezone = \"UTC\"",
            &["2:1: duplicate key"],
        ),
        (
            "timezome = \"UTC\"",
            &["1:1: unknown key \"timezome\" in the configuration; did you mean \"timezone\"?"],
        ),
        (
            "every = \"5m\"",
            &["1:1: unknown key \"every\" in the configuration; it belongs into [fetch]"],
        ),
        (
            "[fetch]\nevry = \"5m\"",
            &["2:1: unknown key \"evry\" in [fetch]; did you mean \"every\"?"],
        ),
        (
            "[fetch]\ncolour = 1",
            &["2:1: unknown key \"colour\" in [fetch]; expected one of allow_private, "],
        ),
        (
            "[fetch]\nevery = 15",
            &["2:9: every is an integer; expected a duration such as \"15m\""],
        ),
        (
            "[fetch]\nevery = \"15\"",
            &["2:9: every: \"15\" is not a duration; expected one such as "],
        ),
        (
            "[fetch]\nevery = \"-5m\"",
            &["2:9: every: \"-5m\" is not a duration"],
        ),
        (
            "[fetch]\nevery = \"0s\"",
            &["2:9: every is 0s; expected \"1s\" to \"365d\""],
        ),
        (
            "[fetch]\njitter = \"110%\"",
            &["2:10: jitter: \"110%\" is not a share"],
        ),
        (
            "[fetch]\nconcurrency = 0",
            &["2:15: concurrency is 0; expected 1 to 1000"],
        ),
        (
            "[fetch]\nconcurrency = -1",
            &["2:15: concurrency is -1; expected 1 to 1000"],
        ),
        (
            "[fetch]\nmax_size = \"10 XB\"",
            &["2:12: max_size: \"10 XB\" is not a size"],
        ),
        (
            "[fetch]\nallow_private = [\"10.0.0.0/8\", \"home\"]",
            &["2:32: \"home\" is no network; expected"],
        ),
        (
            "[fetch]\nuser_agent_contact = \"a\\nb\"",
            &["2:22: user_agent_contact cannot stand in a header"],
        ),
        (
            "[fetch]\ncron = \"* * * *\"",
            &["2:8: cron: a schedule has five fields"],
        ),
        (
            "[fetch]\ncron = \"0 0 31 2 *\"",
            &["2:8: cron: the schedule \"0 0 31 2 *\" never comes due"],
        ),
        (
            "[fetch]\nevery = \"5m\"\ncron = \"@daily\"",
            &["3:8: every and cron are both given; expected one of them"],
        ),
        (
            "timezone = \"Paris\"",
            &[
                "1:12: \"Paris\" is no time zone; expected one such as \"UTC\" or \"Europe/Paris\"; did you mean \"Europe/Paris\"?",
            ],
        ),
        (
            "fetch = 1",
            &["1:9: fetch holds one integer; expected a table [fetch]"],
        ),
        (
            "[page]\nfetch = \"allways\"",
            &[
                "2:9: fetch is \"allways\"; expected \"always\", \"changed\" or \"off\"; did you mean \"always\"?",
            ],
        ),
        (
            "[page]\nrecheck = \"newz\"",
            &[
                "2:11: recheck is \"newz\"; expected \"news\", \"light\" or \"advisory\"; did you mean \"news\"?, or a list",
            ],
        ),
        (
            "[page]\nrecheck = [[\"1d\", \"1h\"], [\"1d\", \"2h\"]]",
            &["2:11: recheck: ages must grow"],
        ),
        (
            "[page]\nrecheck = [[\"1d\", \"1x\"]]",
            &["2:19: the interval: \"1x\" is not a duration"],
        ),
        (
            "[page]\nrecheck = [\"1d\"]",
            &["2:11: recheck is an array; expected \"news\""],
        ),
        (
            "[page]\nrobots = \"yes\"",
            &["2:10: robots is a string; expected true or false"],
        ),
        (
            "[detect]\nbulk_edit = 1",
            &["2:13: bulk_edit is 1; expected 2 to"],
        ),
        (
            "[page]\nselect = \".text\"",
            &["2:10: select is a string; expected a list of CSS selectors"],
        ),
        (
            "[page]\nremove = [\".x\",\n\"..y\"]",
            &["3:1: remove: \"..y\" cannot be used: it is no CSS selector"],
        ),
        (
            "[detect]\nignore = ['\\d+ views', '(']",
            &["2:24: ignore: \"(\" cannot be used: unclosed group"],
        ),
        (
            "[detect]\nignore = ['a*']",
            &["2:11: ignore: \"a*\" cannot be used: the expression matches the empty text"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nremove = [\".x\"]",
            &["3:1: unknown key \"remove\" in [[feed]]; did you mean page.remove?"],
        ),
        (
            "[keep]\nrevisions = \"0\"",
            &["2:13: revisions is no usable number"],
        ),
        (
            "[log]\nlevel = \"loud\"",
            &["2:9: level is \"loud\"; expected \"error\", \"warn\", \"info\" or \"debug\""],
        ),
        (
            "[[feeds]]\nurl = \"https://a.example/\"",
            &["1:3: unknown key \"feeds\" in the configuration; did you mean \"feed\"?"],
        ),
        (
            "[feed]\nurl = \"https://a.example/\"",
            &["1:1: feed is no list of tables; expected [[feed]] with double brackets"],
        ),
        (
            "[[feed]]\nname = \"a\"",
            &["1:1: url is missing; expected url = "],
        ),
        (
            "[[feed]]\nurl = \"news.example\"",
            &["2:7: url \"news.example\" is no address (relative URL without a base); expected"],
        ),
        (
            "[[feed]]\nurl = \"ftp://news.example/\"",
            &["2:7: url has the scheme \"ftp\"; expected an http or https address"],
        ),
        (
            "[[feed]]\nurl = \"https://u:p@news.example/\"",
            &["2:7: url holds a user name or password"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nfetch = \"off\"",
            &["3:1: unknown key \"fetch\" in [[feed]]; did you mean page.fetch?"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\npage = \"off\"",
            &["3:8: page is a table; expected page.fetch = …"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\npage.fetsh = \"off\"",
            &["3:6: unknown key \"fetsh\" in page of [[feed]]; did you mean \"fetch\"?"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nconcurrency = 1",
            &["3:1: concurrency counts over all feeds"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\ntags = [\"\"]",
            &["3:9: a tag is empty"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nname = \"-x\"",
            &["3:8: the name of a feed begins with a dash"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/x\"\n[[feed]]\nurl = \"https://A.example/x\"",
            &["4:7: the address is given twice; the first is on line 2"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nname = \"a\"\n[[feed]]\nurl = \"https://b.example/\"\nname = \"a\"",
            &["6:8: another feed has the name \"a\""],
        ),
        (
            "[[target]]\nkind = \"webhook\"\nurl = \"https://a.example/\"",
            &["1:1: name is missing"],
        ),
        (
            "[[target]]\nname = \"a\"\nurl = \"https://a.example/\"",
            &["1:1: kind is missing"],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"webhook\"",
            &["1:1: url is missing; expected url, url_file"],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"slak\"\nurl = \"https://a.example/\"",
            &["3:8: kind is \"slak\"; expected \"webhook\""],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\nevents = [\"entry.*\", \"entry.revized\"]",
            &["5:22: \"entry.revized\" is no event; expected \"*\", \"entry.*\", "],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\nevents = [\"ent*\"]",
            &["5:11: \"ent*\" is no event"],
        ),
        // All at once, in the order of the file.
        (
            "timezome = 1\n[fetch]\nevery = 5\ntimeout = \"x\"\n[[feed]]\nurl = 1",
            &[
                "1:1: unknown key",
                "3:9: every is an integer",
                "4:11: timeout: \"x\"",
                "5:1: url is missing",
                "6:7: url is an integer",
            ],
        ),
    ] {
        let found = mistakes(text);
        assert_eq!(found.len(), expected.len(), "{text}\n{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{text}\n{found}\n{expected}");
        }
    }
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
fn mistakes_in_the_environment_name_the_variable() {
    for (name, value, message) in [
        (
            "REVISOR__FETCH__EVERY",
            "5",
            "environment variable REVISOR__FETCH__EVERY: every: \"5\" is not a duration",
        ),
        (
            "REVISOR__FETCH__EVRY",
            "5m",
            "REVISOR__FETCH__EVRY: stands for no key; did you mean REVISOR__FETCH__EVERY?",
        ),
        (
            "REVISOR__FEED__URL",
            "x",
            "stands for no key; expected one such as REVISOR__FETCH__EVERY",
        ),
        (
            "REVISOR__FETCH__CONCURRENCY",
            "many",
            "concurrency is a string; expected a number from 1 to 1000",
        ),
    ] {
        let error = loaded_with("", &[(name, value)]).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
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
fn secrets_come_from_files_variables_and_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("desk.secret", &format!("{SECRET}\n"));
    write("url", "https://hooks.example.org/T0/token\n");
    write("empty", "\n");
    write("two", "a\nb\n");
    let file = folder.path().join("config.toml");
    let load = |lines: &str, secrets| {
        let environment = Environment::from_pairs([
            ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap()),
            ("DESK", SECRET),
        ]);
        from_text(
            &target(lines),
            Some(&file),
            Flags::default(),
            &environment,
            secrets,
        )
    };
    let url = "url_file = \"url\"";
    for lines in [
        "secret_file = \"desk.secret\"",
        "secret_env = \"DESK\"",
        "secret_credential = \"desk.secret\"",
        &format!("secret = \"{SECRET}\""),
        "secret_file = \"desk.secret\"\nsecret_env = \"\"",
    ] {
        let loaded = load(&format!("{url}\n{lines}"), Secrets::Required).unwrap();
        let target = &loaded.config.targets[0];
        assert_eq!(target.secret.as_ref().unwrap().expose(), SECRET, "{lines}");
        assert_eq!(
            target.url.as_ref().unwrap().expose(),
            "https://hooks.example.org/T0/token"
        );
    }
    for (lines, message) in [
        ("secret_file = \"none\"", "secret_file: cannot read"),
        ("secret_file = \"empty\"", "is empty"),
        ("secret_file = \"two\"", "more than one line"),
        (
            "secret_env = \"NONE\"",
            "secret_env: the environment variable NONE is not set",
        ),
        ("secret_credential = \"../x\"", "is no name of a credential"),
        (
            "secret_file = \"desk.secret\"\nsecret_env = \"DESK\"",
            "secret_file and secret_env are both given",
        ),
        (
            "secret = \"topsecret\"",
            "secret is no webhook secret; expected \"whsec_\"",
        ),
        ("secret_file = \"url\"", "secret is no webhook secret"),
        (
            "secret_previous_env = \"DESK\"",
            "secret_previous is given without a secret",
        ),
    ] {
        let error = load(&format!("{url}\n{lines}"), Secrets::Required).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(message), "{lines}: {text}");
        assert!(
            !text.contains("topsecret") && !text.contains("token"),
            "{text}"
        );
    }
    // What comes from a file is looked at again.
    let lines = format!(
        "{url}\nsecret_file = \"desk.secret\"\nsecret_previous_env = \"DESK\"\n\
         [[feed]]\nurl = \"https://e.example/a\"\nuser = \"u\"\npassword_file = \"word\"\nproxy_file = \"proxy\"\n"
    );
    write("word", "password\n");
    write("proxy", "http://proxy.example:3128\n");
    let config = load(&lines, Secrets::Required).unwrap().config;
    let files = config.secret_files();
    let names: Vec<&str> = files
        .iter()
        .filter_map(|file| file.file_name()?.to_str())
        .collect();
    assert_eq!(names, ["desk.secret", "proxy", "url", "word"]);
    // Who only reads the database does without.
    let loaded = load(
        &format!("{url}\nsecret_file = \"none\""),
        Secrets::WhereReadable,
    )
    .unwrap();
    assert_eq!(loaded.config.targets[0].secret, None);
    assert!(
        loaded
            .warnings
            .iter()
            .any(|warning| warning.contains("config.toml:5:15: secret_file: cannot read"))
    );
    // Who checks it need not have the service's rights and credentials; what is not there is missing for everybody.
    let check = |lines| load(&format!("{url}\n{lines}"), Secrets::WhereThere);
    let error = check("secret_file = \"none\"").unwrap_err();
    assert!(
        error.to_string().contains("secret_file: cannot read"),
        "{error}"
    );
    check("secret_env = \"NONE\"").unwrap();
    check("secret_credential = \"none\"").unwrap();
}

#[test]
fn secrets_are_never_shown() {
    let text = target(&format!(
        "url = \"https://hooks.example.org:8443/T0/token?key=token\"\nsecret = \"{SECRET}\"\nsecret_previous = \"{SECRET}\""
    ));
    let loaded = loaded_with(&text, &[("OTHER", "token")]).unwrap();
    let shown = show(&loaded.config);
    assert!(
        shown.contains("url = \"https://hooks.example.org:8443/[hidden]\""),
        "{shown}"
    );
    assert!(shown.contains("secret = \"[hidden]\""), "{shown}");
    let debug = format!(
        "{:?} {:?}",
        loaded.config,
        Environment::from_pairs([("OTHER", "token")])
    );
    for text in [shown, debug, loaded.warnings.join("\n")] {
        assert!(
            !text.contains("token") && !text.contains(&SECRET[6..]),
            "{text}"
        );
    }
    // A mistake beside them does not bring them up either.
    for bad in [
        "url = \"token\"",
        "url = \"https://a.example/\"\nsecret = [\"token\"]",
        "url = \"https://a.example/\"\nsecret = \"token\"",
    ] {
        let error = loaded_with(&target(bad), &[]).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("token"), "{text}");
    }
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
fn what_deserves_a_look_is_a_warning() {
    let text = target("url = \"https://hooks.example.org/\"\ntags = [\"nobody\"]");
    let warnings = loaded_with(&text, &[]).unwrap().warnings;
    assert_eq!(
        warnings,
        [
            "/etc/revisor/config.toml:5:9: no feed has the tag \"nobody\"",
            "/etc/revisor/config.toml:1:1: no secret is given: the receiver cannot tell who sends",
        ]
    );
}

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

#[test]
fn logins_headers_and_proxies_are_checked_without_telling_what_they_are() {
    for (lines, expected) in [
        ("user = \"desk\"", "2:8: user is given without a password"),
        (
            "password = \"s3cret\"",
            "2:12: a password is given without a user",
        ),
        (
            "user = \"a:b\"\npassword = \"s3cret\"",
            "2:8: user has a colon",
        ),
        (
            "user = \"desk\"\npassword = \"s3cret\"\ntoken = \"s3cret\"",
            "4:9: a token and a user",
        ),
        ("token = \"s3cret \u{e9}\"", "2:9: token cannot be sent"),
        (
            "token = \"s3cret\"\ntoken_env = \"T\"",
            "3:13: token and token_env are both given",
        ),
        (
            "token_env = \"T\"",
            "2:13: token_env: the environment variable T is not set",
        ),
        (
            "headers = [{ value = \"s3cret\" }]",
            "2:11: a header has no name",
        ),
        (
            "headers = [{ name = \"X-A\" }]",
            "2:21: the header \"X-A\" has no value",
        ),
        (
            "headers = [{ name = \"X A\", value = \"s3cret\" }]",
            "2:21: \"X A\" is no name of a header",
        ),
        (
            "headers = [{ name = \"X-A\", value = \"s3cret\\r\\nEvil: 1\" }]",
            "2:36: value cannot be sent",
        ),
        (
            "headers = [{ name = \"Host\", value = \"s3cret\" }]",
            "2:21: the header \"Host\" cannot be set",
        ),
        (
            "headers = [{ name = \"X-A\", valu = \"s3cret\" }]",
            "2:28: unknown key \"valu\" in headers of [[feed]]; did you mean \"value\"?",
        ),
        (
            "headers = [{ name = \"X-A\", value = \"1\" }, { name = \"x-a\", value = \"2\" }]",
            "2:52: the header \"x-a\" is given twice",
        ),
        (
            "headers = \"X-A: s3cret\"",
            "2:11: headers is a string; expected a list",
        ),
        (
            "token = \"s3cret\"\nheaders = [{ name = \"Authorization\", value = \"s3cret\" }]",
            "3:21: the header \"Authorization\" is given beside a login",
        ),
        (
            "proxy = \"socks5://s3cret@h:1\"",
            "2:9: proxy is no http or https address",
        ),
        (
            "proxy = \"s3cret\"",
            "2:9: proxy is no http or https address",
        ),
        ("concurrency = 3", "2:1: concurrency counts over all feeds"),
    ] {
        let text = format!("[[feed]]\n{lines}\nurl = \"https://a.example/\"");
        let found = mistakes(&text).join("\n");
        assert!(found.contains(expected), "{lines}\n{found}");
        assert!(!found.contains("s3cret"), "{found}");
    }
    // A proxy of one level hides that of the level above, whatever key names it.
    let text = "[fetch]\nproxy = \"http://p.example:1\"\n[[feed]]\nurl = \"https://a.example/\"\n\
                proxy_env = \"P\"\n[[feed]]\nurl = \"https://b.example/\"\nproxy = \"none\"";
    let config = loaded_with(text, &[("P", "http://u:s3cret@q.example:2")]);
    let config = config.unwrap().config;
    assert_eq!(config.feeds[1].fetch.proxy, Proxy::Direct);
    let shown = show(&config);
    assert!(shown.contains("proxy_env = \"P\""), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    let environment = [
        ("REVISOR__FETCH__PROXY_ENV", "P"),
        ("P", "http://q.example:2"),
    ];
    let config = loaded_with("[fetch]\nproxy = \"http://p.example:1\"", &environment);
    assert!(show(&config.unwrap().config).contains("proxy_env = \"P\""));
}
