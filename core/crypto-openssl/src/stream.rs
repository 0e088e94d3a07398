//! AES in counter mode.

use std::cell::RefCell;

use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use pavane_crypto::{KeyError, StreamCipher, StreamCipherAlgorithm};

pub(crate) fn keyed(algorithm: StreamCipherAlgorithm, key: &[u8]) -> Result<Box<dyn StreamCipher>, KeyError> {
    if key.len() != algorithm.key_len() {
        return Err(KeyError::WrongLength);
    }
    let cipher = match algorithm {
        StreamCipherAlgorithm::Aes128Ctr => Cipher::aes_128_ctr(),
        StreamCipherAlgorithm::Aes256Ctr => Cipher::aes_256_ctr(),
    };
    let context = CipherCtx::new().and_then(|mut context| {
        context.encrypt_init(Some(cipher), Some(key), None)?;
        Ok(context)
    });
    // A library that is configured not to have the cipher cannot use its keys.
    Ok(Box::new(Keyed(RefCell::new(context.map_err(|_| KeyError::Unsupported)?))))
}

/// OpenSSL's context with the key's schedule in it: each packet only sets another counter.
struct Keyed(RefCell<CipherCtx>);

impl StreamCipher for Keyed {
    fn apply(&self, counter: &[u8; 16], in_out: &mut [u8]) {
        const SET_UP: &str = "a context that was set up goes on";
        let mut context = self.0.borrow_mut();
        context.encrypt_init(None, None, Some(counter)).expect(SET_UP);
        if !in_out.is_empty() {
            context.cipher_update_inplace(in_out, in_out.len()).expect(SET_UP);
        }
    }
}
