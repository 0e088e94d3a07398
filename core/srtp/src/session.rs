//! Both directions of one transport.

use alloc::vec::Vec;
use core::fmt;

use pavane_crypto::Provider;

use crate::error::{Counters, KeyingError, ProtectError, UnprotectError};
use crate::index::{MAX_RTCP_INDEX, MAX_RTP_INDEX, Window, nearest};
use crate::profile::Profile;
use crate::protection::{ENCRYPTED, Protection, RTCP_CLEAR};
use crate::sources::Sources;

/// Which side of the DTLS handshake we were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We sent the ClientHello.
    Client,
    /// We answered it.
    Server,
}

/// SRTP and SRTCP of one transport.
pub struct Session {
    profile: Profile,
    sending: Protection,
    receiving: Protection,
    /// The highest RTP index that was sent.
    sent: Sources<u64>,
    /// The RTCP index that is next.
    sent_rtcp: Sources<u32>,
    received: Sources<Window>,
    received_rtcp: Sources<Window>,
    guesses: Guesses,
    counters: Counters,
}

impl Session {
    /// Makes a session of what DTLS exported under `EXTRACTOR-dtls_srtp`: the client's key, the server's, the client's
    /// salt, the server's (RFC 5764 §4.2).
    ///
    /// # Errors
    /// If there is too much or too little of it.
    pub fn new(
        provider: &dyn Provider,
        profile: Profile,
        role: Role,
        keying_material: &[u8],
    ) -> Result<Self, KeyingError> {
        if keying_material.len() != profile.keying_material_len() {
            return Err(KeyingError::WrongLength);
        }
        let (keys, salts) = keying_material.split_at(2 * profile.key_len());
        let (client_key, server_key) = keys.split_at(profile.key_len());
        let (client_salt, server_salt) = salts.split_at(profile.salt_len());
        let client = Protection::new(provider, profile, client_key, client_salt)?;
        let server = Protection::new(provider, profile, server_key, server_salt)?;
        let (sending, receiving) = match role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        };
        Ok(Self {
            profile,
            sending,
            receiving,
            sent: Sources::default(),
            sent_rtcp: Sources::default(),
            received: Sources::default(),
            received_rtcp: Sources::default(),
            guesses: Guesses { left: MAX_FAILED_GUESSES, copy: Vec::new() },
            counters: Counters::default(),
        })
    }

    /// The profile.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// What was dropped.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Protects the packet of RTP that begins at `start`: it is encrypted where it lies, and its tag appended.
    ///
    /// A packet that has been sent may be sent again under its number, if nothing in it has changed: a key stream must
    /// never cover two things.
    ///
    /// # Errors
    /// If it is no packet or may not be sent; it is as it was.
    pub fn protect_rtp(&mut self, packet: &mut Vec<u8>, start: usize) -> Result<(), ProtectError> {
        let bytes = packet.get(start..).ok_or(ProtectError::Malformed)?;
        let (header, sequence, ssrc) = read_header(bytes).ok_or(ProtectError::Malformed)?;
        let index = match self.sent.get_mut(ssrc) {
            Some(highest) => {
                let index = nearest(*highest, sequence);
                if index > MAX_RTP_INDEX {
                    return Err(ProtectError::KeyExhausted);
                }
                *highest = index.max(*highest);
                index
            }
            None => match self.sent.insert(ssrc, u64::from(sequence)) {
                true => u64::from(sequence),
                false => return Err(ProtectError::TooManySources),
            },
        };
        self.sending.seal_rtp(packet, start, header, ssrc, index);
        Ok(())
    }

    /// Unprotects a packet of RTP where it lies, and returns it without its tag.
    ///
    /// # Errors
    /// If it is to be dropped, which is counted.
    pub fn unprotect_rtp<'d>(&mut self, packet: &'d mut [u8]) -> Result<&'d mut [u8], UnprotectError> {
        self.open_rtp(packet).inspect_err(|error| self.counters.count(*error))
    }

    fn open_rtp<'d>(&mut self, packet: &'d mut [u8]) -> Result<&'d mut [u8], UnprotectError> {
        let (header, sequence, ssrc) = read_header(packet).ok_or(UnprotectError::Malformed)?;
        // Only what is authentic leaves a trace: nobody else can fill the table.
        let Some(window) = self.received.get_mut(ssrc) else {
            let (index, len) = self.open_first(packet, header, ssrc, sequence)?;
            return match self.received.insert(ssrc, Window::starting(index)) {
                true => Ok(&mut packet[..len]),
                false => Err(UnprotectError::TooManySources),
            };
        };
        let index = nearest(window.highest(), sequence);
        if index > MAX_RTP_INDEX {
            return Err(UnprotectError::Unauthentic);
        }
        window.check(index)?;
        let packet = self.receiving.open_rtp(packet, header, ssrc, index)?;
        window.accept(index);
        Ok(packet)
    }

    /// Unprotects the first packet of a source; returns its index, and its length without its tag.
    ///
    /// The rollover counter of a source is 0 when it begins to send (RFC 3711 §3.3.1), and nothing says what it is later.
    /// Whoever joins a source that has wrapped, or loses the packets before a wrap, finds it by trying.
    fn open_first(
        &mut self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        sequence: u16,
    ) -> Result<(u64, usize), UnprotectError> {
        let Guesses { left, copy } = &mut self.guesses;
        let rollovers = if *left > 0 { MAX_MISSED_ROLLOVERS } else { 0 };
        copy.clear();
        copy.extend_from_slice(packet);
        for rollover in 0..=rollovers {
            let index = rollover << 16 | u64::from(sequence);
            match self.receiving.open_rtp(packet, header, ssrc, index) {
                Ok(opened) => return Ok((index, opened.len())),
                Err(UnprotectError::Unauthentic) => packet.copy_from_slice(copy),
                Err(error) => return Err(error),
            }
        }
        *left = left.saturating_sub(1);
        Err(UnprotectError::Unauthentic)
    }

    /// Protects the datagram of RTCP that begins at `start`: all but its first eight bytes is encrypted where it lies, and
    /// what says its index and authenticates it appended.
    ///
    /// # Errors
    /// If it is no packet or may not be sent; it is as it was.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>, start: usize) -> Result<(), ProtectError> {
        let bytes = packet.get(start..).ok_or(ProtectError::Malformed)?;
        let ssrc = read_sender(bytes).ok_or(ProtectError::Malformed)?;
        let index = match self.sent_rtcp.get_mut(ssrc) {
            Some(next) if *next > MAX_RTCP_INDEX => return Err(ProtectError::KeyExhausted),
            Some(next) => {
                *next += 1;
                *next - 1
            }
            None => match self.sent_rtcp.insert(ssrc, 1) {
                true => 0,
                false => return Err(ProtectError::TooManySources),
            },
        };
        self.sending.seal_rtcp(packet, start, ssrc, index);
        Ok(())
    }

    /// Unprotects a datagram of RTCP where it lies, and returns it without what protected it.
    ///
    /// Deviation: RFC 3711 §3.4 lets RTCP go unencrypted; in WebRTC it never does (RFC 8827 §6.5), and is dropped.
    ///
    /// # Errors
    /// If it is to be dropped, which is counted.
    pub fn unprotect_rtcp<'d>(&mut self, packet: &'d mut [u8]) -> Result<&'d mut [u8], UnprotectError> {
        self.open_rtcp(packet).inspect_err(|error| self.counters.count(*error))
    }

    fn open_rtcp<'d>(&mut self, packet: &'d mut [u8]) -> Result<&'d mut [u8], UnprotectError> {
        let ssrc = read_sender(packet).ok_or(UnprotectError::Malformed)?;
        let word = self.receiving.index_word(packet).ok_or(UnprotectError::Malformed)?;
        if word & ENCRYPTED == 0 {
            return Err(UnprotectError::Unencrypted);
        }
        let index = word & !ENCRYPTED;
        let Some(window) = self.received_rtcp.get_mut(ssrc) else {
            let packet = self.receiving.open_rtcp(packet, ssrc, index)?;
            return match self.received_rtcp.insert(ssrc, Window::starting(u64::from(index))) {
                true => Ok(packet),
                false => Err(UnprotectError::TooManySources),
            };
        };
        window.check(u64::from(index))?;
        let packet = self.receiving.open_rtcp(packet, ssrc, index)?;
        window.accept(u64::from(index));
        Ok(packet)
    }
}

/// What it takes to find the rollover counter of a source that is heard late.
#[derive(Debug)]
struct Guesses {
    /// How many packets may still turn out to fit none.
    left: u32,
    /// The packet as it came, since each guess that fails leaves nothing of use.
    copy: Vec<u8>,
}

/// How many rollovers of a source may be missed before its first packet comes. A peer whose numbers go on from another
/// transport has many behind it: at 200 packets a second, sixteen are an hour and a half.
const MAX_MISSED_ROLLOVERS: u64 = 16;

/// How many packets of unknown sources may fit no counter before only 0 is tried: what strangers send costs no more than
/// one attempt then, and has had few attempts at a short tag.
const MAX_FAILED_GUESSES: u32 = 64;

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("profile", &self.profile)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// The length of a packet's header with its extension, its sequence number and its source (RFC 3550 §5.1).
fn read_header(packet: &[u8]) -> Option<(usize, u16, u32)> {
    const VERSION: u8 = 2;
    const EXTENSION: u8 = 0x10;
    let fixed: &[u8; 12] = packet.first_chunk()?;
    let [first, _, high, low, _, _, _, _, ssrc @ ..] = *fixed;
    if first >> 6 != VERSION {
        return None;
    }
    let mut len = 12 + 4 * usize::from(first & 0x0f);
    if first & EXTENSION != 0 {
        let [_, _, high, low] = *packet.get(len..)?.first_chunk()?;
        len += 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
    }
    (len <= packet.len()).then(|| (len, u16::from_be_bytes([high, low]), u32::from_be_bytes(ssrc)))
}

/// The sender of a datagram's first packet (RFC 3550 §6.1).
fn read_sender(packet: &[u8]) -> Option<u32> {
    const VERSION: u8 = 2;
    let [first, _, _, _, ssrc @ ..] = *packet.first_chunk::<RTCP_CLEAR>()?;
    (first >> 6 == VERSION).then(|| u32::from_be_bytes(ssrc))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use pavane_crypto_rustls::RustlsProvider;

    use super::*;

    fn session() -> Session {
        let profile = Profile::AeadAes128Gcm;
        let material = vec![1; profile.keying_material_len()];
        Session::new(&RustlsProvider, profile, Role::Client, &material).unwrap()
    }

    /// RFC 3711 §9.2
    #[test]
    fn a_key_protects_no_more_packets_than_it_may() {
        let mut session = session();
        assert!(session.sent.insert(1, MAX_RTP_INDEX - 1));
        let mut last = vec![0x80, 96, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1];
        session.protect_rtp(&mut last, 0).unwrap();
        let packet = [0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let mut refused = packet.to_vec();
        assert_eq!(session.protect_rtp(&mut refused, 0), Err(ProtectError::KeyExhausted));
        assert_eq!(refused, packet);

        assert!(session.sent_rtcp.insert(1, MAX_RTCP_INDEX));
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        session.protect_rtcp(&mut report.to_vec(), 0).unwrap();
        let mut refused = report.to_vec();
        assert_eq!(session.protect_rtcp(&mut refused, 0), Err(ProtectError::KeyExhausted));
        assert_eq!(refused, report);
    }
}
