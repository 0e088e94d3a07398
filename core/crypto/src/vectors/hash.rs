//! SHA-2 by the examples of FIPS 180, MD5 by those of RFC 1321, and what a running hash promises.

use crate::vectors::hex;
use crate::{HashAlgorithm, Provider};

struct Vector {
    algorithm: HashAlgorithm,
    message: &'static [u8],
    times: usize,
    digest: &'static str,
}

/// Runs the vectors of the hash functions.
///
/// # Panics
/// At the first that does not hold.
pub fn run_hashes(provider: &dyn Provider) {
    for Vector { algorithm, message, times, digest } in VECTORS {
        let mut hash = provider.hash(*algorithm);
        (0..*times).for_each(|_| hash.update(message));
        assert_eq!(*hash.digest(), hex(digest), "{algorithm:?} of {message:02x?} {times} times");
        assert_eq!(hash.digest().len(), algorithm.output_len());
    }
    for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512, HashAlgorithm::Md5]
    {
        a_digest_on_the_way_changes_nothing(provider, algorithm);
        a_fork_goes_its_own_way(provider, algorithm);
    }
}

fn a_digest_on_the_way_changes_nothing(provider: &dyn Provider, algorithm: HashAlgorithm) {
    let mut hash = provider.hash(algorithm);
    hash.update(b"a");
    let of_a = hash.digest();
    assert_eq!(hash.digest(), of_a);
    hash.update(b"bc");
    assert_eq!(*hash.digest(), hex(of_abc(algorithm)));
}

fn a_fork_goes_its_own_way(provider: &dyn Provider, algorithm: HashAlgorithm) {
    let mut hash = provider.hash(algorithm);
    hash.update(b"ab");
    let mut fork = hash.fork();
    fork.update(b"x");
    hash.update(b"c");
    assert_eq!(*hash.digest(), hex(of_abc(algorithm)));
    assert_ne!(hash.digest(), fork.digest());
}

fn of_abc(algorithm: HashAlgorithm) -> &'static str {
    let vector = VECTORS.iter().find(|vector| vector.algorithm == algorithm && vector.message == b"abc");
    vector.expect("each function has this vector").digest
}

const VECTORS: &[Vector] = &[
    Vector {
        algorithm: HashAlgorithm::Md5,
        message: b"",
        times: 1,
        digest: "d41d8cd98f00b204e9800998ecf8427e",
    },
    Vector {
        algorithm: HashAlgorithm::Md5,
        message: b"abc",
        times: 1,
        digest: "900150983cd24fb0d6963f7d28e17f72",
    },
    Vector {
        algorithm: HashAlgorithm::Md5,
        message: b"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        times: 1,
        digest: "57edf4a22be3c955ac49da2e2107b67a",
    },
    Vector {
        algorithm: HashAlgorithm::Sha256,
        message: b"",
        times: 1,
        digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    Vector {
        algorithm: HashAlgorithm::Sha384,
        message: b"",
        times: 1,
        digest: "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fb\
                 d51ad2f14898b95b",
    },
    Vector {
        algorithm: HashAlgorithm::Sha512,
        message: b"",
        times: 1,
        digest: "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0\
                 ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    },
    Vector {
        algorithm: HashAlgorithm::Sha256,
        message: b"abc",
        times: 1,
        digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    },
    Vector {
        algorithm: HashAlgorithm::Sha384,
        message: b"abc",
        times: 1,
        digest: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc23\
                 58baeca134c825a7",
    },
    Vector {
        algorithm: HashAlgorithm::Sha512,
        message: b"abc",
        times: 1,
        digest: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8\
                 36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    },
    Vector {
        algorithm: HashAlgorithm::Sha256,
        message: b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        times: 1,
        digest: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    },
    Vector {
        algorithm: HashAlgorithm::Sha384,
        message: b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        times: 1,
        digest: "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6b0455a8520bc4e6f\
                 5fe95b1fe3c8452b",
    },
    Vector {
        algorithm: HashAlgorithm::Sha512,
        message: b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        times: 1,
        digest: "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9\
                 aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445",
    },
    Vector {
        algorithm: HashAlgorithm::Sha256,
        message: b"a",
        times: 1_000_000,
        digest: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    },
    Vector {
        algorithm: HashAlgorithm::Sha384,
        message: b"a",
        times: 1_000_000,
        digest: "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4eb\
                 ae97ddd87f3d8985",
    },
    Vector {
        algorithm: HashAlgorithm::Sha512,
        message: b"a",
        times: 1_000_000,
        digest: "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a\
                 4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
    },
];
