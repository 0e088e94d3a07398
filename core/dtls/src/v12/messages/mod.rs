//! Handshake messages of DTLS 1.2.

mod certificate;
mod certificate_request;
mod client_key_exchange;
mod hello_verify_request;
mod server_key_exchange;
mod signed;

pub(crate) use certificate::Certificate;
pub(crate) use certificate_request::CertificateRequest;
pub(crate) use client_key_exchange::ClientKeyExchange;
pub(crate) use hello_verify_request::HelloVerifyRequest;
pub(crate) use server_key_exchange::{KeyShare, ServerKeyExchange};
pub(crate) use signed::Signed;

#[cfg(test)]
mod tests;
