use super::stream::{ChangeStream, StreamFilter};
use super::*;
use crate::report::log::{LogRow, plain_view};
use crate::report::sample::{at, delete, insert, revised};
use crate::report::show::Archived;

const NASTY: &str =
    "</style><script>alert(1)</script>\" onload=x javascript:alert(1) \u{202e}\u{1b}[2J";

fn site() -> PageFrame {
    PageFrame {
        links: Links::below("/revisor"),
        view: plain_view(at("2026-11-24T00:00:00Z")),
    }
}

fn row(title: &str) -> LogRow {
    let mut event = revised();
    let data = &mut event.data;
    data.feed.as_mut().unwrap().title = Some(title.to_owned());
    data.feed.as_mut().unwrap().name = title.to_owned();
    data.after.as_mut().unwrap().title = Some(title.to_owned());
    data.diff.as_mut().unwrap().title = Some(vec![delete(title), insert(title)]);
    LogRow { event, quiet: None }
}

fn is_strict(page: &str) {
    for wrong in [
        "<script",
        "<style",
        " style=",
        "\" onload=x",
        "href=\"javascript",
        "\u{202e}",
        "\u{1b}",
    ] {
        assert!(!page.contains(wrong), "{wrong} in {page}");
    }
    assert_eq!(page.matches("<h1").count(), 1, "{page}");
}

#[test]
fn what_strangers_write_is_text_on_every_page() {
    let (site, row) = (site(), row(NASTY));
    let stream = ChangeStream {
        rows: vec![row.clone()],
        wanted: StreamFilter {
            feed: NASTY.to_owned(),
            ..StreamFilter::default()
        },
        feeds: vec![NASTY.to_owned()],
        ..ChangeStream::default()
    };
    let change = change::Change {
        row,
        earlier: None,
        later: None,
        revisions: Vec::new(),
        others: Vec::new(),
        archived: Some(Archived {
            address: Some(NASTY.to_owned()),
            error: Some(NASTY.to_owned()),
            waiting: false,
        }),
    };
    for page in [
        stream::changes(&site, &stream),
        stream::headlines(&site, &stream),
        change::page(&site, &change),
    ] {
        is_strict(&document(&site, &page));
    }
    is_strict(&message(&site, "Not found", NASTY));
}

#[test]
fn every_page_leads_to_the_others_below_the_root() {
    let site = site();
    let stream = ChangeStream {
        rows: vec![row("Minister confirms report of talks")],
        ..ChangeStream::default()
    };
    let page = document(&site, &stream::changes(&site, &stream));
    for link in [
        "/revisor/feeds",
        "/revisor/search",
        "/revisor/c/412",
        "/revisor/e/ent_7",
        SHEET_PATH.as_str(),
    ] {
        assert!(page.contains(link), "{link} in {page}");
    }
    assert!(page.contains("aria-current=\"page\">Changes"), "{page}");
}

#[test]
fn changes_of_one_article_stand_together() {
    let site = site();
    let mut other = row("Another headline");
    other.event.data.entry.as_mut().unwrap().id = "ent_8".into();
    let stream = ChangeStream {
        rows: vec![row("The headline"), other, row("The headline")],
        ..ChangeStream::default()
    };
    let page = document(&site, &stream::changes(&site, &stream));
    assert_eq!(page.matches("<article").count(), 2);
    assert_eq!(page.matches("class=\"step\"").count(), 3);
}

#[test]
fn the_guide_is_whole() {
    let site = site();
    for topic in &crate::report::guide::TOPICS {
        let page = document(&site, &about::topic(&site, topic));
        is_strict(&page);
        assert!(!page.contains("```") && !page.contains("<p>- "), "{page}");
    }
}
