//! webrtc-rs on tokio, as it comes but for the sizes of its windows.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::BytesMut;
use cpu_time::ProcessTime;
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceGatheringState, SettingEngineBuilder,
};
use webrtc::runtime::TokioRuntime;

use super::{Amount, ECHO, OUTSTANDING, Round, SIZE};
use crate::stack::WINDOW;

type Channel = Arc<dyn DataChannel>;

/// What a connection tells.
struct Handler {
    gathered: mpsc::Sender<()>,
    channels: mpsc::Sender<Channel>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.gathered.try_send(());
        }
    }

    async fn on_data_channel(&self, channel: Channel) {
        let _ = self.channels.try_send(channel);
    }
}

struct Side {
    connection: Arc<dyn PeerConnection>,
    gathered: mpsc::Receiver<()>,
    channels: mpsc::Receiver<Channel>,
}

impl Side {
    async fn new() -> Self {
        let (give_gathered, gathered) = mpsc::channel(1);
        let (give_channel, channels) = mpsc::channel(1);
        let handler = Handler { gathered: give_gathered, channels: give_channel };
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_setting_engine(
                SettingEngineBuilder::new().with_sctp_max_receive_buffer_size(WINDOW).build(),
            )
            .with_handler(Arc::new(handler))
            .with_runtime(Arc::new(TokioRuntime))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .with_data_channel_send_buffer_limit(OUTSTANDING)
            .build()
            .await
            .unwrap();
        Self { connection: Arc::new(connection), gathered, channels }
    }

    async fn opened(channel: &Channel) {
        while !matches!(channel.poll().await.unwrap(), DataChannelEvent::OnOpen) {}
    }
}

/// Connects two peers, and measures.
pub fn run(amount: Amount) -> Round {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(amount))
}

async fn measure(amount: Amount) -> Round {
    let (mut alice, mut bob) = (Side::new().await, Side::new().await);
    let near = alice.connection.create_data_channel("bench", None).await.unwrap();
    introduce(&mut alice, &mut bob).await;
    let far = bob.channels.recv().await.unwrap();
    Side::opened(&near).await;
    transfer(&near, &far, amount.messages / 4).await;
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    transfer(&near, &far, amount.messages).await;
    let (cpu, wall) = (cpu.elapsed(), wall.elapsed());
    let echo = tokio::spawn(async move {
        while let Some(data) = receive(&far).await {
            far.send(data).await.unwrap();
        }
    });
    let mut echoes = Vec::with_capacity(amount.echoes);
    for _ in 0..amount.echoes {
        let start = Instant::now();
        near.send(BytesMut::from(&[7; ECHO][..])).await.unwrap();
        receive(&near).await.unwrap();
        echoes.push(start.elapsed());
    }
    echo.abort();
    alice.connection.close().await.unwrap();
    bob.connection.close().await.unwrap();
    Round { cpu, wall, calls: None, echoes }
}

async fn introduce(alice: &mut Side, bob: &mut Side) {
    let offer = alice.connection.create_offer(None).await.unwrap();
    alice.connection.set_local_description(offer).await.unwrap();
    alice.gathered.recv().await.unwrap();
    bob.connection.set_remote_description(alice.connection.local_description().await.unwrap()).await.unwrap();
    let answer = bob.connection.create_answer(None).await.unwrap();
    bob.connection.set_local_description(answer).await.unwrap();
    bob.gathered.recv().await.unwrap();
    alice.connection.set_remote_description(bob.connection.local_description().await.unwrap()).await.unwrap();
}

/// The next message.
async fn receive(channel: &Channel) -> Option<BytesMut> {
    loop {
        if let DataChannelEvent::OnMessage(message) = channel.poll().await? {
            return Some(message.data);
        }
    }
}

async fn transfer(near: &Channel, far: &Channel, messages: u64) {
    let sender = tokio::spawn({
        let near = near.clone();
        async move {
            for _ in 0..messages {
                near.send(BytesMut::from(&[7; SIZE][..])).await.unwrap();
            }
        }
    });
    for _ in 0..messages {
        receive(far).await.unwrap();
    }
    sender.await.unwrap();
}
