//! Arguments of the commands about feeds and their checks.

use clap::{Args, Subcommand, ValueEnum};

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

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads OPML, the `urls` file of newsboat, and lists with one address a line (# begins a comment). Folders and \
categories become tags. Every address is added once, without asking for it; the answer has a line for each place of the \
list, and the exit code is 3 when some of them failed.\n\n\
Examples:\n  revisor import subscriptions.opml\n  revisor import ~/.newsboat/urls --tag desk --dry-run\n  \
curl -s https://news.example/feeds.opml | revisor import -"
)]
pub struct ImportArgs {
    /// File to read, or - for standard input
    #[arg(value_name = "FILE")]
    pub source: String,
    /// Tag for every feed that is added, may be given several times
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Report only, write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// What `export` writes.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// The feeds as OPML 2.0, for other readers
    #[command(after_help = "Examples:\n  revisor export opml > feeds.opml")]
    Opml,
    /// The feeds as [[feed]] tables, with all their settings, for another configuration
    #[command(after_help = "Examples:\n  revisor export toml >> other.toml")]
    Toml,
    /// A change with all that stands behind it, as one page that others can read and check
    #[command(
        after_help = "The page has what was changed, between which looks, the answers of the servers with their headers, \
both texts, and the chain of hashes up to the change; at its end it says how to check it without revisor.\n\n\
Examples:\n  revisor export evidence 412 -o change-412.html\n  revisor export evidence 412 > change-412.html"
    )]
    Evidence(EvidenceArgs),
}

/// Arguments of `export evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// Number of the change, as `revisor log` shows it
    #[arg(value_name = "CHANGE", value_parser = super::read::change_number)]
    pub change: i64,
    /// File to write; one that exists is not replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<std::path::PathBuf>,
}

/// Arguments of `pause`.
#[derive(Debug, Args)]
#[command(
    after_help = "A feed that is paused is not asked for, nor are its pages, until it is resumed.\n\n\
Examples:\n  revisor pause example-news\n  revisor pause https://news.example/rss.xml"
)]
pub struct PauseArgs {
    /// Names or addresses of feeds
    #[arg(required = true, value_name = "FEED")]
    pub feeds: Vec<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
#[command(
    after_help = "The feed is due at once, as if it had never failed; this also takes up again one that was gone.\n\n\
Examples:\n  revisor resume example-news"
)]
pub struct ResumeArgs {
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
