//! Every message round-trips, and none of its prefixes is taken for it.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Debug;

use pavane_base::{Reader, WriteExt};

use super::*;

/// `parse` gives `Some` of the encoding, `None` where it refuses.
fn check<T: PartialEq + Debug>(
    bytes: &[u8],
    expected: T,
    parse: impl for<'a> Fn(&'a [u8]) -> Option<Vec<u8>>,
) {
    assert_eq!(parse(bytes).as_deref(), Some(bytes), "{expected:?}");
    for len in 0..bytes.len() {
        assert_eq!(parse(&bytes[..len]), None, "{len} octets of {expected:?}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert_eq!(parse(&longer), None);
}

#[test]
fn messages_round_trip() {
    for end_entity in [None, Some(&b"certificate"[..])] {
        let m = Certificate { end_entity };
        check(&m.encode(), m, |b| Certificate::parse(b).ok().map(|m| m.encode()));
    }
    let m = CertificateRequest { signature_schemes: vec![0x0403, 0x0804] };
    check(&m.encode(), m, |b| CertificateRequest::parse(b).ok().map(|m| m.encode()));
    let m = ClientKeyExchange { public_key: &[4; 65] };
    check(&m.encode(), m, |b| ClientKeyExchange::parse(b).ok().map(|m| m.encode()));
    let m = ServerKeyExchange {
        share: KeyShare { group: 0x1d, public_key: &[9; 32] },
        signed: Signed { scheme: 0x0403, signature: &[1; 70] },
    };
    check(&m.encode(), m, |b| ServerKeyExchange::parse(b).ok().map(|m| m.encode()));
    let m = Signed { scheme: 0x0403, signature: &[1; 70] };
    let encode = |m: &Signed<'_>| {
        let mut out = Vec::new();
        m.encode(&mut out);
        out
    };
    check(&encode(&m), m, |b| Signed::parse(&mut Reader::new(b)).ok().map(|m| encode(&m)));
}

#[test]
fn the_end_entity_is_the_first_of_the_chain() {
    let mut chain = Vec::new();
    chain.put(&[0, 0, 9, 0, 0, 1, b'a', 0, 0, 2, b'b', b'c']);
    assert_eq!(Certificate::parse(&chain), Ok(Certificate { end_entity: Some(b"a") }));
}

#[test]
fn a_cookie_comes_behind_a_version_that_means_nothing() {
    for version in [0xfeff_u16, 0xfefd] {
        let mut body = version.to_be_bytes().to_vec();
        body.put(&[2, 7, 8]);
        assert_eq!(HelloVerifyRequest::parse(&body), Ok(HelloVerifyRequest { cookie: &[7, 8] }));
        assert!(HelloVerifyRequest::parse(&body[..4]).is_err());
    }
}

#[test]
fn only_named_curves_are_read() {
    assert!(ServerKeyExchange::parse(&[1, 0, 0x17, 1, 1, 4, 3, 0, 0]).is_err());
}
