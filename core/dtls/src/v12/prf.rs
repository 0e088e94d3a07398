//! The pseudorandom function (RFC 5246 §5).

use pavane_crypto::{HashAlgorithm, MacAlgorithm, Provider};

/// Fills `out` with PRF(secret, label, seed), the seed given in parts.
///
/// P_hash of the suite's hash: `HMAC(A(1) + label + seed) + HMAC(A(2) + label + seed) + …`, where `A(1)` is
/// `HMAC(label + seed)` and each further one the HMAC of the one before.
pub(crate) fn prf(
    provider: &dyn Provider,
    hash: HashAlgorithm,
    secret: &[u8],
    label: &str,
    seed: &[&[u8]; 3],
    out: &mut [u8],
) {
    let algorithm = match hash {
        HashAlgorithm::Sha384 => MacAlgorithm::HmacSha384,
        _ => MacAlgorithm::HmacSha256,
    };
    let mac = provider.mac(algorithm, secret);
    let [first, second, third] = *seed;
    let mut a = mac.sign(&[label.as_bytes(), first, second, third]);
    for chunk in out.chunks_mut(hash.output_len()) {
        let block = mac.sign(&[&a, label.as_bytes(), first, second, third]);
        chunk.copy_from_slice(&block[..chunk.len()]);
        a = mac.sign(&[&a]);
    }
}
