//! Who the peer is: its certificate against the fingerprints that signaling announced (RFC 8122 §5).

use alloc::vec::Vec;

use pavane_crypto::{Fingerprint, HashAlgorithm, Provider, constant_time_eq};

/// What is known about the peer.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    fingerprints: Option<Vec<Fingerprint>>,
    certificate: Option<Vec<u8>>,
}

/// Whether the peer is who signaling says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The certificate or the fingerprints have not come.
    Open,
    /// The certificate has an announced fingerprint.
    Match,
    /// It has not.
    Mismatch,
}

impl Identity {
    pub(crate) fn set_fingerprints(&mut self, fingerprints: Vec<Fingerprint>) {
        self.fingerprints = Some(fingerprints);
    }

    pub(crate) fn set_certificate(&mut self, der: Vec<u8>) {
        self.certificate = Some(der);
    }

    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// Compares the certificate with the announced fingerprints of the strongest hash (RFC 8122 §5: one of those of the
    /// most preferred hash has to match, and a weaker hash does not stand in for it).
    pub(crate) fn verify(&self, provider: &dyn Provider) -> Verdict {
        let (Some(announced), Some(certificate)) = (&self.fingerprints, &self.certificate) else {
            return Verdict::Open;
        };
        let Some(strongest) = announced.iter().map(|f| f.algorithm).max_by_key(|a| strength(*a)) else {
            return Verdict::Mismatch;
        };
        let actual = Fingerprint::of(provider, strongest, certificate);
        let found =
            announced.iter().any(|f| f.algorithm == strongest && constant_time_eq(&f.value, &actual.value));
        if found { Verdict::Match } else { Verdict::Mismatch }
    }
}

const fn strength(algorithm: HashAlgorithm) -> usize {
    algorithm.output_len()
}
