//! Pavane on mio.
