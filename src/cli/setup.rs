//! What commands need before they can start: configuration, database, clock.

use std::path::Path;
use std::sync::Arc;

use super::CommandContext;
use crate::config::{
    Config, ConfigError, EditError, Environment, FileEdit, Flags, Loaded, Secrets, edit_file, load,
};
use crate::daemon::DaemonError;
use crate::error::{Error, Exit};
use crate::report::when::TimeView;
use crate::store::{Holder, InstanceLock, OpenOptions, Reader, Store, StoreError};
use crate::time::{Clock, System, Timestamp};

impl CommandContext {
    /// The configuration, after printing its warnings.
    pub(super) fn config(&self, secrets: Secrets) -> Result<Config, Error> {
        let Loaded {
            config, warnings, ..
        } = self.load(secrets)?;
        for warning in warnings {
            self.output.warning(&warning);
        }
        Ok(config)
    }

    /// The configuration for commands that send or check: if a daemon is running, it does the work, so only the
    /// daemon must be able to read the secrets.
    pub(super) fn config_to_work(&self) -> Result<Config, Error> {
        let known = self.load(Secrets::WhereReadable)?;
        let beside = InstanceLock::holder(&known.config.database).is_some();
        self.config(if beside {
            Secrets::WhereReadable
        } else {
            Secrets::Required
        })
    }

    /// The configuration and its warnings.
    pub(super) fn load(&self, secrets: Secrets) -> Result<Loaded, ConfigError> {
        load(self.flags(), &Environment::of_process(), secrets)
    }

    /// Edits a file of the configuration, and reports if it could not be replaced as a whole.
    pub(super) fn edit(
        &self,
        path: &Path,
        change: impl FnOnce(&str) -> Result<Option<String>, EditError>,
    ) -> Result<(), Error> {
        if edit_file(path, change).map_err(ConfigError::from)? == FileEdit::InPlace {
            self.output.note(&format!(
                "{} was written in place: it cannot be replaced (a mounted file, or a read-only folder)",
                path.display()
            ));
        }
        Ok(())
    }

    /// The paths given on the command line.
    pub(super) fn flags(&self) -> Flags<'_> {
        Flags {
            config: self.global.config.as_deref(),
            database: self.global.db.as_deref(),
        }
    }

    /// The configuration and the database, for reading.
    pub(super) fn reader(&self) -> Result<(Config, Reader), Error> {
        let config = self.config(Secrets::WhereReadable)?;
        let reader = Reader::open(&config.database)?;
        Ok((config, reader))
    }

    /// The database of the configuration, for reading; `None` if nothing was ever stored. With a path on the
    /// command line, a missing database is an error.
    pub(super) fn reader_if_any(&self, config: &Config) -> Result<Option<Reader>, Error> {
        if self.global.db.is_some() {
            return Ok(Some(Reader::open(&config.database)?));
        }
        reader_if_any(config)
    }

    /// How output is shown to the user.
    pub(super) fn view(&self, config: &Config) -> TimeView {
        TimeView {
            paint: self.output.paint(),
            zone: config.timezone,
            now: now(),
        }
    }
}

/// The database of the configuration, for reading; `None` if nothing was ever stored.
pub(super) fn reader_if_any(config: &Config) -> Result<Option<Reader>, Error> {
    match Reader::open(&config.database) {
        Ok(reader) => Ok(Some(reader)),
        // A file without tables was created for revisor by hand and has not been used yet.
        Err(StoreError::NotFound { .. } | StoreError::Empty { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The database of the configuration, for writing with or without a running daemon.
pub(super) fn store_to_write(config: &Config) -> Result<Store, StoreError> {
    let options = OpenOptions {
        create: false,
        ..OpenOptions::default()
    };
    // Without a daemon an older file is upgraded, and no daemon may start in the meantime.
    let lock = match InstanceLock::holder(&config.database) {
        None if config.database.exists() => {
            Some(InstanceLock::acquire(&config.database, Holder::Command)?)
        }
        _ => None,
    };
    let store = Store::open(&config.database, &options)?;
    drop(lock);
    Ok(store)
}

/// The system clock.
pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(System)
}

/// The current time.
pub(super) fn now() -> Timestamp {
    System.now()
}

/// A runtime for commands that use the network. Parser threads have enough stack for deep documents.
pub(super) fn runtime(worker_threads: usize) -> Result<tokio::runtime::Runtime, Error> {
    const STACK_BYTES: usize = 8 << 20;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads)
        .max_blocking_threads(16)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|error| Error::new(Exit::PARTIAL, "cannot start the runtime").because(error))
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let exit = Exit::of_database(error.exit_code());
        let hint = error.hint();
        let shown = Self::new(exit, error.to_string());
        match hint {
            Some(hint) => shown.hint(hint),
            None => shown,
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Invalid(problems) if problems.len() > 1 => {
                Self::usage("there are mistakes in the configuration:")
                    .listing(problems.iter().map(ToString::to_string))
            }
            error => Self::usage(error.to_string()),
        }
    }
}

impl From<DaemonError> for Error {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Config(error) => error.into(),
            DaemonError::Store(error) => error.into(),
            DaemonError::Client(error) => {
                Self::usage("cannot start the HTTP client").because(error)
            }
            DaemonError::OtherDatabase { .. } => Self::usage(error.to_string()),
            DaemonError::Secret(error) => {
                Self::usage("the secret of a target is not valid").because(error)
            }
            DaemonError::Metrics(_) | DaemonError::Broken(_) => {
                Self::new(Exit::PARTIAL, error.to_string())
            }
            DaemonError::Signals(error) => {
                Self::new(Exit::PARTIAL, "cannot listen for signals").because(error)
            }
        }
    }
}
