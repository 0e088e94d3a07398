//! AES in counter mode.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use pavane_crypto::{KeyError, StreamCipher, StreamCipherAlgorithm};

pub(crate) fn keyed(algorithm: StreamCipherAlgorithm, key: &[u8]) -> Result<Box<dyn StreamCipher>, KeyError> {
    let algorithm = match algorithm {
        StreamCipherAlgorithm::Aes128Ctr => &AES_128,
        StreamCipherAlgorithm::Aes256Ctr => &AES_256,
    };
    let key = UnboundCipherKey::new(algorithm, key).and_then(EncryptingKey::ctr);
    Ok(Box::new(Keyed(key.map_err(|_| KeyError::WrongLength)?)))
}

struct Keyed(EncryptingKey);

impl StreamCipher for Keyed {
    fn apply(&self, counter: &[u8; 16], in_out: &mut [u8]) {
        let context = EncryptionContext::Iv128(FixedLength::from(counter));
        // "Less safe" is that the caller chooses the counter, which here is the protocol's.
        let done = self.0.less_safe_encrypt(in_out, context);
        done.expect("a counter of the right kind encrypts anything");
    }
}
