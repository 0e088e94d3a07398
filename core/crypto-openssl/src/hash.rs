//! SHA-2 and MD5, and HMAC over SHA-2 and SHA-1.

use std::cell::RefCell;

use md5::Digest as _;
use openssl::hash::{DigestBytes, Hasher, MessageDigest, hash};
use pavane_crypto::{Digest, Hash, HashAlgorithm, Mac, MacAlgorithm};

/// Hashing only fails for want of memory, or where the library is configured not to have the hash at all.
const NO_HASH: &str = "the library has SHA-1 and SHA-2, and memory for them";

pub(crate) fn start(algorithm: HashAlgorithm) -> Box<dyn Hash> {
    let algorithm = match algorithm {
        HashAlgorithm::Sha256 => MessageDigest::sha256(),
        HashAlgorithm::Sha384 => MessageDigest::sha384(),
        HashAlgorithm::Sha512 => MessageDigest::sha512(),
        HashAlgorithm::Md5 => return Box::new(RunningMd5(md5::Md5::new())),
    };
    Box::new(Running(Hasher::new(algorithm).expect(NO_HASH)))
}

pub(crate) fn keyed(algorithm: MacAlgorithm, key: &[u8]) -> Box<dyn Mac> {
    Box::new(Keyed::new(algorithm, key))
}

pub(crate) fn sign_once(algorithm: MacAlgorithm, key: &[u8], parts: &[&[u8]]) -> Digest {
    Keyed::new(algorithm, key).sign(parts)
}

struct Running(Hasher);

impl Hash for Running {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes).expect(NO_HASH);
    }

    fn digest(&self) -> Digest {
        Digest::new(&self.0.clone().finish().expect(NO_HASH))
    }

    fn fork(&self) -> Box<dyn Hash> {
        Box::new(Self(self.0.clone()))
    }
}

/// MD5, which a library of approved algorithms alone refuses.
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

/// HMAC (RFC 2104) over a hasher that is used again for every code: OpenSSL's own makes a context for each.
struct Keyed {
    hasher: RefCell<Hasher>,
    /// The key as it goes before the message and before the inner hash.
    inner: Block,
    outer: Block,
}

/// As much as a block of any of the hashes.
#[derive(Clone, Copy)]
struct Block {
    bytes: [u8; Self::LONGEST],
    len: usize,
}

impl Block {
    const LONGEST: usize = 128;

    fn masked(&self, mask: u8) -> Self {
        Self { bytes: self.bytes.map(|byte| byte ^ mask), len: self.len }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Keyed {
    fn new(algorithm: MacAlgorithm, key: &[u8]) -> Self {
        const INNER: u8 = 0x36;
        const OUTER: u8 = 0x5c;
        let algorithm = match algorithm {
            MacAlgorithm::HmacSha1 => MessageDigest::sha1(),
            MacAlgorithm::HmacSha256 => MessageDigest::sha256(),
            MacAlgorithm::HmacSha384 => MessageDigest::sha384(),
        };
        let mut block = Block { bytes: [0; Block::LONGEST], len: algorithm.block_size() };
        // RFC 2104 §2: a key that is longer than a block is replaced by its hash.
        if key.len() > block.len {
            let hash = hash(algorithm, key).expect(NO_HASH);
            block.bytes[..hash.len()].copy_from_slice(&hash);
        } else {
            block.bytes[..key.len()].copy_from_slice(key);
        }
        let hasher = RefCell::new(Hasher::new(algorithm).expect(NO_HASH));
        Self { hasher, inner: block.masked(INNER), outer: block.masked(OUTER) }
    }
}

impl Mac for Keyed {
    fn sign(&self, parts: &[&[u8]]) -> Digest {
        let mut hasher = self.hasher.borrow_mut();
        let mut hash = |block: &Block, parts: &[&[u8]]| -> Result<DigestBytes, _> {
            hasher.update(block.as_slice())?;
            parts.iter().try_for_each(|part| hasher.update(part))?;
            hasher.finish()
        };
        let inner = hash(&self.inner, parts).expect(NO_HASH);
        Digest::new(&hash(&self.outer, &[&inner]).expect(NO_HASH))
    }
}
