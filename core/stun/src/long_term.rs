//! Long-term credentials (RFC 8489 §9.2): a user's name and password, and a server that challenges whoever asks.
//!
//! ```text
//! client ── request, without credentials ────────────────────────────────────▶ server
//!        ◀── 401, REALM, NONCE, maybe PASSWORD-ALGORITHMS ──────────────────
//!        ── request, USERNAME or USERHASH, REALM, NONCE, integrity ──────────▶
//!        ◀── response, integrity ─────────────────────────────────────────────
//! ```
//!
//! Deviation: RFC 8489 §9.2.2 prepares realm and password by the OpaqueString profile (RFC 8265). They are taken as they
//! are, which is the same for all but a few non-ASCII texts; whoever has such can prepare them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use pavane_base::{Reader, Truncated, WriteExt};
use pavane_crypto::{Digest, HashAlgorithm, Mac, MacAlgorithm, Provider};

use crate::{AttributeType, Builder, Message};

/// A user's name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct LongTermCredentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for LongTermCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongTermCredentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// How a password is made into a key (RFC 8489 §18.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordAlgorithm {
    /// MD5, the only one of RFC 5389.
    Md5,
    /// SHA-256.
    Sha256,
}

impl PasswordAlgorithm {
    /// The key of a user in a realm.
    pub fn key(self, provider: &dyn Provider, user: &LongTermCredentials, realm: &str) -> Digest {
        let algorithm = match self {
            Self::Md5 => HashAlgorithm::Md5,
            Self::Sha256 => HashAlgorithm::Sha256,
        };
        let mut hash = provider.hash(algorithm);
        for part in [&user.username, ":", realm, ":", &user.password] {
            hash.update(part.as_bytes());
        }
        hash.digest()
    }

    /// Its number in PASSWORD-ALGORITHM.
    pub const fn number(self) -> u16 {
        match self {
            Self::Md5 => 1,
            Self::Sha256 => 2,
        }
    }

    /// The first that is known of a list as in PASSWORD-ALGORITHMS (RFC 8489 §14.11).
    fn first_of(list: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(list);
        let mut next = || -> Result<u16, Truncated> {
            let number = reader.u16()?;
            let parameters = reader.prefixed_u16()?.len();
            reader.take(parameters.wrapping_neg() % 4)?;
            Ok(number)
        };
        core::iter::from_fn(|| next().ok())
            .find_map(|number| [Self::Md5, Self::Sha256].into_iter().find(|known| known.number() == number))
    }
}

/// What stands for a user's name where it is to be hidden (RFC 8489 §14.4).
pub fn userhash(provider: &dyn Provider, username: &str, realm: &str) -> Digest {
    let mut hash = provider.hash(HashAlgorithm::Sha256);
    for part in [username, ":", realm] {
        hash.update(part.as_bytes());
    }
    hash.digest()
}

/// A user's answer to a challenge, good for as many requests as the server lets the nonce live.
pub struct LongTerm {
    name: Name,
    realm: String,
    nonce: Vec<u8>,
    protection: Protection,
}

enum Name {
    Plain(String),
    Hashed(Digest),
}

/// How messages are protected.
enum Protection {
    /// HMAC-SHA1 with a key by MD5, as in RFC 5389.
    Sha1(Box<dyn Mac>),
    /// HMAC-SHA256, as a server that offers algorithms wants it.
    Sha256 { key: Box<dyn Mac>, algorithm: PasswordAlgorithm, offered: Vec<u8> },
}

/// Why a challenge cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeError {
    /// There is no realm or no nonce, or one that is too long.
    Incomplete,
    /// No algorithm is offered that is known.
    NoAlgorithm,
    /// The nonce says that algorithms are offered, and somebody took them out (RFC 8489 §9.2).
    Tampered,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "the challenge has no realm or no nonce",
            Self::NoAlgorithm => "no password algorithm of the server is known",
            Self::Tampered => "the challenge was tampered with",
        })
    }
}

impl core::error::Error for ChallengeError {}

/// The most bytes that a realm or a nonce has (RFC 8489 §14.9, §14.10).
const MAX_TEXT: usize = 763;

/// The most bytes that a list of algorithms has; there are two.
const MAX_ALGORITHMS: usize = 64;

impl LongTerm {
    /// Answers a challenge: a response with error 401 or 438. Where the second names no realm, that of the `former` answer
    /// holds.
    ///
    /// # Errors
    /// If the challenge cannot be answered.
    pub fn answer(
        provider: &dyn Provider,
        user: &LongTermCredentials,
        challenge: &Message<'_>,
        former: Option<&Self>,
    ) -> Result<Self, ChallengeError> {
        let fitting = |value: &&[u8]| value.len() <= MAX_TEXT;
        let realm = challenge.attribute(AttributeType::REALM).filter(fitting);
        let realm = realm.and_then(|realm| core::str::from_utf8(realm).ok());
        let realm = realm.or(former.map(Self::realm)).ok_or(ChallengeError::Incomplete)?;
        let nonce = challenge.attribute(AttributeType::NONCE).filter(fitting);
        let nonce = nonce.ok_or(ChallengeError::Incomplete)?;
        let features = Features::of(nonce);
        let offered = challenge.attribute(AttributeType::PASSWORD_ALGORITHMS);
        let protection = match offered {
            None if features.password_algorithms => return Err(ChallengeError::Tampered),
            None => {
                let key = PasswordAlgorithm::Md5.key(provider, user, realm);
                Protection::Sha1(provider.mac(MacAlgorithm::HmacSha1, &key))
            }
            Some(offered) if offered.len() > MAX_ALGORITHMS => return Err(ChallengeError::NoAlgorithm),
            Some(offered) => {
                let algorithm = PasswordAlgorithm::first_of(offered).ok_or(ChallengeError::NoAlgorithm)?;
                let key = algorithm.key(provider, user, realm);
                let key = provider.mac(MacAlgorithm::HmacSha256, &key);
                Protection::Sha256 { key, algorithm, offered: offered.to_vec() }
            }
        };
        let name = match features.username_anonymity {
            true => Name::Hashed(userhash(provider, &user.username, realm)),
            false => Name::Plain(user.username.clone()),
        };
        Ok(Self { name, realm: realm.into(), nonce: nonce.to_vec(), protection })
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The nonce.
    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// Adds what makes a request authentic, and ends it; returns its length.
    pub fn seal(&self, message: Builder<'_>) -> usize {
        let message = match &self.name {
            Name::Plain(name) => message.attribute(AttributeType::USERNAME, name.as_bytes()),
            Name::Hashed(hash) => message.attribute(AttributeType::USERHASH, hash),
        };
        let message = message
            .attribute(AttributeType::REALM, self.realm.as_bytes())
            .attribute(AttributeType::NONCE, &self.nonce);
        match &self.protection {
            Protection::Sha1(key) => message.integrity(&**key).finish(),
            Protection::Sha256 { key, algorithm, offered } => {
                let mut chosen = Vec::with_capacity(4);
                chosen.put_u16(algorithm.number());
                chosen.put_u16(0);
                message
                    .attribute(AttributeType::PASSWORD_ALGORITHMS, offered)
                    .attribute(AttributeType::PASSWORD_ALGORITHM, &chosen)
                    .integrity_sha256(&**key)
                    .finish()
            }
        }
    }

    /// Whether a message was made by somebody who has the key.
    pub fn verify(&self, message: &Message<'_>) -> bool {
        match &self.protection {
            Protection::Sha1(key) => message.verify_integrity(&**key),
            Protection::Sha256 { key, .. } => message.verify_integrity_sha256(&**key),
        }
    }
}

impl fmt::Debug for LongTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongTerm").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// What a nonce says that the server can do (RFC 8489 §9.2, §18.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Features {
    password_algorithms: bool,
    username_anonymity: bool,
}

impl Features {
    /// The nonce begins with this where it says anything; four characters of base64 follow: 24 bits, the first of which
    /// is the most significant.
    const COOKIE: &[u8] = b"obMatJos2";

    fn of(nonce: &[u8]) -> Self {
        let sextet = |character: &u8| match character {
            b'A'..=b'Z' => Some(character - b'A'),
            b'a'..=b'z' => Some(character - b'a' + 26),
            b'0'..=b'9' => Some(character - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            _ => None,
        };
        let Some([first, ..]) = nonce.strip_prefix(Self::COOKIE).and_then(|rest| rest.first_chunk::<4>())
        else {
            return Self::default();
        };
        let Some(bits) = sextet(first) else { return Self::default() };
        Self { password_algorithms: bits & 0x20 != 0, username_anonymity: bits & 0x10 != 0 }
    }
}

#[cfg(test)]
mod tests;
