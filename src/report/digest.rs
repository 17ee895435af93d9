//! A digest: the events that were held back for a target, combined into one.

use std::collections::BTreeSet;

use super::changed::feed_name;
use super::clean;
use super::event_text::{entry_title, headline as what_happened};
use super::message::{ChangedPassage, Message, TITLE_MAX};
use super::names;
use crate::domain::diff::Segment;
use crate::domain::event::{Event, FeedInfo, ReportInfo};

const NAME_MAX: usize = 80;

/// `5 events in Example News`, `5 events in 2 feeds`, `nothing to report`.
pub(super) fn headline(report: Option<&ReportInfo>) -> String {
    let Some(report) = report.filter(|report| report.events > 0) else {
        return "nothing to report".to_owned();
    };
    let events = names::count(report.events, "event");
    // The feeds of events that are only counted are unknown.
    if report.members.len() as u64 != report.events {
        return events;
    }
    let feeds = || {
        report
            .members
            .iter()
            .filter_map(|member| member.data.feed.as_ref())
    };
    let urls: BTreeSet<&str> = feeds().map(|feed: &FeedInfo| feed.url.as_str()).collect();
    match urls.len() {
        0 => events,
        1 => format!("{events} in {}", feed_name(feeds().next(), NAME_MAX)),
        count => format!("{events} in {count} feeds"),
    }
}

/// A line for each event.
pub(super) fn lines(report: &ReportInfo) -> impl Iterator<Item = String> {
    report.members.iter().map(|member| {
        let title = entry_title(&member.data);
        let title = title.map_or_else(String::new, |title| format!(": {title}"));
        format!("{}{title}", what_happened(member))
    })
}

/// An event of a digest: what happened, to which article, its first change, and where to read all of it.
pub(super) fn passage(event: &Event) -> ChangedPassage {
    let message = Message::of(event);
    let address = message.click().map(str::to_owned);
    let Message {
        headline,
        title,
        mut changes,
        detail,
        ..
    } = message;
    let more = changes.len().saturating_sub(1);
    let first = changes.drain(..).next();
    let mut segments = Vec::new();
    if let Some(title) = title.or(detail) {
        let end = if first.is_some() { " · " } else { "" };
        segments.push(Segment::Equal(format!("{title}{end}")));
    }
    if let Some(ChangedPassage {
        name,
        segments: of_first,
        ..
    }) = first
    {
        if !name.is_empty() {
            segments.push(Segment::Equal(format!("{name}: ")));
        }
        segments.extend(of_first);
    }
    if more > 0 {
        segments.push(Segment::Equal(format!(" (and {more} more)")));
    }
    let headline = clean::excerpt(&headline, TITLE_MAX);
    let (name, segments) = match segments.is_empty() {
        true => (String::new(), vec![Segment::Equal(headline)]),
        false => (headline, segments),
    };
    ChangedPassage {
        name,
        segments,
        address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::EventKind;
    use crate::report::event_text;
    use crate::report::sample::{at, bare, revised};

    fn digest(members: Vec<Event>, more: u64) -> Event {
        let mut event = bare(EventKind::DigestReady);
        event.data.feed = None;
        event.data.report = Some(ReportInfo {
            events: members.len() as u64 + more,
            since: at("2026-11-23T09:00:00Z"),
            until: at("2026-11-23T10:00:00Z"),
            members,
        });
        event
    }

    #[test]
    fn a_digest_says_how_much_of_what_and_when() {
        let mut other = bare(EventKind::FeedFailing);
        other.data.feed.as_mut().unwrap().url = "https://other.example/feed".into();
        for (event, first) in [
            (
                digest(vec![revised(), revised()], 0),
                "2 events in Example News",
            ),
            (digest(vec![revised(), other], 0), "2 events in 2 feeds"),
            (digest(vec![revised()], 1), "2 events"),
            (digest(Vec::new(), 0), "nothing to report"),
        ] {
            assert_eq!(event_text(&event).lines().next(), Some(first));
        }
        assert_eq!(
            event_text(&digest(vec![revised()], 0)),
            "1 event in Example News\n\
             Example News changed a headline and a text: Minister confirms report of talks\n\
             noticed between 2026-11-23 09:00 and 10:00 UTC"
        );
    }

    #[test]
    fn an_event_of_a_digest_is_a_passage() {
        let shown = passage(&revised());
        assert_eq!(shown.name, "Example News changed a headline and a text");
        assert_eq!(shown.address.as_deref(), Some("https://news.example/a/123"));
        let mut gone = bare(EventKind::FeedGone);
        gone.data.detail = None;
        let gone = passage(&gone);
        assert_eq!(gone.name, "");
        assert_eq!(
            gone.segments,
            [Segment::Equal("Example News is gone".into())]
        );
    }
}
