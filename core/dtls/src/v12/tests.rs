//! The key schedule against vectors.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{HashAlgorithm, Provider};

use super::Parameters;
use super::prf::prf;
use super::secrets::{Finisher, Randoms, Secrets};
use crate::CipherSuite;

fn unhex(hex: &serde_json::Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn vectors() {
    let provider: Arc<dyn Provider> = Arc::new(SoftwareProvider);
    let json = include_str!("../../testdata/prf-tls12.json");
    let vectors: serde_json::Value = serde_json::from_str(json).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let hash = match vector["hash"].as_str().unwrap() {
            "sha256" => HashAlgorithm::Sha256,
            _ => HashAlgorithm::Sha384,
        };
        match vector.get("secret") {
            Some(secret) => check_prf(&*provider, hash, secret, vector),
            None => check_schedule(&provider, hash, vector),
        }
    }
}

fn check_prf(
    provider: &dyn Provider,
    hash: HashAlgorithm,
    secret: &serde_json::Value,
    vector: &serde_json::Value,
) {
    let expected = unhex(&vector["output"]);
    let mut out = vec![0; expected.len()];
    let seed = unhex(&vector["seed"]);
    let (first, second) = seed.split_at(5);
    prf(provider, hash, &unhex(secret), vector["label"].as_str().unwrap(), &[first, second, &[]], &mut out);
    assert_eq!(out, expected);
}

fn check_schedule(provider: &Arc<dyn Provider>, hash: HashAlgorithm, vector: &serde_json::Value) {
    let digest = |input: &serde_json::Value| {
        let mut h = provider.hash(hash);
        h.update(input.as_str().unwrap().as_bytes());
        h.digest()
    };
    let randoms = Randoms {
        client: unhex(&vector["client_random"]).try_into().unwrap(),
        server: unhex(&vector["server_random"]).try_into().unwrap(),
    };
    let suite = match hash {
        HashAlgorithm::Sha384 => CipherSuite::EcdheEcdsaAes256GcmSha384,
        _ => CipherSuite::EcdheEcdsaAes128GcmSha256,
    };
    let premaster = unhex(&vector["premaster"]);
    let session_hash = digest(&vector["session_hash_input_ascii"]);
    let parameters = Parameters { suite, randoms, srtp_profile: None };
    let secrets = Secrets::derive(provider, parameters, &premaster, &session_hash);
    assert_eq!(secrets.master()[..], unhex(&vector["extended_master_secret"]));

    // The vector's further values follow from the master secret without the extension.
    let seed = [&randoms.client[..], &randoms.server, &[]];
    let mut master = [0; 48];
    prf(&**provider, hash, &premaster, "master secret", &seed, &mut master);
    assert_eq!(master[..], unhex(&vector["master_secret"]));
    let secrets = Secrets::from_master(provider, parameters, master);
    let block = unhex(&vector["key_block"]);
    assert_eq!(secrets.key_block(block.len()), block);
    let handshake_hash = digest(&vector["handshake_hash_input_ascii"]);
    let verify_data = secrets.verify_data(Finisher::Client, &handshake_hash);
    assert_eq!(verify_data[..], unhex(&vector["client_finished_verify_data"]));
    let mut exported = [0; 60];
    secrets.export("EXTRACTOR-dtls_srtp", None, &mut exported).unwrap();
    assert_eq!(exported[..], unhex(&vector["exporter_EXTRACTOR_dtls_srtp_60"]));
}
