//! Digests: what was held back for a target, as a single event. Pure.

use crate::domain::event::{Event, EventData, EventKind, ReportInfo, SCHEMA_VERSION};
use crate::report::event_text;
use crate::store::Gathered;
use crate::time::Timestamp;

/// The most events of a digest that are read and sent; further ones are only counted.
pub(super) const MOST_MEMBERS: usize = 100;

/// The most bytes of all events of a digest.
const MOST_BYTES: usize = 512 << 10;

/// The event that reports the gathered events.
pub(super) fn compose(gathered: &Gathered, now: Timestamp) -> Event {
    let mut room = MOST_BYTES;
    let fitting = gathered.events.iter().take_while(|json| {
        let fits = json.len() <= room;
        room = room.saturating_sub(json.len());
        fits
    });
    let members: Vec<Event> = fitting
        .filter_map(|json| serde_json::from_slice(json).ok())
        .collect();
    of(members, gathered.count, gathered.since.unwrap_or(now), now)
}

/// A digest of these events, which are the first of `events` in all.
pub(in crate::notify) fn of(
    members: Vec<Event>,
    events: u64,
    since: Timestamp,
    now: Timestamp,
) -> Event {
    let report = ReportInfo {
        events,
        since,
        until: now,
        members,
    };
    let mut event = Event {
        kind: EventKind::DigestReady,
        timestamp: now,
        schema_version: SCHEMA_VERSION,
        data: EventData {
            report: Some(report),
            ..EventData::default()
        },
    };
    event.data.text = event_text(&event);
    event
}
