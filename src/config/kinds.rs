//! The kinds of targets, and the keys of each: one table a kind.
//!
//! A new kind is an entry here, its file in `notify/kinds/`, a line in `notify/kinds/mod.rs`, and its text in
//! `src/guide/alerts.md` and `config/default.toml`.

use super::secret::{Secret, SecretSource};
use crate::names;

names! {
    /// Kinds of targets.
    pub enum TargetKind {
        /// A POST with the event, signed as Standard Webhooks.
        Webhook = "webhook",
        /// Mail by SMTP.
        Email = "email",
        /// An incoming webhook of Slack.
        Slack = "slack",
        /// An incoming webhook of Mattermost.
        Mattermost = "mattermost",
        /// A webhook of a Discord channel.
        Discord = "discord",
        /// A topic of ntfy.
        Ntfy = "ntfy",
        /// A chat, by a Telegram bot.
        Telegram = "telegram",
        /// A room of Matrix.
        Matrix = "matrix",
        /// A workflow of Microsoft Teams.
        Teams = "teams",
        /// An application of Gotify.
        Gotify = "gotify",
        /// A user or group of Pushover.
        Pushover = "pushover",
        /// An Apprise API server.
        Apprise = "apprise",
        /// A topic of an MQTT broker.
        Mqtt = "mqtt",
        /// A program on this machine.
        Command = "command",
        /// Posts of a Bluesky account.
        Bluesky = "bluesky",
        /// Posts of a Mastodon account.
        Mastodon = "mastodon",
        /// A check that raises an alarm when revisor stops pinging it.
        Healthchecks = "healthchecks",
    }
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// An http or https address, which may hold a token: only its host is shown.
    Address,
    /// Text that is never shown.
    Secret,
    /// A secret of Standard Webhooks, never shown.
    Signing,
    /// Text.
    Text,
    /// A list of texts.
    List,
    /// A whole number in this range.
    Number(i64, i64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A template in the syntax of Jinja.
    Template,
}

/// Whether a key has to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNeed {
    /// It has to be.
    Required,
    /// It may be left out.
    Optional,
    /// It has this value when it is left out.
    Default(&'static str),
}

/// A key of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub form: KeyForm,
    /// Whether it has to be set.
    pub need: KeyNeed,
    /// A value that could stand there.
    pub example: &'static str,
}

impl Key {
    /// Whether the value may be in a file, credential or variable.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self.form, Address | KeyForm::Secret | Signing)
    }
}

const fn key(name: &'static str, form: KeyForm, need: KeyNeed, example: &'static str) -> Key {
    Key {
        name,
        form,
        need,
        example,
    }
}

use KeyForm::{Address, Choice, List, Number, Signing, Template, Text};
use KeyNeed::{Default, Optional, Required};

const CONFIRM: Key = key("confirm", Choice(&["hold", "off"]), Default("hold"), "hold");

impl TargetKind {
    /// The keys of a kind, besides those that all targets have.
    #[must_use]
    pub fn keys(self) -> &'static [Key] {
        match self {
            Self::Webhook => {
                const {
                    &[
                        key(
                            "url",
                            Address,
                            Required,
                            "https://hooks.example.org/revisor",
                        ),
                        key("secret", Signing, Optional, "whsec_…"),
                        key("secret_previous", Signing, Optional, "whsec_…"),
                        key(
                            "format",
                            Choice(&["standard", "cloudevents"]),
                            Default("standard"),
                            "cloudevents",
                        ),
                        key("source", Text, Optional, "https://changes.example.org"),
                        key(
                            "template",
                            Template,
                            Optional,
                            "{\"text\": {{ text|tojson }}}",
                        ),
                        key(
                            "content_type",
                            Text,
                            Default("application/json"),
                            "text/plain",
                        ),
                    ]
                }
            }
            Self::Email => {
                const {
                    &[
                        key("server", Text, Required, "mail.example.org"),
                        key("port", Number(1, 65_535), Optional, "587"),
                        key(
                            "tls",
                            Choice(&["starttls", "implicit", "none"]),
                            Default("starttls"),
                            "starttls",
                        ),
                        key("user", Text, Optional, "revisor"),
                        key("password", KeyForm::Secret, Optional, "a password"),
                        key("from", Text, Required, "revisor <revisor@example.org>"),
                        key("to", List, Required, "desk@example.org"),
                        key("subject", Template, Optional, "{{ headline }}: {{ title }}"),
                        key(
                            "list_unsubscribe",
                            Text,
                            Optional,
                            "https://example.org/unsubscribe",
                        ),
                    ]
                }
            }
            Self::Slack => {
                const {
                    &[key(
                        "url",
                        Address,
                        Required,
                        "https://hooks.slack.com/services/T000/B000/XXXX",
                    )]
                }
            }
            Self::Mattermost => {
                const {
                    &[
                        key(
                            "url",
                            Address,
                            Required,
                            "https://chat.example.org/hooks/xxxx",
                        ),
                        key("channel", Text, Optional, "town-square"),
                    ]
                }
            }
            Self::Discord => {
                const {
                    &[key(
                        "url",
                        Address,
                        Required,
                        "https://discord.com/api/webhooks/1234/XXXX",
                    )]
                }
            }
            Self::Ntfy => {
                const {
                    &[
                        key("url", Address, Required, "https://ntfy.sh/my-secret-topic"),
                        key("token", KeyForm::Secret, Optional, "tk_…"),
                        key("priority", Number(1, 5), Optional, "3"),
                    ]
                }
            }
            Self::Telegram => {
                const {
                    &[
                        key("token", KeyForm::Secret, Required, "123456:ABC-DEF"),
                        key("chat", Text, Required, "-1001234567890"),
                        key("thread", Number(1, i64::MAX), Optional, "42"),
                        key(
                            "server",
                            Text,
                            Default("https://api.telegram.org"),
                            "https://api.telegram.org",
                        ),
                    ]
                }
            }
            Self::Matrix => {
                const {
                    &[
                        key("server", Text, Required, "https://matrix.example.org"),
                        key("room", Text, Required, "!abc:example.org"),
                        key("token", KeyForm::Secret, Required, "syt_…"),
                    ]
                }
            }
            Self::Teams => {
                const {
                    &[key(
                        "url",
                        Address,
                        Required,
                        "https://prod-1.westeurope.logic.azure.com/workflows/…",
                    )]
                }
            }
            Self::Gotify => {
                const {
                    &[
                        key("server", Text, Required, "https://push.example.org"),
                        key("token", KeyForm::Secret, Required, "AbCdEf"),
                        key("priority", Number(0, 10), Optional, "5"),
                    ]
                }
            }
            Self::Pushover => {
                const {
                    &[
                        key(
                            "token",
                            KeyForm::Secret,
                            Required,
                            "the token of the application",
                        ),
                        key(
                            "user",
                            KeyForm::Secret,
                            Required,
                            "the key of a user or group",
                        ),
                        key("priority", Number(-2, 1), Default("0"), "0"),
                        key(
                            "server",
                            Text,
                            Default("https://api.pushover.net"),
                            "https://api.pushover.net",
                        ),
                    ]
                }
            }
            Self::Apprise => {
                const {
                    &[
                        key(
                            "url",
                            Address,
                            Required,
                            "http://127.0.0.1:8000/notify/desk",
                        ),
                        key("tag", Text, Optional, "desk"),
                    ]
                }
            }
            Self::Mqtt => {
                const {
                    &[
                        key("server", Text, Required, "mqtt://127.0.0.1:1883"),
                        key("topic", Text, Default("revisor"), "revisor"),
                        key("user", Text, Optional, "revisor"),
                        key("password", KeyForm::Secret, Optional, "a password"),
                    ]
                }
            }
            Self::Command => {
                const {
                    &[
                        key("command", List, Required, "/usr/local/bin/alert"),
                        key("timeout", Number(1, 45), Default("15"), "15"),
                    ]
                }
            }
            Self::Bluesky => {
                const {
                    &[
                        key("user", Text, Required, "desk.bsky.social"),
                        key("password", KeyForm::Secret, Required, "an app password"),
                        key(
                            "server",
                            Text,
                            Default("https://bsky.social"),
                            "https://bsky.social",
                        ),
                        CONFIRM,
                    ]
                }
            }
            Self::Mastodon => {
                const {
                    &[
                        key("server", Text, Required, "https://mastodon.example"),
                        key("token", KeyForm::Secret, Required, "an access token"),
                        key(
                            "visibility",
                            Choice(&["public", "unlisted", "private"]),
                            Default("public"),
                            "unlisted",
                        ),
                        key("max_length", Number(100, 100_000), Default("500"), "500"),
                        CONFIRM,
                    ]
                }
            }
            Self::Healthchecks => {
                const {
                    &[
                        key(
                            "url",
                            Address,
                            Required,
                            "https://hc-ping.com/00000000-0000-0000-0000-000000000000",
                        ),
                        key("every", Number(1, 1440), Default("5"), "5"),
                    ]
                }
            }
        }
    }

    /// Whether what is sent there is read by the public: only headlines by default, and each post is confirmed.
    #[must_use]
    pub fn is_public(self) -> bool {
        matches!(self, Self::Bluesky | Self::Mastodon)
    }

    /// Whether it is sent the events of feeds and entries; one that only hears that the service is alive is not.
    #[must_use]
    pub fn takes_events(self) -> bool {
        self != Self::Healthchecks
    }
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValue {
    /// Text; `None` only when the configuration was loaded with [`super::Secrets::WhereReadable`] and the source could
    /// not be read.
    Text(Option<Secret>),
    /// A list of texts.
    List(Vec<String>),
    /// A number.
    Number(i64),
}

/// A key that is set, or has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// What it holds.
    pub form: KeyForm,
    /// Its value.
    pub value: KeyValue,
    /// Where the value comes from.
    pub source: SecretSource,
}

/// The keys of a target that belong to its kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindSettings(Vec<Setting>);

impl KindSettings {
    /// Adds a key.
    pub fn push(&mut self, setting: Setting) {
        self.0.push(setting);
    }

    /// All that is set, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }

    fn value(&self, key: &str) -> Option<&KeyValue> {
        let found = self.0.iter().find(|setting| setting.key == key);
        found.map(|setting| &setting.value)
    }

    /// A text that may be a secret.
    #[must_use]
    pub fn secret(&self, key: &str) -> Option<&Secret> {
        match self.value(key) {
            Some(KeyValue::Text(secret)) => secret.as_ref(),
            _ => None,
        }
    }

    /// A text, exposed: for sending.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.secret(key).map(Secret::expose)
    }

    /// A list; empty when it is not set.
    #[must_use]
    pub fn list(&self, key: &str) -> &[String] {
        match self.value(key) {
            Some(KeyValue::List(list)) => list,
            _ => &[],
        }
    }

    /// A number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<i64> {
        match self.value(key) {
            Some(KeyValue::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The texts that nobody may see: secrets, and addresses, which may hold some.
    pub fn hidden(&self) -> impl Iterator<Item = (KeyForm, &str)> {
        self.0.iter().filter_map(|setting| match &setting.value {
            KeyValue::Text(Some(text))
                if matches!(setting.form, Address | KeyForm::Secret | Signing) =>
            {
                Some((setting.form, text.expose()))
            }
            _ => None,
        })
    }
}
