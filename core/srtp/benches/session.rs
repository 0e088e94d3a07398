//! What a packet costs, protected and unprotected, beside the ciphers' own part of it.

use std::time::{Duration, Instant};

use pavane_crypto::{Aead, AeadAlgorithm, Provider};
use pavane_crypto_rustls::RustlsProvider;
use pavane_srtp::{Profile, Role, Session};

/// The fastest of some rounds counts: a busy machine makes others slow.
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(60);
const BATCH: u32 = 64;

fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let round = |work: &mut dyn FnMut()| {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            (0..BATCH).for_each(|_| work());
            count += BATCH;
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
    };
    (0..ROUNDS).map(|_| round(work)).fold(f64::MAX, f64::min)
}

/// Both directions of packets of one length, from as many sources by turns.
fn session(profile: Profile, len: usize, sources: u32) -> f64 {
    let material = vec![3; profile.keying_material_len()];
    let make = |role| Session::new(&RustlsProvider, profile, role, &material).expect("the length is right");
    let (mut client, mut server) = (make(Role::Client), make(Role::Server));
    let (mut packet, mut number) = (vec![0; len], 0_u32);
    nanoseconds(&mut || {
        packet.truncate(len);
        packet[..2].copy_from_slice(&[0x80, 96]);
        packet[2..4].copy_from_slice(&((number / sources) as u16).to_be_bytes());
        packet[8..12].copy_from_slice(&(number % sources).to_be_bytes());
        number += 1;
        client.protect_rtp(&mut packet, 0).expect("it is a packet");
        server.unprotect_rtp(&mut packet).expect("it is authentic");
    })
}

/// The two cipher operations alone.
fn cipher(algorithm: AeadAlgorithm, len: usize) -> f64 {
    let make = || -> Box<dyn Aead> {
        RustlsProvider.aead(algorithm, &vec![3; algorithm.key_len()]).expect("the length is right")
    };
    let (sealing, opening) = (make(), make());
    let (mut packet, mut number) = (vec![0; len - 12], 0_u64);
    let mut nonce = [0; 12];
    nanoseconds(&mut || {
        number += 1;
        nonce[4..].copy_from_slice(&number.to_be_bytes());
        packet.truncate(len - 12);
        let tag = sealing.seal(&nonce, &[0; 12], &mut packet);
        packet.extend_from_slice(&tag);
        opening.open(&nonce, &[0; 12], &mut packet).expect("it is authentic");
    })
}

fn main() {
    println!(
        "| profile | bytes | 1 source, ns | 50 sources, ns | ciphers alone, ns |\n|---|---|---|---|---|"
    );
    for id in [7, 8, 1, 2] {
        let profile = Profile::from_id(id).expect("it is one of ours");
        for len in [160, 1200] {
            let alone = match profile {
                Profile::AeadAes128Gcm => format!("{:.0}", cipher(AeadAlgorithm::Aes128Gcm, len)),
                Profile::AeadAes256Gcm => format!("{:.0}", cipher(AeadAlgorithm::Aes256Gcm, len)),
                _ => String::new(),
            };
            let (one, many) = (session(profile, len, 1), session(profile, len, 50));
            println!("| {profile:?} | {len} | {one:.0} | {many:.0} | {alone} |");
        }
    }
}
