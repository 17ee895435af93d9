//! Where the configuration and the database are.

use std::path::{Path, PathBuf};

use super::environment::Environment;

/// The system-wide configuration.
const ETC: &str = "/etc/revisor/config.toml";
/// The system-wide database.
const VAR: &str = "/var/lib/revisor/revisor.db";
const DATABASE_NAME: &str = "revisor.db";

/// How the configuration file was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfigOrigin {
    /// `--config`
    Flag,
    /// `REVISOR_CONFIG`
    Environment,
    /// `$XDG_CONFIG_HOME/revisor/config.toml`
    User,
    /// `/etc/revisor/config.toml`
    System,
}

impl ConfigOrigin {
    /// A description for people.
    #[must_use]
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Flag => "--config",
            Self::Environment => "REVISOR_CONFIG",
            Self::User => "the user's configuration",
            Self::System => "the system configuration",
        }
    }
}

/// The configuration file in use, or the one that `init` and `add` would create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    /// The file.
    pub path: PathBuf,
    /// How it was chosen.
    pub origin: ConfigOrigin,
    /// Whether it exists.
    pub exists: bool,
}

/// Finds the configuration: `--config`, else `REVISOR_CONFIG`, else the user's, else the system-wide one. If there
/// is none, returns where one would be created: for the user, or system-wide if there is no home directory.
#[must_use]
pub(crate) fn locate(flag: Option<&Path>, environment: &Environment) -> ConfigFile {
    let found = |path: PathBuf, origin: ConfigOrigin| ConfigFile {
        // A file that may not be accessed counts as existing: reading it reports why it cannot be used.
        exists: path.try_exists().unwrap_or(true),
        path,
        origin,
    };
    if let Some(path) = flag {
        return found(path.to_owned(), ConfigOrigin::Flag);
    }
    if let Some(path) = environment.path("REVISOR_CONFIG") {
        return found(path, ConfigOrigin::Environment);
    }
    let user = environment
        .base_directory("XDG_CONFIG_HOME", ".config")
        .map(|folder| found(folder.join("revisor/config.toml"), ConfigOrigin::User));
    let system = found(PathBuf::from(ETC), ConfigOrigin::System);
    match user {
        Some(user) if user.exists || !system.exists => user,
        _ => system,
    }
}

/// Finds the database: `--db`, else `REVISOR_DB`, else the configuration's `database` (relative to its folder),
/// else `$STATE_DIRECTORY`, else the system-wide one if the configuration in use is system-wide, else the user's.
pub(super) fn database(
    flag: Option<&Path>,
    environment: &Environment,
    configured: Option<&str>,
    file: Option<&Path>,
) -> PathBuf {
    if let Some(path) = flag {
        return path.to_owned();
    }
    if let Some(path) = environment.path("REVISOR_DB") {
        return path;
    }
    if let Some(path) = configured {
        return path_of(path, file, environment);
    }
    // systemd joins several folders with colons.
    let state = environment.get("STATE_DIRECTORY");
    if let Some(folder) = state.and_then(|list| list.split(':').find(|path| !path.is_empty())) {
        return Path::new(folder).join(DATABASE_NAME);
    }
    if file == Some(Path::new(ETC)) {
        return PathBuf::from(VAR);
    }
    environment
        .base_directory("XDG_STATE_HOME", ".local/state")
        .map_or_else(
            || PathBuf::from(VAR),
            |folder| folder.join("revisor").join(DATABASE_NAME),
        )
}

/// A path in the configuration is relative to its folder; `~` is the home directory, as in a shell.
pub(super) fn path_of(path: &str, file: Option<&Path>, environment: &Environment) -> PathBuf {
    let in_home = match path.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    };
    if let (Some(rest), Some(home)) = (in_home, environment.path("HOME")) {
        return home.join(rest);
    }
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    folder.join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn database_is_found_as_the_design_says() {
        let etc = Some(Path::new(ETC));
        let user = Some(Path::new("/home/a/.config/revisor/config.toml"));
        let all = [
            ("REVISOR_DB", "/env.db"),
            ("STATE_DIRECTORY", "/var/lib/revisor:/other"),
            ("XDG_STATE_HOME", "/state"),
            ("HOME", "/home/a"),
        ];
        for (flag, skipped, configured, file, expected) in [
            (Some("/flag.db"), 0, Some("/c.db"), etc, "/flag.db"),
            (None, 0, Some("/c.db"), etc, "/env.db"),
            (None, 1, Some("/c.db"), etc, "/c.db"),
            (None, 1, Some("c.db"), user, "/home/a/.config/revisor/c.db"),
            (None, 1, Some("~/x/c.db"), etc, "/home/a/x/c.db"),
            (None, 1, Some("~b/c.db"), etc, "/etc/revisor/~b/c.db"),
            (None, 1, None, user, "/var/lib/revisor/revisor.db"),
            (None, 2, None, etc, VAR),
            (None, 2, None, user, "/state/revisor/revisor.db"),
            (
                None,
                3,
                None,
                user,
                "/home/a/.local/state/revisor/revisor.db",
            ),
        ] {
            let flag: Option<&str> = flag;
            let environment = environment(&all[skipped..]);
            let path = database(flag.map(Path::new), &environment, configured, file);
            assert_eq!(path, Path::new(expected));
        }
        assert_eq!(
            database(None, &environment(&[]), None, None),
            Path::new(VAR)
        );
    }

    #[test]
    fn configuration_is_found_as_the_design_says() {
        let home = tempfile::tempdir().unwrap();
        let home_text = home.path().to_str().unwrap();
        let all = [("REVISOR_CONFIG", "/named.toml"), ("HOME", home_text)];
        let flag = locate(Some(Path::new("/flag.toml")), &environment(&all));
        assert_eq!(
            (flag.path.as_path(), flag.exists),
            (Path::new("/flag.toml"), false)
        );
        assert_eq!(
            locate(None, &environment(&all)).origin,
            ConfigOrigin::Environment
        );
        let user = locate(None, &environment(&all[1..]));
        assert_eq!(user.path, home.path().join(".config/revisor/config.toml"));
        assert_eq!(user.origin, ConfigOrigin::User);
        // The specification says that relative XDG folders are invalid.
        let odd = [("XDG_CONFIG_HOME", "relative"), ("HOME", home_text)];
        assert_eq!(locate(None, &environment(&odd)).path, user.path);
        assert_eq!(locate(None, &environment(&[])).origin, ConfigOrigin::System);
    }
}
