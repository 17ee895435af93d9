//! The effective configuration as text, without secrets; schedules in words.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use url::Url;

use super::archive::ArchiveConfig;
use super::kinds::{KeyForm, KeyValue, Setting};
use super::resolved::{
    Access, Config, DetectConfig, FeedConfig, FeedKind, FetchConfig, HeaderConfig, Login,
    PageConfig, Proxy, Retention, TargetConfig,
};
use super::secret::{Secret, SecretSource};
use super::web::{Auth, WebConfig};
use crate::domain::article_clock::Ladder;
use crate::domain::durations::{format_duration, format_share, format_size};
use crate::domain::holding::{Holding, Urgent};
use crate::domain::schedule::{Every, Plan};
use crate::domain::wording::WordPhrase;
use crate::time::Timestamp;

/// Printed in place of a secret.
const HIDDEN: &str = "[hidden]";

/// The effective configuration as TOML, defaults included. Secrets are masked, and only the host of a receiver's
/// address is shown. A feed's own settings are shown only if they differ from the common ones.
#[must_use]
pub fn show(config: &Config) -> String {
    let mut out = TomlWriter::default();
    out.comment(&match &config.file {
        Some(file) => format!("read from {}", file.display()),
        None => "no configuration file, using the defaults".to_owned(),
    });
    for part in config.drop_ins.iter().chain(&config.lists) {
        out.comment(&format!("and from {}", part.display()));
    }
    out.text("database", &path_text(&config.database));
    out.text("timezone", config.timezone.name());
    out.table("[log]");
    out.text("format", config.log.format.as_str());
    out.text("level", config.log.level.as_str());
    out.table("[fetch]");
    plan(&mut out, &config.plan, None);
    out.value("concurrency", config.fetch.concurrency);
    out.text("memory", &format_size(config.fetch.memory));
    fetch(&mut out, &config.fetch, None);
    out.table("[page]");
    page(&mut out, "", &config.page, None);
    out.table("[detect]");
    detect(&mut out, "", &config.detect, None);
    out.table("[keep]");
    out.text("captures", &retention(config.keep.captures));
    out.text("revisions", &retention(config.keep.revisions));
    out.table("[archive]");
    archive(&mut out, &config.archive);
    out.table("[web]");
    web(&mut out, &config.web);
    for item in &config.feeds {
        feed(&mut out, item, config);
    }
    for item in &config.targets {
        target(&mut out, item);
    }
    out.0
}

fn archive(out: &mut TomlWriter, archive: &ArchiveConfig) {
    out.value("wayback", archive.wayback);
    out.text("server", &archive.server);
    out.value("per_day", archive.per_day);
    if let Some(key) = &archive.key {
        source(out, "key", &key.source, HIDDEN);
    }
}

fn web(out: &mut TomlWriter, web: &WebConfig) {
    let listen = web.listen.as_ref().map(ToString::to_string);
    out.text("listen", listen.as_deref().unwrap_or(""));
    out.value("pages", web.pages);
    out.text("base_url", web.base_url.as_deref().unwrap_or(""));
    out.value("allow_remote", web.allow_remote);
    out.text("auth", web.auth.as_str());
    if let Auth::Proxy {
        trusted,
        user_header,
    } = &web.auth
    {
        let trusted: Vec<String> = trusted.iter().map(ToString::to_string).collect();
        out.list("trusted_proxies", &trusted);
        out.text("user_header", user_header);
    }
    out.value("public", web.public);
}

/// A rhythm of polls, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleLine {
    /// `every 15m`, or the cron schedule in words.
    pub description: String,
    /// The cron expression, if it is one.
    pub expression: Option<String>,
    /// How many feeds use it.
    pub feeds: usize,
    /// How often feeds are polled if the server sends neither `ETag` nor `Last-Modified`, if that is less often.
    pub whole: Option<Duration>,
    /// The next three runs after now, without jitter and without hints from publishers.
    pub next: Vec<Timestamp>,
}

/// The rhythms in use, in the order of the feeds; the one of `[fetch]` if there are no feeds.
#[must_use]
pub fn schedules(config: &Config, now: Timestamp) -> Vec<ScheduleLine> {
    let mut plans: Vec<(&Plan, usize)> = Vec::new();
    for feed in &config.feeds {
        match plans
            .iter_mut()
            .find(|(plan, _)| plan.every == feed.plan.every)
        {
            Some((_, count)) => *count += 1,
            None => plans.push((&feed.plan, 1)),
        }
    }
    if plans.is_empty() {
        plans.push((&config.plan, 0));
    }
    let line = |(plan, feeds): (&Plan, usize)| ScheduleLine {
        description: plan.describe(),
        expression: match &plan.every {
            Every::Cron(cron) => Some(cron.expression().to_owned()),
            Every::Interval(_) => None,
        },
        feeds,
        whole: plan
            .unconditional
            .filter(|whole| *whole > plan.usual_gap(now)),
        next: std::iter::successors(following(plan, now), |at| following(plan, *at))
            .take(3)
            .collect(),
    };
    plans.into_iter().map(line).collect()
}

fn following(plan: &Plan, at: Timestamp) -> Option<Timestamp> {
    match &plan.every {
        Every::Interval(interval) => Some(at + *interval),
        Every::Cron(cron) => cron.next_after(at),
    }
}

/// Builds TOML line by line.
#[derive(Default)]
struct TomlWriter(String);

impl TomlWriter {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn comment(&mut self, text: &str) {
        let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
        self.line(&format!("# {text}"));
    }

    fn table(&mut self, header: &str) {
        self.line("");
        self.line(header);
    }

    fn value(&mut self, key: &str, value: impl std::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.value(key, quoted(text));
    }

    fn list<T: AsRef<str>>(&mut self, key: &str, items: &[T]) {
        let items: Vec<String> = items.iter().map(|item| quoted(item.as_ref())).collect();
        self.value(key, format!("[{}]", items.join(", ")));
    }
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

fn differs<T: PartialEq>(value: &T, common: Option<&T>) -> bool {
    common.is_none_or(|common| common != value)
}

fn plan(out: &mut TomlWriter, plan: &Plan, common: Option<&Plan>) {
    if differs(&plan.every, common.map(|common| &common.every)) {
        match &plan.every {
            Every::Interval(interval) => out.text("every", &format_duration(*interval)),
            Every::Cron(cron) => out.text("cron", cron.expression()),
        }
    }
    if differs(&plan.jitter, common.map(|common| &common.jitter)) {
        out.text("jitter", &format_share(plan.jitter));
    }
    // A feed with its own rhythm inherits no bounds: any that it has are shown.
    let rhythm = differs(&plan.every, common.map(|common| &common.every));
    let bounds = [
        ("slowest", plan.slowest, common.map(|common| common.slowest)),
        (
            "unconditional",
            plan.unconditional,
            common.map(|common| common.unconditional),
        ),
    ];
    for (key, bound, common) in bounds {
        let inherited = if rhythm { Some(None) } else { common };
        if Some(bound) != inherited {
            out.text(key, &format_duration(bound.unwrap_or_default()));
        }
    }
    if differs(
        &plan.longest_hint,
        common.map(|common| &common.longest_hint),
    ) {
        out.text("longest_hint", &format_duration(plan.longest_hint));
    }
}

fn fetch(out: &mut TomlWriter, fetch: &FetchConfig, common: Option<&FetchConfig>) {
    if differs(&fetch.per_host, common.map(|common| &common.per_host)) {
        out.value("per_host", fetch.per_host);
    }
    if differs(&fetch.host_delay, common.map(|common| &common.host_delay)) {
        out.text("host_delay", &format_duration(fetch.host_delay));
    }
    if differs(&fetch.timeout, common.map(|common| &common.timeout)) {
        out.text("timeout", &format_duration(fetch.timeout));
    }
    if differs(&fetch.max_size, common.map(|common| &common.max_size)) {
        out.text("max_size", &format_size(fetch.max_size));
    }
    let contact = common.map(|common| &common.user_agent_contact);
    if differs(&fetch.user_agent_contact, contact) {
        out.text("user_agent_contact", &fetch.user_agent_contact);
    }
    if differs(
        &fetch.allow_private,
        common.map(|common| &common.allow_private),
    ) {
        let networks = fetch.allow_private.iter().map(ToString::to_string);
        out.list("allow_private", &networks.collect::<Vec<_>>());
    }
    if differs(&fetch.proxy, common.map(|common| &common.proxy)) {
        match &fetch.proxy {
            // Without a proxy there is none to remove.
            Proxy::Direct if common.is_none() => {}
            Proxy::Direct => out.text("proxy", "none"),
            Proxy::Through { url, source: from } => {
                let address = url.as_ref().map_or(HIDDEN.to_owned(), masked_url);
                source(out, "proxy", from, &address);
            }
        }
    }
    if differs(&fetch.ca_file, common.map(|common| &common.ca_file))
        && let Some(path) = &fetch.ca_file
    {
        out.text("ca_file", &path_text(path));
    }
}

fn access(out: &mut TomlWriter, access: &Access) {
    match &access.login {
        Some(Login::Basic {
            user, source: from, ..
        }) => {
            out.text("user", user);
            source(out, "password", from, HIDDEN);
        }
        Some(Login::Bearer { source: from, .. }) => source(out, "token", from, HIDDEN),
        None => {}
    }
    let headers: Vec<String> = access.headers.iter().map(header).collect();
    if !headers.is_empty() {
        out.value("headers", format!("[{}]", headers.join(", ")));
    }
}

fn header(header: &HeaderConfig) -> String {
    let mut value = TomlWriter::default();
    source(&mut value, "value", &header.source, HIDDEN);
    format!(
        "{{ name = {}, {} }}",
        quoted(&header.name),
        value.0.trim_end()
    )
}

fn page(out: &mut TomlWriter, prefix: &str, page: &PageConfig, common: Option<&PageConfig>) {
    if differs(&page.mode, common.map(|common| &common.mode)) {
        out.text(&format!("{prefix}fetch"), page.mode.as_str());
    }
    if differs(&page.recheck, common.map(|common| &common.recheck)) {
        out.value(&format!("{prefix}recheck"), ladder(&page.recheck));
    }
    if differs(&page.robots, common.map(|common| &common.robots)) {
        out.value(&format!("{prefix}robots"), page.robots);
    }
    if differs(&page.host_budget, common.map(|common| &common.host_budget)) {
        let budget = page.host_budget.unwrap_or(0);
        out.value(&format!("{prefix}host_budget"), budget);
    }
    if differs(&page.select, common.map(|common| &common.select)) {
        out.list(&format!("{prefix}select"), &page.select);
    }
    if differs(&page.remove, common.map(|common| &common.remove)) {
        out.list(&format!("{prefix}remove"), &page.remove);
    }
}

fn ladder(ladder: &Ladder) -> String {
    if let Some(name) = ladder.name() {
        return quoted(name);
    }
    let steps: Vec<String> = ladder
        .steps()
        .iter()
        .map(|step| {
            let (below, interval) = (format_duration(step.below), format_duration(step.interval));
            format!("[{}, {}]", quoted(&below), quoted(&interval))
        })
        .collect();
    format!("[{}]", steps.join(", "))
}

fn detect(
    out: &mut TomlWriter,
    prefix: &str,
    detect: &DetectConfig,
    common: Option<&DetectConfig>,
) {
    if differs(
        &detect.significance,
        common.map(|common| &common.significance),
    ) {
        out.text(
            &format!("{prefix}significance"),
            detect.significance.as_str(),
        );
    }
    if differs(
        &detect.flap_window,
        common.map(|common| &common.flap_window),
    ) {
        out.text(
            &format!("{prefix}flap_window"),
            &format_duration(detect.flap_window),
        );
    }
    if differs(&detect.bulk_edit, common.map(|common| &common.bulk_edit)) {
        out.value(&format!("{prefix}bulk_edit"), detect.bulk_edit);
    }
    if differs(
        &detect.live_digest,
        common.map(|common| &common.live_digest),
    ) {
        let period = detect.live_digest.map(format_duration);
        out.text(
            &format!("{prefix}live_digest"),
            period.as_deref().unwrap_or("off"),
        );
    }
    let life = common.map(|common| common.life);
    if differs(&detect.life.checks, life.as_ref().map(|rule| &rule.checks)) {
        out.value(&format!("{prefix}removed_checks"), detect.life.checks);
    }
    for (key, value, below) in [
        (
            "removed_after",
            detect.life.after,
            life.map(|rule| rule.after),
        ),
        (
            "confirm_after",
            detect.life.confirm,
            life.map(|rule| rule.confirm),
        ),
    ] {
        if differs(&value, below.as_ref()) {
            out.text(&format!("{prefix}{key}"), &format_duration(value));
        }
    }
    if differs(&detect.ignore, common.map(|common| &common.ignore)) {
        out.list(&format!("{prefix}ignore"), &detect.ignore);
    }
}

fn retention(retention: Retention) -> String {
    match retention {
        Retention::All => "all".to_owned(),
        Retention::Newest(count) => count.to_string(),
        Retention::For(duration) => format_duration(duration),
    }
}

fn feed(out: &mut TomlWriter, feed: &FeedConfig, config: &Config) {
    out.table("[[feed]]");
    out.text("url", &feed.url);
    out.text("name", &feed.name);
    if feed.kind == FeedKind::Page {
        out.text("kind", feed.kind.as_str());
    }
    if !feed.tags.is_empty() {
        out.list("tags", &feed.tags);
    }
    plan(out, &feed.plan, Some(&config.plan));
    fetch(out, &feed.fetch, Some(&config.fetch));
    if let Some(own) = &feed.access {
        access(out, own);
    }
    page(out, "page.", &feed.page, Some(&config.page));
    detect(out, "detect.", &feed.detect, Some(&config.detect));
}

fn target(out: &mut TomlWriter, target: &TargetConfig) {
    out.table("[[target]]");
    out.text("name", &target.name);
    out.text("kind", target.kind.as_str());
    for item in target.settings.iter() {
        setting(out, item);
    }
    out.list("events", &target.events);
    if !target.feeds.is_empty() {
        out.list("feeds", &target.feeds);
    }
    out.list("tags", &target.tags);
    if !target.labels.is_empty() {
        let labels: Vec<String> = target.labels.iter().map(|label| label.name()).collect();
        out.list("labels", &labels);
    }
    if !target.words.is_empty() {
        let words: Vec<&str> = target.words.iter().map(WordPhrase::text).collect();
        out.list("words", &words);
    }
    holding(out, &target.holding);
    if !target.fields.is_empty() {
        let fields: Vec<&str> = target.fields.iter().map(|field| field.as_str()).collect();
        out.list("fields", &fields);
    }
    out.value("min_score", target.min_score);
    out.text("significance", target.significance.as_str());
    out.text("max_payload", &format_size(target.max_payload));
    out.value("max_queue", target.max_queue);
    let networks = target.allow_private.iter().map(ToString::to_string);
    out.list("allow_private", &networks.collect::<Vec<_>>());
}

fn holding(out: &mut TomlWriter, holding: &Holding) {
    if let Some(digest) = &holding.digest {
        out.text("digest", &digest.text());
        out.value("send_empty", holding.send_empty);
    }
    if !holding.urgent.is_empty() {
        let urgent: Vec<String> = holding.urgent.iter().map(Urgent::text).collect();
        out.list("digest_except", &urgent);
    }
    if let Some(quiet) = &holding.quiet {
        out.text("quiet_hours", quiet.text());
    }
    if let Some(most) = holding.most {
        out.value("max_per_hour", most);
    }
}

fn setting(out: &mut TomlWriter, setting: &Setting) {
    match &setting.value {
        KeyValue::Number(number) => out.value(setting.key, number),
        KeyValue::List(list) => out.list(setting.key, list),
        KeyValue::Text(text) => {
            let shown = match (setting.form, text) {
                (KeyForm::Address, Some(url)) => masked_url(url),
                (KeyForm::Secret | KeyForm::Signing, _) | (_, None) => HIDDEN.to_owned(),
                (_, Some(text)) => text.expose().to_owned(),
            };
            source(out, setting.key, &setting.source, &shown);
        }
    }
}

fn source(out: &mut TomlWriter, key: &str, source: &SecretSource, inline: &str) {
    let key = format!("{key}{}", source.suffix());
    match source {
        SecretSource::Inline => out.text(&key, inline),
        SecretSource::File(path) => out.text(&key, &path_text(path)),
        SecretSource::Environment(name) | SecretSource::Credential(name) => out.text(&key, name),
    }
}

/// Scheme and host of a receiver's address: the rest may be a token.
#[must_use]
pub fn masked_url(url: &Secret) -> String {
    let Ok(url) = Url::parse(url.expose()) else {
        return HIDDEN.to_owned();
    };
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    let rest = if url.path().len() > 1 || url.query().is_some() {
        format!("/{HIDDEN}")
    } else {
        String::new()
    };
    format!("{}://{host}{port}{rest}", url.scheme())
}
