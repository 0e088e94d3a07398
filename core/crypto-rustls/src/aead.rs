//! AES-GCM and ChaCha20-Poly1305.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use pavane_crypto::{Aead, AeadAlgorithm, KeyError, NONCE_LEN, OpenError, TAG_LEN};

pub(crate) fn keyed(algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn Aead>, KeyError> {
    let algorithm = match algorithm {
        AeadAlgorithm::Aes128Gcm => &AES_128_GCM,
        AeadAlgorithm::Aes256Gcm => &AES_256_GCM,
        AeadAlgorithm::ChaCha20Poly1305 => &CHACHA20_POLY1305,
    };
    let key = UnboundKey::new(algorithm, key).map_err(|_| KeyError::WrongLength)?;
    Ok(Box::new(Keyed(LessSafeKey::new(key))))
}

struct Keyed(LessSafeKey);

impl Aead for Keyed {
    fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], in_out: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), in_out);
        let tag = tag.expect("no record comes near an AEAD's limit");
        tag.as_ref().try_into().expect("all tags have this length")
    }

    fn open<'b>(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        in_out: &'b mut [u8],
    ) -> Result<&'b mut [u8], OpenError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_in_place(nonce, Aad::from(aad), in_out).map_err(|_| OpenError)
    }
}
