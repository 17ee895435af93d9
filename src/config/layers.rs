//! The layers of the configuration: how their tables are read, and how one is merged over another.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::ValueSource;
use super::raw::{
    RawArchive, RawDetect, RawFeedOwn, RawFetch, RawKeep, RawLog, RawOwn, RawPage, RawTable,
    RawTarget, RawTop, RawWeb,
};
use super::reader::LayerReader;

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
