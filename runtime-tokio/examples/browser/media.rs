//! Pictures and sound: what comes is sent back, or kept, or a clip is shown instead, as the page has it.

use std::collections::BTreeMap;
use std::error::Error;

use pavane_tokio::pavane::rtp::SequenceNumber;
use pavane_tokio::pavane::{MediaKind, SenderId, TrackInit, TransceiverId};
use pavane_tokio::{LocalTrack, PeerConnection, RemoteTrack};
use tokio::sync::watch;

use crate::clip::{Clip, Position};

/// What the program does with what it gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It sends it back.
    #[default]
    Echo,
    /// It keeps it to itself.
    Mute,
    /// It shows a clip of its own.
    Picture,
}

impl Mode {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "echo" => Some(Self::Echo),
            "mute" => Some(Self::Mute),
            "picture" => Some(Self::Picture),
            _ => None,
        }
    }
}

/// The tracks of one page.
#[derive(Default)]
pub(crate) struct Studio {
    mode: watch::Sender<Mode>,
    ours: BTreeMap<TransceiverId, LocalTrack>,
    theirs: BTreeMap<TransceiverId, RemoteTrack>,
    positions: watch::Sender<Position>,
}

impl Studio {
    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Offers to send a picture and a sound.
    pub(crate) fn offer(&mut self, peer: &PeerConnection) -> Result<(), Box<dyn Error + Send + Sync>> {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            self.send(peer, kind)?;
        }
        Ok(())
    }

    /// Gives every section that the page offers a track to send back in.
    pub(crate) fn answer(&mut self, peer: &PeerConnection) -> Result<(), Box<dyn Error + Send + Sync>> {
        let silent: Vec<_> =
            peer.transceivers().into_iter().filter(|transceiver| !transceiver.has_track).collect();
        for transceiver in silent {
            self.send(peer, transceiver.kind)?;
        }
        Ok(())
    }

    fn send(&mut self, peer: &PeerConnection, kind: MediaKind) -> Result<(), Box<dyn Error + Send + Sync>> {
        let track = peer.add_track(TrackInit::new(kind).stream("program"))?;
        if kind == MediaKind::Video {
            tokio::spawn(show(track.clone(), self.mode.subscribe(), self.positions.subscribe()));
        }
        self.ours.insert(track.transceiver(), track);
        Ok(())
    }

    /// The page sends a track.
    pub(crate) fn heard(&mut self, theirs: RemoteTrack) {
        let id = theirs.transceiver();
        let known = self.theirs.insert(id, theirs.clone()).is_some();
        if let Some(ours) = self.ours.get(&id).filter(|_| !known) {
            tokio::spawn(echo(theirs, ours.clone(), self.mode.subscribe(), self.positions.clone()));
        }
    }

    /// The page needs a key frame of what it is sent: it is to send one itself, which then comes back.
    pub(crate) fn keyframe_wanted(&self, sender: SenderId) {
        let Some(theirs) = self.theirs.get(&sender.transceiver()) else { return };
        theirs.request_keyframe();
    }
}

/// Sends back what comes, packet by packet, with gaps where something was lost on the way.
async fn echo(
    theirs: RemoteTrack,
    ours: LocalTrack,
    mode: watch::Receiver<Mode>,
    positions: watch::Sender<Position>,
) {
    // What is added to the numbers that come: after a pause they go on where the stream is.
    let mut offset = None;
    while let Some(packet) = theirs.recv().await {
        if theirs.kind() == MediaKind::Video {
            positions.send_replace(Position::of(packet.timestamp as u32, &packet.payload));
        }
        if *mode.borrow() != Mode::Echo {
            offset = None;
            continue;
        }
        let Some(next) = ours.next_sequence_number() else { continue };
        let number = packet.sequence as u16;
        let offset = *offset.get_or_insert_with(|| next.0.wrapping_sub(number));
        // Nothing is lost by a packet that cannot be sent: the next one follows.
        let _ = ours.forward(SequenceNumber(number.wrapping_add(offset)), packet.into_outgoing());
    }
}

/// Shows the clip, again and again, for as long as the page wants it. It goes on where the page's own pictures are, which
/// go on meanwhile and will be ahead of it when they are sent back again.
async fn show(ours: LocalTrack, mut mode: watch::Receiver<Mode>, positions: watch::Receiver<Position>) {
    let clip = Clip::stored();
    while mode.wait_for(|mode| *mode == Mode::Picture).await.is_ok() {
        let mut position = *positions.borrow();
        let mut ticks = tokio::time::interval(clip.frame_interval());
        for number in (0..clip.len()).cycle() {
            ticks.tick().await;
            if *mode.borrow() != Mode::Picture {
                break;
            }
            clip.send(&ours, number, &mut position);
        }
    }
}
