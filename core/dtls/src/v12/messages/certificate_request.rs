//! CertificateRequest (RFC 5246 §7.4.4).
//!
//! ```text
//! | certificate_types <1..255> | signature_algorithms <2..2^16-2> | certificate_authorities <0..2^16-1> |
//! ```

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use crate::Misbehaved;
use crate::messages::{code_list, code_list_u8_prefixed, parse_code_list};

/// ecdsa_sign and rsa_sign: what a client may sign with.
const CERTIFICATE_TYPES: [u8; 2] = [64, 1];

/// A server's wish for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateRequest {
    pub(crate) signature_schemes: Vec<u16>,
}

impl CertificateRequest {
    /// Reads the message; certificate types say less than the schemes do, and authorities nothing to a self-signed
    /// certificate.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Misbehaved> {
        let schemes = Self::parse_fields(body).map_err(|_| Misbehaved::Malformed)?;
        Ok(Self { signature_schemes: parse_code_list(schemes)? })
    }

    fn parse_fields(body: &[u8]) -> Result<&[u8], Truncated> {
        let mut r = Reader::new(body);
        r.prefixed_u8()?;
        let schemes = r.prefixed_u16()?;
        r.prefixed_u16()?;
        if r.is_empty() { Ok(schemes) } else { Err(Truncated) }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = code_list_u8_prefixed(&CERTIFICATE_TYPES);
        out.put(&code_list(self.signature_schemes.iter().copied()));
        out.put_prefixed(LengthPrefix::U16, |_| {});
        out
    }
}
