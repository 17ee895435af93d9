use super::*;
use crate::config::{Environment, FileEdit, Flags, Secrets, edit_file, from_text};

const FILE: &str = r#"# Our desk.
timezone = "Europe/Paris"   # odd   spacing

[fetch]
every = "30m"

# ---- feeds ----
# The main one.
[[feed]]
url = "https://a.example/rss.xml"
name = "a"

# Slow server.
# Ask Kim.
[[feed]]
url  =  "https://b.example/rss.xml"   # a comment inside
[feed.page]
fetch = "off"   # and here

[[feed]]
url = "https://c.example/rss.xml"
tags = [
  "x", # first
]

# ---- targets ----
[[target]]
name = "desk"
kind = "webhook"
url = "https://hooks.example.org/"
"#;

fn urls(text: &str) -> Vec<String> {
    let environment = Environment::default();
    let loaded = from_text(
        text,
        None,
        Flags::default(),
        &environment,
        Secrets::Required,
    )
    .unwrap();
    loaded
        .config
        .feeds
        .into_iter()
        .map(|feed| feed.url)
        .collect()
}

/// Like `revisor rm`: the loaded configuration decides which feed a name means.
fn remove_feed(text: &str, meant: &str) -> Result<Option<String>, EditError> {
    let environment = Environment::default();
    let (flags, secrets) = (Flags::default(), Secrets::Required);
    let config = from_text(text, None, flags, &environment, secrets)?.config;
    let Some(feed) = config.feed_meant(meant) else {
        return Ok(None);
    };
    let (text, removed) = remove_feeds(text, &HashSet::from([feed.url.clone()]))?;
    assert_eq!(removed, std::slice::from_ref(&feed.url));
    Ok(Some(text))
}

fn feed(url: &str) -> NewFeed {
    NewFeed {
        url: url.to_owned(),
        ..NewFeed::default()
    }
}

#[test]
fn feed_is_added_after_the_last_and_all_else_stays() {
    let new = NewFeed {
        url: "https://d.example/rss?q=\"x\"".to_owned(),
        is_page: false,
        name: "a".to_owned(),
        tags: vec!["x".to_owned(), "y".to_owned()],
        every: Some("5m".to_owned()),
        cron: None,
        page: Some("off".to_owned()),
    };
    let (text, names) = add_feeds(FILE, &[new, feed("https://e.example/atom")], &[]).unwrap();
    assert_eq!(names, ["a-2", "e"]);
    let added = r#"
[[feed]]
url = 'https://d.example/rss?q="x"'
name = "a-2"
tags = ["x", "y"]
every = "5m"
page.fetch = "off"

[[feed]]
url = "https://e.example/atom"
name = "e"
"#;
    let at = FILE.find("\n# ---- targets").unwrap();
    assert_eq!(text, format!("{}{added}{}", &FILE[..at], &FILE[at..]));
    assert_eq!(urls(&text).len(), 5);
}

#[test]
fn feed_is_added_to_any_file() {
    let table = "[[feed]]\nurl = \"https://d.example/\"\nname = \"d\"\n";
    for (text, expected) in [
        ("", table.to_owned()),
        ("# only a comment", format!("# only a comment\n\n{table}")),
        (
            "timezone = \"UTC\"\n",
            format!("timezone = \"UTC\"\n\n{table}"),
        ),
        (
            "[[feed]]\nurl = \"https://c.example/\"",
            format!("[[feed]]\nurl = \"https://c.example/\"\n\n{table}"),
        ),
        (
            "[[feed]]\nurl = \"https://c.example/\"\n[fetch]\nevery = \"5m\"\n",
            format!("[[feed]]\nurl = \"https://c.example/\"\n\n{table}\n[fetch]\nevery = \"5m\"\n"),
        ),
        (
            "timezone = \"UTC\"\r\n",
            format!("timezone = \"UTC\"\r\n\r\n{}", table.replace('\n', "\r\n")),
        ),
    ] {
        let (out, _) = add_feeds(text, &[feed("https://d.example/")], &[]).unwrap();
        assert_eq!(out, expected);
        assert!(urls(&out).contains(&"https://d.example/".to_owned()));
    }
    assert!(add_feeds("not toml", &[feed("https://d.example/")], &[]).is_err());
    assert!(
        add_feeds(
            "feed = [{ url = \"https://c.example/\" }]",
            &[feed("https://d.example/")],
            &[]
        )
        .is_err()
    );
    assert!(
        add_feeds(
            "[feed]\nurl = \"https://c.example/\"",
            &[feed("https://d.example/")],
            &[]
        )
        .is_err()
    );
}

#[test]
fn names_that_load_makes_do_not_change() {
    let text = "[[feed]]\nurl = \"https://news.example/rss\"\n";
    let (out, names) = add_feeds(text, &[feed("https://www.news.example/atom")], &[]).unwrap();
    assert_eq!(names, ["news-2"]);
    let environment = Environment::default();
    let loaded = from_text(
        &out,
        None,
        Flags::default(),
        &environment,
        Secrets::Required,
    )
    .unwrap();
    assert_eq!(loaded.config.feeds[0].name, "news");
}

#[test]
fn feed_is_taken_out_with_its_comment_and_all_else_stays() {
    // By the name that loading generates.
    let without_b = remove_feed(FILE, "b").unwrap().unwrap();
    let (start, end) = (
        FILE.find("# Slow").unwrap(),
        FILE.find("[[feed]]\nurl = \"https://c").unwrap(),
    );
    assert_eq!(without_b, format!("{}{}", &FILE[..start], &FILE[end..]));
    // By address; the heading above it stays.
    let without_a = remove_feed(FILE, "https://a.example/rss.xml")
        .unwrap()
        .unwrap();
    let (start, end) = (
        FILE.find("# The main").unwrap(),
        FILE.find("# Slow").unwrap(),
    );
    assert_eq!(without_a, format!("{}{}", &FILE[..start], &FILE[end..]));
    // By another spelling of the address.
    let without_c = remove_feed(FILE, "http://www.c.example/rss.xml/")
        .unwrap()
        .unwrap();
    assert_eq!(
        urls(&without_c),
        ["https://a.example/rss.xml", "https://b.example/rss.xml"]
    );
    assert!(without_c.contains("# ---- targets"));
    assert_eq!(remove_feed(FILE, "nobody").unwrap(), None);
}

#[test]
fn last_feed_leaves_no_gap() {
    let text = "timezone = \"UTC\"\n\n[[feed]]\nurl = \"https://c.example/\"\n";
    assert_eq!(
        remove_feed(text, "c").unwrap().unwrap(),
        "timezone = \"UTC\"\n"
    );
    assert_eq!(
        remove_feed("[[feed]]\nurl = \"https://c.example/\"", "c")
            .unwrap()
            .unwrap(),
        ""
    );
}

#[test]
fn several_feeds_are_taken_out_at_once() {
    let urls = ["https://a.example/rss.xml", "https://b.example/rss.xml"].map(str::to_owned);
    let (text, removed) = remove_feeds(FILE, &HashSet::from(urls.clone())).unwrap();
    assert_eq!(removed, urls);
    let one = remove_feed(FILE, &urls[0]).unwrap().unwrap();
    assert_eq!(text, remove_feed(&one, &urls[1]).unwrap().unwrap());
}

#[test]
fn address_is_changed_in_place() {
    let moved = move_feed(
        FILE,
        "https://a.example/rss.xml",
        "https://a.example/atom?x=\"1\"",
    )
    .unwrap()
    .unwrap();
    assert_eq!(urls(&moved)[0], "https://a.example/atom?x=\"1\"");
    let back = move_feed(
        &moved,
        "https://a.example/atom?x=\"1\"",
        "https://a.example/rss.xml",
    );
    assert_eq!(back.unwrap().unwrap(), FILE);
    assert_eq!(
        move_feed(FILE, "https://nobody.example/", "https://x.example/").unwrap(),
        None
    );
}

#[test]
fn adding_and_taking_out_is_nothing() {
    let (text, names) = add_feeds(FILE, &[feed("https://d.example/")], &[]).unwrap();
    assert_eq!(remove_feed(&text, &names[0]).unwrap().unwrap(), FILE);
}

#[test]
fn file_is_replaced_through_links_with_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.toml");
    let link = folder.path().join("config.toml");
    std::fs::write(&real, FILE).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o604)).unwrap();
    std::os::unix::fs::symlink("real.toml", &link).unwrap();
    let add = |text: &str| Ok(Some(add_feeds(text, &[feed("https://d.example/")], &[])?.0));
    assert_eq!(edit_file(&link, add).unwrap(), FileEdit::Replaced);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o604);
    assert_eq!(urls(&std::fs::read_to_string(&real).unwrap()).len(), 4);
    // Nothing to change, or an error: the file stays as it is, and no temporary file is left.
    assert_eq!(edit_file(&link, |_| Ok(None)).unwrap(), FileEdit::Unchanged);
    let error = edit_file(&link, |_| Err(EditError::NotUnderstood("no".to_owned())));
    assert!(error.is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn missing_file_is_made_with_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/config.toml");
    edit_file(&path, |text| Ok(Some(format!("{text}# new\n")))).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# new\n");
}

#[test]
fn edits_at_the_same_time_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "").unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let url = format!("https://n{number}.example/");
                edit_file(path, |text| {
                    Ok(Some(add_feeds(text, &[feed(&url)], &[])?.0))
                })
                .unwrap();
            });
        }
    });
    assert_eq!(urls(&std::fs::read_to_string(&path).unwrap()).len(), 8);
}

proptest::proptest! {
    #[test]
    fn what_is_added_is_found_again(
        url in "https://[a-z]{1,8}\\.example/[a-z\"'\\\\?=&é]{0,12}",
        name in "[a-z\"'\\\\ü ]{0,12}",
        tags in proptest::collection::vec("[a-z\"'é]{1,6}", 0..3),
    ) {
        let new = NewFeed { url: url.clone(), name: name.trim().to_owned(), tags, ..NewFeed::default() };
        let (text, names) = add_feeds(FILE, &[new], &[]).unwrap();
        let found = urls(&text);
        proptest::prop_assert_eq!(found.last(), Some(&url));
        let again = remove_feed(&text, &names[0]).unwrap().unwrap();
        proptest::prop_assert_eq!(again, FILE);
    }
}
