//! What is done for each packet allocates nothing on Rust's heap.
//!
//! Each provider's tests include this file and give it `PROVIDER`.

use std::alloc::System;

use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{AeadAlgorithm, MacAlgorithm, NONCE_LEN, Provider, StreamCipherAlgorithm};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use super::PROVIDER;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn packets_are_sealed_opened_and_authenticated_without_allocating() {
    for provider in [&PROVIDER as &dyn Provider, &SoftwareProvider] {
        use AeadAlgorithm::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305};
        for algorithm in [Aes128Gcm, Aes256Gcm, ChaCha20Poly1305] {
            let aead = provider.aead(algorithm, &[1; 32][..algorithm.key_len()]).unwrap();
            let mut packet = vec![0; 1200];
            let body = packet.len() - 16;
            let region = Region::new(ALLOCATOR);
            let tag = aead.seal(&[2; NONCE_LEN], b"header", &mut packet[..body]);
            packet[body..].copy_from_slice(&tag);
            let opened = aead.open(&[2; NONCE_LEN], b"header", &mut packet).map(|plaintext| plaintext.len());
            assert_eq!(region.change().allocations, 0, "{provider:?} {algorithm:?}");
            assert_eq!(opened, Ok(body));
        }
        for algorithm in [StreamCipherAlgorithm::Aes128Ctr, StreamCipherAlgorithm::Aes256Ctr] {
            let cipher = provider.stream_cipher(algorithm, &[1; 32][..algorithm.key_len()]).unwrap();
            let mut packet = vec![0; 1200];
            let region = Region::new(ALLOCATOR);
            cipher.apply(&[2; 16], &mut packet);
            assert_eq!(region.change().allocations, 0, "{provider:?} {algorithm:?}");
        }
        for algorithm in [MacAlgorithm::HmacSha1, MacAlgorithm::HmacSha256, MacAlgorithm::HmacSha384] {
            let mac = provider.mac(algorithm, b"a password of ICE's");
            let region = Region::new(ALLOCATOR);
            let code = mac.sign(&[b"header", b"attributes"]);
            let verified = mac.verify(&[b"header", b"attributes"], &code);
            let once = provider.sign_once(algorithm, b"a password of ICE's", &[b"header", b"attributes"]);
            assert_eq!(region.change().allocations, 0, "{provider:?} {algorithm:?}");
            assert!(verified && *once == *code);
        }
    }
}
