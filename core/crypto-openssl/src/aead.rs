//! AES-GCM and ChaCha20-Poly1305.

use std::cell::RefCell;

use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use pavane_crypto::{Aead, AeadAlgorithm, KeyError, NONCE_LEN, OpenError, TAG_LEN};

pub(crate) fn keyed(algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn Aead>, KeyError> {
    if key.len() != algorithm.key_len() {
        return Err(KeyError::WrongLength);
    }
    let cipher = match algorithm {
        AeadAlgorithm::Aes128Gcm => Cipher::aes_128_gcm(),
        AeadAlgorithm::Aes256Gcm => Cipher::aes_256_gcm(),
        AeadAlgorithm::ChaCha20Poly1305 => Cipher::chacha20_poly1305(),
    };
    let context = CipherCtx::new().and_then(|mut context| {
        context.encrypt_init(Some(cipher), Some(key), None)?;
        Ok(context)
    });
    // A library that is configured not to have the cipher cannot use its keys.
    Ok(Box::new(Keyed(RefCell::new(context.map_err(|_| KeyError::Unsupported)?))))
}

/// OpenSSL's context with the key's schedule in it: each packet only sets another nonce.
struct Keyed(RefCell<CipherCtx>);

impl Aead for Keyed {
    fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], in_out: &mut [u8]) -> [u8; TAG_LEN] {
        let mut tag = [0; TAG_LEN];
        let sealed = seal(&mut self.0.borrow_mut(), nonce, aad, in_out, &mut tag);
        sealed.expect("no record comes near an AEAD's limit");
        tag
    }

    fn open<'b>(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        in_out: &'b mut [u8],
    ) -> Result<&'b mut [u8], OpenError> {
        let at = in_out.len().checked_sub(TAG_LEN).ok_or(OpenError)?;
        let (body, tag) = in_out.split_at_mut(at);
        open(&mut self.0.borrow_mut(), nonce, aad, body, tag).map_err(|_| OpenError)?;
        Ok(body)
    }
}

fn seal(
    context: &mut CipherCtx,
    nonce: &[u8],
    aad: &[u8],
    body: &mut [u8],
    tag: &mut [u8],
) -> Result<(), ErrorStack> {
    context.encrypt_init(None, None, Some(nonce))?;
    context.cipher_update(aad, None)?;
    update(context, body)?;
    context.cipher_final(&mut [])?;
    context.tag(tag)
}

fn open(
    context: &mut CipherCtx,
    nonce: &[u8],
    aad: &[u8],
    body: &mut [u8],
    tag: &[u8],
) -> Result<(), ErrorStack> {
    context.decrypt_init(None, None, Some(nonce))?;
    context.cipher_update(aad, None)?;
    update(context, body)?;
    context.set_tag(tag)?;
    context.cipher_final(&mut []).map(drop)
}

fn update(context: &mut CipherCtx, body: &mut [u8]) -> Result<(), ErrorStack> {
    match body.len() {
        0 => Ok(()),
        len => context.cipher_update_inplace(body, len).map(drop),
    }
}
