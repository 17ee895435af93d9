//! When an article page is looked at again.
