//! SRTP and SRTCP, in place (RFC 3711, RFC 7714).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;
