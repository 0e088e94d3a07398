//! SRTP as libsrtp2 speaks it: what either side protects the other takes, once, and nothing that was touched.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use pavane_crypto_rustls::RustlsProvider;
use pavane_srtp::{Profile, Role, Session};

const PROFILES: [Profile; 4] = [
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
    Profile::Aes128CmHmacSha1_80,
    Profile::Aes128CmHmacSha1_32,
];

/// The other side: a process of `tests/interop/libsrtp2/peer.c`.
struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// libsrtp2's numbers for what is wrong with a packet.
const UNAUTHENTIC: &str = "error 7";
const REPLAYED: &str = "error 9";
const TOO_OLD: &str = "error 10";

/// Compiles the program, once for all tests.
fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/libsrtp2/peer.c");
        let program = concat!(env!("CARGO_TARGET_TMPDIR"), "/libsrtp2-peer").to_owned();
        let compiled = Command::new("cc").args(["-O1", "-o", &program, source, "-lsrtp2"]).status();
        assert!(compiled.is_ok_and(|status| status.success()), "a C compiler and libsrtp2-dev are needed");
        program
    })
}

impl Peer {
    fn new(profile: Profile, sending: &[u8], receiving: &[u8]) -> Self {
        let mut process = Command::new(program())
            .args([profile.id().to_string(), hex(sending), hex(receiving)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, input, output: BufReader::new(output) }
    }

    fn ask(&mut self, operation: &str, packet: &[u8]) -> Result<Vec<u8>, String> {
        writeln!(self.input, "{operation} {}", hex(packet)).unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let answer = answer.trim_end();
        assert!(!answer.is_empty(), "the other side has ended");
        if answer.starts_with("error") { Err(answer.to_owned()) } else { Ok(unhex(answer)) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Both sides of a transport that DTLS has keyed.
fn connect(profile: Profile, role: Role) -> (Session, Peer) {
    let material: Vec<u8> = (0..profile.keying_material_len() as u8).map(|at| at.wrapping_mul(29)).collect();
    let salt_len = match profile {
        Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => 12,
        _ => 14,
    };
    // RFC 5764 §4.2: the client's key, the server's, the client's salt, the server's.
    let (keys, salts) = material.split_at(material.len() - 2 * salt_len);
    let half = |bytes: &[u8], which: usize| bytes.chunks(bytes.len() / 2).nth(which).unwrap().to_vec();
    let of = |which| [half(keys, which), half(salts, which)].concat();
    let (client, server) = (of(0), of(1));
    let ours = Session::new(&RustlsProvider, profile, role, &material).unwrap();
    let theirs = match role {
        Role::Client => Peer::new(profile, &server, &client),
        Role::Server => Peer::new(profile, &client, &server),
    };
    (ours, theirs)
}

/// A packet of RTP without contributing sources and extension.
fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0x80 | 96];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[1, 2, 3, 4]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// Packets with everything that a header may have, numbered from `sequence` on.
fn shapes(ssrc: u32, mut sequence: u16) -> Vec<Vec<u8>> {
    let csrcs: Vec<u8> = (0..60).collect();
    let one_byte = [0xbe, 0xde, 0, 2, 0x10, 0xaa, 0x22, 1, 2, 3, 0, 0];
    let two_byte = [0x10, 0x05, 0, 1, 200, 1, 0xaa, 0];
    let mut packets = Vec::new();
    for len in [0, 1, 15, 16, 17, 160, 1200] {
        for (csrc_count, extension) in
            [(0, &[][..]), (2, &[]), (15, &[]), (0, &one_byte), (1, &two_byte), (3, &[0xab, 0xac, 0, 0])]
        {
            let payload: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let mut packet = rtp(ssrc, sequence, &[&csrcs[..4 * csrc_count], extension, &payload].concat());
            packet[0] |= csrc_count as u8 | if extension.is_empty() { 0 } else { 0x10 };
            packets.push(packet);
            sequence = sequence.wrapping_add(1);
        }
    }
    packets
}

/// A compound: a receiver report, a name, and feedback of many lengths.
fn rtcp(ssrc: u32, words: u16) -> Vec<u8> {
    let ssrc = ssrc.to_be_bytes();
    let mut packet =
        [&[0x80, 201, 0, 1][..], &ssrc, &[0x81, 202, 0, 3], &ssrc, &[1, 4, b'n', b'a', b'm', b'e', 0, 0]]
            .concat();
    packet.extend_from_slice(&[0x81, 205]);
    packet.extend_from_slice(&(2 + words).to_be_bytes());
    packet.extend_from_slice(&ssrc);
    packet.resize(packet.len() + 4 + 4 * usize::from(words), 0x5a);
    packet
}

fn for_each_pair(test: impl Fn(Session, Peer, &str)) {
    for profile in PROFILES {
        for role in [Role::Client, Role::Server] {
            let (ours, theirs) = connect(profile, role);
            test(ours, theirs, &format!("{profile:?} {role:?}"));
        }
    }
}

fn protect_rtp(session: &mut Session, packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    session.protect_rtp(&mut packet, 0).unwrap();
    packet
}

fn protect_rtcp(session: &mut Session, packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    session.protect_rtcp(&mut packet, 0).unwrap();
    packet
}

#[test]
fn packets_of_every_shape_go_both_ways_once() {
    for_each_pair(|mut ours, mut theirs, name| {
        for plain in shapes(0x1234_5678, 100) {
            let sealed = protect_rtp(&mut ours, &plain);
            assert_eq!(theirs.ask("unprotect_rtp", &sealed).as_ref(), Ok(&plain), "{name}");
            assert_eq!(theirs.ask("unprotect_rtp", &sealed), Err(REPLAYED.to_owned()), "{name}");
            let sealed = theirs.ask("protect_rtp", &plain).unwrap();
            assert_eq!(ours.unprotect_rtp(&mut sealed.clone()).unwrap(), plain, "{name}");
            assert!(ours.unprotect_rtp(&mut sealed.clone()).is_err(), "{name}: a replay");
        }
        for words in [0, 1, 7, 250] {
            let plain = rtcp(0x8765_4321, words);
            let sealed = protect_rtcp(&mut ours, &plain);
            assert_eq!(theirs.ask("unprotect_rtcp", &sealed).as_ref(), Ok(&plain), "{name}");
            assert_eq!(theirs.ask("unprotect_rtcp", &sealed), Err(REPLAYED.to_owned()), "{name}");
            let sealed = theirs.ask("protect_rtcp", &plain).unwrap();
            assert_eq!(ours.unprotect_rtcp(&mut sealed.clone()).unwrap(), plain, "{name}");
            assert!(ours.unprotect_rtcp(&mut sealed.clone()).is_err(), "{name}: a replay");
        }
    });
}

/// RFC 3711 §3.3.1, with numbers that leap and overtake each other where they wrap.
#[test]
fn both_count_rollovers_alike() {
    // Each within half a circle of the greatest before; the last has rolled over five times.
    let numbers = [
        0xfff0_u64, 0xffff, 0x1_0002, 0xfffe, 0x1_0000, 0x1_7000, 0x1_e000, 0x2_0001, 0x1_fffe, 0x2_6000,
        0x2_d000, 0x3_4000, 0x3_b000, 0x4_2000, 0x4_9000, 0x4_fff0, 0x5_0000, 0x4_ffff,
    ];
    for_each_pair(|mut ours, mut theirs, name| {
        for number in numbers {
            let plain = rtp(7, number as u16, &number.to_be_bytes());
            let sealed = protect_rtp(&mut ours, &plain);
            assert_eq!(theirs.ask("unprotect_rtp", &sealed).as_ref(), Ok(&plain), "{name}: {number:x}");
            let sealed = theirs.ask("protect_rtp", &plain).unwrap();
            assert_eq!(ours.unprotect_rtp(&mut sealed.clone()).unwrap(), plain, "{name}: {number:x}");
        }
        // What lies a window behind is refused by both, whatever the counter.
        let old = rtp(7, 0xf000, b"late");
        assert_eq!(theirs.ask("protect_rtp", &old), Err(TOO_OLD.to_owned()), "{name}");
        let sealed = protect_rtp(&mut ours, &old);
        assert_eq!(theirs.ask("unprotect_rtp", &sealed), Err(TOO_OLD.to_owned()), "{name}");
    });
}

/// libsrtp2 has gone round four times before its first packet comes.
#[test]
fn its_rollover_counter_is_found_by_whoever_comes_late() {
    for_each_pair(|mut ours, mut theirs, name| {
        for number in (0..=0x4_0000).step_by(0x4000) {
            theirs.ask("protect_rtp", &rtp(7, number as u16, b"missed")).unwrap();
        }
        let plain = rtp(7, 1, b"heard");
        let sealed = theirs.ask("protect_rtp", &plain).unwrap();
        assert_eq!(ours.unprotect_rtp(&mut sealed.clone()).unwrap(), plain, "{name}");
    });
}

#[test]
fn neither_takes_what_was_touched() {
    for_each_pair(|mut ours, mut theirs, name| {
        let mut plain = rtp(9, 500, &[0, 0, 0, 5, 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0, b'a', b'b', b'c']);
        plain[0] = 0x91;
        let sealed = protect_rtp(&mut ours, &plain);
        let their_sealed = theirs.ask("protect_rtp", &plain).unwrap();
        assert_eq!(sealed.len(), their_sealed.len(), "{name}");
        // Not the version, the counts of what follows and the lengths: they make it another shape, or no packet.
        for at in (1..sealed.len()).filter(|at| ![18, 19].contains(at)) {
            let touch = |packet: &[u8]| {
                let mut touched = packet.to_vec();
                touched[at] ^= 0x04;
                touched
            };
            let refused = theirs.ask("unprotect_rtp", &touch(&sealed));
            assert_eq!(refused, Err(UNAUTHENTIC.to_owned()), "{name}: touched at {at}");
            assert!(ours.unprotect_rtp(&mut touch(&their_sealed)).is_err(), "{name}: touched at {at}");
        }
        assert_eq!(theirs.ask("unprotect_rtp", &sealed).unwrap(), plain, "{name}");
        let mut their_sealed = their_sealed;
        assert_eq!(ours.unprotect_rtp(&mut their_sealed).unwrap(), plain, "{name}");
    });
}
