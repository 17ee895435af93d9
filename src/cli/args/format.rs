//! The output formats of all commands.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::names;

names! {
    /// Output formats; each command has only those that make sense for it.
    pub enum OutputFormat {
        /// A few lines each.
        Short = "short",
        /// A line each.
        Oneline = "oneline",
        /// Everything, for reading.
        Full = "full",
        /// One JSON document.
        Json = "json",
        /// A JSON document on each line.
        Ndjson = "ndjson",
        /// Markdown.
        Md = "md",
        /// One HTML file.
        Html = "html",
        /// Comma-separated values.
        Csv = "csv",
        /// An Atom feed.
        Atom = "atom",
        /// A JSON Feed.
        Jsonfeed = "jsonfeed",
    }
}

impl OutputFormat {
    /// Whether it is for reading on a terminal.
    #[must_use]
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Short | Self::Oneline | Self::Full)
    }

    /// The help of `--format`.
    pub(super) fn help() -> String {
        let names = Self::ALL.map(Self::as_str).join(", ");
        format!("Output format: {names}")
    }
}

impl ValueEnum for OutputFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.as_str());
        Some(match self {
            Self::Short => value.alias("text"),
            _ => value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_names_every_format() {
        let guide = include_str!("../../guide/options.md");
        for format in OutputFormat::ALL.map(OutputFormat::as_str) {
            assert!(guide.contains(&format!("`{format}`")), "{format}");
        }
    }
}
