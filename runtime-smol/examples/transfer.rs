//! A file from one peer to another, with its progress: `transfer [FILE]`. Without a file, some megabytes of nothing.
//!
//! The sender does no more than send; that it waits while too much is buffered is what paces it.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use pavane_smol::{Builder, ChannelInit, DataChannel, Event, Message, PeerConnection};

type Failure = Box<dyn Error + Send + Sync>;

/// What a message carries: as much as every browser takes.
const PIECE: usize = 16 * 1024;

async fn send(channel: DataChannel, contents: Vec<u8>) -> Result<(), Failure> {
    channel.send(Message::text(contents.len().to_string())).await?;
    for piece in contents.chunks(PIECE) {
        channel.send(Message::binary(piece.to_vec())).await?;
    }
    Ok(())
}

async fn receive(peer: &PeerConnection) -> Result<Vec<u8>, Failure> {
    let channel = loop {
        if let Event::Channel(channel) = peer.next_event().await.ok_or("the connection ended")? {
            break channel;
        }
    };
    let Some(Message::Text(size)) = channel.recv().await else { return Err("there is no size".into()) };
    let (size, mut contents, mut tenth) = (size.parse::<usize>()?, Vec::new(), 0);
    while contents.len() < size {
        let piece = channel.recv().await.ok_or("the channel closed")?;
        contents.extend_from_slice(piece.as_bytes());
        if contents.len() * 10 / size > tenth {
            tenth = contents.len() * 10 / size;
            println!("{}0 %", tenth);
        }
    }
    Ok(contents)
}

/// An exchange of descriptions; with one side in another process it would go over a wire.
fn introduce(offerer: &PeerConnection, answerer: &PeerConnection) -> Result<(), Failure> {
    offerer.set_local_description(None)?;
    answerer.set_remote_description(offerer.local_description().ok_or("it was just set")?)?;
    answerer.set_local_description(None)?;
    offerer.set_remote_description(answerer.local_description().ok_or("it was just set")?)?;
    Ok(())
}

async fn transfer(contents: Vec<u8>) -> Result<(), Failure> {
    let builder = || Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let (sender, receiver) = (builder().build()?, builder().build()?);
    let channel = sender.create_data_channel("file", ChannelInit::default())?;
    introduce(&sender, &receiver)?;
    let sending = smol::spawn(send(channel.clone(), contents.clone()));
    let received = receive(&receiver).await?;
    sending.await?;
    assert!(received == contents, "it comes as it was sent");
    println!("{} bytes", received.len());
    Ok(())
}

pub(crate) fn main() -> Result<(), Failure> {
    let contents = match std::env::args().nth(1).filter(|argument| !argument.starts_with('-')) {
        Some(file) => std::fs::read(file)?,
        None => vec![0; 8 * 1024 * 1024],
    };
    smol::block_on(transfer(contents))
}
