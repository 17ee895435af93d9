//! Where events are sent.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::sign::{SecretError, SigningSecret};
use crate::config::kinds::KeyValue;
use crate::config::{Config, KindSettings, TargetKind};
use crate::domain::holding::Holding;
use crate::fetch::AddressPolicy;

/// A receiver, from a `[[target]]` table.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind of service.
    pub kind: TargetKind,
    /// The settings of its kind.
    pub settings: KindSettings,
    /// The address, for kinds with a `url`. It may contain a token, so it is not printed.
    pub url: String,
    /// The secrets to sign with, the current one first; also the previous one while it is being replaced. Without
    /// a secret, the request is not signed.
    pub secrets: Vec<SigningSecret>,
    /// Identifies this installation, for receivers that get events from several.
    pub source: String,
    /// The largest body in bytes.
    pub max_payload: usize,
    /// When its events are held back for a digest.
    pub holding: Holding,
    /// The addresses that it may reach.
    pub reach: AddressPolicy,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("secrets", &self.secrets.len())
            .field("max_payload", &self.max_payload)
            .finish_non_exhaustive()
    }
}

/// The characters of a name that are encoded after `urn:revisor:`.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// The source from the configuration, or the address of the web pages, or the name of this machine.
fn source(config: &Config, settings: &KindSettings) -> String {
    let named = settings.text("source").or(config.web.base_url.as_deref());
    named.map_or_else(
        || {
            let host = rustix::system::uname();
            let host = host.nodename().to_bytes();
            let host = percent_encode(host, UNSAFE);
            format!("urn:revisor:{host}")
        },
        str::to_owned,
    )
}

/// The targets of a configuration with their secrets. A target whose secrets could not be read is left out;
/// loading has already reported it.
pub fn targets(config: &Config) -> Result<Vec<Target>, SecretError> {
    let readable = config.targets.iter().filter(|target| {
        target
            .settings
            .iter()
            .all(|setting| setting.value != KeyValue::Text(None))
    });
    let targets = readable.map(|target| {
        let secrets = ["secret", "secret_previous"]
            .into_iter()
            .filter_map(|key| target.settings.text(key))
            .map(SigningSecret::parse)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Target {
            name: target.name.clone(),
            kind: target.kind,
            url: target.settings.text("url").unwrap_or_default().to_owned(),
            settings: target.settings.clone(),
            source: source(config, &target.settings),
            secrets,
            max_payload: usize::try_from(target.max_payload).unwrap_or(usize::MAX),
            holding: target.holding.clone(),
            reach: AddressPolicy::public_and(target.allow_private.iter().copied()),
        })
    });
    targets.collect()
}
