//! The use_srtp extension (RFC 5764 §4.1.1).
//!
//! ```text
//! | length, 16 | profiles, 16 each | MKI length, 8 | MKI |
//! ```
//!
//! It is offered even where there is no media yet, because media may join the association later (RFC 9143 §11), and some
//! peers hang up where it is not.

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use super::code_list;

/// The profiles that we know, the most preferred first: AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714 §14.2), and
/// SRTP_AES128_CM_HMAC_SHA1_80 (RFC 5764 §4.1.2), which every WebRTC peer has.
const PROFILES: [u16; 3] = [0x0007, 0x0008, 0x0001];

/// What a client offers: every profile, and no MKI (RFC 8827 §6.5).
pub(crate) fn offer() -> Vec<u8> {
    with_profiles(PROFILES)
}

/// What a server answers: the best profile that the client offers too; `None` if there is none.
pub(crate) fn answer(offer: &[u8]) -> Option<Vec<u8>> {
    let offered = parse(offer)?;
    let chosen = PROFILES.into_iter().find(|profile| offered.contains(profile))?;
    Some(with_profiles([chosen]))
}

/// Whether this is an answer to our offer: one profile of it, and no MKI.
pub(crate) fn is_answer(answer: &[u8]) -> bool {
    parse(answer).is_some_and(|profiles| matches!(profiles[..], [profile] if PROFILES.contains(&profile)))
        && answer.last() == Some(&0)
}

fn with_profiles(profiles: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut body = code_list(profiles);
    body.put_prefixed(LengthPrefix::U8, |_| {});
    body
}

/// The profiles of an extension's body, whose MKI is read and passed over.
fn parse(body: &[u8]) -> Option<Vec<u16>> {
    let mut reader = Reader::new(body);
    let mut read = || -> Result<_, Truncated> {
        let profiles = reader.prefixed_u16()?;
        reader.prefixed_u8()?;
        Ok(profiles)
    };
    let profiles = read().ok().filter(|_| reader.is_empty())?;
    super::parse_code_list(profiles).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_offer_is_answered_by_our_favourite() {
        let answer = answer(&offer()).unwrap();
        assert_eq!(answer, [0, 2, 0, 7, 0]);
        assert!(is_answer(&answer));
    }

    #[test]
    fn the_answer_is_what_both_know() {
        // Chromium's offer, and one that we know nothing of.
        assert_eq!(answer(&[0, 6, 0, 1, 0, 8, 0, 7, 0]), Some([0, 2, 0, 7, 0].to_vec()));
        assert_eq!(answer(&[0, 4, 0, 2, 0, 1, 0]), Some([0, 2, 0, 1, 0].to_vec()));
        assert_eq!(answer(&[0, 2, 0, 5, 0]), None);
    }

    #[test]
    fn what_is_malformed_is_no_offer_and_no_answer() {
        for body in [&[][..], &[0, 2, 0, 7], &[0, 3, 0, 7, 0, 0], &[0, 2, 0, 7, 1], &[0, 2, 0, 7, 0, 0]] {
            assert_eq!(answer(body), None, "{body:?}");
            assert!(!is_answer(body), "{body:?}");
        }
        assert!(!is_answer(&[0, 4, 0, 7, 0, 8, 0]), "two profiles are no choice");
        assert!(!is_answer(&[0, 2, 0, 2, 0]), "nobody offered it");
        assert!(!is_answer(&[0, 2, 0, 7, 1, 9]), "no MKI was offered");
    }
}
