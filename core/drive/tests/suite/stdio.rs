//! The scriptable peer, as whoever scripts it meets it: two of them joined line by line, and one joined to this process.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use pavane::{ChannelInit, Description, Message};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::EXAMPLE;
use super::suite::common::{peer, within};

/// The example's executable, which cargo puts beside the tests; made here if only this test was asked for.
fn executable() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("tests are in a folder of the profile's");
    let path = profile.join("examples").join(format!("{EXAMPLE}{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        let target = profile.parent().expect("the profile's folder is in the target folder");
        let arguments = ["build", "-p", env!("CARGO_PKG_NAME"), "--example", EXAMPLE, "--target-dir"];
        let status = std::process::Command::new(env!("CARGO")).args(arguments).arg(target).status();
        assert!(status.expect("cargo runs").success());
    }
    path
}

struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    next_id: u64,
}

impl Peer {
    async fn spawn() -> Self {
        let mut command = Command::new(executable());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the example runs");
        let output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut this = Self { input: child.stdin.take(), output, child, next_id: 0 };
        let hello = this.line().await;
        assert_eq!(hello["type"], "hello");
        assert!(hello["supports"].as_array().expect("a list").contains(&json!("data")));
        this
    }

    async fn started(start: Value) -> Self {
        let mut this = Self::spawn().await;
        this.tell(&start).await;
        this
    }

    async fn tell(&mut self, line: &Value) {
        self.tell_raw(&line.to_string()).await;
    }

    async fn tell_raw(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(format!("{line}\n").as_bytes()).await.expect("the peer reads");
    }

    async fn ask(&mut self, op: Value) -> u64 {
        self.next_id += 1;
        let mut line = op;
        line["type"] = json!("do");
        line["id"] = json!(self.next_id);
        self.tell(&line).await;
        self.next_id
    }

    async fn line(&mut self) -> Value {
        let line =
            within(20, self.output.next_line()).await.expect("the output is text").expect("the peer lives");
        serde_json::from_str(&line).expect("a line is JSON")
    }

    /// The next line of a type, with whatever comes before it passed over.
    async fn line_of(&mut self, kind: &str) -> Value {
        loop {
            match self.line().await {
                line if line["type"] == kind => return line,
                line => assert_ne!(line["type"], "error", "{line}"),
            }
        }
    }

    async fn exit(mut self) {
        let status = within(3, self.child.wait()).await.expect("it is our child");
        assert!(status.success());
    }
}

/// Two peers, with the lines of the one passed to the other while something is waited for.
struct Join([Peer; 2]);

impl Join {
    async fn start(starts: [Value; 2]) -> Self {
        let [first, second] = starts;
        Self([Peer::started(first).await, Peer::started(second).await])
    }

    /// Passes signalling on until each wanted line has come, in any order; returns them in the order asked for.
    async fn until(&mut self, wanted: &[(usize, Value)]) -> Vec<Value> {
        let mut found = vec![Value::Null; wanted.len()];
        while found.iter().any(Value::is_null) {
            let [first, second] = &mut self.0;
            let (from, line) = tokio::select! {
                line = first.line() => (0, line),
                line = second.line() => (1, line),
            };
            match line["type"].as_str() {
                Some("offer" | "answer" | "candidate") => self.0[1 - from].tell(&line).await,
                Some("error") => panic!("peer {from}: {line}"),
                _ => {}
            }
            let matching = wanted.iter().position(|(at, pattern)| *at == from && covers(&line, pattern));
            if let Some(index) = matching {
                found[index] = line;
            }
        }
        found
    }
}

/// Whether the line has all that the pattern has.
fn covers(line: &Value, pattern: &Value) -> bool {
    pattern.as_object().expect("a pattern is an object").iter().all(|(key, value)| line[key] == *value)
}

fn pattern(number: u64, size: u64) -> Vec<u8> {
    (0..size).map(|index| ((index * 7 + (index >> 8) + number) & 255) as u8).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn two_peers_talk(trickle: bool) {
    let mut join = Join::start([
        json!({"type": "start", "role": "offerer", "trickle": trickle, "onMessage": "report", "seed": 1}),
        json!({"type": "start", "role": "answerer", "trickle": trickle, "seed": 2}),
    ])
    .await;
    join.0[0].ask(json!({"op": "channel", "label": "a", "protocol": "p", "maxRetransmits": 3})).await;
    join.0[0].ask(json!({"op": "offer"})).await;
    let channel = json!({"type": "channel", "label": "a", "protocol": "p", "ordered": true,
        "maxRetransmits": 3, "maxPacketLifeTime": null});
    let open = json!({"type": "channel-open", "label": "a"});
    let connected = json!({"type": "state", "connection": "connected"});
    join.until(&[(1, channel), (0, open.clone()), (1, open), (0, connected.clone()), (1, connected)]).await;

    join.0[0].ask(json!({"op": "send", "label": "a", "text": "häng"})).await;
    join.0[0].ask(json!({"op": "send", "label": "a", "text": ""})).await;
    join.0[0].ask(json!({"op": "send", "label": "a", "pattern": {"size": 70_000, "count": 2}})).await;
    let echo = |number| {
        let hash = hex(&Sha256::digest(pattern(number, 70_000)));
        (0, json!({"type": "message", "label": "a", "size": 70_000, "sha256": hash}))
    };
    let text = |text: &str| (0, json!({"type": "message", "label": "a", "text": text}));
    join.until(&[text("häng"), text(""), echo(0), echo(1)]).await;

    let id = join.0[0].ask(json!({"op": "stats"})).await;
    let stats = join.until(&[(0, json!({"type": "done", "id": id}))]).await.remove(0);
    assert_eq!(stats["stats"]["connection"], "connected");

    join.0[0].ask(json!({"op": "close-channel", "label": "a"})).await;
    let closed = json!({"type": "channel-closed", "label": "a"});
    join.until(&[(0, closed.clone()), (1, closed)]).await;

    join.0[0].ask(json!({"op": "close"})).await;
    join.until(&[(1, json!({"type": "state", "connection": "closed"}))]).await;
    let Join([mut first, mut second]) = join;
    first.tell(&json!({"type": "quit"})).await;
    second.input = None;
    first.exit().await;
    second.exit().await;
}

#[tokio::test]
async fn two_peers_talk_with_trickled_candidates() {
    two_peers_talk(true).await;
}

#[tokio::test]
async fn two_peers_talk_with_candidates_in_the_descriptions() {
    two_peers_talk(false).await;
}

#[tokio::test]
async fn colliding_offers_end_with_both_sides_channels_open() {
    let start = |polite| json!({"type": "start", "role": "offerer", "polite": polite});
    let mut join = Join::start([start(true), start(false)]).await;
    for (index, label) in ["ours", "theirs"].into_iter().enumerate() {
        join.0[index].ask(json!({"op": "channel", "label": label})).await;
        join.0[index].ask(json!({"op": "offer"})).await;
    }
    let open = |label| json!({"type": "channel-open", "label": label});
    join.until(&[(0, open("ours")), (1, open("ours")), (0, open("theirs")), (1, open("theirs"))]).await;
}

#[tokio::test]
async fn ice_restarts_while_messages_flow() {
    let mut join = Join::start([
        json!({"type": "start", "role": "offerer", "onMessage": "report"}),
        json!({"type": "start", "role": "answerer"}),
    ])
    .await;
    join.0[0].ask(json!({"op": "channel", "label": "a"})).await;
    join.0[0].ask(json!({"op": "offer"})).await;
    join.until(&[(0, json!({"type": "channel-open"}))]).await;
    for side in [0, 1] {
        join.0[side].ask(json!({"op": "offer", "iceRestart": true})).await;
        let stable = json!({"type": "state", "signaling": "stable"});
        join.until(&[(0, stable.clone()), (1, stable)]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        join.0[0].ask(json!({"op": "send", "label": "a", "text": "after"})).await;
        join.until(&[(0, json!({"type": "message", "text": "after"}))]).await;
    }
}

#[tokio::test]
async fn a_sink_counts_and_hashes_what_another_program_sends() {
    let mut stdio = Peer::started(json!({"type": "start", "role": "answerer", "trickle": false})).await;
    let peer = peer();
    let sink = peer.create_data_channel("sink", ChannelInit::default()).expect("it is possible");
    peer.set_local_description(None).expect("an offer is possible");
    peer.gathering_complete().await;
    let offer = peer.local_description().expect("it was just set");
    stdio.tell(&json!({"type": "offer", "sdp": offer.sdp})).await;
    let answer = stdio.line_of("answer").await;
    let sdp = answer["sdp"].as_str().expect("an answer has a description");
    peer.set_remote_description(Description::answer(sdp)).expect("the answer is good");

    let mut hash = Sha256::new();
    for number in 0..32 {
        let bytes = pattern(number, 60_000);
        hash.update(&bytes);
        within(10, sink.send(Message::binary(bytes))).await.expect("the channel is open");
    }
    sink.send(Message::text("report")).await.expect("the channel is open");
    let Some(Message::Text(report)) = within(20, sink.recv()).await else { panic!("a report is a text") };
    let report: Value = serde_json::from_str(&report).expect("a report is JSON");
    assert_eq!(report, json!({"count": 32, "bytes": 32 * 60_000, "sha256": hex(&hash.finalize())}));
}

#[tokio::test]
async fn no_line_is_cut_short_by_the_end() {
    let mut join = Join::start([
        json!({"type": "start", "role": "offerer", "seed": 1}),
        json!({"type": "start", "role": "answerer", "seed": 2}),
    ])
    .await;
    let labels: Vec<_> = (0..200).map(|number| format!("channel {number}")).collect();
    for label in &labels {
        join.0[0].ask(json!({"op": "channel", "label": label})).await;
    }
    join.0[0].ask(json!({"op": "offer"})).await;
    let open = |label: &String| (0, json!({"type": "channel-open", "label": label}));
    join.until(&labels.iter().map(open).collect::<Vec<_>>()).await;

    let Join([mut first, _second]) = join;
    first.tell(&json!({"type": "quit"})).await;
    while let Some(line) = within(20, first.output.next_line()).await.expect("the output is text") {
        let line: Result<Value, _> = serde_json::from_str(&line);
        assert!(line.is_ok(), "{line:?}");
    }
    first.exit().await;
}

#[tokio::test]
async fn a_line_that_makes_no_sense_is_answered_and_changes_nothing() {
    let mut stdio = Peer::spawn().await;
    let nonsense = [
        "",
        "{",
        "[]",
        "{\"type\":7}",
        "{\"type\":\"dance\"}",
        "{\"type\":\"offer\",\"sdp\":\"v=0\"}",
        "{\"type\":\"start\",\"dtls\":\"1.3\"}",
    ];
    for line in nonsense {
        stdio.tell_raw(line).await;
        assert_eq!(stdio.line().await["type"], "error", "{line}");
    }
    stdio.tell(&json!({"type": "start", "role": "offerer", "unheard-of": [1, 2]})).await;
    for op in
        [json!({"op": "transceiver", "kind": "smell"}), json!({"op": "send", "label": "none"}), json!({})]
    {
        let id = stdio.ask(op).await;
        let answer = stdio.line().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!(id)));
    }
    stdio.tell(&json!({"type": "offer", "sdp": "nonsense"})).await;
    assert_eq!(stdio.line().await["type"], "error");
    let id = stdio.ask(json!({"op": "channel", "label": "a"})).await;
    assert!(covers(&stdio.line_of("done").await, &json!({"id": id})));
    stdio.input = None;
    stdio.exit().await;
}
