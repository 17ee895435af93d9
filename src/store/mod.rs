//! The `SQLite` edge: the only user of rusqlite.
