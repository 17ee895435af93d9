//! Environment variables.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use chrono_tz::Tz;

/// Prefix of environment variables that set keys: `REVISOR__FETCH__EVERY`.
pub(super) const PREFIX: &str = "REVISOR__";

/// The environment variables, and the time zone of the machine. `Debug` shows no values: some are secrets.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    machine_zone: Option<Tz>,
}

impl Environment {
    /// The environment of this process, without variables that are not UTF-8.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        let pairs = std::env::vars_os();
        Self {
            variables: pairs
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            machine_zone: iana_time_zone::get_timezone()
                .ok()
                .and_then(|name| name.parse().ok()),
        }
    }

    /// An environment with only these variables, on a machine whose clock shows UTC.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs = pairs.into_iter();
        Self {
            variables: pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            machine_zone: None,
        }
    }

    /// A variable that is set, even if it is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A variable that holds a path.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    /// The time zone of the reader: `TZ` if it names one, else the zone of the machine, else UTC.
    pub(super) fn zone(&self) -> Tz {
        // POSIX allows a colon before the name. Its other form, `CET-1CEST`, does not name a place and is not
        // read.
        let named = self
            .get("TZ")
            .and_then(|name| name.trim_start_matches(':').parse().ok());
        match named.or(self.machine_zone) {
            None | Some(Tz::Etc__UTC) => Tz::UTC,
            Some(zone) => zone,
        }
    }

    /// A folder of the XDG specification: the variable if it is absolute, else the folder in the home directory.
    pub(super) fn base_directory(&self, name: &str, in_home: &str) -> Option<PathBuf> {
        self.path(name)
            .filter(|path| path.is_absolute())
            .or_else(|| {
                let home = self.path("HOME").filter(|home| home.is_absolute())?;
                Some(home.join(in_home))
            })
    }

    /// The variables that set keys, without [`PREFIX`].
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.variables.iter().filter_map(|(name, value)| {
            Some((name.as_str(), name.strip_prefix(PREFIX)?, value.as_str()))
        })
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}
