//! Flights that a peer has tampered with, message by message, and what is made of them.

use alloc::vec;
use alloc::vec::Vec;

use super::hellos::{messages, replaced, without};
use super::pair::{Pair, config};
use crate::handshake::{FragmentHeader, HandshakeType, Message};
use crate::messages::{ExtensionType, Extensions, ServerHello};
use crate::{CloseReason, Event, Incompatible, Misbehaved, Role};

/// One datagram of records in clear, one message each, numbered anew.
fn datagram(messages: &[Message]) -> Vec<u8> {
    let mut out = vec![];
    for (sequence, message) in messages.iter().enumerate() {
        let len = message.body.len() + 12;
        out.extend_from_slice(&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, sequence as u8]);
        out.extend_from_slice(&(len as u16).to_be_bytes());
        FragmentHeader::whole(message.kind, message.seq, message.body.len()).write(&mut out);
        out.extend_from_slice(&message.body);
    }
    out
}

/// What a side makes of the peer's flight of this number after `change`.
fn verdict(number: usize, change: impl FnOnce(&mut Vec<Message>)) -> Option<CloseReason> {
    let mut pair = Pair::new(1);
    pair.start();
    pair.run_until(|pair| pair.sent.len() > number);
    let sent = pair.sent[number].clone();
    let plain = match number {
        1 => messages(&[sent.bytes]),
        // The Finished behind the others is of no interest: it cannot be opened before them.
        _ => {
            let hello = pair.sent[0].bytes.clone();
            messages(&[hello, sent.bytes]).split_off(1)
        }
    };
    let mut changed = plain;
    change(&mut changed);
    let to = if sent.from == Role::Client { Role::Server } else { Role::Client };
    let now = pair.now;
    pair.side(to).deliver(now, &datagram(&changed));
    match pair.side(to).connection.poll_event() {
        Some(Event::Closed(reason)) => Some(reason),
        _ => None,
    }
}

fn of(kind: HandshakeType, messages: &mut [Message]) -> &mut Vec<u8> {
    &mut messages.iter_mut().find(|message| message.kind == kind).unwrap().body
}

fn misbehaved(how: Misbehaved) -> Option<CloseReason> {
    Some(CloseReason::Misbehaved(how))
}

fn with_server_hello(change: impl FnOnce(&mut ServerHello<'_>)) -> Option<CloseReason> {
    verdict(1, |flight| {
        let body = of(HandshakeType::SERVER_HELLO, flight);
        let original = body.clone();
        let mut hello = ServerHello::parse(&original).unwrap();
        change(&mut hello);
        *body = hello.encode();
    })
}

fn with_extensions(change: impl FnOnce(&Extensions<'_>) -> Extensions<'static>) -> Option<CloseReason> {
    with_server_hello(|hello| hello.extensions = change(&hello.extensions))
}

#[test]
fn a_server_hello_chooses_from_what_was_offered() {
    use ExtensionType as E;
    assert_eq!(with_server_hello(|_| {}), None);
    assert_eq!(with_server_hello(|h| h.version = 0xfefc), misbehaved(Misbehaved::UnofferedVersion));
    assert_eq!(with_server_hello(|h| h.version = 0xfeff), misbehaved(Misbehaved::UnofferedVersion));
    let suite = misbehaved(Misbehaved::UnofferedCipherSuite);
    assert_eq!(with_server_hello(|h| h.cipher_suite = 0xc009), suite);
    assert_eq!(with_server_hello(|h| h.compression_method = 1), misbehaved(Misbehaved::Compression));
    let unoffered = with_extensions(|e| replaced(e, E(35), &[]));
    assert_eq!(unoffered, misbehaved(Misbehaved::UnofferedExtension));
    let unbound = with_extensions(|e| without(e, E::EXTENDED_MASTER_SECRET));
    assert_eq!(unbound, Some(CloseReason::Incompatible(Incompatible::ExtendedMasterSecret)));
    let renegotiates = with_extensions(|e| replaced(e, E::RENEGOTIATION_INFO, &[1, 2]));
    assert_eq!(renegotiates, misbehaved(Misbehaved::Renegotiation));
}

#[test]
fn a_servers_key_share_is_signed_and_of_an_offered_group() {
    let garbled =
        |index: usize| verdict(1, |flight| of(HandshakeType::SERVER_KEY_EXCHANGE, flight)[index] ^= 1);
    // Curve type, group, point, and the signature's last octet.
    assert_eq!(garbled(0), misbehaved(Misbehaved::Malformed));
    assert_eq!(garbled(2), misbehaved(Misbehaved::BadSignature));
    assert_eq!(garbled(10), misbehaved(Misbehaved::BadSignature));
    // The scheme stands behind curve type, group, and an X25519 point with its length.
    let scheme = verdict(1, |flight| of(HandshakeType::SERVER_KEY_EXCHANGE, flight)[4 + 32] = 0x77);
    assert_eq!(scheme, misbehaved(Misbehaved::UnofferedSignatureScheme));
}

#[test]
fn a_server_has_to_ask_for_a_certificate() {
    let silent = verdict(1, |flight| {
        flight.retain(|message| message.kind != HandshakeType::CERTIFICATE_REQUEST);
        flight[3].seq = 3;
    });
    assert_eq!(silent, misbehaved(Misbehaved::UnexpectedMessage));
    let other = verdict(1, |flight| {
        *of(HandshakeType::CERTIFICATE_REQUEST, flight) = vec![1, 64, 0, 2, 8, 7, 0, 0];
    });
    assert_eq!(other, Some(CloseReason::Incompatible(Incompatible::SignatureScheme)));
}

#[test]
fn a_side_without_a_certificate_is_sent_away() {
    for number in [1, 2] {
        let none = verdict(number, |flight| *of(HandshakeType::CERTIFICATE, flight) = vec![0, 0, 0]);
        assert_eq!(none, misbehaved(Misbehaved::NoCertificate));
        let rubbish =
            verdict(number, |flight| *of(HandshakeType::CERTIFICATE, flight) = vec![0, 0, 4, 0, 0, 1, 7]);
        assert_eq!(rubbish, misbehaved(Misbehaved::MalformedCertificate));
        let other = verdict(number, |flight| {
            let own = config(if number == 1 { Role::Client } else { Role::Server }).certificate;
            let chain = crate::v12::messages::Certificate { end_entity: Some(own.der()) };
            *of(HandshakeType::CERTIFICATE, flight) = chain.encode();
        });
        assert_eq!(other, Some(CloseReason::FingerprintMismatch));
    }
}

#[test]
fn a_client_proves_that_its_certificate_is_its_own() {
    let unproven =
        verdict(2, |flight| *of(HandshakeType::CERTIFICATE_VERIFY, flight).last_mut().unwrap() ^= 1);
    assert_eq!(unproven, misbehaved(Misbehaved::BadSignature));
    let weak =
        verdict(2, |flight| *of(HandshakeType::CLIENT_KEY_EXCHANGE, flight) = [&[32][..], &[0; 32]].concat());
    assert_eq!(weak, misbehaved(Misbehaved::InvalidKeyShare));
}

#[test]
fn a_message_out_of_turn_is_refused() {
    let swapped = verdict(1, |flight| {
        flight.swap(1, 2);
        (flight[1].seq, flight[2].seq) = (1, 2);
    });
    assert_eq!(swapped, misbehaved(Misbehaved::UnexpectedMessage));
    let plain_finished = verdict(2, |flight| {
        let seq = flight.last().unwrap().seq + 1;
        flight.push(Message { epoch: 0, kind: HandshakeType::FINISHED, seq, body: vec![0; 12] });
    });
    assert_eq!(plain_finished, misbehaved(Misbehaved::UnexpectedMessage));
}

#[test]
fn a_hello_request_in_the_midst_means_nothing() {
    let ignored = verdict(1, |flight| {
        flight.insert(0, Message { epoch: 0, kind: HandshakeType::HELLO_REQUEST, seq: 0, body: vec![] });
        for (seq, message) in flight.iter_mut().enumerate() {
            message.seq = seq as u16;
        }
    });
    assert_eq!(ignored, None);
}
