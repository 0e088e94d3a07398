//! Pictures and sound: what comes on a section goes out on it again.

use std::collections::BTreeMap;
use std::error::Error;

use pavane::rtp::SequenceNumber;
use pavane::{
    Direction, MediaKind, SenderId, StatsEntry, StatsObject, TrackInit, TransceiverId, TransceiverInit,
};
use pavane_drive::{LocalTrack, PeerConnection, RemoteTrack};
use serde_json::{Value, json};

use super::say;
use crate::spawn;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The tracks of one connection.
#[derive(Default)]
pub(crate) struct Media {
    ours: BTreeMap<TransceiverId, LocalTrack>,
    theirs: BTreeMap<TransceiverId, RemoteTrack>,
}

impl Media {
    /// Adds a transceiver of our own, with a track where it is to send.
    pub(crate) fn add(&mut self, peer: &PeerConnection, kind: MediaKind, direction: Direction) -> Result<()> {
        let mut init = TransceiverInit::new(direction);
        if direction.sends() {
            init = init.track(track(kind));
        }
        let id = peer.add_transceiver(kind, init)?;
        if let Some(ours) = peer.local_track(id) {
            self.ours.insert(id, ours);
        }
        Ok(())
    }

    /// Gives every section of an offer that takes something a track to send.
    pub(crate) fn answer(&mut self, peer: &PeerConnection) -> Result<()> {
        let silent: Vec<_> = peer
            .transceivers()
            .into_iter()
            .filter(|transceiver| !transceiver.has_track && transceiver.mid.is_some())
            .collect();
        for transceiver in silent {
            let ours = peer.add_track(track(transceiver.kind))?;
            self.ours.insert(ours.transceiver(), ours);
        }
        Ok(())
    }

    /// The peer sends a track, or says so anew.
    pub(crate) fn heard(&mut self, peer: &PeerConnection, theirs: RemoteTrack) {
        let id = theirs.transceiver();
        let mid =
            peer.transceivers().into_iter().find(|transceiver| transceiver.id == id).and_then(|t| t.mid);
        say(&json!({ "type": "track", "kind": theirs.kind().as_str(), "mid": mid }));
        let known = self.theirs.insert(id, theirs.clone()).is_some();
        if let Some(ours) = self.ours.get(&id).filter(|_| !known) {
            spawn(echo(theirs, ours.clone()));
        }
    }

    /// The peer needs a key frame of what comes back: it is to send one itself.
    pub(crate) fn keyframe_wanted(&self, sender: SenderId) {
        let Some(theirs) = self.theirs.get(&sender.transceiver()) else { return };
        theirs.request_keyframe();
    }
}

/// What the statistics of a stream that comes say.
pub(crate) fn inbound(entry: &StatsEntry) -> Option<Value> {
    let StatsObject::InboundRtp(stream) = &entry.object else { return None };
    let (mid, kind) = (&stream.mid, stream.kind.as_str());
    Some(json!({ "mid": mid, "rid": null, "kind": kind, "packets": stream.packets_received }))
}

fn track(kind: MediaKind) -> TrackInit {
    TrackInit::new(kind).stream("echo")
}

/// Sends back what comes, packet by packet, with gaps where something was lost on the way.
async fn echo(theirs: RemoteTrack, ours: LocalTrack) {
    let mut offset = None;
    while let Some(packet) = theirs.recv().await {
        let Some(next) = ours.next_sequence_number() else { continue };
        let number = packet.sequence as u16;
        let offset = *offset.get_or_insert_with(|| next.0.wrapping_sub(number));
        // Nothing is lost by a packet that cannot be sent: the next one follows.
        let _ = ours.forward(SequenceNumber(number.wrapping_add(offset)), packet.into_outgoing());
    }
}
