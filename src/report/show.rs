//! `revisor show`: one change in full.
//!
//! The headline comes first, the text is shown as paired paragraphs without the unchanged ones, and the end
//! explains the labels and the score of the change.

use std::time::Duration;

use serde::Serialize;

use super::changed;
use super::clean;
use super::excerpt::{ExcerptLimits, around_edits};
use super::log::{self, LogRow};
use super::names;
use super::style::{Line, TextRole};
use super::when::TimeView;
use crate::domain::classify::{Label, LabelReason};
use crate::domain::diff::{BlockDiff, BlockOp, Segment, WordCount};
use crate::domain::event::{BlocksInfo, ChangeInfo, DiffInfo, EventData, Field};
use crate::domain::links::LinkChange;
use crate::domain::state::{Channel, HeadlineSource};
use crate::time::Timestamp;

/// A change with the state of its alerts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShownChange {
    /// The change.
    pub row: LogRow,
    /// The deliveries of its alert.
    pub told: Vec<Told>,
    /// The copy of the page in a web archive.
    pub archived: Option<Archived>,
}

/// The copy of a page in a web archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Archived {
    /// The address of the snapshot, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether the request is still pending.
    pub waiting: bool,
}

impl Archived {
    /// `https://web.archive.org/…`, `not yet`, `no: the page is blocked`.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let error = self
            .error
            .as_deref()
            .map(|error| clean::excerpt(error, 200));
        match (&self.address, self.waiting, error) {
            (Some(address), ..) => clean::excerpt(address, 2000),
            (None, true, None) => "not yet".to_owned(),
            (None, true, Some(error)) => format!("not yet ({error})"),
            (None, false, error) => format!("no: {}", error.unwrap_or_default()),
        }
    }
}

/// The state of the alert to one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    /// The target's name.
    pub target: String,
    /// `delivered`, `pending`, `dead` … as in the database.
    pub state: String,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: u32,
    /// What went wrong at the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Equal text of a paragraph is cut to this many words around an edit, unless `--full` is given.
const AROUND: ExcerptLimits = ExcerptLimits {
    context_words: 30,
    edit: 1 << 20,
};
const INDENT: &str = "  ";
const HANGING: &str = "      ";

/// The whole change; with `all_text` also the unchanged paragraphs, as far as they are stored.
#[must_use]
pub(crate) fn full(shown: &ShownChange, all_text: bool, view: &TimeView) -> String {
    let data = &shown.row.event.data;
    let mut out = head(&shown.row, view);
    if let Some(diff) = &data.diff {
        if let Some(title) = &diff.title {
            let change = data.change.as_ref();
            out.push_str(&headline(title, &moved_as(change, diff), view));
        }
        for other in &diff.headlines {
            out.push_str(&headline(&other.segments, &[other.source], view));
        }
        for (name, segments) in [("STANDFIRST", &diff.standfirst), ("BY-LINE", &diff.byline)] {
            if let Some(segments) = segments {
                out.push_str(&line(name, segments, view));
            }
        }
        for (name, blocks) in [("TEXT", &diff.body), ("SUMMARY", &diff.summary)] {
            if let Some(blocks) = blocks {
                let change = data.change.as_ref();
                out.push_str(&section(
                    &text_head(name, change.map(|c| (c.similarity, c.words))),
                    view,
                ));
                out.push_str(&blocks_text(blocks, all_text, view));
            }
        }
        out.push_str(&links(&diff.links, view));
        for (name, sides) in [("ADDRESS", &diff.address), ("GUID", &diff.guid)] {
            if let Some([old, new]) = sides {
                let segments = [Segment::Delete(old.clone()), Segment::Insert(new.clone())];
                out.push_str(&line(name, &segments, view));
            }
        }
    }
    if let Some(change) = &data.change {
        out.push_str(&why(change, view));
    }
    out.push_str(&told(shown, view));
    out
}

fn head(row: &LogRow, view: &TimeView) -> String {
    let data = &row.event.data;
    let mut first = match data.number {
        Some(number) => Line::plain("change ").with(TextRole::Strong, format!("#{number}")),
        None => Line::new().with(TextRole::Strong, names::event(row.event.kind)),
    };
    first = first.with(
        TextRole::Plain,
        format!(" · {}", changed::feed_name(data.feed.as_ref(), 80)),
    );
    let tags = data.feed.iter().flat_map(|feed| &feed.tags);
    for tag in tags {
        first = first.with(TextRole::Faint, format!(" · {}", clean::excerpt(tag, 40)));
    }
    let mut lines = vec![first];
    let has_headline = data.diff.as_ref().is_some_and(|diff| diff.title.is_some());
    if let Some(title) = changed::title(data, 300).filter(|_| !has_headline) {
        lines.push(Line::new().with(TextRole::Strong, title));
    }
    if let Some(address) = changed::address(data) {
        lines.push(Line::plain(address));
    }
    match &data.change {
        Some(change) => {
            lines.push(Line::plain(window(data, change, view)));
            lines.push(Line::new().with(TextRole::Faint, provenance(data, change, view)));
        }
        None => lines.push(Line::plain(view.moment(row.event.timestamp))),
    }
    if let Some(detail) = &data.detail {
        lines.push(Line::plain(clean::excerpt(detail, 1000)));
    }
    if let Some(revision) = data.change.as_ref().and_then(|change| change.revert_of) {
        lines.push(Line::new().with(
            TextRole::Warning,
            format!("a return to revision {revision}"),
        ));
    }
    lines
        .iter()
        .map(|line| line.wrap("", INDENT, view.paint))
        .collect()
}

/// Shorter windows are shown to the second.
const SHORT_WINDOW: Duration = Duration::from_mins(2);

/// `changed between today 09:32 and 10:04 (+01:00), 64 min after publication`
fn window(data: &EventData, change: &ChangeInfo, view: &TimeView) -> String {
    let window = change.window;
    let from = view.moment(window.last_unchanged);
    let to = view.beside(window.first_changed, window.last_unchanged);
    let (from, to) = if window.first_changed.since(window.last_unchanged) < SHORT_WINDOW {
        let seconds = |at| view.seconds(at);
        (
            format!("{from}{}", seconds(window.last_unchanged)),
            format!("{to}{}", seconds(window.first_changed)),
        )
    } else {
        (from, to)
    };
    let offset = view.offset(window.first_changed);
    let mut text = format!("changed between {from} and {to} ({offset})");
    if let Some(age) = log::age(data, change) {
        text.push_str(", ");
        text.push_str(&age);
    }
    text
}

/// Where and how it was seen.
fn provenance(data: &EventData, change: &ChangeInfo, view: &TimeView) -> String {
    let mut parts = Vec::new();
    if let (Some(before), Some(after)) = (&data.before, &data.after) {
        parts.push(format!(
            "rev {} (seen {}) → rev {}",
            before.revision,
            view.moment(before.seen),
            after.revision
        ));
    }
    let channels = change.channel.iter().map(|channel| match channel {
        Channel::Feed => "feed",
        Channel::Page => "page",
    });
    if !change.channel.is_empty() {
        parts.push(format!("seen in {}", names::and(channels)));
    }
    let window = change.window;
    parts.push(match (window.checks, window.failed_checks) {
        (checks, 0) => names::count(checks, "check"),
        (checks, failed) => format!("{}, {failed} of them failed", names::count(checks, "check")),
    });
    if let Some(published) = data.entry.as_ref().and_then(|entry| entry.published) {
        parts.push(format!("dated {}", view.moment(published)));
    }
    parts.join(" · ")
}

fn section(head: &Line, view: &TimeView) -> String {
    format!("\n{}\n", head.paint(view.paint))
}

fn text_head(name: &str, amount: Option<(f64, WordCount)>) -> Line {
    let head = Line::new().with(TextRole::Strong, name);
    match amount {
        Some((similarity, words)) => head.with(
            TextRole::Faint,
            format!(
                "   similarity {:.0} %   {}",
                (similarity * 100.0).clamp(0.0, 100.0),
                changed::words(words)
            ),
        ),
        None => head,
    }
}

/// The sources of the headline that changed in the same way as the first one.
fn moved_as(change: Option<&ChangeInfo>, diff: &DiffInfo) -> Vec<HeadlineSource> {
    let otherwise =
        |source: &HeadlineSource| diff.headlines.iter().any(|other| other.source == *source);
    let sources = change.into_iter().flat_map(|change| &change.headlines);
    sources
        .copied()
        .filter(|source| !otherwise(source))
        .collect()
}

/// The section of a headline, preceded by an empty line, with the sources in which it was seen.
pub(super) fn headline(
    segments: &[Segment],
    sources: &[HeadlineSource],
    view: &TimeView,
) -> String {
    if names::is_kicker(sources) {
        return line("KICKER", segments, view);
    }
    let mut line = Line::new().with(TextRole::Strong, "HEADLINE");
    if !sources.is_empty() {
        let sources: Vec<&str> = sources.iter().map(|source| source.as_str()).collect();
        line = line.with(TextRole::Faint, format!("   {}", sources.join(", ")));
    }
    format!("{}{}", section(&line, view), two_sides(segments, view))
}

/// The section of any other line of text, preceded by an empty line.
pub(super) fn line(name: &str, segments: &[Segment], view: &TimeView) -> String {
    let head = Line::new().with(TextRole::Strong, name);
    format!("{}{}", section(&head, view), two_sides(segments, view))
}

/// The section of links with a new target, preceded by an empty line; empty if there are none.
pub(super) fn links(links: &[LinkChange], view: &TimeView) -> String {
    if links.is_empty() {
        return String::new();
    }
    let mut out = section(&Line::new().with(TextRole::Strong, "LINKS"), view);
    for link in links {
        let words = format!("“{}”", clean::excerpt(&link.words, 200));
        out.push_str(&Line::plain(words).wrap(INDENT, HANGING, view.paint));
        let sides = [
            ("    − ", TextRole::Removed, &link.from),
            ("    + ", TextRole::Added, &link.to),
        ];
        for (sign, role, address) in sides {
            let line = match view.paint.colour {
                true => Line::new().with(role, clean::address(address)),
                // The sign in front of the line says enough.
                false => Line::plain(clean::address(address)),
            };
            out.push_str(&line.wrap(sign, HANGING, view.paint));
        }
    }
    out
}

/// The section of a text, preceded by an empty line.
pub(super) fn text(
    blocks: &BlocksInfo,
    similarity: f64,
    words: WordCount,
    all_text: bool,
    view: &TimeView,
) -> String {
    let head = section(&text_head("TEXT", Some((similarity, words))), view);
    format!("{head}{}", blocks_text(blocks, all_text, view))
}

/// Old above new; with colour, only the words that differ are marked.
fn two_sides(segments: &[Segment], view: &TimeView) -> String {
    if changed::is_invisible(segments) {
        let text = clean::line(&Segment::new_side(segments)).into_owned();
        let line = Line::plain(text).with(TextRole::Warning, format!(" {}", changed::INVISIBLE));
        return line.wrap("  = ", "    ", view.paint);
    }
    let side = |skip: fn(&Segment) -> bool| {
        let kept = clean::segments(segments)
            .into_iter()
            .filter(|segment| !skip(segment));
        kept.fold(Line::new(), |line, segment| match segment {
            // Without colour the sign in front of the line says enough.
            Segment::Delete(text) if view.paint.colour => line.with(TextRole::Removed, text),
            Segment::Insert(text) if view.paint.colour => line.with(TextRole::Added, text),
            other => line.with(TextRole::Plain, other.text()),
        })
    };
    let old = side(|segment| matches!(segment, Segment::Insert(_)));
    let new = side(|segment| matches!(segment, Segment::Delete(_)));
    [("  − ", old), ("  + ", new)]
        .iter()
        .filter(|(_, line)| *line != Line::new())
        .map(|(sign, line)| line.wrap(sign, "    ", view.paint))
        .collect()
}

fn blocks_text(info: &BlocksInfo, all_text: bool, view: &TimeView) -> String {
    let mut out = String::new();
    let mut unchanged = 0_u64;
    let mut last_to = 0;
    let (mut runs, folded) = if all_text {
        Default::default()
    } else {
        changed::renumbered(info)
    };
    for block in &info.blocks {
        // Unchanged blocks may already have been left out: their numbers are missing.
        if let Some(to) = block.to {
            unchanged += u64::from(to.saturating_sub(last_to + 1));
            last_to = last_to.max(to);
        }
        if block.op == BlockOp::Equal && !all_text {
            unchanged += 1;
            continue;
        }
        out.push_str(&elided(unchanged, all_text, view));
        unchanged = 0;
        if block.to.is_some_and(|to| folded.contains(&to)) {
            for run in runs.drain(..) {
                let line = Line::new().with(TextRole::Faint, format!("··· {run}"));
                out.push_str(&line.wrap(INDENT, HANGING, view.paint));
            }
            continue;
        }
        out.push_str(&block_text(block, all_text, view));
    }
    out.push_str(&elided(unchanged, all_text, view));
    let mut remark = |text: &str| {
        let line = Line::new().with(TextRole::Faint, text);
        out.push_str(&line.wrap("  ", "  ", view.paint));
    };
    if info.coarse {
        remark(
            "compared roughly: the texts are too large or too different for a detailed comparison",
        );
    }
    if info.truncated {
        remark("further changed paragraphs are omitted for size");
    }
    out
}

fn elided(count: u64, all_text: bool, view: &TimeView) -> String {
    if count == 0 {
        return String::new();
    }
    let hint = if all_text { "" } else { " (--full shows them)" };
    let text = format!("  ··· {} unchanged{hint}", names::count(count, "paragraph"));
    format!(
        "{}\n",
        Line::new().with(TextRole::Faint, text).paint(view.paint)
    )
}

fn block_text(block: &BlockDiff, all_text: bool, view: &TimeView) -> String {
    let number = match (block.from, block.to) {
        (Some(from), Some(to)) if from != to => format!("¶{from}→{to}"),
        (_, Some(at)) | (Some(at), None) => format!("¶{at}"),
        (None, None) => "¶".to_owned(),
    };
    let label = match block.op {
        BlockOp::Equal | BlockOp::Edit => Line::new().with(TextRole::Faint, number),
        BlockOp::Move => Line::new().with(TextRole::Moved, format!("{number} (moved)")),
        BlockOp::Insert => match block.part_of {
            Some(whole) => {
                Line::new().with(TextRole::Moved, format!("{number} (split from ¶{whole})"))
            }
            None => Line::new().with(TextRole::Good, format!("{number} (added)")),
        },
        BlockOp::Delete => match block.part_of {
            Some(whole) => {
                Line::new().with(TextRole::Moved, format!("{number} (joined into ¶{whole})"))
            }
            None => Line::new().with(TextRole::Bad, format!("{number} (removed)")),
        },
    };
    let segments = clean::segments(&block.segments);
    let shown = if all_text {
        segments
    } else {
        around_edits(&segments, AROUND)
    };
    let mut line = label.with(TextRole::Plain, " ").segments(&shown);
    if changed::is_invisible(&block.segments) {
        line = line.with(TextRole::Warning, format!(" {}", changed::INVISIBLE));
    }
    line.wrap(INDENT, HANGING, view.paint)
}

fn why(change: &ChangeInfo, view: &TimeView) -> String {
    let score = if change.score_parts.is_empty() {
        String::new()
    } else {
        let parts = change.score_parts.iter().map(|part| {
            let sign = if part.points < 0 { "−" } else { "+" };
            format!(
                "{sign}{} {}",
                part.points.unsigned_abs(),
                clean::excerpt(&part.why, 80)
            )
        });
        format!(": {}", parts.collect::<Vec<_>>().join(", "))
    };
    let head = Line::new()
        .with(TextRole::Strong, "WHY")
        .with(
            TextRole::Plain,
            format!("   {}", change.significance.as_str()),
        )
        .with(TextRole::Faint, format!(", score {}{score}", change.score));
    let mut out = format!("\n{}", head.wrap("", HANGING, view.paint));
    out.push_str(&reasons(&change.labels, &change.reasons, view));
    if change.fields.contains(&Field::Date) {
        out.push_str("  a claimed date moved too\n");
    }
    out
}

/// A line per label, with its reasons.
pub(super) fn reasons(labels: &[Label], reasons: &[LabelReason], view: &TimeView) -> String {
    let mut out = String::new();
    for label in labels {
        let reasons: Vec<String> = reasons
            .iter()
            .filter(|reason| reason.label == *label)
            .map(|reason| clean::excerpt(&reason.text, 200))
            .collect();
        let line = Line::plain(names::label(*label));
        let line = if reasons.is_empty() {
            line
        } else {
            line.with(TextRole::Plain, format!(": {}", reasons.join("; ")))
        };
        out.push_str(&line.wrap(INDENT, HANGING, view.paint));
    }
    out
}

fn told(shown: &ShownChange, view: &TimeView) -> String {
    let mut out = String::new();
    if let Some(quiet) = shown.row.quiet {
        let text = format!("no alert: {}", log::quiet_name(quiet));
        out.push_str(
            &Line::new()
                .with(TextRole::Faint, text)
                .wrap("", INDENT, view.paint),
        );
    }
    if let Some(archived) = &shown.archived {
        let text = format!("archived: {}", archived.text());
        out.push_str(
            &Line::new()
                .with(TextRole::Faint, text)
                .wrap("", INDENT, view.paint),
        );
    }
    for told in &shown.told {
        let mut text = format!("{}: {}", clean::excerpt(&told.target, 60), told.state);
        if let Some(done) = told.done {
            text.push(' ');
            text.push_str(&view.moment(done));
        }
        if told.attempts > 1 || told.done.is_none() {
            text = format!("{text}, {}", names::count(told.attempts, "attempt"));
        }
        if let Some(error) = told.error.as_deref().filter(|_| told.state != "delivered") {
            text = format!("{text}, {}", clean::excerpt(error, 200));
        }
        out.push_str(
            &Line::new()
                .with(TextRole::Faint, text)
                .wrap("", INDENT, view.paint),
        );
    }
    if out.is_empty() {
        out
    } else {
        format!("\n{out}")
    }
}

#[cfg(test)]
mod tests;
