//! Settings of single feeds: what they request, with which login and proxy, and that secrets never leak.

use std::net::TcpListener;

use crate::support::{Home, Page, Ran, Request, Server, rss};

fn feed(link: &str) -> Page {
    let text = "A text that is long enough to be one, and stays as it is.";
    Page::rss(rss(&[("1", link, "First headline of them all", text)]))
}

/// A home with exactly this configuration.
fn home(config: &str) -> Home {
    let home = Home::new("");
    std::fs::write(home.config_path(), config).expect("the configuration");
    home
}

fn outcome<'r>(report: &'r serde_json::Value, name: &str) -> &'r serde_json::Value {
    let feeds = report["feeds"].as_array().expect("feeds");
    let named = feeds.iter().find(|feed| feed["feed"] == name);
    named.unwrap_or_else(|| panic!("no {name} in {report}"))
}

fn error(report: &serde_json::Value, name: &str) -> String {
    outcome(report, name)["error"]
        .as_str()
        .unwrap_or_else(|| panic!("{name} did not fail: {report}"))
        .to_owned()
}

fn header<'r>(server: &'r [Request], path: &str, name: &str) -> Vec<Option<&'r str>> {
    let asked = server.iter().filter(|request| request.path == path);
    asked
        .map(|request| request.headers.get(name).map(String::as_str))
        .collect()
}

#[test]
fn what_a_feed_sets_holds_for_it_and_for_no_other() {
    let publisher = Server::start();
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let silent = silent.local_addr().expect("an address");
    for path in ["/plain", "/small", "/named", "/shut"] {
        publisher.set(path, feed("https://e.example/1"));
    }
    let home = home(&format!(
        "[fetch]\nhost_delay = \"0s\"\nuser_agent_contact = \"all@desk.example\"\n\
         allow_private = [\"127.0.0.0/8\"]\n[page]\nfetch = \"off\"\n\
         [[feed]]\nname = \"plain\"\nurl = \"{0}\"\n\
         [[feed]]\nname = \"small\"\nurl = \"{1}\"\nmax_size = \"1 KiB\"\n\
         [[feed]]\nname = \"named\"\nurl = \"{2}\"\nuser_agent_contact = \"one@desk.example\"\n\
         [[feed]]\nname = \"shut\"\nurl = \"{3}\"\nallow_private = []\n\
         [[feed]]\nname = \"slow\"\nurl = \"http://{silent}/\"\ntimeout = \"100ms\"\n",
        publisher.url("/plain"),
        publisher.url("/small"),
        publisher.url("/named"),
        publisher.url("/shut"),
    ));
    publisher.set(
        "/small",
        feed(&format!("https://e.example/{}", "x".repeat(2000))),
    );
    let report = home.check();
    assert_eq!(outcome(&report, "plain")["outcome"], "new_content");
    assert_eq!(outcome(&report, "named")["outcome"], "new_content");
    assert!(
        error(&report, "small").contains("larger than 1 KiB"),
        "{report}"
    );
    assert!(error(&report, "shut").contains("allow_private"), "{report}");
    assert!(error(&report, "slow").contains("0.1 s"), "{report}");
    let log = publisher.log();
    let agent = |path: &str| {
        header(&log, path, "user-agent")[0]
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        agent("/plain").contains("all@desk.example"),
        "{}",
        agent("/plain")
    );
    assert!(
        agent("/named").contains("one@desk.example"),
        "{}",
        agent("/named")
    );
    assert_eq!(publisher.hits("/shut"), 0);

    // The other way round: an address that only one feed may reach is reached by that feed alone.
    let home = self::home(&format!(
        "[fetch]\nhost_delay = \"0s\"\n[page]\nfetch = \"off\"\n\
         [[feed]]\nname = \"open\"\nurl = \"{0}\"\nallow_private = [\"127.0.0.1\"]\n\
         [[feed]]\nname = \"shut\"\nurl = \"{1}\"\n",
        publisher.url("/named"),
        publisher.url("/shut"),
    ));
    let report = home.check();
    assert_eq!(outcome(&report, "open")["outcome"], "new_content");
    assert!(error(&report, "shut").contains("allow_private"), "{report}");
    assert_eq!(publisher.hits("/shut"), 0);
}

#[test]
fn logins_and_headers_go_to_the_feed_s_own_origin_only() {
    let (publisher, other) = (Server::start(), Server::start());
    let article = Page::html(
        "<html><body><article><h1>First headline of them all</h1><p>The bridge is open again, the town said on \
         Monday, after eleven months of repairs that cost twice what was planned.</p><p>Traffic is expected to \
         return to the old road within a week, and the buses follow in December.</p></article></body></html>",
    );
    publisher.set("/basic", feed(&publisher.url("/article")));
    publisher.set("/bearer", feed(&other.url("/article")));
    publisher.set(
        "/away",
        Page::status(302).header("location", &other.url("/landed")),
    );
    publisher.set("/home", Page::status(302).header("location", "/landed"));
    publisher.set("/landed", feed("https://e.example/1"));
    publisher.set("/article", article.clone());
    other.set("/landed", feed("https://e.example/1"));
    other.set("/article", article);
    let url = |path: &str| publisher.url(path);
    let home = home(&format!(
        "[fetch]\nhost_delay = \"0s\"\nallow_private = [\"127.0.0.0/8\"]\n\
         [[feed]]\nname = \"basic\"\nurl = \"{}\"\nuser = \"desk\"\npassword_file = \"pass\"\n\
         [[feed]]\nname = \"bearer\"\nurl = \"{}\"\ntoken_env = \"TOKEN\"\n\
         [[feed]]\nname = \"away\"\nurl = \"{}\"\npage.fetch = \"off\"\n\
         headers = [{{ name = \"X-Api-Key\", value_file = \"key\" }}, {{ name = \"Accept-Language\", value = \"de\" }}]\n\
         [[feed]]\nname = \"home\"\nurl = \"{}\"\npage.fetch = \"off\"\nheaders = [{{ name = \"X-Api-Key\", value_credential = \"key\" }}]\n",
        url("/basic"),
        url("/bearer"),
        url("/away"),
        url("/home"),
    ));
    std::fs::write(home.path().join("pass"), "s3cret-pass: word\n").expect("a file");
    std::fs::write(home.path().join("key"), "s3cret-key\n").expect("a file");
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("TOKEN", "s3cret-token");
        command.env("CREDENTIALS_DIRECTORY", home.path());
        Ran::of(&command.output().expect("the binary runs"))
    };
    let ran = run(&["-v", "check", "--force", "--json"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);

    let (here, there) = (publisher.log(), other.log());
    let basic = Some("Basic ZGVzazpzM2NyZXQtcGFzczogd29yZA==");
    assert_eq!(header(&here, "/basic", "authorization"), [basic]);
    assert_eq!(
        header(&here, "/article", "authorization"),
        [basic],
        "a page of the same origin"
    );
    assert_eq!(
        header(&here, "/bearer", "authorization"),
        [Some("Bearer s3cret-token")]
    );
    assert_eq!(header(&here, "/away", "x-api-key"), [Some("s3cret-key")]);
    assert_eq!(header(&here, "/away", "accept-language"), [Some("de")]);
    assert_eq!(header(&here, "/landed", "x-api-key"), [Some("s3cret-key")]);
    assert_eq!(header(&here, "/robots.txt", "authorization"), [None]);
    assert_eq!(header(&there, "/article", "authorization"), [None]);
    assert_eq!(header(&there, "/landed", "x-api-key"), [None]);

    // Nothing that revisor writes contains a secret.
    publisher.set("/basic", Page::status(401));
    let again = run(&["-v", "check", "--force"]);
    let shown = run(&["config", "show"]);
    let feeds = run(&["feeds", "--json"]);
    let mut written = vec![ran, again, shown, feeds];
    for ran in &written {
        assert!(!ran.stdout.is_empty(), "{}", ran.stderr);
    }
    let stored = std::fs::read_dir(home.path())
        .expect("the home")
        .filter_map(|file| {
            let path = file.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let bytes = name
                .starts_with("revisor.db")
                .then(|| std::fs::read(&path).ok())??;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        });
    let stored: Vec<String> = stored.collect();
    let texts = written.drain(..).flat_map(|ran| [ran.stdout, ran.stderr]);
    for text in texts.chain(stored) {
        assert!(
            !text.contains("s3cret") && !text.contains("ZGVzazpzM2"),
            "{text}"
        );
    }
    // The output is a valid configuration.
    let shown = run(&["config", "show"]).stdout;
    assert!(shown.contains("value_file = "), "{shown}");
    std::fs::write(home.config_path(), &shown).expect("the configuration");
    let checked = run(&["config", "check"]);
    assert_eq!(
        checked.code,
        Some(0),
        "{}{}\n{shown}",
        checked.stdout,
        checked.stderr
    );
}

#[test]
fn a_proxy_is_asked_only_for_what_may_be_reached() {
    let (proxy, publisher) = (Server::start(), Server::start());
    proxy.set("/through", feed("https://e.example/1"));
    publisher.set("/direct", feed("https://e.example/1"));
    let home = home(&format!(
        "[fetch]\nhost_delay = \"0s\"\nproxy = \"{}\"\n[page]\nfetch = \"off\"\n\
         [[feed]]\nname = \"through\"\nurl = \"http://192.0.2.7/through\"\nallow_private = [\"192.0.2.0/24\"]\n\
         [[feed]]\nname = \"literal\"\nurl = \"http://127.0.0.1:{}/literal\"\n\
         [[feed]]\nname = \"name\"\nurl = \"http://localhost/name\"\n\
         [[feed]]\nname = \"nowhere\"\nurl = \"http://nowhere.invalid/nowhere\"\n\
         [[feed]]\nname = \"direct\"\nurl = \"{}\"\nproxy = \"none\"\nallow_private = [\"127.0.0.1\"]\n",
        proxy.url("").replace("http://", "http://desk:s3cret@"),
        publisher.url("").rsplit(':').next().unwrap_or_default(),
        publisher.url("/direct"),
    ));
    let report = home.check();
    assert_eq!(
        outcome(&report, "through")["outcome"],
        "new_content",
        "{report}"
    );
    assert_eq!(
        outcome(&report, "direct")["outcome"],
        "new_content",
        "{report}"
    );
    for refused in ["literal", "name"] {
        assert!(
            error(&report, refused).contains("allow_private"),
            "{report}"
        );
    }
    assert!(
        error(&report, "nowhere").contains("no address found"),
        "{report}"
    );
    let asked: Vec<String> = proxy
        .log()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(asked, ["/through"]);
    let login = Some("Basic ZGVzazpzM2NyZXQ=");
    assert_eq!(
        header(&proxy.log(), "/through", "proxy-authorization"),
        [login]
    );
    let shown = home.ok(&["config", "show"]);
    assert!(shown.contains("proxy = \"http://127.0.0.1:"), "{shown}");
    assert!(shown.contains("proxy = \"none\""), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}
