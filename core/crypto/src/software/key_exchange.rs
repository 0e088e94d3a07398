//! Diffie-Hellman on Curve25519 and P-256.

use alloc::boxed::Box;
use alloc::vec::Vec;

use p256::elliptic_curve::sec1::ToSec1Point;
use pavane_base::random_array;
use rand_core::CryptoRng;

use crate::{KeyExchange, KeyExchangeError, NamedGroup, draw_p256};

pub(super) fn x25519(rng: &mut dyn CryptoRng) -> Box<dyn KeyExchange> {
    let private = x25519_dalek::StaticSecret::from(random_array::<32>(rng));
    let public = x25519_dalek::PublicKey::from(&private);
    Box::new(X25519 { private, public })
}

pub(super) fn p256(rng: &mut dyn CryptoRng) -> Box<dyn KeyExchange> {
    let private = draw_p256(rng);
    let public = private.public_key().to_sec1_point(false).as_bytes().to_vec();
    Box::new(P256 { private, public })
}

struct X25519 {
    private: x25519_dalek::StaticSecret,
    public: x25519_dalek::PublicKey,
}

impl KeyExchange for X25519 {
    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn public_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Vec<u8>, KeyExchangeError> {
        let peer: [u8; 32] = peer.try_into().map_err(|_| KeyExchangeError::InvalidPublicKey)?;
        let shared = self.private.diffie_hellman(&peer.into());
        match shared.was_contributory() {
            true => Ok(shared.as_bytes().to_vec()),
            false => Err(KeyExchangeError::InvalidPublicKey),
        }
    }
}

struct P256 {
    private: p256::SecretKey,
    public: Vec<u8>,
}

impl KeyExchange for P256 {
    fn group(&self) -> NamedGroup {
        NamedGroup::Secp256r1
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Vec<u8>, KeyExchangeError> {
        // RFC 8422 §5.4.1: uncompressed points only.
        const UNCOMPRESSED: u8 = 4;
        let peer = match peer.first() {
            Some(&UNCOMPRESSED) => p256::PublicKey::from_sec1_bytes(peer),
            _ => return Err(KeyExchangeError::InvalidPublicKey),
        };
        let peer = peer.map_err(|_| KeyExchangeError::InvalidPublicKey)?;
        Ok(self.private.diffie_hellman(&peer).raw_secret_bytes().to_vec())
    }
}
