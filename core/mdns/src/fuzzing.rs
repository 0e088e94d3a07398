//! What fuzzers call: whatever comes and whatever is asked for, nothing panics, and no bound is broken.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use pavane_base::{Instant, Reader};

use crate::{Link, MAX_MESSAGE_SIZE, PORT, Resolver, Responder};

const NAMES: [&str; 3] = [
    "1f4712db-ea17-4bcf-a596-105139dfd8bf.local",
    "2579ef4b-50ae-4bfe-95af-70b3376ecb9c.local",
    "9b36eaac-bb2e-49bb-bb78-21c41c499900.local",
];

const OURS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Messages that leave in one step at most: what the rate lets pass of one machine.
const MAX_BURST: usize = 64;

/// Does to a resolver and a responder on one link what the bytes say: names, messages, time, in any order.
///
/// # Panics
/// If more leaves than the rate allows, or a message cannot be read by the other machine's reader.
pub fn link(data: &[u8]) {
    let mut reader = Reader::new(data);
    let (mut resolver, mut responder) = (Resolver::new(), Responder::new(Link::new(OURS.into(), 24)));
    let mut now = Instant::ZERO;
    while let (Ok(operation), Ok(argument)) = (reader.u8(), reader.u8()) {
        let name = NAMES[usize::from(argument) % NAMES.len()];
        match operation % 6 {
            0 => drop(resolver.resolve(now, name)),
            1 => drop(responder.register(now, name)),
            2 => responder.unregister(name),
            3 => now += Duration::from_millis(u64::from(argument) * 32),
            _ => {
                let Ok(message) = reader.prefixed_u8() else { return };
                let port = if argument & 1 == 0 { PORT } else { 40_000 };
                let from = SocketAddr::from(([192, 0, 2 + (argument >> 7), argument], port));
                responder.handle_message(now, from, message);
                resolver.handle_message(message);
            }
        }
        resolver.handle_timeout(now);
        responder.handle_timeout(now);
        exchange(now, &mut resolver, &mut responder);
        while resolver.poll_resolution().is_some() {}
    }
}

/// Lets the two hear each other.
fn exchange(now: Instant, resolver: &mut Resolver, responder: &mut Responder) {
    let from = SocketAddr::from(([192, 0, 2, 2], PORT));
    let mut message = Vec::new();
    let mut questions = 0;
    while resolver.poll_transmit(now, &mut message) {
        questions += 1;
        responder.handle_message(now, from, &message);
        message.clear();
    }
    let mut answers = 0;
    while responder.poll_transmit(now, &mut message).is_some() {
        answers += 1;
        assert!(message.len() < MAX_MESSAGE_SIZE);
        resolver.handle_message(&message);
        message.clear();
    }
    assert!(questions <= MAX_BURST && answers <= MAX_BURST);
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn random_bytes_break_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..2000 {
            let mut data = [0; 512];
            rng.fill_bytes(&mut data);
            link(&data);
        }
    }
}
