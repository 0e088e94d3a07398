//! Every file of the fuzz targets' corpora goes through the target's body, on stable.

use std::path::Path;

type Body = fn(&[u8]);

const TARGETS: [(&str, Body); 26] = [
    ("datachannel_messages", pavane_datachannel::fuzzing::messages),
    ("dtls_client", pavane_dtls::fuzzing::client),
    ("dtls_parsers", pavane_dtls::fuzzing::parsers),
    ("dtls_server", pavane_dtls::fuzzing::server),
    ("ice_agent", pavane_ice::fuzzing::agent),
    ("ice_pair", pavane_ice::fuzzing::pair),
    ("mdns_link", pavane_mdns::fuzzing::link),
    ("rtcp_compound", pavane_rtp::fuzzing::rtcp_compound),
    ("rtp_frames", pavane_rtp::fuzzing::rtp_frames),
    ("rtp_packet", pavane_rtp::fuzzing::rtp_packet),
    ("rtp_packetizer", pavane_rtp::fuzzing::rtp_packetizer),
    ("rtp_payload_av1", pavane_rtp::fuzzing::rtp_payload_av1),
    ("rtp_payload_h264", pavane_rtp::fuzzing::rtp_payload_h264),
    ("rtp_payload_h265", pavane_rtp::fuzzing::rtp_payload_h265),
    ("rtp_payload_vp8", pavane_rtp::fuzzing::rtp_payload_vp8),
    ("rtp_payload_vp9", pavane_rtp::fuzzing::rtp_payload_vp9),
    ("rtp_receive_stream", pavane_rtp::fuzzing::rtp_receive_stream),
    ("rtp_session", pavane_rtp::fuzzing::rtp_session),
    ("sctp_association", pavane_sctp::fuzzing::association),
    ("sctp_operations", pavane_sctp::fuzzing::operations),
    ("sctp_packet", pavane_sctp::fuzzing::packet),
    ("sctp_pair", pavane_sctp::fuzzing::pair),
    ("sdp_session", pavane_sdp::fuzzing::session_description),
    ("srtp_session", pavane_srtp::fuzzing::session),
    ("stun_message", pavane_stun::fuzzing::message),
    ("turn_allocation", pavane_turn::fuzzing::allocation),
];

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_corpus_is_replayed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let known: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(entries(&root), known, "each corpus has a target here");
    for (name, body) in TARGETS {
        let folder = root.join(name);
        let files = entries(&folder);
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in &files {
            println!("{name}/{file}");
            body(&std::fs::read(folder.join(file)).unwrap());
        }
    }
}
