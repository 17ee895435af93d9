//! `[archive]`: whether a web archive saves pages as well.

use super::raw::RawArchive;
use super::reader::At;
use super::resolve::Resolver;
use super::secret::{Secret, SecretSource};
use super::sources::Sources;
use super::web_address::http_url;

/// `[archive]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveConfig {
    /// Whether to ask the Wayback Machine to save pages.
    pub wayback: bool,
    /// Its address, without a trailing slash.
    pub server: String,
    /// How many pages to save per day, over all feeds.
    pub per_day: u32,
    /// The key of the account.
    pub key: Option<ArchiveKey>,
}

/// The key of an archive account: `ACCESS:SECRET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveKey {
    /// The key; `None` if it cannot be read, and then nothing is sent.
    pub secret: Option<Secret>,
    /// Where it comes from.
    pub source: SecretSource,
}

/// Accounts allow more; with more pages than this, choose which ones to save.
const MOST_PER_DAY: usize = 100_000;

impl Resolver<'_> {
    pub(super) fn archive(&mut self, raw: &RawArchive) -> ArchiveConfig {
        let wayback = raw.wayback.as_ref().is_some_and(|at| at.value);
        let given = |at: &Option<At<String>>| at.clone().filter(|at| !at.value.is_empty());
        let (file, environment) = (given(&raw.key_file), given(&raw.key_env));
        let credential = given(&raw.key_credential);
        let inline = raw.key.clone().filter(|at| !at.value.expose().is_empty());
        let is_given = inline.is_some()
            || [&file, &environment, &credential]
                .iter()
                .any(|at| at.is_some());
        if let (true, false, Some(at)) = (wayback, is_given, &raw.wayback) {
            let message = "wayback = true needs the key of an account; also set key_file = \"/etc/revisor/archive.key\", \
                           a file with ACCESS:SECRET from https://archive.org/account/s3.php";
            self.problems.add(&at.place, message);
        }
        let key = self.secret(Sources {
            key: "key",
            open: false,
            inline,
            file,
            environment,
            credential,
        });
        if let Some(key) = &key {
            self.sendable("key", key);
        }
        let per_day = self.number("per_day", raw.per_day.as_ref(), 1..=MOST_PER_DAY, 500);
        ArchiveConfig {
            wayback,
            server: self.archive_server(raw),
            per_day: u32::try_from(per_day).unwrap_or(u32::MAX),
            key: key.map(|found| ArchiveKey {
                secret: found.secret,
                source: found.source,
            }),
        }
    }

    fn archive_server(&mut self, raw: &RawArchive) -> String {
        let Some(at) = &raw.server else {
            return String::new();
        };
        match http_url(&at.value) {
            Ok(url) => url.as_str().trim_end_matches('/').to_owned(),
            Err(problem) => {
                self.problems.add(&at.place, format!("server {problem}"));
                String::new()
            }
        }
    }
}
