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

/// What a client offers: its profiles, and no MKI (RFC 8827 §6.5).
pub(crate) fn offer(profiles: &[u16]) -> Vec<u8> {
    with_profiles(profiles.iter().copied())
}

/// The first of our profiles that an offer has too, if there is any.
pub(crate) fn choose(offer: &[u8], ours: &[u16]) -> Option<u16> {
    let offered = parse(offer)?;
    ours.iter().copied().find(|profile| offered.contains(profile))
}

/// What a server answers.
pub(crate) fn answer(profile: u16) -> Vec<u8> {
    with_profiles([profile])
}

/// The profile that an answer names, if it is one of those that we offered, and comes without an MKI.
pub(crate) fn chosen(answer: &[u8], offered: &[u16]) -> Option<u16> {
    match parse(answer)?[..] {
        [profile] if offered.contains(&profile) && answer.last() == Some(&0) => Some(profile),
        _ => None,
    }
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

    const OURS: [u16; 3] = [7, 8, 1];

    #[test]
    fn our_offer_is_answered_by_our_favourite() {
        assert_eq!(choose(&offer(&OURS), &OURS), Some(7));
        assert_eq!(answer(7), [0, 2, 0, 7, 0]);
        assert_eq!(chosen(&answer(7), &OURS), Some(7));
    }

    #[test]
    fn the_choice_is_what_both_know() {
        // Chromium's offer, and one that we know nothing of.
        assert_eq!(choose(&[0, 6, 0, 1, 0, 8, 0, 7, 0], &OURS), Some(7));
        assert_eq!(choose(&[0, 4, 0, 2, 0, 1, 0], &OURS), Some(1));
        assert_eq!(choose(&[0, 2, 0, 5, 0], &OURS), None);
    }

    #[test]
    fn what_is_malformed_is_no_offer_and_no_answer() {
        for body in [&[][..], &[0, 2, 0, 7], &[0, 3, 0, 7, 0, 0], &[0, 2, 0, 7, 1], &[0, 2, 0, 7, 0, 0]] {
            assert_eq!(choose(body, &OURS), None, "{body:?}");
            assert_eq!(chosen(body, &OURS), None, "{body:?}");
        }
        assert_eq!(chosen(&[0, 4, 0, 7, 0, 8, 0], &OURS), None, "two profiles are no choice");
        assert_eq!(chosen(&[0, 2, 0, 2, 0], &OURS), None, "nobody offered it");
        assert_eq!(chosen(&[0, 2, 0, 7, 1, 9], &OURS), None, "no MKI was offered");
    }
}
