//! A report in Markdown, for tickets and chats.

use super::{GroupCount, Report, headline, reasons};
use crate::report::changed;
use crate::report::log::LogRow;
use crate::report::markdown::{address, escape_markdown, item};
use crate::report::names;
use crate::report::style::Paint;
use crate::report::when::TimeView;

/// The whole report.
#[must_use]
pub(crate) fn render(report: &Report, view: &TimeView) -> String {
    let mut lines = vec![
        format!(
            "# Changes from {} to {} ({})",
            view.exact(report.since),
            view.exact(report.until),
            view.zone.name()
        ),
        String::new(),
    ];
    let said = report.summary().into_iter().chain(report.remarks());
    lines.extend(said.map(|line| escape_markdown(&line)));
    for (name, places) in report.sections() {
        lines.push(format!("\n## {name}\n"));
        lines.extend(report.rows(places).map(|row| in_full(report, row, view)));
    }
    most_edited(&mut lines, report);
    let groups = report.rest_by_group();
    if !groups.is_empty() {
        lines.push("\n## Other changes".to_owned());
    }
    for (group, rows) in groups {
        rest(&mut lines, group, &rows, view);
    }
    coverage(&mut lines, report, view);
    format!("{}\n", lines.join("\n"))
}

fn in_full(report: &Report, row: &LogRow, view: &TimeView) -> String {
    let mut lines = vec![item(row, view).trim_end().to_owned()];
    let why = reasons(row);
    lines.extend((!why.is_empty()).then(|| escape_markdown(&why)));
    let snapshot = report.snapshot(row).map(address);
    lines.extend(snapshot.map(|link| format!("Archived: {link}")));
    lines.join("  \n  ")
}

fn most_edited(lines: &mut Vec<String>, report: &Report) {
    if report.most_edited.is_empty() {
        return;
    }
    lines.push("\n## Most edited articles\n".to_owned());
    for article in &report.most_edited {
        let title = article.title.as_deref().unwrap_or(names::NO_HEADLINE);
        let link = article.url.as_deref().map(address);
        lines.push(format!(
            "- {}: {} ({}){}",
            names::count(article.changes, "change"),
            escape_markdown(title),
            escape_markdown(&article.feed),
            link.map(|link| format!("  \n  {link}")).unwrap_or_default()
        ));
    }
}

fn rest(lines: &mut Vec<String>, group: &GroupCount, rows: &[&LogRow], view: &TimeView) {
    let all = names::count(group.changes, "change");
    let title = escape_markdown(&group.title);
    lines.push(format!("\n### {title} ({all} in all)\n"));
    for row in rows {
        let data = &row.event.data;
        let number = data.number.map(|number| format!("**#{number}** "));
        let what = match &data.change {
            Some(change) => changed::fields(change).paint(Paint::default()),
            None => names::event(row.event.kind).to_owned(),
        };
        lines.push(format!(
            "- {}{} {}: {}",
            number.unwrap_or_default(),
            view.exact(row.event.timestamp),
            what.to_lowercase(),
            escape_markdown(&headline(row))
        ));
    }
}

fn coverage(lines: &mut Vec<String>, report: &Report, view: &TimeView) {
    lines.push("\n## Coverage\n".to_owned());
    lines.push(report.watched.sentence());
    let all = report.coverage.sentences(view);
    lines.extend(all.iter().map(|text| escape_markdown(text)));
    if !report.coverage.gaps.is_empty() {
        lines.push(String::new());
    }
    for gap in &report.coverage.gaps {
        let sentence = escape_markdown(&gap.sentence(view));
        lines.push(format!("- {}: {sentence}", escape_markdown(&gap.feed)));
    }
}
