//! Arguments of the commands that take care of the database.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `reextract`.
#[derive(Debug, Args)]
#[command(
    after_help = "What revisor reads in a page depends on its version. After an upgrade it reads stored answers anew before \
it compares anything with them; this command does that for all of them at once. It makes no change and alerts nobody, works \
beside a running daemon, and goes on where it was when it is interrupted.\n\n\
Examples:\n  revisor reextract\n  revisor reextract --json"
)]
pub struct ReextractArgs {}

/// What `db` does.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Copy the database to a new file, also while the daemon runs
    #[command(
        after_help = "Examples:\n  revisor db backup /var/backups/revisor-2026-11-23.db\n  \
revisor db backup revisor.copy.db -q"
    )]
    Backup {
        /// The new file; one that exists is never replaced
        file: PathBuf,
    },
    /// Give a copied database its own identity
    #[command(
        after_help = "The ids of new entries are made from the identity of the database. A copy on another machine, a moved \
file and a restored `revisor db backup` get a new one by themselves. Only a copy that was written over the file it was made \
from cannot be recognised. Events need none of this: the name of each is random. Ids that were given stay.\n\n\
Examples:\n  revisor db renew"
    )]
    Renew,
    /// Check that everything stored is whole: file, references, chain, states, diffs
    #[command(
        after_help = "Reads all of the database. Exit code 5 when something is wrong.\n\n\
Examples:\n  revisor db verify\n  revisor db verify --db revisor.copy.db --json"
    )]
    Verify,
    /// Drop what `[keep]` says is not kept any more, and compact the answers that are; hashes, headers and dates stay
    #[command(
        after_help = "Answers that resemble one another are kept as what differs; each can be read as before.\n\
The daemon does all of this by itself once a day.\n\n\
Examples:\n  revisor db prune\n  revisor db prune --dry-run"
    )]
    Prune {
        /// Say what would be dropped, and drop nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
        /// Drop by age although no server that answered lately bears out the clock of this machine
        #[arg(long)]
        trust_clock: bool,
    },
}
