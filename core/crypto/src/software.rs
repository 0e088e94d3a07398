//! A provider made of pure Rust parts.
