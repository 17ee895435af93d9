//! Secrets, and where they come from.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::environment::Environment;

/// No secret is longer; a larger file was named by mistake.
const MAX_BYTES: u64 = 64 * 1024;

/// Text that is never printed: it has no `Display`, and its `Debug` shows only that it exists.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for signing and sending; never for display.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Whether secrets must be readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// For commands that send: a secret that cannot be read is a mistake.
    Required,
    /// For commands that send nothing themselves, and for users who may not read secrets: unreadable secrets are
    /// left out and listed separately.
    WhereReadable,
    /// For checking a configuration: a missing file is a mistake, a file that may not be read is a warning.
    WhereThere,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// It is in the configuration.
    Inline,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A systemd credential.
    Credential(String),
}

impl SecretSource {
    /// The suffix of the key: `""`, `"_file"` …
    #[must_use]
    pub fn suffix(&self) -> &'static str {
        match self {
            Self::Inline => "",
            Self::File(_) => "_file",
            Self::Environment(_) => "_env",
            Self::Credential(_) => "_credential",
        }
    }

    /// The file that it is read from, if the configuration names one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Inline | Self::Environment(_) | Self::Credential(_) => None,
        }
    }

    /// Whether it is a file that does not exist: then nobody can read it, whatever their permissions are.
    pub(super) fn is_missing(&self) -> bool {
        let Self::File(path) = self else { return false };
        std::fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    /// Reads a secret that is not inline. The error says what is wrong, and never shows what was read.
    pub(super) fn read(&self, environment: &Environment) -> Result<Secret, String> {
        match self {
            Self::Inline => Err("is in the configuration".to_owned()),
            Self::File(path) => read_file(path),
            Self::Environment(name) => match environment.get(name) {
                Some(value) if !value.trim().is_empty() => Ok(Secret::new(value.trim())),
                Some(_) => Err(format!("the environment variable {name} is empty")),
                None => Err(format!("the environment variable {name} is not set")),
            },
            Self::Credential(name) => {
                let plain = !name.contains(['/', '\0']) && name != "." && name != "..";
                if !plain {
                    return Err(format!("{name:?} is not a valid credential name"));
                }
                let folder = environment.get("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    format!(
                        "no credential {name:?}: CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit \
                         with LoadCredential="
                    )
                })?;
                read_file(&Path::new(folder).join(name))
            }
        }
    }
}

fn read_file(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let cannot = |error: &std::io::Error| format!("cannot read {shown}: {error}");
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(format!("{shown} is too large to be a secret"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not text"))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{shown} is empty"));
    }
    if text.contains(char::is_control) {
        return Err(format!("{shown} has more than one line"));
    }
    Ok(Secret::new(text))
}

/// Whether users other than owner and group can read a file.
pub(super) fn world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o004 != 0)
}
