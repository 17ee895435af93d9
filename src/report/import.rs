//! What `import` did with each line of a list of feeds.

use serde::Serialize;

use super::clean;
use super::names::count;
use super::style::{Line, Paint, TextRole};
use crate::feed::list::ListForm;

/// The result of `import`. Its JSON form is the output of `import --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ImportReport {
    /// The format of the list.
    pub form: ListForm,
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
    /// Feeds that were added.
    pub added: usize,
    /// Feeds that were already in the configuration.
    pub present: usize,
    /// Feeds that the list repeats.
    pub repeated: usize,
    /// Items that are not feeds.
    pub skipped: usize,
    /// Items that may be feeds but could not be added.
    pub failed: usize,
    /// What happened to each item of the list.
    pub lines: Vec<ImportLine>,
}

/// What happened to one item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ImportLine {
    /// From 1.
    pub line: usize,
    /// What happened to it.
    pub result: ImportResult,
    /// The address, or the text in its place.
    pub what: String,
    /// The name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it was not added, or which part of it was not imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What happened to one item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImportResult {
    /// It is in the configuration now.
    Added,
    /// It was already there.
    Present,
    /// An earlier line has the same address.
    Repeated,
    /// It is not a feed.
    Skipped,
    /// It may be a feed but could not be added.
    Failed,
}

impl ImportReport {
    /// Counts the lines.
    #[must_use]
    pub(crate) fn new(form: ListForm, dry_run: bool, lines: Vec<ImportLine>) -> Self {
        let of = |result| lines.iter().filter(|line| line.result == result).count();
        Self {
            form,
            dry_run,
            added: of(ImportResult::Added),
            present: of(ImportResult::Present),
            repeated: of(ImportResult::Repeated),
            skipped: of(ImportResult::Skipped),
            failed: of(ImportResult::Failed),
            lines,
        }
    }
}

/// A line for each item of the list.
#[must_use]
pub(crate) fn text(report: &ImportReport, paint: Paint) -> String {
    let last = report.lines.iter().map(|line| line.line).max();
    let width = last.unwrap_or_default().to_string().len();
    let mut out = String::new();
    for line in &report.lines {
        let (role, result) = match line.result {
            ImportResult::Added => (TextRole::Good, "added"),
            ImportResult::Present => (TextRole::Plain, "present"),
            ImportResult::Repeated => (TextRole::Plain, "repeated"),
            ImportResult::Skipped => (TextRole::Warning, "skipped"),
            ImportResult::Failed => (TextRole::Bad, "failed"),
        };
        let mut shown = Line::new()
            .with(TextRole::Faint, format!("line {:>width$}  ", line.line))
            .with(role, format!("{result:<8}"));
        if let Some(name) = &line.name {
            shown = shown.with(TextRole::Strong, format!("  {}", clean::line(name)));
        }
        let what = clean::excerpt(&line.what, 200);
        if !what.is_empty() {
            shown = shown.with(TextRole::Plain, format!("  {what}"));
        }
        if let Some(why) = &line.why {
            shown = shown.with(role, format!("  ({})", clean::line(why)));
        }
        out.push_str(&shown.paint(paint));
        out.push('\n');
    }
    out
}

/// `12 feeds added, 1 present, 2 failed`; for standard error.
#[must_use]
pub(crate) fn summary(report: &ImportReport) -> String {
    let verb = if report.dry_run { "to add" } else { "added" };
    let mut text = format!("{} {verb}", count(report.added as u64, "feed"));
    for (count, what) in [
        (report.present, "in the configuration already"),
        (report.repeated, "repeated"),
        (report.skipped, "skipped"),
        (report.failed, "failed"),
    ] {
        if count > 0 {
            text = format!("{text}, {count} {what}");
        }
    }
    text
}
