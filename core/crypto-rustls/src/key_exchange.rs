//! Diffie-Hellman on Curve25519 and P-256, with private keys made of the caller's random bytes.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, X25519, agree};
use pavane_crypto::{KeyExchange, KeyExchangeError, NamedGroup, draw_p256};
use rand_core::CryptoRng;

pub(crate) fn draw(
    group: NamedGroup,
    rng: &mut dyn CryptoRng,
) -> Result<Box<dyn KeyExchange>, KeyExchangeError> {
    let private = match group {
        NamedGroup::X25519 => {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            PrivateKey::from_private_key(&X25519, &bytes)
        }
        NamedGroup::Secp256r1 => PrivateKey::from_private_key(&ECDH_P256, &draw_p256(rng).to_bytes()),
        _ => return Err(KeyExchangeError::UnsupportedGroup),
    };
    let private = private.expect("any 32 bytes for X25519, and a drawn P-256 key, are private keys");
    let public = private.compute_public_key().expect("a private key has a public one");
    Ok(Box::new(Ephemeral { group, private, public: public.as_ref().to_vec() }))
}

struct Ephemeral {
    group: NamedGroup,
    private: PrivateKey,
    public: Vec<u8>,
}

impl KeyExchange for Ephemeral {
    fn group(&self) -> NamedGroup {
        self.group
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Vec<u8>, KeyExchangeError> {
        // RFC 8422 §5.4.1 and §5.11: points are uncompressed, and Curve25519's have 32 bytes.
        const UNCOMPRESSED_P256: (usize, u8) = (65, 4);
        let (algorithm, well_formed) = match self.group {
            NamedGroup::X25519 => (&X25519, peer.len() == 32),
            _ => (&ECDH_P256, peer.first().map(|first| (peer.len(), *first)) == Some(UNCOMPRESSED_P256)),
        };
        if !well_formed {
            return Err(KeyExchangeError::InvalidPublicKey);
        }
        let peer = UnparsedPublicKey::new(algorithm, peer);
        agree(&self.private, peer, KeyExchangeError::InvalidPublicKey, |secret| Ok(secret.to_vec()))
    }
}
