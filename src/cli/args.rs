//! The command line: every command, its options, and an example in the help of each.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::output::ColorWhen;
use crate::domain::classify::Significance;
use crate::domain::event::{EventKind, Field};

/// The commands in the groups of the manual; clap cannot group them. A test holds it against the tree.
const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Feeds:
  add       Add feeds by their address, or by that of a site
  rm        Remove feeds; their history stays
  feeds     List the feeds and how they are
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
  status    Show how the whole is
  config    Check and show the configuration
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
    /// Print the JSON Schema of a machine format
    Schema(SchemaArgs),
}

/// Arguments of `add`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor add https://news.example/rss.xml --tag politics --every 5m\n  \
revisor add news.example --pick 1"
)]
pub struct AddArgs {
    /// Addresses of feeds, or of sites whose feeds are looked for
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// Name of the feed; the default is made from its title
    #[arg(long)]
    pub name: Option<String>,
    /// Tag, may be given several times
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Time between two polls: 5m, 1h
    #[arg(long, value_name = "INTERVAL")]
    pub every: Option<String>,
    /// Take the Nth of the feeds that were found
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub pick: Option<usize>,
    /// Take all the feeds that were found
    #[arg(long)]
    pub all: bool,
    /// When article pages are looked at: always, changed, off
    #[arg(long, value_enum, hide_possible_values = true, value_name = "WHEN")]
    pub page: Option<PageWhen>,
}

/// When article pages are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PageWhen {
    /// As the article clock says
    Always,
    /// When the entry in the feed has changed
    Changed,
    /// Never
    Off,
}

impl PageWhen {
    /// The value of `page.fetch` in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Changed => "changed",
            Self::Off => "off",
        }
    }
}

/// Arguments of `rm`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor rm example-news\n  revisor rm https://news.example/rss.xml"
)]
pub struct RmArgs {
    /// Names or addresses of feeds
    #[arg(required = true, value_name = "FEED")]
    pub feeds: Vec<String>,
}

/// Arguments of `feeds`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor feeds\n  revisor feeds --json")]
pub struct FeedsArgs {}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor check\n  revisor check example-news --force\n  \
revisor check --exit-code --json"
)]
pub struct CheckArgs {
    /// Names or addresses of feeds; all feeds when none is named
    #[arg(value_name = "FEED")]
    pub feeds: Vec<String>,
    /// Look at every feed, and every page still on the article clock, due or not
    #[arg(long)]
    pub force: bool,
    /// Look and compare, store and send nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// End with 1 when there are changes
    #[arg(long)]
    pub exit_code: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor run\n  revisor run --config /etc/revisor/config.toml -v"
)]
pub struct RunArgs {
    /// Form of the log on standard error: auto, text, journal, json
    #[arg(
        hide_possible_values = true,
        long,
        value_enum,
        value_name = "FORM",
        default_value_t
    )]
    pub log_format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For the journal under systemd, else text
    #[default]
    Auto,
    /// Text with times
    Text,
    /// Lines with priorities, for the journal
    Journal,
    /// A JSON document on each line
    Json,
}

/// Which changes are meant; for `log` and what follows it.
#[derive(Debug, Clone, Default, Args)]
pub struct Filter {
    /// From this time on: 2d, 36h, "2 days ago", yesterday, 2026-11-20, 2026-11-20T10:00Z
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Of this feed (name or address); may be given several times
    #[arg(long, value_name = "FEED")]
    pub feed: Vec<String>,
    /// Of feeds with this tag; may be given several times
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Of this entry (address, guid or id)
    #[arg(long, value_name = "ENTRY")]
    pub entry: Option<String>,
    /// At least this significant: typographic, minor, substantive
    #[arg(
        hide_possible_values = true,
        long,
        value_enum,
        value_name = "LEVEL",
        conflicts_with = "all"
    )]
    pub significance: Option<SignificanceArg>,
    /// Only changes of headlines
    #[arg(long, conflicts_with = "field")]
    pub headline: bool,
    /// Only changes of these: title, summary, body, byline, date, address, guid
    #[arg(
        hide_possible_values = true,
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "FIELD"
    )]
    pub field: Vec<FieldArg>,
    /// Also what is hidden by default: typographic and quiet changes
    #[arg(long)]
    pub all: bool,
}

impl Filter {
    /// The fields that are asked for; empty means any.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
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
    after_help = "A day alone means its first moment, in the configured time zone.\n\n\
Examples:\n  revisor log --since 2d\n  revisor log --headline --feed example-news\n  \
revisor log --format ndjson --since today | jq -r .data.after.title\n  revisor log --follow"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag on the command line"
)]
pub struct LogArgs {
    /// Which changes.
    #[command(flatten)]
    pub filter: Filter,
    /// Blocks that stayed the same too
    #[arg(long)]
    pub full: bool,
    /// At most N changes
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<usize>,
    /// Oldest first
    #[arg(long)]
    pub reverse: bool,
    /// Wait for further changes and print them as they come
    #[arg(short, long)]
    pub follow: bool,
    /// End with 1 when there are changes
    #[arg(long, conflicts_with = "follow")]
    pub exit_code: bool,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor show 412\n  revisor show '#412' --full")]
pub struct ShowArgs {
    /// Number of the change, as `log` gives it
    #[arg(value_name = "CHANGE", value_parser = change_number)]
    pub change: i64,
    /// Paragraphs that stayed the same too
    #[arg(long)]
    pub full: bool,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor history https://news.example/a/123\n  \
revisor history ent_42 --json"
)]
pub struct HistoryArgs {
    /// Address, guid or id of the entry
    #[arg(value_name = "ENTRY")]
    pub entry: String,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without revisions, the last two are compared. Files are HTML, whose article is extracted, or \
plain text with a blank line between paragraphs.\n\n\
Examples:\n  revisor diff https://news.example/a/123\n  revisor diff https://news.example/a/123 1..3\n  \
revisor diff --files old.html new.html --json"
)]
pub struct DiffArgs {
    /// Address, guid or id of the entry
    #[arg(value_name = "ENTRY", required_unless_present = "files")]
    pub entry: Option<String>,
    /// Revisions to compare: `2..3`, `2..` (up to the last), `..3` (from the first)
    #[arg(value_name = "A..B", value_parser = revisions)]
    pub revisions: Option<RevisionRange>,
    /// Compare two files instead
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["entry", "revisions"])]
    pub files: Option<Vec<PathBuf>>,
    /// Paragraphs that stayed the same too
    #[arg(long)]
    pub full: bool,
    /// End with 1 when there is a difference
    #[arg(long)]
    pub exit_code: bool,
}

/// Two revisions; `None` stands for the first, or the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisionRange {
    /// The older side.
    pub from: Option<u32>,
    /// The newer side.
    pub to: Option<u32>,
}

/// What `inspect` looks at.
#[derive(Debug, Subcommand)]
pub enum InspectCommand {
    /// What revisor reads in a feed
    Feed(InspectFeedArgs),
    /// What revisor reads in an article page
    Article(InspectArticleArgs),
}

/// Arguments of `inspect feed`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor inspect feed https://news.example/rss.xml\n  \
revisor inspect feed saved.xml --json --content-type application/rss+xml\n  \
curl -s https://news.example/rss.xml | revisor inspect feed -"
)]
pub struct InspectFeedArgs {
    /// An address, a file, or - for standard input
    #[arg(value_name = "URL|FILE|-")]
    pub source: String,
    /// Content type that the file was served with
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
}

/// Arguments of `inspect article`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor inspect article https://news.example/a/123\n  \
revisor inspect article saved.html --url https://news.example/a/123 --json"
)]
pub struct InspectArticleArgs {
    /// An address, a file, or - for standard input
    #[arg(value_name = "URL|FILE|-")]
    pub source: String,
    /// Address that the file was found at
    #[arg(long, value_name = "BASE")]
    pub url: Option<String>,
}

/// What `notify` does.
#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// List the targets and what waits for them
    #[command(after_help = "Examples:\n  revisor notify list\n  revisor notify list --json")]
    List,
    /// Send a test event, marked as such, and print the answer
    Test(NotifyTestArgs),
    /// Send what failed or waits, now
    Retry(NotifyRetryArgs),
}

/// Arguments of `notify test`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor notify test\n  revisor notify test desk --event entry.revised"
)]
pub struct NotifyTestArgs {
    /// Name of the target; all targets when none is named
    pub target: Option<String>,
    /// Kind of event to send
    #[arg(long, value_name = "EVENT", value_parser = event_kind, default_value = "ping.test")]
    pub event: EventKind,
}

/// Arguments of `notify retry`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor notify retry desk\n  revisor notify retry --all")]
pub struct NotifyRetryArgs {
    /// Name of the target
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub target: Option<String>,
    /// All targets
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing outside of a temporary folder is touched, and no network is used but the loopback.\n\n\
Examples:\n  revisor demo\n  revisor demo --color never"
)]
pub struct DemoArgs {}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor init\n  revisor init --config ./revisor.toml")]
pub struct InitArgs {
    /// Write over a file that exists
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor status\n  revisor status --json")]
pub struct StatusArgs {}

/// What `config` does.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether the configuration can be used, and what its schedules mean
    #[command(
        after_help = "Examples:\n  revisor config check\n  revisor config check ./new-config.toml"
    )]
    Check {
        /// The file; the one in use when none is named
        file: Option<PathBuf>,
    },
    /// Print the configuration as it is used, without secrets
    #[command(after_help = "Examples:\n  revisor config show\n  revisor config show --json")]
    Show,
    /// Print which files are used
    #[command(
        after_help = "Examples:\n  revisor config path\n  $EDITOR \"$(revisor config path -q)\""
    )]
    Path,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor schema event > event.schema.json")]
pub struct SchemaArgs {
    /// Which format
    #[arg(value_enum)]
    pub of: SchemaOf,
}

/// Machine formats with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A line of `log --format ndjson`, and the body of a webhook
    Event,
}

fn change_number(text: &str) -> Result<i64, String> {
    text.strip_prefix('#')
        .unwrap_or(text)
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "expected the number of a change, such as 412 or '#412'".to_owned())
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

fn event_kind(text: &str) -> Result<EventKind, String> {
    EventKind::parse(text).ok_or_else(|| {
        let names: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
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

    #[test]
    fn the_help_of_every_command_ends_with_an_example_that_is_understood() {
        let mut seen = 0;
        walk(&Cli::command(), "revisor", &mut |command, path| {
            let help = command.clone().render_long_help().to_string();
            let (_, examples) = help
                .rsplit_once("Examples:\n")
                .unwrap_or_else(|| panic!("{path} has no example"));
            assert!(!examples.trim().is_empty());
            for example in examples.lines().filter(|line| !line.trim().is_empty()) {
                assert!(example.contains(path), "{path}: {example}");
                let words = example.replace(['\'', '"'], "");
                let Some((_, words)) = words.split_once("revisor ") else {
                    panic!("{path}: {example}");
                };
                let end = words.find(['|', '>', ')']).unwrap_or(words.len());
                let words = std::iter::once("revisor").chain(words[..end].split_whitespace());
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
    fn numbers_of_changes_and_revisions_are_read_strictly() {
        assert_eq!(change_number("#412"), Ok(412));
        assert_eq!(change_number("412"), Ok(412));
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
