//! How records are protected: AEAD ciphers (RFC 5246 §6.2.3.3, RFC 5288 §3, RFC 7905 §2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use pavane_crypto::{Aead, AeadAlgorithm, NONCE_LEN, TAG_LEN};

use crate::record::{HEADER_LEN, MAX_PLAINTEXT, RecordHeader, RecordNumber};

/// The length of GCM's explicit nonce (RFC 5288 §3).
pub(crate) const EXPLICIT_NONCE_LEN: usize = 8;

/// The length of GCM's implicit nonce, its salt.
pub(crate) const SALT_LEN: usize = 4;

/// How many AES blocks one key may protect under GCM.
///
/// RFC 8446 §5.5 allows 2^24.5 records of 2^14 octets, which are 2^10 blocks each: 2^34.5 blocks, some 388 GB. Counting
/// blocks keeps the bound and lets a connection of small records live as long as one of large ones.
const MAX_GCM_BLOCKS: u64 = 24_296_004_000;

/// One direction's AEAD with its key and nonces.
pub(crate) struct Protection {
    aead: Box<dyn Aead>,
    nonces: Nonces,
}

/// Where nonces come from.
enum Nonces {
    /// A salt, and the record's number sent along.
    Explicit { salt: [u8; SALT_LEN] },
    /// A secret that the record's number is mixed into.
    Implicit { iv: [u8; NONCE_LEN] },
}

impl Protection {
    /// The length of a key block's part for nonces.
    pub(crate) const fn fixed_iv_len(algorithm: AeadAlgorithm) -> usize {
        match algorithm {
            AeadAlgorithm::Aes128Gcm | AeadAlgorithm::Aes256Gcm => SALT_LEN,
            AeadAlgorithm::ChaCha20Poly1305 => NONCE_LEN,
        }
    }

    /// Takes the AEAD and the key block's part for nonces, of [`fixed_iv_len`](Self::fixed_iv_len) octets.
    pub(crate) fn new(aead: Box<dyn Aead>, fixed_iv: &[u8]) -> Self {
        let nonces = match <[u8; SALT_LEN]>::try_from(fixed_iv) {
            Ok(salt) => Nonces::Explicit { salt },
            Err(_) => Nonces::Implicit { iv: fixed_iv.try_into().expect("the key block is cut to measure") },
        };
        Self { aead, nonces }
    }

    pub(crate) const fn explicit_nonce_len(&self) -> usize {
        match self.nonces {
            Nonces::Explicit { .. } => EXPLICIT_NONCE_LEN,
            Nonces::Implicit { .. } => 0,
        }
    }

    /// What a body is longer than its plaintext.
    pub(crate) const fn overhead(&self) -> usize {
        self.explicit_nonce_len() + TAG_LEN
    }

    /// How many blocks a plaintext of `len` octets is, counting the one that masks the tag.
    pub(crate) const fn blocks(len: usize) -> u64 {
        const BLOCK: usize = 16;
        len.div_ceil(BLOCK) as u64 + 1
    }

    /// How many blocks the key may protect.
    pub(crate) const fn max_blocks(&self) -> u64 {
        match self.nonces {
            Nonces::Explicit { .. } => MAX_GCM_BLOCKS,
            // ChaCha20-Poly1305 runs out of sequence numbers first (RFC 8446 §5.5).
            Nonces::Implicit { .. } => u64::MAX,
        }
    }

    /// Makes `buf[start..]`, room for header and explicit nonce and then the plaintext, a record.
    pub(crate) fn seal(&self, header: RecordHeader, buf: &mut Vec<u8>, start: usize) {
        let content = start + HEADER_LEN + self.explicit_nonce_len();
        let plaintext_len = buf.len() - content;
        debug_assert!(plaintext_len <= MAX_PLAINTEXT);
        let body_len = plaintext_len + self.overhead();
        let explicit = header.number.to_bytes();
        buf[start..start + HEADER_LEN].copy_from_slice(&header.to_bytes(body_len as u16));
        buf[start + HEADER_LEN..content].copy_from_slice(&explicit[..self.explicit_nonce_len()]);
        let nonce = self.nonce(header.number, &explicit);
        let tag = self.aead.seal(&nonce, &additional_data(header, plaintext_len), &mut buf[content..]);
        buf.extend_from_slice(&tag);
    }

    /// Opens a record's body in place; `None` if it is not authentic.
    pub(crate) fn open<'d>(&self, header: &RecordHeader, body: &'d mut [u8]) -> Option<&'d mut [u8]> {
        let plaintext_len = body.len().checked_sub(self.overhead())?;
        let (explicit, sealed) = body.split_at_mut_checked(self.explicit_nonce_len())?;
        if plaintext_len > MAX_PLAINTEXT {
            return None;
        }
        let explicit = explicit.first_chunk::<EXPLICIT_NONCE_LEN>().copied().unwrap_or_default();
        let nonce = self.nonce(header.number, &explicit);
        self.aead.open(&nonce, &additional_data(*header, plaintext_len), sealed).ok()
    }

    fn nonce(&self, number: RecordNumber, explicit: &[u8; EXPLICIT_NONCE_LEN]) -> [u8; NONCE_LEN] {
        match &self.nonces {
            Nonces::Explicit { salt } => {
                let mut nonce = [0; NONCE_LEN];
                nonce[..SALT_LEN].copy_from_slice(salt);
                nonce[SALT_LEN..].copy_from_slice(explicit);
                nonce
            }
            Nonces::Implicit { iv } => {
                let mut nonce = *iv;
                for (octet, number) in nonce[NONCE_LEN - 8..].iter_mut().zip(number.to_bytes()) {
                    *octet ^= number;
                }
                nonce
            }
        }
    }
}

/// Number, type, version and plaintext length (RFC 5246 §6.2.3.3, RFC 6347 §4.1.2.1).
fn additional_data(header: RecordHeader, plaintext_len: usize) -> [u8; HEADER_LEN] {
    let mut data = [0; HEADER_LEN];
    data[..8].copy_from_slice(&header.number.to_bytes());
    data[8] = header.content;
    data[9..11].copy_from_slice(&header.version.to_be_bytes());
    data[11..].copy_from_slice(&(plaintext_len as u16).to_be_bytes());
    data
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protection").finish_non_exhaustive()
    }
}
