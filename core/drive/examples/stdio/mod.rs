//! A peer that a script drives: one JSON object a line on standard input and output.
//!
//! It makes a connection when told to `start`, takes and gives `offer`, `answer` and `candidate` lines, does what `do`
//! lines ask for (`session.rs`), and sends back what it receives (`channel.rs`). `quit` or the end of its input ends it.
//! By hand, or in a test, it joins Pavane to anything else that can hold a conversation of the same kind.
//!
//! Each adapter has an example that includes this module and gives it `Builder`, `build` and `spawn`.

mod channel;
mod media;
mod session;

use std::io::{BufRead, Write};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use async_channel::Receiver;
use futures_lite::future;
use pavane_drive::Event;
use serde_json::{Value, json};

use self::session::Session;

/// What this peer can; whoever drives it asks for nothing else.
const SUPPORTS: [&str; 12] = [
    "data",
    "audio",
    "video",
    "VP8",
    "VP9",
    "H264",
    "AV1",
    "ice-restart",
    "renegotiation",
    "glare",
    "turn",
    "dtls1.2",
];

/// How long a farewell may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the last line has been said: the process ends whatever other tasks are at, and would cut theirs short.
static ENDED: Mutex<bool> = Mutex::new(false);

/// What comes next.
enum Input {
    Line(Option<String>),
    Event(Event),
}

/// Does what the lines say until they end.
pub(crate) async fn run() {
    say(&json!({
        "type": "hello",
        "implementation": "Pavane",
        "version": env!("CARGO_PKG_VERSION"),
        "supports": SUPPORTS,
    }));
    let lines = input_lines();
    let mut session = None;
    loop {
        let line = async { Input::Line(lines.recv().await.ok()) };
        let event = async { Input::Event(next_event(&session).await) };
        match future::or(line, event).await {
            Input::Line(line) => match line.as_deref().map(parse) {
                None => break,
                Some(Err(error)) => say_error(error),
                Some(Ok((kind, _))) if kind == "quit" => break,
                Some(Ok((kind, line))) => handle(&mut session, &kind, &line).await,
            },
            Input::Event(event) => {
                if let Some(session) = &mut session {
                    session.handle_event(event);
                }
            }
        }
    }
    if let Some(session) = session {
        thread::spawn(|| {
            thread::sleep(PATIENCE);
            std::process::exit(0);
        });
        session.close();
        session.closed().await;
    }
    *ENDED.lock().unwrap_or_else(PoisonError::into_inner) = true;
}

/// Reads lines in a thread of its own, which ends with the process, whatever it waits for.
fn input_lines() -> Receiver<String> {
    let (sender, receiver) = async_channel::bounded(64);
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send_blocking(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A line is an object with a type.
fn parse(line: &str) -> Result<(String, Value), String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let kind = value["type"].as_str().ok_or("the line has no type")?.to_owned();
    Ok((kind, value))
}

async fn handle(session: &mut Option<Session>, kind: &str, line: &Value) {
    let result = match (kind, session) {
        ("start", session) => Session::start(line).map(|started| *session = Some(started)),
        (_, None) => Err("nothing was started".into()),
        ("do", Some(session)) => {
            session.handle_op(line).await;
            Ok(())
        }
        (_, Some(session)) => session.handle_signal(kind, line).await,
    };
    if let Err(error) = result {
        say_error(error);
    }
}

/// The next event; never, while there is nothing to tell or no more.
async fn next_event(session: &Option<Session>) -> Event {
    if let Some(session) = session
        && let Some(event) = session.next_event().await
    {
        return event;
    }
    std::future::pending().await
}

/// Writes a line, in one piece. If nobody reads any more, the input will soon end too.
fn say(line: &Value) {
    let line = format!("{line}\n");
    let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*ended {
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
}

fn say_error(error: impl ToString) {
    say(&json!({ "type": "error", "message": error.to_string() }));
}
