#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pavane_rtp::fuzzing::rtp_payload_vp8(data));
