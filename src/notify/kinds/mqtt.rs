//! A topic of an MQTT broker: the event as JSON under `TOPIC/FEED/TYPE`, at least once, not retained.

use super::{Kind, Letter, Work};
use crate::notify::payload;

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    /// `mqtt://` or `mqtts://`, host and port.
    pub server: String,
    /// The topic.
    pub topic: String,
    /// User and password.
    pub login: Option<(String, String)>,
    /// The client id that we use with the broker.
    pub client: String,
    /// The event.
    pub body: Vec<u8>,
}

pub(super) struct Mqtt;

impl Kind for Mqtt {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let feed = letter.event.data.feed.as_ref();
        let feed = feed.map_or("-", |feed| feed.name.as_str());
        let topic = format!(
            "{}/{}/{}",
            letter.text("topic").trim_end_matches('/'),
            level(feed),
            level(letter.event.kind.as_str())
        );
        let settings = &letter.target.settings;
        let login = settings.text("user").zip(settings.text("password"));
        Ok(Work::Publish(Publish {
            server: letter.server().to_owned(),
            topic,
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
            client: format!("revisor-{}", level(&letter.target.name)),
            body: payload::fit_json(letter.stored.to_vec(), letter.target.max_payload),
        }))
    }
}

/// One level of a topic, without the characters that separate levels or are wildcards (MQTT 3.1.1, 4.7).
fn level(name: &str) -> String {
    let plain = |c: char| {
        if c.is_control() || "/+#$".contains(c) {
            '-'
        } else {
            c
        }
    };
    let level: String = name.chars().take(64).map(plain).collect();
    if level.is_empty() {
        "-".to_owned()
    } else {
        level
    }
}
