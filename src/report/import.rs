//! What `import` did with each line of a list of feeds.

use serde::Serialize;

use super::clean;
use super::names::count;
use super::style::{Line, Paint, Role};
use crate::feed::list::ListForm;

/// The answer of `import`. Its JSON form is the answer of `import --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// How the list was written.
    pub form: ListForm,
    /// Whether nothing was written, because only the report was wanted.
    pub dry_run: bool,
    /// Feeds that were added.
    pub added: usize,
    /// Feeds that were in the configuration already.
    pub present: usize,
    /// Feeds that the list names another time.
    pub repeated: usize,
    /// What is no feed.
    pub skipped: usize,
    /// What may be a feed and could not be added.
    pub failed: usize,
    /// What became of each place of the list.
    pub lines: Vec<ImportLine>,
}

/// What became of one place of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportLine {
    /// From 1.
    pub line: usize,
    /// What became of it.
    pub result: ImportResult,
    /// The address, or what stands where one should be.
    pub what: String,
    /// The name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it was not added, or what of it is not taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What became of one place of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportResult {
    /// It is in the configuration now.
    Added,
    /// It was there before.
    Present,
    /// A line before has the same address.
    Repeated,
    /// It is no feed.
    Skipped,
    /// It may be a feed and could not be added.
    Failed,
}

impl ImportReport {
    /// Counts the lines.
    #[must_use]
    pub fn new(form: ListForm, dry_run: bool, lines: Vec<ImportLine>) -> Self {
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

/// A line for each place of the list.
#[must_use]
pub fn text(report: &ImportReport, paint: Paint) -> String {
    let last = report.lines.iter().map(|line| line.line).max();
    let width = last.unwrap_or_default().to_string().len();
    let mut out = String::new();
    for line in &report.lines {
        let (role, result) = match line.result {
            ImportResult::Added => (Role::Good, "added"),
            ImportResult::Present => (Role::Plain, "present"),
            ImportResult::Repeated => (Role::Plain, "repeated"),
            ImportResult::Skipped => (Role::Warning, "skipped"),
            ImportResult::Failed => (Role::Bad, "failed"),
        };
        let mut shown = Line::new()
            .with(Role::Faint, format!("line {:>width$}  ", line.line))
            .with(role, format!("{result:<8}"));
        if let Some(name) = &line.name {
            shown = shown.with(Role::Strong, format!("  {}", clean::line(name)));
        }
        let what = clean::excerpt(&line.what, 200);
        if !what.is_empty() {
            shown = shown.with(Role::Plain, format!("  {what}"));
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
pub fn summary(report: &ImportReport) -> String {
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
