//! Targets: raw to resolved, including their secrets.

use std::collections::HashSet;

use base64::Engine as _;
use url::Url;

use super::kinds::{Key, KeyForm, KeyNeed, KeyValue, KindSettings, Setting, TargetKind};
use super::names::Taken;
use super::problem::{ValueSource, did_you_mean};
use super::raw::{RawOwn, RawTable as _, RawTarget, RawTargetCommon, RawValue};
use super::reader::{At, Layer, LayerReader};
use super::resolve::{Resolver, SIGNIFICANCES};
use super::resolved::{FeedConfig, TargetConfig};
use super::secret::{Secret, SecretSource};
use super::sources::{FoundSecret, Sources};
use crate::domain::classify::Significance;
use crate::domain::durations::shortened;
use crate::domain::event::{EventKind, Field};

impl Resolver<'_> {
    /// Resolves the targets, in the order of the file; `defaults` is the sample of `config/default.toml`.
    pub(super) fn targets(
        &mut self,
        targets: Vec<(RawTarget, ValueSource)>,
        defaults: &RawTarget,
        feeds: &[FeedConfig],
        least: Significance,
    ) -> Vec<TargetConfig> {
        let mut taken = Taken::default();
        // A target does not hold back what a feed wants reported, unless the target says so.
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
                for feed in raw.common.feeds.iter().flat_map(|feeds| &feeds.value) {
                    if !feeds.iter().any(|known| known.name == feed.value) {
                        let message = format!("no feed has the name {:?}", shortened(&feed.value));
                        self.warnings.push((feed.place.clone(), message));
                    }
                }
                for tag in raw.common.tags.iter().flat_map(|tags| &tags.value) {
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
        place: &ValueSource,
        defaults: &RawTarget,
        least: Significance,
        taken: &mut Taken,
    ) -> TargetConfig {
        let common = raw.common;
        let defaults = &defaults.common;
        let name = if let Some(name) = &common.name {
            self.name(name, "target", taken);
            name.value.clone()
        } else {
            let message = "name is missing; expected name = \"…\"";
            self.problems.add(place, message);
            String::new()
        };
        if common.kind.is_none() {
            let message = "kind is missing; expected kind = \"webhook\"";
            self.problems.add(place, message);
        }
        let kinds: Vec<(&str, TargetKind)> = TargetKind::ALL
            .iter()
            .map(|kind| (kind.as_str(), *kind))
            .collect();
        let known = common.kind.as_ref().map(|kind| kind.value.clone());
        let kind = self.choice("kind", common.kind.as_ref(), &kinds, TargetKind::Webhook);
        let holding = self.holding(&common, kind);
        let labels = self.labels(common.labels.as_ref());
        let words = self.words(common.words.as_ref());
        // The keys of an unknown kind cannot be checked.
        let settings = match known {
            Some(known) if known != kind.as_str() => KindSettings::default(),
            _ => self.settings(kind, raw.own, place),
        };
        let significance = common.significance.as_ref();
        let max_payload = common
            .max_payload
            .as_ref()
            .or(defaults.max_payload.as_ref());
        let max_queue = common.max_queue.as_ref().or(defaults.max_queue.as_ref());
        let networks = common
            .allow_private
            .or_else(|| defaults.allow_private.clone());
        let score = if kind.is_public() { PUBLIC_SCORE } else { 0 };
        let score = self.number("min_score", common.min_score.as_ref(), 0..=100, score);
        let events = common.events;
        let events = match kind {
            _ if !kind.takes_events() => Vec::new(),
            _ if kind.is_public() && events.is_none() => {
                vec![EventKind::EntryRevised.as_str().to_owned()]
            }
            _ => self.events(events.or_else(|| defaults.events.clone())),
        };
        TargetConfig {
            name,
            kind,
            settings,
            events,
            feeds: self.tag_list(common.feeds),
            tags: self.tag_list(common.tags),
            labels,
            words,
            holding,
            fields: self.fields(common.fields, kind),
            min_score: u8::try_from(score).unwrap_or(100),
            significance: self.choice("significance", significance, &SIGNIFICANCES, least),
            max_payload: self.size("max_payload", max_payload, 4 << 10..=10 << 20, 4 << 10),
            max_queue: self.number("max_queue", max_queue, 1..=10_000_000, 10_000),
            allow_private: self.networks(&networks.map_or_else(Vec::new, |list| list.value)),
        }
    }

    /// The keys of a kind: each must be known, required ones must be present, and every value must have the right
    /// form.
    fn settings(
        &mut self,
        kind: TargetKind,
        raw: Vec<RawOwn>,
        place: &ValueSource,
    ) -> KindSettings {
        let keys = kind.keys();
        let mut given = Vec::new();
        for own in raw {
            let known = keys.iter().any(|key| names(key).contains(&own.key));
            if known {
                given.push(own);
            } else {
                let all: Vec<String> = keys
                    .iter()
                    .flat_map(names)
                    .chain(RawTargetCommon::KEYS.iter().map(ToString::to_string))
                    .collect();
                let within = format!("[[target]] of kind \"{}\"", kind.as_str());
                let mut reader = LayerReader {
                    layer: Layer::Default,
                    problems: self.problems,
                };
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                reader.unknown_key(&own.place, &own.key, &within, &all, &[]);
            }
        }
        let mut settings = KindSettings::default();
        for key in keys {
            let setting = if key.is_secret() {
                self.secret_setting(key, &mut given)
            } else {
                self.plain_setting(key, &given)
            };
            match setting {
                Some(setting) => settings.push(setting),
                None => self.missing(kind, key, &given, place),
            }
        }
        self.check_together(kind, &settings, place);
        settings
    }

    fn missing(&mut self, kind: TargetKind, key: &Key, given: &[RawOwn], place: &ValueSource) {
        // An invalid value has already been reported.
        let set = given
            .iter()
            .any(|own| own.key == key.name && own.value.is_some());
        if key.need == KeyNeed::Required && !set {
            let ways = if key.is_secret() {
                let name = key.name;
                format!("{name}, {name}_file, {name}_env or {name}_credential")
            } else if matches!(key.form, KeyForm::List) {
                format!("{} = [\"{}\"]", key.name, key.example)
            } else {
                format!("{} = \"{}\"", key.name, key.example)
            };
            let kind = kind.as_str();
            let message = format!(
                "{} is missing; expected {ways}, as kind = \"{kind}\" needs it (such as \"{}\")",
                key.name, key.example
            );
            self.problems.add(place, message);
        }
    }

    fn secret_setting(&mut self, key: &Key, given: &mut Vec<RawOwn>) -> Option<Setting> {
        let mut take = |suffix: &str| {
            let name = format!("{}{suffix}", key.name);
            let at = given.iter().position(|own| own.key == name)?;
            given.remove(at).value
        };
        let [inline, file, environment, credential] =
            ["", "_file", "_env", "_credential"].map(&mut take);
        let inline = inline.and_then(|at| self.as_text(key, at));
        let mut text = |at: Option<At<RawValue>>| {
            let at = self.as_text(key, at?)?;
            let value = at.value.expose().to_owned();
            Some(At {
                value,
                place: at.place,
            })
        };
        let (file, environment, credential) = (text(file), text(environment), text(credential));
        let found = self.secret(Sources {
            key: key.name,
            open: key.form == KeyForm::Address,
            inline,
            file,
            environment,
            credential,
        })?;
        self.check_secret(key, &found);
        Some(Setting {
            key: key.name,
            form: key.form,
            value: KeyValue::Text(found.secret),
            source: found.source,
        })
    }

    fn as_text(&mut self, key: &Key, at: At<RawValue>) -> Option<At<Secret>> {
        match at.value {
            RawValue::Text(value) => Some(At {
                value,
                place: at.place,
            }),
            _ => {
                let message = format!(
                    "{} is not text; expected one such as \"{}\"",
                    key.name, key.example
                );
                self.problems.add(&at.place, message);
                None
            }
        }
    }

    fn plain_setting(&mut self, key: &Key, given: &[RawOwn]) -> Option<Setting> {
        let raw = given.iter().find(|own| own.key == key.name);
        let raw = raw.and_then(|own| own.value.clone());
        let value = match raw {
            Some(raw) => self.plain_value(key, &raw)?,
            None => match (key.need, key.form) {
                (KeyNeed::Default(value), KeyForm::Number(..)) => {
                    KeyValue::Number(value.parse().ok()?)
                }
                (KeyNeed::Default(value), _) => KeyValue::Text(Some(Secret::new(value))),
                _ => return None,
            },
        };
        Some(Setting {
            key: key.name,
            form: key.form,
            value,
            source: SecretSource::Inline,
        })
    }

    fn plain_value(&mut self, key: &Key, raw: &At<RawValue>) -> Option<KeyValue> {
        let name = key.name;
        let wrong = match (key.form, &raw.value) {
            (KeyForm::List, RawValue::List(list)) if !list.is_empty() => {
                let list = list.iter().map(|item| item.value.clone());
                return Some(KeyValue::List(list.collect()));
            }
            (KeyForm::List, _) => format!(
                "{name} is not a list of texts; expected {name} = [\"{}\"]",
                key.example
            ),
            (KeyForm::Number(least, most), RawValue::Number(number))
                if (least..=most).contains(number) =>
            {
                return Some(KeyValue::Number(*number));
            }
            (KeyForm::Number(least, most), _) => {
                format!(
                    "{name} is not a number from {least} to {most}; expected one such as {}",
                    key.example
                )
            }
            (KeyForm::Choice(words), RawValue::Text(text)) if words.contains(&text.expose()) => {
                return Some(KeyValue::Text(Some(text.clone())));
            }
            (KeyForm::Choice(words), _) => {
                let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
                format!("{name} has another value; expected {}", words.join(" or "))
            }
            (KeyForm::Template, RawValue::Text(text)) => {
                match minijinja::Environment::new().template_from_str(text.expose()) {
                    Ok(_) => return Some(KeyValue::Text(Some(text.clone()))),
                    Err(error) => format!(
                        "{name} is not a valid template: {error}; expected one such as '{}'",
                        key.example
                    ),
                }
            }
            (_, RawValue::Text(text))
                if !text.expose().contains(char::is_control) && is_plain(name, text.expose()) =>
            {
                return Some(KeyValue::Text(Some(text.clone())));
            }
            // Users write the number of a Telegram chat as a number.
            (KeyForm::Text, RawValue::Number(number)) if name == "chat" => {
                return Some(KeyValue::Text(Some(Secret::new(number.to_string()))));
            }
            _ => format!(
                "{name} is not valid; expected one such as \"{}\"",
                key.example
            ),
        };
        self.problems.add(&raw.place, wrong);
        None
    }

    fn check_secret(&mut self, key: &Key, found: &FoundSecret) {
        let Some(secret) = &found.secret else { return };
        let text = secret.expose();
        let name = key.name;
        let wrong = match key.form {
            KeyForm::Address if !is_web_address(text) => {
                format!(
                    "{name} is not an http or https address; expected one such as \"{}\"",
                    key.example
                )
            }
            KeyForm::Signing if !is_signing_secret(text) => format!(
                "{name} is not a webhook secret; expected \"whsec_\" and base64 of 24 to 64 bytes, as printed by \
                 `echo whsec_$(openssl rand -base64 32)`"
            ),
            // It is sent in a header or an address.
            KeyForm::Secret
                if !text
                    .bytes()
                    .all(|byte| (b'!'..=b'~').contains(&byte) || byte == b' ')
                    && name == "token" =>
            {
                format!(
                    "{name} has characters that no token has; expected one such as \"{}\"",
                    key.example
                )
            }
            _ => return,
        };
        self.problems.add(&found.place, wrong);
    }

    /// Checks keys that depend on each other.
    fn check_together(&mut self, kind: TargetKind, settings: &KindSettings, place: &ValueSource) {
        let is_set = |key: &str| settings.iter().any(|setting| setting.key == key);
        match kind {
            TargetKind::Webhook => {
                if is_set("secret_previous") && !is_set("secret") {
                    let message =
                        "secret_previous is set without a secret; set secret to the new one";
                    self.problems.add(place, message);
                } else if !is_set("secret") {
                    let message = "no secret is set: the receiver cannot verify the sender";
                    self.warnings.push((place.clone(), message.to_owned()));
                }
                if is_set("template") && settings.text("format") == Some("cloudevents") {
                    let message =
                        "both template and format = \"cloudevents\" are set; use one of them";
                    self.problems.add(place, message);
                }
            }
            TargetKind::Email | TargetKind::Mqtt if is_set("user") != is_set("password") => {
                let message = "user and password belong together; expected user = \"…\" and password_file = \"…\"";
                self.problems.add(place, message);
            }
            TargetKind::Email => {
                let server = settings.text("server").unwrap_or_default();
                let loopback = server == "localhost"
                    || server
                        .parse::<std::net::IpAddr>()
                        .is_ok_and(|ip| ip.is_loopback());
                if settings.text("tls") == Some("none") && !loopback {
                    let message = "tls = \"none\" sends mail and password in the clear, which is only allowed to \
                                   this machine; expected tls = \"starttls\" or \"implicit\"";
                    self.problems.add(place, message);
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, fields: Option<At<Vec<At<String>>>>, kind: TargetKind) -> Vec<Field> {
        let Some(fields) = fields else {
            return if kind.is_public() {
                vec![Field::Title]
            } else {
                Vec::new()
            };
        };
        let mut list = Vec::new();
        for field in fields.value {
            match Field::parse(&field.value) {
                Some(known) if !list.contains(&known) => list.push(known),
                Some(_) => {}
                None => {
                    let names: Vec<&str> = Field::ALL.iter().map(|field| field.as_str()).collect();
                    let message = format!(
                        "{:?} is not a field; expected one of {}",
                        shortened(&field.value),
                        names.join(", ")
                    );
                    self.problems.add(&field.place, message);
                }
            }
        }
        list
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
            let known = is_event(name);
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
}

/// Whether this is the name of an event, or a pattern that matches one.
pub(super) fn is_event(name: &str) -> bool {
    match name.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => {
            prefix.ends_with('.')
                && EventKind::ALL
                    .iter()
                    .any(|kind| kind.as_str().starts_with(prefix))
        }
        None => EventKind::parse(name).is_some(),
    }
}

/// The lowest score of a change that is posted publicly, unless the target sets its own.
const PUBLIC_SCORE: usize = 60;

/// The names that a key can have in the file.
fn names(key: &Key) -> Vec<String> {
    let suffixes: &[&str] = if key.is_secret() {
        &["", "_file", "_env", "_credential"]
    } else {
        &[""]
    };
    suffixes
        .iter()
        .map(|suffix| format!("{}{suffix}", key.name))
        .collect()
}

/// Checks keys without a form of their own whose invalid values can be recognised.
fn is_plain(key: &str, text: &str) -> bool {
    match key {
        "server" if text.contains("://") => Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https" | "mqtt" | "mqtts") && url.has_host()
        }),
        "server" => !text.contains(['/', ' ', '@']),
        "from" | "list_unsubscribe" => text.contains(['@', ':']),
        "room" => text.starts_with('!') || text.starts_with('#'),
        "topic" => !text.contains(['#', '+']),
        "content_type" => text.contains('/') && text.is_ascii(),
        _ => true,
    }
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
}

/// The form that Standard Webhooks libraries accept.
fn is_signing_secret(text: &str) -> bool {
    let Some(encoded) = text.strip_prefix("whsec_") else {
        return false;
    };
    base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .is_ok_and(|bytes| (24..=64).contains(&bytes.len()))
}
