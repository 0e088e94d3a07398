//! SHA-2 and MD5, and HMAC over it and SHA-1.

use alloc::boxed::Box;

use hmac::{EagerHash, Hmac, KeyInit, Mac as _};
use sha2::digest::Digest as _;

use crate::{Digest, Hash, HashAlgorithm, Mac, MacAlgorithm};

pub(super) fn start(algorithm: HashAlgorithm) -> Box<dyn Hash> {
    match algorithm {
        HashAlgorithm::Sha256 => Box::new(Running(sha2::Sha256::new())),
        HashAlgorithm::Sha384 => Box::new(Running(sha2::Sha384::new())),
        HashAlgorithm::Sha512 => Box::new(Running(sha2::Sha512::new())),
        HashAlgorithm::Md5 => Box::new(Running(md5::Md5::new())),
    }
}

pub(super) fn keyed(algorithm: MacAlgorithm, key: &[u8]) -> Box<dyn Mac> {
    match algorithm {
        MacAlgorithm::HmacSha1 => Box::new(Keyed::<sha1::Sha1>::new(key)),
        MacAlgorithm::HmacSha256 => Box::new(Keyed::<sha2::Sha256>::new(key)),
        MacAlgorithm::HmacSha384 => Box::new(Keyed::<sha2::Sha384>::new(key)),
    }
}

pub(super) fn sign_once(algorithm: MacAlgorithm, key: &[u8], parts: &[&[u8]]) -> Digest {
    match algorithm {
        MacAlgorithm::HmacSha1 => Keyed::<sha1::Sha1>::new(key).sign(parts),
        MacAlgorithm::HmacSha256 => Keyed::<sha2::Sha256>::new(key).sign(parts),
        MacAlgorithm::HmacSha384 => Keyed::<sha2::Sha384>::new(key).sign(parts),
    }
}

struct Running<H>(H);

impl<H: sha2::digest::Digest + Clone + Send + 'static> Hash for Running<H> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn digest(&self) -> Digest {
        Digest::new(&self.0.clone().finalize())
    }

    fn fork(&self) -> Box<dyn Hash> {
        Box::new(Self(self.0.clone()))
    }
}

struct Keyed<H: EagerHash>(Hmac<H>);

impl<H: EagerHash> Keyed<H>
where
    Hmac<H>: hmac::Mac + KeyInit + Clone + Send + 'static,
{
    fn new(key: &[u8]) -> Self {
        Self(<Hmac<H> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length"))
    }
}

impl<H: EagerHash> Mac for Keyed<H>
where
    Hmac<H>: hmac::Mac + Clone + Send,
{
    fn sign(&self, parts: &[&[u8]]) -> Digest {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        Digest::new(&mac.finalize().into_bytes())
    }
}
