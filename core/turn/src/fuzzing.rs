//! What fuzzers call: whatever is done to an allocation, nothing panics, and no bound is broken.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use pavane_base::rand_core::{Infallible, TryCryptoRng, TryRng};
use pavane_base::{Instant, Path, Reader, Transport};
use pavane_crypto::software::SoftwareProvider;
use pavane_stun::{
    AttributeType, Builder, Class, ErrorCode, LongTermCredentials, Message, Method, TransactionId,
};

use crate::{Allocation, Config, Family, Received, message_len};

/// A generator that counts: the same inputs do the same.
struct Counting(u64);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Ok((self.0 >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(self.try_next_u32()?))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            *byte = self.try_next_u32()? as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn peer(n: u8) -> SocketAddr {
    match n % 4 {
        0 => (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n.into()), 1000 + u16::from(n)).into(),
        _ => (Ipv4Addr::new(192, 0, 2, n), 1000 + u16::from(n)).into(),
    }
}

/// The errors that a server is made to answer with.
const CODES: [ErrorCode; 12] = [
    ErrorCode::TRY_ALTERNATE,
    ErrorCode::BAD_REQUEST,
    ErrorCode::UNAUTHENTICATED,
    ErrorCode::FORBIDDEN,
    ErrorCode::UNKNOWN_ATTRIBUTE,
    ErrorCode::ALLOCATION_MISMATCH,
    ErrorCode::STALE_NONCE,
    ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED,
    ErrorCode::WRONG_CREDENTIALS,
    ErrorCode::QUOTA_REACHED,
    ErrorCode::PEER_FAMILY_MISMATCH,
    ErrorCode::INSUFFICIENT_CAPACITY,
];

/// Does to an allocation what the bytes say: commands, answers to what it asked, good ones and errors, any other datagrams,
/// and time, in any order.
///
/// # Panics
/// If what is wrapped does not come out again, or what was due stays undone.
pub fn allocation(data: &[u8]) {
    let _ = message_len(data);
    let mut reader = Reader::new(data);
    let first = reader.u8().unwrap_or(0);
    let mut machine = Machine::new(first);
    while let (Ok(operation), Ok(argument)) = (reader.u8(), reader.u8()) {
        let Machine { allocation, rng, now, .. } = &mut machine;
        match operation % 12 {
            0 => allocation.permit(*now, rng, peer(argument).ip()),
            1 => allocation.bind_channel(*now, rng, peer(argument)),
            2 if argument < 8 => allocation.close(*now, rng),
            2..=4 => machine.wait(Duration::from_millis(u64::from(argument) * 300)),
            5 => machine.answer(argument, None),
            6 | 7 => machine.answer(argument, Some(CODES[usize::from(argument) % CODES.len()])),
            8 => machine.wrap(argument),
            9 => machine.indicate(argument),
            10 => {
                machine.receive(&[0x40, argument % 80, 0, 3, 1, 2, 3]);
            }
            _ => {
                let len = reader.remaining().min(argument.into());
                let bytes = reader.take(len).unwrap_or_default().to_vec();
                machine.receive(&bytes);
            }
        }
        machine.drain();
    }
}

struct Machine {
    allocation: Allocation,
    rng: Counting,
    now: Instant,
    /// What was asked last, the latest first.
    asked: Vec<Vec<u8>>,
}

impl Machine {
    fn new(first: u8) -> Self {
        let mut rng = Counting(1);
        let user = LongTermCredentials { username: "user".into(), password: "pass".into() };
        let mut config = Config::new(Arc::new(SoftwareProvider), user);
        if first & 1 != 0 {
            config.family = Family::V6;
        }
        let transport = if first & 2 != 0 { Transport::Tcp } else { Transport::Udp };
        let path = Path { local: peer(1), remote: peer(2), transport };
        let now = Instant::from_millis(1);
        let allocation = Allocation::new(now, &mut rng, config, path);
        let mut machine = Self { allocation, rng, now, asked: Vec::new() };
        machine.drain();
        machine
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.allocation.handle_timeout(self.now, &mut self.rng);
        let next = self.allocation.poll_timeout();
        assert!(next.is_none_or(|at| at > self.now), "what was due is done");
    }

    fn receive(&mut self, bytes: &[u8]) {
        if let Received::Data { range, .. } = self.allocation.handle_datagram(self.now, &mut self.rng, bytes)
        {
            assert!(bytes.get(range).is_some());
        }
    }

    /// Answers one of the last requests.
    fn answer(&mut self, argument: u8, error: Option<ErrorCode>) {
        let Some(at) = usize::from(argument / 16).checked_rem(self.asked.len()) else { return };
        let request = self.asked[at].clone();
        let Ok(request) = Message::parse(&request) else { return };
        let mut bytes = Vec::new();
        let class = if error.is_some() { Class::Error } else { Class::Success };
        let message = Builder::new(&mut bytes, class, request.method(), request.transaction());
        let message = match error {
            Some(code) => message
                .error_code(code)
                .attribute(AttributeType::REALM, if argument % 16 == 1 { b"other" } else { b"realm" })
                .attribute(AttributeType::NONCE, &[b'n', argument])
                .plain_address(AttributeType::ALTERNATE_SERVER, peer(argument)),
            None => message
                .xor_address(AttributeType::XOR_RELAYED_ADDRESS, peer(argument))
                .xor_mapped_address(peer(3))
                .attribute(AttributeType::LIFETIME, &[0, 0, argument, 1]),
        };
        match &self.allocation.session {
            Some(session) if error.is_none() || argument.is_multiple_of(2) => session.seal(message),
            _ => message.finish(),
        };
        self.receive(&bytes);
    }

    fn indicate(&mut self, argument: u8) {
        let mut bytes = Vec::new();
        Builder::new(&mut bytes, Class::Indication, Method::DATA, TransactionId([argument; 12]))
            .xor_address(AttributeType::XOR_PEER_ADDRESS, peer(argument))
            .attribute(AttributeType::DATA, &[argument; 9][..usize::from(argument % 9)])
            .finish();
        self.receive(&bytes);
    }

    /// Wraps a few datagrams, and takes them apart as a server does.
    fn wrap(&mut self, argument: u8) {
        let (size, len) = (1 + usize::from(argument % 7), usize::from(argument % 23));
        let data: Vec<u8> = (0..len as u8).collect();
        let Ok(mut envelope) = self.allocation.envelope(peer(argument)) else { return };
        let mut out = Vec::new();
        let mut buf = Vec::from(*b"before");
        for datagram in data.chunks(size) {
            let start = buf.len();
            buf.resize(start + envelope.headroom(), 0);
            buf.extend_from_slice(datagram);
            envelope.close(&mut buf, start);
            assert_eq!(buf.len() - start, envelope.enclosed_len(datagram.len()));
            let message = &buf[start..];
            match crate::framing::read(message) {
                Some((_, range)) => out.extend_from_slice(&message[range]),
                None => {
                    let message = Message::parse(message).expect("what is wrapped is well-formed");
                    assert_eq!(message.xor_address(AttributeType::XOR_PEER_ADDRESS), Some(peer(argument)));
                    out.extend_from_slice(
                        message.attribute(AttributeType::DATA).expect("that is what it is for"),
                    );
                }
            }
        }
        assert!(buf.starts_with(b"before"));
        assert_eq!(out, data);
    }

    fn drain(&mut self) {
        const REMEMBERED: usize = 16;
        let mut buf = Vec::new();
        while let Some(transmit) = self.allocation.poll_transmit(&mut buf) {
            assert_eq!(transmit.len, buf.len());
            self.asked.truncate(REMEMBERED - 1);
            self.asked.insert(0, core::mem::take(&mut buf));
        }
        while self.allocation.poll_event().is_some() {}
    }
}
