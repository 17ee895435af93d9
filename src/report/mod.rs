//! Events and states as text and JSON.
