//! The file as written: tables and keys, not interpreted.
//!
//! A key that is added here must also be added to `config/default.toml`; a test compares the two.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

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

/// The keys with global settings.
#[derive(Debug, Clone, Default)]
pub(super) struct RawGlobal {
    pub(super) top: RawTop,
    pub(super) log: RawLog,
    pub(super) fetch: RawFetch,
    pub(super) page: RawPage,
    pub(super) detect: RawDetect,
    pub(super) keep: RawKeep,
    pub(super) archive: RawArchive,
    pub(super) web: RawWeb,
}

/// The tables of [`RawGlobal`].
pub(super) const TABLES: &[(&str, &[&str])] = &[
    ("log", RawLog::KEYS),
    ("fetch", RawFetch::KEYS),
    ("page", RawPage::KEYS),
    ("detect", RawDetect::KEYS),
    ("keep", RawKeep::KEYS),
    ("archive", RawArchive::KEYS),
    ("web", RawWeb::KEYS),
];

impl RawGlobal {
    /// Reads the root of a document; the caller reads `feed` and `target`.
    pub(super) fn read(root: &DeTable<'_>, reader: &mut LayerReader<'_>) -> Self {
        let mut raw = Self::default();
        for (key, value) in root {
            let name = key.get_ref().as_ref();
            if !raw.take(name, value, reader) && !matches!(name, "feed" | "target") {
                let place = reader.place(key);
                let mut known: Vec<&str> = RawTop::KEYS.to_vec();
                known.extend(TABLES.iter().map(|(table, _)| *table));
                known.extend(["feed", "target"]);
                reader.unknown_key(&place, name, "the configuration", &known, TABLES);
            }
        }
        raw.check_plan(reader);
        raw
    }

    fn take(
        &mut self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        reader: &mut LayerReader<'_>,
    ) -> bool {
        if !TABLES.iter().any(|(table, _)| *table == name) {
            return self.top.take(name, value, reader);
        }
        if name == "page" && value.get_ref().as_array().is_some() {
            let place = reader.place(value);
            let message = "[page] has the settings for article pages; \
                           to watch a page that no feed lists, write [[feed]] with kind = \"page\"";
            reader.problems.add(&place, message);
            return true;
        }
        let Some(table) = reader.table(name, value) else {
            return true;
        };
        for (key, value) in table {
            if !self.take_in(name, key.get_ref(), value, reader) {
                let place = reader.place(key);
                let keys = TABLES.iter().find(|(table, _)| *table == name);
                let known = keys.map(|(_, keys)| *keys).unwrap_or_default();
                let others: Vec<_> = TABLES.to_vec();
                reader.unknown_key(&place, key.get_ref(), &format!("[{name}]"), known, &others);
            }
        }
        true
    }

    /// Reads one key of one table; an empty table name is the root.
    pub(super) fn take_in(
        &mut self,
        table: &str,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        reader: &mut LayerReader<'_>,
    ) -> bool {
        match table {
            "" => self.top.take(key, value, reader),
            "log" => self.log.take(key, value, reader),
            "fetch" => self.fetch.take(key, value, reader),
            "page" => self.page.take(key, value, reader),
            "detect" => self.detect.take(key, value, reader),
            "keep" => self.keep.take(key, value, reader),
            "archive" => self.archive.take(key, value, reader),
            "web" => self.web.take(key, value, reader),
            _ => false,
        }
    }

    /// Merges this layer over another one.
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            top: self.top.or(below.top),
            log: self.log.or(below.log),
            fetch: self.fetch.over(below.fetch),
            page: self.page.or(below.page),
            detect: self.detect.or(below.detect),
            keep: self.keep.or(below.keep),
            archive: self.archive.or(below.archive),
            web: self.web.or(below.web),
        }
    }

    /// Reports a mistake if this layer sets both `every` and `cron`.
    pub(super) fn check_plan(&self, reader: &mut LayerReader<'_>) {
        self.fetch.check_plan(reader);
    }
}

impl RawFetch {
    /// Like `or`, but `every` and `cron` are one setting: either hides both below, and also the bounds, which
    /// apply only to feeds without a rhythm of their own.
    pub(super) fn over(self, mut below: Self) -> Self {
        if self.every.is_some() || self.cron.is_some() {
            below.every = None;
            below.cron = None;
            below.slowest = None;
            below.unconditional = None;
        }
        if self.names_proxy() {
            below.proxy = None;
            below.proxy_file = None;
            below.proxy_env = None;
            below.proxy_credential = None;
        }
        self.or(below)
    }

    /// Whether only the rhythm is set.
    pub(super) fn is_only_plan(&self) -> bool {
        let Self {
            every: _,
            cron: _,
            jitter: _,
            slowest: _,
            unconditional: _,
            longest_hint: _,
            concurrency,
            memory,
            per_host,
            host_delay,
            timeout,
            max_size,
            user_agent_contact,
            allow_private,
            proxy: _,
            proxy_file: _,
            proxy_env: _,
            proxy_credential: _,
            ca_file,
        } = self;
        concurrency.is_none()
            && memory.is_none()
            && per_host.is_none()
            && host_delay.is_none()
            && timeout.is_none()
            && max_size.is_none()
            && user_agent_contact.is_none()
            && allow_private.is_none()
            && ca_file.is_none()
            && !self.names_proxy()
    }

    /// Whether one of the proxy keys is set.
    pub(super) fn names_proxy(&self) -> bool {
        self.proxy.is_some()
            || self.proxy_file.is_some()
            || self.proxy_env.is_some()
            || self.proxy_credential.is_some()
    }

    fn check_plan(&self, reader: &mut LayerReader<'_>) {
        if let (Some(_), Some(cron)) = (&self.every, &self.cron) {
            let message = "both every and cron are set; use one of them";
            reader.problems.add(&cron.place, message);
        }
    }
}

/// `[[feed]]`
#[derive(Debug, Clone)]
pub(super) struct RawFeed {
    pub(super) own: RawFeedOwn,
    pub(super) fetch: RawFetch,
    pub(super) page: RawPage,
    pub(super) detect: RawDetect,
    /// Where the table starts.
    pub(super) place: ValueSource,
}

impl RawFeed {
    pub(super) fn read(
        table: &DeTable<'_>,
        place: ValueSource,
        reader: &mut LayerReader<'_>,
    ) -> Self {
        let mut raw = Self {
            own: RawFeedOwn::default(),
            fetch: RawFetch::default(),
            page: RawPage::default(),
            detect: RawDetect::default(),
            place,
        };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            match name {
                "page" | "detect" => raw.take_table(name, value, reader),
                "concurrency" | "memory" => {
                    let place = reader.place(key);
                    let message =
                        format!("{name} applies to all feeds together; move it to [fetch]");
                    reader.problems.add(&place, &message);
                }
                _ if raw.own.take(name, value, reader) => {}
                _ if raw.fetch.take(name, value, reader) => {}
                _ => {
                    let place = reader.place(key);
                    let mut known: Vec<&str> = RawFeedOwn::KEYS.to_vec();
                    known.extend(
                        RawFetch::KEYS
                            .iter()
                            .filter(|key| !["concurrency", "memory"].contains(key)),
                    );
                    known.extend(["page", "detect"]);
                    let own = [("page", RawPage::KEYS), ("detect", RawDetect::KEYS)];
                    match own.iter().find(|(_, keys)| keys.contains(&name)) {
                        Some((table, _)) => reader.problems.add(
                            &place,
                            format!(
                                "unknown key {name:?} in [[feed]]; did you mean {table}.{name}?"
                            ),
                        ),
                        None => reader.unknown_key(&place, name, "[[feed]]", &known, &[]),
                    }
                }
            }
        }
        raw.fetch.check_plan(reader);
        raw
    }

    fn take_table(
        &mut self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        reader: &mut LayerReader<'_>,
    ) {
        // Users who have seen `fetch` only in [page] write `page = "off"`.
        let Some(table) = value.get_ref().as_table() else {
            let place = reader.place(value);
            let key = if name == "page" {
                "fetch"
            } else {
                "significance"
            };
            let message = format!("{name} must be a table; write {name}.{key} = …");
            reader.problems.add(&place, message);
            return;
        };
        for (key, value) in table {
            let (taken, known) = match name {
                "page" => (self.page.take(key.get_ref(), value, reader), RawPage::KEYS),
                _ => (
                    self.detect.take(key.get_ref(), value, reader),
                    RawDetect::KEYS,
                ),
            };
            if !taken {
                let place = reader.place(key);
                let within = format!("{name} of [[feed]]");
                reader.unknown_key(&place, key.get_ref(), &within, known, &[]);
            }
        }
    }
}

impl RawTarget {
    pub(super) fn read(table: &DeTable<'_>, reader: &mut LayerReader<'_>) -> Self {
        let mut raw = Self::default();
        for (key, value) in table {
            if !raw.common.take(key.get_ref(), value, reader) {
                let place = reader.place(key);
                let expected = "text, a number or a list of texts";
                raw.own.push(RawOwn {
                    key: key.get_ref().to_string(),
                    place,
                    value: reader.value(key.get_ref(), value, expected),
                });
            }
        }
        raw
    }
}

/// The tables of an array of tables, each with its place; anything else is reported as a problem.
pub(super) fn tables<'t, 'i>(
    root: &'t DeTable<'i>,
    name: &str,
    reader: &mut LayerReader<'_>,
) -> Vec<(&'t DeTable<'i>, ValueSource)> {
    let Some(value) = root.get(name) else {
        return Vec::new();
    };
    let Some(items) = value.get_ref().as_array() else {
        let place = reader.place(value);
        reader.problems.add(
            &place,
            format!("{name} must be a list of tables; write [[{name}]] with double brackets"),
        );
        return Vec::new();
    };
    let mut tables = Vec::with_capacity(items.len());
    for item in items {
        let place = reader.place(item);
        match item.get_ref().as_table() {
            Some(table) => tables.push((table, place)),
            None => reader
                .problems
                .add(&place, format!("expected a [[{name}]] table")),
        }
    }
    tables
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
