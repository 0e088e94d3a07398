//! Messages there and back, and how long they take: `echo [COUNT]`.
//!
//! A server sends back what comes on any channel of any peer behind its port; a client sends and waits, one message after
//! the other. Both are in this program, and talk over the loopback interface.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use pavane_tokio::{Builder, ChannelInit, DataChannel, Event, Message, PeerConnection};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let times = measure(count).await?;
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e6;
    println!("{count} echoes: half of them within {:.1} µs, 99 % within {:.1} µs", at(50), at(99));
    Ok(())
}

/// What each echo takes, the shortest first.
pub(crate) async fn measure(count: usize) -> Result<Vec<Duration>, Failure> {
    let here = || Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let (port, client) = (here().build_port()?, here().build()?);
    let channel = client.create_data_channel("echo", ChannelInit::default())?;
    let server = port.peer()?;
    introduce(&client, &server)?;
    tokio::spawn(serve(server));
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        let message = Message::text(number.to_string());
        let start = Instant::now();
        channel.send(message.clone()).await?;
        let echo = channel.recv().await.ok_or("the channel closed")?;
        times.push(start.elapsed());
        assert_eq!(echo, message);
    }
    times.sort_unstable();
    Ok(times)
}

/// Takes every channel that the peer opens.
async fn serve(peer: PeerConnection) {
    while let Some(event) = peer.next_event().await {
        if let Event::Channel(channel) = event {
            tokio::spawn(echo(channel));
        }
    }
}

/// Sends back what comes, until the channel closes.
async fn echo(channel: DataChannel) {
    while let Some(message) = channel.recv().await {
        if channel.send(message).await.is_err() {
            return;
        }
    }
}

/// An exchange of descriptions; with one side in another process it would go over a wire.
fn introduce(offerer: &PeerConnection, answerer: &PeerConnection) -> Result<(), Failure> {
    offerer.set_local_description(None)?;
    answerer.set_remote_description(offerer.local_description().ok_or("it was just set")?)?;
    answerer.set_local_description(None)?;
    offerer.set_remote_description(answerer.local_description().ok_or("it was just set")?)?;
    Ok(())
}
