//! Feeds that move, end, break off, or lose their texts.

use super::*;

#[test]
fn what_is_taken_out_of_the_feed_early_has_its_page_looked_at_now() {
    let world = World::new("[page]\nrecheck = [[\"30d\", \"1d\"]]\n");
    for path in ["/a", "/b", "/c", "/d", "/e"] {
        world.serve(path, article(TEXT));
    }
    world.list(&[("1", "/a")]);
    world.run_to(0);
    world.list(&[("2", "/b"), ("1", "/a")]);
    world.run_to(60);
    world.list(&[("3", "/c"), ("2", "/b"), ("1", "/a")]);
    world.run_to(120);
    let looks = world.publisher.hits("/b");
    // The second entry is removed; then the first one is displaced.
    world.list(&[("3", "/c"), ("1", "/a")]);
    world.run_to(180);
    assert_eq!(world.publisher.hits("/b"), looks + 1);
    world.list(&[("5", "/e"), ("4", "/d"), ("3", "/c")]);
    world.run_to(240);
    let left: BTreeMap<&str, _> = ["/a", "/b", "/c"]
        .into_iter()
        .map(|path| (path, world.entry_at(path).left.map(Left::as_str)))
        .collect();
    assert_eq!(left["/a"], Some("scrolled_off"));
    assert_eq!(left["/b"], Some("early"));
    assert_eq!(left["/c"], None);
    assert!(world.told().is_empty(), "leaving is told to nobody");
    world.list(&[("5", "/e"), ("4", "/d"), ("3", "/c"), ("2", "/b")]);
    world.run_to(300);
    assert_eq!(world.entry_at("/b").left, None);
}

#[test]
fn a_first_410_does_not_end_a_feed() {
    let world = World::with_article();
    world.serve("/feed.xml", Page::status(410));
    world.run_to(60);
    world.list(&[("2", "/b"), ("1", "/a")]);
    world.run_to(24 * 60);
    assert!(
        world.told().iter().all(|event| event != "feed.gone"),
        "{:?}",
        world.told()
    );
    assert_eq!(world.entry_at("/b").revision.0, 1);
    world.serve("/feed.xml", Page::status(410));
    let before = world.publisher.hits("/feed.xml");
    world.run_to(3 * 24 * 60);
    let asked = world.publisher.hits("/feed.xml") - before;
    assert_eq!(
        asked, 3,
        "as often as the rule wants it, and not as often as the feed"
    );
    let gone = world
        .told()
        .iter()
        .filter(|event| *event == "feed.gone")
        .count();
    assert_eq!(gone, 1);
}

#[test]
fn a_feed_that_is_not_at_its_new_address_any_more_is_asked_for_at_the_configured_one() {
    for status in [410, 404, 503] {
        let world = World::with_article();
        let moved = Page::status(301).header("location", "/new.xml");
        let list = |path: &str, guid: &str| {
            let url = world.publisher.url(&format!("/{guid}"));
            let title = match guid {
                "b" => "Mayor opens new bridge over the river",
                _ => "Fishermen protest against fees of the harbour",
            };
            let item = (guid, url.as_str(), title, title);
            world.serve(path, Page::rss(rss(&[item])));
        };
        world.serve("/feed.xml", moved);
        list("/new.xml", "b");
        world.run_to(60);
        assert_eq!(world.told(), ["feed.moved"]);
        world.serve("/new.xml", Page::status(status));
        list("/feed.xml", "c");
        world.run_to(24 * 60);
        assert_eq!(world.entry_at("/c").revision.0, 1, "{status}");
        assert!(!world.told().contains(&"feed.gone".to_owned()), "{status}");
    }
}

#[test]
fn a_feed_whose_texts_are_all_gone_is_believed_at_the_second_poll() {
    let set = |world: &World, full: bool| {
        let items: Vec<[String; 4]> = (1..=6)
            .map(|n| {
                let text = format!("The council heard report {n} about the harbour and has put off its decision once more.");
                let text = if full { text } else { String::new() };
                [n.to_string(), format!("https://e.example/{n}"), format!("Report {n} on the harbour"), text]
            })
            .collect();
        let items: Vec<_> = items
            .iter()
            .map(|[a, b, c, d]| (a.as_str(), b.as_str(), c.as_str(), d.as_str()))
            .collect();
        world.serve("/feed.xml", Page::rss(rss(&items)));
    };
    let world = World::new("[page]\nfetch = \"off\"\n[detect]\nbulk_edit = 100\n");
    set(&world, true);
    world.run_to(30);
    // Once; then the texts are back.
    set(&world, false);
    world.run_to(61);
    set(&world, true);
    world.run_to(180);
    assert!(world.told().is_empty(), "{:?}", world.told());
    // Permanently.
    set(&world, false);
    world.run_to(24 * 60);
    let told = world.told();
    assert!(!told.is_empty() && told.len() <= 6, "{told:?}");
    for event in world.events() {
        let window = event.data.change.as_ref().unwrap().window;
        assert_eq!(
            window.first_changed.since(window.last_unchanged),
            Duration::from_mins(30)
        );
        assert_eq!((window.checks, window.failed_checks), (1, 0), "{told:?}");
        assert!(event.timestamp > window.first_changed);
    }
}

#[test]
fn a_feed_that_becomes_a_page_or_breaks_off_leaves_history_untouched() {
    let world = World::new("[page]\nfetch = \"off\"\n");
    let entries = [("3", "/c"), ("2", "/b"), ("1", "/a")];
    world.list(&entries);
    world.run_to(30);
    let whole = {
        let url = world.publisher.url("/a");
        let item = (
            "1",
            url.as_str(),
            "Report number 1 on the harbour",
            "What the council heard about the harbour in its session 1.",
        );
        rss(&[item])
    };
    world.serve(
        "/feed.xml",
        Page::html("<html><body><form>Please log in</form></body></html>"),
    );
    world.run_to(120);
    world.serve(
        "/feed.xml",
        Page::rss(
            whole
                .trim_end_matches("</rss>")
                .trim_end_matches("</channel>")
                .to_owned(),
        ),
    );
    world.run_to(180);
    assert!(
        ["/a", "/b", "/c"]
            .iter()
            .all(|path| world.entry_at(path).in_feed)
    );
    world.list(&entries);
    world.run_to(240);
    assert!(
        world
            .told()
            .iter()
            .all(|event| !event.starts_with("entry.")),
        "{:?}",
        world.told()
    );
}

#[test]
fn an_edit_found_along_with_the_feed_has_the_window_of_the_looks_at_its_page() {
    let world = World::with_article();
    world.run_to(65);
    // Only the page was edited, and the feed changed a date at the same time.
    world.serve("/a", article(&TEXT.replace("15 million", "51 million")));
    let url = world.publisher.url("/a");
    let item = (
        "1",
        url.as_str(),
        "Report number 1 on the harbour",
        "What the council heard, and when.",
    );
    world.serve("/feed.xml", Page::rss(rss(&[item])));
    let page_ok = world.entry().page.ok.unwrap();
    world.clock.set(at(66));
    world.round(true);
    let windows: Vec<_> = world
        .events()
        .iter()
        .map(|event| event.data.change.as_ref().unwrap().window)
        .collect();
    assert_eq!(windows.len(), 1, "one edit is one change");
    let feed_ok = at(60);
    assert_eq!(windows[0].last_unchanged, page_ok.min(feed_ok));
    assert_eq!(windows[0].first_changed, at(66));
}
