//! A report as one HTML file: for a mail attachment, a browser, or print.

use maud::{Markup, html};

use super::{Report, headline, reasons};
use crate::report::changed;
use crate::report::html::chart::{Bar, bars};
use crate::report::html::{Links, address, card, file, headline as title};
use crate::report::names;
use crate::report::when::TimeView;

/// The whole file.
#[must_use]
pub(crate) fn render(report: &Report, view: &TimeView, links: &Links) -> String {
    let title = format!(
        "Changes from {} to {}",
        view.exact(report.since),
        view.exact(report.until)
    );
    let body = html! {
        h1 { (title) }
        p .about { "Times are in " (view.zone.name()) "." }
        @for line in report.summary() { p { (line) } }
        @for line in report.remarks() { p .about { (line) } }
        @if !report.is_empty() { (charts(report)) }
        @for (name, places) in report.sections() {
            h2 { (name) }
            @for row in report.rows(places) {
                (card(row, &reasons(row), view, links))
                @if let Some(snapshot) = report.snapshot(row) { p .about { "Archived: " (address(snapshot)) } }
            }
        }
        (most_edited(report))
        (rest(report, view))
        (coverage(report, view))
        p .about {
            del { "Struck out" } " was removed, " ins { "underlined" } " was added. "
            "A change happened between the last check that did not show it and the first that did."
        }
    };
    file(&title, &body)
}

fn charts(report: &Report) -> Markup {
    let days = report.days.iter().map(|day| Bar {
        name: day.day.to_string(),
        count: day.changes,
    });
    let delays = report.delays.iter().map(|delay| Bar {
        name: match delay.within {
            Some(_) => format!("within {}", delay.name),
            None => delay.name.to_owned(),
        },
        count: delay.articles,
    });
    let (days, delays): (Vec<Bar>, Vec<Bar>) = (days.collect(), delays.collect());
    html! {
        @if days.len() > 1 { (bars("Changes per day", "changes", &days)) }
        @if delays.iter().any(|bar| bar.count > 0) {
            (bars("Time from publication to the first edit", "articles", &delays))
        }
    }
}

fn most_edited(report: &Report) -> Markup {
    html! {
        @if !report.most_edited.is_empty() {
            h2 { "Most edited articles" }
            table {
                thead { tr { th scope="col" { "Changes" } th scope="col" { "Article" } th scope="col" { "Feed" } } }
                tbody {
                    @for article in &report.most_edited {
                        tr {
                            td { (article.changes) }
                            td {
                                (title(article.title.as_deref()))
                                @if let Some(url) = &article.url { br; (address(url)) }
                            }
                            td { (crate::report::clean::excerpt(&article.feed, 60)) }
                        }
                    }
                }
            }
        }
    }
}

fn rest(report: &Report, view: &TimeView) -> Markup {
    let groups = report.rest_by_group();
    html! {
        @if !groups.is_empty() {
            h2 { "Other changes" }
            @for (group, rows) in groups {
                h3 { (group.title) " (" (names::count(group.changes, "change")) " in all)" }
                ul {
                    @for row in rows {
                        li {
                            @if let Some(number) = row.event.data.number { b { "#" (number) } " " }
                            (view.exact(row.event.timestamp)) " "
                            @if let Some(change) = &row.event.data.change {
                                (changed::fields(change).paint(crate::report::style::Paint::default()).to_lowercase())
                            } @else { (names::event(row.event.kind)) }
                            ": " (title(Some(&headline(row))))
                        }
                    }
                }
            }
        }
    }
}

fn coverage(report: &Report, view: &TimeView) -> Markup {
    html! {
        h2 { "Coverage" }
        p { (report.watched.sentence()) }
        @for line in report.coverage.sentences(view) { p { (line) } }
        @if !report.coverage.gaps.is_empty() {
            ul {
                @for gap in &report.coverage.gaps {
                    li { b { (crate::report::clean::excerpt(&gap.feed, 60)) } ": " (gap.sentence(view)) }
                }
            }
        }
    }
}
