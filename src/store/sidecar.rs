//! Files beside the database.

use std::path::{Path, PathBuf};

/// More links than this in a path are a loop.
const MOST_LINKS: usize = 40;

/// `revisor.db.lock` for `revisor.db` and `.lock`; `SQLite` names its own files in the same way, with `-wal` and
/// `-shm`. Like those, they are beside the real file, even if the path is a link: one file has one lock.
#[must_use]
pub fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = real(database).into_os_string();
    name.push(end);
    name.into()
}

/// The real file of a path, even if it does not exist yet.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut real = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(target) = std::fs::read_link(&real) else {
            break;
        };
        real = real.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = real
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    match (folder, real.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        // A path that cannot be resolved stays as it was.
        _ => real,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_one_lock_by_whatever_name() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state");
        std::fs::create_dir(&folder).unwrap();
        let link = |target: &str, name: &str| {
            let link = dir.path().join(name);
            std::os::unix::fs::symlink(target, &link).unwrap();
            link
        };
        let by_file = link("state/revisor.db", "db");
        let by_link = link("db", "db2");
        let by_folder = link("state", "srv").join("revisor.db");
        let lock = folder.canonicalize().unwrap().join("revisor.db.lock");
        for exists in [false, true] {
            if exists {
                std::fs::write(folder.join("revisor.db"), "").unwrap();
            }
            for name in [&folder.join("revisor.db"), &by_file, &by_link, &by_folder] {
                assert_eq!(beside(name, ".lock"), lock, "{}", name.display());
            }
        }
        let own = link("itself", "itself");
        assert!(
            beside(&own, ".lock")
                .to_string_lossy()
                .ends_with("itself.lock")
        );
    }
}
