//! A report for the terminal and for plain-text mail.

use super::{EditedArticle, Report, headline, reasons};
use crate::report::clean;
use crate::report::log::{self, LogRow};
use crate::report::names;
use crate::report::style::{Line, TextRole, cut};
use crate::report::when::TimeView;

const INDENT: &str = "      ";

/// The whole report.
#[must_use]
pub(crate) fn render(report: &Report, view: &TimeView) -> String {
    let mut out = String::new();
    let title = format!(
        "Changes from {} to {} ({})",
        view.exact(report.since),
        view.exact(report.until),
        view.zone.name()
    );
    out.push_str(
        &Line::new()
            .with(TextRole::Strong, title)
            .wrap("", "", view.paint),
    );
    for line in report.summary().into_iter().chain(report.remarks()) {
        out.push_str(&Line::plain(line).wrap("", "", view.paint));
    }
    for (name, places) in report.sections() {
        section(&mut out, &name, report, places, view);
    }
    most_edited(&mut out, &report.most_edited, view);
    rest(&mut out, report, view);
    coverage(&mut out, report, view);
    out
}

fn head(out: &mut String, name: &str, view: &TimeView) {
    let line = Line::new().with(TextRole::Strong, name.to_uppercase());
    out.push('\n');
    out.push_str(&line.wrap("", "", view.paint));
}

fn section(out: &mut String, name: &str, report: &Report, places: &[usize], view: &TimeView) {
    head(out, name, view);
    for row in report.rows(places) {
        out.push_str(&log::short(row, view));
        let snapshot = report.snapshot(row);
        let archived = snapshot.map(|address| format!("archived: {}", clean::line(address)));
        for text in [Some(reasons(row)), archived].into_iter().flatten() {
            if !text.is_empty() {
                let line = Line::new().with(TextRole::Faint, text);
                out.push_str(&line.wrap(INDENT, INDENT, view.paint));
            }
        }
    }
}

fn most_edited(out: &mut String, articles: &[EditedArticle], view: &TimeView) {
    if articles.is_empty() {
        return;
    }
    head(out, "Most edited articles", view);
    for article in articles {
        let title = article.title.as_deref().unwrap_or(names::NO_HEADLINE);
        let line = Line::plain(format!("{:>4}  ", names::count(article.changes, "change")))
            .with(TextRole::Strong, title)
            .with(
                TextRole::Faint,
                format!("  {}", clean::excerpt(&article.feed, 60)),
            );
        out.push_str(&line.wrap("  ", INDENT, view.paint));
        if let Some(url) = &article.url {
            out.push_str(
                &Line::new()
                    .with(TextRole::Faint, url)
                    .wrap(INDENT, INDENT, view.paint),
            );
        }
    }
}

fn rest(out: &mut String, report: &Report, view: &TimeView) {
    let groups = report.rest_by_group();
    if groups.is_empty() {
        return;
    }
    head(out, "Other changes", view);
    for (group, rows) in groups {
        let all = names::count(group.changes, "change");
        let line = Line::new()
            .with(TextRole::Strong, group.title.clone())
            .with(TextRole::Faint, format!("  {all} in all"));
        out.push_str(&line.wrap("  ", "    ", view.paint));
        for row in rows {
            out.push_str(&one_line(row, view).wrap("    ", INDENT, view.paint));
        }
    }
}

/// Number, time, what changed, headline.
fn one_line(row: &LogRow, view: &TimeView) -> Line {
    let data = &row.event.data;
    let number = data
        .number
        .map(|number| format!("#{number} "))
        .unwrap_or_default();
    let what = match &data.change {
        Some(change) => crate::report::changed::fields(change),
        None => Line::plain(names::event(row.event.kind)),
    };
    Line::new()
        .with(TextRole::Strong, number)
        .with(
            TextRole::Plain,
            format!("{} ", view.exact(row.event.timestamp)),
        )
        .and(what)
        .with(TextRole::Plain, format!(": {}", headline(row)))
}

fn coverage(out: &mut String, report: &Report, view: &TimeView) {
    head(out, "Coverage", view);
    out.push_str(&Line::plain(report.watched.sentence()).wrap("  ", "  ", view.paint));
    for text in report.coverage.sentences(view) {
        out.push_str(&Line::plain(text).wrap("  ", "  ", view.paint));
    }
    for gap in &report.coverage.gaps {
        let name = cut(&clean::excerpt(&gap.feed, 60), 40);
        let line = Line::new()
            .with(TextRole::Strong, name)
            .with(TextRole::Plain, format!(": {}", gap.sentence(view)));
        out.push_str(&line.wrap("    ", INDENT, view.paint));
    }
}
