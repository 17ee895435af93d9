//! The sources of a secret: the four keys that can set it.

use super::places::path_of;
use super::problem::ValueSource;
use super::reader::At;
use super::resolve::Resolver;
use super::secret::Secrets;
use super::secret::{Secret, SecretSource, world_readable};

/// The four keys of a secret.
pub(super) struct Sources {
    pub(super) key: &'static str,
    /// Whether it may also be written in the configuration: not every address or header is a secret.
    pub(super) open: bool,
    pub(super) inline: Option<At<Secret>>,
    pub(super) file: Option<At<String>>,
    pub(super) environment: Option<At<String>>,
    pub(super) credential: Option<At<String>>,
}

/// A secret that may not have been read.
pub(super) struct FoundSecret {
    pub(super) secret: Option<Secret>,
    pub(super) source: SecretSource,
    pub(super) place: ValueSource,
}

impl Resolver<'_> {
    /// Finds a secret; reports a problem if there are two sources, or one that cannot be read.
    pub(super) fn secret(&mut self, sources: Sources) -> Option<FoundSecret> {
        let (key, open) = (sources.key, sources.open);
        let file = sources.file.map(|at| {
            let path = path_of(&at.value, self.file, self.environment);
            (at.place, SecretSource::File(path))
        });
        let environment = sources
            .environment
            .map(|at| (at.place, SecretSource::Environment(at.value)));
        let credential = sources
            .credential
            .map(|at| (at.place, SecretSource::Credential(at.value)));
        let inline_place = sources.inline.as_ref().map(|at| at.place.clone());
        let inline = inline_place.map(|place| (place, SecretSource::Inline));
        let mut given = [inline, file, environment, credential]
            .into_iter()
            .flatten();
        let (place, source) = given.next()?;
        if let Some((place, other)) = given.next() {
            let message = format!(
                "both {key}{} and {key}{} are set; use one of them",
                source.suffix(),
                other.suffix()
            );
            self.problems.add(&place, message);
        }
        let secret = match (sources.inline, source.read(self.environment)) {
            (Some(inline), _) => {
                if !open {
                    let message =
                        format!("{key} is in the configuration; use {key}_file to keep it out");
                    self.warnings.push((place.clone(), message));
                }
                Some(inline.value)
            }
            (None, Ok(secret)) => {
                if let SecretSource::File(path) = &source
                    && world_readable(path)
                {
                    let message = format!("{} is readable by every user", path.display());
                    self.warnings.push((place.clone(), message));
                }
                Some(secret)
            }
            (None, Err(problem)) => {
                let message = format!("{key}{}: {problem}", source.suffix());
                match self.secrets {
                    Secrets::Required => self.problems.add(&place, message),
                    Secrets::WhereThere if source.is_missing() => {
                        self.problems.add(&place, message);
                    }
                    Secrets::WhereThere => self.warnings.push((place.clone(), message)),
                    Secrets::WhereReadable => self.unread.push((place.clone(), message)),
                }
                None
            }
        };
        Some(FoundSecret {
            secret,
            source,
            place,
        })
    }
}
