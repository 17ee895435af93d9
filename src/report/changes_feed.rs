//! Changes as Atom (RFC 4287) and JSON Feed 1.1, for feed readers.
//!
//! Each change is an item with its own id, so that a reader shows every one of them. An item first states the old
//! and the new text in plain sentences: readers that drop `del` and `ins` still show the edit.

use maud::{Markup, html};
use quick_xml::escape::escape;
use serde_json::{Value, json};

use super::changed;
use super::clean;
use super::html::{Links, Look, address, differences};
use super::log::LogRow;
use super::names;
use super::style::Paint;
use super::when::TimeView;
use crate::domain::diff::Segment;
use crate::time::Timestamp;

/// The title of the feed.
const TITLE: &str = "Changes noticed by revisor";

/// Its identifier, the same wherever it is published.
const ID: &str = "urn:revisor:changes";

/// A change as an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    /// The id of its event, `msg_…`, which is never reused.
    pub uid: &'a str,
    /// The change.
    pub row: &'a LogRow,
}

/// The title and the addresses of a feed of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedChannel {
    /// Its identifier, the same wherever it is published.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its own address.
    pub own: Option<String>,
    /// The web page with the same list.
    pub home: Option<String>,
    /// Where older changes are.
    pub next: Option<String>,
    /// Where the pages of changes are.
    pub links: Links,
}

impl Default for FeedChannel {
    fn default() -> Self {
        Self {
            id: ID.to_owned(),
            title: TITLE.to_owned(),
            own: None,
            home: None,
            next: None,
            links: Links::default(),
        }
    }
}

/// The Atom feed of changes, newest first.
#[must_use]
pub(crate) fn atom(channel: &FeedChannel, items: &[Item<'_>], view: &TimeView) -> String {
    let links = [
        ("self", "application/atom+xml", &channel.own),
        ("alternate", "text/html", &channel.home),
        ("next", "application/atom+xml", &channel.next),
    ];
    let links: String = links
        .into_iter()
        .filter_map(|(relation, media_type, href)| {
            let href = escape(href.as_deref()?).into_owned();
            Some(format!(
                "  <link rel=\"{relation}\" type=\"{media_type}\" href=\"{href}\"/>\n"
            ))
        })
        .collect();
    let (id, title) = (escape(&channel.id), escape(&channel.title));
    let updated = items
        .first()
        .map_or(view.now, |item| item.row.event.timestamp);
    let entries: String = items
        .iter()
        .map(|item| entry(item, &channel.links, view))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  <id>{id}</id>\n  \
         <title>{title}</title>\n{links}  <updated>{}</updated>\n  <author><name>revisor</name></author>\n{entries}</feed>\n",
        updated.to_rfc3339()
    )
}

fn entry(item: &Item<'_>, links: &Links, view: &TimeView) -> String {
    let data = &item.row.event.data;
    let text = |text: &str| escape(text).into_owned();
    // The page of the change if there is one, else the article.
    let page = data.number.and_then(|number| links.change(number));
    let (first, second) = match page {
        Some(page) => (Some(page), web_address(item.row)),
        None => (web_address(item.row), None),
    };
    let link = [("alternate", first), ("related", second)]
        .into_iter()
        .filter_map(|(relation, href)| {
            let href = text(&href?);
            Some(format!("    <link rel=\"{relation}\" href=\"{href}\"/>\n"))
        })
        .collect::<String>();
    let tags = data.feed.iter().flat_map(|feed| &feed.tags);
    let tags = tags.map(|tag| {
        format!(
            "    <category term=\"{}\"/>\n",
            text(&clean::excerpt(tag, 100))
        )
    });
    format!(
        "  <entry>\n    <id>{}</id>\n    <title>{}</title>\n{}    <updated>{when}</updated>\n    <published>{when}</published>\n\
         {}    <content type=\"html\">{}</content>\n  </entry>\n",
        text(&id(item.uid)),
        text(&title(item.row)),
        link,
        tags.collect::<String>(),
        text(&content(item.row, view).into_string()),
        when = when(item.row).to_rfc3339(),
    )
}

/// The JSON Feed of changes, newest first.
#[must_use]
pub(crate) fn json_feed(channel: &FeedChannel, items: &[Item<'_>], view: &TimeView) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|item| json_item(item, &channel.links, view))
        .collect();
    let mut feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "items": items,
    });
    for (name, url) in [
        ("feed_url", &channel.own),
        ("home_page_url", &channel.home),
        ("next_url", &channel.next),
    ] {
        if let Some(url) = url {
            feed[name] = url.as_str().into();
        }
    }
    feed
}

fn json_item(item: &Item<'_>, links: &Links, view: &TimeView) -> Value {
    let data = &item.row.event.data;
    let change = data.change.as_ref();
    let tags = data.feed.as_ref().map(|feed| feed.tags.clone());
    let mut value = json!({
        "id": id(item.uid),
        "title": title(item.row),
        "content_html": content(item.row, view).into_string(),
        "date_published": when(item.row).to_rfc3339(),
        "tags": tags.unwrap_or_default(),
        "_revisor": {
            "number": data.number,
            "type": item.row.event.kind,
            "labels": change.map(|change| &change.labels),
            "score": change.map(|change| change.score),
            "window": change.map(|change| change.window).or(data.window),
        },
    });
    if let Some(url) = data.number.and_then(|number| links.change(number)) {
        value["url"] = url.into();
    }
    if let Some(url) = web_address(item.row) {
        value["external_url"] = url.into();
    }
    value
}

fn id(uid: &str) -> String {
    format!("urn:revisor:{uid}")
}

fn web_address(row: &LogRow) -> Option<String> {
    changed::address(&row.event.data).filter(|address| changed::is_web(address))
}

/// When the change was first seen.
fn when(row: &LogRow) -> Timestamp {
    let window = changed::window(&row.event.data);
    window.map_or(row.event.timestamp, |window| window.first_changed)
}

/// `Example News: headline + text: Minister confirms report of talks`.
fn title(row: &LogRow) -> String {
    let data = &row.event.data;
    let what = match &data.change {
        Some(change) => changed::fields(change)
            .paint(Paint::default())
            .to_lowercase(),
        None => names::event(row.event.kind).to_owned(),
    };
    let feed = changed::feed_name(data.feed.as_ref(), 60);
    let headline = changed::title(data, 200).unwrap_or_else(|| names::NO_HEADLINE.to_owned());
    format!("{feed}: {what}: {headline}")
}

fn content(row: &LogRow, view: &TimeView) -> Markup {
    let data = &row.event.data;
    let headline = data.diff.as_ref().and_then(|diff| diff.title.as_deref());
    html! {
        @if let Some(segments) = headline {
            p { "Before: " (clean::excerpt(&Segment::old_side(segments), 500)) }
            p { "After: " (clean::excerpt(&Segment::new_side(segments), 500)) }
        }
        p {
            @if let Some(number) = data.number { "Change #" (number) ", " }
            @match changed::window(data) {
                Some(window) => { (view.exact_window(window)) }
                None => { (view.exact(row.event.timestamp)) }
            }
            " (" (view.zone.name()) ")"
            @if let Some(change) = &data.change {
                @let amount = changed::amount(change, data.diff.as_ref());
                @let labels = changed::telling_labels(change).paint(Paint::default());
                @for part in [amount, labels] { @if !part.is_empty() { " · " (part) } }
            }
        }
        @if let Some(detail) = data.detail.as_deref() { p { (clean::excerpt(detail, 300)) } }
        @if let Some(diff) = &data.diff { (differences(data, diff, Look::Bare)) }
        @if let Some(found) = changed::address(data) { p { (address(&found)) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::{at, delete, insert, revised};

    fn row() -> LogRow {
        LogRow {
            event: revised(),
            quiet: None,
        }
    }

    #[test]
    fn an_item_has_an_id_of_its_own_and_says_before_and_after_first() {
        let row = row();
        let items = [
            Item {
                uid: "msg_1",
                row: &row,
            },
            Item {
                uid: "msg_2",
                row: &row,
            },
        ];
        let view = plain_view(at("2026-11-24T00:00:00Z"));
        let feed = atom(&FeedChannel::default(), &items, &view);
        assert!(
            feed.contains("<id>urn:revisor:msg_1</id>")
                && feed.contains("<id>urn:revisor:msg_2</id>"),
            "{feed}"
        );
        assert!(
            feed.contains("&lt;p&gt;Before: Minister denies report of talks&lt;/p&gt;"),
            "{feed}"
        );
        assert!(
            feed.contains("<link rel=\"alternate\" href=\"https://news.example/a/123\"/>"),
            "{feed}"
        );
        let json = json_feed(&FeedChannel::default(), &items, &view);
        assert_eq!(json["items"][1]["id"], "urn:revisor:msg_2");
        assert_eq!(
            json["items"][0]["external_url"],
            "https://news.example/a/123"
        );
        assert_eq!(json["items"][0]["_revisor"]["number"], 412);
    }

    #[test]
    fn nothing_of_a_stranger_becomes_markup_or_breaks_the_document() {
        let mut row = row();
        let nasty = "]]></content><script>alert(1)</script>\u{0}\u{1b}\u{202e}&";
        let data = &mut row.event.data;
        data.after.as_mut().unwrap().title = Some(nasty.into());
        data.diff.as_mut().unwrap().title = Some(vec![delete(nasty), insert("<img src=x>")]);
        data.entry.as_mut().unwrap().url = Some("javascript:alert(1)".into());
        let view = plain_view(at("2026-11-24T00:00:00Z"));
        let feed = atom(
            &FeedChannel::default(),
            &[Item {
                uid: "msg_1",
                row: &row,
            }],
            &view,
        );
        // The title is text and escaped once; the content is markup, so other people's text in it is escaped twice.
        let (_, content) = feed.split_once("<content").unwrap();
        assert!(
            !content.contains("&lt;script") && !content.contains("&lt;img"),
            "{feed}"
        );
        assert!(
            !feed.contains("<script") && !feed.contains("href=\"javascript"),
            "{feed}"
        );
        assert!(!feed.contains(['\u{0}', '\u{1b}', '\u{202e}']));
        let mut reader = quick_xml::Reader::from_str(&feed);
        while reader.read_event().expect("well-formed") != quick_xml::events::Event::Eof {}
    }
}
