//! HTML to title, by-line, dates and blocks of text.
