//! Arguments of the commands that read what was found.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::classify::Significance;
use crate::domain::event::Field;

/// Which changes are meant; for `log` and what follows it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Filter {
    /// Changes since this time: 2d, 36h, "2 days ago", yesterday, 2026-11-20, 2026-11-20T10:00Z
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Changes before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Only this feed (name or address); can be repeated
    #[arg(long, value_name = "FEED")]
    pub feed: Vec<String>,
    /// Only feeds with this tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only this article (address, guid, id or part of the headline)
    #[arg(long, value_name = "ENTRY")]
    pub entry: Option<String>,
    /// Lowest significance: typographic, minor, substantive
    #[arg(
        hide_possible_values = true,
        long,
        value_enum,
        value_name = "LEVEL",
        conflicts_with = "all"
    )]
    pub significance: Option<SignificanceArg>,
    /// Only headline changes
    #[arg(long, conflicts_with = "field")]
    pub headline: bool,
    /// Only changes to these fields: title, standfirst, summary, body, byline, date, address, guid
    #[arg(
        hide_possible_values = true,
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "FIELD"
    )]
    pub field: Vec<FieldArg>,
    /// Include what is hidden by default: typographic and quiet changes
    #[arg(long)]
    pub all: bool,
}

impl Filter {
    /// The fields that are asked for; empty means any.
    #[must_use]
    pub(crate) fn fields(&self) -> Vec<Field> {
        if self.headline {
            vec![Field::Title]
        } else {
            self.field.iter().map(|field| (*field).into()).collect()
        }
    }
}

/// A significance on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignificanceArg {
    /// Everything that can be seen
    Typographic,
    /// Typos and more
    Minor,
    /// What says something else than before
    Substantive,
}

impl From<SignificanceArg> for Significance {
    fn from(value: SignificanceArg) -> Self {
        match value {
            SignificanceArg::Typographic => Self::Typographic,
            SignificanceArg::Minor => Self::Minor,
            SignificanceArg::Substantive => Self::Substantive,
        }
    }
}

/// A field on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FieldArg {
    /// The headline
    #[value(alias = "headline")]
    Title,
    /// The sentences under the headline
    #[value(alias = "dek")]
    Standfirst,
    /// The feed's description
    Summary,
    /// The full text
    #[value(alias = "text")]
    Body,
    /// The authors
    #[value(alias = "author")]
    Byline,
    /// Dates
    Date,
    /// The address
    #[value(alias = "url")]
    Address,
    /// The feed's identifier
    Guid,
}

impl From<FieldArg> for Field {
    fn from(value: FieldArg) -> Self {
        match value {
            FieldArg::Title => Self::Title,
            FieldArg::Standfirst => Self::Standfirst,
            FieldArg::Summary => Self::Summary,
            FieldArg::Body => Self::Body,
            FieldArg::Byline => Self::Byline,
            FieldArg::Date => Self::Date,
            FieldArg::Address => Self::Address,
            FieldArg::Guid => Self::Guid,
        }
    }
}

/// Arguments of `log`.
#[derive(Debug, Args)]
#[command(
    after_help = "A day without a time means its start, in your time zone.\n\n\
Examples:\n  revisor log --since 2d\n  revisor log --headline --feed example-news\n  \
revisor log --format ndjson --since today | jq -r .data.after.title\n  revisor log --follow\n  revisor log --ignored --since 7d"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag on the command line"
)]
pub(crate) struct LogArgs {
    /// Which changes.
    #[command(flatten)]
    pub filter: Filter,
    /// List changes in ignored text, with the reason it is ignored
    #[arg(long, conflicts_with_all = ["headline", "field", "significance", "all", "full", "follow", "exit_code"])]
    pub ignored: bool,
    /// Also show unchanged paragraphs
    #[arg(long)]
    pub full: bool,
    /// Show at most N changes
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<usize>,
    /// Oldest first
    #[arg(long)]
    pub reverse: bool,
    /// Wait for new changes and print them as they arrive
    #[arg(short, long)]
    pub follow: bool,
    /// Exit with code 1 if there are changes
    #[arg(long, conflicts_with = "follow")]
    pub exit_code: bool,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(
    after_help = "Formats: short (the default), md, html, json. The HTML file needs nothing else: it can be mailed and printed.\n\n\
Examples:\n  revisor report --since 7d\n  revisor report --since yesterday --until today --tag politics\n  \
revisor report --since 7d --format html -o week.html"
)]
pub(crate) struct ReportArgs {
    /// Which changes.
    #[command(flatten)]
    pub filter: Filter,
    /// Group the rest by: feed, tag, entry
    #[arg(
        hide_possible_values = true,
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "feed"
    )]
    pub by: GroupArg,
    /// Write to a file, replacing it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How `report` groups changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupArg {
    /// By feed
    Feed,
    /// By tag
    Tag,
    /// By article
    Entry,
}

/// Arguments of `search`.
#[derive(Debug, Args)]
#[command(
    after_help = "Finds articles whose text has all the words, and changes that removed them. \"A phrase\" in double quotes \
is found as it is, -word must not occur, word* finds every word that starts so. Case and accents do not matter.\n\n\
Examples:\n  revisor search talks envoy\n  revisor search '\"first in five years\"' --removed\n  \
revisor search 'minist* -sport' --tag politics --since 30d\n  revisor search --grep 'CVE-2026-[0-9]+'"
)]
pub(crate) struct SearchArgs {
    /// Words and phrases
    #[arg(
        value_name = "QUERY",
        required_unless_present = "grep",
        conflicts_with = "grep"
    )]
    pub query: Vec<String>,
    /// Only text that was removed
    #[arg(long, conflicts_with_all = ["added", "headline"])]
    pub removed: bool,
    /// Only text that was added by a change
    #[arg(long, conflicts_with = "headline")]
    pub added: bool,
    /// Only headlines, current and former
    #[arg(long)]
    pub headline: bool,
    /// Search with a regular expression; reads everything
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub grep: Option<String>,
    /// Only changes since this time: 2d, yesterday, 2026-11-20
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Only changes before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Only this feed (name or address); can be repeated
    #[arg(long, value_name = "FEED")]
    pub feed: Vec<String>,
    /// Only feeds with this tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only this article (address, guid, id or part of the headline)
    #[arg(long, value_name = "ENTRY")]
    pub entry: Option<String>,
    /// Show at most N articles [default: 20]
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<usize>,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor show 412\n  revisor show '#412' --full")]
pub(crate) struct ShowArgs {
    /// Number of the change, as shown by `revisor log`, or `latest`
    #[arg(value_name = "CHANGE", value_parser = change_number)]
    pub change: ChangeArg,
    /// Also show unchanged paragraphs
    #[arg(long)]
    pub full: bool,
}

/// Arguments of `entries`.
#[derive(Debug, Args)]
#[command(
    after_help = "Newest first. `history` takes the ids, addresses and headlines that are listed here.\n\n\
Examples:\n  revisor entries --feed example-news\n  revisor entries --removed --format oneline"
)]
pub(crate) struct EntriesArgs {
    /// Only this feed (name or address); can be repeated
    #[arg(long, value_name = "FEED")]
    pub feed: Vec<String>,
    /// Only feeds with this tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only articles that were taken down
    #[arg(long)]
    pub removed: bool,
    /// Only articles whose page was not found at the last check
    #[arg(long)]
    pub not_found: bool,
    /// Show at most N articles [default: 50]
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<usize>,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor history https://news.example/a/123\n  \
revisor history ent_42 --json"
)]
pub(crate) struct HistoryArgs {
    /// Address, guid, id, or part of the headline of the article
    #[arg(value_name = "ENTRY")]
    pub entry: String,
}

/// Arguments of `split`.
#[derive(Debug, Args)]
#[command(
    after_help = "`revisor history ENTRY` lists the names of an entry and why each belongs to it.\n\n\
Examples:\n  revisor split ent_42 https://news.example/a/124\n  revisor split https://news.example/a/123 tag:news.example,2026:124"
)]
pub(crate) struct SplitArgs {
    /// Address, guid, id, or part of the headline of the article
    #[arg(value_name = "ENTRY")]
    pub entry: String,
    /// The guid or address that belongs to another article
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without revisions, compares the last two. Files are either HTML, from which the article is extracted, or \
plain text with a blank line between paragraphs.\n\n\
Examples:\n  revisor diff https://news.example/a/123\n  revisor diff https://news.example/a/123 1..3\n  \
revisor diff --files old.html new.html --json"
)]
pub(crate) struct DiffArgs {
    /// Address, guid, id, or part of the headline of the article
    #[arg(value_name = "ENTRY", required_unless_present = "files")]
    pub entry: Option<String>,
    /// Revisions to compare: `2..3`, `2..` (to the last), `..3` (from the first)
    #[arg(value_name = "A..B", value_parser = revisions)]
    pub revisions: Option<RevisionRange>,
    /// Compare two files instead
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["entry", "revisions"])]
    pub files: Option<Vec<PathBuf>>,
    /// Also show unchanged paragraphs
    #[arg(long)]
    pub full: bool,
    /// Exit with code 1 if there is a difference
    #[arg(long)]
    pub exit_code: bool,
}

/// Two revisions; `None` stands for the first, or the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RevisionRange {
    /// The older side.
    pub from: Option<u32>,
    /// The newer side.
    pub to: Option<u32>,
}

/// A change on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeArg {
    /// The newest one.
    Latest,
    /// The one with this number.
    Number(i64),
}

pub(super) fn change_number(text: &str) -> Result<ChangeArg, String> {
    if text == "latest" {
        return Ok(ChangeArg::Latest);
    }
    let number = text.strip_prefix('#').unwrap_or(text).parse().ok();
    number
        .filter(|number| *number > 0)
        .map(ChangeArg::Number)
        .ok_or_else(|| "expected a change number such as 412 or '#412', or latest".to_owned())
}

fn revisions(text: &str) -> Result<RevisionRange, String> {
    let wrong = || "expected two revisions, such as 2..3, 2.. or ..3".to_owned();
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let side = |text: &str| match text {
        "" => Ok(None),
        number => match number.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(wrong()),
        },
    };
    Ok(RevisionRange {
        from: side(from)?,
        to: side(to)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_changes_and_revisions_are_read_strictly() {
        assert_eq!(change_number("#412"), Ok(ChangeArg::Number(412)));
        assert_eq!(change_number("412"), Ok(ChangeArg::Number(412)));
        assert_eq!(change_number("latest"), Ok(ChangeArg::Latest));
        assert!(change_number("0").is_err());
        assert!(change_number("-1").is_err());
        assert!(change_number("last").is_err());
        let range = |from, to| Ok(RevisionRange { from, to });
        assert_eq!(revisions("2..3"), range(Some(2), Some(3)));
        assert_eq!(revisions("2.."), range(Some(2), None));
        assert_eq!(revisions(".."), range(None, None));
        for wrong in ["2", "a..b", "0..1", "1...2", "1..2..3"] {
            assert!(revisions(wrong).is_err(), "{wrong}");
        }
    }
}
