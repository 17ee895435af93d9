//! Arguments of the commands for the service, its alerts and its maintenance.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::config::LogFormat;
use crate::domain::event::EventKind;

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor run\n  revisor run --config /etc/revisor/config.toml -v"
)]
pub(crate) struct RunArgs {
    /// Log format: auto, text, journal, json [default: as configured]
    #[arg(long, value_name = "FORM", value_parser = log_format)]
    pub log_format: Option<LogFormat>,
}

/// What `tokens` does.
#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// Make a token and print it, once
    #[command(after_help = "Examples:\n  revisor tokens add newsroom")]
    Add {
        /// Whose it is, or what it is for
        name: String,
    },
    /// List tokens by name
    #[command(after_help = "Examples:\n  revisor tokens list\n  revisor tokens list --json")]
    List,
    /// Delete a token: it is refused at once
    #[command(after_help = "Examples:\n  revisor tokens rm newsroom")]
    Rm {
        /// Its name
        name: String,
    },
}

/// What `inspect` looks at.
#[derive(Debug, Subcommand)]
pub(crate) enum InspectCommand {
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
pub(crate) struct InspectFeedArgs {
    /// An address, a file, or - for standard input
    #[arg(value_name = "URL|FILE|-")]
    pub source: String,
    /// Content type the file was served with
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
}

/// Arguments of `inspect article`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor inspect article https://news.example/a/123\n  \
revisor inspect article saved.html --url https://news.example/a/123 --json\n  \
revisor inspect article https://news.example/a/123 --explain --feed example-news"
)]
pub(crate) struct InspectArticleArgs {
    /// An address, a file, or - for standard input
    #[arg(value_name = "URL|FILE|-")]
    pub source: String,
    /// Address the file was fetched from
    #[arg(long, value_name = "BASE")]
    pub url: Option<String>,
    /// Explain for each block why it is, or is not, part of the article
    #[arg(long)]
    pub explain: bool,
    /// Use the settings and rules of this feed (name or address)
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
}

/// What `notify` does.
#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// List targets and their pending deliveries
    #[command(after_help = "Examples:\n  revisor notify list\n  revisor notify list --json")]
    List,
    /// Show the deliveries of an event, with every attempt
    Show(NotifyShowArgs),
    /// Send a test event and print the response
    Test(NotifyTestArgs),
    /// Send posts that wait for confirmation
    Release(NotifyReleaseArgs),
    /// Retry failed and pending deliveries now
    Retry(NotifyRetryArgs),
    /// Give up an event that blocks a target or that its receiver keeps refusing
    Skip(NotifySkipArgs),
    /// Send past events again, including delivered ones
    Replay(NotifyReplayArgs),
    /// Queue a target's alerts until it is resumed
    #[command(
        after_help = "Examples:\n  revisor notify pause desk\n  revisor notify pause desk archive"
    )]
    Pause {
        /// Names of targets
        #[arg(required = true, value_name = "TARGET")]
        targets: Vec<String>,
    },
    /// Resume a paused or disabled target
    #[command(
        after_help = "Events from the time a target was disabled are not sent automatically; `revisor notify retry` sends them.\n\n\
Examples:\n  revisor notify resume desk"
    )]
    Resume {
        /// Names of targets
        #[arg(required = true, value_name = "TARGET")]
        targets: Vec<String>,
    },
}

/// Arguments of `notify show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor notify show 412\n  revisor notify show msg_4f1c…")]
pub(crate) struct NotifyShowArgs {
    /// A change number, or a webhook-id (msg_…)
    pub event: String,
}

/// Arguments of `notify release`.
#[derive(Debug, Args)]
#[command(
    after_help = "Targets with `confirm = \"hold\"` post nothing by themselves. Without EVENT the waiting posts are listed.\n\n\
Examples:\n  revisor notify release\n  revisor notify release 412\n  revisor notify release --all"
)]
pub(crate) struct NotifyReleaseArgs {
    /// Change numbers or webhook-ids (msg_…)
    #[arg(value_name = "EVENT", conflicts_with = "all")]
    pub events: Vec<String>,
    /// Only posts of this target
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// Everything that waits
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `notify test`.
#[derive(Debug, Args)]
#[command(
    after_help = "A kind of target can be tried without a configuration, with its keys as KEY=VALUE. Secrets must not be on a \
command line, where other users can see them: use KEY_file or KEY_env.\n\n\
Examples:\n  revisor notify test\n  revisor notify test desk --event entry.revised\n  revisor notify test desk --print\n  \
revisor notify test telegram chat=-1001234567890 token_file=telegram.token"
)]
pub(crate) struct NotifyTestArgs {
    /// Name of the target, or a kind of target [default: all but public accounts]
    pub target: Option<String>,
    /// Keys of the kind
    #[arg(value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Type of event to send
    #[arg(long, value_name = "EVENT", value_parser = event_kind, default_value = "ping.test")]
    pub event: EventKind,
    /// Print what would be sent, send nothing
    #[arg(long)]
    pub print: bool,
}

/// Arguments of `notify retry`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor notify retry desk\n  revisor notify retry desk '#412'\n  revisor notify retry --all"
)]
pub(crate) struct NotifyRetryArgs {
    /// Name of the target
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub target: Option<String>,
    /// Only these events: a webhook-id (msg_…) or a change number
    #[arg(value_name = "EVENT", conflicts_with = "all")]
    pub events: Vec<String>,
    /// All targets
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `notify skip`.
#[derive(Debug, Args)]
#[command(
    after_help = "`revisor notify list` lists the events that receivers keep refusing. A skipped event is kept; \
`revisor notify retry TARGET EVENT` sends it after all.\n\n\
Examples:\n  revisor notify skip desk\n  revisor notify skip desk '#412'\n  revisor notify skip desk msg_4f1c…"
)]
pub(crate) struct NotifySkipArgs {
    /// Name of the target
    pub target: String,
    /// Webhook-ids (msg_…) or change numbers [default: the event that blocks the others]
    #[arg(value_name = "EVENT")]
    pub events: Vec<String>,
}

/// Arguments of `notify replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Sends the same events again in their original order, each with its original `webhook-id`, so a receiver \
that already has an event can drop the copy. Pending deliveries follow after them.\n\n\
Examples:\n  revisor notify replay --since 2d --target desk\n  \
revisor notify replay --since 2026-11-20T10:00 --until 2026-11-20T12:00\n  \
revisor notify replay --since yesterday --dry-run"
)]
pub(crate) struct NotifyReplayArgs {
    /// Events since this time: 2d, yesterday, 2026-11-20, 2026-11-20T10:00
    #[arg(long, value_name = "TIME")]
    pub since: String,
    /// Events before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Name of a target; can be repeated [default: all]
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Report how many would be sent, send nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Uses a temporary folder and the loopback network only.\n\n\
Examples:\n  revisor demo\n  revisor demo --color never"
)]
pub(crate) struct DemoArgs {}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor init\n  revisor init --config ./revisor.toml")]
pub(crate) struct InitArgs {
    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints one line per check: ok, warn or fail, with a hint. Changes nothing and does not use the network. The \
exit code is 3 if something fails.\n\n\
Examples:\n  revisor doctor\n  revisor doctor --json"
)]
pub(crate) struct DoctorArgs {}

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor status\n  revisor status --json")]
pub(crate) struct StatusArgs {}

/// What `config` does.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration and explain its schedules
    #[command(
        after_help = "Examples:\n  revisor config check\n  revisor config check ./new-config.toml"
    )]
    Check {
        /// File to check [default: the one in use]
        file: Option<PathBuf>,
    },
    /// Make the running service reload the configuration, and report the result
    #[command(after_help = "Examples:\n  revisor config reload")]
    Reload,
    /// Print the effective configuration, without secrets
    #[command(after_help = "Examples:\n  revisor config show\n  revisor config show --json")]
    Show,
    /// Print which files are in use
    #[command(
        after_help = "Examples:\n  revisor config path\n  $EDITOR \"$(revisor config path -q)\""
    )]
    Path,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor schema event > event.schema.json")]
pub(crate) struct SchemaArgs {
    /// Which machine format
    #[arg(value_enum)]
    pub of: SchemaOf,
}

/// Machine formats with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// A line of `log --format ndjson`, and the body of a webhook
    Event,
}

fn event_kind(text: &str) -> Result<EventKind, String> {
    EventKind::parse(text).ok_or_else(|| {
        let names: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    let known = LogFormat::ALL.into_iter();
    known
        .clone()
        .find(|format| format.as_str() == text)
        .ok_or_else(|| {
            let names: Vec<&str> = known.map(LogFormat::as_str).collect();
            format!("expected one of {}", names.join(", "))
        })
}

/// Arguments of `help`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  revisor help log\n  revisor help alerts")]
pub(crate) struct HelpArgs {
    /// A command, or a topic: alerts, configuration, evidence, files, ignored, limits, options, service
    #[arg(value_name = "COMMAND|TOPIC")]
    pub of: Vec<String>,
}
