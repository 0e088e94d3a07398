//! Bodies of the fuzz targets: whatever bytes come, nothing panics and nothing grows without bound.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::{Epoch, Instant, Reader};
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Certificate, HashAlgorithm, Provider};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::handshake::Fragment;
use crate::messages::{ClientHello, ServerHello};
use crate::reassembly::Reassembly;
use crate::v12::messages::{
    Certificate as CertificateMessage, CertificateRequest, ClientKeyExchange, HelloVerifyRequest,
    ServerKeyExchange, Signed,
};
use crate::{Config, Connection, Role, record};

/// Records, and the fragments and messages in them; what is read is written back the same.
pub fn parsers(data: &[u8]) {
    let mut bytes = data.to_vec();
    let mut rest = &mut bytes[..];
    let mut reassembly = Reassembly::default();
    while let Some((header, body)) = record::split(&mut rest) {
        let mut r = Reader::new(body);
        while let Ok(fragment) = Fragment::parse(&mut r) {
            reassembly.insert(header.number.epoch, &fragment);
        }
        while let Some(message) = reassembly.pop() {
            messages(&message.body);
        }
    }
    messages(data);
}

fn messages(body: &[u8]) {
    if let Ok(hello) = ClientHello::parse(body) {
        assert_eq!(ClientHello::parse(&hello.encode()), Ok(hello));
    }
    if let Ok(hello) = ServerHello::parse(body) {
        assert_eq!(ServerHello::parse(&hello.encode()), Ok(hello));
    }
    if let Ok(request) = CertificateRequest::parse(body) {
        assert_eq!(CertificateRequest::parse(&request.encode()), Ok(request));
    }
    if let Ok(exchange) = ServerKeyExchange::parse(body) {
        assert_eq!(exchange.encode(), body);
    }
    if let Ok(exchange) = ClientKeyExchange::parse(body) {
        assert_eq!(exchange.encode(), body);
    }
    let _ = CertificateMessage::parse(body);
    let _ = HelloVerifyRequest::parse(body);
    let _ = Signed::parse(&mut Reader::new(body));
}

/// A server is fed datagrams: two octets of length before each, the top bit of which lets a second pass.
pub fn server(data: &[u8]) {
    feed(Role::Server, data);
}

/// A client that has sent its hello is fed datagrams in the same form.
pub fn client(data: &[u8]) {
    feed(Role::Client, data);
}

fn feed(role: Role, data: &[u8]) {
    const SECOND_PASSES: u16 = 1 << 15;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut connection = connection(role, &mut rng);
    let mut now = Instant::from_millis(1);
    connection.start(now, &mut rng);
    let mut out = Vec::new();
    let mut r = Reader::new(data);
    while let Ok(len) = r.u16() {
        if len & SECOND_PASSES != 0 {
            now += Duration::from_secs(1);
        }
        let mut datagram = r.take(usize::from(len & !SECOND_PASSES)).unwrap_or_else(|_| r.rest()).to_vec();
        let mut rest = &mut datagram[..];
        while connection.handle_record(now, &mut rng, &mut rest).is_some() {}
        connection.handle_timeout(now, &mut rng);
        while connection.poll_transmit(now, &mut out).is_some() {
            out.clear();
        }
        while connection.poll_event().is_some() {}
        let _ = connection.poll_early_data();
    }
}

fn connection(role: Role, rng: &mut ChaCha8Rng) -> Connection {
    let provider: Arc<dyn Provider> = Arc::new(SoftwareProvider);
    let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) };
    let certificate = Certificate::generate(&*provider, rng, &epoch);
    let fingerprint = certificate.fingerprint(&*provider, HashAlgorithm::Sha256);
    let mut connection = Connection::new(Arc::new(Config::new(provider, certificate)), role);
    connection.set_remote_fingerprints(vec![fingerprint]);
    connection
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::Rng;

    use super::*;

    fn seeds() -> impl Iterator<Item = Vec<u8>> {
        let json = include_str!("../testdata/browser-clienthellos.json");
        let all: serde_json::Value = serde_json::from_str(json).unwrap();
        let mut seeds = vec![];
        for hello in all.as_array().unwrap() {
            let mut seed = vec![];
            for hex in hello["datagrams"].as_array().unwrap() {
                let hex = hex.as_str().unwrap();
                seed.extend_from_slice(&(hex.len() as u16 / 2).to_be_bytes());
                seed.extend(
                    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()),
                );
            }
            seeds.push(seed);
        }
        seeds.into_iter()
    }

    #[test]
    fn bodies_survive_seeds_and_their_mutations() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for seed in seeds() {
            for round in 0..20 {
                let mut data = seed.clone();
                for _ in 0..round {
                    let index = rng.next_u32() as usize % data.len();
                    data[index] = rng.next_u32() as u8;
                }
                parsers(&data);
                parsers(data.get(2..).unwrap_or_default());
                server(&data);
                client(&data);
            }
        }
    }
}
