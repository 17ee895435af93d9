//! `revisor history`: the revisions of one entry.

use serde::Serialize;

use super::changed;
use super::clean;
use super::log::quiet_name;
use super::names;
use super::style::{Line, TextRole, cut};
use super::table::{CellSide, table};
use super::when::{self, TimeView};
use crate::domain::classify::{Label, Significance};
use crate::domain::diff::WordCount;
use crate::domain::event::{EntryInfo, EventKind, FeedInfo, Field, Window};
use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::domain::outcome::{Left, Quiet, RevisionOrigin};
use crate::domain::state::Channel;
use crate::time::Timestamp;

/// An entry and its history. Its JSON form is the output of `history --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct History {
    /// Its feed.
    pub feed: FeedInfo,
    /// The entry as it is now.
    pub entry: EntryInfo,
    /// Whether the feed lists it now.
    pub in_feed: bool,
    /// How it left the feed.
    #[serde(serialize_with = "left_word", skip_serializing_if = "Option::is_none")]
    pub left_feed: Option<Left>,
    /// Whether its article was removed.
    pub removed: bool,
    /// When it was removed and restored, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub life: Vec<LifeRow>,
    /// Unconfirmed results of the checks of its page, and why the last one read no text.
    #[serde(flatten)]
    pub page: PageRemarks,
    /// How often a claimed date changed while the text stayed the same: `fake-freshness`.
    pub date_touches: u32,
    /// Places whose ignored text changed.
    #[serde(skip_serializing_if = "is_none")]
    pub ignored_places: u64,
    /// How often it changed.
    #[serde(skip_serializing_if = "is_none")]
    pub ignored_moves: u64,
    /// The last check of its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_checked: Option<Timestamp>,
    /// The next check of its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_next: Option<Timestamp>,
    /// The names that identify it in its feed, the oldest first.
    pub names: Vec<HistoryName>,
    /// Why robots.txt blocks the page, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_barred: Option<String>,
    /// Oldest first.
    pub revisions: Vec<HistoryRow>,
}

/// A name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HistoryName {
    /// `guid`, `address` or `content`.
    pub kind: &'static str,
    /// The name: a guid as given, an address in its canonical form, a hash of headline and text.
    pub value: String,
    /// Why it belongs to this entry.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// The entry that had it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<String>,
}

/// The removal or the return of an article.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LifeRow {
    /// `entry.removed` or `entry.restored`.
    pub event: EventKind,
    /// The window in which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What the checks found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Remarks on the checks of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct PageRemarks {
    /// Why the last check read no text: `not_found`, `paywall`, `held` …
    #[serde(rename = "page_reason", skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The same for people.
    #[serde(rename = "page_error", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Failed checks since the last one that read a text.
    #[serde(rename = "page_failures")]
    pub failures: u32,
    /// Since when checks find the article missing.
    #[serde(rename = "page_missing_since", skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Timestamp>,
    /// Since when another text waits for a second check to confirm it.
    #[serde(rename = "page_held_since", skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// Texts that were seen once and never confirmed by a second check.
    #[serde(rename = "page_unconfirmed")]
    pub unconfirmed: u32,
}

/// A revision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct HistoryRow {
    /// Its number.
    pub revision: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// The channels in which it was seen.
    pub channels: Vec<Channel>,
    /// Its headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Word count of its text.
    pub words: u64,
    /// Set if its text is no longer stored.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub text_dropped: bool,
    /// Where it comes from; left out if it comes from a check.
    #[serde(serialize_with = "origin_word", skip_serializing_if = "is_look")]
    pub origin: RevisionOrigin,
    /// The change that led to it; absent for a first snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<HistoryChange>,
}

/// The change that led to a revision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct HistoryChange {
    /// Its number.
    pub number: ChangeNumber,
    /// The fields that changed.
    pub fields: Vec<Field>,
    /// What kinds of edit it was.
    pub labels: Vec<Label>,
    /// How much it matters.
    pub significance: Significance,
    /// Words removed and added.
    pub words: WordCount,
    /// The earlier revision that it reverted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revert_of: Option<RevisionNumber>,
    /// Why it sent no alert.
    #[serde(serialize_with = "quiet_word", skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn is_none(count: &u64) -> bool {
    *count == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn origin_word<S: serde::Serializer>(
    origin: &RevisionOrigin,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    origin.as_str().serialize(serializer)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn is_look(origin: &RevisionOrigin) -> bool {
    *origin == RevisionOrigin::Look
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn left_word<S: serde::Serializer>(left: &Option<Left>, serializer: S) -> Result<S::Ok, S::Error> {
    left.map(Left::as_str).serialize(serializer)
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn quiet_word<S: serde::Serializer>(
    quiet: &Option<Quiet>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    quiet.map(Quiet::as_str).serialize(serializer)
}

/// A table, newest first; ● marks a changed headline, ○ a first snapshot.
#[must_use]
pub(crate) fn text(history: &History, view: &TimeView) -> String {
    let paint = view.paint;
    let entry = &history.entry;
    let feed = changed::feed_name(Some(&history.feed), 80);
    let mut head = Line::new().with(TextRole::Strong, feed);
    head = head.with(
        TextRole::Plain,
        format!(" · {}", clean::excerpt(&entry.id, 40)),
    );
    if let Some(author) = entry
        .author
        .as_deref()
        .map(|author| clean::excerpt(author, 80))
    {
        head = head.with(TextRole::Faint, format!(" · {author}"));
    }
    let mut out = head.wrap("", "  ", paint);
    if let Some(url) = &entry.url {
        let url = clean::excerpt(&clean::address(url), 500);
        out.push_str(&Line::plain(url).wrap("", "  ", paint));
    }
    out.push('\n');
    let rows: Vec<Vec<Line>> = history
        .revisions
        .iter()
        .enumerate()
        .map(|(at, row)| table_row(history, at, row, view))
        .rev()
        .collect();
    out.push_str(&table(
        &[
            ("rev", CellSide::Right),
            ("first seen", CellSide::Left),
            ("", CellSide::Left),
            ("headline", CellSide::Left),
            ("words", CellSide::Left),
            ("change", CellSide::Left),
        ],
        &rows,
        paint,
    ));
    for name in names(history, view) {
        out.push_str(&name.wrap("", "  ", paint));
    }
    for remark in remarks(history, view) {
        out.push_str(
            &Line::new()
                .with(TextRole::Faint, remark)
                .wrap("", "  ", paint),
        );
    }
    out
}

fn table_row(history: &History, at: usize, row: &HistoryRow, view: &TimeView) -> Vec<Line> {
    let before = at.checked_sub(1).and_then(|at| history.revisions.get(at));
    let mark = match before {
        None => Line::plain("○"),
        Some(before) if before.text_dropped => Line::new(),
        Some(before) if before.title != row.title => Line::new().with(TextRole::Strong, "●"),
        Some(_) => Line::new(),
    };
    let title = match &row.title {
        Some(title) => clean::excerpt(title, 200),
        None if row.text_dropped => "(text not kept)".to_owned(),
        None => String::new(),
    };
    // The other columns take about sixty.
    let room = view
        .paint
        .width
        .map_or(60, |width| width.saturating_sub(60).max(24));
    let words = match &row.change {
        Some(change) => format!("+{} −{}", change.words.added, change.words.removed),
        None => String::new(),
    };
    vec![
        Line::plain(row.revision.to_string()),
        Line::plain(view.exact(row.seen)),
        mark,
        Line::plain(cut(&title, room)),
        Line::plain(words),
        change_text(history, before, row),
    ]
}

/// The change that led to a revision, or where it comes from.
pub(super) fn change_text(
    history: &History,
    before: Option<&HistoryRow>,
    row: &HistoryRow,
) -> Line {
    let Some(change) = &row.change else {
        let text = match before {
            _ if row.origin == RevisionOrigin::Reread => {
                "the same response, re-read by a newer revisor or with other rules; not an edit".to_owned()
            }
            _ if row.origin == RevisionOrigin::Rebased => {
                "restarted from a new first snapshot: a newer revisor or other rules, and the old response has been deleted".to_owned()
            }
            None => first_sight(history, row),
            Some(_) if row.channels.contains(&Channel::Page) => {
                "first check of the page".to_owned()
            }
            Some(_) => "first seen in the feed".to_owned(),
        };
        return Line::new().with(TextRole::Faint, text);
    };
    let fields: Vec<&str> = change
        .fields
        .iter()
        .map(|field| names::field(*field))
        .collect();
    let mut line = Line::new()
        .with(TextRole::Strong, format!("#{}", change.number))
        .with(TextRole::Plain, format!(" {}", fields.join(", ")));
    if let Some(revision) = change.revert_of {
        line = line.with(TextRole::Warning, format!(", back to rev {revision}"));
    }
    if change.significance == Significance::Typographic {
        line = line.with(TextRole::Faint, ", typographic");
    }
    if let Some(quiet) = change.quiet.filter(|quiet| *quiet != Quiet::Insignificant) {
        line = line.with(TextRole::Faint, format!(" (quiet: {})", quiet_name(quiet)));
    }
    line
}

fn first_sight(history: &History, row: &HistoryRow) -> String {
    match history.entry.published {
        Some(published) if published <= row.seen && published > Timestamp::from_unix(0) => {
            let after = when::duration(row.seen.since(published));
            format!("first seen {after} after publication")
        }
        _ => "first seen".to_owned(),
    }
}

/// The names, if there are any besides those of the first snapshot.
fn names(history: &History, view: &TimeView) -> Vec<Line> {
    let first = history.names.iter().map(|name| name.since).min();
    if history.names.iter().all(|name| Some(name.since) == first) {
        return Vec::new();
    }
    let mut lines = vec![Line::new(), Line::new().with(TextRole::Strong, "known by")];
    lines.extend(history.names.iter().map(|name| {
        let since = view.exact(name.since);
        let reason = clean::excerpt(&name.reason, 100);
        let value = clean::excerpt(&name.value, 300);
        Line::plain(format!("  {since}  {} {value}", name.kind))
            .with(TextRole::Faint, format!(" ({reason})"))
    }));
    lines
}

/// Remarks on an article besides its revisions, one sentence each, separated by empty lines.
pub(super) fn remarks(history: &History, view: &TimeView) -> Vec<String> {
    let mut remarks = Vec::new();
    remarks.extend(history.life.iter().map(|row| life_remark(row, view)));
    if history.removed && history.life.is_empty() {
        remarks.push("the article was taken down".to_owned());
    }
    if history.date_touches > 0 {
        remarks.push(format!(
            "a claimed date moved {} while the text stayed (fake-freshness)",
            names::count(history.date_touches, "time")
        ));
    }
    if history.ignored_places > 0 {
        remarks.push(format!(
            "ignored text moved {} in {} (revisor log --ignored --entry {})",
            names::count(history.ignored_moves, "time"),
            names::count(history.ignored_places, "place"),
            clean::excerpt(&history.entry.id, 40)
        ));
    }
    if !history.in_feed {
        remarks.push(
            match history.left_feed {
                None => "no longer in the feed",
                Some(Left::Early) => "left the feed early, while older entries were still listed",
                Some(Left::ScrolledOff) => "no longer in the feed: pushed out by newer entries",
            }
            .to_owned(),
        );
    }
    remarks.extend(page_remarks(&history.page, history.removed, view));
    let page = [
        ("page checked", history.page_checked),
        ("next check", history.page_next),
    ];
    let page: Vec<String> = page
        .into_iter()
        .filter_map(|(what, at)| at.map(|at| format!("{what} {}", view.relative(at))))
        .collect();
    if let Some(why) = &history.page_barred {
        remarks.push(format!(
            "the page is not checked: {}",
            clean::excerpt(why, 200)
        ));
    }
    if !page.is_empty() {
        remarks.push(page.join(", "));
    }
    if !remarks.is_empty() {
        remarks.insert(0, String::new());
    }
    remarks
}

/// `taken down between 2026-11-23 09:04 and 09:34: returned 404 Not Found; 3 checks over 6h found it missing`
fn life_remark(row: &LifeRow, view: &TimeView) -> String {
    let what = match row.event {
        EventKind::EntryRestored => "put back",
        _ => "taken down",
    };
    let when = row.window.map(|window| {
        let (from, to) = (window.last_unchanged, window.first_changed);
        format!(" between {} and {}", view.exact(from), view.exact(to))
    });
    let detail = row.detail.as_deref().map(|text| clean::excerpt(text, 300));
    let detail = detail.filter(|text| !text.is_empty());
    let detail = detail.map(|text| format!(": {text}"));
    format!(
        "{what}{}{}",
        when.unwrap_or_default(),
        detail.unwrap_or_default()
    )
}

fn page_remarks(page: &PageRemarks, removed: bool, view: &TimeView) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(error) = &page.error {
        remarks.push(format!(
            "last check of the page: {}",
            clean::excerpt(error, 300)
        ));
    }
    if let Some(since) = page.missing_since.filter(|_| !removed) {
        remarks.push(format!(
            "not found since {}, not reported yet",
            view.exact(since)
        ));
    }
    if let Some(since) = page.held_since {
        let since = view.exact(since);
        remarks.push(format!(
            "another text since {since}: waiting for a second check to confirm it"
        ));
    }
    if page.unconfirmed > 0 {
        let times = names::count(page.unconfirmed, "time");
        remarks.push(format!(
            "another text was seen {times} and not confirmed by a second check"
        ));
    }
    remarks
}

#[cfg(test)]
mod tests;
