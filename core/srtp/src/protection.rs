//! The ciphers of one direction, for packets whose index is known.
//!
//! ```text
//! AEAD, RTP:  nonce = salt xor (0, 0, SSRC, index of 48 bits)           header is authenticated (RFC 7714 §8)
//! AEAD, RTCP: nonce = salt xor (0, 0, SSRC, 0, 0, index of 31 bits)     8 bytes and the index word are (RFC 7714 §9)
//! CM:       counter = salt xor (0 × 4, SSRC, index of 48 bits), 0, 0    the whole is authenticated (RFC 3711 §4.1.1)
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use pavane_crypto::{Aead, MacAlgorithm, NONCE_LEN, Provider, StreamCipher};

use crate::derivation::{Derivation, Label, Secret};
use crate::profile::{AEAD_TAG, HMAC_TAG, INDEX_LEN, Profile, Suite};
use crate::{KeyingError, UnprotectError};

/// The part of a datagram of RTCP that is not encrypted: the first packet's header and its sender.
pub(crate) const RTCP_CLEAR: usize = 8;
/// The bit that says that RTCP is encrypted.
pub(crate) const ENCRYPTED: u32 = 1 << 31;

/// The ciphers of one direction.
pub(crate) enum Protection {
    Aead { rtp: KeyedAead, rtcp: KeyedAead },
    CounterMode { rtp: KeyedCounterMode, rtcp: KeyedCounterMode, rtp_tag: usize },
}

pub(crate) struct KeyedAead {
    aead: Box<dyn Aead>,
    salt: Secret<NONCE_LEN>,
}

pub(crate) struct KeyedCounterMode {
    cipher: Box<dyn StreamCipher>,
    mac: Box<dyn pavane_crypto::Mac>,
    salt: Secret<14>,
}

impl Protection {
    pub(crate) fn new(
        provider: &dyn Provider,
        profile: Profile,
        key: &[u8],
        salt: &[u8],
    ) -> Result<Self, KeyingError> {
        let derivation = Derivation::new(provider, profile, key, salt)?;
        Ok(match profile.suite() {
            Suite::Aead(algorithm) => {
                let keyed = |encryption, salt| -> Result<_, KeyingError> {
                    let key: Secret<32> = derivation.derive(encryption);
                    let aead = provider.aead(algorithm, &key.0[..algorithm.key_len()])?;
                    Ok(KeyedAead::new(aead, derivation.derive(salt)))
                };
                Self::Aead {
                    rtp: keyed(Label::RtpEncryption, Label::RtpSalt)?,
                    rtcp: keyed(Label::RtcpEncryption, Label::RtcpSalt)?,
                }
            }
            Suite::CounterMode { rtp_tag } => {
                let keyed = |encryption, authentication, salt| -> Result<_, KeyingError> {
                    let key: Secret<16> = derivation.derive(encryption);
                    let cipher = provider.stream_cipher(profile.derivation(), &key.0)?;
                    // RFC 3711 §5.2: 160 bits.
                    let key: Secret<20> = derivation.derive(authentication);
                    let mac = provider.mac(MacAlgorithm::HmacSha1, &key.0);
                    Ok(KeyedCounterMode { cipher, mac, salt: derivation.derive(salt) })
                };
                Self::CounterMode {
                    rtp: keyed(Label::RtpEncryption, Label::RtpAuthentication, Label::RtpSalt)?,
                    rtcp: keyed(Label::RtcpEncryption, Label::RtcpAuthentication, Label::RtcpSalt)?,
                    rtp_tag,
                }
            }
        })
    }

    /// Protects the packet that begins at `start`; `header` is the length of what stays readable.
    pub(crate) fn seal_rtp(&self, packet: &mut Vec<u8>, start: usize, header: usize, ssrc: u32, index: u64) {
        let (clear, payload) = packet[start..].split_at_mut(header);
        match self {
            Self::Aead { rtp, .. } => {
                let tag = rtp.aead.seal(&rtp.nonce(ssrc, index), clear, payload);
                packet.extend_from_slice(&tag);
            }
            Self::CounterMode { rtp, rtp_tag, .. } => {
                rtp.cipher.apply(&rtp.counter(ssrc, index), payload);
                let tag = rtp.mac.sign(&[&packet[start..], &rollover(index)]);
                packet.extend_from_slice(&tag[..*rtp_tag]);
            }
        }
    }

    /// Unprotects a packet in place; returns it without its tag.
    pub(crate) fn open_rtp<'d>(
        &self,
        packet: &'d mut [u8],
        header: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<&'d mut [u8], UnprotectError> {
        match self {
            Self::Aead { rtp, .. } => {
                let len = packet.len().checked_sub(AEAD_TAG).ok_or(UnprotectError::Malformed)?;
                let (clear, sealed) = packet.split_at_mut_checked(header).ok_or(UnprotectError::Malformed)?;
                let opened = rtp.aead.open(&rtp.nonce(ssrc, index), clear, sealed);
                opened.map_err(|_| UnprotectError::Unauthentic)?;
                Ok(&mut packet[..len])
            }
            Self::CounterMode { rtp, rtp_tag, .. } => {
                let len = packet.len().checked_sub(*rtp_tag).ok_or(UnprotectError::Malformed)?;
                let (packet, tag) = packet.split_at_mut(len);
                let code = rtp.mac.sign(&[packet, &rollover(index)]);
                if !pavane_crypto::constant_time_eq(&code[..*rtp_tag], tag) {
                    return Err(UnprotectError::Unauthentic);
                }
                let payload = packet.get_mut(header..).ok_or(UnprotectError::Malformed)?;
                rtp.cipher.apply(&rtp.counter(ssrc, index), payload);
                Ok(packet)
            }
        }
    }

    /// Protects the datagram of RTCP that begins at `start` and has at least the length of [`RTCP_CLEAR`].
    pub(crate) fn seal_rtcp(&self, packet: &mut Vec<u8>, start: usize, ssrc: u32, index: u32) {
        let word = (ENCRYPTED | index).to_be_bytes();
        let (clear, body) = packet[start..].split_at_mut(RTCP_CLEAR);
        match self {
            Self::Aead { rtcp, .. } => {
                let tag = rtcp.aead.seal(&rtcp.nonce(ssrc, u64::from(index)), &associated(clear, word), body);
                packet.extend_from_slice(&tag);
                packet.extend_from_slice(&word);
            }
            Self::CounterMode { rtcp, .. } => {
                rtcp.cipher.apply(&rtcp.counter(ssrc, u64::from(index)), body);
                packet.extend_from_slice(&word);
                let tag = rtcp.mac.sign(&[&packet[start..]]);
                packet.extend_from_slice(&tag[..HMAC_TAG]);
            }
        }
    }

    /// The word that says the index, of a datagram that is long enough to have one.
    pub(crate) fn index_word(&self, packet: &[u8]) -> Option<u32> {
        let behind = match self {
            Self::Aead { .. } => 0,
            Self::CounterMode { .. } => HMAC_TAG,
        };
        let overhead = match self {
            Self::Aead { .. } => AEAD_TAG + INDEX_LEN,
            Self::CounterMode { .. } => HMAC_TAG + INDEX_LEN,
        };
        let front = packet.len().checked_sub(overhead).filter(|rest| *rest >= RTCP_CLEAR);
        front?;
        packet[..packet.len() - behind].last_chunk().map(|word| u32::from_be_bytes(*word))
    }

    /// Unprotects a datagram that has an index word, in place; returns it without what protected it.
    pub(crate) fn open_rtcp<'d>(
        &self,
        packet: &'d mut [u8],
        ssrc: u32,
        index: u32,
    ) -> Result<&'d mut [u8], UnprotectError> {
        let word = (ENCRYPTED | index).to_be_bytes();
        match self {
            Self::Aead { rtcp, .. } => {
                let sealed_end = packet.len() - INDEX_LEN;
                let (clear, sealed) = packet[..sealed_end].split_at_mut(RTCP_CLEAR);
                let nonce = rtcp.nonce(ssrc, u64::from(index));
                let opened = rtcp.aead.open(&nonce, &associated(clear, word), sealed);
                opened.map_err(|_| UnprotectError::Unauthentic)?;
                Ok(&mut packet[..sealed_end - AEAD_TAG])
            }
            Self::CounterMode { rtcp, .. } => {
                let (packet, tag) = packet.split_at_mut(packet.len() - HMAC_TAG);
                if !rtcp.mac.verify(&[packet], tag) {
                    return Err(UnprotectError::Unauthentic);
                }
                let len = packet.len() - INDEX_LEN;
                rtcp.cipher.apply(&rtcp.counter(ssrc, u64::from(index)), &mut packet[RTCP_CLEAR..len]);
                Ok(&mut packet[..len])
            }
        }
    }
}

impl KeyedAead {
    pub(crate) fn new(aead: Box<dyn Aead>, salt: Secret<NONCE_LEN>) -> Self {
        Self { aead, salt }
    }

    fn nonce(&self, ssrc: u32, index: u64) -> [u8; NONCE_LEN] {
        let mut nonce = self.salt.0;
        xor(&mut nonce[2..6], &ssrc.to_be_bytes());
        xor(&mut nonce[6..], &index.to_be_bytes()[2..]);
        nonce
    }
}

impl KeyedCounterMode {
    fn counter(&self, ssrc: u32, index: u64) -> [u8; 16] {
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&self.salt.0);
        xor(&mut counter[4..8], &ssrc.to_be_bytes());
        xor(&mut counter[8..14], &index.to_be_bytes()[2..]);
        counter
    }
}

/// The rollover counter, which is authenticated and not sent (RFC 3711 §4.2).
const fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// What is authenticated of a datagram of RTCP beside its encrypted part.
fn associated(clear: &[u8], word: [u8; INDEX_LEN]) -> [u8; RTCP_CLEAR + INDEX_LEN] {
    let mut data = [0; RTCP_CLEAR + INDEX_LEN];
    data[..RTCP_CLEAR].copy_from_slice(clear);
    data[RTCP_CLEAR..].copy_from_slice(&word);
    data
}

fn xor(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
}
