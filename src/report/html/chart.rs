//! Small charts as SVG, each with the same figures in a table.

use maud::{Markup, html};

/// A bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    /// What it represents.
    pub name: String,
    /// How much.
    pub count: u64,
}

const HEIGHT: u64 = 60;
const STEP: u64 = 10;
const WIDTH: u64 = 8;
/// A chart has room for at least this many bars.
const LEAST: usize = 14;

/// Vertical bars from left to right. `what` names the figures: `articles`.
#[must_use]
pub(crate) fn bars(title: &str, what: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    // A chart with few bars does not draw them wider.
    let all = STEP * bars.len().max(LEAST) as u64;
    let height = |count: u64| (count * HEIGHT).div_ceil(most);
    html! {
        figure .chart {
            figcaption { (title) " (at most " (most) ")" }
            svg viewBox={ "0 0 " (all) " " (HEIGHT) } role="img" aria-label={ (title) ", as in the table below" }
                preserveAspectRatio="none" {
                @for (bar, place) in bars.iter().zip(0_u64..) {
                    rect x=(place * STEP + 1) y=(HEIGHT - height(bar.count)) width=(WIDTH) height=(height(bar.count))
                        fill="currentColor" {
                        title { (bar.name) ": " (bar.count) " " (what) }
                    }
                }
            }
            @if let [first, .., last] = bars {
                p .scale { span { (first.name) } " – " span { (last.name) } ", left to right" }
            }
            details {
                summary { "As a table" }
                table {
                    tbody {
                        @for bar in bars {
                            tr { th scope="row" { (bar.name) } td { (bar.count) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, count: u64) -> Bar {
        Bar {
            name: name.to_owned(),
            count,
        }
    }

    #[test]
    fn every_figure_is_a_bar_and_a_row() {
        let chart = bars(
            "Edits",
            "changes",
            &[bar("Mon", 0), bar("<b>", 7), bar("Wed", 14)],
        )
        .into_string();
        assert_eq!(chart.matches("<rect").count(), 3);
        assert!(chart.contains("<td>7</td>"), "{chart}");
        assert!(chart.contains("&lt;b&gt;: 7 changes"), "{chart}");
        assert!(
            chart.contains("y=\"0\" width=\"8\" height=\"60\""),
            "{chart}"
        );
        assert!(
            bars("Edits", "changes", &[])
                .into_string()
                .contains("</svg>")
        );
    }
}
