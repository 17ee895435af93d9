//! Our own files: only for their owner and group, whatever the umask, and never a file or link that someone else
//! put in their place.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;

/// The most permissions of a file: read and write for the owner, read for the group.
const MODE: u32 = 0o640;

/// Opens or creates a file. A link in its place is refused, not followed. A file with more permissions is
/// restricted, since anyone who can open it could hold a lock on it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = options()
        .create(true)
        .truncate(false)
        .custom_flags(flags())
        .open(path)?;
    let mode = file.metadata()?.mode() & 0o777;
    if mode & !MODE != 0 {
        // It may belong to another user, who then decides about it.
        let _ = file.set_permissions(Permissions::from_mode(mode & MODE));
    }
    Ok(file)
}

/// Creates a file, replacing anything that is there, even a link.
pub(super) fn replace(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create(path),
    }
}

/// Creates a file if there is none.
pub(super) fn create(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// Creates an empty file if there is none, without opening it: closing a file of a database releases all locks
/// that the process has on it. If the file system does not support this, the file is created when it is opened.
pub(super) fn create_unopened(path: &Path) -> io::Result<()> {
    match mknodat(
        CWD,
        path,
        FileType::RegularFile,
        Mode::from_raw_mode(MODE),
        0,
    ) {
        Ok(())
        | Err(Errno::EXIST | Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes the permissions of a file for others. The group keeps its own, since its members may share the work.
pub(super) fn close_to_others(path: &Path) {
    let Ok(file) = fs::symlink_metadata(path) else {
        return;
    };
    let mode = file.mode() & 0o777;
    if file.is_file() && mode & 0o007 != 0 {
        // A file of another user cannot be changed, and need not be.
        let _ = fs::set_permissions(path, Permissions::from_mode(mode & !0o007));
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(MODE);
    options
}

fn flags() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn files_are_for_owner_and_group_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link, other] = ["file", "link", "other"].map(|name| dir.path().join(name));
        open(&file).unwrap();
        assert_eq!(mode(&file) & !MODE, 0);
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        open(&file).unwrap();
        assert_eq!(mode(&file), MODE);

        fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, &link).unwrap();
        open(&link).unwrap_err();
        create(&link).unwrap_err();
        replace(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read(&other).unwrap(), b"precious");

        fs::set_permissions(&other, Permissions::from_mode(0o664)).unwrap();
        close_to_others(&other);
        assert_eq!(mode(&other), 0o660, "the group keeps its rights");
    }
}
