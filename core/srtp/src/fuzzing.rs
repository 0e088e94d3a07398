//! Bodies of fuzz targets.

use alloc::vec::Vec;

use pavane_crypto::software::SoftwareProvider;

use crate::{Profile, Role, Session};

const PROFILES: [Profile; 4] = [
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
    Profile::Aes128CmHmacSha1_80,
    Profile::Aes128CmHmacSha1_32,
];

/// Packets of two sides under any profile: what the one protects the other takes once, and nothing that was touched.
///
/// The first byte chooses the profile; each packet is a byte of choices, a byte of length and as many bytes.
///
/// # Panics
/// If a session breaks its promises.
pub fn session(data: &[u8]) {
    let Some((choice, mut data)) = data.split_first() else { return };
    let profile = PROFILES[usize::from(*choice) % PROFILES.len()];
    let material: Vec<u8> = (0..profile.keying_material_len()).map(|at| at as u8).collect();
    let make = |role| {
        Session::new(&SoftwareProvider, profile, role, &material).expect("the material is long enough")
    };
    let (mut client, mut server) = (make(Role::Client), make(Role::Server));
    while let [choices, len, rest @ ..] = data {
        let (packet, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        data = rest;
        // Whatever came from a stranger.
        let mut strange = packet.to_vec();
        let _ = server.unprotect_rtp(&mut strange.clone());
        let _ = server.unprotect_rtcp(&mut strange);
        match choices & 1 {
            0 => round_trip(
                packet,
                *choices,
                |packet| client.protect_rtp(packet, 0).is_ok(),
                |packet| server.unprotect_rtp(packet).ok().map(|packet| packet.to_vec()),
            ),
            _ => round_trip(
                packet,
                *choices,
                |packet| client.protect_rtcp(packet, 0).is_ok(),
                |packet| server.unprotect_rtcp(packet).ok().map(|packet| packet.to_vec()),
            ),
        }
    }
}

fn round_trip(
    packet: &[u8],
    choices: u8,
    protect: impl FnOnce(&mut Vec<u8>) -> bool,
    mut unprotect: impl FnMut(&mut [u8]) -> Option<Vec<u8>>,
) {
    let mut sealed = packet.to_vec();
    if !protect(&mut sealed) {
        assert_eq!(sealed, packet, "what is refused is as it was");
        return;
    }
    let mut touched = sealed.clone();
    let at = usize::from(choices >> 1) % touched.len();
    touched[at] ^= 0x40;
    assert_eq!(unprotect(&mut touched), None, "what was touched is not authentic");
    let opened = unprotect(&mut sealed.clone());
    // A number that was used, or lies behind the window, is not taken.
    assert!(opened.is_none_or(|opened| opened == packet));
    assert_eq!(unprotect(&mut sealed), None, "nothing comes twice");
}
