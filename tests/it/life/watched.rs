//! A page that no feed lists, checked on its own, and how the life cycle of an article applies to it.

use revisor::domain::life::Reason;

use super::{TEXT, World, article, at};
use crate::support::Page;

/// A world that checks one page, first at minute 0.
fn watching() -> World {
    let world = World::polling("", "/a", "kind = \"page\"\nevery = \"30m\"");
    world.serve("/a", article(TEXT));
    world.run_to(0);
    world
}

#[test]
fn a_watched_page_is_read_at_its_own_pace_for_years_and_its_edits_are_told() {
    let world = watching();
    assert_eq!(world.told(), Vec::<String>::new());
    assert_eq!(world.publisher.hits("/a"), 1);
    assert_eq!(
        world.entry().title.as_deref(),
        Some("Report on the harbour")
    );
    world.run_to(12 * 60);
    let day = world.publisher.hits("/a");
    assert!((20..=26).contains(&day), "{day}");
    // An article would not be checked any more.
    world.clock.set(at(3 * 365 * 24 * 60));
    world.run_to(3 * 365 * 24 * 60 + 60);
    world.serve("/a", article(&TEXT.replace("15 million", "51 million")));
    world.run_to(3 * 365 * 24 * 60 + 120);
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("entry.revised "), "{told:?}");
    let change = world.events()[0].data.change.clone().unwrap();
    assert_eq!(change.window.checks, 1);
}

#[test]
fn a_watched_page_is_removed_after_several_checks_and_restored() {
    let world = watching();
    world.run_to(60);
    world.serve("/a", Page::status(404));
    world.run_to(95);
    assert_eq!(world.told(), Vec::<String>::new());
    assert_eq!(world.entry().page.reason, Some(Reason::NotFound));
    world.run_to(24 * 60);
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("entry.removed "), "{told:?}");
    world.serve("/a", article(TEXT));
    world.run_to(26 * 60);
    let told = world.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("entry.restored "), "{told:?}");
}

#[test]
fn walls_and_errors_are_never_its_text_and_are_told_as_a_failure_once() {
    let wall = "<title>Just a moment...</title><p>Verifying you are human.</p>";
    for (page, reason) in [
        (Page::html(wall), Reason::BotCheck),
        (Page::status(500), Reason::Failed),
        (
            Page::html("<html><body><p>Please log in.</p></body></html>"),
            Reason::Paywall,
        ),
    ] {
        let world = watching();
        world.run_to(60);
        world.serve("/a", page);
        world.run_to(2 * 24 * 60);
        assert_eq!(world.entry().page.reason, Some(reason));
        assert_eq!(world.entry().revision.0, 2, "{reason:?}");
        let told = world.told();
        assert_eq!(told, ["feed.failing"], "{reason:?}");
        world.serve("/a", article(TEXT));
        world.run_to(4 * 24 * 60);
        assert_eq!(world.told(), ["feed.failing", "feed.recovered"]);
    }
}

#[test]
fn a_page_that_robots_txt_forbids_is_not_read_and_that_is_told() {
    let world = World::polling("", "/a", "kind = \"page\"");
    let rules = "User-agent: *\nDisallow: /a\n";
    world.serve("/robots.txt", Page::new(200, "text/plain", rules));
    world.serve("/a", article(TEXT));
    world.run_to(24 * 60);
    assert_eq!(world.publisher.hits("/a"), 0);
    assert_eq!(world.told(), ["feed.failing"]);
}
