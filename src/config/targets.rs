//! Targets: raw to resolved, and the reading of their secrets.

use std::collections::HashSet;

use base64::Engine as _;
use url::Url;

use super::names::Taken;
use super::problem::{Place, did_you_mean};
use super::raw::RawTarget;
use super::reader::At;
use super::resolve::{Resolver, SIGNIFICANCES};
use super::resolved::{FeedConfig, TargetConfig, TargetKind};
use super::secret::SecretSource;
use super::sources::{FoundSecret, Sources};
use crate::domain::classify::Significance;
use crate::domain::durations::shortened;
use crate::domain::event::EventKind;

impl Resolver<'_> {
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
            open: true,
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
            open: false,
            inline: raw.secret,
            file: raw.secret_file,
            environment: raw.secret_env,
            credential: raw.secret_credential,
        });
        let previous = self.secret(Sources {
            key: "secret_previous",
            open: false,
            inline: raw.secret_previous,
            file: raw.secret_previous_file,
            environment: raw.secret_previous_env,
            credential: raw.secret_previous_credential,
        });
        self.check_signing(secret.as_ref(), previous.as_ref(), place);
        let events = raw.events.or_else(|| defaults.events.clone());
        let significance = raw.significance.as_ref();
        let max_payload = raw.max_payload.as_ref().or(defaults.max_payload.as_ref());
        let max_queue = raw.max_queue.as_ref().or(defaults.max_queue.as_ref());
        let networks = raw.allow_private.or_else(|| defaults.allow_private.clone());
        let (url, url_source) = url.map_or((None, SecretSource::Inline), |found| {
            (found.secret, found.source)
        });
        let parts = |found: Option<FoundSecret>| {
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
            max_queue: self.number("max_queue", max_queue, 1..=10_000_000, 10_000),
            allow_private: self.networks(&networks.map_or_else(Vec::new, |list| list.value)),
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
                let patterns = ["entry.*", "feed.*", "service.*"];
                let near = did_you_mean(name, names.into_iter().chain(patterns))
                    .map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
                let message = format!(
                    "{:?} is not an event; expected \"*\", \"entry.*\", \"feed.*\", \"service.*\" or one of {}{near}",
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

    /// The address of a receiver is never part of a message: it may hold a token.
    fn check_url(&mut self, url: &FoundSecret) {
        let Some(secret) = &url.secret else { return };
        let parsed = Url::parse(secret.expose()).ok();
        let good = parsed.is_some_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some()
        });
        if !good {
            let message = "url is not an http or https address; expected one such as \
                           \"https://hooks.example.org/revisor\"";
            self.problems.add(&url.place, message);
        }
    }

    fn check_signing(
        &mut self,
        secret: Option<&FoundSecret>,
        previous: Option<&FoundSecret>,
        place: &Place,
    ) {
        for (key, found) in [("secret", secret), ("secret_previous", previous)] {
            let Some(found) = found else { continue };
            let good = found
                .secret
                .as_ref()
                .is_none_or(|secret| is_signing_secret(secret.expose()));
            if !good {
                let message = format!(
                    "{key} is not a webhook secret; expected \"whsec_\" and base64 of 24 to 64 bytes, as printed by \
                     `echo whsec_$(openssl rand -base64 32)`"
                );
                self.problems.add(&found.place, message);
            }
        }
        match (secret, previous) {
            (None, Some(previous)) => {
                let message = "secret_previous is set without a secret; set secret to the new one";
                self.problems.add(&previous.place, message);
            }
            (None, None) => {
                let message = "no secret is set: the receiver cannot verify the sender";
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
