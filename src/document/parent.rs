//! Starts and ends the process that reads a PDF.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::Unreadable;
use super::child::{ARGUMENT, CPU_SECONDS, ChildResult};
use crate::extract::pdf::PdfText;

/// The longest time that a child may take; it may have to wait for a processor.
const WALL: Duration = Duration::from_secs(5 * CPU_SECONDS);

/// The longest output that is read.
const OUTPUT_BYTES: u64 = 16 << 20;

/// This program, even if its file was replaced since it was started.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// One child at a time: each may take as much memory as the rest of the service.
static TURN: Mutex<()> = Mutex::new(());

/// The result for a PDF.
pub(super) enum PdfResult {
    Text(PdfText),
    NoText(String),
    OverLimit,
}

/// A child process that is ended when this is dropped.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // If it has already ended, both calls fail, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn read_pdf(bytes: &[u8]) -> Result<PdfResult, Unreadable> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut child = Reaped(start().map_err(Unreadable::Start)?);
    let output = exchange(&mut child.0, bytes)?;
    let status = child.0.wait().map_err(Unreadable::Start)?;
    outcome(&output, status)
}

fn start() -> std::io::Result<Child> {
    let program = PathBuf::from(THIS_PROGRAM);
    let program = match program.exists() {
        true => program,
        false => std::env::current_exe()?,
    };
    Command::new(program)
        .arg(ARGUMENT)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// Writes the bytes and reads the output; both pipes are closed afterwards.
fn exchange(child: &mut Child, bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(Unreadable::Answer);
    };
    thread::scope(|scope| {
        let (sender, answers) = mpsc::channel();
        // A child that ends early closes the pipe; its output, or how it ended, shows why.
        scope.spawn(move || drop(stdin.write_all(bytes)));
        scope.spawn(move || {
            let mut output = Vec::new();
            let read = stdout.take(OUTPUT_BYTES + 1).read_to_end(&mut output);
            let _ = sender.send(read.map(|_| output));
        });
        let answer = answers.recv_timeout(WALL);
        if answer.is_err() {
            // Ends both threads, which are waiting for the child.
            let _ = child.kill();
        }
        match answer {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(_)) => Err(Unreadable::Answer),
            Err(_) => Err(Unreadable::Late(WALL.as_secs())),
        }
    })
}

fn outcome(output: &[u8], status: ExitStatus) -> Result<PdfResult, Unreadable> {
    if output.len() as u64 > OUTPUT_BYTES {
        return Ok(PdfResult::OverLimit);
    }
    match serde_json::from_slice(output) {
        Ok(ChildResult::Text { blocks, truncated }) if status.success() => {
            Ok(PdfResult::Text(PdfText { blocks, truncated }))
        }
        Ok(ChildResult::NoText(why)) if status.success() => Ok(PdfResult::NoText(why)),
        // Ended by a signal, because of a limit or because memory was refused; or by a bug in the PDF reader, which
        // would occur again with the same file.
        _ if status.code().is_none_or(|code| code == PANICKED) => Ok(PdfResult::OverLimit),
        _ => Err(Unreadable::Answer),
    }
}

/// The exit code of a program that panicked.
const PANICKED: i32 = 101;
