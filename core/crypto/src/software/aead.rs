//! AES-GCM and ChaCha20-Poly1305.

use alloc::boxed::Box;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;

use crate::{Aead, AeadAlgorithm, KeyError, NONCE_LEN, OpenError, TAG_LEN};

pub(super) fn keyed(algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn Aead>, KeyError> {
    match algorithm {
        AeadAlgorithm::Aes128Gcm => boxed(Aes128Gcm::new_from_slice(key)),
        AeadAlgorithm::Aes256Gcm => boxed(Aes256Gcm::new_from_slice(key)),
        AeadAlgorithm::ChaCha20Poly1305 => boxed(ChaCha20Poly1305::new_from_slice(key)),
    }
}

fn boxed<C, E>(cipher: Result<C, E>) -> Result<Box<dyn Aead>, KeyError>
where
    Keyed<C>: Aead + 'static,
{
    cipher.map(|cipher| Box::new(Keyed(cipher)) as _).map_err(|_| KeyError::WrongLength)
}

struct Keyed<C>(C);

impl<C: AeadInOut + Send> Aead for Keyed<C> {
    fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], in_out: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = nonce.as_slice().try_into().expect("all nonces have this length");
        let tag = self.0.encrypt_inout_detached(nonce, aad, InOutBuf::from(in_out));
        let tag = tag.expect("no record comes near an AEAD's limit");
        tag.as_slice().try_into().expect("all tags have this length")
    }

    fn open<'b>(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        in_out: &'b mut [u8],
    ) -> Result<&'b mut [u8], OpenError> {
        let at = in_out.len().checked_sub(TAG_LEN).ok_or(OpenError)?;
        let (body, tag) = in_out.split_at_mut(at);
        let nonce = nonce.as_slice().try_into().expect("all nonces have this length");
        let tag = (&*tag).try_into().expect("all tags have this length");
        self.0.decrypt_inout_detached(nonce, aad, InOutBuf::from(&mut *body), tag).map_err(|_| OpenError)?;
        Ok(body)
    }
}
