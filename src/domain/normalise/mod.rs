//! Text as it is compared; never what is stored or shown.
