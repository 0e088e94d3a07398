//! Pavane on smol.
