//! The texts of a configuration: its file, the files in the `conf.d` folder beside it, and lists of feeds.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::file::read;
use super::places::ConfigFile;
use super::problem::ConfigError;

/// The folder beside the configuration file whose `*.toml` files belong to the configuration.
const FOLDER: &str = "conf.d";

/// Nobody keeps more files than this in a configuration.
const MOST_FILES: usize = 10_000;

/// A text and its file.
#[derive(Debug, Clone)]
pub(super) struct SourceText {
    pub(super) path: PathBuf,
    pub(super) text: Arc<str>,
    /// The offsets of its lines, computed when first needed.
    lines: OnceLock<Vec<usize>>,
}

impl SourceText {
    /// Some editors write a byte order mark first, which TOML does not allow.
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text).into(),
            lines: OnceLock::new(),
        }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub(super) fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let lines = self.lines.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        });
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let line = lines.partition_point(|start| *start <= end);
        let start = lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..end).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

/// The TOML texts of a configuration: that of its file first, then those of `conf.d`, sorted by name.
#[derive(Debug, Clone)]
pub(crate) struct ConfigTexts {
    file: Option<PathBuf>,
    pub(super) sources: Vec<SourceText>,
}

impl ConfigTexts {
    /// A single text; `file` is used for messages and relative paths.
    #[must_use]
    pub(crate) fn of(text: &str, file: Option<&Path>) -> Self {
        let name = file.unwrap_or(Path::new("configuration"));
        Self {
            file: file.map(Path::to_owned),
            sources: vec![SourceText::new(name, text)],
        }
    }

    /// Reads all texts. A missing file counts as an empty text.
    pub(crate) fn read(file: &ConfigFile) -> Result<Self, ConfigError> {
        let text = match file.exists {
            true => read(&file.path)?,
            false => String::new(),
        };
        let mut texts = Self::of(&text, Some(&file.path));
        for path in drop_ins(&file.path)? {
            texts.sources.push(SourceText::new(&path, &read(&path)?));
        }
        Ok(texts)
    }

    /// Replaces the text of one file.
    #[must_use]
    pub(crate) fn with(mut self, path: &Path, text: &str) -> Self {
        for source in &mut self.sources {
            if source.path == path {
                *source = SourceText::new(path, text);
            }
        }
        self
    }

    /// The configuration file.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The files and their texts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.sources
            .iter()
            .map(|source| (source.path.as_path(), source.text.as_ref()))
    }
}

/// The folder of further files that belongs to a configuration file, whether it exists or not.
#[must_use]
pub(crate) fn drop_in_folder(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(FOLDER)
}

/// The files in the folder, sorted by name. Hidden files are skipped: they belong to editors.
pub(crate) fn drop_ins(file: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let folder = drop_in_folder(file);
    let cannot = |source| ConfigError::Read {
        path: folder.clone(),
        source,
    };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(cannot(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(cannot)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|end| end == "toml") {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(ConfigError::NotText {
                path: folder,
                problem: "more than 10,000 files; put more feeds in each",
            });
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a = 1\nname = \"é\" # x\n";
        let source = SourceText::new(Path::new("x"), text);
        assert_eq!(source.line_and_column(0), (1, 1));
        assert_eq!(source.line_and_column(6), (2, 1));
        assert_eq!(source.line_and_column(text.find('#').unwrap_or(0)), (2, 12));
        assert_eq!(source.line_and_column(10_000), (3, 1));
        let marked = SourceText::new(Path::new("x"), "\u{feff}a");
        assert_eq!(marked.line_and_column(1), (1, 2));
    }

    #[test]
    fn folder_is_read_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = ConfigFile {
            path: folder.path().join("config.toml"),
            origin: crate::config::places::ConfigOrigin::Flag,
            exists: true,
        };
        std::fs::write(&file.path, "main").unwrap();
        assert_eq!(ConfigTexts::read(&file).unwrap().sources.len(), 1);
        let more = folder.path().join("conf.d");
        std::fs::create_dir(&more).unwrap();
        for name in [
            "b.toml",
            "a.toml",
            "10-x.toml",
            ".hidden.toml",
            "b.toml~",
            "notes.txt",
        ] {
            std::fs::write(more.join(name), name).unwrap();
        }
        let texts = ConfigTexts::read(&file).unwrap();
        let read: Vec<&str> = texts.iter().map(|(_, text)| text).collect();
        assert_eq!(read, ["main", "10-x.toml", "a.toml", "b.toml"]);
        let changed = texts.with(&more.join("a.toml"), "other");
        let read: Vec<&str> = changed.iter().map(|(_, text)| text).collect();
        assert_eq!(read, ["main", "10-x.toml", "other", "b.toml"]);
    }
}
