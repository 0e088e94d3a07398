//! The published vectors, with every provider.

use std::vec::Vec;
use std::{format, fs};

use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{AeadAlgorithm, Provider};
use pavane_crypto_rustls::RustlsProvider;
use serde_json::Value;

use crate::derivation::{Derivation, Label, Secret};
use crate::protection::{KeyedAead, Protection};
use crate::{Profile, Role, Session, UnprotectError};

const PROVIDERS: [&dyn Provider; 2] = [&SoftwareProvider, &RustlsProvider];

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn load(file: &str) -> Value {
    let path = format!("{}/testdata/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn profile(vector: &Value) -> Profile {
    match vector["profile"].as_str().unwrap().split(' ').next().unwrap() {
        "AES_CM_128_HMAC_SHA1_80" => Profile::Aes128CmHmacSha1_80,
        "AES_CM_128_HMAC_SHA1_32" => Profile::Aes128CmHmacSha1_32,
        "AEAD_AES_128_GCM" => Profile::AeadAes128Gcm,
        "AEAD_AES_256_GCM" => Profile::AeadAes256Gcm,
        other => panic!("{other}"),
    }
}

fn be(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn check_rtp(protection: &Protection, vector: &Value) {
    let (rtp, srtp) = (hex(&vector["rtp"]), hex(&vector["srtp"]));
    let index = vector["roc"].as_u64().unwrap() << 16 | be(&rtp[2..4]);
    let ssrc = be(&rtp[8..12]) as u32;
    let mut packet = [b"before", &rtp[..]].concat();
    protection.seal_rtp(&mut packet, 6, 12, ssrc, index);
    assert_eq!(packet[6..], srtp, "{vector}");
    assert_eq!(protection.open_rtp(&mut srtp.clone(), 12, ssrc, index).unwrap(), rtp);
}

fn check_rtcp(protection: &Protection, vector: &Value) {
    let (rtcp, srtcp) = (hex(&vector["rtcp"]), hex(&vector["srtcp"]));
    let (ssrc, index) = (be(&rtcp[4..8]) as u32, vector["srtcp_index"].as_u64().unwrap() as u32);
    let mut packet = [b"before", &rtcp[..]].concat();
    protection.seal_rtcp(&mut packet, 6, ssrc, index);
    assert_eq!(packet[6..], srtcp, "{vector}");
    assert_eq!(protection.open_rtcp(&mut srtcp.clone(), ssrc, index).unwrap(), rtcp);
}

/// RFC 3711 appendix B.3, and packets under its keys; libsrtp publishes the same ones.
#[test]
fn rfc_3711() {
    let vectors = load("rfc3711.json");
    let kdf = &vectors["B3_kdf"];
    let (key, salt) = (hex(&kdf["master_key"]), hex(&kdf["master_salt"]));
    for provider in PROVIDERS {
        let derivation = Derivation::new(provider, Profile::Aes128CmHmacSha1_80, &key, &salt).unwrap();
        let derived = |label| -> Secret<16> { derivation.derive(label) };
        assert_eq!(derived(Label::RtpEncryption).0[..], hex(&kdf["cipher_key"]));
        assert_eq!(derived(Label::RtpSalt).0[..14], hex(&kdf["salt"]));
        assert_eq!(derived(Label::RtcpEncryption).0[..], hex(&kdf["rtcp_cipher_key"]));
        assert_eq!(derived(Label::RtcpSalt).0[..14], hex(&kdf["rtcp_salt"]));
        let long: Secret<94> = derivation.derive(Label::RtpAuthentication);
        assert_eq!(long.0[..], hex(&kdf["auth_key_94_octets"]));
        let short: Secret<20> = derivation.derive(Label::RtcpAuthentication);
        assert_eq!(short.0[..], hex(&kdf["rtcp_auth_key_20"]));
        for vector in vectors["packets"].as_array().unwrap() {
            let protection = Protection::new(provider, profile(vector), &key, &salt).unwrap();
            match vector["encrypted"].as_bool() {
                None => check_rtp(&protection, vector),
                Some(true) => check_rtcp(&protection, vector),
                Some(false) => {
                    let material = [&key[..], &key, &salt, &salt].concat();
                    let session = Session::new(provider, profile(vector), Role::Client, &material);
                    let dropped = session.unwrap().unprotect_rtcp(&mut hex(&vector["srtcp"])).err();
                    assert_eq!(dropped, Some(UnprotectError::Unencrypted));
                }
            }
        }
    }
}

/// RFC 6188 §7.2: keys for AES-256.
#[test]
fn rfc_6188() {
    let vectors = load("rfc6188-and-gcm-packets.json");
    let kdf = &vectors["kdf"];
    for provider in PROVIDERS {
        let (key, salt) = (hex(&kdf["master_key"]), hex(&kdf["master_salt"]));
        let derivation = Derivation::new(provider, Profile::AeadAes256Gcm, &key, &salt).unwrap();
        let key: Secret<32> = derivation.derive(Label::RtpEncryption);
        assert_eq!(key.0[..], hex(&kdf["cipher_key"]));
    }
}

/// RFC 7714 §16 and §17, whose keys are session keys, and whole packets with keys derived as its §11 has it.
#[test]
fn rfc_7714() {
    let derived = load("rfc6188-and-gcm-packets.json");
    let printed = load("rfc7714.json");
    for provider in PROVIDERS {
        for vector in derived["computed_packets"].as_array().unwrap() {
            let (key, salt) = (hex(&vector["master_key"]), hex(&vector["master_salt"]));
            let protection = Protection::new(provider, profile(vector), &key, &salt).unwrap();
            check_rtp(&protection, vector);
            check_rtcp(&protection, vector);
        }
        let mut checked = 0;
        for vector in printed.as_array().unwrap().iter().filter(|vector| vector["mode"] == "encrypt") {
            let keyed = || {
                let (key, salt) = (hex(&vector["session_key"]), hex(&vector["session_salt"]));
                let algorithm =
                    if key.len() == 16 { AeadAlgorithm::Aes128Gcm } else { AeadAlgorithm::Aes256Gcm };
                KeyedAead::new(provider.aead(algorithm, &key).unwrap(), Secret(salt.try_into().unwrap()))
            };
            let protection = Protection::Aead { rtp: keyed(), rtcp: keyed() };
            match vector.get("rtp") {
                Some(_) => check_rtp(&protection, vector),
                None => check_rtcp(&protection, vector),
            }
            checked += 1;
        }
        assert_eq!(checked, 4, "two of RTP, two of RTCP");
    }
}
