//! The writing of a self-signed certificate.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use der::asn1::BitString;
use der::oid::ObjectIdentifier;
use der::{Decode, Document, Encode};
use pavane_base::{Epoch, random_array};
use rand_core::CryptoRng;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{
    AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, EncodePublicKey, SubjectPublicKeyInfo,
    SubjectPublicKeyInfoRef,
};
use x509_cert::time::{Time, Validity};

use crate::{SignatureScheme, SigningKey};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Clocks differ between peers: some look at the dates although they need not.
const BACKDATED: Duration = DAY;

/// What browsers give theirs.
const LIFETIME: Duration = DAY.saturating_mul(30);

/// RFC 5280 §4.1.2.5: 9999-12-31T23:59:59Z is the last date that a certificate can name.
const END_OF_TIME: Duration = Duration::from_secs(253_402_300_799);

/// RFC 5758 §3.2.
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// Makes a certificate for `key`, in DER.
pub(crate) fn certificate(key: &dyn SigningKey, rng: &mut dyn CryptoRng, epoch: &Epoch) -> Vec<u8> {
    const VALID: &str = "names, dates and keys of our own making are encodable";
    let signer = Signer(key);
    let time = |at: Duration| Time::try_from_unix(at).expect(VALID);
    let validity =
        Validity::new(time(epoch.unix.saturating_sub(BACKDATED)), time(epoch.unix.saturating_add(LIFETIME)));
    let serial = SerialNumber::new(&positive(random_array(rng))).expect(VALID);
    let info = SubjectPublicKeyInfo::from_der(&key.subject_public_key_info()).expect(VALID);
    let mut builder = CertificateBuilder::new(Profile, serial, validity, info).expect(VALID);
    let to_be_signed = builder.finalize(&signer).expect(VALID);
    let signature = key
        .sign(SignatureScheme::EcdsaSecp256r1Sha256, &to_be_signed)
        .expect("a generated key signs with ECDSA on P-256");
    let signature = BitString::from_bytes(&signature).expect(VALID);
    builder.assemble(signature, &signer).and_then(|done| Ok(done.to_der()?)).expect(VALID)
}

/// RFC 5280 §4.1.2.2: a positive number without leading zeros.
const fn positive(mut serial: [u8; 16]) -> [u8; 16] {
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

trait TryFromUnix: Sized {
    fn try_from_unix(at: Duration) -> der::Result<Self>;
}

impl TryFromUnix for Time {
    fn try_from_unix(at: Duration) -> der::Result<Self> {
        let at = Duration::from_secs(at.as_secs()).min(END_OF_TIME);
        Ok(der::DateTime::from_unix_duration(at)?.into())
    }
}

/// One name, and one extension: it says that the key is nobody's authority, and makes the certificate one of version 3, the
/// only version that some peers take (RFC 5280 §4.1.2.1).
struct Profile;

impl BuilderProfile for Profile {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        "CN=WebRTC".parse().expect("the name is well-formed")
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        to_be_signed: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let no_authority = BasicConstraints { ca: false, path_len_constraint: None };
        Ok(vec![no_authority.to_extension(to_be_signed.subject(), &[])?])
    }
}

/// Shows the certificate's builder what it asks of a key.
struct Signer<'k>(&'k dyn SigningKey);

#[derive(Clone)]
struct PublicKey(Vec<u8>);

impl p256::ecdsa::signature::Keypair for Signer<'_> {
    type VerifyingKey = PublicKey;

    fn verifying_key(&self) -> PublicKey {
        PublicKey(self.0.subject_public_key_info())
    }
}

impl EncodePublicKey for PublicKey {
    fn to_public_key_der(&self) -> x509_cert::spki::Result<Document> {
        Ok(Document::try_from(self.0.as_slice())?)
    }
}

impl DynSignatureAlgorithmIdentifier for Signer<'_> {
    fn signature_algorithm_identifier(&self) -> x509_cert::spki::Result<AlgorithmIdentifierOwned> {
        Ok(AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None })
    }
}
