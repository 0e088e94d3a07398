//! AES in counter mode: NIST SP 800-38A appendix F.5, RFC 3711 appendix B.2 and RFC 6188 §7.1.

use alloc::vec;

use crate::vectors::hex;
use crate::{KeyError, Provider, StreamCipherAlgorithm};

struct Vector {
    algorithm: StreamCipherAlgorithm,
    key: &'static str,
    counter: &'static str,
    plaintext: &'static str,
    ciphertext: &'static str,
}

/// Runs the vectors of the stream ciphers.
///
/// # Panics
/// At the first that does not hold.
pub fn run_stream_ciphers(provider: &dyn Provider) {
    for vector in VECTORS {
        let cipher =
            provider.stream_cipher(vector.algorithm, &hex(vector.key)).expect("the key has the right length");
        let counter = hex(vector.counter).try_into().expect("counters have 16 bytes");
        let (plaintext, ciphertext) = (hex(vector.plaintext), hex(vector.ciphertext));
        for len in 0..=plaintext.len() {
            let mut buf = plaintext[..len].to_vec();
            cipher.apply(&counter, &mut buf);
            assert_eq!(buf, ciphertext[..len], "{:?}", vector.algorithm);
            cipher.apply(&counter, &mut buf);
            assert_eq!(buf, plaintext[..len], "{:?} and back", vector.algorithm);
        }
    }
    the_counter_carries(provider);
    for algorithm in [StreamCipherAlgorithm::Aes128Ctr, StreamCipherAlgorithm::Aes256Ctr] {
        for len in (0..40).filter(|len| *len != algorithm.key_len()) {
            let refused = provider.stream_cipher(algorithm, &vec![0; len]).err();
            assert_eq!(refused, Some(KeyError::WrongLength), "{algorithm:?} with {len} bytes");
        }
    }
}

/// The block behind the counter of all ones is that of zero.
fn the_counter_carries(provider: &dyn Provider) {
    let cipher =
        provider.stream_cipher(StreamCipherAlgorithm::Aes128Ctr, &[7; 16]).expect("16 bytes are right");
    let (mut two, mut first, mut second) = ([0; 32], [0; 16], [0; 16]);
    cipher.apply(&[0xff; 16], &mut two);
    cipher.apply(&[0xff; 16], &mut first);
    cipher.apply(&[0; 16], &mut second);
    assert_eq!(two, *[first, second].concat());
}

const SP_800_38A: &str = concat!(
    "6bc1bee22e409f96e93d7e117393172a",
    "ae2d8a571e03ac9c9eb76fac45af8e51",
    "30c81c46a35ce411e5fbc1191a0a52ef",
    "f69f2445df4f9b17ad2b417be66c3710",
);

const VECTORS: &[Vector] = &[
    Vector {
        algorithm: StreamCipherAlgorithm::Aes128Ctr,
        key: "2b7e151628aed2a6abf7158809cf4f3c",
        counter: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        plaintext: SP_800_38A,
        ciphertext: concat!(
            "874d6191b620e3261bef6864990db6ce",
            "9806f66b7970fdff8617187bb9fffdff",
            "5ae4df3edbd5d35e5b4f09020db03eab",
            "1e031dda2fbe03d1792170a0f3009cee",
        ),
    },
    Vector {
        algorithm: StreamCipherAlgorithm::Aes256Ctr,
        key: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        counter: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        plaintext: SP_800_38A,
        ciphertext: concat!(
            "601ec313775789a5b7a7f504bbf3d228",
            "f443e3ca4d62b59aca84e990cacaf5c5",
            "2b0930daa23de94ce87017ba2d84988d",
            "dfc9c58db67aada613c2dd08457941a6",
        ),
    },
    Vector {
        algorithm: StreamCipherAlgorithm::Aes128Ctr,
        key: "2b7e151628aed2a6abf7158809cf4f3c",
        counter: "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000",
        plaintext: concat!(
            "00000000000000000000000000000000",
            "00000000000000000000000000000000",
            "00000000000000000000000000000000",
        ),
        ciphertext: concat!(
            "e03ead0935c95e80e166b16dd92b4eb4",
            "d23513162b02d0f72a43a2fe4a5f97ab",
            "41e95b3bb0a2e8dd477901e4fca894c0",
        ),
    },
    Vector {
        algorithm: StreamCipherAlgorithm::Aes256Ctr,
        key: "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
        counter: "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000",
        plaintext: concat!(
            "00000000000000000000000000000000",
            "00000000000000000000000000000000",
            "00000000000000000000000000000000",
        ),
        ciphertext: concat!(
            "92bdd28a93c3f52511c677d08b5515a4",
            "9da71b2378a854f67050756ded165bac",
            "63c4868b7096d88421b563b8c94c9a31",
        ),
    },
];
