//! Merges the layers: `config/default.toml` < file < environment < flags.
//!
//! This is the only place that reads the environment and the configuration file.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::{Environment, PREFIX};
use super::file::read;
use super::layers::{RawFeed, RawGlobal, TABLES, tables};
use super::places::{self, ConfigOrigin};
use super::problem::{ConfigError, Problems, ValueSource, did_you_mean};
use super::raw::{RawTarget, with_samples};
use super::reader::{At, Layer, LayerReader};
use super::resolve::Resolver;
use super::resolved::Config;
use super::secret::Secrets;
use super::texts::{ConfigTexts, SourceText};

/// The paths given on the command line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flags<'a> {
    /// `--config`
    pub config: Option<&'a Path>,
    /// `--db`
    pub database: Option<&'a Path>,
}

/// A configuration, and what the user should check in it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// `file:line:column: …`, for `config check` and the log.
    pub warnings: Vec<String>,
    /// Secrets that cannot be read here and that the service needs.
    pub unread: Vec<String>,
}

/// Finds, reads and resolves the configuration. Without a file the defaults apply, unless the user named a file.
pub(crate) fn load(
    flags: Flags<'_>,
    environment: &Environment,
    secrets: Secrets,
) -> Result<Loaded, ConfigError> {
    let file = places::locate(flags.config, environment);
    let named = matches!(file.origin, ConfigOrigin::Flag | ConfigOrigin::Environment);
    if named && !file.exists {
        // Reading it reports why it cannot be used.
        read(&file.path)?;
    }
    let mut texts = ConfigTexts::read(&file)?;
    if !file.exists && texts.iter().count() == 1 {
        texts = ConfigTexts::of("", None);
    }
    from_texts(&texts, flags, environment, secrets)
}

/// Resolves the text of a configuration without other files; `file` is used for messages and relative paths.
pub fn from_text(
    text: &str,
    file: Option<&Path>,
    flags: Flags<'_>,
    environment: &Environment,
    secrets: Secrets,
) -> Result<Loaded, ConfigError> {
    from_texts(&ConfigTexts::of(text, file), flags, environment, secrets)
}

/// Resolves the texts of a configuration. Later files override earlier ones; feeds and targets of all files are
/// added.
pub(crate) fn from_texts(
    texts: &ConfigTexts,
    flags: Flags<'_>,
    environment: &Environment,
    secrets: Secrets,
) -> Result<Loaded, ConfigError> {
    let mut problems = Problems::new(texts.sources.clone());
    let roots = parsed(&texts.sources, &mut problems);
    if problems.count() > 0 {
        return Err(error_of(problems));
    }

    let (defaults, sample_target) = defaults(&mut problems);
    let mut layered = Layered::default();
    layered.lay(defaults);
    let mut targets: Vec<(RawTarget, ValueSource)> = Vec::new();
    let mut feed_tables = Vec::with_capacity(roots.len());
    for (file, root) in roots.iter().enumerate() {
        let mut reader = LayerReader {
            layer: Layer::File(file),
            problems: &mut problems,
        };
        layered.lay(RawGlobal::read(root, &mut reader));
        for (table, place) in tables(root, "target", &mut reader) {
            targets.push((RawTarget::read(table, &mut reader), place));
        }
        feed_tables.push(tables(root, "feed", &mut reader));
    }
    layered.lay(environment_layer(environment, &mut problems));

    let file = texts.file();
    let configured = layered.raw.top.database.as_ref();
    let configured = configured.map(|at| at.value.clone());
    let mut resolver = Resolver::new(&mut problems, environment, secrets, file);
    let common = resolver.common(&layered.raw);
    let feeds = resolver.feeds(feed_tables, &layered, &common);
    let least = common.detect.significance;
    let targets = resolver.targets(targets, &sample_target, &feeds, least);
    let warnings = std::mem::take(&mut resolver.warnings);
    let unread = std::mem::take(&mut resolver.unread);
    let lists = std::mem::take(&mut resolver.lists);
    if problems.count() > 0 {
        return Err(error_of(problems));
    }
    let said =
        |(place, message): &(ValueSource, String)| format!("{}: {message}", problems.named(place));
    let config = Config {
        file: file.map(Path::to_owned),
        drop_ins: texts
            .iter()
            .skip(1)
            .map(|(path, _)| path.to_owned())
            .collect(),
        lists,
        database: places::database(flags.database, environment, configured.as_deref(), file),
        timezone: common.timezone,
        log: common.log,
        fetch: common.fetch,
        plan: common.plan,
        page: common.page,
        detect: common.detect,
        keep: common.keep,
        archive: common.archive,
        web: common.web,
        feeds,
        targets,
    };
    Ok(Loaded {
        config,
        warnings: warnings.iter().map(said).collect(),
        unread: unread.iter().map(said).collect(),
    })
}

/// Parses the documents; text that is not TOML is reported with its place.
fn parsed<'s>(sources: &'s [SourceText], problems: &mut Problems) -> Vec<DeTable<'s>> {
    let mut roots = Vec::with_capacity(sources.len());
    for (file, source) in sources.iter().enumerate() {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        // Later errors in a file usually follow from the first one.
        if let Some(error) = errors.first() {
            let place = ValueSource::File(file, error.span().map_or(0, |span| span.start));
            // The first line says what is wrong, the others what was expected.
            let message = error.message().replace('\n', "; ");
            problems.add(&place, message);
        }
        roots.push(root.into_inner());
    }
    roots
}

/// The merged settings of all layers, and the lists of feeds that any of them names.
#[derive(Default)]
pub(super) struct Layered {
    raw: RawGlobal,
    pub(super) lists: Vec<At<String>>,
}

impl Layered {
    fn lay(&mut self, upper: RawGlobal) {
        self.lists.extend(upper.top.feeds_file.clone());
        self.raw = upper.over(std::mem::take(&mut self.raw));
    }
}

fn error_of(problems: Problems) -> ConfigError {
    problems
        .into_error()
        .unwrap_or(ConfigError::Invalid(Vec::new()))
}

/// The lowest layer, and the sample of a target, whose values are the defaults of targets.
fn defaults(problems: &mut Problems) -> (RawGlobal, RawTarget) {
    let text = with_samples(super::DEFAULT_TOML);
    let (root, _) = DeTable::parse_recoverable(&text);
    let mut reader = LayerReader {
        layer: Layer::Default,
        problems,
    };
    let global = RawGlobal::read(root.get_ref(), &mut reader);
    let target = tables(root.get_ref(), "target", &mut reader)
        .first()
        .map(|(table, _)| RawTarget::read(table, &mut reader));
    (global, target.unwrap_or_default())
}

/// The layer of `REVISOR__…` variables.
fn environment_layer(environment: &Environment, problems: &mut Problems) -> RawGlobal {
    let mut raw = RawGlobal::default();
    let mut layer = Layer::Environment(Arc::from(""));
    for (name, path, text) in environment.keys() {
        layer = Layer::Environment(Arc::from(name));
        let mut reader = LayerReader {
            layer: layer.clone(),
            problems,
        };
        let path = path.to_ascii_lowercase();
        let (table, key) = path.split_once("__").unwrap_or(("", &path));
        if !take_variable(&mut raw, table, key, text, &mut reader) {
            let place = ValueSource::Environment(Arc::from(name));
            let known = TABLES
                .iter()
                .flat_map(|(table, keys)| keys.iter().map(move |key| format!("{table}__{key}")));
            let known: Vec<String> = known
                .chain(["timezone", "database", "feeds_file"].map(str::to_owned))
                .collect();
            let near = did_you_mean(&path, known.iter().map(String::as_str));
            let hint = near.map_or_else(
                || "expected one such as REVISOR__FETCH__EVERY".to_owned(),
                |near| format!("did you mean {PREFIX}{}?", near.to_ascii_uppercase()),
            );
            reader
                .problems
                .add(&place, format!("does not match any key; {hint}"));
        }
    }
    raw.check_plan(&mut LayerReader { layer, problems });
    raw
}

/// A variable is text; if the key expects something other than a string, it is parsed as TOML.
fn take_variable(
    raw: &mut RawGlobal,
    table: &str,
    key: &str,
    text: &str,
    reader: &mut LayerReader<'_>,
) -> bool {
    let as_text = || Spanned::new(0..0, DeValue::String(text.into()));
    let wants_toml = matches!(
        key,
        "concurrency"
            | "per_host"
            | "allow_private"
            | "robots"
            | "host_budget"
            | "bulk_edit"
            | "removed_checks"
            | "select"
            | "remove"
            | "ignore"
    ) || (key == "recheck" && text.trim_start().starts_with('['));
    if wants_toml && !text.trim().is_empty() {
        let value = DeValue::parse(text.trim()).unwrap_or_else(|_| as_text());
        raw.take_in(table, key, &value, reader)
    } else {
        raw.take_in(table, key, &as_text(), reader)
    }
}

impl Resolver<'_> {
    /// Reads and resolves one feed after another, so that their raw forms are never all in memory.
    fn feeds(
        &mut self,
        files: Vec<Vec<(&DeTable<'_>, ValueSource)>>,
        layered: &Layered,
        common: &super::resolve::Common,
    ) -> Vec<super::resolved::FeedConfig> {
        let feeds = files.iter().map(Vec::len).sum();
        let mut building = super::resolve::Building::with_capacity(feeds);
        for (file, tables) in files.into_iter().enumerate() {
            for (table, place) in tables {
                let mut reader = LayerReader {
                    layer: Layer::File(file),
                    problems: self.problems,
                };
                let raw = RawFeed::read(table, place, &mut reader);
                self.feed(raw, common, &mut building);
            }
        }
        self.lists(layered, common, &mut building);
        building.finish()
    }
}

#[cfg(test)]
mod tests;
