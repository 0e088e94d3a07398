//! The master secret and what is derived from it (RFC 5246 §6.3, §8.1; RFC 7627 §4; RFC 5705 §4).

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use pavane_crypto::{HashAlgorithm, Provider};

use super::prf::prf;
use super::{Parameters, Protection};
use crate::messages::Random;
use crate::{CipherSuite, ExportError};

/// The length of a Finished message (RFC 5246 §7.4.9).
pub(crate) const VERIFY_DATA_LEN: usize = 12;

const MASTER_SECRET_LEN: usize = 48;

/// Labels that the handshake itself uses (RFC 5246, RFC 7627): exporting under one would give away its secrets.
const RESERVED_LABELS: [&str; 5] =
    ["client finished", "server finished", "master secret", "extended master secret", "key expansion"];

/// Both sides' randoms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randoms {
    pub(crate) client: Random,
    pub(crate) server: Random,
}

/// What both sides know after the key exchange.
pub(crate) struct Secrets {
    provider: Arc<dyn Provider>,
    parameters: Parameters,
    master: [u8; MASTER_SECRET_LEN],
}

/// Both directions' protection.
pub(crate) struct Protections {
    pub(crate) client: Protection,
    pub(crate) server: Protection,
}

/// Whose Finished message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finisher {
    Client,
    Server,
}

impl Secrets {
    /// Derives the extended master secret from the premaster secret and the hash of the handshake up to and including
    /// ClientKeyExchange (RFC 7627 §4).
    pub(super) fn derive(
        provider: &Arc<dyn Provider>,
        parameters: Parameters,
        premaster: &[u8],
        session_hash: &[u8],
    ) -> Self {
        let mut master = [0; MASTER_SECRET_LEN];
        let seed = [session_hash, &[], &[]];
        prf(&**provider, parameters.suite.hash(), premaster, "extended master secret", &seed, &mut master);
        Self::from_master(provider, parameters, master)
    }

    pub(super) fn from_master(
        provider: &Arc<dyn Provider>,
        parameters: Parameters,
        master: [u8; MASTER_SECRET_LEN],
    ) -> Self {
        Self { provider: Arc::clone(provider), parameters, master }
    }

    pub(crate) const fn suite(&self) -> CipherSuite {
        self.parameters.suite
    }

    pub(crate) const fn hash(&self) -> HashAlgorithm {
        self.suite().hash()
    }

    /// The SRTP profile that the hellos agreed on.
    pub(crate) const fn srtp_profile(&self) -> Option<u16> {
        self.parameters.srtp_profile
    }

    /// Cuts both directions' keys and nonces from the key block (RFC 5246 §6.3).
    pub(crate) fn protections(&self) -> Protections {
        let algorithm = self.suite().aead();
        let (key_len, iv_len) = (algorithm.key_len(), Protection::fixed_iv_len(algorithm));
        let block = self.key_block(2 * (key_len + iv_len));
        let (keys, ivs) = block.split_at(2 * key_len);
        let (client_key, server_key) = keys.split_at(key_len);
        let (client_iv, server_iv) = ivs.split_at(iv_len);
        let protection = |key, iv| {
            let aead = self.provider.aead(algorithm, key).expect("the key has the algorithm's length");
            Protection::new(aead, iv)
        };
        Protections { client: protection(client_key, client_iv), server: protection(server_key, server_iv) }
    }

    pub(super) fn key_block(&self, len: usize) -> Vec<u8> {
        let mut block = vec![0; len];
        let Randoms { client, server } = &self.parameters.randoms;
        self.prf("key expansion", &[server, client, &[]], &mut block);
        block
    }

    /// What a Finished message says after a handshake with this hash (RFC 5246 §7.4.9).
    pub(crate) fn verify_data(&self, finisher: Finisher, handshake_hash: &[u8]) -> [u8; VERIFY_DATA_LEN] {
        let label = match finisher {
            Finisher::Client => "client finished",
            Finisher::Server => "server finished",
        };
        let mut data = [0; VERIFY_DATA_LEN];
        self.prf(label, &[handshake_hash, &[], &[]], &mut data);
        data
    }

    /// Fills `out` with keying material for another protocol (RFC 5705 §4).
    pub(crate) fn export(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        if RESERVED_LABELS.contains(&label) {
            return Err(ExportError::ReservedLabel);
        }
        let Randoms { client, server } = &self.parameters.randoms;
        let randoms = [&client[..], server].concat();
        let len = u16::try_from(context.map_or(0, <[u8]>::len)).map_err(|_| ExportError::ContextTooLong)?;
        let len = len.to_be_bytes();
        // An empty context and none are different things: the one has a length.
        let seed = context.map_or([&randoms[..], &[], &[]], |context| [&randoms, &len, context]);
        self.prf(label, &seed, out);
        Ok(())
    }

    #[cfg(test)]
    pub(super) const fn master(&self) -> &[u8; MASTER_SECRET_LEN] {
        &self.master
    }

    fn prf(&self, label: &str, seed: &[&[u8]; 3], out: &mut [u8]) {
        prf(&*self.provider, self.hash(), &self.master, label, seed, out);
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.master = core::hint::black_box([0; MASTER_SECRET_LEN]);
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("suite", &self.suite()).finish_non_exhaustive()
    }
}
