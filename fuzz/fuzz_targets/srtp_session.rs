#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pavane_srtp::fuzzing::session(data));
