use super::*;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::known_items::KnownItem;

fn read(text: &str) -> ParsedFeed {
    parse(
        text.as_bytes(),
        None,
        "https://news.example/feed/",
        &Limits::default(),
    )
    .unwrap()
}

fn texts(blocks: &[crate::domain::state::Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn a_plain_rss_feed_is_read_without_repairs() {
    let feed = read(
        r#"<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
        <title>AT&amp;amp;T &amp; co</title><link>/</link><atom:link rel="self" href="rss.xml"/><ttl>5</ttl>
        <image><title>logo</title><link>https://elsewhere.example</link></image>
        <item><title>5 &lt; 6</title><link>https://news.example/a?b=1&amp;c=2</link><guid isPermaLink="false"> g 1 </guid>
        <dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator><pubDate>Mon, 23 Nov 2026 10:04:12 GMT</pubDate>
        <description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two &amp;amp; three&lt;/p&gt;</description>
        <content:encoded><![CDATA[<p>Full</p>]]></content:encoded></item>
        <item><guid>https://news.example/b</guid></item></channel></rss>"#,
    );
    assert_eq!(feed.format, Format::Rss);
    assert_eq!(feed.repairs, []);
    assert_eq!(feed.title.as_deref(), Some("AT&T & co"));
    assert_eq!(feed.home.as_deref(), Some("https://news.example/"));
    assert_eq!(
        feed.self_address.as_deref(),
        Some("https://news.example/feed/rss.xml")
    );
    assert_eq!(feed.hints.ttl, Some(Duration::from_mins(5)));
    let [first, second] = feed.entries.as_slice() else {
        panic!("two entries are expected");
    };
    assert_eq!(first.guid.as_deref(), Some("g 1"));
    assert_eq!(
        first.address.as_deref(),
        Some("https://news.example/a?b=1&c=2")
    );
    assert_eq!(first.title.as_deref(), Some("5 < 6"));
    assert_eq!(first.byline.as_deref(), Some("Ann, Bob"));
    assert_eq!(
        first.published.unwrap().to_rfc3339(),
        "2026-11-23T10:04:12Z"
    );
    assert_eq!(
        first.updated, None,
        "a date of publication is no date of an update"
    );
    assert_eq!(texts(&first.summary), ["One", "Two & three"]);
    assert_eq!(texts(&first.body), ["Full"]);
    assert_eq!(
        second.address.as_deref(),
        Some("https://news.example/b"),
        "the guid is a permalink"
    );
}

#[test]
fn a_plain_atom_feed_is_read_without_repairs() {
    let feed = read(
        r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://blog.example/x/"><title type="html">A &amp;amp; B</title>
        <link rel="self" href="atom.xml"/><link href="."/>
        <entry><id>tag:1</id><title>AT&amp;T &lt;b&gt;</title><link rel="self" href="self"/><link rel="alternate" href="one"/>
        <updated>2026-11-23T10:04:12Z</updated><author><name>Ann</name><email>a@b.c</email></author>
        <summary type="text">1 &lt; 2</summary>
        <content type="xhtml" xml:base="https://other.example/"><div xmlns="http://www.w3.org/1999/xhtml"><p>x &lt; y</p><p>z</p></div></content></entry></feed>"#,
    );
    assert_eq!(feed.repairs, []);
    assert_eq!(feed.title.as_deref(), Some("A & B"));
    assert_eq!(feed.home.as_deref(), Some("https://blog.example/x/"));
    let entry = &feed.entries[0];
    assert_eq!(entry.title.as_deref(), Some("AT&T <b>"));
    assert_eq!(entry.address.as_deref(), Some("https://blog.example/x/one"));
    assert_eq!(entry.published, None);
    assert_eq!(entry.updated.unwrap().to_rfc3339(), "2026-11-23T10:04:12Z");
    assert_eq!(entry.byline.as_deref(), Some("Ann"));
    assert_eq!(texts(&entry.summary), ["1 < 2"]);
    assert_eq!(texts(&entry.body), ["x < y", "z"]);
}

#[test]
fn addresses_stay_as_published() {
    let feed = read(
        "<rss version='2.0'><channel><item><link>HTTP://Example.org/日本?q=%7e</link></item></channel></rss>",
    );
    assert_eq!(
        feed.entries[0].address.as_deref(),
        Some("HTTP://Example.org/日本?q=%7e")
    );
    let feed = read(
        "<rss version='2.0'><channel><item><link>javascript:alert(1)</link></item></channel></rss>",
    );
    assert_eq!(feed.entries[0].address, None);
}

/// Checks a broken feed: its repairs, and the headlines that are read in spite of the damage.
fn repaired(text: &str, repairs: &[Repair], titles: &[&str]) {
    let feed = read(text);
    let found: Vec<&str> = feed
        .entries
        .iter()
        .map(|entry| entry.title.as_deref().unwrap_or(""))
        .collect();
    assert_eq!(found, titles, "{text}");
    assert_eq!(feed.repairs, repairs, "{text}");
}

#[test]
fn broken_feeds_are_read_and_every_repair_is_named() {
    use Repair::*;
    repaired(
        "<rss><channel><item><title>a</title></item></channel></rss>",
        &[RssVersion],
        &["a"],
    );
    repaired(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title mode='escaped' type='text/html'>&lt;b&gt;a&lt;/b&gt;</title></entry></feed>",
        &[LegacyNamespace],
        &["a"],
    );
    repaired(
        "Warning: x <br/>\n<?xml version='1.0'?><rss version='2.0'><channel><item><title>a</title></item></channel></rss>",
        &[JunkBeforeRoot],
        &["a"],
    );
    repaired(
        "<rss version='2.0'><channel><item><title>AT&T &nbsp;b &eacute;</title></item></channel></rss>",
        &[Entities],
        &["AT&T \u{a0}b é"],
    );
    repaired(
        "<rss version='2.0'><channel><item><title>a\u{1b}b</title></item></channel></rss>",
        &[ControlCharacters],
        &["ab"],
    );
    repaired(
        "<rss version='2.0'><channel><item><title>a</title></item><item><title>b</title><description><![CDATA[ cut",
        &[Truncated],
        &["a"],
    );
    repaired(
        "<rss version='2.0'><channel><item><title>a</item><item><title>b</title></channel></rss>",
        &[MismatchedTags],
        &["a", "b"],
    );
    repaired(
        "<rss version='2.0'><channel><item><title>pre <b>x</b> post</title></item></channel></rss>",
        &[InlineMarkup],
        &["pre x post"],
    );
    repaired(
        "<rss version='2.0'><channel><item><dc:title>a</dc:title></item></channel></rss>",
        &[UndeclaredPrefix],
        &["a"],
    );
    repaired(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title type='odd'>a</title></entry></feed>",
        &[ContentType],
        &["a"],
    );
    repaired(
        "<rss version='2.0'><channel><item><title>3 < 4</title><link>/?a<b</link></item></channel></rss>",
        &[BareLessThan],
        &["3 < 4"],
    );
    repaired(
        "<?xml version='1.0' encoding='klingon'?><rss version='2.0'><channel><item><title>é</title></item></channel></rss>",
        &[Charset],
        &["é"],
    );
    repaired(
        "<?xml version='1.0' encoding='utf-16'?><rss version='2.0'><channel><item><title>é</title></item></channel></rss>",
        &[Charset],
        &["é"],
    );
}

#[test]
fn lists_inside_of_an_item_are_no_items() {
    let feed = read(
        "<rss version='2.0'><channel><item><title>a</title><x:related xmlns:x='u:x'><item><title>no</title></item></x:related><link>https://n.example/1</link></item></channel></rss>",
    );
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(
        feed.entries[0].address.as_deref(),
        Some("https://n.example/1")
    );
}

#[test]
fn the_description_of_a_video_is_a_summary() {
    let feed = read(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:media='http://search.yahoo.com/mrss/'><entry><title>a</title><media:group><media:title>b</media:title><media:description>c\nd</media:description></media:group></entry></feed>",
    );
    assert_eq!(feed.entries[0].title.as_deref(), Some("a"));
    assert_eq!(texts(&feed.entries[0].summary), ["c d"]);
}

#[test]
fn half_an_entry_is_left_out_when_there_are_whole_ones() {
    let feed =
        read("<rss version='2.0'><channel><item><title>a</title></item><item><title>b</title>");
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(feed.repairs, [Repair::Truncated]);
}

#[test]
fn hints_of_the_publisher_are_read() {
    let feed = read(
        "<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><skipHours><hour>1</hour><hour>2</hour></skipHours><sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency></channel></rss>",
    );
    assert_eq!(feed.hints.skip_hours, [1, 2]);
    assert_eq!(feed.hints.update_period, Some(Duration::from_hours(6)));
}

#[test]
fn what_is_no_feed_is_refused_with_what_it_is() {
    let refused = |text: &str| {
        parse(
            text.as_bytes(),
            None,
            "https://e.example",
            &Limits::default(),
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(refused(""), "not a feed: this is an empty response");
    assert_eq!(
        refused("<html><head><title>Hi</title></head><body><feed>x</feed></body></html>"),
        "not a feed: this is an HTML page titled “Hi”"
    );
    for (text, root) in [
        (
            r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:foaf="http://xmlns.com/foaf/0.1/">
            <foaf:Person><foaf:name>Ann</foaf:name><foaf:title>Dr</foaf:title></foaf:Person></rdf:RDF>"#,
            "rdf",
        ),
        ("<channel><volume>11</volume></channel>", "channel"),
        (
            "<feed xmlns='https://farm.example/'><oats kg='5'/></feed>",
            "feed",
        ),
    ] {
        assert_eq!(
            refused(text),
            format!("not a feed: this is an XML document with the root “{root}”")
        );
    }
    assert_eq!(
        refused("{\"items\":[]}"),
        "not a feed: this is JSON, but not a feed"
    );
    assert_eq!(
        refused("{\"version\":\"https://jsonfeed.org/version/1\",\n \"items\":[}"),
        "the feed is broken at line 2, column 11: expected value"
    );
}

#[test]
fn deep_documents_are_refused() {
    for text in [
        format!(
            "<rss version='2.0'><channel><item>{}",
            "<media:group>".repeat(50_000)
        ),
        format!("<rss version='2.0'><channel>{}", "<items>".repeat(50_000)),
        format!(
            "{{\"version\":\"https://jsonfeed.org/version/1\",\"x\":{}",
            "[".repeat(50_000)
        ),
    ] {
        let found = parse(text.as_bytes(), None, "", &Limits::default());
        assert_eq!(found, Err(FeedError::TooDeep { limit: 128 }));
    }
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        bytes: 100_000,
        entries: 2,
        field_bytes: 100,
    };
    let items = "<item><title>t</title></item>".repeat(5);
    let long = "é".repeat(5000);
    let text = format!(
        "<rss version='2.0'><channel><item><title>{long}</title><description>{long}</description></item>{items}</channel></rss>"
    );
    let feed = parse(text.as_bytes(), None, "", &limits).unwrap();
    assert_eq!((feed.entries.len(), feed.dropped), (2, 4));
    assert_eq!(feed.entries[0].title.as_ref().unwrap().len(), 4096);
    assert_eq!(feed.entries[0].summary[0].text.len(), 100);
    assert_eq!(feed.repairs, [Repair::Oversized]);
    assert!(matches!(
        parse(&vec![b' '; 100_001], None, "", &limits),
        Err(FeedError::TooLarge { .. })
    ));
}

#[test]
fn a_json_feed_is_read_leniently() {
    let feed = read(
        r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","home_page_url":"/","items":[
        {"id":7,"url":"a","content_html":"<p>x</p><p>y</p>","date_published":"2026-11-23T10:04:12Z","authors":[{"name":"Ann"},{"name":"Bob"}]},
        null,{"id":"8","title":"A < B","content_text":"one\n\ntwo","author":{"name":"Cy"}}]}"#,
    );
    assert_eq!(feed.format, Format::Json);
    assert_eq!(feed.repairs, [Repair::JsonMembers]);
    assert_eq!(feed.home.as_deref(), Some("https://news.example/"));
    assert_eq!(feed.entries[0].guid.as_deref(), Some("7"));
    assert_eq!(
        feed.entries[0].address.as_deref(),
        Some("https://news.example/feed/a")
    );
    assert_eq!(feed.entries[0].byline.as_deref(), Some("Ann, Bob"));
    assert_eq!(texts(&feed.entries[0].body), ["x", "y"]);
    assert_eq!(feed.entries[1].title.as_deref(), Some("A < B"));
    assert_eq!(texts(&feed.entries[1].body), ["one", "two"]);
}

#[test]
fn entries_over_the_limit_of_a_json_feed_are_counted() {
    let limits = Limits {
        entries: 2,
        ..Limits::default()
    };
    let item = r#"{"id":"1","content_text":"x"}"#;
    let text = format!(
        r#"{{"version":"https://jsonfeed.org/version/1","items":[{item},null,{item},5,[0]]}}"#
    );
    let feed = parse(text.as_bytes(), None, "", &limits).unwrap();
    assert_eq!((feed.entries.len(), feed.dropped), (1, 3));
}

#[test]
fn a_json_feed_made_by_hand_is_read() {
    let feed = read(
        "{\"version\": \"https://jsonfeed.org/version/1\", \"title\": \"It\\'s \\ud83d\", \"items\": [
        {\"id\": \"1\", \"content_text\": \"one\n\ntwo\",},
        {\"id\": \"2\", \"content_text\": \"half a",
    );
    assert_eq!(feed.repairs, [Repair::JsonSyntax, Repair::Truncated]);
    assert_eq!(feed.title.as_deref(), Some("It's \u{fffd}"));
    assert_eq!(feed.entries.len(), 1, "half an entry is none");
    assert_eq!(texts(&feed.entries[0].body), ["one", "two"]);
}

#[test]
fn wide_and_declared_character_sets_are_read() {
    let text = "<?xml version='1.0' encoding='utf-16'?><rss version='2.0'><channel><item><title>été</title></item></channel></rss>";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let feed = parse(&wide, None, "", &Limits::default()).unwrap();
    assert_eq!(feed.entries[0].title.as_deref(), Some("été"));
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "(<rss>|<rss version=\"2.0\">|<channel>|<item>|</item>|<title>|</title>|<link|>|<![CDATA[|]]>|&|;|a|<feed>|<entry>|</entry>|xmlns=\"|\"|<content type='xhtml'>|</channel>| |é){0,30}") {
        let _ = parse(text.as_bytes(), None, "https://e.example", &Limits::default());
    }
}

#[test]
fn statements_of_rdf_are_no_descriptions() {
    let feed = read(
        r#"<feed xmlns="http://www.w3.org/2005/Atom" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <entry><id>1</id><title>One</title><rdf:Description rdf:about="https://news.example/1"><x>of something</x></rdf:Description>
        <summary>Some text.</summary></entry></feed>"#,
    );
    assert_eq!(texts(&feed.entries[0].summary), ["Some text."]);
}

#[test]
fn a_channel_definition_dates_its_items_in_the_tag() {
    let feed = read(
        r#"<CHANNEL HREF="https://news.example/"><ITEM HREF="/1" LASTMOD="2004-04-06T23:05:43-05:00"><TITLE>One</TITLE></ITEM></CHANNEL>"#,
    );
    let updated = feed.entries[0]
        .updated
        .map(crate::time::Timestamp::to_rfc3339);
    assert_eq!(updated.as_deref(), Some("2004-04-07T04:05:43Z"));
}

#[test]
fn packed_html_is_html_whatever_tags_it_has() {
    // `safe<script>hidden()</script> words`
    let feed = read(
        r#"<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><id>1</id>
        <summary type="text/html" mode="base64">c2FmZTxzY3JpcHQ+aGlkZGVuKCk8L3NjcmlwdD4gd29yZHM=</summary></entry></feed>"#,
    );
    assert_eq!(texts(&feed.entries[0].summary), ["safe words"]);
}

#[test]
fn names_that_moved_to_https_and_prefixes_of_ones_own_are_read() {
    let feed = read(
        r#"<r:RDF xmlns:r="https://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="https://purl.org/rss/1.0/"
        xmlns:d="https://purl.org/dc/elements/1.1/" xmlns:content="http://news.example/content">
        <item r:about="https://news.example/a?b=1&copy=2"><title>One</title><d:creator>Ann</d:creator>
        <content:encoded>Full</content:encoded></item>
        <item><title>Two</title><link>https://news.example/b?c=1&reg=2&amp;d</link></item></r:RDF>"#,
    );
    let [first, second] = feed.entries.as_slice() else {
        panic!("two entries are expected");
    };
    let address = Some("https://news.example/a?b=1&copy=2");
    assert_eq!(first.guid.as_deref(), address);
    assert_eq!(first.address.as_deref(), address);
    assert_eq!(first.byline.as_deref(), Some("Ann"));
    assert_eq!(texts(&first.body), ["Full"]);
    let address = Some("https://news.example/b?c=1&reg=2&d");
    assert_eq!(second.address.as_deref(), address);
}

#[test]
fn a_feed_inside_of_rdf_is_read() {
    let feed = read(
        r#"<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="http://purl.org/atom/ns#">
        <a:feed><a:title>C</a:title><a:entry><a:title>One</a:title></a:entry></a:feed></r:RDF>"#,
    );
    assert_eq!(feed.title.as_deref(), Some("C"));
    assert_eq!(feed.entries[0].title.as_deref(), Some("One"));
}

#[test]
fn a_json_feed_that_is_called_like_a_function_is_read() {
    let feed = read(
        r#"cb({"version": "https://jsonfeed.org/version/1.1", "title": "C", "items": [{"id": "1"}]});"#,
    );
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(
        feed.repairs,
        [Repair::JunkBeforeRoot, Repair::JsonSyntax],
        "both are named"
    );
}

/// Documents in several dialects and conditions, whose items may or may not be recognised later.
fn documents() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let text = prop_oneof![
        Just("Ferry sails".to_owned()),
        Just("&lt;p&gt;Harbour&lt;/p&gt;&lt;p&gt;closed&lt;/p&gt;".to_owned()),
        Just("<![CDATA[<p>Tide</item> tables</p>]]>".to_owned()),
        Just("<p>bare <b>markup</p>".to_owned()),
        Just("AT&T &nbsp; &unknown;".to_owned()),
        Just("<!-- </item> -->".to_owned()),
        "[a-c ]{0,6}",
    ];
    let element = (
        prop_oneof![
            Just("title"),
            Just("description"),
            Just("link"),
            Just("guid"),
            Just("dc:creator"),
            Just("content:encoded"),
            Just("pubDate"),
            Just("group"),
            Just("media:description")
        ],
        text,
        0..12_u8,
    )
        .prop_map(|(name, text, end)| match end {
            0 => format!("<{name}>{text}"),
            1 => format!("<{name} xml:base='/x/'>{text}</{name}>"),
            _ => format!("<{name}>{text}</{name}>"),
        });
    let item = (proptest::collection::vec(element, 0..5), 0..14_u8).prop_map(|(inside, end)| {
        let inside = inside.concat();
        match end {
            0 => format!("<item>{inside}"),
            1 => format!("<item xml:base='https://other.example/'>{inside}</item>"),
            2 => format!("<item xmlns:dc='urn:mine'>{inside}</item>"),
            3 => format!("<item>{inside}</ITEM>"),
            _ => format!("<item>{inside}</item>"),
        }
    });
    let head = prop_oneof![
        Just(""),
        Just(" xmlns:dc='http://purl.org/dc/elements/1.1/'"),
        Just(" xml:base='https://news.example/base/'")
    ];
    (head, proptest::collection::vec(item, 0..6), 0..10_u8).prop_map(|(head, items, end)| {
        let end = if end == 0 { "" } else { "</channel></rss>" };
        format!(
            "<rss version='2.0'{head}><channel><title>Port</title>{}{end}",
            items.concat()
        )
    })
}

/// What is known after a document: all items that can be recognised later.
fn known_after(text: &str) -> (KnownItems, std::collections::HashMap<u128, FeedState>) {
    let nothing = KnownItems::default();
    let base = "https://news.example/feed";
    let Ok(read) = parse_knowing(text.as_bytes(), None, base, &Limits::default(), &nothing) else {
        return Default::default();
    };
    let prints = read.marks.iter().zip(&read.entries);
    let prints: Vec<_> = prints
        .filter_map(|(mark, state)| Some((mark.print?, state.clone())))
        .collect();
    let items = prints
        .iter()
        .map(|(print, state)| KnownItem::of(*print, state, Fingerprint([1; 16]), true));
    let states = prints.iter().map(|(print, state)| (print.0, state.clone()));
    (KnownItems::new(0, items.collect()), states.collect())
}

proptest::proptest! {
    #[test]
    fn a_feed_is_read_the_same_with_items_known_by_their_bytes(before in documents(), now in documents(), mix in 0..3_u8) {
        let base = "https://news.example/feed";
        let limits = Limits { entries: 4, ..Limits::default() };
        // The same document, another one, or one with the items of both.
        let now = match mix {
            0 => before.clone(),
            1 => now,
            _ => before.replace("</channel></rss>", "") + now.split_once("</title>").map_or("", |(_, items)| items),
        };
        let (known, states) = known_after(&before);
        let whole = parse(now.as_bytes(), None, base, &limits);
        match parse_knowing(now.as_bytes(), None, base, &limits, &known) {
            Ok(mut read) => {
                for (entry, mark) in read.entries.iter_mut().zip(&read.marks) {
                    if mark.is_known {
                        *entry = states[&mark.print.unwrap().0].clone();
                    }
                }
                read.marks = Vec::new();
                proptest::prop_assert_eq!(Ok(read), whole);
            }
            Err(error) => proptest::prop_assert_eq!(Err::<ParsedFeed, _>(error), whole),
        }
    }
}

#[test]
fn items_are_passed_over_when_they_are_known() {
    let item = |n: u8, text: &str| format!("<item><guid>{n}</guid><title>{text}</title></item>");
    let feed = |items: &[String]| {
        format!(
            "<rss version='2.0'><channel><lastBuildDate>x</lastBuildDate>{}</channel></rss>",
            items.concat()
        )
    };
    let (known, _) = known_after(&feed(&[item(1, "One"), item(2, "Two")]));
    assert_eq!(known.items.len(), 2);
    let now = feed(&[item(3, "Three"), item(2, "Two"), item(1, "One, edited")]);
    let marks_under = |text: &str, base: &str| -> Vec<bool> {
        let read = parse_knowing(text.as_bytes(), None, base, &Limits::default(), &known);
        let marks = read.unwrap().marks;
        marks.iter().map(|mark| mark.is_known).collect()
    };
    let base = "https://news.example/feed";
    assert_eq!(marks_under(&now, base), [false, true, false]);
    assert_eq!(marks_under(&now, "https://other.example/feed"), [false; 3]);
    let other_names = now.replace("<rss", "<rss xmlns:dc='urn:mine'");
    assert_eq!(marks_under(&other_names, base), [false; 3]);
}

proptest::proptest! {
    /// feed-rs returns every text as it was published, but for white space at its ends: it trims what Unicode calls so.
    #[test]
    fn a_text_is_read_as_published(
        text in "(\\PC|[ \t\r\n<>&;\\]\"']|<p>|<pre>|</pre>|\\]\\]>|&amp;lt;|\u{a0}){1,40}",
    ) {
        let escaped = quick_xml::escape::escape(&text);
        let item = format!("<item><title>A</title><description>{escaped}</description></item>");
        let feed = read(&format!("<rss version=\"2.0\"><channel>{item}</channel></rss>"));
        let blocks = crate::extract::feed_html::blocks(text.trim());
        proptest::prop_assert_eq!(&feed.entries[0].summary, &blocks);
    }
}
