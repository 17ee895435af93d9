//! `revisor notify`: targets, their pending deliveries, and the results of tests.

mod shown;

use serde::{Deserialize, Serialize};

use super::clean;
use super::names;
use super::style::{Line, TextRole};
use super::table::{CellSide, table};
use super::when::{self, TimeView};
use crate::domain::event::EventKind;
use crate::domain::ids::ChangeNumber;
use crate::time::Timestamp;

pub(crate) use shown::{DigestMember, ShownAttempt, ShownDelivery, deliveries};

/// A target and the state of its queue. Its JSON form is an element of the output of `notify list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TargetSummary {
    /// Its name in the configuration.
    pub name: String,
    /// `webhook` …; absent if it is no longer in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether events are sent to it.
    pub state: TargetState,
    /// Why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Pending deliveries.
    pub pending: u64,
    /// The event time of the oldest one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Those that later ones no longer wait for, because the receiver keeps refusing their events.
    pub set_aside: u64,
    /// Posts that wait for a person to confirm them.
    pub held: u64,
    /// Events that wait for a digest.
    pub gathered: u64,
    /// When the next digest is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Timestamp>,
    /// The oldest of the deliveries that were set aside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedEvent>,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Those that were never tried because the queue was full (`max_queue`).
    pub overflowed: u64,
    /// The last successful delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered: Option<Timestamp>,
    /// The last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<LastAttempt>,
    /// When the next attempt is due, if deliveries are pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// Attempts so far for the next delivery.
    pub attempts: u32,
}

/// An event that the receiver keeps refusing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RefusedEvent {
    /// `msg_…`: its webhook-id.
    pub event: String,
    /// `entry.revised` …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
    /// The change that it reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeNumber>,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried again; absent if now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// HTTP status of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong at the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The result of the last attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LastAttempt {
    /// When.
    pub at: Timestamp,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Whether events are sent to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TargetState {
    /// Events are sent.
    Active,
    /// A user paused it.
    Paused,
    /// Its receiver asked for no further events.
    Disabled,
    /// It is no longer in the configuration.
    Removed,
}

/// A table, followed by the events that receivers keep refusing.
#[must_use]
pub(crate) fn text(targets: &[TargetSummary], view: &TimeView) -> String {
    let rows: Vec<Vec<Line>> = targets
        .iter()
        .map(|target| table_row(target, view))
        .collect();
    let mut out = table(
        &[
            ("target", CellSide::Left),
            ("kind", CellSide::Left),
            ("state", CellSide::Left),
            ("pending", CellSide::Right),
            ("oldest", CellSide::Left),
            ("dead", CellSide::Right),
            ("last attempt", CellSide::Left),
        ],
        &rows,
        view.paint,
    );
    for target in targets.iter().filter(|target| target.set_aside > 0) {
        let name = clean::excerpt(&target.name, 60);
        let events = names::count(target.set_aside, "event");
        let head = format!(
            "\n{name} keeps refusing {events}; later events are sent without waiting for them:"
        );
        out.push_str(&Line::plain(head).wrap("", "  ", view.paint));
        for refused in &target.refused {
            out.push_str(&refused_line(refused, view).wrap("  ", "    ", view.paint));
        }
        let hint = format!("to give one up, run `revisor notify skip {name} EVENT`");
        out.push_str(
            &Line::new()
                .with(TextRole::Faint, hint)
                .wrap("  ", "    ", view.paint),
        );
    }
    out
}

/// `msg_1f…  entry.revised #12  returned 400 Bad Request, attempt 3, next try in 28 min`
fn refused_line(refused: &RefusedEvent, view: &TimeView) -> Line {
    let mut line = Line::new().with(TextRole::Strong, clean::excerpt(&refused.event, 60));
    if let Some(kind) = refused.kind {
        line = line.with(TextRole::Plain, format!("  {}", kind.as_str()));
    }
    if let Some(change) = refused.change {
        line = line.with(TextRole::Plain, format!(" #{change}"));
    }
    let error = refused.error.as_deref().unwrap_or("refused");
    let next = match refused.next_attempt {
        Some(at) if at > view.now => view.relative(at),
        _ => "now".to_owned(),
    };
    line.with(
        TextRole::Warning,
        format!("  {}", clean::excerpt(error, 160)),
    )
    .with(
        TextRole::Plain,
        format!(
            ", {} so far, next try {next}",
            names::count(u64::from(refused.attempts), "attempt")
        ),
    )
}

fn table_row(target: &TargetSummary, view: &TimeView) -> Vec<Line> {
    let state = match target.state {
        TargetState::Active => Line::new().with(TextRole::Good, "active"),
        TargetState::Paused => Line::new().with(TextRole::Warning, "paused"),
        TargetState::Disabled => Line::new().with(TextRole::Bad, "disabled"),
        TargetState::Removed => Line::new().with(TextRole::Faint, "removed"),
    };
    let oldest = target
        .oldest
        .map_or("—".to_owned(), |at| when::duration(view.now.since(at)));
    let dead = if target.dead > 0 {
        Line::new().with(TextRole::Bad, target.dead.to_string())
    } else {
        Line::plain("0")
    };
    vec![
        Line::new().with(TextRole::Strong, clean::excerpt(&target.name, 40)),
        Line::plain(target.kind.as_deref().unwrap_or("—")),
        state,
        Line::plain(target.pending.to_string()),
        Line::plain(oldest),
        dead,
        last(target, view),
    ]
}

/// `200, 4 min ago`, `HTTP 503, next try in 31 min (attempt 5)`.
fn last(target: &TargetSummary, view: &TimeView) -> Line {
    let mut line = Line::new();
    if let Some(attempt) = &target.last_attempt {
        let result = match (&attempt.error, attempt.status) {
            (Some(error), _) => clean::excerpt(error, 100),
            (None, Some(status)) => status.to_string(),
            (None, None) => "ok".to_owned(),
        };
        let role = if attempt.error.is_some() {
            TextRole::Warning
        } else {
            TextRole::Plain
        };
        line = line
            .with(role, result)
            .with(TextRole::Plain, format!(", {}", view.relative(attempt.at)));
    } else {
        line = line.with(TextRole::Faint, "none yet");
    }
    if let Some(reason) = &target.reason {
        line = line.with(TextRole::Bad, format!("; {}", clean::excerpt(reason, 100)));
    }
    if target.pending > 0 && target.state == TargetState::Active {
        let next = match target.next_attempt {
            Some(at) if at > view.now => view.relative(at),
            _ => "now".to_owned(),
        };
        line = line.with(
            TextRole::Plain,
            format!("; next try {next} (attempt {})", target.attempts + 1),
        );
    }
    if target.gathered > 0 {
        let events = names::count(target.gathered, "event");
        let when = target
            .digest
            .filter(|_| target.state == TargetState::Active);
        let when = when.map_or_else(String::new, |at| match at > view.now {
            true => format!(" {}", view.relative(at)),
            false => " now".to_owned(),
        });
        line = line.with(TextRole::Plain, format!("; digest of {events}{when}"));
    }
    if target.held > 0 {
        let posts = names::count(target.held, "post");
        line = line.with(
            TextRole::Warning,
            format!("; {posts} to confirm (`revisor notify release`)"),
        );
    }
    if target.overflowed > 0 {
        line = line.with(
            TextRole::Bad,
            format!(
                "; {} of the dead never attempted because the queue was full",
                target.overflowed
            ),
        );
    }
    line
}

/// The result of a test of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TestResult {
    /// The target.
    pub target: String,
    /// Whether it accepted the event.
    pub ok: bool,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: u64,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A line.
#[must_use]
pub(crate) fn test_text(result: &TestResult, view: &TimeView) -> String {
    let mark = if result.ok {
        Line::new().with(TextRole::Good, "✓ ")
    } else {
        Line::new().with(TextRole::Bad, "✗ ")
    };
    let outcome = match (&result.error, result.status) {
        (Some(error), _) => clean::excerpt(error, 300),
        (None, Some(status)) => format!("HTTP {status}"),
        (None, None) => "sent".to_owned(),
    };
    let line = mark
        .with(TextRole::Strong, clean::excerpt(&result.target, 60))
        .with(TextRole::Plain, format!("  {outcome}"))
        .with(
            TextRole::Faint,
            format!("  {}", when::took(result.duration_ms)),
        );
    line.wrap("", "  ", view.paint)
}

/// `Released 2 posts`
#[must_use]
pub(crate) fn released(count: u64) -> String {
    match count {
        0 => "Nothing to release".to_owned(),
        count => format!("Released {}", names::count(count, "post")),
    }
}

/// `Retrying 2 deliveries`
#[must_use]
pub(crate) fn retried(count: u64) -> String {
    match count {
        0 => "Nothing to retry".to_owned(),
        1 => "Retrying 1 delivery".to_owned(),
        count => format!("Retrying {count} deliveries"),
    }
}

/// `Skipped 1 delivery`
#[must_use]
pub(crate) fn skipped(count: u64) -> String {
    match count {
        0 => "Nothing to skip.".to_owned(),
        1 => "Skipped 1 delivery.".to_owned(),
        count => format!("Skipped {count} deliveries."),
    }
}

/// `Resending 2 deliveries`
#[must_use]
pub(crate) fn replayed(count: u64) -> String {
    match count {
        0 => "No events for these targets in that time".to_owned(),
        1 => "Resending 1 delivery".to_owned(),
        count => format!("Resending {count} deliveries"),
    }
}

/// `Would resend 2 deliveries`
#[must_use]
pub(crate) fn would_replay(count: u64) -> String {
    match count {
        1 => "Would resend 1 delivery".to_owned(),
        count => format!("Would resend {count} deliveries"),
    }
}

/// `Resumed desk; 3 deliveries are pending`
#[must_use]
pub(crate) fn resumed(name: &str, open: u64) -> String {
    let waiting = match open {
        0 => "nothing is pending".to_owned(),
        1 => "1 delivery is pending".to_owned(),
        open => format!("{open} deliveries are pending"),
    };
    format!("Resumed {}; {waiting}", clean::excerpt(name, 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    fn target(name: &str, state: TargetState) -> TargetSummary {
        TargetSummary {
            name: name.into(),
            kind: Some("webhook".into()),
            state,
            reason: None,
            pending: 0,
            oldest: None,
            set_aside: 0,
            held: 0,
            gathered: 0,
            digest: None,
            refused: Vec::new(),
            dead: 0,
            overflowed: 0,
            last_delivered: None,
            last_attempt: Some(LastAttempt {
                at: at("2026-11-23T11:56:00Z"),
                status: Some(200),
                error: None,
            }),
            next_attempt: None,
            attempts: 0,
        }
    }

    #[test]
    fn the_table_says_what_waits_and_why() {
        let view = plain_view(at("2026-11-23T12:00:00Z"));
        let mut waiting = target("archive-hook", TargetState::Active);
        waiting.pending = 3;
        waiting.oldest = Some(at("2026-11-23T11:19:00Z"));
        waiting.dead = 1;
        waiting.attempts = 3;
        waiting.next_attempt = Some(at("2026-11-23T12:31:00Z"));
        waiting.last_attempt = Some(LastAttempt {
            at: at("2026-11-23T11:50:00Z"),
            status: Some(503),
            error: Some("HTTP 503".into()),
        });
        waiting.set_aside = 1;
        waiting.refused = vec![RefusedEvent {
            event: "msg_1f".into(),
            kind: Some(EventKind::EntryRevised),
            change: Some(ChangeNumber(12)),
            attempts: 3,
            next_attempt: Some(at("2026-11-23T12:28:00Z")),
            status: Some(400),
            error: Some("returned 400 Bad Request: no \u{1b}[2Jscripts".into()),
        }];
        let mut off = target("old", TargetState::Disabled);
        off.kind = None;
        off.last_attempt = None;
        off.reason = Some("the receiver answered 410".into());
        let mut full = target("full", TargetState::Active);
        full.dead = 3;
        full.overflowed = 2;
        let mut digest = target("weekly", TargetState::Active);
        digest.gathered = 5;
        digest.digest = Some(at("2026-11-23T15:00:00Z"));
        assert_eq!(
            text(
                &[target("desk", TargetState::Active), waiting, off, full, digest],
                &view
            ),
            "\
target        kind     state     pending  oldest  dead  last attempt
desk          webhook  active          0  —          0  200, 4 min ago
archive-hook  webhook  active          3  41 min     1  HTTP 503, 10 min ago; next try in 31 min (attempt 4)
old           —        disabled        0  —          0  none yet; the receiver answered 410
full          webhook  active          0  —          3  200, 4 min ago; 2 of the dead never attempted because the queue was full
weekly        webhook  active          0  —          0  200, 4 min ago; digest of 5 events in 3 h

archive-hook keeps refusing 1 event; later events are sent without waiting for them:
  msg_1f  entry.revised #12  returned 400 Bad Request: no scripts, 3 attempts so far, next try in 28 min
  to give one up, run `revisor notify skip archive-hook EVENT`
"
        );
    }

    #[test]
    fn a_test_prints_the_reply_cleaned() {
        let view = plain_view(at("2026-11-23T12:00:00Z"));
        let mut result = TestResult {
            target: "desk".into(),
            ok: true,
            status: Some(204),
            duration_ms: 181,
            error: None,
        };
        assert_eq!(test_text(&result, &view), "✓ desk  HTTP 204  181 ms\n");
        result.ok = false;
        result.error = Some("connection refused".into());
        assert_eq!(
            test_text(&result, &view),
            "✗ desk  connection refused  181 ms\n"
        );
        assert_eq!(retried(2), "Retrying 2 deliveries");
    }
}
