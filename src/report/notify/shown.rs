//! `revisor notify show`: the deliveries of an event.

use serde::Serialize;

use crate::domain::event::EventKind;
use crate::domain::ids::ChangeNumber;
use crate::report::clean;
use crate::report::style::{Line, Role};
use crate::report::when::{self, View};
use crate::time::Timestamp;

/// An event for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownDelivery {
    /// The target.
    pub target: String,
    /// `pending`, `delivered`, `held` …
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
    /// Of a digest, the events in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<DigestMember>,
    /// What was tried.
    pub attempts: Vec<ShownAttempt>,
}

/// An event in a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestMember {
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
pub struct ShownAttempt {
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
pub fn deliveries(rows: &[ShownDelivery], view: &View) -> String {
    let mut out = String::new();
    for row in rows {
        let mut head = Line::new()
            .with(Role::Strong, clean::excerpt(&row.target, 60))
            .with(Role::Plain, format!("  {}", row.state));
        if let Some(next) = row.next_attempt {
            head = head.with(Role::Plain, format!(", next try {}", view.from_now(next)));
        }
        if let Some(digest) = &row.digest {
            head = head.with(Role::Plain, format!(" in digest {digest}"));
        }
        head = head.with(Role::Faint, format!("  {}", row.event));
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
            .with(Role::Warning, error.unwrap_or_default())
            .with(
                Role::Faint,
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
    Line::plain(about).with(Role::Faint, format!("  {}", member.event))
}
