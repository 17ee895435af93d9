//! Cron expressions with a time zone: the adapter around the crate `cron`.
