//! Arguments of `rules`.

use clap::{Args, Subcommand};

/// Arguments of `rules`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  revisor rules\n  revisor rules --feed example-news --all\n  revisor rules drop 7\n  \
revisor rules test --since 30d"
)]
pub struct RulesArgs {
    /// Of this feed (name or address)
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
    /// Also those that are not in force any more
    #[arg(long)]
    pub all: bool,
    /// What to do; list them when nothing is said.
    #[command(subcommand)]
    pub what: Option<RulesCommand>,
}

/// What `rules` does.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Put rules in force and keep them so
    #[command(after_help = "Examples:\n  revisor rules keep 7\n  revisor rules keep 7 8 9")]
    Keep {
        /// Numbers of rules
        #[arg(required = true, value_name = "NUMBER")]
        rules: Vec<i64>,
    },
    /// End rules; what was learned is not learned again
    #[command(after_help = "Examples:\n  revisor rules drop 7\n  revisor rules drop 7 8 9")]
    Drop {
        /// Numbers of rules
        #[arg(required = true, value_name = "NUMBER")]
        rules: Vec<i64>,
    },
    /// Leave blocks with this text out of the comparison
    Add(RulesAddArgs),
    /// Say what the rules in force would have told of the stored past
    Test(RulesTestArgs),
}

/// Arguments of `rules add`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  revisor rules add 'Follow us for more' --feed example-news\n  \
revisor rules add '12 people are reading this' --like\n  \
revisor rules add 'viewed [0-9]+ times' --ignore --feed example-news"
)]
pub struct RulesAddArgs {
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
pub struct RulesTestArgs {
    /// Changes from this time on, as in `log`
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30d",
        allow_hyphen_values = true
    )]
    pub since: String,
    /// Of this feed (name or address)
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
}
