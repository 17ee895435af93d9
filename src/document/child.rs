//! The process that reads one PDF: limits first, then the bytes.

use std::io::{self, Read as _, Write as _};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use serde::{Deserialize, Serialize};

use crate::domain::state::Block;
use crate::extract::pdf;

/// The argument that starts this program as such a process.
pub(crate) const ARGUMENT: &str = "read-pdf";

/// The limit of processor time, in seconds.
pub(super) const CPU_SECONDS: u64 = 4;

/// The limit of memory that the process writes to.
pub(super) const DATA_BYTES: u64 = 192 << 20;

/// The limit of mapped memory, including the program.
const MAPPED_BYTES: u64 = 1 << 30;

/// The longest PDF that is read.
const INPUT_BYTES: u64 = 64 << 20;

/// What the process returns.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChildResult {
    /// The text.
    Text {
        /// Its blocks; never empty.
        blocks: Vec<Block>,
        /// Whether the file was longer than the limit for reading.
        truncated: bool,
    },
    /// Why there is no text.
    NoText(String),
}

/// Reads the PDF on standard input and writes its text to standard output.
///
/// # Errors
/// If the limits cannot be set, or a stream breaks; then nothing was read, or nobody is listening.
pub(crate) fn run() -> io::Result<()> {
    limit()?;
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(INPUT_BYTES)
        .read_to_end(&mut bytes)?;
    let answer = match pdf::text(bytes) {
        Ok(text) => ChildResult::Text {
            blocks: text.blocks,
            truncated: text.truncated,
        },
        Err(why) => ChildResult::NoText(why.to_string()),
    };
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &answer)?;
    stdout.flush()
}

/// Drops the rights that reading a PDF does not need.
fn limit() -> io::Result<()> {
    let limits = [
        (Resource::Cpu, CPU_SECONDS),
        (Resource::Data, DATA_BYTES),
        (Resource::As, MAPPED_BYTES),
        // Standard input, output and error; it opens no other files and starts no other processes.
        (Resource::Nofile, 3),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
    ];
    for (resource, limit) in limits {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        setrlimit(resource, limit)?;
    }
    // Without the parent, nobody would read the result.
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}
