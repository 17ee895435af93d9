//! The git repository of `revisor export git --into`, which `git` itself creates, reads and fills.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use crate::error::Error;
use crate::report::clean;
use crate::report::export::git::{BRANCH, ROW};

/// The key of the repository's configuration that identifies the source database.
const DATABASE: &str = "revisor.database";

/// A repository of histories.
pub(super) struct Repository {
    path: PathBuf,
}

impl Repository {
    /// Opens a repository that was made from this database, or creates one in a folder that is empty or does not
    /// exist.
    pub(super) fn open(path: &Path, database: &str) -> Result<Self, Error> {
        let repository = Self {
            path: path.to_owned(),
        };
        let is_empty = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => {
                return Err(Error::usage(format!("cannot read {}", path.display())).because(error));
            }
        };
        if is_empty {
            let made = Command::new("git")
                .args(["init", "--quiet", "--initial-branch=main", "--"])
                .arg(path)
                .output();
            succeeded(made, "cannot create the repository")?;
            repository.git(&["config", DATABASE, database])?;
            return Ok(repository);
        }
        let known = repository.git(&["config", "--local", "--get", DATABASE]);
        match known.as_deref().map(str::trim) {
            Ok(known) if known == database => Ok(repository),
            Ok(_) => Err(Error::usage(format!(
                "{} was exported from another database",
                path.display()
            ))
            .hint("choose another folder")),
            Err(_) => Err(Error::usage(format!(
                "{} is not a repository of `revisor export git`",
                path.display()
            ))
            .hint("choose a new folder, or an empty one")),
        }
    }

    /// The row of the newest revision in it; `None` if it has none.
    pub(super) fn last_row(&self) -> Result<Option<i64>, Error> {
        if self
            .git(&["rev-parse", "--verify", "--quiet", BRANCH])
            .is_err()
        {
            return Ok(None);
        }
        let message = self.git(&["log", "-1", "--format=%B", BRANCH])?;
        let row = message
            .lines()
            .filter_map(|line| {
                line.strip_prefix(ROW)?
                    .strip_prefix(": ")?
                    .trim()
                    .parse()
                    .ok()
            })
            .next_back();
        match row {
            Some(row) => Ok(Some(row)),
            None => Err(Error::usage(format!(
                "the newest commit on main of {} was not made by revisor, so it cannot be continued",
                self.path.display()
            ))
            .hint("keep your own commits on another branch")),
        }
    }

    /// Starts an import. Nothing is visible before [`FastImport::finish`].
    pub(super) fn import(&self) -> Result<FastImport, Error> {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(&self.path)
            .args(["fast-import", "--quiet", "--done"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Error::usage("cannot start git").because(error))?;
        let stdin = child.stdin.take().map(BufWriter::new);
        Ok(FastImport {
            child,
            stdin,
            path: self.path.clone(),
        })
    }

    fn git(&self, arguments: &[&str]) -> Result<String, Error> {
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.path)
            .args(arguments)
            .output();
        let output = succeeded(output, "cannot use the repository")?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A running `git fast-import`.
pub(super) struct FastImport {
    child: Child,
    stdin: Option<BufWriter<ChildStdin>>,
    path: PathBuf,
}

impl FastImport {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(stdin) = &mut self.stdin else {
            return Ok(());
        };
        stdin
            .write_all(bytes)
            .map_err(|error| Error::usage("git has stopped reading").because(error))
    }

    /// Waits until git has stored everything, and checks out the newest state of the files.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let flushed = self.stdin.take().map(|mut stdin| stdin.flush());
        let output = self.child.wait_with_output();
        succeeded(output, "git did not accept the export")?;
        if let Some(Err(error)) = flushed {
            return Err(Error::usage("git has stopped reading").because(error));
        }
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.path)
            .args(["reset", "--hard", "--quiet", BRANCH])
            .output();
        succeeded(output, "cannot check out the files").map(drop)
    }

    /// Stops it after a failure; returns the error message of git, if there is one.
    pub(super) fn cancel(mut self) -> Option<Error> {
        drop(self.stdin.take());
        let output = self.child.wait_with_output();
        succeeded(output, "git did not accept the export").err()
    }
}

fn succeeded(output: std::io::Result<Output>, what: &str) -> Result<Output, Error> {
    let output = output.map_err(|error| {
        let hint = "install git, or write the stream to a file: revisor export git -o history.fi";
        Error::usage("cannot start git").because(error).hint(hint)
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = clean::excerpt(said.trim(), 300);
    Err(Error::usage(format!("{what}: {said}")))
}
