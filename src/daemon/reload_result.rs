//! The result of the last reload, for the command that requested it: a signal has no response. It is in a small
//! file next to the database, which can be written and read even while the database is locked.

use data_encoding::HEXLOWER;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::drop_ins;
use crate::store::beside;
use crate::time::Timestamp;

/// The suffix to the name of the database.
const END: &str = ".reload";

/// The result of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReloadResult {
    /// When it ended, in milliseconds; this distinguishes two reloads of the same file.
    at: i64,
    /// SHA-256 of the configuration.
    config: String,
    /// Why the old configuration stays in force; `None` if the new one is in force.
    error: Option<String>,
}

impl ReloadResult {
    /// The result for the configuration with this hash.
    pub(super) fn new(config: String, at: Timestamp, error: Option<String>) -> Self {
        let at = at.as_millis();
        Self { at, config, error }
    }

    /// The last result of the service on this database, if there is one.
    #[must_use]
    pub(crate) fn last(database: &Path) -> Option<Self> {
        let text = std::fs::read(beside(database, END)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Whether it is for the configuration with this hash.
    #[must_use]
    pub(crate) fn is_of(&self, config: &str) -> bool {
        self.config == config
    }

    /// Why the old configuration stays in force; `None` if the new one is in force.
    #[must_use]
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Writes the file, completely or not at all.
    pub(super) fn leave(&self, database: &Path) -> std::io::Result<()> {
        let place = beside(database, END);
        let folder = place.parent().filter(|folder| *folder != Path::new(""));
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.persist(place)?;
        Ok(())
    }
}

/// The hash of a configuration: of its file and the files in `conf.d`; without a file, the hash of nothing.
#[must_use]
pub(crate) fn hash_of(file: Option<&Path>) -> String {
    let mut hash = Sha256::new();
    // If the folder cannot be read, loading the configuration reports it.
    let drop_ins = file.map(|file| drop_ins(file).unwrap_or_default());
    let files = file
        .into_iter()
        .map(Path::to_path_buf)
        .chain(drop_ins.into_iter().flatten());
    for file in files {
        hash.update(std::fs::read(file).unwrap_or_default());
    }
    HEXLOWER.encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let (database, file) = (folder.path().join("x.db"), folder.path().join("x.toml"));
        std::fs::write(&file, "[web]").unwrap();
        assert_eq!(ReloadResult::last(&database), None);
        for error in [Some("why\nnot".to_owned()), None] {
            let outcome = ReloadResult::new(hash_of(Some(&file)), Timestamp::from_millis(5), error);
            outcome.leave(&database).unwrap();
            assert_eq!(ReloadResult::last(&database).as_ref(), Some(&outcome));
            assert!(outcome.is_of(&hash_of(Some(&file))) && !outcome.is_of(&hash_of(None)));
        }
    }
}
