//! ClientHellos of browsers, cookies, and hellos that a side has to refuse.

use alloc::vec;
use alloc::vec::Vec;
use std::string::String;

use pavane_base::Reader;

use super::pair::Pair;
use crate::handshake::{Fragment, HandshakeType};
use crate::messages::{ClientHello, ExtensionType, Extensions, ServerHello};
use crate::reassembly::Reassembly;
use crate::record;
use crate::{CipherSuite, CloseReason, Event, Incompatible, Misbehaved};

pub(super) fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

struct Captured {
    name: String,
    cipher_suites: Vec<u16>,
    extensions: usize,
    length: usize,
    datagrams: Vec<Vec<u8>>,
}

fn captured() -> Vec<Captured> {
    let json = include_str!("../../../testdata/browser-clienthellos.json");
    let all: serde_json::Value = serde_json::from_str(json).unwrap();
    let strings = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|s| s.as_str().unwrap().into()).collect()
    };
    let parse = |hello: &serde_json::Value| Captured {
        name: hello["capture"].as_str().unwrap().into(),
        cipher_suites: strings(&hello["cipher_suites"])
            .iter()
            .map(|code| u16::from_str_radix(code, 16).unwrap())
            .collect(),
        extensions: hello["extensions"].as_array().unwrap().len(),
        length: hello["length"].as_u64().unwrap() as usize,
        datagrams: strings(&hello["datagrams"]).iter().map(|hex| unhex(hex)).collect(),
    };
    all.as_array().unwrap().iter().map(parse).collect()
}

/// The handshake messages in these datagrams.
pub(super) fn messages(datagrams: &[Vec<u8>]) -> Vec<crate::handshake::Message> {
    let mut reassembly = Reassembly::default();
    let mut out = vec![];
    for datagram in datagrams {
        let mut bytes = datagram.clone();
        let mut rest = &mut bytes[..];
        while let Some((header, body)) = record::split(&mut rest) {
            let mut r = Reader::new(body);
            while header.content == 22 && !r.is_empty() {
                let Ok(fragment) = Fragment::parse(&mut r) else { break };
                reassembly.insert(header.number.epoch, &fragment);
            }
            out.extend(core::iter::from_fn(|| reassembly.pop()));
        }
    }
    out
}

#[test]
fn browsers_hellos_are_read_and_answered_in_either_order() {
    let all = captured();
    assert_eq!(all.len(), 15);
    for browser in all {
        let hello = &messages(&browser.datagrams)[0];
        assert_eq!((hello.kind, hello.body.len()), (HandshakeType::CLIENT_HELLO, browser.length));
        let parsed = ClientHello::parse(&hello.body).unwrap();
        assert_eq!(parsed.cipher_suites, browser.cipher_suites);
        assert_eq!(parsed.extensions.types().count(), browser.extensions);
        assert_eq!(parsed.encode(), hello.body);

        for reversed in [false, true] {
            let mut datagrams = browser.datagrams.clone();
            if reversed {
                datagrams.reverse();
            }
            let mut server = Pair::new(1).server;
            for datagram in &datagrams {
                server.deliver(pavane_base::Instant::ZERO, datagram);
            }
            let mut flight = vec![];
            server.connection.poll_transmit(pavane_base::Instant::ZERO, &mut flight);
            let answer = messages(&[flight]);
            let kinds: Vec<u8> = answer.iter().map(|message| message.kind.0).collect();
            assert_eq!(kinds, [2, 11, 12, 13, 14], "{}", browser.name);
            let chosen = ServerHello::parse(&answer[0].body).unwrap();
            assert_eq!((chosen.version, chosen.cipher_suite), (0xfefd, 0xc02b));
            assert!(chosen.extensions.types().all(|kind| parsed.extensions.get(kind).is_some()));
        }
    }
}

#[test]
fn a_cookie_is_sent_back_with_the_same_hello() {
    let mut client = Pair::new(1).client;
    let now = pavane_base::Instant::ZERO;
    client.connection.start(now, &mut client.rng);
    let mut hello = || {
        let mut datagram = vec![];
        client.connection.poll_transmit(now, &mut datagram).unwrap();
        datagram
    };
    let first = messages(&[hello()]);
    let verify = unhex(
        "16feff0000000000000000 0012 03 000006 0000 000000 000006 feff 03 aabbcc".replace(' ', "").as_str(),
    );
    client.deliver(now, &verify);
    let mut second = vec![];
    client.connection.poll_transmit(now, &mut second).unwrap();
    // The second hello has number 1: a reader that waits for 0 holds it back, so it is read by hand.
    assert_eq!(second[13 + 5], 1);
    let body = &second[13 + 12..];
    let with_cookie = ClientHello::parse(body).unwrap();
    assert_eq!(with_cookie.cookie, [0xaa, 0xbb, 0xcc]);
    let without = ClientHello { cookie: &[], ..with_cookie };
    assert_eq!(without.encode(), first[0].body);
    assert_eq!(client.connection.poll_timeout().map(|at| at > now), Some(true));
}

/// What a server makes of a hello.
fn refusal(change: impl FnOnce(&mut ClientHello<'_>)) -> Option<CloseReason> {
    let mut client = Pair::new(1).client;
    let now = pavane_base::Instant::ZERO;
    client.connection.start(now, &mut client.rng);
    let mut datagram = vec![];
    client.connection.poll_transmit(now, &mut datagram).unwrap();
    let body = messages(&[datagram])[0].body.clone();
    let mut hello = ClientHello::parse(&body).unwrap();
    change(&mut hello);
    let body = hello.encode();
    let len = (body.len() as u32).to_be_bytes();
    let record_len = (body.len() as u16 + 12).to_be_bytes();
    let mut datagram = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, record_len[0], record_len[1]];
    datagram.extend_from_slice(&[1, len[1], len[2], len[3], 0, 0, 0, 0, 0, len[1], len[2], len[3]]);
    datagram.extend_from_slice(&body);
    let mut server = Pair::new(1).server;
    server.deliver(now, &datagram);
    match server.connection.poll_event() {
        Some(Event::Closed(reason)) => Some(reason),
        _ => None,
    }
}

pub(super) fn without(extensions: &Extensions<'_>, kind: ExtensionType) -> Extensions<'static> {
    let mut out = Extensions::default();
    for other in extensions.types().filter(|other| *other != kind) {
        out.push(other, extensions.get(other).unwrap().to_vec());
    }
    out
}

pub(super) fn replaced(extensions: &Extensions<'_>, kind: ExtensionType, body: &[u8]) -> Extensions<'static> {
    let mut out = without(extensions, kind);
    out.push(kind, body.to_vec());
    out
}

#[test]
fn hellos_are_judged_by_what_they_offer() {
    use ExtensionType as E;
    let incompatible = |what| Some(CloseReason::Incompatible(what));
    let misbehaved = |how| Some(CloseReason::Misbehaved(how));
    assert_eq!(refusal(|_| {}), None);
    let set =
        |kind, body: &'static [u8]| refusal(move |h| h.extensions = replaced(&h.extensions, kind, body));
    // Versions.
    assert_eq!(refusal(|h| h.version = 0xfeff), incompatible(Incompatible::Version));
    assert_eq!(refusal(|h| h.version = 0x0303), incompatible(Incompatible::Version));
    assert_eq!(refusal(|h| h.version = 0xfefc), None);
    assert_eq!(set(E::SUPPORTED_VERSIONS, &[6, 0xfe, 0xfc, 0xfe, 0xfd, 3, 3]), None);
    assert_eq!(set(E::SUPPORTED_VERSIONS, &[2, 0xfe, 0xfc]), incompatible(Incompatible::Version));
    assert_eq!(set(E::SUPPORTED_VERSIONS, &[3, 0xfe, 0xfc]), misbehaved(Misbehaved::Malformed));
    // What has to be there.
    let drop = |kind| refusal(move |h| h.extensions = without(&h.extensions, kind));
    let secret = incompatible(Incompatible::ExtendedMasterSecret);
    assert_eq!(drop(E::EXTENDED_MASTER_SECRET), secret);
    assert_eq!(drop(E::SIGNATURE_ALGORITHMS), incompatible(Incompatible::SignatureScheme));
    assert_eq!(drop(E::SUPPORTED_GROUPS), None);
    assert_eq!(drop(E::EC_POINT_FORMATS), None);
    assert_eq!(drop(E::RENEGOTIATION_INFO), None);
    // What may not.
    assert_eq!(set(E::RENEGOTIATION_INFO, &[1, 7]), misbehaved(Misbehaved::Renegotiation));
    assert_eq!(set(E::EC_POINT_FORMATS, &[1, 1]), misbehaved(Misbehaved::PointFormats));
    assert_eq!(set(E::SUPPORTED_GROUPS, &[0, 2, 0, 0x18]), incompatible(Incompatible::Group));
    assert_eq!(set(E::SUPPORTED_GROUPS, &[0, 3, 0, 0x18, 0]), misbehaved(Misbehaved::Malformed));
    assert_eq!(set(E::SIGNATURE_ALGORITHMS, &[0, 2, 2, 1]), incompatible(Incompatible::SignatureScheme));
    assert_eq!(refusal(|h| h.compression_methods = &[1]), incompatible(Incompatible::Compression));
    let rsa_only = vec![CipherSuite::EcdheRsaAes128GcmSha256.code(), 0x00ff];
    assert_eq!(refusal(|h| h.cipher_suites = rsa_only), incompatible(Incompatible::CipherSuite));
    // What means nothing.
    assert_eq!(set(E(0x7a7a), b"unknown"), None);
    assert_eq!(refusal(|h| h.session_id = &[1; 32]), None);
}
