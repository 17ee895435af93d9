//! Secrets, logins and proxies: where they come from, and that they are never shown.

use super::*;

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
        assert_eq!(
            target.settings.secret("secret").unwrap().expose(),
            SECRET,
            "{lines}"
        );
        assert_eq!(
            target.settings.secret("url").unwrap().expose(),
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
        (
            "secret_credential = \"../x\"",
            "is not a valid credential name",
        ),
        (
            "secret_file = \"desk.secret\"\nsecret_env = \"DESK\"",
            "both secret_file and secret_env are set",
        ),
        (
            "secret = \"topsecret\"",
            "secret is not a webhook secret; expected \"whsec_\"",
        ),
        ("secret_file = \"url\"", "secret is not a webhook secret"),
        (
            "secret_previous_env = \"DESK\"",
            "secret_previous is set without a secret",
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
    // Secrets from files are read again.
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
    // Commands that only read the database do without secrets.
    let loaded = load(
        &format!("{url}\nsecret_file = \"none\""),
        Secrets::WhereReadable,
    )
    .unwrap();
    assert_eq!(loaded.config.targets[0].settings.secret("secret"), None);
    assert!(
        loaded.unread[0].contains("config.toml:5:15: secret_file: cannot read"),
        "{:?}",
        loaded.unread
    );
    let warnings = loaded.warnings.join("\n");
    assert!(!warnings.contains("cannot read"), "{warnings}");
    // A check of the configuration may lack the rights and credentials of the service, but a file that does not exist
    // is missing for everyone.
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
    // Mistakes next to them do not reveal them either.
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
fn logins_headers_and_proxies_are_checked_without_telling_what_they_are() {
    for (lines, expected) in [
        ("user = \"desk\"", "2:8: user is set without a password"),
        (
            "password = \"s3cret\"",
            "2:12: a password is set without a user",
        ),
        (
            "user = \"a:b\"\npassword = \"s3cret\"",
            "2:8: user must not have colons",
        ),
        (
            "user = \"desk\"\npassword = \"s3cret\"\ntoken = \"s3cret\"",
            "4:9: both a token and a user",
        ),
        ("token = \"s3cret \u{e9}\"", "2:9: token cannot be sent"),
        (
            "token = \"s3cret\"\ntoken_env = \"T\"",
            "3:13: both token and token_env are set",
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
            "2:21: \"X A\" is not a valid header name",
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
            "2:52: the header \"x-a\" is set twice",
        ),
        (
            "headers = \"X-A: s3cret\"",
            "2:11: headers is a string; expected a list",
        ),
        (
            "token = \"s3cret\"\nheaders = [{ name = \"Authorization\", value = \"s3cret\" }]",
            "3:21: both the header \"Authorization\" and a login are set",
        ),
        (
            "proxy = \"socks5://s3cret@h:1\"",
            "2:9: proxy is not an http or https address",
        ),
        (
            "proxy = \"s3cret\"",
            "2:9: proxy is not an http or https address",
        ),
        ("concurrency = 3", "2:1: concurrency applies to all feeds"),
    ] {
        let text = format!("[[feed]]\n{lines}\nurl = \"https://a.example/\"");
        let found = mistakes(&text).join("\n");
        assert!(found.contains(expected), "{lines}\n{found}");
        assert!(!found.contains("s3cret"), "{found}");
    }
    // A proxy on one level hides that of the level above, whichever key sets it.
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
