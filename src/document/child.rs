//! The process that reads one PDF: limits first, then the bytes.

use std::io::{self, Read as _, Write as _};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use serde::{Deserialize, Serialize};

use crate::domain::state::Block;
use crate::extract::pdf;

/// The argument by which this program is such a process.
pub const ARGUMENT: &str = "read-pdf";

/// Processor time, in seconds.
pub(super) const CPU_SECONDS: u64 = 4;

/// Memory that is written to.
pub(super) const DATA_BYTES: u64 = 192 << 20;

/// Memory that is mapped, the program included.
const MAPPED_BYTES: u64 = 1 << 30;

/// The longest PDF that is read.
const INPUT_BYTES: u64 = 64 << 20;

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// The text.
    Text {
        /// Its blocks, never none.
        blocks: Vec<Block>,
        /// Whether the file was longer than what is read of one.
        truncated: bool,
    },
    /// Why there is none.
    NoText(String),
}

/// Reads the PDF on standard input and writes its text to standard output.
///
/// # Errors
/// When the limits cannot be set, or a stream breaks; then nothing was read or nobody listens.
pub fn run() -> io::Result<()> {
    limit()?;
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(INPUT_BYTES)
        .read_to_end(&mut bytes)?;
    let answer = match pdf::text(bytes) {
        Ok(text) => Answer::Text {
            blocks: text.blocks,
            truncated: text.truncated,
        },
        Err(why) => Answer::NoText(why.to_string()),
    };
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &answer)?;
    stdout.flush()
}

/// Takes from this process what reading a PDF does not need.
fn limit() -> io::Result<()> {
    let limits = [
        (Resource::Cpu, CPU_SECONDS),
        (Resource::Data, DATA_BYTES),
        (Resource::As, MAPPED_BYTES),
        // Standard input, output and error; nothing is opened and nothing is started.
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
    // Nobody would take the answer.
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}
