//! tokio's clock, paused: an hour of a session takes moments.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use pavane_tokio::{Builder, ChannelInit, ConnectionState, Event, Message, PeerConnection};

const HOUR: Duration = Duration::from_secs(3600);

fn peer() -> PeerConnection {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Builder::new().addresses([address]).build().expect("the loopback interface is there")
}

#[tokio::test(start_paused = true)]
async fn an_hour_passes_in_moments() {
    let (alice, bob) = (peer(), peer());
    let chat = alice.create_data_channel("chat", ChannelInit::default()).expect("it is possible");
    alice.set_local_description(None).expect("an offer is possible");
    bob.set_remote_description(alice.local_description().expect("it was just set")).expect("it is good");
    bob.set_local_description(None).expect("an answer is possible");
    alice.set_remote_description(bob.local_description().expect("it was just set")).expect("it is good");
    let channel = loop {
        if let Event::Channel(channel) = bob.next_event().await.expect("the connection lives") {
            break channel;
        }
    };
    let start = (Instant::now(), tokio::time::Instant::now());
    for minute in 0..60 {
        tokio::time::sleep(HOUR / 60).await;
        chat.send(Message::text(minute.to_string())).await.expect("the channel is open");
        assert_eq!(channel.recv().await, Some(Message::text(minute.to_string())));
    }
    assert!(start.1.elapsed() >= HOUR, "consent was kept over all of it");
    assert!(start.0.elapsed() < Duration::from_secs(30), "{:?}", start.0.elapsed());
    assert_eq!(alice.connection_state(), ConnectionState::Connected);
}
