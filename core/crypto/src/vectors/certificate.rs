//! Certificates of our own: their signature, their form, and that a seed decides every byte.

use core::time::Duration;

use der::asn1::BitStringRef;
use der::{Decode, Header, Reader, SliceReader};
use pavane_base::{Epoch, Instant};

use crate::vectors::Script;
use crate::{Certificate, HashAlgorithm, Provider, SignatureScheme, subject_public_key_info};

/// Makes certificates with the provider and looks at them.
///
/// # Panics
/// At the first thing that does not hold.
pub fn run_certificates(provider: &dyn Provider) {
    let certificate = Certificate::generate(provider, &mut script(), &EPOCH);
    its_signature_is_its_own_keys(provider, &certificate);
    let pem = certificate.to_pem().expect("a generated key can be exported");
    let again = Certificate::from_pem(provider, &pem).expect("what was exported can be imported");
    assert_eq!(again.der(), certificate.der());
    assert_eq!(again.key().subject_public_key_info(), certificate.key().subject_public_key_info());
    for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
        assert!(certificate.fingerprint(provider, algorithm).verify(provider, again.der()));
    }
    if provider.is_deterministic() {
        assert_eq!(certificate.der(), include_bytes!("../../testdata/certificates/seeded.der"));
    }
}

/// The bytes of a private key, and of a serial number.
fn script() -> Script {
    Script::new([[0x11; 32].as_slice(), &[0x99; 16]].concat())
}

const EPOCH: Epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) };

fn its_signature_is_its_own_keys(provider: &dyn Provider, certificate: &Certificate) {
    let key = subject_public_key_info(certificate.der()).expect("our certificate is well-formed");
    assert_eq!(key, certificate.key().subject_public_key_info());
    let (to_be_signed, signature) = halves(certificate.der()).expect("our certificate is well-formed");
    let verified =
        provider.verify_signature(SignatureScheme::EcdsaSecp256r1Sha256, key, to_be_signed, signature);
    assert_eq!(verified, Ok(()));
}

/// RFC 5280 §4.1: the to-be-signed part, the algorithm, the signature.
fn halves(certificate: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(certificate)?;
    Header::decode(&mut reader)?;
    let to_be_signed = reader.tlv_bytes()?;
    reader.tlv_bytes()?;
    let signature = BitStringRef::decode(&mut reader)?.raw_bytes();
    reader.finish()?;
    Ok((to_be_signed, signature))
}
