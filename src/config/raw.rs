//! The file as written: tables and keys, not interpreted.
//!
//! A key that is added here must also be added to `config/default.toml`; a test compares the two.

use toml::Spanned;
use toml::de::DeValue;

use super::problem::ValueSource;
use super::reader::{At, FromToml, LayerReader, RawLadder};
use super::secret::Secret;

/// A table of keys.
pub(super) trait RawTable: Sized {
    /// All of them.
    const KEYS: &'static [&'static str];

    /// Reads a key if it belongs to this table.
    fn take(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        reader: &mut LayerReader<'_>,
    ) -> bool;

    /// Takes anything that is not set here from `below`.
    fn or(self, below: Self) -> Self;

    /// Whether nothing is set.
    fn is_empty(&self) -> bool;
}

/// Generates a struct of optional values from keys, their types and a description of the expected value.
macro_rules! raw_table {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $type:ty = $expected:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub(super) struct $name {
            $(pub(super) $key: Option<At<$type>>,)*
        }

        impl RawTable for $name {
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            fn take(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut LayerReader<'_>) -> bool {
                match key {
                    $(stringify!($key) => {
                        self.$key = reader.value(key, value, $expected);
                        true
                    })*
                    _ => false,
                }
            }

            fn or(self, below: Self) -> Self {
                Self { $($key: self.$key.or(below.$key),)* }
            }

            fn is_empty(&self) -> bool {
                $(self.$key.is_none() &&)* true
            }
        }
    };
}

raw_table! {
    /// Keys outside of tables.
    RawTop {
        database: String = "a path such as \"/var/lib/revisor/revisor.db\"",
        timezone: String = "a time zone such as \"UTC\" or \"Europe/Paris\"",
        feeds_file: String = "a path such as \"feeds.txt\"",
    }
}

raw_table! {
    /// `[log]`
    RawLog {
        format: String = "\"auto\", \"journal\", \"text\" or \"json\"",
        level: String = "\"error\", \"warn\", \"info\" or \"debug\"",
    }
}

raw_table! {
    /// `[fetch]`, and the same keys of a feed.
    RawFetch {
        every: String = "a duration such as \"15m\"",
        cron: String = "a schedule such as \"*/15 6-23 * * 1-5\"",
        jitter: String = "a share such as \"10%\"",
        slowest: String = "a duration such as \"1h\"",
        unconditional: String = "a duration such as \"1d\"",
        longest_hint: String = "a duration such as \"7d\"",
        concurrency: i64 = "a number from 1 to 1000",
        memory: String = "a size such as \"240 MiB\"",
        per_host: i64 = "a number from 1 to 64",
        host_delay: String = "a duration such as \"1s\"",
        timeout: String = "a duration such as \"30s\"",
        max_size: String = "a size such as \"10 MiB\"",
        user_agent_contact: String = "text such as \"https://desk.example/bot\"",
        allow_private: Vec<At<String>> = "a list of networks such as [\"10.1.0.0/16\"]",
        proxy: Secret = "an address such as \"http://proxy.example:3128\", or \"none\"",
        proxy_file: String = "a path",
        proxy_env: String = "the name of an environment variable",
        proxy_credential: String = "the name of a systemd credential",
        ca_file: String = "a path",
    }
}

raw_table! {
    /// `[page]`, and `page.…` of a feed.
    RawPage {
        fetch: String = "\"always\", \"changed\" or \"off\"",
        recheck: RawLadder = "\"news\", \"light\", \"advisory\" or a list such as [[\"1d\", \"1h\"], [\"30d\", \"1d\"]]",
        robots: bool = "true or false",
        host_budget: i64 = "a number of pages an hour, or 0 for no limit",
        select: Vec<At<String>> = "a list of CSS selectors such as [\"article .body\"]",
        remove: Vec<At<String>> = "a list of CSS selectors such as [\".promo\"]",
    }
}

raw_table! {
    /// `[detect]`, and `detect.…` of a feed.
    RawDetect {
        significance: String = "\"typographic\", \"minor\" or \"substantive\"",
        flap_window: String = "a duration such as \"24h\"",
        bulk_edit: i64 = "a number, 2 or more",
        live_digest: String = "a duration such as \"1h\", or \"off\"",
        removed_checks: i64 = "a number from 1 to 100",
        removed_after: String = "a duration such as \"6h\"",
        confirm_after: String = "a duration such as \"10m\"",
        ignore: Vec<At<String>> = "a list of regular expressions such as ['^\\d+ views$']",
    }
}

raw_table! {
    /// `[keep]`
    RawKeep {
        captures: String = "a duration such as \"90d\", a number such as \"5\", or \"all\"",
        revisions: String = "\"all\", a number such as \"50\", or a duration such as \"1y\"",
    }
}

raw_table! {
    /// `[archive]`
    RawArchive {
        wayback: bool = "true or false",
        server: String = "an address such as \"https://web.archive.org\"",
        per_day: i64 = "a number from 1 to 100000",
        key: Secret = "text",
        key_file: String = "a path",
        key_env: String = "the name of an environment variable",
        key_credential: String = "the name of a systemd credential",
    }
}

raw_table! {
    /// `[web]`
    RawWeb {
        listen: String = "an address such as \"127.0.0.1:9464\", or \"unix:\" and a path",
        pages: bool = "true or false",
        base_url: String = "an address such as \"https://changes.example.org\"",
        allow_remote: bool = "true or false",
        auth: String = "\"off\", \"tokens\" or \"proxy\"",
        trusted_proxies: Vec<At<String>> = "a list of addresses such as [\"127.0.0.1\"]",
        user_header: String = "the name of a header such as \"X-Forwarded-User\"",
        public: bool = "true or false",
    }
}

raw_table! {
    /// The keys that only `[[feed]]` has.
    RawFeedOwn {
        url: String = "an http or https address",
        name: String = "text such as \"example-news\"",
        kind: String = "\"feed\" or \"page\"",
        tags: Vec<At<String>> = "a list such as [\"politics\"]",
        user: String = "text",
        password: Secret = "text",
        password_file: String = "a path",
        password_env: String = "the name of an environment variable",
        password_credential: String = "the name of a systemd credential",
        token: Secret = "text",
        token_file: String = "a path",
        token_env: String = "the name of an environment variable",
        token_credential: String = "the name of a systemd credential",
        headers: Vec<RawHeader> = "a list such as [{ name = \"X-Api-Key\", value_env = \"API_KEY\" }]",
    }
}

raw_table! {
    /// One of `headers` in `[[feed]]`.
    RawHeader {
        name: String = "text such as \"X-Api-Key\"",
        value: Secret = "text",
        value_file: String = "a path",
        value_env: String = "the name of an environment variable",
        value_credential: String = "the name of a systemd credential",
    }
}

impl FromToml for Vec<RawHeader> {
    fn from_toml(value: &DeValue<'_>, reader: &mut LayerReader<'_>) -> Option<Self> {
        let items = value.as_array()?.iter();
        items
            .map(|item| {
                let mut raw = RawHeader::default();
                for (key, value) in item.get_ref().as_table()? {
                    if !raw.take(key.get_ref(), value, reader) {
                        let (place, known) = (reader.place(key), RawHeader::KEYS);
                        reader.unknown_key(
                            &place,
                            key.get_ref(),
                            "headers of [[feed]]",
                            known,
                            &[],
                        );
                    }
                }
                Some(raw)
            })
            .collect()
    }
}

raw_table! {
    /// The keys of `[[target]]` that every kind has.
    RawTargetCommon {
        name: String = "text such as \"desk\"",
        kind: String = "a word such as \"webhook\"",
        events: Vec<At<String>> = "a list such as [\"entry.*\"]",
        feeds: Vec<At<String>> = "a list such as [\"example-news\"]",
        tags: Vec<At<String>> = "a list such as [\"politics\"]",
        fields: Vec<At<String>> = "a list such as [\"title\"]",
        labels: Vec<At<String>> = "a list such as [\"headline\"]",
        words: Vec<At<String>> = "a list such as [\"prime minister\"]",
        min_score: i64 = "a number from 0 to 100",
        significance: String = "\"typographic\", \"minor\" or \"substantive\"",
        digest: String = "an interval such as \"15m\", or \"daily 07:00\" or \"mon 07:00\"",
        digest_except: Vec<At<String>> = "a list such as [\"entry.removed\", \"negation\", \"score>=80\"]",
        send_empty: bool = "true or false",
        quiet_hours: String = "two times such as \"22:00-07:00\"",
        max_per_hour: i64 = "a number such as 20",
        max_payload: String = "a size such as \"20 KiB\"",
        max_queue: i64 = "a number such as 10000",
        allow_private: Vec<At<String>> = "a list of networks such as [\"10.1.0.0/16\"]",
    }
}

/// `[[target]]`: the keys that every kind has, and those of its own kind, which are checked once the kind is
/// known.
#[derive(Debug, Clone, Default)]
pub(super) struct RawTarget {
    pub(super) common: RawTargetCommon,
    pub(super) own: Vec<RawOwn>,
}

/// A key that belongs to the kind of a target.
#[derive(Debug, Clone)]
pub(super) struct RawOwn {
    pub(super) key: String,
    /// Where the key is.
    pub(super) place: ValueSource,
    /// `None` for an empty text, which counts as not set.
    pub(super) value: Option<At<RawValue>>,
}

/// A value of any type. Texts may be secrets.
#[derive(Debug, Clone)]
pub(super) enum RawValue {
    Text(Secret),
    List(Vec<At<String>>),
    Number(i64),
}

impl FromToml for RawValue {
    fn from_toml(value: &DeValue<'_>, reader: &mut LayerReader<'_>) -> Option<Self> {
        if value.as_array().is_some() {
            return FromToml::from_toml(value, reader).map(Self::List);
        }
        let text = Secret::from_toml(value, reader).map(Self::Text);
        text.or_else(|| i64::from_toml(value, reader).map(Self::Number))
    }
}

/// Uncomments the samples of `[[feed]]` and `[[target]]` in `config/default.toml`, which are commented out because
/// nobody wants to poll them.
pub(super) fn with_samples(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let sample = line.strip_prefix("# ").filter(|rest| is_toml_line(rest));
        out.push_str(sample.unwrap_or(line));
        out.push('\n');
    }
    out
}

fn is_toml_line(line: &str) -> bool {
    let is_key = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.')
    };
    (line.starts_with("[[") && line.ends_with("]]"))
        || line.split_once(" = ").is_some_and(|(key, _)| is_key(key))
}
