//! Arguments of the commands that maintain the database.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `reextract`.
#[derive(Debug, Args)]
#[command(
    after_help = "What revisor reads in a page depends on its version. After an upgrade it re-reads each stored response before \
comparing anything with it; this command does so for all of them now. It records no changes and sends no alerts, works \
beside a running daemon, and resumes where it was interrupted.\n\n\
Examples:\n  revisor reextract\n  revisor reextract --json"
)]
pub(crate) struct ReextractArgs {}

/// What `db` does.
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Copy the database to a new file, even while the daemon runs
    #[command(
        after_help = "Examples:\n  revisor db backup /var/backups/revisor-2026-11-23.db\n  \
revisor db backup revisor.copy.db -q"
    )]
    Backup {
        /// New file; an existing file is never replaced
        file: PathBuf,
    },
    /// Give a copied database its own identity
    #[command(
        after_help = "The ids of new entries are derived from the identity of the database. A copy on another machine, a moved \
file and a restored `revisor db backup` get a new identity automatically. Only a copy written over its own original \
cannot be recognised. Events need none of this, since their ids are random. Existing ids do not change.\n\n\
Examples:\n  revisor db renew"
    )]
    Renew,
    /// Build the search index again
    #[command(
        after_help = "The index is kept up to date by itself; after an upgrade the service builds it in the background. \
This command builds it now, from nothing.\n\n\
Examples:\n  revisor db reindex"
    )]
    Reindex,
    /// Verify the whole database: file, references, hash chain, states, diffs
    #[command(
        after_help = "Reads the whole database. The exit code is 5 if something is wrong.\n\n\
Examples:\n  revisor db verify\n  revisor db verify --db revisor.copy.db --json"
    )]
    Verify,
    /// Delete data older than `[keep]` allows and compact the rest; hashes, headers and dates are kept
    #[command(
        after_help = "Similar responses are stored as differences; each can still be read in full.\n\
The daemon does this once a day.\n\n\
Examples:\n  revisor db prune\n  revisor db prune --dry-run"
    )]
    Prune {
        /// Report what would be deleted, delete nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
        /// Prune by age even if the system clock could not be confirmed
        #[arg(long)]
        trust_clock: bool,
    },
}
