//! `revisor notify show`: the deliveries of an event.

use serde::Serialize;

use crate::domain::event::EventKind;
use crate::domain::ids::ChangeNumber;
use crate::report::clean;
use crate::report::style::{Line, TextRole};
use crate::report::when::{self, TimeView};
use crate::time::Timestamp;

/// An event for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ShownDelivery {
    /// The target.
    pub target: String,
    /// `pending`, `delivered`, `held`, `gathered`, `unpacked` …
    pub state: &'static str,
    /// `msg_…`: its webhook-id.
    pub event: String,
    /// `entry.revised` …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
    /// The change that it reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeNumber>,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// The digest that it is in (`msg_…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether the receiver refused that digest, so that this event is sent by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub digest_refused: bool,
    /// Of a digest, the events in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<DigestMember>,
    /// What was tried.
    pub attempts: Vec<ShownAttempt>,
}

/// An event in a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DigestMember {
    /// `msg_…`.
    pub event: String,
    /// `entry.revised` …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
    /// The change that it reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeNumber>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ShownAttempt {
    /// When.
    pub at: Timestamp,
    /// `delivered`, `retry`, `dead` or `disabled`.
    pub outcome: &'static str,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: u64,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A paragraph for each delivery: its state, and a line for each attempt.
#[must_use]
pub(crate) fn deliveries(rows: &[ShownDelivery], view: &TimeView) -> String {
    let mut out = String::new();
    for row in rows {
        let mut head = Line::new()
            .with(TextRole::Strong, clean::excerpt(&row.target, 60))
            .with(TextRole::Plain, format!("  {}", row.state));
        if let Some(next) = row.next_attempt {
            head = head.with(
                TextRole::Plain,
                format!(", next try {}", view.relative(next)),
            );
        }
        if let Some(digest) = &row.digest {
            let whole = if row.digest_refused {
                format!("; digest {digest} was refused, so it is sent alone")
            } else {
                format!(" in digest {digest}")
            };
            head = head.with(TextRole::Plain, whole);
        }
        head = head.with(TextRole::Faint, format!("  {}", row.event));
        out.push_str(&head.wrap("", "  ", view.paint));
        for member in &row.members {
            out.push_str(&member_line(member).wrap("  ", "    ", view.paint));
        }
        for attempt in &row.attempts {
            let status = attempt
                .status
                .map(|status| format!(" {status}"))
                .unwrap_or_default();
            let error = attempt
                .error
                .as_deref()
                .map(|error| format!("  {}", clean::excerpt(error, 300)));
            let line = Line::plain(format!(
                "{}  {}{status}",
                view.exact(attempt.at),
                attempt.outcome
            ))
            .with(TextRole::Warning, error.unwrap_or_default())
            .with(
                TextRole::Faint,
                format!("  {}", when::took(attempt.duration_ms)),
            );
            out.push_str(&line.wrap("  ", "    ", view.paint));
        }
    }
    out
}

/// `msg_1f…  entry.revised #12`
fn member_line(member: &DigestMember) -> Line {
    let kind = member.kind.map_or("event", EventKind::as_str);
    let change = member.change.map(|change| format!(" #{change}"));
    let about = format!("{kind}{}", change.unwrap_or_default());
    Line::plain(about).with(TextRole::Faint, format!("  {}", member.event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    #[test]
    fn an_unpacked_digest_is_told_at_both_ends() {
        let now = at("2026-11-23T12:00:00Z");
        let digest = ShownDelivery {
            target: "desk".into(),
            state: "unpacked",
            event: "msg_d".into(),
            kind: Some(EventKind::DigestReady),
            change: None,
            next_attempt: None,
            digest: None,
            digest_refused: false,
            members: vec![DigestMember {
                event: "msg_1".into(),
                kind: Some(EventKind::EntryRevised),
                change: Some(ChangeNumber(12)),
            }],
            attempts: vec![ShownAttempt {
                at: now,
                outcome: "dead",
                status: Some(422),
                duration_ms: 12,
                error: Some("returned 422".into()),
            }],
        };
        let member = ShownDelivery {
            state: "delivered",
            event: "msg_1".into(),
            digest: Some("msg_d".into()),
            digest_refused: true,
            members: Vec::new(),
            attempts: Vec::new(),
            ..digest.clone()
        };
        assert_eq!(
            deliveries(&[digest, member], &plain_view(now)),
            "\
desk  unpacked  msg_d
  entry.revised #12  msg_1
  2026-11-23 12:00  dead 422  returned 422  12 ms
desk  delivered; digest msg_d was refused, so it is sent alone  msg_1
"
        );
    }
}
