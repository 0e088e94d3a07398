//! What goes on while a connection stands allocates nothing: checks of consent, their answers, and data.

use std::alloc::System;
use std::net::SocketAddr;
use std::sync::Arc;

use pavane_base::{Instant, Path};
use pavane_crypto::software::SoftwareProvider;
use pavane_ice::{Agent, Config, Credentials, RemoteCandidate, Role};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Carries what there is until nothing is due before `end`; says how many datagrams there were.
fn run(agents: &mut [Agent; 2], rng: &mut ChaCha8Rng, buf: &mut Vec<u8>, end: Instant) -> usize {
    let mut count = 0;
    loop {
        let next = agents.iter().filter_map(Agent::poll_timeout).min();
        let Some(now) = next.filter(|next| *next <= end) else { return count };
        agents.iter_mut().for_each(|agent| agent.handle_timeout(now, rng));
        for _ in 0..4 {
            for from in [0, 1] {
                while let Some(transmit) = agents[from].poll_transmit(now, buf) {
                    let Path { local, remote, transport } = transmit.path;
                    let seen = Path { local: remote, remote: local, transport };
                    agents[1 - from].handle_datagram(now, rng, seen, buf);
                    agents[1 - from].handle_data(now, seen, 100);
                    buf.clear();
                    count += 1;
                }
                while agents[from].poll_event().is_some() {}
            }
        }
    }
}

#[test]
fn a_standing_connection_allocates_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let start = Instant::from_millis(1);
    let texts = ["192.0.2.1:1", "192.0.2.2:2"];
    let mut agents = [Role::Controlling, Role::Controlled].map(|role| {
        let credentials = Credentials::generate(&mut rng);
        Agent::new(Config::new(Arc::new(SoftwareProvider)), role, credentials, &mut rng)
    });
    for n in 0..2 {
        agents[n].add_local_address(start, &mut rng, texts[n].parse::<SocketAddr>().unwrap()).unwrap();
        agents[n].start_gathering(start, &mut rng);
    }
    for n in 0..2 {
        let credentials = agents[1 - n].local_credentials().clone();
        let candidate = RemoteCandidate::Address(agents[1 - n].local_candidates()[0].clone());
        agents[n].add_remote_candidate(start, &mut rng, candidate).unwrap();
        agents[n].set_remote_credentials(start, &mut rng, credentials);
    }
    let mut buf = Vec::with_capacity(1500);
    run(&mut agents, &mut rng, &mut buf, Instant::from_millis(60_000));
    assert!(agents.iter().all(|agent| agent.selected_path().is_some()));
    // The test harness has a thread of its own, which may allocate at any time, but does not all the time.
    let hours = (1..=5).map(|hour| {
        let region = Region::new(ALLOCATOR);
        let count = run(&mut agents, &mut rng, &mut buf, Instant::from_millis(hour * 3_600_000));
        assert!(count > 2000, "{count}");
        region.change().allocations
    });
    assert_eq!(hours.min(), Some(0));
}
