//! Thousands of peers behind one port: what they weigh at rest, what they cost, how long an echo takes, and what strangers
//! and a peer that misbehaves do to that.
//!
//! The server is this process; its clients, with a socket each, are a second one that it starts. Signalling is lines of
//! JSON between the two.

use std::alloc::System;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use pavane_drive::{Clock, Task, default_provider, system_rng};
use pavane_tokio::pavane::{MediaKind, TrackInit};
use pavane_tokio::{
    Builder, ChannelInit, Config, DataChannel, Description, Event, Message, PeerConnection, Port, Tokio,
};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures a port with many peers and prints tables in Markdown.
#[derive(Parser)]
struct Arguments {
    /// How many peers are connected.
    #[arg(long, default_value_t = 5000)]
    peers: usize,
    /// How many of them echo.
    #[arg(long, default_value_t = 200)]
    echoes: usize,
    /// How long each figure is watched, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often the echoes are measured, with the flood and without it by turns.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Datagrams of strangers, each from an address of its own.
    #[arg(long, default_value_t = 1_000_000)]
    strangers: u32,
    /// Each peer has tracks of sound and pictures, too, which are at rest.
    #[arg(long)]
    media: bool,
    /// Be the clients.
    #[arg(long, hide = true)]
    clients: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match arguments.clients {
        true => runtime.block_on(clients()),
        false => runtime.block_on(server(&arguments)),
    }
}

/// The other process.
struct Clients {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Clients {
    fn start() -> Self {
        let this = std::env::current_exe().expect("a program knows where it is");
        let mut child = Command::new(this)
            .arg("--clients")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it is executable");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, input, output }
    }

    /// Asks, and lets the server's task go on until there is an answer.
    async fn ask(&mut self, question: Value) -> Value {
        writeln!(self.input, "{question}").expect("the clients live");
        tokio::task::yield_now().await;
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the clients live");
        serde_json::from_str(&line).expect("an answer is JSON")
    }

    /// Asks what takes its time; the server's task goes on meanwhile.
    async fn ask_patiently(mut self, question: Value) -> (Self, Value) {
        let task = tokio::task::spawn_blocking(move || {
            writeln!(self.input, "{question}").expect("the clients live");
            let mut line = String::new();
            self.output.read_line(&mut line).expect("the clients live");
            (self, serde_json::from_str(&line).expect("an answer is JSON"))
        });
        task.await.expect("no panic")
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process uses.
#[derive(Clone, Copy)]
struct Usage {
    heap: usize,
    resident: usize,
    cpu: Duration,
}

fn usage() -> Usage {
    const PAGE: usize = 4096;
    const TICK: Duration = Duration::from_millis(10);
    let stats = ALLOCATOR.stats();
    let field = |file: &str, index: usize| -> usize {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.split_whitespace().nth(index).and_then(|field| field.parse().ok()).unwrap_or(0)
    };
    let ticks = field("/proc/self/stat", 13) + field("/proc/self/stat", 14);
    Usage {
        heap: stats.bytes_allocated - stats.bytes_deallocated,
        resident: field("/proc/self/statm", 1) * PAGE,
        cpu: TICK * ticks as u32,
    }
}

/// Datagrams that the system has dropped for want of room in a socket's buffer, on this machine, ever.
fn overflows() -> u64 {
    let text = std::fs::read_to_string("/proc/net/snmp").unwrap_or_default();
    let mut lines = text.lines().filter(|line| line.starts_with("Udp:"));
    let (Some(names), Some(figures)) = (lines.next(), lines.next()) else { return 0 };
    let column = names.split(' ').position(|name| name == "RcvbufErrors");
    column.and_then(|column| figures.split(' ').nth(column)?.parse().ok()).unwrap_or(0)
}

async fn server(arguments: &Arguments) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let port = Builder::new().addresses([address]).build_port().expect("the loopback interface is there");
    let address = port.addresses()[0].address;
    let mut clients = Clients::start();
    let before = usage();
    let start = Instant::now();
    let mut peers = Vec::with_capacity(arguments.peers);
    for number in 0..arguments.peers {
        peers.push(connect(&port, &mut clients, number, arguments.media).await);
    }
    let opened = peers.iter().map(|(_, channel)| channel.opened());
    for opened in opened {
        assert!(opened.await, "a channel did not open");
    }
    // An application takes its events.
    peers.iter().for_each(|(peer, _)| while peer.try_next_event().is_some() {});
    let connected = usage();
    println!("\n{} peers behind {address} connected in {:.1?}", arguments.peers, start.elapsed());
    println!(
        "set-up, both descriptions included: {:.2?} of CPU each",
        (connected.cpu - before.cpu) / arguments.peers as u32
    );

    let quiet = Duration::from_secs(arguments.seconds);
    tokio::time::sleep(quiet).await;
    let rest = usage();
    tokio::time::sleep(quiet).await;
    let end = usage();
    let each = |figure: usize, before: usize| figure.saturating_sub(before) / arguments.peers;
    println!(
        "heap at rest: {} bytes each; resident: {} bytes each",
        each(end.heap, before.heap),
        each(end.resident, before.resident)
    );
    println!(
        "CPU at rest: {:.2} % of one core",
        100.0 * (end.cpu - rest.cpu).as_secs_f64() / quiet.as_secs_f64()
    );

    for (_, channel) in peers.iter().take(arguments.echoes) {
        tokio::spawn(echo(channel.clone()));
    }
    let (mut quiet, mut flooded) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        for (rounds, flood) in [(&mut quiet, false), (&mut flooded, true)] {
            let (back, round) = measured(arguments, clients, address, flood).await;
            clients = back;
            rounds.push(round);
        }
    }
    print_echoes(arguments, &quiet, &flooded);

    let from = usage();
    let sent = tokio::task::spawn_blocking({
        let count = arguments.strangers;
        move || strangers(address, count)
    });
    let elapsed = sent.await.expect("no panic");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let to = usage();
    println!(
        "\n{} strangers in {elapsed:.1?}: heap {} bytes before, {} after; resident {} and {}; table of {} entries, {} \
         dropped at a glance",
        arguments.strangers,
        from.heap,
        to.heap,
        from.resident,
        to.resident,
        port.counters().table,
        port.counters().unknown
    );
}

/// What a round of echoes came to.
struct Round {
    p50: f64,
    p99: f64,
    /// The share of a core that the server took.
    cpu: f64,
    /// Datagrams that the system had no buffer for.
    overflowed: u64,
}

/// Has the clients measure echoes, while one of them floods or not.
async fn measured(
    arguments: &Arguments,
    clients: Clients,
    port: SocketAddr,
    flood: bool,
) -> (Clients, Round) {
    let Arguments { echoes, seconds, .. } = arguments;
    let question = json!({"echo": echoes, "seconds": seconds, "flood": flood, "port": port.port()});
    let (from, overflowed) = (usage().cpu, overflows());
    let (clients, answer) = clients.ask_patiently(question).await;
    let round = Round {
        p50: answer["p50"].as_f64().unwrap_or(f64::NAN),
        p99: answer["p99"].as_f64().unwrap_or(f64::NAN),
        cpu: (usage().cpu - from).as_secs_f64() / *seconds as f64,
        overflowed: overflows() - overflowed,
    };
    (clients, round)
}

/// Prints the medians over the rounds. Rounds with the flood and without it alternate, and each is compared with its
/// neighbour: what else the machine does then concerns both.
fn print_echoes(arguments: &Arguments, quiet: &[Round], flooded: &[Round]) {
    println!(
        "\n| {} peers echo 100 bytes 50 times a second, {} rounds | p50 | p99 | server's CPU | no buffer for |",
        arguments.echoes,
        quiet.len()
    );
    println!("|---|---|---|---|---|");
    for (what, rounds) in [("alone", quiet), ("while another floods garbage", flooded)] {
        println!(
            "| {what} | {:.0} µs | {:.0} µs | {:.1} % | {} datagrams |",
            median(rounds.iter().map(|round| round.p50)),
            median(rounds.iter().map(|round| round.p99)),
            100.0 * median(rounds.iter().map(|round| round.cpu)),
            rounds.iter().map(|round| round.overflowed).sum::<u64>()
        );
    }
    let ratios = quiet.iter().zip(flooded).map(|(quiet, flooded)| flooded.p99 / quiet.p99);
    println!("\nthe flood makes the p99 {:.2} times what it is without", median(ratios));
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

async fn connect(
    port: &Port,
    clients: &mut Clients,
    number: usize,
    media: bool,
) -> (PeerConnection, DataChannel) {
    let peer = port.peer().expect("the configuration is good");
    for kind in [MediaKind::Audio, MediaKind::Video].into_iter().filter(|_| media) {
        peer.add_track(TrackInit::new(kind)).expect("it is possible");
    }
    let channel = peer.create_data_channel("rest", ChannelInit::default()).expect("it is possible");
    peer.set_local_description(None).expect("an offer is possible");
    peer.gathering_complete().await;
    let offer = peer.local_description().expect("it was just set");
    let answer = clients.ask(json!({"offer": offer.sdp, "number": number})).await;
    let sdp = answer["answer"].as_str().expect("an answer has a description");
    peer.set_remote_description(Description::answer(sdp)).expect("the answer is good");
    while peer.try_next_event().is_some() {}
    (peer, channel)
}

async fn echo(channel: DataChannel) {
    while let Some(message) = channel.recv().await {
        if channel.send(message).await.is_err() {
            break;
        }
    }
}

/// Sends datagrams that look like requests, each from an address of its own.
fn strangers(to: SocketAddr, count: u32) -> Duration {
    let start = Instant::now();
    let request =
        [&[0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[0, 6, 0, 9], b"none:here", &[0; 3]].concat();
    for number in 0..count {
        let source = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number);
        if let Ok(socket) = UdpSocket::bind((source, 0)) {
            let _ = socket.send_to(&request, to);
        }
    }
    start.elapsed()
}

/// The second process: answers offers, then echoes when it is told to.
async fn clients() {
    let mut rng = system_rng().expect("the system has entropy");
    let config = Config::new(default_provider(), &mut *rng, &Clock::system().epoch());
    let mut peers = Vec::new();
    let (lines, mut inbox) = tokio::sync::mpsc::channel(64);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = lines.blocking_send(line);
        }
    });
    while let Some(line) = inbox.recv().await {
        let line: Value = serde_json::from_str(&line).expect("a question is JSON");
        let answer = match line["offer"].as_str() {
            Some(offer) => json!({"answer": answer(&config, offer, &mut peers).await}),
            None => measure(&line, &peers).await,
        };
        println!("{answer}");
    }
}

async fn answer(config: &Config, offer: &str, peers: &mut Vec<Client>) -> String {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let builder = Builder::with_config(config.clone()).addresses([address]);
    let (driver, peer) = builder.into_driver().expect("a socket for each");
    let socket = driver.socket(0).get_ref().as_fd().try_clone_to_owned().expect("a descriptor more");
    tokio::spawn(Task::<Tokio, _>::new(driver));
    peer.set_remote_description(Description::offer(offer)).expect("the offer is good");
    peer.set_local_description(None).expect("an answer is possible");
    peer.gathering_complete().await;
    let sdp = peer.local_description().expect("it was just set").sdp;
    let (give, channel) = tokio::sync::watch::channel(None);
    tokio::spawn({
        let peer = peer.clone();
        async move {
            while let Some(event) = peer.next_event().await {
                if let Event::Channel(channel) = event {
                    let _ = give.send(Some(channel));
                }
            }
        }
    });
    peers.push(Client { socket: socket.into(), channel });
    sdp
}

struct Client {
    /// The socket of the connection, for sending what the connection would not.
    socket: UdpSocket,
    channel: tokio::sync::watch::Receiver<Option<DataChannel>>,
}

/// Sends at a steady pace on some channels, and tells what the echoes took.
async fn measure(question: &Value, peers: &[Client]) -> Value {
    let count = question["echo"].as_u64().unwrap_or(0) as usize;
    let seconds = question["seconds"].as_u64().unwrap_or(1);
    let flooding = question["flood"] == true;
    let flood = flooding.then(|| {
        let socket = peers[count].socket.try_clone().expect("a descriptor more");
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, question["port"].as_u64().unwrap_or(0) as u16));
        flood(socket, to, Duration::from_secs(seconds))
    });
    let mut tasks = Vec::new();
    for (index, client) in peers.iter().take(count).enumerate() {
        let channel = client.channel.borrow().clone().expect("the channel is open");
        let delay = Duration::from_millis(20) * index as u32 / count as u32;
        tasks.push(tokio::spawn(pings(channel, delay, seconds)));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("no panic"));
    }
    if let Some(flood) = flood {
        flood.join().expect("no panic");
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_micros() as u64;
    json!({"p50": at(50), "p99": at(99)})
}

async fn pings(channel: DataChannel, delay: Duration, seconds: u64) -> Vec<Duration> {
    tokio::time::sleep(delay).await;
    let mut times = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..50 * seconds {
        ticks.tick().await;
        let start = Instant::now();
        channel.send(Message::binary(vec![7; 100])).await.expect("the channel is open");
        channel.recv().await.expect("the channel is open");
        times.push(start.elapsed());
    }
    times
}

/// Has garbage come from a peer's own address: 20,000 datagrams a second that look like records.
fn flood(socket: UdpSocket, to: SocketAddr, time: Duration) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let garbage = [&[23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 4, 0][..], &[0x5a; 1024]].concat();
        let start = Instant::now();
        while start.elapsed() < time {
            for _ in 0..20 {
                let _ = socket.send_to(&garbage, to);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}
