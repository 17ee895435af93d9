use proptest::prelude::*;

use super::*;

/// For each item: its line, its address or whatever is in its place, title, tags; or why it was rejected.
fn read(text: &str) -> Vec<String> {
    let list = parse(text.as_bytes());
    let items = list.items.into_iter();
    items
        .map(|item| match item.read {
            Ok(feed) => format!(
                "{} {} {:?} {}",
                item.line,
                feed.url,
                feed.title.unwrap_or_default(),
                feed.tags.join("|")
            ),
            Err(reason) => format!("{} {} {reason:?}", item.line, item.what),
        })
        .collect()
}

#[test]
fn outlines_are_feeds_and_folders_are_tags() {
    let text = r#"<?xml version="1.0"?>
<opml version="2.0"><head><title>Mine</title></head><body>
  <outline text="News" title="not this">
    <outline type="rss" text="The A" title="a" xmlUrl=" https://a.example/rss "/>
    <outline text="Far away">
      <outline type="rss" title="B &amp; C" xmlUrl="https://b.example/?x=1&amp;y=2"></outline>
    </outline>
    <OUTLINE TEXT="D" XMLURL='https://d.example/' category="/Sport/Chess, city,News"/>
  </outline>
  <outline xmlUrl="feed://e.example/rss" filtercmd="x.sh"/>
  <!-- <outline xmlUrl="https://no.example/"/> -->
</body></opml>"#;
    assert_eq!(
        read(text),
        [
            r#"4 https://a.example/rss "The A" News"#,
            r#"6 https://b.example/?x=1&y=2 "B & C" News|News/Far away"#,
            r#"8 https://d.example/ "D" News|Sport/Chess|city"#,
            r#"10 https://e.example/rss "" "#,
        ]
    );
    let list = parse(text.as_bytes());
    assert_eq!(list.form, ListForm::Opml);
    assert!(list.items[3].read.as_ref().unwrap().left_aside.is_some());
}

#[test]
fn what_is_no_xml_is_read_all_the_same() {
    for (text, expected) in [
        (
            "<opml><body><outline text=\"R&D\" xmlUrl=\"https://a.example/?a=1&b=2&copy=3\">",
            "1 https://a.example/?a=1&b=2&copy=3 \"R&D\" ",
        ),
        // Quotation marks inside quotation marks.
        (
            "<outline text=\"The \"A\" team\" xmlUrl=\"https://a.example/\" />",
            "1 https://a.example/ \"The\" ",
        ),
        // Markup in an attribute, with quotation marks and a `>` of its own.
        (
            "<outline text=\"A\" description=\"Order <em class=\"x\">it</em> at <a href=\"https://b.example/\" rel=\"y\">B</a>.\" xmlUrl=\"https://a.example/\" />",
            "1 https://a.example/ \"A\" ",
        ),
        // A missing quotation mark.
        (
            "<outline text=\"A xmlUrl=\"https://a.example/\" />",
            "1 https://a.example/ \"A xmlUrl=\" ",
        ),
        (
            "<outline text=a xmlUrl=https://a.example/ />",
            "1 https://a.example/ \"a\" ",
        ),
        // The end is missing, or was never there.
        (
            "<opml><body>\n<outline xmlUrl=\"https://a.example/\"",
            "2 https://a.example/ \"\" ",
        ),
        (
            "<opml><body>\n<outline xmlUrl=\"https://a.example/</body>",
            "2 https://a.example/ \"\" ",
        ),
        (
            "junk <outline xmlUrl=\"https://a.example/\"/>",
            "1 https://a.example/ \"\" ",
        ),
        (
            "<!-- <opml>\n<outline xmlUrl='https://a.example/'/>",
            "2 https://a.example/ \"\" ",
        ),
        (
            "<!DOCTYPE opml [ <opml>\n\n<outline xmlUrl='https://a.example/'/>",
            "3 https://a.example/ \"\" ",
        ),
        (
            "<outline text=\"1 < 2\nx\" xmlUrl='https://a.example/'/>",
            "1 https://a.example/ \"1 < 2 x\" ",
        ),
    ] {
        assert_eq!(read(text), [expected], "{text}");
    }
}

#[test]
fn an_address_whose_end_is_not_marked_swallows_no_other() {
    let outline = |name: &str, end: &str| {
        format!("<outline text='{name}' xmlUrl=\"https://{name}.example/feed{end}\n")
    };
    for end in ["/>", " />", ">", ""] {
        let text = [
            outline("a", end),
            outline("b", "\" />"),
            outline("c", end),
            outline("d", "\"/>"),
        ];
        let text = format!("<opml><body>\n{}</body></opml>", text.concat());
        let expected = ["a", "b", "c", "d"].iter().zip(2..);
        let expected =
            expected.map(|(name, line)| format!("{line} https://{name}.example/feed \"{name}\" "));
        assert_eq!(read(&text), expected.collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn half_an_address_at_the_end_of_a_list_is_none() {
    for mark in ["\"", "'", ""] {
        let text = format!("<opml><body>\n<outline text='A' xmlUrl={mark}https://a.example/fe");
        assert_eq!(read(&text), ["2 https://a.example/fe Cut"], "{text}");
    }
}

#[test]
fn what_gives_no_feed_says_why() {
    let text = "<opml><body>\n<outline type='rss' text='Lost'/>\n<outline type='link' text='L' url='https://a.example/b.opml'/>\n\
                <outline xmlUrl='|x.py'/>\n<outline xmlUrl='exec:x.py'/></body></opml>";
    assert_eq!(
        read(text),
        [
            "2 Lost NoAddress",
            "3 https://a.example/b.opml Link",
            "4 |x.py Command",
            "5 exec:x.py Command",
        ]
    );
    assert_eq!(read("<rss><channel/></rss>"), ["1  NoList"]);
    assert_eq!(read("GIF89a\0\0\n\0"), ["1  NoList"]);
    assert!(read("<opml version='1.0'><head/></opml>").is_empty());
    assert!(read("").is_empty());
}

#[test]
fn lines_are_read_as_newsboat_does() {
    let text = "\n# mine\nhttps://a.example/rss\n  https://b.example/#top \"two words\" tag \"~The \\\"B\\\"\" ! # end\r\n\
                \"exec:~/x.py a\"\nfilter:~/f.py:https://c.example/\n\"query:unread:unread = \\\"yes\\\"\"\n\
                https://d.example/ \"~!Hidden\" \"open";
    assert_eq!(
        read(text),
        [
            "3 https://a.example/rss \"\" ",
            "4 https://b.example/#top \"The \\\"B\\\"\" two words|tag",
            "5 exec:~/x.py a Command",
            "6 filter:~/f.py:https://c.example/ Filter",
            "7 query:unread:unread = \"yes\" Query",
            "8 https://d.example/ \"Hidden\" open",
        ]
    );
    assert_eq!(parse(text.as_bytes()).form, ListForm::Newsboat);
    assert_eq!(parse(b"https://a.example/ # a\n").form, ListForm::Plain);
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!(
        "<opml>{}<outline xmlUrl='https://a.example/'/>",
        "<outline text='folder'>".repeat(20_000)
    );
    let list = parse(deep.as_bytes());
    let feed = list.items[0].read.as_ref().unwrap();
    assert!(feed.tags.len() <= MOST_TAGS, "{}", feed.tags.len());
    let unclosed = "<!-- <outline ".repeat(20_000);
    let list = parse(unclosed.as_bytes());
    assert_eq!(list.items.last().unwrap().read, Err(NotListed::Broken));
    let many = "https://a.example/\n".repeat(MOST_ITEMS + 5);
    let list = parse(many.as_bytes());
    assert_eq!(list.items.len(), MOST_ITEMS + 1);
    assert_eq!(list.items.last().unwrap().read, Err(NotListed::TooMany));
}

proptest! {
    #[test]
    fn every_input_has_a_reading(text in "[<>/!?a-c'\"= \\[\\]&;é|~#\n-]{0,60}(<outline |xmlUrl=|<!--|<opml>|exec:|feed:){0,3}[<>/'\"= &;é\n-]{0,60}") {
        for item in parse(text.as_bytes()).items {
            prop_assert!(item.line >= 1 && item.line <= text.lines().count().max(1));
            if let Ok(feed) = item.read {
                for tag in &feed.tags {
                    prop_assert!(!tag.is_empty() && tag.chars().count() <= LONGEST_TAG);
                }
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_have_a_reading(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse(&bytes).items.len() <= bytes.len());
    }

    #[test]
    fn each_address_of_a_list_is_read_once_and_in_order(
        feeds in prop::collection::vec(("[a-zé &<>]{0,10}", "[a-z0-9/?=&;.-]{0,20}", any::<bool>(), any::<bool>()), 0..20)
    ) {
        let mut text = String::from("<opml version=\"1.1\"><body>\n");
        let mut wanted = Vec::new();
        for (title, path, folder, bare) in feeds {
            let url = format!("https://a.example/{path}");
            // The text after a bare ampersand must not look like a character reference.
            let bare = bare && !path.contains(';') && !path.contains('&');
            let escaped = if bare { url.clone() } else { url.replace('&', "&amp;") };
            let (open, close) = if folder { ("<outline text=\"F\">", "</outline>") } else { ("", "") };
            text.extend([open, "<outline text=\"", &title, "\" xmlUrl=\"", &escaped, "\"/>", close, "\n"]);
            wanted.push(url);
        }
        let list = parse(text.as_bytes());
        let read: Vec<String> = list.items.into_iter().map(|item| item.read.unwrap().url).collect();
        prop_assert_eq!(read, wanted);
    }
}

#[test]
fn an_address_without_a_scheme_is_one_of_the_web_and_a_word_is_none() {
    for (text, url, assumed) in [
        ("news.example/rss", "https://news.example/rss", true),
        (" http://a.example/ ", "http://a.example/", false),
        ("feed://a.example/x", "https://a.example/x", true),
        ("FEED:https://a.example/x", "https://a.example/x", false),
        ("feed:a.example/x", "https://a.example/x", true),
    ] {
        let url = url.to_owned();
        assert_eq!(Written::read(text), Written { url, assumed });
    }
    let list = "www.a.example\nb.example/feed\nc.example:8080/feed\nfeed://d.example/rss\nhttps://e.example/\n\
                notes.txt\nmailto:x@f.example/y\nand/or\nREADME\n../up/feed\n";
    let read = parse(list.as_bytes());
    let urls: Vec<(&str, bool)> = read
        .items
        .iter()
        .map(|item| item.read.as_ref().unwrap())
        .map(|feed| (feed.url.as_str(), feed.left_aside.is_some()))
        .collect();
    assert_eq!(
        urls,
        [
            ("https://www.a.example", true),
            ("https://b.example/feed", true),
            ("https://c.example:8080/feed", true),
            ("https://d.example/rss", true),
            ("https://e.example/", false),
            ("notes.txt", false),
            ("mailto:x@f.example/y", false),
            ("and/or", false),
            ("README", false),
            ("../up/feed", false),
        ]
    );
}

#[test]
fn outlines_with_other_names_for_the_address_are_feeds() {
    let text = r#"<o:opml xmlns:o="x"><o:body>
        <o:outline type="rss" text="A" url="https://a.example/rss"/>
        <o:outline type="atom" feedUrl="https://b.example/?x=1&amp;amp;y=2"/>
        <o:outline type="link" url="https://c.example/"/></o:body></o:opml>"#;
    assert_eq!(
        read(text),
        [
            r#"2 https://a.example/rss "A" "#,
            r#"3 https://b.example/?x=1&y=2 "" "#,
            "4 https://c.example/ Link",
        ]
    );
}

#[test]
fn lines_are_read_whatever_people_put_around_the_addresses() {
    for (text, expected) in [
        (
            "https://a.example/, https://b.example/;",
            &["1 https://a.example/ \"\" ", "1 https://b.example/ \"\" "][..],
        ),
        ("<https://a.example/>", &["1 https://a.example/ \"\" "]),
        ("- 'https://a.example/'\n", &["1 https://a.example/ \"\" "]),
        (
            "\u{200b}https://a.example/",
            &["1 https://a.example/ \"\" "],
        ),
        (
            "https://a.example/ x\rhttps://b.example/\r",
            &["1 https://a.example/ \"\" x", "2 https://b.example/ \"\" "],
        ),
    ] {
        assert_eq!(read(text), expected, "{text:?}");
    }
}
