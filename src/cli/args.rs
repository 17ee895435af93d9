//! The command line: every command, its options, and an example in the help of each.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::output::ColorWhen;

mod care;
mod feeds;
mod format;
mod read;
mod rules;
mod service;

pub(crate) use care::{DbCommand, ReextractArgs};
pub(crate) use feeds::{
    AddArgs, CheckArgs, EvidenceArgs, ExportCommand, FeedsArgs, GitArgs, ImportArgs, ImportPast,
    ImportPastArgs, MvArgs, NdjsonArgs, PauseArgs, PeriodArgs, ResumeArgs, RmArgs, SiteArgs,
};
pub(crate) use format::OutputFormat;
pub(crate) use read::{
    ChangeArg, DiffArgs, EntriesArgs, Filter, GroupArg, HistoryArgs, LogArgs, ReportArgs,
    RevisionRange, SearchArgs, ShowArgs, SplitArgs,
};
pub(crate) use rules::{RulesAddArgs, RulesArgs, RulesCommand, RulesTestArgs};
pub(crate) use service::{
    ConfigCommand, DemoArgs, DoctorArgs, HelpArgs, InitArgs, InspectArticleArgs, InspectCommand,
    InspectFeedArgs, NotifyCommand, NotifyReleaseArgs, NotifyReplayArgs, NotifyRetryArgs,
    NotifyShowArgs, NotifySkipArgs, NotifyTestArgs, RunArgs, SchemaArgs, SchemaOf, StatusArgs,
    TokensCommand,
};

/// The commands in the groups of the manual; clap cannot group them. A test compares it with the command tree.
const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Feeds:
  add       Add feeds by address, or find those of a site
  rm        Remove feeds; their history is kept
  mv        Change the address of a feed and keep its history
  feeds     List feeds and their state
  pause     Stop checking feeds until they are resumed
  resume    Resume paused feeds and check them now
  import    Import feeds from another reader
  export    Export feeds, changes, histories or evidence
Check:
  check     Check feeds and pages now, once
Read:
  log       List changes, newest first
  show      Show one change in full
  report    Sum up what changed in a period
  search    Search articles, and what was removed from them
  entries   List articles and what became of them
  history   List the revisions of an article
  diff      Compare two revisions, or two files
Inspect:
  inspect   Show what revisor reads in a feed or page
Alert:
  notify    List, test and retry alert deliveries
Service:
  run       Run the daemon in the foreground
Try:
  demo      Watch a small built-in site change
Maintain:
  init      Create a configuration file
  doctor    Find problems and say how to fix them
  status    Show an overview of feeds, pages, database and alerts
  config    Check, show and reload the configuration
  reextract  Re-read stored pages after an upgrade
  split     Undo a wrong merge of two articles
  db        Back up, verify and prune the database
  rules     Manage what is ignored when comparing
  tokens    Make, list and delete tokens for readers of the web pages
Misc:
  schema    Print the JSON Schema of a machine format
  help      Print the help of a command, or a page of the guide

Guide (revisor help TOPIC):
  alerts, configuration, evidence, export, files, ignored, limits, options, service, web

Options:
{options}{after-help}";

/// Catches what publishers change after publishing.
#[derive(Debug, Parser)]
#[command(
    name = "revisor",
    version,
    about = "revisor catches what publishers change after publishing",
    help_template = TEMPLATE,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 changes found (only with --exit-code), 2 usage or configuration, 3 some feeds \
failed, 4 a target failed, 5 database locked, damaged or newer, 130 interrupted.\n\n\
Examples:\n  revisor init\n  revisor add https://news.example/\n  revisor check\n  revisor log --since yesterday"
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
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
    /// When to use colour: auto, always, never
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
    /// Do not use a pager
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_pager: bool,
    /// Print only results and errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// More detail; repeat for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    // The help names all formats.
    #[arg(
        help = OutputFormat::help(),
        hide_possible_values = true,
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub format: Option<OutputFormat>,
    /// The same as --format json
    #[arg(
        long,
        global = true,
        conflicts_with = "format",
        help_heading = "Global options"
    )]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add feeds by address, or find the feeds of a site
    Add(AddArgs),
    /// Remove feeds from the configuration; their history is kept
    Rm(RmArgs),
    /// Change the address of a feed and keep its history
    Mv(MvArgs),
    /// List feeds and their state
    Feeds(FeedsArgs),
    /// Stop checking feeds and their pages until they are resumed
    Pause(PauseArgs),
    /// Resume paused feeds and check them now
    Resume(ResumeArgs),
    /// Import feeds from another reader: OPML, newsboat's urls, or a list of addresses
    Import(ImportArgs),
    /// Export feeds, changes, histories, or the evidence for a change
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
    /// Check feeds and pages now, once
    Check(CheckArgs),
    /// List changes, newest first
    Log(LogArgs),
    /// Show one change in full
    Show(ShowArgs),
    /// Sum up what changed in a period, and how much of it was watched
    Report(ReportArgs),
    /// Search articles, and what was removed from them
    Search(SearchArgs),
    /// List articles and what became of them
    Entries(EntriesArgs),
    /// List the revisions of an article
    History(HistoryArgs),
    /// Compare two revisions of an article, or two files
    Diff(DiffArgs),
    /// Split an entry: give one address or guid its own history
    Split(SplitArgs),
    /// Show what revisor reads in a feed or page
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  revisor inspect feed https://news.example/rss.xml\n  \
revisor inspect article page.html --url https://news.example/a/1"
    )]
    Inspect {
        /// What to inspect.
        #[command(subcommand)]
        what: InspectCommand,
    },
    /// List, test and retry alert deliveries
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
    /// Watch a small built-in site change, and receive the alert
    Demo(DemoArgs),
    /// Create a configuration file
    Init(InitArgs),
    /// Find problems in the configuration, clock, disk, database, service, feeds and targets
    Doctor(DoctorArgs),
    /// Show an overview of feeds, pages, database and alerts
    Status(StatusArgs),
    /// Check, show and reload the configuration
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
    /// Re-read stored pages after an upgrade (records no changes)
    Reextract(ReextractArgs),
    /// Back up, verify and prune the database
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
    /// Manage what is ignored when comparing
    Rules(RulesArgs),
    /// Make, list and delete tokens for readers of the web pages
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:\n  revisor tokens add newsroom\n  revisor tokens list\n  revisor tokens rm newsroom"
    )]
    Tokens {
        /// What to do.
        #[command(subcommand)]
        what: TokensCommand,
    },
    /// Print the JSON Schema of a machine format
    Schema(SchemaArgs),
    /// Print the help of a command, or a page of the guide
    Help(HelpArgs),
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

    /// Splits a command line into words, like a shell.
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
            // At a fixed width, however narrow the terminal of the tests is.
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
