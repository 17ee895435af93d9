//! Arguments of the commands about feeds and their checks.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `add`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor add https://news.example/rss.xml --tag politics --every 5m\n  \
revisor add news.example --pick 1\n  revisor add --watch-page https://shop.example/terms --every 6h"
)]
pub(crate) struct AddArgs {
    /// Addresses of feeds, or of sites that have feeds
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// Name of the feed [default: made from its title]
    #[arg(long)]
    pub name: Option<String>,
    /// Tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// How often to poll: 5m, 1h
    #[arg(long, value_name = "INTERVAL")]
    pub every: Option<String>,
    /// Add the Nth of the feeds found
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub pick: Option<usize>,
    /// Add all the feeds found
    #[arg(long)]
    pub all: bool,
    /// Watch these pages themselves: pages that no feed lists, such as terms of service
    #[arg(long, conflicts_with_all = ["pick", "all", "page"])]
    pub watch_page: bool,
    /// When to check article pages: always, changed, off
    #[arg(long, value_enum, hide_possible_values = true, value_name = "WHEN")]
    pub page: Option<PageWhen>,
}

/// When to check article pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageWhen {
    /// On the check schedule of the page
    Always,
    /// When the entry in the feed has changed
    Changed,
    /// Never
    Off,
}

impl PageWhen {
    /// The value of `page.fetch` in the configuration.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
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
pub(crate) struct RmArgs {
    /// Names or addresses of feeds
    #[arg(required = true, value_name = "FEED")]
    pub feeds: Vec<String>,
}

/// Arguments of `mv`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor mv example-news https://www.news.example/rss.xml\n  \
revisor mv http://news.example/rss https://news.example/rss"
)]
pub(crate) struct MvArgs {
    /// Name or address of the feed
    #[arg(value_name = "OLD")]
    pub from: String,
    /// Its new address
    #[arg(value_name = "NEW")]
    pub to: String,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "Reads OPML, the `urls` file of newsboat, and lists with one address per line (# starts a comment). Folders and \
categories become tags. Each address is added once, without fetching it. The output has a line for each item of the \
list; the exit code is 3 if some of them failed.\n\n\
Examples:\n  revisor import subscriptions.opml\n  revisor import ~/.newsboat/urls --tag desk --dry-run\n  \
curl -s https://news.example/feeds.opml | revisor import -\n  revisor import diffengine diffengine.db"
)]
pub(crate) struct ImportArgs {
    /// What another program has recorded.
    #[command(subcommand)]
    pub past: Option<ImportPast>,
    /// File to read, or - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub source: Option<String>,
    /// Tag for each added feed; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Report what would be done, write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// What other programs have recorded.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportPast {
    /// Import the history that diffengine has recorded, as revisions that send no alerts
    #[command(
        after_help = "Each version becomes a revision with the time that diffengine stored it, and each difference a change \
that `revisor log`, `search` and `export` know. The file is only read. Feeds that are not in the configuration are not \
polled; add one later, and its history continues. Articles that revisor has already watched are left as they are. After \
an interruption, run the command again: nothing is imported twice.\n\n\
Examples:\n  revisor import diffengine ~/.diffengine/diffengine.db"
    )]
    Diffengine(ImportPastArgs),
}

/// Arguments of `import diffengine`.
#[derive(Debug, Args)]
pub(crate) struct ImportPastArgs {
    /// The database
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// What `export` writes.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Feeds as OPML 2.0, for other readers
    #[command(after_help = "Examples:\n  revisor export opml > feeds.opml")]
    Opml,
    /// Feeds as [[feed]] tables with all their settings, for another configuration
    #[command(after_help = "Examples:\n  revisor export toml >> other.toml")]
    Toml,
    /// The evidence for a change, as one page that others can read and check
    #[command(
        after_help = "The page holds the change, the two checks it was found between, the server's responses with their headers, \
both texts, and the chain of hashes up to the change. It ends with instructions for checking it without revisor.\n\n\
Examples:\n  revisor export evidence 412 -o change-412.html\n  revisor export evidence 412 > change-412.html"
    )]
    Evidence(EvidenceArgs),
    /// Changes as a table, with the sentences that were removed and added
    #[command(
        after_help = "A row for each change, also those that sent no alert (column `not_reported_because`). Times are UTC.\n\n\
Examples:\n  revisor export csv --since 30d -o november.csv\n  revisor export csv --feed example-news > changes.csv"
    )]
    Csv(PeriodArgs),
    /// Events as JSON, one per line
    #[command(
        after_help = "Each line is what a webhook receives; `revisor schema` prints the schema.\n\n\
Examples:\n  revisor export ndjson --since 7d | jq -r .data.after.title\n  revisor export ndjson --revisions -o everything.ndjson"
    )]
    Ndjson(NdjsonArgs),
    /// Revisions as commits of a git repository
    #[command(
        after_help = "Each article is a file and each revision a commit, so that `git log -p --word-diff` and `git blame` tell its \
story. With --into the repository is created, or continued where the last export ended. Without it the stream for \
`git fast-import` is written to the output.\n\n\
Examples:\n  revisor export git --into history\n  revisor export git --feed example-news | git -C history fast-import"
    )]
    Git(GitArgs),
    /// Stored responses as a web archive (WARC)
    #[command(
        after_help = "A gzip file for replay tools such as pywb, with the responses that are still stored and their requests.\n\n\
Examples:\n  revisor export warc --since 7d -o week.warc.gz"
    )]
    Warc(PeriodArgs),
    /// The web pages as files, to publish or to keep
    #[command(
        after_help = "The folder can be copied to any web server, or opened from the disk: links are relative, and no page has a script. \
Run the command again to bring it up to date, or after an interruption; files that stay the same are not written.\n\n\
Examples:\n  revisor export site public\n  revisor export site public --tag politics"
    )]
    Site(SiteArgs),
}

/// Arguments of `export site`.
#[derive(Debug, Args)]
pub(crate) struct SiteArgs {
    /// Folder to create, or to bring up to date
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Only this feed (name or address); can be repeated
    #[arg(long, value_name = "FEED")]
    pub feed: Vec<String>,
    /// Only feeds with this tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
}

/// Which part of the history to export.
#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// Only what was found since this time: 2d, yesterday, 2026-11-20
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Only what was found before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Only this feed (name or address); can be repeated
    #[arg(long, value_name = "FEED")]
    pub feed: Vec<String>,
    /// Only feeds with this tag; can be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// File to write; an existing file is not replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `export ndjson`.
#[derive(Debug, Args)]
pub(crate) struct NdjsonArgs {
    /// Also export the texts of all revisions, as lines of the type `revision`
    #[arg(long)]
    pub revisions: bool,
    /// Which part.
    #[command(flatten)]
    pub period: PeriodArgs,
}

/// Arguments of `export git`.
#[derive(Debug, Args)]
pub(crate) struct GitArgs {
    /// Repository to create or continue
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    pub into: Option<PathBuf>,
    /// Which part.
    #[command(flatten)]
    pub period: PeriodArgs,
}

/// Arguments of `export evidence`.
#[derive(Debug, Args)]
pub(crate) struct EvidenceArgs {
    /// Number of the change, as shown by `revisor log`, or `latest`
    #[arg(value_name = "CHANGE", value_parser = super::read::change_number)]
    pub change: super::ChangeArg,
    /// File to write; an existing file is not replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `pause`.
#[derive(Debug, Args)]
#[command(
    after_help = "Neither the feed nor its pages are checked until it is resumed.\n\n\
Examples:\n  revisor pause example-news\n  revisor pause https://news.example/rss.xml"
)]
pub(crate) struct PauseArgs {
    /// Names or addresses of feeds
    #[arg(required = true, value_name = "FEED")]
    pub feeds: Vec<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
#[command(
    after_help = "The feed is checked right away, as if it had never failed. This also revives a feed that was reported as gone.\n\n\
Examples:\n  revisor resume example-news"
)]
pub(crate) struct ResumeArgs {
    /// Names or addresses of feeds
    #[arg(required = true, value_name = "FEED")]
    pub feeds: Vec<String>,
}

/// Arguments of `feeds`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor feeds\n  revisor feeds --json")]
pub(crate) struct FeedsArgs {}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor check\n  revisor check example-news --force\n  \
revisor check --exit-code --json"
)]
pub(crate) struct CheckArgs {
    /// Names or addresses of feeds [default: all]
    #[arg(value_name = "FEED")]
    pub feeds: Vec<String>,
    /// Check every feed and every page that is still being checked, due or not
    #[arg(long)]
    pub force: bool,
    /// Fetch and compare, but store and send nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Exit with code 1 if there are changes
    #[arg(long)]
    pub exit_code: bool,
}
