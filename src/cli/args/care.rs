//! Arguments of the commands that take care of the database.

use clap::Args;

/// Arguments of `reextract`.
#[derive(Debug, Args)]
#[command(
    after_help = "What revisor reads in a page depends on its version. After an upgrade it reads stored answers anew before \
it compares anything with them; this command does that for all of them at once. It makes no change and alerts nobody, works \
beside a running daemon, and goes on where it was when it is interrupted.\n\n\
Examples:\n  revisor reextract\n  revisor reextract --json"
)]
pub struct ReextractArgs {}
