//! A TURN server that is not ours: coturn, on the loopback interface, as a child process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A running server, which ends with the test.
pub(crate) struct Server {
    process: Child,
    ports: [u16; 2],
    files: PathBuf,
    arguments: Vec<String>,
}

pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "wonderland";

/// Where coturn keeps what the REST credentials are made with.
pub(crate) const SECRET: &str = "the hatter's";

impl Server {
    /// One that knows the user, and whatever the arguments say.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let files = std::env::temp_dir().join(format!("pavane-coturn-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&files).expect("a folder for the server");
        make_certificate(&files);
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).into()).collect();
        let ports = [free_port(), free_port()];
        let process = run(&files, ports, &arguments);
        let mut server = Self { process, ports, files, arguments };
        server.started().await;
        server
    }

    /// The server's URL over UDP, TCP or TLS.
    pub(crate) fn url(&self, transport: &str) -> String {
        match transport {
            "tls" => format!("turns:localhost:{}", self.ports[1]),
            _ => format!("turn:127.0.0.1:{}?transport={transport}", self.ports[0]),
        }
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        std::fs::read(self.files.join("certificate.pem")).expect("it was just made")
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it was killed");
    }

    /// Starts it again, with nothing in memory.
    pub(crate) async fn restart(&mut self) {
        self.process = run(&self.files, self.ports, &self.arguments);
        self.started().await;
    }

    async fn started(&mut self) {
        for _ in 0..200 {
            let there = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
            if self.ports.iter().all(there) {
                return;
            }
            let ended = self.process.try_wait().expect("it is our child");
            assert!(ended.is_none(), "coturn ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("coturn does not listen: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.files.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.files);
    }
}

fn run(files: &std::path::Path, ports: [u16; 2], arguments: &[String]) -> Child {
    let log = std::fs::File::create(files.join("log")).expect("a file for the log");
    let mut command = Command::new("turnserver");
    command
        .args(["-n", "--no-cli", "--no-dtls", "--log-file=stdout", "--simple-log", "--allow-loopback-peers"])
        .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=example.org"])
        .args(["--relay-threads=1"])
        .arg(format!("--listening-port={}", ports[0]))
        .arg(format!("--tls-listening-port={}", ports[1]))
        .arg(format!("--cert={}", files.join("certificate.pem").display()))
        .arg(format!("--pkey={}", files.join("key.pem").display()))
        .arg(format!("--pidfile={}", files.join("pid").display()))
        .arg(format!("--userdb={}", files.join("users").display()))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a descriptor more"))
        .stderr(log);
    command.spawn().expect("this test needs the `turnserver` command: install the package coturn")
}

/// The argument for the user that the tests are.
pub(crate) fn known_user() -> [String; 2] {
    ["--lt-cred-mech".into(), format!("--user={USER}:{PASSWORD}")]
}

/// A port that is free for TCP and UDP, as far as one can tell.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address: SocketAddr = listener.local_addr().expect("it is bound");
        if UdpSocket::bind(address).is_ok() {
            return address.port();
        }
    }
}

/// A certificate of the server's own, for `localhost`.
fn make_certificate(files: &std::path::Path) {
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=localhost", "-days", "2"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(files.join("key.pem"))
        .arg("-out")
        .arg(files.join("certificate.pem"))
        .output()
        .expect("this test needs the `openssl` command: install the package openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
