//! HMAC: RFC 2202 §3 for SHA-1, RFC 4231 §4 for SHA-2, and the rules of verification.

use crate::vectors::hex;
use crate::{MacAlgorithm, Provider};

struct Vector {
    algorithm: MacAlgorithm,
    key: &'static [u8],
    message: &'static [u8],
    code: &'static str,
}

/// Runs the vectors of the message authentication codes.
///
/// # Panics
/// At the first that does not hold.
pub fn run_macs(provider: &dyn Provider) {
    for vector in VECTORS {
        let mac = provider.mac(vector.algorithm, vector.key);
        let code = hex(vector.code);
        for at in 0..=vector.message.len() {
            let (front, back) = vector.message.split_at(at);
            assert_eq!(*mac.sign(&[front, &[], back]), code, "{:?} split at {at}", vector.algorithm);
        }
        only_the_code_and_its_longer_prefixes_verify(provider, vector);
    }
    let empty = provider.mac(MacAlgorithm::HmacSha256, &[]);
    assert_eq!(*empty.sign(&[]), hex(HMAC_SHA256_OF_NOTHING));
}

fn only_the_code_and_its_longer_prefixes_verify(provider: &dyn Provider, vector: &Vector) {
    const SHORTEST: usize = 10;
    let mac = provider.mac(vector.algorithm, vector.key);
    let code = hex(vector.code);
    for len in 0..=code.len() {
        assert_eq!(mac.verify(&[vector.message], &code[..len]), len >= SHORTEST);
    }
    assert!(!mac.verify(&[vector.message], &[&code[..], &[0]].concat()));
    assert!(!mac.verify(&[vector.message, &[0]], &code));
    for at in 0..code.len() {
        let mut wrong = code.clone();
        wrong[at] ^= 1;
        assert!(!mac.verify(&[vector.message], &wrong), "{:?} wrong at {at}", vector.algorithm);
    }
}

/// HMAC of the empty message under the empty key.
const HMAC_SHA256_OF_NOTHING: &str = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";

const ONE_TO_25: [u8; 25] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];

const VECTORS: &[Vector] = &[
    Vector {
        algorithm: MacAlgorithm::HmacSha1,
        key: &[0x0b; 20],
        message: b"Hi There",
        code: "b617318655057264e28bc0b6fb378c8ef146be00",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha1,
        key: b"Jefe",
        message: b"what do ya want for nothing?",
        code: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha1,
        key: &[0xaa; 20],
        message: &[0xdd; 50],
        code: "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha1,
        key: &ONE_TO_25,
        message: &[0xcd; 50],
        code: "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha1,
        key: &[0x0c; 20],
        message: b"Test With Truncation",
        code: "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha1,
        key: &[0xaa; 80],
        message: b"Test Using Larger Than Block-Size Key - Hash Key First",
        code: "aa4ae5e15272d00e95705637ce8a3b55ed402112",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha1,
        key: &[0xaa; 80],
        message: b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
        code: "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha256,
        key: &[0x0b; 20],
        message: b"Hi There",
        code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha256,
        key: b"Jefe",
        message: b"what do ya want for nothing?",
        code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha256,
        key: &[0xaa; 20],
        message: &[0xdd; 50],
        code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha256,
        key: &ONE_TO_25,
        message: &[0xcd; 50],
        code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha256,
        key: &[0x0c; 20],
        message: b"Test With Truncation",
        code: "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha256,
        key: &[0xaa; 131],
        message: b"Test Using Larger Than Block-Size Key - Hash Key First",
        code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha256,
        key: &[0xaa; 131],
        message: b"This is a test using a larger than block-size key and a larger than block-size data. \
            The key needs to be hashed before being used by the HMAC algorithm.",
        code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha384,
        key: &[0x0b; 20],
        message: b"Hi There",
        code: "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4a\
               f152e8b2fa9cb6",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha384,
        key: b"Jefe",
        message: b"what do ya want for nothing?",
        code: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b\
               3239ecfab21649",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha384,
        key: &[0xaa; 20],
        message: &[0xdd; 50],
        code: "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e\
               3ab6e101a34f27",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha384,
        key: &ONE_TO_25,
        message: &[0xcd; 50],
        code: "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679cc\
               f8a386c674cffb",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha384,
        key: &[0x0c; 20],
        message: b"Test With Truncation",
        code: "3abf34c3503b2a23a46efc619baef897f4c8e42c934ce55ccbae9740fcbc1af4ca62269e2a37cd88ba\
               926341efe4aeea",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha384,
        key: &[0xaa; 131],
        message: b"Test Using Larger Than Block-Size Key - Hash Key First",
        code: "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296\
               248df163f44952",
    },
    Vector {
        algorithm: MacAlgorithm::HmacSha384,
        key: &[0xaa; 131],
        message: b"This is a test using a larger than block-size key and a larger than block-size data. \
            The key needs to be hashed before being used by the HMAC algorithm.",
        code: "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d38\
               60e6110c46523e",
    },
];
