//! Application data is sealed and opened in place: nothing is allocated for a record.

use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

use pavane_base::{Epoch, Instant};
use pavane_crypto::{Certificate, HashAlgorithm};
use pavane_dtls::{CipherSuite, Config, Connection, Record, Role, State};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn connected(suite: CipherSuite, rng: &mut ChaCha8Rng) -> [Connection; 2] {
    let provider = pavane_crypto_rustls::provider();
    let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) };
    let certificate = Certificate::generate(&*provider, rng, &epoch);
    let fingerprint = certificate.fingerprint(&*provider, HashAlgorithm::Sha256);
    let mut config = Config::new(provider, certificate);
    config.cipher_suites = vec![suite];
    let config = Arc::new(config);
    let mut sides = [Role::Client, Role::Server].map(|role| {
        let mut connection = Connection::new(Arc::clone(&config), role);
        connection.set_remote_fingerprints(vec![fingerprint.clone()]);
        connection.start(Instant::ZERO, rng);
        connection
    });
    while sides.iter().any(|side| side.state() != State::Connected) {
        for from in [0, 1] {
            let mut datagram = vec![];
            while sides[from].poll_transmit(Instant::ZERO, &mut datagram).is_some() {
                let mut rest = &mut datagram[..];
                while sides[1 - from].handle_record(Instant::ZERO, rng, &mut rest).is_some() {}
                datagram.clear();
            }
        }
    }
    sides
}

#[test]
fn records_of_application_data_allocate_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for suite in [CipherSuite::EcdheEcdsaAes128GcmSha256, CipherSuite::EcdheEcdsaChaCha20Poly1305Sha256] {
        let [mut client, mut server] = connected(suite, &mut rng);
        let mut buf = Vec::with_capacity(2000);
        let region = Region::new(ALLOCATOR);
        for _ in 0..1000 {
            buf.clear();
            buf.resize(client.headroom() + 1100, 7);
            client.seal(&mut buf, 0).unwrap();
            let mut rest = &mut buf[..];
            let record = server.handle_record(Instant::ZERO, &mut rng, &mut rest);
            assert!(matches!(record, Some(Record::ApplicationData(data)) if data.len() == 1100));
            assert!(server.poll_timeout().is_none());
        }
        assert_eq!(region.change().allocations, 0, "{suite:?}");
    }
}
