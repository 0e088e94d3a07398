//! Once its source is known, a packet allocates nothing on either side.

use std::alloc::System;

use pavane_crypto_rustls::RustlsProvider;
use pavane_srtp::{Profile, Role, Session};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn packets_allocate_nothing() {
    for id in [1, 2, 7, 8] {
        let profile = Profile::from_id(id).unwrap();
        let material = vec![3; profile.keying_material_len()];
        let make = |role| Session::new(&RustlsProvider, profile, role, &material).unwrap();
        let (mut client, mut server) = (make(Role::Client), make(Role::Server));
        let mut packet = Vec::with_capacity(1300);
        let mut before = None;
        for sequence in 0..100_u16 {
            if sequence == 1 {
                before = Some(Region::new(ALLOCATOR));
            }
            for first in [[0x80, 96], [0x80, 201]] {
                packet.clear();
                packet.extend_from_slice(&first);
                packet.extend_from_slice(&sequence.to_be_bytes());
                packet.resize(1200, 5);
                match first[1] {
                    96 => {
                        client.protect_rtp(&mut packet, 0).unwrap();
                        server.unprotect_rtp(&mut packet).unwrap();
                    }
                    _ => {
                        client.protect_rtcp(&mut packet, 0).unwrap();
                        server.unprotect_rtcp(&mut packet).unwrap();
                    }
                }
            }
        }
        assert_eq!(before.unwrap().change().allocations, 0, "{profile:?}");
    }
}
