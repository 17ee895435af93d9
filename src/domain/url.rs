//! The canonical form of an address, for comparing.
