//! The same generator gives the same bytes, whichever provider makes them.
//!
//! Each provider's tests include this file and give it `PROVIDER`.

use core::time::Duration;

use pavane_base::{Epoch, Instant};
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Certificate, NamedGroup, Provider, SignatureScheme};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::PROVIDER;

const SEEDS: u64 = 50;

fn on_both<T: PartialEq + core::fmt::Debug>(make: impl Fn(&dyn Provider, &mut ChaCha8Rng) -> T) {
    for seed in 0..SEEDS {
        let made = |provider: &dyn Provider| make(provider, &mut ChaCha8Rng::seed_from_u64(seed));
        assert!(PROVIDER.is_deterministic() && SoftwareProvider.is_deterministic());
        assert_eq!(made(&PROVIDER), made(&PROVIDER), "seed {seed}");
        assert_eq!(made(&PROVIDER), made(&SoftwareProvider), "seed {seed}");
    }
}

#[test]
fn ephemeral_keys_and_what_they_agree_on() {
    for group in [NamedGroup::X25519, NamedGroup::Secp256r1] {
        on_both(|provider, rng| {
            let ours = provider.key_exchange(group, rng).unwrap();
            let theirs = provider.key_exchange(group, rng).unwrap();
            let public = ours.public_key().to_vec();
            (public, ours.complete(theirs.public_key()).unwrap())
        });
    }
}

#[test]
fn signing_keys_and_signatures() {
    on_both(|provider, rng| {
        let key = provider.generate_signing_key(rng);
        let signature = key.sign(SignatureScheme::EcdsaSecp256r1Sha256, b"measured steps").unwrap();
        (key.to_pkcs8().unwrap(), signature)
    });
}

#[test]
fn certificates() {
    let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_795_000_000) };
    on_both(|provider, rng| {
        let certificate = Certificate::generate(provider, rng, &epoch);
        (certificate.der().to_vec(), certificate.to_pem().unwrap())
    });
}
