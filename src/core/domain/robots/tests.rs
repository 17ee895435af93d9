use super::*;
use crate::time::Timestamp;
use proptest::prelude::*;

fn url(target: &str) -> Url {
    Url::parse(&format!("https://news.example{target}")).unwrap()
}

fn may(robots: &str, target: &str) -> bool {
    RobotsRules::parse(robots.as_bytes(), "revisor")
        .forbids(&url(target))
        .is_none()
}

/// A robots.txt with a single group, for all user agents.
fn rules(lines: &str) -> String {
    format!("User-agent: *\n{}\n", lines.replace("; ", "\n"))
}

#[test]
fn patterns_match_the_beginning_with_stars_and_an_end() {
    for (lines, forbidden, allowed) in [
        ("Disallow: /", "/ /a /a?b", ""),
        ("Disallow:", "", "/ /a"),
        (
            "Disallow: /fish",
            "/fish /fish.html /fish/salmon /fishheads?id=1",
            "/Fish.asp /catfish /?id=fish",
        ),
        (
            "Disallow: /fish*",
            "/fish /fish.html /fish/salmon",
            "/Fish /desert/fish",
        ),
        (
            "Disallow: /fish/",
            "/fish/ /fish/salmon /fish/?id=1",
            "/fish /fish.html",
        ),
        (
            "Disallow: /*.php",
            "/index.php /a/b.php?x=1 /a.php/",
            "/ /index.PHP",
        ),
        (
            "Disallow: /*.php$",
            "/index.php /a/b.php",
            "/index.php?x /index.php5 /a.php/",
        ),
        (
            "Disallow: /fish*.php",
            "/fish.php /fishheads/catfish.php?x",
            "/Fish.php",
        ),
        ("Disallow: /$", "/", "/a /?b"),
        ("Disallow: *", "/ /a", ""),
        ("Disallow: */print", "/a/print /print", "/a/Print"),
        ("Disallow: /a**b", "/ab /axb", "/a"),
        ("Disallow: /*a*a$", "/aa /xaxa", "/a /aab"),
        ("Disallow: /*?", "/a?b /?", "/a"),
        ("Disallow: /a?b=*&c", "/a?b=1&c=2", "/a?b=1"),
        ("Disallow: private/", "/private/x", "/public"),
    ] {
        let robots = rules(lines);
        for target in forbidden.split(' ').filter(|t| !t.is_empty()) {
            assert!(!may(&robots, target), "{lines}: {target} is forbidden");
        }
        for target in allowed.split(' ').filter(|t| !t.is_empty()) {
            assert!(may(&robots, target), "{lines}: {target} is allowed");
        }
    }
}

#[test]
fn longest_pattern_decides_and_of_equals_the_one_that_allows() {
    for (lines, target, allowed) in [
        ("Allow: /p; Disallow: /", "/page", true),
        ("Disallow: /; Allow: /p", "/page", true),
        ("Allow: /folder; Disallow: /folder", "/folder/page", true),
        ("Disallow: /folder; Allow: /folder", "/folder/page", true),
        ("Allow: /page; Disallow: /*.htm", "/page.htm", false),
        ("Allow: /page; Disallow: /*.ph", "/page.php5", true),
        ("Allow: /$; Disallow: /", "/", true),
        ("Allow: /$; Disallow: /", "/page.htm", false),
        (
            "Disallow: /a/; Allow: /a/b; Disallow: /a/b/c",
            "/a/b/c/d",
            false,
        ),
        (
            "Disallow: /a/; Allow: /a/b; Disallow: /a/b/c",
            "/a/b/d",
            true,
        ),
        ("Disallow: /", "/robots.txt", true),
    ] {
        assert_eq!(may(&rules(lines), target), allowed, "{lines}: {target}");
    }
}

#[test]
fn spellings_of_an_address_are_one() {
    for (lines, target, allowed) in [
        (
            "Disallow: /foo/bar?baz=http://foo.bar",
            "/foo/bar?baz=http://foo.bar",
            false,
        ),
        ("Disallow: /foo/bar/\u{30c4}", "/foo/bar/%E3%83%84", false),
        ("Disallow: /foo/bar/%E3%83%84", "/foo/bar/\u{30c4}", false),
        ("Disallow: /foo/bar/%e3%83%84", "/foo/bar/%E3%83%84", false),
        ("Disallow: /foo/%62%61%7A", "/foo/baz", false),
        ("Disallow: /foo/baz", "/foo/%62%61%7A", false),
        ("Disallow: /a%2Fb", "/a/b", true),
        ("Disallow: /a%2fb", "/a%2Fb", false),
        (
            "Disallow: /path/file-with-a-%2A.html",
            "/path/file-with-a-*.html",
            false,
        ),
        (
            "Disallow: /path/file-with-a-%2A.html",
            "/path/file-with-a-b.html",
            true,
        ),
        ("Disallow: /path/foo-%24", "/path/foo-$", false),
        ("Disallow: /100%", "/100%25", false),
    ] {
        assert_eq!(may(&rules(lines), target), allowed, "{lines}: {target}");
    }
}

#[test]
fn rules_for_us_stand_instead_of_those_for_everybody() {
    let both = "User-agent: *\nDisallow: /\n\nUser-agent: Revisor\nDisallow: /private\n";
    assert!(may(both, "/news"));
    assert!(!may(both, "/private/x"));
    let nothing =
        "User-agent: revisor\n\nUser-agent: other\nAllow: /\n\nUser-agent: *\nDisallow: /\n";
    assert!(
        may(nothing, "/news"),
        "one list of two agents, with a rule that allows"
    );
    let twice = "User-agent: revisor\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: revisor/2.1 (bot)\nDisallow: /c\n";
    assert_eq!(
        ["/a", "/b", "/c"].map(|t| may(twice, t)),
        [false, true, false]
    );
    for other in ["revisor-news", "revisors", "revis", "arevisor", "Googlebot"] {
        let robots = format!("User-agent: {other}\nDisallow: /\n");
        assert!(may(&robots, "/a"), "{other}");
    }
    let list = "User-agent: a\nUser-agent: revisor\nUser-agent: b\nDisallow: /x\n";
    assert!(!may(list, "/x"));
    let empty = "User-agent: *\nDisallow: /\nUser-agent: revisor\n";
    assert!(may(empty, "/a"), "a group without rules forbids nothing");
    let star = "User-agent: * # all\nDisallow: /x\nUser-agent:*\nDisallow: /y";
    assert_eq!(["/x", "/y"].map(|t| may(star, t)), [false, false]);
}

#[test]
fn what_people_write_is_read() {
    for robots in [
        "\u{feff}User-agent: *\nDisallow: /x",
        "user-AGENT:*\rDISALLOW:/x",
        "User-agent : *\r\n  Disallow : /x   # no\r\n",
        "User-agent *\nDisallow /x",
        "useragent: *\ndissallow: /x",
        "User-agent: *\n\n\nSitemap: https://news.example/s.xml\n\nDisallow: /x\n",
        "User-agent: *\nNoindex: /y\nDisallow: /x",
        "User-agent: a\nSitemap: s\nUser-agent: *\nDisallow: /x",
        "\0\u{1}junk\nUser-agent: *\nDisallow: /x\nDisallow: \u{fffd}",
    ] {
        assert!(!may(robots, "/x"), "{robots:?}");
        assert!(may(robots, "/z"), "{robots:?}");
    }
    for robots in [
        "",
        "<!doctype html><title>Not found: Disallow: /</title>",
        "Disallow: /\nUser-agent: *\nAllow: /a",
        "Disallow all of it\nUser-agent: *",
    ] {
        assert!(may(robots, "/x"), "{robots:?}");
    }
}

#[test]
fn crawl_delay_belongs_to_the_agents_above_it() {
    let delay = |robots: &str| RobotsRules::parse(robots.as_bytes(), "revisor").crawl_delay();
    assert_eq!(
        delay("User-agent: *\nCrawl-delay: 10"),
        Some(Duration::from_secs(10))
    );
    assert_eq!(
        delay("User-agent: *\nCrawl-delay: 0.5"),
        Some(Duration::from_millis(500))
    );
    assert_eq!(
        delay("User-agent: *\nCrawl-delay: 86400"),
        Some(LONGEST_CRAWL_DELAY)
    );
    for none in ["0", "-1", "NaN", "inf", "1e400", "ten", ""] {
        assert_eq!(
            delay(&format!("User-agent: *\nCrawl-delay: {none}")),
            None,
            "{none}"
        );
    }
    let other = "User-agent: *\nCrawl-delay: 10\n\nUser-agent: badbot\nDisallow: /\n";
    assert_eq!(delay(other), Some(Duration::from_secs(10)));
    assert!(may(other, "/a"), "the rule is for badbot alone");
    let ours = "User-agent: *\nCrawl-delay: 10\nUser-agent: revisor\nDisallow: /x";
    assert_eq!(delay(ours), None);
}

#[test]
fn only_the_first_half_megabyte_is_read() {
    let filler = "# nothing\n".repeat(MAX_BYTES / 10 - 3);
    let robots = format!("User-agent: *\nDisallow: /a\n{filler}\nDisallow: /b");
    assert!(robots.len() > MAX_BYTES);
    assert!(!may(&robots, "/a"));
    assert!(may(&robots, "/b"), "a line that is cut off is no rule");
    let long = format!("User-agent: *\nDisallow: /{}", "a".repeat(5000));
    assert!(may(&long, &format!("/{}", "a".repeat(5000))));
}

#[test]
fn the_rule_is_named() {
    let rules = RobotsRules::parse(b"User-agent: *\nDisallow: /Private%20x*$ # no", "revisor");
    assert_eq!(
        rules.forbids(&url("/Private%20x/1")),
        Some("Disallow: /Private%20x*$".to_owned())
    );
}

fn at(hours: u64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000) + Duration::from_hours(hours)
}

fn judge(known: &KnownRobots, now: Timestamp) -> RobotsVerdict {
    known.judge(&known.rules(), &url("/x/1"), now)
}

#[test]
fn an_answer_holds_for_a_day_at_most_and_an_hour_at_least() {
    let file = || RobotsFound::File(b"User-agent: *\nDisallow: /x".to_vec());
    let nothing = KnownRobots::default();
    assert!(!nothing.is_fresh(at(0)));
    let day = nothing.after(file(), at(0), None);
    assert!(day.is_fresh(at(23)) && !day.is_fresh(at(24)));
    assert!(
        matches!(judge(&day, at(0)), RobotsVerdict::Forbidden(why) if why == "robots.txt forbids it (Disallow: /x)")
    );
    let week = nothing.after(file(), at(0), Some(Duration::from_hours(24 * 7)));
    assert!(!week.is_fresh(at(24)));
    let never = nothing.after(file(), at(0), Some(Duration::ZERO));
    assert!(never.is_fresh(at(0)) && !never.is_fresh(at(1)));
    let same = day.after(RobotsFound::Same, at(30), None);
    assert_eq!((&same.body, same.asked), (&day.body, Some(at(30))));
    assert!(
        !day.is_fresh(at(0) - Duration::from_hours(1)),
        "the clock was put back"
    );
    let none = day.after(RobotsFound::None, at(30), None);
    assert_eq!(judge(&none, at(30)), RobotsVerdict::Allowed);
}

#[test]
fn a_host_without_an_answer_forbids_everything_until_it_has_said_something() {
    let gone = || RobotsFound::Unreachable("returned 503".into());
    let mut known = KnownRobots::default().after(gone(), at(0), None);
    assert!(
        matches!(judge(&known, at(0)), RobotsVerdict::Forbidden(why) if why == "robots.txt cannot be read: returned 503")
    );
    let mut waits = Vec::new();
    for _ in 0..9 {
        let now = known.ask_again.unwrap();
        waits.push(now.since(known.asked.unwrap()).as_secs() / 60);
        known = known.after(gone(), now, None);
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 1440]);
    assert!(matches!(
        judge(&known, at(24 * 29)),
        RobotsVerdict::Forbidden(_)
    ));
    assert_eq!(judge(&known, at(24 * 31)), RobotsVerdict::Allowed);

    let file = KnownRobots::default().after(
        RobotsFound::File(b"User-agent: *\nDisallow: /y".to_vec()),
        at(0),
        None,
    );
    let lost = file.after(gone(), at(25), None);
    assert_eq!(
        judge(&lost, at(26)),
        RobotsVerdict::Allowed,
        "what was read last still holds"
    );
    assert_eq!(lost.unreachable_since, Some(at(25)));
    assert_eq!(
        lost.after(RobotsFound::None, at(27), None)
            .unreachable_since,
        None
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read(body in proptest::collection::vec(any::<u8>(), 0..400), target in "/[a-z/*$%?&=]{0,30}") {
        let rules = RobotsRules::parse(&body, "revisor");
        let _ = rules.forbids(&url(&target));
    }

    #[test]
    fn stars_match_as_a_plain_search_does(pattern in "[ab*]{0,8}\\$?", target in "[ab]{0,10}") {
        fn plain(pattern: &[u8], target: &[u8]) -> bool {
            match pattern.split_first() {
                None => true,
                Some((b'$', [])) => target.is_empty(),
                Some((b'*', rest)) => (0..=target.len()).any(|at| plain(rest, &target[at..])),
                Some((first, rest)) => target.first() == Some(first) && plain(rest, &target[1..]),
            }
        }
        let robots = format!("User-agent: *\nDisallow: /{pattern}");
        let expected = plain(format!("/{pattern}").as_bytes(), format!("/{target}").as_bytes());
        prop_assert_eq!(!may(&robots, &format!("/{target}")), expected);
    }
}
