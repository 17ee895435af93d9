//! Targets: raw to resolved, and the reading of their secrets.

use std::collections::HashSet;

use base64::Engine as _;
use url::Url;

use super::load::Secrets;
use super::names::Taken;
use super::places::relative_to_file;
use super::problem::{Place, did_you_mean};
use super::raw::RawTarget;
use super::reader::At;
use super::resolve::{Resolver, SIGNIFICANCES};
use super::resolved::{FeedConfig, TargetConfig, TargetKind};
use super::secret::{Secret, SecretSource, world_readable};
use crate::domain::classify::Significance;
use crate::domain::durations::shortened;
use crate::domain::event::EventKind;

/// One secret's four keys.
struct Sources {
    key: &'static str,
    inline: Option<At<Secret>>,
    file: Option<At<String>>,
    environment: Option<At<String>>,
    credential: Option<At<String>>,
}

/// A secret that may not have been read.
struct Found {
    secret: Option<Secret>,
    source: SecretSource,
    place: Place,
}

impl Resolver<'_, '_> {
    /// Resolves the targets, in the order of the file; `defaults` is the sample of `config/default.toml`.
    pub(super) fn targets(
        &mut self,
        targets: Vec<(RawTarget, Place)>,
        defaults: &RawTarget,
        feeds: &[FeedConfig],
        least: Significance,
    ) -> Vec<TargetConfig> {
        let mut taken = Taken::default();
        // What a feed wants to be told, no target holds back unless it says so.
        let least = feeds
            .iter()
            .map(|feed| feed.detect.significance)
            .fold(least, Ord::min);
        let known: HashSet<&str> = feeds
            .iter()
            .flat_map(|feed| feed.tags.iter().map(String::as_str))
            .collect();
        targets
            .into_iter()
            .map(|(raw, place)| {
                for tag in raw.tags.iter().flat_map(|tags| &tags.value) {
                    if !known.contains(tag.value.as_str()) {
                        let message = format!("no feed has the tag {:?}", shortened(&tag.value));
                        self.warnings.push((tag.place.clone(), message));
                    }
                }
                self.target(raw, &place, defaults, least, &mut taken)
            })
            .collect()
    }

    fn target(
        &mut self,
        raw: RawTarget,
        place: &Place,
        defaults: &RawTarget,
        least: Significance,
        taken: &mut Taken,
    ) -> TargetConfig {
        let name = if let Some(name) = raw.name {
            self.name(&name, "target", taken);
            name.value
        } else {
            let message = "name is missing; expected name = \"…\"";
            self.problems.add(place, message);
            String::new()
        };
        if raw.kind.is_none() {
            let message = "kind is missing; expected kind = \"webhook\"";
            self.problems.add(place, message);
        }
        let kinds = [(TargetKind::Webhook.as_str(), TargetKind::Webhook)];
        let kind = self.choice("kind", raw.kind.as_ref(), &kinds, TargetKind::Webhook);
        let url = self.secret(Sources {
            key: "url",
            inline: raw.url,
            file: raw.url_file,
            environment: raw.url_env,
            credential: raw.url_credential,
        });
        if let Some(url) = &url {
            self.check_url(url);
        } else {
            let message = "url is missing; expected url, url_file, url_env or url_credential";
            self.problems.add(place, message);
        }
        let secret = self.secret(Sources {
            key: "secret",
            inline: raw.secret,
            file: raw.secret_file,
            environment: raw.secret_env,
            credential: raw.secret_credential,
        });
        let previous = self.secret(Sources {
            key: "secret_previous",
            inline: raw.secret_previous,
            file: raw.secret_previous_file,
            environment: raw.secret_previous_env,
            credential: raw.secret_previous_credential,
        });
        self.check_signing(secret.as_ref(), previous.as_ref(), place);
        let events = raw.events.or_else(|| defaults.events.clone());
        let significance = raw.significance.as_ref();
        let max_payload = raw.max_payload.as_ref().or(defaults.max_payload.as_ref());
        let (url, url_source) = url.map_or((None, SecretSource::Inline), |found| {
            (found.secret, found.source)
        });
        let parts = |found: Option<Found>| {
            found.map_or((None, None), |found| (found.secret, Some(found.source)))
        };
        let (secret, secret_source) = parts(secret);
        let (secret_previous, secret_previous_source) = parts(previous);
        TargetConfig {
            name,
            kind,
            url,
            url_source,
            secret,
            secret_source,
            secret_previous,
            secret_previous_source,
            events: self.events(events),
            tags: self.tag_list(raw.tags),
            significance: self.choice("significance", significance, &SIGNIFICANCES, least),
            max_payload: self.size("max_payload", max_payload, 4 << 10..=10 << 20, 4 << 10),
        }
    }

    fn events(&mut self, events: Option<At<Vec<At<String>>>>) -> Vec<String> {
        let mut list = Vec::new();
        let Some(events) = events else { return list };
        if events.value.is_empty() {
            let message = "events is empty; expected names such as \"entry.*\"";
            self.problems.add(&events.place, message);
        }
        for event in events.value {
            let name = event.value.as_str();
            let known = match name.strip_suffix('*') {
                Some("") => true,
                Some(prefix) => {
                    prefix.ends_with('.')
                        && EventKind::ALL
                            .iter()
                            .any(|kind| kind.as_str().starts_with(prefix))
                }
                None => EventKind::parse(name).is_some(),
            };
            if !known {
                let names = EventKind::ALL.map(EventKind::as_str);
                let patterns = ["entry.*", "feed.*"];
                let near = did_you_mean(name, names.into_iter().chain(patterns))
                    .map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
                let message = format!(
                    "{:?} is no event; expected \"*\", \"entry.*\", \"feed.*\" or one of {}{near}",
                    shortened(name),
                    names.join(", ")
                );
                self.problems.add(&event.place, message);
            } else if !list.contains(&event.value) {
                list.push(event.value);
            }
        }
        list
    }

    /// Finds a secret; a problem is noted when there are two sources, or one that cannot be read.
    fn secret(&mut self, sources: Sources) -> Option<Found> {
        let key = sources.key;
        let file = sources.file.map(|at| {
            let path = relative_to_file(&at.value, self.file);
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
                "{key}{} and {key}{} are both given; expected one of them",
                source.suffix(),
                other.suffix()
            );
            self.problems.add(&place, message);
        }
        let secret = match (sources.inline, source.read(self.environment)) {
            (Some(inline), _) => {
                if key != "url" {
                    let message =
                        format!("{key} stands in the configuration; {key}_file keeps it out of it");
                    self.warnings.push((place.clone(), message));
                }
                Some(inline.value)
            }
            (None, Ok(secret)) => {
                if let SecretSource::File(path) = &source
                    && world_readable(path)
                {
                    let message = format!("{} can be read by everybody", path.display());
                    self.warnings.push((place.clone(), message));
                }
                Some(secret)
            }
            (None, Err(problem)) => {
                let message = format!("{key}{}: {problem}", source.suffix());
                match self.secrets {
                    Secrets::Required => self.problems.add(&place, message),
                    Secrets::WhereReadable => self.warnings.push((place.clone(), message)),
                }
                None
            }
        };
        Some(Found {
            secret,
            source,
            place,
        })
    }

    /// The address of a receiver is never part of a message: it may hold a token.
    fn check_url(&mut self, url: &Found) {
        let Some(secret) = &url.secret else { return };
        let parsed = Url::parse(secret.expose()).ok();
        let good = parsed.is_some_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some()
        });
        if !good {
            let message = "url is no http or https address; expected one such as \
                           \"https://hooks.example.org/revisor\"";
            self.problems.add(&url.place, message);
        }
    }

    fn check_signing(&mut self, secret: Option<&Found>, previous: Option<&Found>, place: &Place) {
        for (key, found) in [("secret", secret), ("secret_previous", previous)] {
            let Some(found) = found else { continue };
            let good = found
                .secret
                .as_ref()
                .is_none_or(|secret| is_signing_secret(secret.expose()));
            if !good {
                let message = format!(
                    "{key} is no webhook secret; expected \"whsec_\" and base64 of 24 to 64 bytes, as \
                     `echo whsec_$(openssl rand -base64 32)` makes"
                );
                self.problems.add(&found.place, message);
            }
        }
        match (secret, previous) {
            (None, Some(previous)) => {
                let message =
                    "secret_previous is given without a secret; expected the new one as secret";
                self.problems.add(&previous.place, message);
            }
            (None, None) => {
                let message = "no secret is given: the receiver cannot tell who sends";
                self.warnings.push((place.clone(), message.to_owned()));
            }
            _ => {}
        }
    }
}

/// The form that the libraries of Standard Webhooks take.
fn is_signing_secret(text: &str) -> bool {
    let Some(encoded) = text.strip_prefix("whsec_") else {
        return false;
    };
    base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .is_ok_and(|bytes| (24..=64).contains(&bytes.len()))
}
