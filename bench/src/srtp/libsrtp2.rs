//! libsrtp2, by way of `libsrtp2.c`.

use std::ffi::{c_int, c_uchar, c_void};

use super::engines::{Engine, Keys};

unsafe extern "C" {
    fn bench_srtp_new(profile: c_int, receiving: c_int, key: *mut c_uchar) -> *mut c_void;
    fn bench_srtp_protect(session: *mut c_void, packet: *mut c_uchar, len: c_int) -> c_int;
    fn bench_srtp_unprotect(session: *mut c_void, packet: *mut c_uchar, len: c_int) -> c_int;
}

/// Its sessions are kept until the program ends.
struct Libsrtp2 {
    ends: [*mut c_void; 2],
    packets: Vec<Vec<u8>>,
}

/// What it may append to a packet: `SRTP_MAX_TRAILER_LEN`.
const MAX_TRAILER: usize = 144;

pub fn engine(keys: &Keys) -> Option<Box<dyn Engine>> {
    let (key, salt) = keys.sending();
    let mut key = [key, salt].concat();
    let ends = [0, 1].map(|receiving| {
        // SAFETY: the key has the profile's length, and the library copies it.
        unsafe { bench_srtp_new(c_int::from(keys.profile.id()), receiving, key.as_mut_ptr()) }
    });
    let known = ends.iter().all(|end| !end.is_null());
    known.then(|| Box::new(Libsrtp2 { ends, packets: Vec::new() }) as _)
}

impl Engine for Libsrtp2 {
    fn load(&mut self, packets: Vec<Vec<u8>>) {
        self.packets = packets;
        self.packets.iter_mut().for_each(|packet| packet.reserve(MAX_TRAILER));
    }

    fn protect(&mut self) {
        for packet in &mut self.packets {
            // SAFETY: the session lives, and the packet's room is as long as what may be appended.
            let len = unsafe { bench_srtp_protect(self.ends[0], packet.as_mut_ptr(), packet.len() as c_int) };
            let len = usize::try_from(len).expect("it is a packet");
            // SAFETY: the library has written as much.
            unsafe { packet.set_len(len) };
        }
    }

    fn unprotect(&mut self) {
        for packet in &mut self.packets {
            // SAFETY: the session lives, and the library stays within the packet.
            let len =
                unsafe { bench_srtp_unprotect(self.ends[1], packet.as_mut_ptr(), packet.len() as c_int) };
            assert!(len > 0, "it is authentic");
        }
    }
}
