//! Two sides of a session: what is lost, overtaken, repeated, touched or too much.

use std::collections::BTreeSet;

use pavane_crypto_rustls::RustlsProvider;
use pavane_srtp::{KeyingError, MAX_SOURCES, Profile, ProtectError, Role, Session, UnprotectError};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const PROFILES: [Profile; 4] = [
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
    Profile::Aes128CmHmacSha1_80,
    Profile::Aes128CmHmacSha1_32,
];

fn pair(profile: Profile) -> (Session, Session) {
    let material: Vec<u8> = (0..profile.keying_material_len()).map(|at| at as u8).collect();
    let make = |role| Session::new(&RustlsProvider, profile, role, &material).unwrap();
    (make(Role::Client), make(Role::Server))
}

fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&7_u32.to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet
}

#[test]
fn both_directions_have_keys_of_their_own() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        let (mut there, mut back) = (rtp(1, 1, b"steps"), rtp(1, 1, b"steps"));
        client.protect_rtp(&mut there, 0).unwrap();
        server.protect_rtp(&mut back, 0).unwrap();
        assert_ne!(there, back);
        assert_eq!(there.len(), rtp(1, 1, b"steps").len() + profile.rtp_overhead());
        assert_eq!(client.unprotect_rtp(&mut there.clone()), Err(UnprotectError::Unauthentic), "one's own");
        assert_eq!(server.unprotect_rtp(&mut there).unwrap(), rtp(1, 1, b"steps"));
        assert_eq!(client.unprotect_rtp(&mut back).unwrap(), rtp(1, 1, b"steps"));
        let mut report = rtcp(1);
        client.protect_rtcp(&mut report, 0).unwrap();
        assert_eq!(report.len(), 8 + profile.rtcp_overhead());
        assert_eq!(server.unprotect_rtcp(&mut report).unwrap(), rtcp(1));
    }
}

#[test]
fn every_touched_byte_and_every_cut_is_noticed() {
    for profile in PROFILES {
        let (mut client, mut server) = pair(profile);
        // With an extension and a contributing source, which stay readable and are authenticated all the same.
        let mut header = rtp(9, 500, &[]);
        header[0] = 0x91;
        header.extend_from_slice(&[0, 0, 0, 5, 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0]);
        let plain = [&header[..], b"payload"].concat();
        let mut sealed = plain.clone();
        client.protect_rtp(&mut sealed, 0).unwrap();
        assert_eq!(sealed[..header.len()], header);
        let mut report = rtcp(9);
        report.extend_from_slice(b"more of it..");
        client.protect_rtcp(&mut report, 0).unwrap();
        for at in 0..sealed.len() {
            let mut touched = sealed.clone();
            touched[at] ^= 0x04;
            assert!(server.unprotect_rtp(&mut touched).is_err(), "{profile:?} touched at {at}");
            assert!(server.unprotect_rtp(&mut sealed[..at].to_vec()).is_err(), "{profile:?} cut at {at}");
        }
        for at in 0..report.len() {
            let mut touched = report.clone();
            touched[at] ^= 0x04;
            assert!(server.unprotect_rtcp(&mut touched).is_err(), "{profile:?} touched at {at}");
            assert!(server.unprotect_rtcp(&mut report[..at].to_vec()).is_err(), "{profile:?} cut at {at}");
        }
        assert_eq!(server.unprotect_rtp(&mut sealed).unwrap(), plain, "and none of it did harm");
        assert!(server.unprotect_rtcp(&mut report).is_ok());
        let counters = server.counters();
        assert!(counters.unauthentic > 0 && counters.malformed > 0);
    }
}

#[test]
fn loss_disorder_and_copies_over_many_rollovers() {
    for seed in 0..8 {
        let profile = PROFILES[seed as usize % PROFILES.len()];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut client, mut server) = pair(profile);
        let mut on_the_way = Vec::new();
        let mut delivered = BTreeSet::new();
        let first = u64::from(rng.next_u32() as u16 & 0x7fff);
        for number in first..first + 150_000 {
            // Whole stretches get lost, up to what an estimate can bear.
            if rng.next_u32() % 5000 == 0 {
                on_the_way.clear();
            }
            let mut packet = rtp(1, number as u16, &number.to_be_bytes());
            client.protect_rtp(&mut packet, 0).unwrap();
            if rng.next_u32() % 10 != 0 {
                on_the_way.push(packet);
            }
            while on_the_way.len() > 20 {
                let at = rng.next_u32() as usize % on_the_way.len();
                let mut packet = on_the_way.swap_remove(at);
                if rng.next_u32() % 50 == 0 {
                    on_the_way.push(packet.clone());
                }
                match server.unprotect_rtp(&mut packet) {
                    Ok(packet) => {
                        let number = u64::from_be_bytes(packet[12..].try_into().unwrap());
                        assert!(delivered.insert(number), "seed {seed}: {number} twice");
                    }
                    Err(error) => assert_eq!(error, UnprotectError::Replayed, "seed {seed}"),
                }
            }
        }
        assert!(delivered.len() > 130_000, "seed {seed}: {}", delivered.len());
        assert!(server.counters().replayed > 1000);
    }
}

/// A sender whose numbers have wrapped so often.
fn wrapped(profile: Profile, rollovers: u64) -> (Session, Session) {
    let (mut client, server) = pair(profile);
    // As few as an estimate can bear: each is less than half a circle on.
    for number in (0..=rollovers << 16).step_by(0x4000) {
        client.protect_rtp(&mut rtp(1, number as u16, b"missed"), 0).unwrap();
    }
    (client, server)
}

#[test]
fn whoever_comes_late_finds_the_rollover_counter() {
    for profile in PROFILES {
        for rollovers in [0, 1, 2, 16] {
            let (mut client, mut server) = wrapped(profile, rollovers);
            for sequence in 5..8 {
                let mut packet = rtp(1, sequence, b"heard");
                client.protect_rtp(&mut packet, 0).unwrap();
                let again = packet.clone();
                assert_eq!(server.unprotect_rtp(&mut packet).unwrap(), rtp(1, sequence, b"heard"));
                assert_eq!(server.unprotect_rtp(&mut again.clone()), Err(UnprotectError::Replayed));
            }
        }
        let (mut client, mut server) = wrapped(profile, 17);
        let mut packet = rtp(1, 5, b"too late");
        client.protect_rtp(&mut packet, 0).unwrap();
        assert_eq!(server.unprotect_rtp(&mut packet), Err(UnprotectError::Unauthentic));
    }
}

#[test]
fn strangers_use_up_the_guesses_and_nothing_else() {
    let (mut client, mut server) = wrapped(Profile::Aes128CmHmacSha1_32, 1);
    let forge = |server: &mut Session, count| {
        for ssrc in 0..count {
            let forged = server.unprotect_rtp(&mut rtp(1000 + ssrc, 1, &[0; 40])).err();
            assert_eq!(forged, Some(UnprotectError::Unauthentic));
        }
    };
    forge(&mut server, 63);
    let mut packet = rtp(1, 5, b"heard");
    client.protect_rtp(&mut packet, 0).unwrap();
    assert!(server.unprotect_rtp(&mut packet.clone()).is_ok(), "one guess is left");

    let (_, mut server) = pair(Profile::Aes128CmHmacSha1_32);
    forge(&mut server, 64);
    assert_eq!(server.unprotect_rtp(&mut packet), Err(UnprotectError::Unauthentic), "none is left");
    let (mut client, _) = pair(Profile::Aes128CmHmacSha1_32);
    let mut first = rtp(2, 5, b"in time");
    client.protect_rtp(&mut first, 0).unwrap();
    assert!(server.unprotect_rtp(&mut first).is_ok(), "whoever has not wrapped needs none");
}

#[test]
fn what_is_too_old_is_dropped() {
    let (mut client, mut server) = pair(Profile::AeadAes128Gcm);
    let mut packets: Vec<_> = (0..2000_u16).map(|sequence| rtp(1, sequence, b"x")).collect();
    for packet in &mut packets {
        client.protect_rtp(packet, 0).unwrap();
    }
    server.unprotect_rtp(&mut packets[1999].clone()).unwrap();
    assert_eq!(server.unprotect_rtp(&mut packets[975].clone()), Err(UnprotectError::TooOld));
    assert!(
        server.unprotect_rtp(&mut packets[976].clone()).is_ok(),
        "a thousand and twenty-four are remembered"
    );
    assert_eq!(server.counters().too_old, 1);
}

#[test]
fn strangers_leave_no_trace_and_sources_are_bounded() {
    let (mut client, mut server) = pair(Profile::AeadAes128Gcm);
    for ssrc in 0..5000 {
        let mut forged = rtp(ssrc, 1, &[0; 40]);
        assert_eq!(server.unprotect_rtp(&mut forged), Err(UnprotectError::Unauthentic));
    }
    for ssrc in 0..MAX_SOURCES as u32 {
        let mut packet = rtp(ssrc, 1, b"x");
        client.protect_rtp(&mut packet, 0).unwrap();
        assert!(server.unprotect_rtp(&mut packet).is_ok(), "source {ssrc}: the forged ones took no room");
    }
    let packet = rtp(1 << 30, 1, b"x");
    let mut refused = packet.clone();
    assert_eq!(client.protect_rtp(&mut refused, 0), Err(ProtectError::TooManySources));
    assert_eq!(refused, packet);
}

#[test]
fn what_is_no_packet_is_refused_as_it_was() {
    let (mut client, mut server) = pair(Profile::Aes128CmHmacSha1_80);
    for bytes in [
        &[][..],
        &[0x80; 11],
        &[0x40; 40],
        &[0x8f; 40],
        &[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
    ] {
        let mut packet = bytes.to_vec();
        assert_eq!(client.protect_rtp(&mut packet, 0), Err(ProtectError::Malformed));
        assert_eq!(packet, bytes);
        assert_eq!(server.unprotect_rtp(&mut packet), Err(UnprotectError::Malformed));
    }
    assert_eq!(client.protect_rtp(&mut vec![0; 4], 5), Err(ProtectError::Malformed));
    assert_eq!(client.protect_rtcp(&mut vec![0x80; 7], 0), Err(ProtectError::Malformed));
    let mut plain = [rtcp(1), vec![0; 14]].concat();
    assert_eq!(server.unprotect_rtcp(&mut plain), Err(UnprotectError::Unencrypted));
    let short = Session::new(&RustlsProvider, Profile::AeadAes128Gcm, Role::Client, &[0; 55]);
    assert_eq!(short.err(), Some(KeyingError::WrongLength));
}
