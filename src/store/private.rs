//! Files of our own: for their owner and group, whatever the umask, and never what somebody has put in their place.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;

/// What a file may permit: reading and writing to the owner, reading to the group.
const MODE: u32 = 0o640;

/// Opens a file, or makes it. A link in its place is not followed but refused, and a file that permits more is closed to
/// others: whoever can open it could hold a lock on it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = options()
        .create(true)
        .truncate(false)
        .custom_flags(flags())
        .open(path)?;
    let mode = file.metadata()?.mode() & 0o777;
    if mode & !MODE != 0 {
        // It may belong to somebody else, and then it is for that one to say.
        let _ = file.set_permissions(Permissions::from_mode(mode & MODE));
    }
    Ok(file)
}

/// Makes a file in the place of whatever is there, a link included.
pub(super) fn replace(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create(path),
    }
}

/// Makes a file where there is none.
pub(super) fn create(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// Makes an empty file where there is none, without opening it: to close a file of a database ends all locks that the
/// process has on it. Where the file system cannot do that, whoever opens the file makes it.
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

/// Takes from others what a file permits them; the group keeps what it has, since members may share the work.
pub(super) fn close_to_others(path: &Path) {
    let Ok(file) = fs::symlink_metadata(path) else {
        return;
    };
    let mode = file.mode() & 0o777;
    if file.is_file() && mode & 0o007 != 0 {
        // Of a file of somebody else that cannot be changed, nor is it ours to.
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
