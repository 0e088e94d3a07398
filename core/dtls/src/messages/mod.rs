//! Handshake messages that every version has.

mod client_hello;
mod extensions;
mod server_hello;
pub(crate) mod use_srtp;

pub(crate) use client_hello::ClientHello;
pub(crate) use extensions::{
    ExtensionType, Extensions, code_list, code_list_u8_prefixed, contains, parse_code_list,
};
pub(crate) use server_hello::ServerHello;

/// A hello's random octets.
pub(crate) type Random = [u8; 32];

/// Uncompressed points, the one format that is left (RFC 8422 §5.1.2).
pub(crate) const UNCOMPRESSED: u8 = 0;

/// No compression, the one method that is left (RFC 7457 §2.6).
pub(crate) const NO_COMPRESSION: u8 = 0;
