//! The command line: every command, its options, and an example in the help of each.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::output::ColorWhen;

mod care;
mod feeds;
mod read;
mod rules;
mod service;

pub use care::{DbCommand, ReextractArgs};
pub use feeds::{
    AddArgs, CheckArgs, EvidenceArgs, ExportCommand, FeedsArgs, ImportArgs, PageWhen, PauseArgs,
    ResumeArgs, RmArgs,
};
pub use read::{
    DiffArgs, FieldArg, Filter, HistoryArgs, LogArgs, RevisionRange, ShowArgs, SignificanceArg,
    SplitArgs,
};
pub use rules::{RulesAddArgs, RulesArgs, RulesCommand, RulesTestArgs};
pub use service::{
    ConfigCommand, DemoArgs, DoctorArgs, InitArgs, InspectArticleArgs, InspectCommand,
    InspectFeedArgs, NotifyCommand, NotifyReplayArgs, NotifyRetryArgs, NotifySkipArgs,
    NotifyTestArgs, RunArgs, SchemaArgs, SchemaOf, StatusArgs,
};

/// The commands in the groups of the manual; clap cannot group them. A test holds it against the tree.
const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Feeds:
  add       Add feeds by their address, or by that of a site
  rm        Remove feeds; their history stays
  feeds     List the feeds and how they are
  pause     Stop asking for feeds for a while
  resume    Ask for feeds again, at once
  import    Add the feeds of another reader
  export    Write the feeds, or a change as evidence
Check:
  check     Look for changes now, once
Read:
  log       List changes, newest first
  show      Show one change in full
  history   List the revisions of an entry
  diff      Compare two revisions, or two files
Inspect:
  inspect   Show what revisor sees in a feed or a page
Alert:
  notify    List, try and repair the delivery of alerts
Service:
  run       Run the daemon in the foreground
Try:
  demo      Watch a small built-in site change
Care:
  init      Write a configuration file to start from
  doctor    Look for what is wrong, and say what to do
  status    Show how the whole is
  config    Check and show the configuration
  reextract  Read stored answers anew after an upgrade
  split     Undo a merge of two entries
  db        Copy, check and tidy up the database
  rules     List, add and overrule what is left out of the comparison
Misc:
  schema    Print the JSON Schema of a machine format
  help      Print this, or the help of a command

Options:
{options}{after-help}";

/// Catches what publishers change after publishing.
#[derive(Debug, Parser)]
#[command(
    name = "revisor",
    version,
    about = "revisor catches what publishers change after publishing",
    help_template = TEMPLATE,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 changes found (only with --exit-code), 2 usage or configuration, 3 some feeds \
failed, 4 a target failed, 5 database locked, damaged or newer, 130 interrupted.\n\n\
Examples:\n  revisor init\n  revisor add https://news.example/\n  revisor check\n  revisor log --since yesterday"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Configuration file.
    #[arg(
        help = "Configuration file [env: REVISOR_CONFIG]",
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub config: Option<PathBuf>,
    /// Database file.
    #[arg(
        help = "Database file [env: REVISOR_DB]",
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub db: Option<PathBuf>,
    /// Colour in the answer: auto, always, never
    #[arg(
        hide_possible_values = true,
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_default_value = true,
        help_heading = "Global options"
    )]
    pub color: ColorWhen,
    /// Print at once instead of through a pager
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_pager: bool,
    /// Only the answer and errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// More messages; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Form of the answer: short, oneline, full, json, ndjson, md, csv
    #[arg(
        hide_possible_values = true,
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub format: Option<Format>,
    /// The same as --format json
    #[arg(
        long,
        global = true,
        conflicts_with = "format",
        help_heading = "Global options"
    )]
    pub json: bool,
}

/// Forms of an answer; each command takes those that make sense for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A few lines each
    Short,
    /// A line each
    Oneline,
    /// Everything, for reading
    Full,
    /// One JSON document
    Json,
    /// A JSON document on each line
    Ndjson,
    /// Markdown
    Md,
    /// Comma-separated values
    Csv,
}

impl Format {
    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Oneline => "oneline",
            Self::Full => "full",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Md => "md",
            Self::Csv => "csv",
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add feeds by their address, or by that of a site
    Add(AddArgs),
    /// Remove feeds from the configuration; their history stays
    Rm(RmArgs),
    /// List the feeds and how they are
    Feeds(FeedsArgs),
    /// Stop asking for feeds, and for their pages, until they are resumed
    Pause(PauseArgs),
    /// Ask for feeds again, at once
    Resume(ResumeArgs),
    /// Add the feeds of another reader: OPML, newsboat's urls, or a list of addresses
    Import(ImportArgs),
    /// Write the feeds for another reader, or a change for others to check
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  revisor export opml > feeds.opml\n  revisor export toml\n  \
revisor export evidence 412 -o change-412.html"
    )]
    Export {
        /// In which form.
        #[command(subcommand)]
        what: ExportCommand,
    },
    /// Look for changes now, once
    Check(CheckArgs),
    /// List changes, newest first
    Log(LogArgs),
    /// Show one change in full
    Show(ShowArgs),
    /// List the revisions of an entry
    History(HistoryArgs),
    /// Compare two revisions of an entry, or two files
    Diff(DiffArgs),
    /// Undo a merge: make an entry of its own of a name that another entry was given
    Split(SplitArgs),
    /// Show what revisor sees in a feed or a page
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  revisor inspect feed https://news.example/rss.xml\n  \
revisor inspect article page.html --url https://news.example/a/1"
    )]
    Inspect {
        /// What to look at.
        #[command(subcommand)]
        what: InspectCommand,
    },
    /// List, try and repair the delivery of alerts
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  revisor notify list\n  revisor notify test desk\n  revisor notify retry desk"
    )]
    Notify {
        /// What to do.
        #[command(subcommand)]
        what: NotifyCommand,
    },
    /// Run the daemon in the foreground
    Run(RunArgs),
    /// Watch a small built-in site change, with a built-in receiver of webhooks
    Demo(DemoArgs),
    /// Write a configuration file to start from
    Init(InitArgs),
    /// Look for what is wrong: configuration, clock, disk, database, service, feeds, targets
    Doctor(DoctorArgs),
    /// Show how the whole is: configuration, database, feeds, alerts
    Status(StatusArgs),
    /// Check and show the configuration
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  revisor config check\n  revisor config show\n  revisor config path"
    )]
    Config {
        /// What to do.
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Read stored answers anew after an upgrade; makes no change
    Reextract(ReextractArgs),
    /// Copy, check and tidy up the database
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  revisor db verify\n  revisor db backup copy.db\n  revisor db prune --dry-run"
    )]
    Db {
        /// What to do.
        #[command(subcommand)]
        what: DbCommand,
    },
    /// List, add and overrule what is left out of the comparison
    Rules(RulesArgs),
    /// Print the JSON Schema of a machine format
    Schema(SchemaArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn walk(command: &clap::Command, path: &str, visit: &mut impl FnMut(&clap::Command, &str)) {
        visit(command, path);
        for sub in command.get_subcommands() {
            if sub.get_name() != "help" {
                walk(sub, &format!("{path} {}", sub.get_name()), visit);
            }
        }
    }

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    /// The words of one command, as a shell would part them.
    fn shell_words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match quote {
                Some(open) if c == open => quote = None,
                None if matches!(c, '\'' | '"') => quote = Some(c),
                None if matches!(c, '|' | '>' | ')') => break,
                None if c.is_whitespace() => words.push(String::new()),
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn the_help_of_every_command_ends_with_an_example_that_is_understood() {
        let mut seen = 0;
        walk(&Cli::command(), "revisor", &mut |command, path| {
            // However narrow the terminal of the tests is.
            let help = command.clone().term_width(1000).render_long_help();
            let help = help.to_string();
            let (_, examples) = help
                .rsplit_once("Examples:\n")
                .unwrap_or_else(|| panic!("{path} has no example"));
            assert!(!examples.trim().is_empty());
            for example in examples.lines().filter(|line| !line.trim().is_empty()) {
                assert!(example.contains(path), "{path}: {example}");
                let Some((_, words)) = example.split_once("revisor ") else {
                    panic!("{path}: {example}");
                };
                let words = std::iter::once("revisor".to_owned()).chain(shell_words(words));
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{path}: {example}: {error}");
                }
            }
            seen += 1;
        });
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn the_groups_of_the_help_name_every_command() {
        let help = Cli::command().render_help().to_string();
        for command in Cli::command().get_subcommands() {
            let name = format!("\n  {} ", command.get_name());
            assert!(help.contains(&name), "{name:?} is in no group");
        }
    }

    #[test]
    fn global_options_stand_anywhere() {
        let cli = Cli::try_parse_from(["revisor", "log", "--json", "-vv", "-c", "x.toml"]).unwrap();
        assert!(cli.global.json);
        assert_eq!(cli.global.verbose, 2);
        let cli = Cli::try_parse_from(["revisor", "--db", "y.db", "notify", "list", "-q"]).unwrap();
        assert!(cli.global.quiet && cli.global.db.is_some());
    }

    #[test]
    fn files_and_entries_exclude_one_another() {
        let parse = |words: &[&str]| Cli::try_parse_from(["revisor", "diff"].iter().chain(words));
        assert!(parse(&["--files", "a", "b", "--json"]).is_ok());
        assert!(parse(&["--files", "a"]).is_err());
        assert!(parse(&["x", "--files", "a", "b"]).is_err());
        assert!(parse(&["x", "1..2"]).is_ok());
        assert!(parse(&[]).is_err());
    }
}
