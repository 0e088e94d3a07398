//! X25519 (RFC 7748 §5.2 and §6.1) and ECDH on P-256 (RFC 5903 §8.1, and the first of NIST's validation suite), with what
//! must be refused.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::vectors::{Script, hex};
use crate::{KeyExchange, KeyExchangeError, NamedGroup, Provider};

struct Vector {
    group: NamedGroup,
    private: &'static str,
    /// Not every vector has it.
    public: Option<&'static str>,
    peer: &'static str,
    secret: &'static str,
}

/// Runs the vectors of the key exchanges.
///
/// # Panics
/// At the first that does not hold.
pub fn run_key_exchanges(provider: &dyn Provider) {
    for group in provider.groups() {
        both_sides_agree(provider, *group);
    }
    for (group, peer) in REFUSED {
        let refused = ephemeral(provider, *group).complete(&hex(peer));
        assert_eq!(refused, Err(KeyExchangeError::InvalidPublicKey), "{group:?}: {peer}");
    }
    points_of_other_lengths_are_refused(provider);
    if provider.is_deterministic() {
        VECTORS.iter().for_each(|vector| holds(provider, vector));
        scalars_out_of_range_are_drawn_again(provider);
    }
}

fn holds(provider: &dyn Provider, vector: &Vector) {
    let mut script = Script::new(hex(vector.private));
    let ours = provider.key_exchange(vector.group, &mut script).expect("the group is known");
    assert!(script.rest().is_empty(), "{:?}: exactly the private key is drawn", vector.group);
    if let Some(public) = vector.public {
        assert_eq!(ours.public_key(), hex(public));
    }
    assert_eq!(ours.complete(&hex(vector.peer)), Ok(hex(vector.secret)), "{:?}", vector.group);
}

fn both_sides_agree(provider: &dyn Provider, group: NamedGroup) {
    let ours = ephemeral(provider, group);
    let theirs = provider.key_exchange(group, &mut Script::new([0x22; 64])).expect("the group is offered");
    assert_eq!(ours.group(), group);
    assert_ne!(ours.public_key(), theirs.public_key());
    let (our_public, their_public) = (ours.public_key().to_vec(), theirs.public_key().to_vec());
    let secret = ours.complete(&their_public).expect("a fresh public key is valid");
    assert_eq!(theirs.complete(&our_public), Ok(secret));
}

fn points_of_other_lengths_are_refused(provider: &dyn Provider) {
    for group in provider.groups() {
        let peer = ephemeral(provider, *group).public_key().to_vec();
        for len in 0..peer.len() {
            assert!(ephemeral(provider, *group).complete(&peer[..len]).is_err(), "{group:?} of {len} bytes");
        }
        let longer: Vec<u8> = [&peer[..], &[0]].concat();
        assert!(ephemeral(provider, *group).complete(&longer).is_err(), "{group:?} with a byte too many");
    }
}

/// Zero, the group's order and all ones are no private keys.
fn scalars_out_of_range_are_drawn_again(provider: &dyn Provider) {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let one = [&[0; 31][..], &[1]].concat();
    let mut script = Script::new([&[0; 32][..], &hex(ORDER), &[0xff; 32], &one].concat());
    let ours = provider.key_exchange(NamedGroup::Secp256r1, &mut script).expect("the group is known");
    assert_eq!(ours.public_key(), hex(P256_GENERATOR));
}

fn ephemeral(provider: &dyn Provider, group: NamedGroup) -> Box<dyn KeyExchange> {
    provider.key_exchange(group, &mut Script::new([0x11; 64])).expect("the group is known")
}

const P256_GENERATOR: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

const VECTORS: &[Vector] = &[
    Vector {
        group: NamedGroup::X25519,
        private: "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        public: None,
        peer: "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        secret: "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    },
    Vector {
        group: NamedGroup::X25519,
        private: "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        public: None,
        peer: "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        secret: "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    },
    Vector {
        group: NamedGroup::X25519,
        private: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        public: Some("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
        peer: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        secret: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    },
    Vector {
        group: NamedGroup::Secp256r1,
        private: "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
        public: Some(
            "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180\
             5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
        ),
        peer: "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63\
               56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
        secret: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
    },
    Vector {
        group: NamedGroup::Secp256r1,
        private: "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
        public: Some(
            "04ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230\
             28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141",
        ),
        peer: "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287\
               db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
        secret: "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b",
    },
];

/// Points that lead X25519 to a secret of zeros (RFC 7748 §6.1), and ones that are not on P-256 or not as RFC 8422 §5.4.1
/// wants them: off the curve, a coordinate beyond the field, compressed, hybrid, the point at infinity.
const REFUSED: &[(NamedGroup, &str)] = &[
    (NamedGroup::X25519, "0000000000000000000000000000000000000000000000000000000000000000"),
    (NamedGroup::X25519, "0100000000000000000000000000000000000000000000000000000000000000"),
    (NamedGroup::X25519, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    (NamedGroup::X25519, "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (NamedGroup::X25519, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    (NamedGroup::X25519, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    (NamedGroup::X25519, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    (NamedGroup::X25519, "0000000000000000000000000000000000000000000000000000000000000080"),
    (
        NamedGroup::Secp256r1,
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
    ),
    (
        NamedGroup::Secp256r1,
        "040000000000000000000000000000000000000000000000000000000000000000\
         0000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        NamedGroup::Secp256r1,
        "04ffffffff00000001000000000000000000000000ffffffffffffffffffffffff\
         66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
    ),
    (NamedGroup::Secp256r1, "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
    (
        NamedGroup::Secp256r1,
        "076b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ),
    (NamedGroup::Secp256r1, "00"),
];
