//! Records sealed and opened: sequence numbers, keys and replay windows of both directions.
//!
//! Epoch 0 is in clear, epoch 1 has the keys that the handshake agreed on; without renegotiation there is no other.

use alloc::vec::Vec;

use crate::record::{ContentType, HEADER_LEN, MAX_PLAINTEXT, MAX_SEQUENCE, RecordHeader, RecordNumber};
use crate::replay::ReplayWindow;
use crate::v12::Protection;

/// The epoch in clear.
pub(crate) const PLAIN: u16 = 0;

/// The epoch under the negotiated keys.
pub(crate) const PROTECTED: u16 = 1;

/// How many forged records the keys of GCM and of ChaCha20-Poly1305 may withstand (RFC 9147 §4.5.3).
const MAX_FORGERIES: u64 = 1 << 36;

/// Both directions of a connection.
#[derive(Debug, Default)]
pub(crate) struct RecordLayer {
    plain_sequence: u64,
    sending: Option<Sending>,
    receiving: Option<Receiving>,
}

#[derive(Debug)]
struct Sending {
    protection: Protection,
    sequence: u64,
    blocks: u64,
}

#[derive(Debug)]
struct Receiving {
    protection: Protection,
    window: ReplayWindow,
    forgeries: u64,
}

/// Why a protected record cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenFailure {
    /// There are no keys yet.
    NoKeys,
    /// Its number was seen before.
    Replayed,
    /// It is not authentic.
    Forged,
    /// It is not authentic, and was one forgery too many.
    TooManyForgeries,
}

/// The sequence numbers are used up, or the key has protected as much as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl RecordLayer {
    pub(crate) fn protect_sending(&mut self, protection: Protection) {
        self.sending = Some(Sending { protection, sequence: 0, blocks: 0 });
    }

    pub(crate) fn protect_receiving(&mut self, protection: Protection) {
        self.receiving = Some(Receiving { protection, window: ReplayWindow::default(), forgeries: 0 });
    }

    /// Uses up the sequence numbers.
    #[cfg(test)]
    pub(crate) fn exhaust(&mut self) {
        self.sending.as_mut().expect("tests exhaust keys that are there").sequence = MAX_SEQUENCE + 1;
    }

    pub(crate) const fn can_open(&self) -> bool {
        self.receiving.is_some()
    }

    /// The latest epoch that we can send in.
    pub(crate) const fn sending_epoch(&self) -> u16 {
        if self.sending.is_some() { PROTECTED } else { PLAIN }
    }

    /// What stands before the content of a record of this epoch.
    pub(crate) fn headroom(&self, epoch: u16) -> usize {
        HEADER_LEN + self.protection(epoch).map_or(0, Protection::explicit_nonce_len)
    }

    /// What a record of this epoch adds to its content, before and after it.
    pub(crate) fn overhead(&self, epoch: u16) -> usize {
        HEADER_LEN + self.protection(epoch).map_or(0, Protection::overhead)
    }

    fn protection(&self, epoch: u16) -> Option<&Protection> {
        self.sending.as_ref().filter(|_| epoch == PROTECTED).map(|sending| &sending.protection)
    }

    /// Makes `buf[start..]`, [`headroom`](Self::headroom) octets of room and then the content, a record.
    pub(crate) fn seal(
        &mut self,
        epoch: u16,
        content: ContentType,
        version: u16,
        buf: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), Exhausted> {
        let mut header =
            RecordHeader { content: content.code(), version, number: RecordNumber { epoch, sequence: 0 } };
        if epoch == PROTECTED {
            return self.sending.as_mut().ok_or(Exhausted)?.seal(header, buf, start);
        }
        header.number.sequence = next(&mut self.plain_sequence)?;
        let length = buf.len() - start - HEADER_LEN;
        debug_assert!(length <= MAX_PLAINTEXT);
        buf[start..start + HEADER_LEN].copy_from_slice(&header.to_bytes(length as u16));
        Ok(())
    }

    /// Opens the body of a record of the protected epoch, in place.
    pub(crate) fn open<'d>(
        &mut self,
        header: &RecordHeader,
        body: &'d mut [u8],
    ) -> Result<&'d mut [u8], OpenFailure> {
        let receiving = self.receiving.as_mut().ok_or(OpenFailure::NoKeys)?;
        if !receiving.window.is_fresh(header.number.sequence) {
            return Err(OpenFailure::Replayed);
        }
        let Some(plaintext) = receiving.protection.open(header, body) else {
            receiving.forgeries += 1;
            return Err(match receiving.forgeries > MAX_FORGERIES {
                true => OpenFailure::TooManyForgeries,
                false => OpenFailure::Forged,
            });
        };
        receiving.window.mark(header.number.sequence);
        Ok(plaintext)
    }
}

impl Sending {
    fn seal(&mut self, mut header: RecordHeader, buf: &mut Vec<u8>, start: usize) -> Result<(), Exhausted> {
        let plaintext = buf.len() - start - HEADER_LEN - self.protection.explicit_nonce_len();
        let blocks = self.blocks + Protection::blocks(plaintext);
        if blocks > self.protection.max_blocks() {
            return Err(Exhausted);
        }
        header.number.sequence = next(&mut self.sequence)?;
        self.blocks = blocks;
        self.protection.seal(header, buf, start);
        Ok(())
    }
}

fn next(sequence: &mut u64) -> Result<u64, Exhausted> {
    let this = *sequence;
    if this > MAX_SEQUENCE {
        return Err(Exhausted);
    }
    *sequence += 1;
    Ok(this)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use pavane_crypto::software::SoftwareProvider;
    use pavane_crypto::{AeadAlgorithm, Provider};

    use super::*;
    use crate::record;

    const VERSION: u16 = 0xfefd;

    fn layer(algorithm: AeadAlgorithm) -> RecordLayer {
        let protection = || {
            let aead = SoftwareProvider.aead(algorithm, &vec![7; algorithm.key_len()]).unwrap();
            Protection::new(aead, &vec![9; Protection::fixed_iv_len(algorithm)])
        };
        let mut records = RecordLayer::default();
        records.protect_sending(protection());
        records.protect_receiving(protection());
        records
    }

    fn seal(records: &mut RecordLayer, content: &[u8]) -> Result<Vec<u8>, Exhausted> {
        let mut record = vec![0; records.headroom(PROTECTED)];
        record.extend_from_slice(content);
        records.seal(PROTECTED, ContentType::ApplicationData, VERSION, &mut record, 0)?;
        Ok(record)
    }

    fn open(records: &mut RecordLayer, mut record: Vec<u8>) -> Result<Vec<u8>, OpenFailure> {
        let (header, body) = record::split(&mut &mut record[..]).unwrap();
        records.open(&header, body).map(|content| content.to_vec())
    }

    #[test]
    fn every_bit_of_a_record_is_authentic() {
        for algorithm in [AeadAlgorithm::Aes128Gcm, AeadAlgorithm::Aes256Gcm, AeadAlgorithm::ChaCha20Poly1305]
        {
            let mut records = layer(algorithm);
            let record = seal(&mut records, b"content").unwrap();
            assert_eq!(record.len(), 7 + records.overhead(PROTECTED));
            // All but the major version and the length, which framing minds, and the epoch, which chooses keys.
            for index in (0..record.len()).filter(|index| ![1, 3, 4, 11, 12].contains(index)) {
                let mut garbled = record.clone();
                garbled[index] ^= 1;
                assert_eq!(open(&mut records, garbled), Err(OpenFailure::Forged), "octet {index}");
            }
            assert_eq!(open(&mut records, record.clone()), Ok(b"content".to_vec()));
            assert_eq!(open(&mut records, record), Err(OpenFailure::Replayed));
        }
    }

    #[test]
    fn sequence_numbers_do_not_wrap() {
        let mut records = layer(AeadAlgorithm::ChaCha20Poly1305);
        records.sending.as_mut().unwrap().sequence = MAX_SEQUENCE;
        let last = seal(&mut records, b"last").unwrap();
        assert_eq!(open(&mut records, last), Ok(b"last".to_vec()));
        assert_eq!(seal(&mut records, b""), Err(Exhausted));
    }

    #[test]
    fn a_gcm_key_protects_so_many_blocks_and_no_more() {
        let mut records = layer(AeadAlgorithm::Aes128Gcm);
        let sending = records.sending.as_mut().unwrap();
        sending.blocks = sending.protection.max_blocks() - 3;
        assert_eq!(seal(&mut records, &[0; 33]), Err(Exhausted));
        assert!(seal(&mut records, &[0; 32]).is_ok());
        assert_eq!(seal(&mut records, b""), Err(Exhausted));
    }

    #[test]
    fn one_forgery_too_many_is_told() {
        let mut records = layer(AeadAlgorithm::Aes128Gcm);
        let mut record = seal(&mut records, b"x").unwrap();
        record[30] ^= 1;
        records.receiving.as_mut().unwrap().forgeries = MAX_FORGERIES - 1;
        assert_eq!(open(&mut records, record.clone()), Err(OpenFailure::Forged));
        assert_eq!(open(&mut records, record), Err(OpenFailure::TooManyForgeries));
    }

    #[test]
    fn records_too_short_for_their_tag_are_forged() {
        let mut records = layer(AeadAlgorithm::Aes128Gcm);
        for len in 0..24 {
            let number = RecordNumber { epoch: PROTECTED, sequence: 0 };
            let header = RecordHeader { content: 23, version: VERSION, number };
            assert_eq!(records.open(&header, &mut vec![0; len]).err(), Some(OpenFailure::Forged));
        }
    }
}
