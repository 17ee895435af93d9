//! `revisor doctor`: what was checked, what is wrong, and how to fix it.

use serde::Serialize;

use super::clean;
use super::style::{Line, TextRole};
use super::when::TimeView;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FindingLevel {
    /// Everything is in order.
    Ok,
    /// It works, but needs attention.
    Warn,
    /// It does not work.
    Fail,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DoctorFinding {
    /// `configuration`, `clock`, `disk`, `database`, `service`, `feeds` or `targets`.
    pub check: &'static str,
    /// How serious it is.
    pub level: FindingLevel,
    /// What was found.
    pub text: String,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl DoctorFinding {
    /// Everything is in order.
    #[must_use]
    pub(crate) fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            level: FindingLevel::Ok,
            text: text.into(),
            hint: None,
        }
    }

    /// It works but needs attention; `hint` says how to fix it.
    #[must_use]
    pub(crate) fn warn(
        check: &'static str,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            level: FindingLevel::Warn,
            hint: Some(hint.into()),
            ..Self::ok(check, text)
        }
    }

    /// It does not work; `hint` says how to fix it.
    #[must_use]
    pub(crate) fn fail(
        check: &'static str,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            level: FindingLevel::Fail,
            ..Self::warn(check, text, hint)
        }
    }
}

/// All findings. Its JSON form is the output of `doctor --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DoctorReport {
    /// The worst level of all checks.
    pub level: FindingLevel,
    /// In the order in which the checks depend on each other.
    pub checks: Vec<DoctorFinding>,
}

impl DoctorReport {
    /// A report of these findings.
    #[must_use]
    pub(crate) fn of(checks: Vec<DoctorFinding>) -> Self {
        let worst = checks.iter().map(|check| check.level).max();
        Self {
            level: worst.unwrap_or(FindingLevel::Ok),
            checks,
        }
    }
}

/// A line for each finding, and another for its hint.
#[must_use]
pub(crate) fn text(report: &DoctorReport, view: &TimeView) -> String {
    let mut out = String::new();
    for found in &report.checks {
        let (role, level) = match found.level {
            FindingLevel::Ok => (TextRole::Good, "ok  "),
            FindingLevel::Warn => (TextRole::Warning, "warn"),
            FindingLevel::Fail => (TextRole::Bad, "fail"),
        };
        let line = Line::new().with(role, level).with(
            TextRole::Plain,
            format!(
                "  {:<13}  {}",
                found.check,
                clean::excerpt(&found.text, 400)
            ),
        );
        out.push_str(&line.wrap("", HANGING, view.paint));
        if let Some(hint) = &found.hint {
            let line = Line::new().with(
                TextRole::Faint,
                format!("hint: {}", clean::excerpt(hint, 400)),
            );
            out.push_str(&line.wrap(HANGING, HANGING, view.paint));
        }
    }
    out
}

const HANGING: &str = "                     ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    #[test]
    fn the_worst_decides_and_every_trouble_has_a_hint() {
        let report = DoctorReport::of(vec![
            DoctorFinding::ok("clock", "right"),
            DoctorFinding::fail("disk", "full", "make room"),
            DoctorFinding::warn(
                "feeds",
                "courier\u{1b}[2J fails",
                "`revisor feeds` says more",
            ),
        ]);
        assert_eq!(report.level, FindingLevel::Fail);
        assert_eq!(
            text(&report, &plain_view(at("2026-11-23T12:00:00Z"))),
            "\
ok    clock          right
fail  disk           full
                     hint: make room
warn  feeds          courier fails
                     hint: `revisor feeds` says more
"
        );
        assert_eq!(DoctorReport::of(Vec::new()).level, FindingLevel::Ok);
    }
}
