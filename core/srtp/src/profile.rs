//! What a DTLS handshake can agree on (RFC 5764 §4.1.2, RFC 7714 §14.2).

use pavane_crypto::{AeadAlgorithm, StreamCipherAlgorithm};

/// A protection profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// AES-128 in Galois/counter mode.
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode.
    AeadAes256Gcm,
    /// AES-128 in counter mode, with 80 bits of HMAC-SHA1; what every WebRTC peer has.
    Aes128CmHmacSha1_80,
    /// The same with 32 bits for RTP, and 80 for RTCP.
    Aes128CmHmacSha1_32,
}

/// How a profile protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Aead(AeadAlgorithm),
    CounterMode {
        /// The length of RTP's tag.
        rtp_tag: usize,
    },
}

/// The length of an AEAD's tag.
pub(crate) const AEAD_TAG: usize = pavane_crypto::TAG_LEN;
/// The length of HMAC-SHA1's tag, where it is whole.
pub(crate) const HMAC_TAG: usize = 10;
/// The length of the word with which SRTCP says its index.
pub(crate) const INDEX_LEN: usize = 4;

impl Profile {
    const ALL: [Self; 4] =
        [Self::AeadAes128Gcm, Self::AeadAes256Gcm, Self::Aes128CmHmacSha1_80, Self::Aes128CmHmacSha1_32];

    /// The number on the wire.
    pub const fn id(self) -> u16 {
        match self {
            Self::Aes128CmHmacSha1_80 => 0x0001,
            Self::Aes128CmHmacSha1_32 => 0x0002,
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
        }
    }

    /// The profile with this number, if it is one of ours.
    pub fn from_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.id() == id)
    }

    /// Its name in IANA's registry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
            Self::Aes128CmHmacSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::Aes128CmHmacSha1_32 => "SRTP_AES128_CM_HMAC_SHA1_32",
        }
    }

    pub(crate) const fn suite(self) -> Suite {
        match self {
            Self::AeadAes128Gcm => Suite::Aead(AeadAlgorithm::Aes128Gcm),
            Self::AeadAes256Gcm => Suite::Aead(AeadAlgorithm::Aes256Gcm),
            Self::Aes128CmHmacSha1_80 => Suite::CounterMode { rtp_tag: HMAC_TAG },
            Self::Aes128CmHmacSha1_32 => Suite::CounterMode { rtp_tag: 4 },
        }
    }

    /// The cipher that session keys are derived with: in counter mode, with keys as long as the profile's
    /// (RFC 7714 §11, RFC 6188 §3).
    pub(crate) const fn derivation(self) -> StreamCipherAlgorithm {
        match self {
            Self::AeadAes256Gcm => StreamCipherAlgorithm::Aes256Ctr,
            _ => StreamCipherAlgorithm::Aes128Ctr,
        }
    }

    /// The length of a master key.
    pub(crate) const fn key_len(self) -> usize {
        self.derivation().key_len()
    }

    /// The length of a master salt.
    pub(crate) const fn salt_len(self) -> usize {
        match self.suite() {
            Suite::Aead(_) => 12,
            Suite::CounterMode { .. } => 14,
        }
    }

    /// How much DTLS has to export for it: keys and salts of both directions (RFC 5764 §4.2).
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// How many bytes it adds to a packet of RTP.
    pub const fn rtp_overhead(self) -> usize {
        match self.suite() {
            Suite::Aead(_) => AEAD_TAG,
            Suite::CounterMode { rtp_tag } => rtp_tag,
        }
    }

    /// How many bytes it adds to a datagram of RTCP.
    pub const fn rtcp_overhead(self) -> usize {
        match self.suite() {
            Suite::Aead(_) => AEAD_TAG + INDEX_LEN,
            Suite::CounterMode { .. } => HMAC_TAG + INDEX_LEN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_are_the_standards() {
        // RFC 5764 §4.1.2 and RFC 7714 §12: master key, master salt, RTP tag, RTCP tag.
        let table = [
            (0x0001, 16, 14, 10, 10),
            (0x0002, 16, 14, 4, 10),
            (0x0007, 16, 12, 16, 16),
            (0x0008, 32, 12, 16, 16),
        ];
        for (id, key, salt, rtp, rtcp) in table {
            let profile = Profile::from_id(id).unwrap();
            assert_eq!(profile.id(), id);
            assert_eq!((profile.key_len(), profile.salt_len()), (key, salt));
            assert_eq!(profile.keying_material_len(), 2 * (key + salt));
            assert_eq!((profile.rtp_overhead(), profile.rtcp_overhead()), (rtp, rtcp + 4));
        }
        assert_eq!(Profile::from_id(0x0005), None);
    }
}
