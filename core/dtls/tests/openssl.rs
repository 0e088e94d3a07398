//! Handshakes with OpenSSL, both roles, over loopback: a judge who has not read our code.

use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use pavane_base::{Epoch, Instant};
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Certificate, Fingerprint, HashAlgorithm, Provider};
use pavane_dtls::{CipherSuite, CloseReason, Config, Connection, Event, Record, Role};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const EXPORTER: &str = "EXTRACTOR-dtls_srtp";
const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate of OpenSSL's own make.
#[derive(Clone, Copy, Debug)]
enum Kind {
    P256,
    P384,
    Rsa,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    fingerprint: Fingerprint,
}

fn provider() -> Arc<dyn Provider> {
    pavane_crypto_rustls::provider()
}

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments);
    command
}

fn run(mut command: Command) {
    let output =
        command.output().expect("this test needs the `openssl` command: install the package openssl");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn files(kind: Kind) -> &'static Files {
    static ALL: [OnceLock<Files>; 3] = [const { OnceLock::new() }; 3];
    ALL[kind as usize].get_or_init(|| {
        let dir =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("openssl-{kind:?}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = |name| dir.join(name);
        let (certificate, key, der) = (path("cert.pem"), path("key.pem"), path("cert.der"));
        let new_key: &[&str] = match kind {
            Kind::P256 => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Kind::P384 => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
            Kind::Rsa => &["-newkey", "rsa:2048"],
        };
        let mut request = openssl(&["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=test"]);
        request.args(new_key).arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        run(request);
        let mut convert = openssl(&["x509", "-outform", "DER"]);
        convert.arg("-in").arg(&certificate).arg("-out").arg(&der);
        run(convert);
        let der = std::fs::read(der).unwrap();
        let fingerprint = Fingerprint::of(&*provider(), HashAlgorithm::Sha256, &der);
        Files { certificate, key, fingerprint }
    })
}

/// A running `openssl s_client` or `s_server`.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Arc<Mutex<String>>,
}

impl Process {
    fn start(mut command: Command, files: &Files) -> Self {
        command.arg("-cert").arg(&files.certificate).arg("-key").arg(&files.key);
        command.args(["-keymatexport", EXPORTER, "-keymatexportlen", "60"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test needs the `openssl` command: install the package openssl");
        let output = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), &output);
        collect(child.stderr.take().unwrap(), &output);
        let input = child.stdin.take();
        Self { child, input, output }
    }

    fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    fn has_said(&self, text: &str) -> bool {
        self.output.lock().unwrap().contains(text)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut from: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = from.read(&mut bytes) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..len]));
        }
    });
}

/// Our side: a connection on a socket.
struct Ours {
    connection: Connection,
    socket: UdpSocket,
    peer: Option<SocketAddr>,
    rng: ChaCha8Rng,
    began: std::time::Instant,
    received: Vec<u8>,
    events: Vec<Event>,
    loss: u32,
}

impl Ours {
    fn new(case: &Case, role: Role, provider: Arc<dyn Provider>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_790_000_000) };
        let certificate = Certificate::generate(&*provider, &mut rng, &epoch);
        let mut config = Config::new(provider, certificate);
        config.max_datagram = case.our_datagram;
        let mut connection = Connection::new(Arc::new(config), role);
        connection.set_remote_fingerprints(vec![files(case.kind).fingerprint.clone()]);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self {
            connection,
            socket,
            peer: None,
            rng,
            began: std::time::Instant::now(),
            received: vec![],
            events: vec![],
            loss: case.loss,
        }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    fn loses(&mut self) -> bool {
        self.rng.next_u32() % 100 < self.loss
    }

    fn send(&mut self, datagram: &[u8]) {
        if let (Some(peer), false) = (self.peer, self.loses()) {
            // A server that is not up yet answers with an ICMP error, which is of no interest.
            let _ = self.socket.send_to(datagram, peer);
        }
    }

    fn send_data(&mut self, data: &[u8]) {
        let mut record = vec![0; self.connection.headroom()];
        record.extend_from_slice(data);
        self.connection.seal(&mut record, 0).unwrap();
        let peer = self.peer.unwrap();
        self.socket.send_to(&record, peer).unwrap();
    }

    fn turn(&mut self) {
        let mut datagram = vec![];
        while self.connection.poll_transmit(self.now(), &mut datagram).is_some() {
            self.send(&core::mem::take(&mut datagram));
        }
        let mut bytes = [0; 65_536];
        self.socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        if let Ok((len, from)) = self.socket.recv_from(&mut bytes)
            && !self.loses()
        {
            self.peer = Some(from);
            let now = self.now();
            let mut rest = &mut bytes[..len];
            while let Some(record) = self.connection.handle_record(now, &mut self.rng, &mut rest) {
                if let Record::ApplicationData(data) = record {
                    self.received.extend_from_slice(data);
                }
            }
        }
        let now = self.now();
        self.connection.handle_timeout(now, &mut self.rng);
        self.events.extend(core::iter::from_fn(|| self.connection.poll_event()));
        while let Some(data) = self.connection.poll_early_data() {
            self.received.extend_from_slice(&data);
        }
    }

    fn turn_until(&mut self, process: &Process, what: &str, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            assert!(
                self.began.elapsed() < PATIENCE,
                "{what} does not happen: {:?}, {:?}\n{}",
                self.events,
                self.connection.counters(),
                process.output.lock().unwrap()
            );
            self.turn();
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    kind: Kind,
    our_datagram: usize,
    /// Percent of datagrams lost either way.
    loss: u32,
    arguments: Vec<&'static str>,
}

impl Case {
    fn new(kind: Kind, arguments: &[&'static str]) -> Self {
        Self { kind, our_datagram: 1200, loss: 0, arguments: arguments.to_vec() }
    }
}

fn client_against_s_server(case: &Case) -> CipherSuite {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut command =
        openssl(&["s_server", "-dtls1_2", "-Verify", "1", "-naccept", "1", "-accept", &address]);
    command.args(&case.arguments);
    let mut process = Process::start(command, files(case.kind));
    let mut ours = Ours::new(case, Role::Client, provider());
    ours.peer = Some(address.parse().unwrap());
    while !process.has_said("ACCEPT") && ours.began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    talk(&mut ours, &mut process, case)
}

fn server_against_s_client(case: &Case) -> CipherSuite {
    let mut ours = Ours::new(case, Role::Server, Arc::new(SoftwareProvider));
    let address = ours.socket.local_addr().unwrap().to_string();
    let mut command = openssl(&["s_client", "-dtls1_2", "-connect", &address]);
    command.args(&case.arguments);
    let mut process = Process::start(command, files(case.kind));
    talk(&mut ours, &mut process, case)
}

/// Connects, talks both ways, compares exported keys, and says good-bye.
fn talk(ours: &mut Ours, process: &mut Process, case: &Case) -> CipherSuite {
    let now = ours.now();
    ours.connection.start(now, &mut ours.rng);
    ours.turn_until(process, "the handshake", |ours| !ours.events.is_empty());
    assert_eq!(ours.events, [Event::Connected], "{case:?}\n{}", process.output.lock().unwrap());
    ours.loss = 0;

    let mut exported = [0; 60];
    ours.connection.export(EXPORTER, None, &mut exported).unwrap();
    let exported: String = exported.iter().map(|byte| format!("{byte:02X}")).collect();
    ours.turn_until(process, "OpenSSL's own end of the handshake", |_| process.has_said(&exported));

    ours.send_data(b"hello from pavane\n");
    ours.turn_until(process, "our data's arrival", |_| process.has_said("hello from pavane"));
    process.say("hello from openssl");
    ours.turn_until(process, "the arrival of OpenSSL's data", |ours| {
        ours.received == b"hello from openssl\n"
    });

    let suite = ours.connection.cipher_suite().unwrap();
    if ours.connection.role() == Role::Server {
        // At its input's end the client says good-bye first.
        process.input = None;
        ours.turn_until(process, "the good-bye", |ours| ours.events.len() == 2);
        assert_eq!(ours.events[1], Event::Closed(CloseReason::CloseNotify));
    } else {
        let now = ours.now();
        ours.connection.close(now);
        ours.turn();
        ours.turn_until(process, "OpenSSL's end", |_| process.has_said("CONNECTION CLOSED"));
    }
    suite
}

#[test]
fn as_client_with_every_suite() {
    for (suite, name) in [
        (CipherSuite::EcdheEcdsaAes128GcmSha256, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (CipherSuite::EcdheEcdsaAes256GcmSha384, "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (CipherSuite::EcdheEcdsaChaCha20Poly1305Sha256, "ECDHE-ECDSA-CHACHA20-POLY1305"),
        (CipherSuite::EcdheRsaAes128GcmSha256, "ECDHE-RSA-AES128-GCM-SHA256"),
        (CipherSuite::EcdheRsaAes256GcmSha384, "ECDHE-RSA-AES256-GCM-SHA384"),
        (CipherSuite::EcdheRsaChaCha20Poly1305Sha256, "ECDHE-RSA-CHACHA20-POLY1305"),
    ] {
        let kind = if name.contains("RSA-") && !name.contains("ECDSA") { Kind::Rsa } else { Kind::P256 };
        assert_eq!(client_against_s_server(&Case::new(kind, &["-cipher", name])), suite);
    }
}

#[test]
fn as_client_with_either_group() {
    // OpenSSL takes our certificate only if its curve is among the groups.
    for group in ["P-256", "X25519:P-256"] {
        client_against_s_server(&Case::new(Kind::P256, &["-groups", group]));
    }
}

#[test]
fn as_client_in_small_datagrams() {
    for kind in [Kind::P256, Kind::Rsa] {
        let mut case = Case::new(kind, &["-mtu", "256"]);
        client_against_s_server(&case);
        case.our_datagram = 200;
        client_against_s_server(&case);
    }
}

#[test]
fn as_client_of_a_stateless_listener() {
    client_against_s_server(&Case::new(Kind::P256, &["-listen"]));
}

#[test]
fn as_server_with_every_suite() {
    for (suite, name) in [
        (CipherSuite::EcdheEcdsaAes128GcmSha256, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (CipherSuite::EcdheEcdsaAes256GcmSha384, "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (CipherSuite::EcdheEcdsaChaCha20Poly1305Sha256, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ] {
        assert_eq!(server_against_s_client(&Case::new(Kind::P256, &["-cipher", name])), suite);
    }
}

#[test]
fn as_server_with_either_group() {
    for group in ["P-256", "X25519:P-256"] {
        server_against_s_client(&Case::new(Kind::P256, &["-groups", group]));
    }
}

#[test]
fn as_server_of_clients_with_other_certificates() {
    // By itself OpenSSL signs with SHA-256 under a key on P-384, a pair that the providers do not verify.
    server_against_s_client(&Case::new(Kind::P384, &["-client_sigalgs", "ECDSA+SHA384"]));
    server_against_s_client(&Case::new(Kind::Rsa, &[]));
    server_against_s_client(&Case::new(Kind::Rsa, &["-client_sigalgs", "RSA+SHA512"]));
}

#[test]
fn as_server_in_small_datagrams() {
    for kind in [Kind::P256, Kind::Rsa] {
        let mut case = Case::new(kind, &["-mtu", "256"]);
        server_against_s_client(&case);
        case.our_datagram = 200;
        server_against_s_client(&case);
    }
}

#[test]
fn over_a_path_that_loses() {
    let mut case = Case::new(Kind::P256, &["-mtu", "512"]);
    case.our_datagram = 512;
    case.loss = 20;
    client_against_s_server(&case);
    server_against_s_client(&case);
}
