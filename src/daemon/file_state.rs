//! Whether a file was edited.

use std::path::Path;
use std::time::SystemTime;

/// Tells one state of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileState(Option<(SystemTime, u64)>);

impl FileState {
    /// As it is now; a file that is not there has a state, too.
    pub(super) fn of(file: Option<&Path>) -> Self {
        let metadata = file.and_then(|file| std::fs::metadata(file).ok());
        Self(metadata.and_then(|data| Some((data.modified().ok()?, data.len()))))
    }
}
