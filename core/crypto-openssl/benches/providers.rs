//! Both libraries side by side: what a handshake's parts and a record cost.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pavane_crypto::{
    AeadAlgorithm, HashAlgorithm, MacAlgorithm, NONCE_LEN, NamedGroup, Provider, SignatureScheme,
};
use pavane_crypto_openssl::{OpensslProvider, library_version};
use pavane_crypto_rustls::RustlsProvider;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Measured in rounds, the providers by turns, so that a busy machine slows them alike; the fastest round counts.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(60);

fn round(work: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < ROUND {
        (0..8).for_each(|_| work());
        count += 8;
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn compare(what: &str, make: impl Fn(&'static dyn Provider) -> Box<dyn FnMut()>) {
    let providers: [&'static dyn Provider; 2] = [&RustlsProvider, &OpensslProvider];
    let mut works = providers.map(make);
    let mut best = [f64::MAX; 2];
    for _ in 0..ROUNDS {
        for (work, best) in works.iter_mut().zip(&mut best) {
            *best = best.min(round(&mut **work));
        }
    }
    let show = |nanoseconds: f64| match nanoseconds {
        large if large >= 10_000.0 => format!("{:.1} µs", large / 1000.0),
        small => format!("{small:.0} ns"),
    };
    println!("| {what} | {} | {} | {:.2} |", show(best[0]), show(best[1]), best[1] / best[0]);
}

fn handshake(provider: &'static dyn Provider, group: NamedGroup) -> Box<dyn FnMut()> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let key = provider.generate_signing_key(&mut rng);
    let spki = key.subject_public_key_info();
    let peer = provider.key_exchange(group, &mut rng).expect("both know the group").public_key().to_vec();
    Box::new(move || {
        let ours = provider.key_exchange(group, &mut rng).expect("both know the group");
        let scheme = SignatureScheme::EcdsaSecp256r1Sha256;
        let signature = key.sign(scheme, ours.public_key()).expect("the key is for that");
        provider.verify_signature(scheme, &spki, ours.public_key(), &signature).expect("it is right");
        black_box(ours.complete(&peer).expect("a public key"));
        let mut hash = provider.hash(HashAlgorithm::Sha256);
        hash.update(&signature);
        black_box(hash.digest());
    })
}

fn record(provider: &'static dyn Provider, algorithm: AeadAlgorithm, size: usize) -> Box<dyn FnMut()> {
    let aead = provider.aead(algorithm, &[1; 32][..algorithm.key_len()]).expect("the length is right");
    let mut record = vec![0; size + 16];
    Box::new(move || {
        let tag = aead.seal(&[2; NONCE_LEN], &[3; 13], &mut record[..size]);
        record[size..].copy_from_slice(&tag);
        black_box(aead.open(&[2; NONCE_LEN], &[3; 13], &mut record).expect("it is our own"));
    })
}

fn main() {
    println!("OpenSSL: {}\n\n| | aws-lc-rs | OpenSSL | ratio |\n|---|---|---|---|", library_version());
    compare("one side's asymmetric part of a handshake, X25519", |p| handshake(p, NamedGroup::X25519));
    compare("the same, P-256", |p| handshake(p, NamedGroup::Secp256r1));
    for (name, algorithm) in [
        ("AES-128-GCM", AeadAlgorithm::Aes128Gcm),
        ("AES-256-GCM", AeadAlgorithm::Aes256Gcm),
        ("ChaCha20-Poly1305", AeadAlgorithm::ChaCha20Poly1305),
    ] {
        for size in [100, 1200] {
            compare(&format!("{name}, a record of {size} bytes sealed and opened"), |p| {
                record(p, algorithm, size)
            });
        }
    }
    compare("HMAC-SHA1 of 100 bytes (a STUN message)", |p| {
        let mac = p.mac(MacAlgorithm::HmacSha1, &[1; 24]);
        Box::new(move || {
            black_box(mac.sign(&[&[5; 100]]));
        })
    });
}
