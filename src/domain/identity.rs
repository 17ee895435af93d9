//! Which known entry an observation belongs to, and why.
