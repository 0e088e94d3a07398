//! AES-GCM (the test cases 1 to 4 and 13 to 16 of its specification) and ChaCha20-Poly1305 (RFC 8439 §2.8.2 and A.5).

use alloc::vec::Vec;

use crate::vectors::hex;
use crate::{Aead, AeadAlgorithm, KeyError, NONCE_LEN, OpenError, Provider, TAG_LEN};

struct Vector {
    algorithm: AeadAlgorithm,
    key: &'static str,
    nonce: &'static str,
    aad: &'static str,
    plaintext: &'static str,
    /// Ciphertext and tag.
    sealed: &'static str,
}

/// Runs the vectors of the AEADs.
///
/// # Panics
/// At the first that does not hold.
pub fn run_aeads(provider: &dyn Provider) {
    for vector in VECTORS {
        let aead = provider.aead(vector.algorithm, &hex(vector.key)).expect("the key has the right length");
        let nonce = hex(vector.nonce).try_into().expect("nonces have 12 bytes");
        let (aad, plaintext, sealed) = (hex(vector.aad), hex(vector.plaintext), hex(vector.sealed));
        let mut buf = plaintext.clone();
        let tag = aead.seal(&nonce, &aad, &mut buf);
        buf.extend_from_slice(&tag);
        assert_eq!(buf, sealed, "{:?}", vector.algorithm);
        assert_eq!(open(&*aead, &nonce, &aad, sealed.clone()), Ok(plaintext), "{:?}", vector.algorithm);
        what_was_touched_does_not_open(&*aead, &nonce, &aad, &sealed);
    }
    use AeadAlgorithm::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305};
    [Aes128Gcm, Aes256Gcm, ChaCha20Poly1305]
        .into_iter()
        .for_each(|each| keys_have_one_length(provider, each));
}

fn open(
    aead: &dyn Aead,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    mut buf: Vec<u8>,
) -> Result<Vec<u8>, OpenError> {
    aead.open(nonce, aad, &mut buf).map(|plaintext| plaintext.to_vec())
}

fn what_was_touched_does_not_open(aead: &dyn Aead, nonce: &[u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) {
    for at in 0..sealed.len() {
        let mut touched = sealed.to_vec();
        touched[at] ^= 0x80;
        assert_eq!(open(aead, nonce, aad, touched), Err(OpenError), "touched at {at}");
        assert_eq!(open(aead, nonce, aad, sealed[..at].to_vec()), Err(OpenError), "cut at {at}");
    }
    let other = nonce.map(|byte| byte ^ 1);
    assert_eq!(open(aead, &other, aad, sealed.to_vec()), Err(OpenError));
    assert_eq!(open(aead, nonce, &[aad, &[0]].concat(), sealed.to_vec()), Err(OpenError));
    assert_eq!(open(aead, nonce, aad, [sealed, &[0]].concat()), Err(OpenError));
    assert!(sealed.len() >= TAG_LEN);
}

fn keys_have_one_length(provider: &dyn Provider, algorithm: AeadAlgorithm) {
    for len in 0..=64 {
        let made = provider.aead(algorithm, &[7; 64][..len]);
        let expected = if len == algorithm.key_len() { None } else { Some(KeyError::WrongLength) };
        assert_eq!(made.err(), expected, "{algorithm:?} with a key of {len} bytes");
    }
}

const VECTORS: &[Vector] = &[
    Vector {
        algorithm: AeadAlgorithm::Aes128Gcm,
        key: "00000000000000000000000000000000",
        nonce: "000000000000000000000000",
        aad: "",
        plaintext: "",
        sealed: "58e2fccefa7e3061367f1d57a4e7455a",
    },
    Vector {
        algorithm: AeadAlgorithm::Aes128Gcm,
        key: "00000000000000000000000000000000",
        nonce: "000000000000000000000000",
        aad: "",
        plaintext: "00000000000000000000000000000000",
        sealed: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
    },
    Vector {
        algorithm: AeadAlgorithm::Aes128Gcm,
        key: "feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        aad: "",
        plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809\
                    532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c\
                 7d8f6a5aac84aa051ba30b396a0aac973d58e091473f59854d5c2af327cd64a62cf35abd2ba6fab4",
    },
    Vector {
        algorithm: AeadAlgorithm::Aes128Gcm,
        key: "feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809\
                    532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c\
                 7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
    },
    Vector {
        algorithm: AeadAlgorithm::Aes256Gcm,
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        aad: "",
        plaintext: "",
        sealed: "530f8afbc74536b9a963b4f1c4cb738b",
    },
    Vector {
        algorithm: AeadAlgorithm::Aes256Gcm,
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        aad: "",
        plaintext: "00000000000000000000000000000000",
        sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    },
    Vector {
        algorithm: AeadAlgorithm::Aes256Gcm,
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        aad: "",
        plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809\
                    532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d\
                 a7b08b1056828838c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c",
    },
    Vector {
        algorithm: AeadAlgorithm::Aes256Gcm,
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809\
                    532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d\
                 a7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    },
    Vector {
        algorithm: AeadAlgorithm::ChaCha20Poly1305,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        nonce: "070000004041424344454647",
        aad: "50515253c0c1c2c3c4c5c6c7",
        plaintext: "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739\
                    393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f\
                    7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e",
        sealed: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca96712\
                 82fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58\
                 fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09\
                 e26a7e902ecbd0600691",
    },
    Vector {
        algorithm: AeadAlgorithm::ChaCha20Poly1305,
        key: "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
        nonce: "000000000102030405060708",
        aad: "f33388860000000000004e91",
        plaintext: "496e7465726e65742d4472616674732061726520647261667420646f63756d656e74732076616c\
                    696420666f722061206d6178696d756d206f6620736978206d6f6e74687320616e64206d617920\
                    626520757064617465642c207265706c616365642c206f72206f62736f6c65746564206279206f\
                    7468657220646f63756d656e747320617420616e792074696d652e20497420697320696e617070\
                    726f70726961746520746f2075736520496e7465726e65742d4472616674732061732072656665\
                    72656e6365206d6174657269616c206f7220746f2063697465207468656d206f74686572207468\
                    616e206173202fe2809c776f726b20696e2070726f67726573732e2fe2809d",
        sealed: "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43ee\
                 a09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b9481\
                 14ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0\
                 f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e\
                 af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa7699\
                 1955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130\
                 305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f\
                 38",
    },
];
