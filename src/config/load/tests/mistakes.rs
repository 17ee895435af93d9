//! Mistakes are reported with their places.

use super::*;

#[test]
fn every_mistake_is_told_with_its_place() {
    let mut wrong: Vec<String> = Vec::new();
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
            &["1:1: unknown key \"every\" in the configuration; move it to [fetch]"],
        ),
        (
            "[[page]]\nurl = \"https://e.example/terms\"",
            &[
                "1:1: [page] has the settings for article pages; to watch a page that no feed lists, ",
            ],
        ),
        (
            "[[feed]]\nurl = \"https://e.example/terms\"\nkind = \"page\"\npage.fetch = \"off\"",
            &["4:14: page.fetch does not apply to kind = \"page\"; use every or cron"],
        ),
        (
            "[[feed]]\nurl = \"https://e.example/terms\"\nkind = \"site\"",
            &["3:8: kind"],
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
            &["2:10: jitter: \"110%\" is not a percentage"],
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
            &["2:32: \"home\" is not a network; expected"],
        ),
        (
            "[fetch]\nuser_agent_contact = \"a\\nb\"",
            &["2:22: user_agent_contact cannot be sent in a header"],
        ),
        (
            "[fetch]\ncron = \"* * * *\"",
            &["2:8: cron: a schedule has five fields"],
        ),
        (
            "[fetch]\ncron = \"0 0 31 2 *\"",
            &["2:8: cron: the schedule \"0 0 31 2 *\" never runs: no month has such a day"],
        ),
        (
            "[fetch]\nevery = \"5m\"\ncron = \"@daily\"",
            &["3:8: both every and cron are set; use one of them"],
        ),
        (
            "timezone = \"Paris\"",
            &[
                "1:12: \"Paris\" is not a time zone; expected one such as \"UTC\" or \"Europe/Paris\"; did you mean \"Europe/Paris\"?",
            ],
        ),
        (
            "fetch = 1",
            &["1:9: fetch must be a table, not one integer; write [fetch]"],
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
            &["3:1: remove: \"..y\" is not valid: it is not a CSS selector"],
        ),
        (
            "[detect]\nignore = ['\\d+ views', '(']",
            &["2:24: ignore: \"(\" is not valid: unclosed group"],
        ),
        (
            "[detect]\nignore = ['a*']",
            &["2:11: ignore: \"a*\" is not valid: the expression matches the empty text"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nremove = [\".x\"]",
            &["3:1: unknown key \"remove\" in [[feed]]; did you mean page.remove?"],
        ),
        (
            "[keep]\nrevisions = \"0\"",
            &["2:13: revisions is not a valid number"],
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
            &["1:1: feed must be a list of tables; write [[feed]] with double brackets"],
        ),
        (
            "[[feed]]\nname = \"a\"",
            &["1:1: url is missing; expected url = "],
        ),
        (
            "[[feed]]\nurl = \"news.example\"",
            &[
                "2:7: url \"news.example\" is not an address (relative URL without a base); expected",
            ],
        ),
        (
            "[[feed]]\nurl = \"ftp://news.example/\"",
            &["2:7: url has the scheme \"ftp\"; expected an http or https address"],
        ),
        (
            "[[feed]]\nurl = \"https://u:p@news.example/\"",
            &["2:7: url has a user name or password"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nfetch = \"off\"",
            &["3:1: unknown key \"fetch\" in [[feed]]; did you mean page.fetch?"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\npage = \"off\"",
            &["3:8: page must be a table; write page.fetch = …"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\npage.fetsh = \"off\"",
            &["3:6: unknown key \"fetsh\" in page of [[feed]]; did you mean \"fetch\"?"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nconcurrency = 1",
            &["3:1: concurrency applies to all feeds together"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\ntags = [\"\"]",
            &["3:9: a tag is empty"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nname = \"-x\"",
            &["3:8: the name of a feed starts with a dash"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/x\"\n[[feed]]\nurl = \"https://A.example/x\"",
            &["4:7: this address is already in the configuration, on line 2"],
        ),
        (
            "[[feed]]\nurl = \"https://a.example/\"\nname = \"a\"\n[[feed]]\nurl = \"https://b.example/\"\nname = \"a\"",
            &["6:8: another feed already has the name \"a\""],
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
            &["3:8: kind is \"slak\"; "],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\nevents = [\"entry.*\", \"entry.revized\"]",
            &["5:22: \"entry.revized\" is not an event; expected \"*\", \"entry.*\", "],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\nevents = [\"ent*\"]",
            &["5:11: \"ent*\" is not an event"],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"slack\"\nsecret = \"x\"\nurl = \"https://a.example/\"",
            &["4:1: unknown key \"secret\" in [[target]] of kind \"slack\""],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"telegram\"\ntoken_env = \"X\"\nchatt = \"1\"",
            &[
                "1:1: chat is missing; expected chat = \"-1001234567890\"",
                "4:13: token_env: the environment variable X is not set",
                "5:1: unknown key \"chatt\" in [[target]] of kind \"telegram\"; did you mean \"chat\"?",
            ],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"email\"\nserver = \"m.example\"\nport = 70000\nfrom = \"a@b.example\"\nto = \"c\"",
            &[
                "5:8: port is not a number from 1 to 65535; expected one such as 587",
                "7:6: to is not a list of texts; expected to = [\"desk@example.org\"]",
            ],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"email\"\nserver = \"m.example\"\ntls = \"none\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]",
            &["1:1: tls = \"none\" sends mail and password in the clear"],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\ntemplate = \"{{ x\"",
            &["5:12: template is not a valid template: "],
        ),
        (
            "[[target]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\nfields = [\"headline\"]",
            &["5:11: \"headline\" is not a field; expected one of title, "],
        ),
        // All in one go, in the order of the file.
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
        let other = found
            .iter()
            .zip(expected)
            .filter(|(found, expected)| !found.starts_with(**expected));
        wrong.extend(other.map(|(found, expected)| format!("{text}\n{found}\n{expected}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
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
            "REVISOR__FETCH__EVRY: does not match any key; did you mean REVISOR__FETCH__EVERY?",
        ),
        (
            "REVISOR__FEED__URL",
            "x",
            "does not match any key; expected one such as REVISOR__FETCH__EVERY",
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
fn what_deserves_a_look_is_a_warning() {
    let text = target("url = \"https://hooks.example.org/\"\ntags = [\"nobody\"]");
    let warnings = loaded_with(&text, &[]).unwrap().warnings;
    assert_eq!(
        warnings,
        [
            "/etc/revisor/config.toml:5:9: no feed has the tag \"nobody\"",
            "/etc/revisor/config.toml:1:1: no secret is set: the receiver cannot verify the sender",
        ]
    );
}

#[test]
fn nobody_publishes_by_mistake() {
    let web = |lines: &str| format!("[web]\n{lines}\n");
    for (lines, words) in [
        (
            "listen = \"0.0.0.0:9464\"",
            "allow_remote = true and auth = \"tokens\"",
        ),
        ("listen = \"[::]:9464\"", "other machines"),
        ("listen = \"[::ffff:10.0.0.1]:9464\"", "other machines"),
        (
            "listen = \"192.168.1.2:9464\"\nauth = \"tokens\"",
            "allow_remote",
        ),
        (
            "listen = \"0.0.0.0:9464\"\nallow_remote = true",
            "anyone could read",
        ),
        ("public = true\nauth = \"tokens\"", "remove one of them"),
        (
            "listen = \"127.0.0.1:1\"\nauth = \"proxy\"",
            "trusted_proxies = [\"127.0.0.1\"]",
        ),
        ("auth = \"password\"", "\"tokens\""),
        ("base_url = \"https://a.example/?x\"", "query"),
        ("base_url = \"javascript:alert(1)\"", "scheme"),
        (
            "auth = \"proxy\"\nuser_header = \"a b\"",
            "not the name of a header",
        ),
    ] {
        let told = mistakes(&web(lines)).join("\n");
        assert!(told.contains(words), "{lines}: {told}");
    }
    for lines in [
        "listen = \"0.0.0.0:9464\"\nallow_remote = true\nauth = \"tokens\"",
        "listen = \"0.0.0.0:9464\"\nallow_remote = true\npublic = true",
        "listen = \"unix:/run/w.sock\"\nauth = \"proxy\"",
        "listen = \"[::ffff:127.0.0.1]:80\"",
    ] {
        assert!(loaded_with(&web(lines), &[]).is_ok(), "{lines}");
    }
}
