//! The configuration: file to resolved values.
