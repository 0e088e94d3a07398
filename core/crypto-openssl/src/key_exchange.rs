//! Diffie-Hellman on Curve25519 and P-256, with private keys made of the caller's random bytes.

use openssl::bn::{BigNum, BigNumContext};
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use pavane_crypto::{KeyExchange, KeyExchangeError, NamedGroup, draw_p256};
use rand_core::CryptoRng;

pub(crate) fn draw(
    group: NamedGroup,
    rng: &mut dyn CryptoRng,
) -> Result<Box<dyn KeyExchange>, KeyExchangeError> {
    let made = match group {
        NamedGroup::X25519 => {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            x25519(&bytes)
        }
        NamedGroup::Secp256r1 => p256(&draw_p256(rng).to_bytes()),
        _ => return Err(KeyExchangeError::UnsupportedGroup),
    };
    // A library that is configured not to have the group cannot make its keys.
    let (private, public) = made.map_err(|_| KeyExchangeError::UnsupportedGroup)?;
    Ok(Box::new(Ephemeral { group, private, public }))
}

fn x25519(private: &[u8]) -> Result<(PKey<Private>, Vec<u8>), ErrorStack> {
    let private = PKey::private_key_from_raw_bytes(private, Id::X25519)?;
    let public = private.raw_public_key()?;
    Ok((private, public))
}

fn p256(private: &[u8]) -> Result<(PKey<Private>, Vec<u8>), ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let mut context = BigNumContext::new_secure()?;
    let mut scalar = BigNum::new_secure()?;
    scalar.copy_from_slice(private)?;
    let mut point = EcPoint::new(&group)?;
    point.mul_generator2(&group, &scalar, &mut context)?;
    let public = point.to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut context)?;
    let key = EcKey::from_private_components(&group, &scalar, &point)?;
    Ok((PKey::from_ec_key(key)?, public))
}

struct Ephemeral {
    group: NamedGroup,
    private: PKey<Private>,
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
        let peer = match self.group {
            NamedGroup::X25519 if peer.len() == 32 => PKey::public_key_from_raw_bytes(peer, Id::X25519),
            NamedGroup::Secp256r1
                if peer.first().map(|first| (peer.len(), *first)) == Some(UNCOMPRESSED_P256) =>
            {
                p256_point(peer)
            }
            _ => return Err(KeyExchangeError::InvalidPublicKey),
        };
        // OpenSSL refuses points off the curve, and on Curve25519 secrets of zeros.
        let secret = peer.and_then(|peer| agree(&self.private, &peer));
        secret.map_err(|_| KeyExchangeError::InvalidPublicKey)
    }
}

fn p256_point(bytes: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let point = EcPoint::from_bytes(&group, bytes, &mut *BigNumContext::new()?)?;
    PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)
}

fn agree(private: &PKey<Private>, peer: &PKey<Public>) -> Result<Vec<u8>, ErrorStack> {
    let mut deriver = Deriver::new(private)?;
    deriver.set_peer(peer)?;
    deriver.derive_to_vec()
}
