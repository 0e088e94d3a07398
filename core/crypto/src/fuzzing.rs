//! Bodies of the fuzz targets: what a peer or a user hands in, to each of its parsers.

use crate::software::SoftwareProvider;
use crate::{
    Certificate, NamedGroup, Provider, SignatureScheme, check_key_kind, subject_public_key_info,
    vectors::Script,
};

/// A peer's certificate, then its key and a signature by it.
pub fn certificate(data: &[u8]) {
    let Ok(key) = subject_public_key_info(data) else { return };
    signature(key, &data[data.len() / 2..]);
}

/// A public key, alone and with everything behind its first byte as signature.
pub fn public_key(data: &[u8]) {
    signature(data, data.get(1..).unwrap_or_default());
}

/// A peer's share of a key exchange.
pub fn key_share(data: &[u8]) {
    for group in SoftwareProvider.groups() {
        exchange(*group, data);
    }
}

/// A user's file.
pub fn pem(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(certificate) = Certificate::from_pem(&SoftwareProvider, text) {
        let pem = certificate.to_pem().expect("what was imported can be exported");
        let again =
            Certificate::from_pem(&SoftwareProvider, &pem).expect("what was exported can be imported");
        assert_eq!(again.der(), certificate.der());
    }
}

fn signature(key: &[u8], signature: &[u8]) {
    for scheme in SignatureScheme::ALL {
        let verified = SoftwareProvider.verify_signature(scheme, key, b"message", signature);
        assert!(verified.is_err() || check_key_kind(scheme, key).is_ok());
    }
}

fn exchange(group: NamedGroup, peer: &[u8]) {
    let ours = SoftwareProvider.key_exchange(group, &mut Script::new([7; 32]));
    let _ = ours.expect("the group is offered").complete(peer);
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    const SEEDS: [&[u8]; 5] = [
        include_bytes!("../testdata/certificates/v1-p256.der"),
        include_bytes!("../testdata/certificates/v3-rsa.der"),
        include_bytes!("../testdata/signatures/p384.spki"),
        include_bytes!("../testdata/signatures/rsa2048.spki"),
        include_bytes!("../testdata/certificates/openssl.pem"),
    ];

    #[test]
    fn bodies_survive_seeds_and_their_mutations() {
        const ROUNDS: usize = 50;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for seed in SEEDS {
            for round in 0..ROUNDS {
                let mut data = seed.to_vec();
                for _ in 0..round {
                    let at = rng.next_u32() as usize % data.len();
                    data[at] = rng.next_u32() as u8;
                }
                [certificate, public_key, key_share, pem].into_iter().for_each(|body| body(&data));
            }
        }
    }
}
