//! An event of a digest.

use super::{Message, Passage, TITLE_MAX};
use crate::domain::diff::Segment;
use crate::domain::event::Event;
use crate::report::clean;

/// An event of a digest: what happened, to which article, its first change, and where the whole can be read.
pub(super) fn passage(event: &Event) -> Passage {
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
    if let Some(Passage {
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
    Passage {
        name: clean::excerpt(&headline, TITLE_MAX),
        segments,
        address,
    }
}
