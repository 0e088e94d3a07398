//! The handshake so far, as both sides hash and sign it (RFC 6347 §4.2.6, RFC 5246 §7.4.8, §7.4.9).

use alloc::sync::Arc;
use alloc::vec::Vec;

use pavane_crypto::{Digest, HashAlgorithm, Provider};

use crate::handshake::{FragmentHeader, HandshakeType, Message};

/// Every message as if it had been sent in one piece, header and all.
///
/// The messages themselves are kept, not a running hash: the hash is unknown until the ServerHello, and the one under the
/// client's signature may be another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcript {
    bytes: Vec<u8>,
}

impl Transcript {
    pub(crate) fn add(&mut self, kind: HandshakeType, seq: u16, body: &[u8]) {
        FragmentHeader::whole(kind, seq, body.len()).write(&mut self.bytes);
        self.bytes.extend_from_slice(body);
    }

    pub(crate) fn add_message(&mut self, message: &Message) {
        self.add(message.kind, message.seq, &message.body);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn hash(&self, provider: &Arc<dyn Provider>, algorithm: HashAlgorithm) -> Digest {
        let mut hash = provider.hash(algorithm);
        hash.update(&self.bytes);
        hash.digest()
    }
}
