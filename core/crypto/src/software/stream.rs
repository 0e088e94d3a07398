//! AES in counter mode.

use alloc::boxed::Box;

use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, KeyInit, StreamCipher as _, consts::U16};
use aes::{Aes128, Aes256};
use ctr::cipher::InnerIvInit;
use ctr::{Ctr128BE, CtrCore};

use crate::{KeyError, StreamCipher, StreamCipherAlgorithm};

pub(super) fn keyed(algorithm: StreamCipherAlgorithm, key: &[u8]) -> Result<Box<dyn StreamCipher>, KeyError> {
    match algorithm {
        StreamCipherAlgorithm::Aes128Ctr => boxed(Aes128::new_from_slice(key)),
        StreamCipherAlgorithm::Aes256Ctr => boxed(Aes256::new_from_slice(key)),
    }
}

fn boxed<C, E>(cipher: Result<C, E>) -> Result<Box<dyn StreamCipher>, KeyError>
where
    Keyed<C>: StreamCipher + 'static,
{
    cipher.map(|cipher| Box::new(Keyed(cipher)) as _).map_err(|_| KeyError::WrongLength)
}

struct Keyed<C>(C);

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Clone + Send> StreamCipher for Keyed<C> {
    fn apply(&self, counter: &[u8; 16], in_out: &mut [u8]) {
        let core = CtrCore::inner_iv_init(self.0.clone(), counter.into());
        Ctr128BE::<C>::from_core(core).apply_keystream(in_out);
    }
}
