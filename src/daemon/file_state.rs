//! Detects edits of files.

use std::path::PathBuf;
use std::time::SystemTime;

/// The state of some files, so that an edit shows without reading them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileState(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl FileState {
    /// Their current state; a missing file has a state, too.
    pub(super) fn of(files: Vec<PathBuf>) -> Self {
        let states = files.into_iter().map(|file| {
            let metadata = std::fs::metadata(&file).ok();
            let state = metadata.and_then(|data| Some((data.modified().ok()?, data.len())));
            (file, state)
        });
        Self(states.collect())
    }

    /// Switches to another list of files. Files that stay keep their old state, so that an edit since then is still
    /// noticed.
    pub(super) fn with(self, files: Vec<PathBuf>) -> Self {
        let mut now = Self::of(files);
        for (file, state) in &mut now.0 {
            if let Some((_, before)) = self.0.iter().find(|(known, _)| known == file) {
                *state = *before;
            }
        }
        now
    }

    /// The current state of the same files.
    pub(super) fn anew(&self) -> Self {
        Self::of(self.0.iter().map(|(file, _)| file.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_of_any_of_the_files_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let [config, secret, other] =
            ["config", "secret", "other"].map(|name| folder.path().join(name));
        std::fs::write(&config, "one").unwrap();
        let state = FileState::of(vec![config.clone(), secret.clone()]);
        assert_eq!(state.anew(), state);
        std::fs::write(&secret, "").unwrap();
        assert_ne!(state.anew(), state, "a file that was not there");
        let state = state.anew();
        // The new secret is as long as the old one.
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5);
        let file = std::fs::File::options().write(true).open(&secret).unwrap();
        file.set_modified(later).unwrap();
        assert_ne!(state.anew(), state);

        let taken = state.clone().with(vec![secret, other]);
        assert_ne!(
            taken.anew(),
            taken,
            "it is not forgotten that it was edited"
        );
        let taken = taken.anew();
        std::fs::write(&config, "longer").unwrap();
        assert_eq!(taken.anew(), taken, "it is watched no more");
    }
}
