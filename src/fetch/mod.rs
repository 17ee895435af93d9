//! The HTTP edge: the one place that gets feeds and pages.
