//! `revisor doctor`: what was looked at, what is wrong, and what to do about it.

use serde::Serialize;

use super::clean;
use super::style::{Line, Role};
use super::when::View;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and needs a look.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `configuration`, `clock`, `disk`, `database`, `service`, `feeds` or `targets`.
    pub check: &'static str,
    /// How it is.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            level: Level::Ok,
            text: text.into(),
            hint: None,
        }
    }

    /// It needs a look, and this is what to do.
    #[must_use]
    pub fn warn(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            level: Level::Warn,
            hint: Some(hint.into()),
            ..Self::ok(check, text)
        }
    }

    /// It does not work, and this is what to do.
    #[must_use]
    pub fn fail(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            level: Level::Fail,
            ..Self::warn(check, text, hint)
        }
    }
}

/// All that was found. Its JSON form is the answer of `doctor --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The worst of the checks.
    pub level: Level,
    /// In the order in which they depend on one another.
    pub checks: Vec<Finding>,
}

impl Report {
    /// The report of some findings.
    #[must_use]
    pub fn of(checks: Vec<Finding>) -> Self {
        let worst = checks.iter().map(|check| check.level).max();
        Self {
            level: worst.unwrap_or(Level::Ok),
            checks,
        }
    }
}

/// A line for each finding, and one for its hint.
#[must_use]
pub fn text(report: &Report, view: &View) -> String {
    let mut out = String::new();
    for found in &report.checks {
        let (role, level) = match found.level {
            Level::Ok => (Role::Good, "ok  "),
            Level::Warn => (Role::Warning, "warn"),
            Level::Fail => (Role::Bad, "fail"),
        };
        let line = Line::new().with(role, level).with(
            Role::Plain,
            format!(
                "  {:<13}  {}",
                found.check,
                clean::excerpt(&found.text, 400)
            ),
        );
        out.push_str(&line.wrap("", HANGING, view.paint));
        if let Some(hint) = &found.hint {
            let line =
                Line::new().with(Role::Faint, format!("hint: {}", clean::excerpt(hint, 400)));
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
        let report = Report::of(vec![
            Finding::ok("clock", "right"),
            Finding::fail("disk", "full", "make room"),
            Finding::warn(
                "feeds",
                "courier\u{1b}[2J fails",
                "`revisor feeds` says more",
            ),
        ]);
        assert_eq!(report.level, Level::Fail);
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
        assert_eq!(Report::of(Vec::new()).level, Level::Ok);
    }
}
