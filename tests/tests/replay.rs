//! The same seed twice gives the same bytes on the wire.

use std::time::Duration;

use pavane::crypto::Provider;
use pavane::{ChannelInit, Message};
use pavane_tests::{End, Link, Pair};

/// A session with everything in it, as the hash over all that was sent, when and where to.
fn session(seed: u64, provider: std::sync::Arc<dyn Provider>) -> u64 {
    let link = Link::with_delay(Duration::from_millis(20)).loss(0.1).jitter(Duration::from_millis(10));
    let mut pair = Pair::with_provider(seed, link, provider, |config| config);
    let now = pair.now;
    let channel = pair.connection(End::Alice).create_data_channel(now, "a", ChannelInit::default()).unwrap();
    pair.add_addresses();
    pair.exchange(End::Alice);
    assert!(pair.run(Duration::from_secs(60), Pair::open_at_both_ends));
    let now = pair.now;
    for n in 0..50 {
        let message = Message::binary(vec![n; 3000]);
        pair.connection(End::Alice).channel(channel).unwrap().send(now, message).unwrap();
    }
    assert!(pair.run(Duration::from_secs(60), |pair| pair.peer(End::Bob).heard.len() == 50));
    let now = pair.now;
    pair.connection(End::Bob).close(now);
    pair.idle(Duration::from_secs(20));
    pair.net.trace_hash()
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_the_default_provider() {
    let provider = pavane_crypto_rustls::provider();
    assert!(provider.is_deterministic());
    for seed in 0..20 {
        assert_eq!(session(seed, provider.clone()), session(seed, provider.clone()), "seed {seed}");
    }
    assert_ne!(session(1, provider.clone()), session(2, provider));
}

#[test]
fn both_providers_give_the_same_bytes() {
    let software = std::sync::Arc::new(pavane_crypto::software::SoftwareProvider);
    assert_eq!(session(3, pavane_crypto_rustls::provider()), session(3, software));
}
