//! Labels, score and significance of a comparison.
