//! RTP and RTCP: packets, streams, payload formats (RFC 3550).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;
