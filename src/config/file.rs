//! The configuration file: read within limits, replaced as a whole.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::edit::EditError;
use super::problem::ConfigError;

/// A million feeds take 100 MB of tables; a larger file is not a configuration.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Reads the text of a configuration, up to a size limit.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    let cannot = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let not_text = |problem| ConfigError::NotText {
        path: path.to_owned(),
        problem,
    };
    let file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(not_text(
            "larger than 256 MiB, too large for a configuration",
        ));
    }
    String::from_utf8(bytes).map_err(|_| not_text("not UTF-8"))
}

/// Reads a file, edits its text and writes it back, so that readers see either the old text or the new one; two
/// programs that do this wait for each other. Symbolic links are followed; permissions and owner stay. A missing
/// file is created, with its folder. `change` returns `None` to leave the file as it is.
///
/// A file that cannot be replaced, because it is a mount of its own or its folder is read-only, is written in
/// place.
pub(crate) fn edit_file(
    path: &Path,
    change: impl FnOnce(&str) -> Result<Option<String>, EditError>,
) -> Result<FileEdit, EditError> {
    let cannot = |source| ConfigError::Write {
        path: path.to_owned(),
        source,
    };
    let target = resolved(path);
    if let Some(folder) = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    let lock = lock(&target).map_err(cannot)?;
    let text = if lock.is_some() {
        read(&target)?
    } else {
        String::new()
    };
    let Some(changed) = change(&text)? else {
        return Ok(FileEdit::Unchanged);
    };
    if changed == text && lock.is_some() {
        return Ok(FileEdit::Unchanged);
    }
    let replaced = write_atomically(&target, &changed, lock.as_ref());
    match (replaced, &lock) {
        (Ok(()), _) => Ok(FileEdit::Replaced),
        (Err(error), Some(_)) if cannot_replace(&error) => {
            // The error of the replacement is more useful than that of the write that follows it.
            write_in_place(&target, &text, &changed).map_err(|_| cannot(error))?;
            Ok(FileEdit::InPlace)
        }
        (Err(error), _) => Err(cannot(error).into()),
    }
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileEdit {
    /// There was nothing to change.
    Unchanged,
    /// It was replaced as a whole.
    Replaced,
    /// It was written in place: a reader may have seen only part of it.
    InPlace,
}

/// Whether the file may still be writable: a file that is mounted into a container cannot be replaced by renaming.
fn cannot_replace(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ResourceBusy
            | ErrorKind::CrossesDevices
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
    )
}

/// Overwrites a file; if that fails halfway, the old text is restored.
fn write_in_place(path: &Path, old: &str, new: &str) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    let file = File::options().write(true).open(path)?;
    let write = |text: &str| {
        file.write_all_at(text.as_bytes(), 0)?;
        file.set_len(u64::try_from(text.len()).unwrap_or(u64::MAX))?;
        file.sync_all()
    };
    write(new).inspect_err(|_| {
        // If this fails too, its error would be the same.
        let _ = write(old);
    })
}

/// The target of a symbolic link; a path that cannot be resolved is returned as it is.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    // A link to a file that does not exist yet.
    match path.read_link() {
        Ok(link) => path.parent().unwrap_or(Path::new("")).join(link),
        Err(_) => path.to_owned(),
    }
}

/// Locks the file; `None` if it is missing. Makes sure that the locked file is still the one at the path: the
/// previous holder of the lock may have replaced it.
fn lock(path: &Path) -> std::io::Result<Option<File>> {
    use std::os::unix::fs::MetadataExt;
    loop {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        file.lock()?;
        let (held, there) = (file.metadata()?, std::fs::metadata(path)?);
        if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
            return Ok(Some(file));
        }
    }
}

fn write_atomically(path: &Path, text: &str, old: Option<&File>) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".revisor-config-")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    let permissions = match old.map(File::metadata).transpose()? {
        Some(meta) => {
            // Only root may change the owner of a file; for everyone else the new file already has the owner of
            // the old one.
            let _ = fchown(file.as_file(), Some(meta.uid()), Some(meta.gid()));
            meta.permissions()
        }
        // It may come to hold secrets: only the owner and the group may read it.
        None => std::fs::Permissions::from_mode(0o640),
    };
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
