//! SHA-2 and MD5, and HMAC over SHA-2 and SHA-1.

use aws_lc_rs::{digest, hmac};
use md5::Digest as _;
use pavane_crypto::{Digest, Hash, HashAlgorithm, Mac, MacAlgorithm};

pub(crate) fn start(algorithm: HashAlgorithm) -> Box<dyn Hash> {
    let algorithm = match algorithm {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
        HashAlgorithm::Md5 => return Box::new(RunningMd5(md5::Md5::new())),
    };
    Box::new(Running(digest::Context::new(algorithm)))
}

pub(crate) fn keyed(algorithm: MacAlgorithm, key: &[u8]) -> Box<dyn Mac> {
    Box::new(Keyed::new(algorithm, key))
}

pub(crate) fn sign_once(algorithm: MacAlgorithm, key: &[u8], parts: &[&[u8]]) -> Digest {
    Keyed::new(algorithm, key).sign(parts)
}

struct Running(digest::Context);

impl Hash for Running {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn digest(&self) -> Digest {
        Digest::new(self.0.clone().finish().as_ref())
    }

    fn fork(&self) -> Box<dyn Hash> {
        Box::new(Self(self.0.clone()))
    }
}

/// MD5, which the library keeps to itself.
struct RunningMd5(md5::Md5);

impl Hash for RunningMd5 {
    fn update(&mut self, bytes: &[u8]) {
        md5::Digest::update(&mut self.0, bytes);
    }

    fn digest(&self) -> Digest {
        Digest::new(&self.0.clone().finalize())
    }

    fn fork(&self) -> Box<dyn Hash> {
        Box::new(Self(self.0.clone()))
    }
}

struct Keyed(hmac::Key);

impl Keyed {
    fn new(algorithm: MacAlgorithm, key: &[u8]) -> Self {
        let algorithm = match algorithm {
            MacAlgorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            MacAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
            MacAlgorithm::HmacSha384 => hmac::HMAC_SHA384,
        };
        Self(hmac::Key::new(algorithm, key))
    }
}

impl Mac for Keyed {
    fn sign(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        Digest::new(context.sign().as_ref())
    }
}
