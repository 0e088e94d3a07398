//! The examples run, and do what they say.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use pavane_tokio::{Builder, ChannelInit, DataChannel, Description, Message};
use tokio::net::TcpListener;

#[path = "../examples/chat.rs"]
#[expect(dead_code, reason = "a test has no use for the example's main function")]
mod chat;

#[path = "../examples/echo.rs"]
#[expect(dead_code, reason = "a test has no use for the example's main function")]
mod echo;

#[path = "support/http.rs"]
mod http;

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it takes too long")
}

#[tokio::test]
async fn echoes_come_back() {
    let times = within(echo::measure(500)).await.expect("it works");
    assert_eq!(times.len(), 500);
    assert!(times.is_sorted());
}

/// Joins the chat as a browser does.
async fn join(url: &str) -> DataChannel {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let peer = Builder::new().addresses([address]).build().expect("the loopback interface is there");
    let chat = peer.create_data_channel("chat", ChannelInit::default()).expect("it is possible");
    peer.set_local_description(None).expect("an offer is possible");
    peer.gathering_complete().await;
    let offer = peer.local_description().expect("it was just set").sdp;
    let response = http::fetch(Request::post(format!("{url}/join")).body(Bytes::from(offer)).unwrap()).await;
    let answer = String::from_utf8(response.into_body().into()).expect("a description is text");
    peer.set_remote_description(Description::answer(answer)).expect("the answer is good");
    assert!(chat.opened().await);
    chat
}

#[tokio::test]
async fn guests_hear_each_other() {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the loopback interface is there");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(chat::serve(listener));
    let test = async {
        let (alice, bob) = (join(&url).await, join(&url).await);
        // Who has heard itself is in the room.
        bob.send(Message::text("Is anybody here?")).await.expect("the channel is open");
        assert_eq!(bob.recv().await, Some(Message::text("Is anybody here?")));
        alice.send(Message::text("Shall we dance?")).await.expect("the channel is open");
        while alice.recv().await.expect("the channel is open") != Message::text("Shall we dance?") {}
        assert_eq!(bob.recv().await, Some(Message::text("Shall we dance?")));
    };
    within(test).await;
}
