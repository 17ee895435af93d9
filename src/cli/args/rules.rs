//! Arguments of `rules`.

use clap::{Args, Subcommand};

/// Arguments of `rules`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  revisor rules\n  revisor rules --feed example-news --all\n  revisor rules drop 7\n  \
revisor rules test --since 30d"
)]
pub(crate) struct RulesArgs {
    /// Only this feed (name or address)
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
    /// Include rules that are no longer in force
    #[arg(long)]
    pub all: bool,
    /// What to do; list them when nothing is said.
    #[command(subcommand)]
    pub what: Option<RulesCommand>,
}

/// What `rules` does.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Make rules permanent
    #[command(after_help = "Examples:\n  revisor rules keep 7\n  revisor rules keep 7 8 9")]
    Keep {
        /// Numbers of rules
        #[arg(required = true, value_name = "NUMBER")]
        rules: Vec<i64>,
    },
    /// Delete rules and never learn them again
    #[command(after_help = "Examples:\n  revisor rules drop 7\n  revisor rules drop 7 8 9")]
    Drop {
        /// Numbers of rules
        #[arg(required = true, value_name = "NUMBER")]
        rules: Vec<i64>,
    },
    /// Ignore blocks with this text
    Add(RulesAddArgs),
    /// Show which stored changes the current rules would still report
    Test(RulesTestArgs),
}

/// Arguments of `rules add`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor rules add 'Follow us for more' --feed example-news\n  \
revisor rules add '12 people are reading this' --like\n  \
revisor rules add 'viewed [0-9]+ times' --ignore --feed example-news"
)]
pub(crate) struct RulesAddArgs {
    /// The text of a block, or a regular expression
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// For this feed (name or address); for all feeds when none is named
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
    /// Whatever its numbers and names
    #[arg(long, conflicts_with = "ignore")]
    pub like: bool,
    /// TEXT is a regular expression for parts of texts
    #[arg(long)]
    pub ignore: bool,
}

/// Arguments of `rules test`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor rules test --since 30d\n  revisor rules test --feed example-news --json"
)]
pub(crate) struct RulesTestArgs {
    /// Changes from this time on, as in `log`
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30d",
        allow_hyphen_values = true
    )]
    pub since: String,
    /// Only this feed (name or address)
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
}
