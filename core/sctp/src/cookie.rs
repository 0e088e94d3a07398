//! The state cookie: an association in a nutshell, with a MAC, so that nothing need be kept between INIT ACK and COOKIE
//! ECHO (RFC 9260 §5.1.3).

use alloc::vec::Vec;

use pavane_base::{Instant, Reader, Truncated, WriteExt};

use crate::chunk::{Extensions, Opening};
use crate::siphash::SipKey;
use crate::types::{Tsn, VerificationTag};

/// What a state cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateCookie {
    /// When it was made.
    pub(crate) made_at: Instant,
    /// The tag that we gave in the INIT ACK.
    pub(crate) local_tag: VerificationTag,
    /// The initial TSN that we gave in the INIT ACK.
    pub(crate) local_tsn: Tsn,
    /// What the peer's INIT said.
    pub(crate) peer: Opening,
    /// The tags of the association that existed then; zero where there was none.
    pub(crate) tie_tags: TieTags,
}

/// The tags by which a cookie names the association that it would replace (RFC 9260 §5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TieTags {
    pub(crate) local: VerificationTag,
    pub(crate) peer: VerificationTag,
}

impl TieTags {
    pub(crate) const NONE: Self = Self { local: VerificationTag::ZERO, peer: VerificationTag::ZERO };
}

/// The bytes are no cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ForeignCookie;

impl From<Truncated> for ForeignCookie {
    fn from(_: Truncated) -> Self {
        Self
    }
}

impl StateCookie {
    pub(crate) fn seal(&self, key: &SipKey) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEN);
        out.put_u64(self.made_at.as_nanos());
        out.put_u32(self.local_tag.0);
        out.put_u32(self.local_tsn.0);
        out.put_u32(self.peer.tag.0);
        out.put_u32(self.peer.window);
        out.put_u16(self.peer.outgoing);
        out.put_u16(self.peer.incoming);
        out.put_u32(self.peer.initial_tsn.0);
        out.put_u32(pack(self.peer.extensions));
        out.put_u32(self.tie_tags.local.0);
        out.put_u32(self.tie_tags.peer.0);
        let mac = key.hash(&out);
        out.put_u64(mac);
        out
    }

    pub(crate) fn open(cookie: &[u8], key: &SipKey) -> Result<Self, ForeignCookie> {
        let (body, mac) = cookie.split_last_chunk::<8>().ok_or(ForeignCookie)?;
        if key.hash(body) != u64::from_be_bytes(*mac) {
            return Err(ForeignCookie);
        }
        let mut r = Reader::new(body);
        let made_at = Instant::from_nanos(r.u64()?);
        let (local_tag, local_tsn) = (VerificationTag(r.u32()?), Tsn(r.u32()?));
        let (tag, window) = (VerificationTag(r.u32()?), r.u32()?);
        let (outgoing, incoming, initial_tsn) = (r.u16()?, r.u16()?, Tsn(r.u32()?));
        let extensions = unpack(r.u32()?);
        let peer = Opening { tag, window, outgoing, incoming, initial_tsn, extensions };
        let tie_tags = TieTags { local: VerificationTag(r.u32()?), peer: VerificationTag(r.u32()?) };
        Ok(Self { made_at, local_tag, local_tsn, peer, tie_tags })
    }
}

fn pack(extensions: Extensions) -> u32 {
    let Extensions { partial_reliability, interleaving, interleaved_skips, reconfiguration, zero_checksum } =
        extensions;
    let bits = [partial_reliability, reconfiguration, zero_checksum, interleaving, interleaved_skips];
    bits.iter().rev().fold(0, |word, bit| word << 1 | u32::from(*bit))
}

const fn unpack(bits: u32) -> Extensions {
    Extensions {
        partial_reliability: bits & 1 != 0,
        reconfiguration: bits & 2 != 0,
        zero_checksum: bits & 4 != 0,
        interleaving: bits & 8 != 0,
        interleaved_skips: bits & 16 != 0,
    }
}

const LEN: usize = 8 + 4 * 4 + 4 + 4 + 4 + 8 + 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_unchanged_cookie_opens() {
        let key = SipKey::new([7; 16]);
        let cookie = StateCookie {
            made_at: Instant::from_millis(5),
            local_tag: VerificationTag(1),
            local_tsn: Tsn(2),
            peer: Opening {
                tag: VerificationTag(3),
                window: 4,
                outgoing: 5,
                incoming: 6,
                initial_tsn: Tsn(7),
                extensions: Extensions {
                    partial_reliability: true,
                    interleaving: false,
                    interleaved_skips: true,
                    reconfiguration: false,
                    zero_checksum: true,
                },
            },
            tie_tags: TieTags { local: VerificationTag(8), peer: VerificationTag(9) },
        };
        let sealed = cookie.seal(&key);
        assert_eq!(sealed.len(), LEN);
        assert_eq!(StateCookie::open(&sealed, &key), Ok(cookie));
        assert_eq!(StateCookie::open(&sealed, &SipKey::new([8; 16])), Err(ForeignCookie));
        for len in 0..LEN {
            assert_eq!(StateCookie::open(&sealed[..len], &key), Err(ForeignCookie));
        }
        for at in 0..LEN {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!(StateCookie::open(&bent, &key), Err(ForeignCookie));
        }
    }
}
