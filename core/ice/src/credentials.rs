//! Username fragments and passwords (RFC 8445 §5.3).

use alloc::string::String;
use core::fmt;

use pavane_base::rand_core::CryptoRng;
use pavane_base::random_array;

/// The short-term credentials of one side in one generation.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The username fragment.
    pub ufrag: String,
    /// The password.
    pub pwd: String,
}

impl Credentials {
    /// Draws credentials: 48 bits of username fragment, 144 bits of password, where RFC 8839 §5.4 asks for 24 and 128.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self { ufrag: text(&random_array::<8>(rng)), pwd: text(&random_array::<24>(rng)) }
    }
}

/// Six bits of each byte as one of SDP's ice-chars.
fn text(bytes: &[u8]) -> String {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes.iter().map(|byte| char::from(CHARS[usize::from(byte & 0x3f)])).collect()
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.ufrag)
    }
}
