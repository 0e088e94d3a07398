//! Transceivers: a sender and a receiver that share a section.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Key, Slab};

use super::track::{InvalidName, Track, TrackInit, check_names};
use super::{Codec, CodecParameters, ExtensionIds, FrameInbox, MediaKind, RemoteSource, random_name};
use crate::rtp::SenderKey;
use crate::sdp::Direction;

/// Names a transceiver of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransceiverId(pub(crate) Key);

/// Names a sender of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderId(pub(crate) Key);

/// Names a receiver of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiverId(pub(crate) Key);

impl TransceiverId {
    /// Its sender.
    pub const fn sender(self) -> SenderId {
        SenderId(self.0)
    }

    /// Its receiver.
    pub const fn receiver(self) -> ReceiverId {
        ReceiverId(self.0)
    }
}

impl SenderId {
    /// The transceiver that it is part of.
    pub const fn transceiver(self) -> TransceiverId {
        TransceiverId(self.0)
    }
}

impl ReceiverId {
    /// The transceiver that it is part of.
    pub const fn transceiver(self) -> TransceiverId {
        TransceiverId(self.0)
    }
}

/// What a transceiver begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RTCRtpTransceiverInit")]
pub struct TransceiverInit {
    pub(crate) direction: Direction,
    pub(crate) track: Option<TrackInit>,
    pub(crate) streams: Vec<String>,
}

impl TransceiverInit {
    /// A transceiver with this direction and without a track.
    pub const fn new(direction: Direction) -> Self {
        Self { direction, track: None, streams: Vec::new() }
    }

    /// Gives it a track, whose streams it then has.
    #[must_use]
    pub fn track(mut self, track: TrackInit) -> Self {
        self.track = Some(track);
        self
    }

    /// Puts what it sends into one more stream.
    #[must_use]
    pub fn stream(mut self, stream: impl Into<String>) -> Self {
        self.streams.push(stream.into());
        self
    }
}

impl Default for TransceiverInit {
    fn default() -> Self {
        Self::new(Direction::Sendrecv)
    }
}

/// A transceiver's state.
#[derive(Debug)]
pub(crate) struct Transceiver {
    pub(crate) kind: MediaKind,
    pub(crate) origin: Origin,
    pub(crate) life: Life,
    pub(crate) section: Option<Section>,
    /// What the application wants.
    pub(crate) direction: Direction,
    /// Whether the remote description that was set last has the peer send, as the application was told it.
    pub(crate) announced: bool,
    pub(crate) preferences: Option<Vec<Codec>>,
    pub(crate) track: Option<Track>,
    /// What names the track in descriptions, whichever it is.
    pub(crate) track_name: String,
    pub(crate) streams: Vec<String>,
    pub(crate) remote_streams: Vec<String>,
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
    /// Whether an exchange has ever had it send.
    pub(crate) has_sent: bool,
    pub(crate) agreement: Option<Agreement>,
    /// Its stream, once an exchange has had it send.
    pub(crate) sending: Option<SenderKey>,
    /// Whether packets of the peer's come.
    pub(crate) hears: bool,
    /// Where its frames wait, if the application wants frames.
    pub(crate) frames: Option<Box<FrameInbox>>,
}

/// Where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    AddTrack,
    AddTransceiver,
    /// A section of the peer's.
    Peer,
}

/// Whether it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Live,
    /// The application stopped it; the next exchange tells the peer.
    Stopping,
}

/// The section of a transceiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) index: usize,
    pub(crate) mid: String,
    /// Whether only a pending description says so.
    pub(crate) pending: bool,
}

/// What an exchange has agreed on for a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) direction: Direction,
    /// What the peer takes, the most preferred first.
    pub(crate) send: Vec<CodecParameters>,
    /// What we take.
    pub(crate) receive: Vec<CodecParameters>,
    pub(crate) send_extensions: ExtensionIds,
    pub(crate) receive_extensions: ExtensionIds,
    pub(crate) ours: OurSection,
    pub(crate) theirs: TheirSection,
}

/// What our description says of a section, as far as it may come to differ from what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OurSection {
    pub(crate) direction: Direction,
    pub(crate) streams: Vec<String>,
}

/// What the peer's description says of a section, as far as it goes on to matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TheirSection {
    /// As the peer sees it.
    pub(crate) direction: Direction,
    /// The peer's name for its track.
    pub(crate) track: Option<String>,
    pub(crate) sources: Vec<RemoteSource>,
    pub(crate) reduced_size: bool,
}

/// The transceivers of a connection, and what they have in common.
#[derive(Debug)]
pub(crate) struct Media {
    transceivers: Slab<Transceiver>,
    /// In the order of their creation.
    order: Vec<Key>,
    /// What names our clock to the peer (RFC 7022 §4.2).
    pub(crate) cname: String,
    /// When frames have something to do, or a moment before it.
    pub(crate) frames_due: Option<Instant>,
}

impl Media {
    pub(crate) fn new(rng: &mut dyn CryptoRng) -> Self {
        Self { transceivers: Slab::default(), order: Vec::new(), cname: random_name(rng), frames_due: None }
    }

    /// Makes a transceiver.
    pub(crate) fn add(
        &mut self,
        kind: MediaKind,
        init: TransceiverInit,
        origin: Origin,
        rng: &mut dyn CryptoRng,
    ) -> Result<Key, InvalidName> {
        let TransceiverInit { direction, track, mut streams } = init;
        check_names(streams.iter())?;
        let track = track.map(|track| track.into_track(rng)).transpose()?;
        streams.extend(track.iter().flat_map(|track| track.streams.iter().cloned()));
        let track_name = track.as_ref().map_or_else(|| random_name(rng), |track| track.id.clone());
        let ssrc = self.unused_ssrc(rng, None);
        let rtx_ssrc = self.unused_ssrc(rng, Some(ssrc));
        let key = self.transceivers.insert(Transceiver {
            kind,
            origin,
            life: Life::Live,
            section: None,
            direction,
            announced: false,
            preferences: None,
            track,
            track_name,
            streams,
            remote_streams: Vec::new(),
            ssrc,
            rtx_ssrc,
            has_sent: false,
            agreement: None,
            sending: None,
            hears: false,
            frames: None,
        });
        self.order.push(key);
        Ok(key)
    }

    /// Draws the sources of a transceiver anew.
    pub(crate) fn draw_ssrcs(&mut self, key: Key, rng: &mut dyn CryptoRng) {
        let ssrc = self.unused_ssrc(rng, None);
        let rtx_ssrc = self.unused_ssrc(rng, Some(ssrc));
        if let Some(transceiver) = self.transceivers.get_mut(key) {
            (transceiver.ssrc, transceiver.rtx_ssrc) = (ssrc, rtx_ssrc);
        }
    }

    fn unused_ssrc(&self, rng: &mut dyn CryptoRng, but: Option<u32>) -> u32 {
        loop {
            let ssrc = rng.next_u32();
            let taken = |transceiver: &Transceiver| [transceiver.ssrc, transceiver.rtx_ssrc].contains(&ssrc);
            if ssrc != 0 && Some(ssrc) != but && !self.iter().any(|(_, transceiver)| taken(transceiver)) {
                return ssrc;
            }
        }
    }

    /// The transceiver that a new track may use instead of one of its own: it has no track, and none was ever sent by it
    /// (W3C WebRTC §5.1, `addTrack`).
    pub(crate) fn reusable(&self, kind: MediaKind) -> Option<Key> {
        let reusable = |transceiver: &Transceiver| {
            transceiver.kind == kind
                && transceiver.track.is_none()
                && transceiver.life == Life::Live
                && !transceiver.has_sent
        };
        self.iter().find(|(_, transceiver)| reusable(transceiver)).map(|(key, _)| key)
    }

    /// All of them, in the order of their creation.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &Transceiver)> {
        self.order.iter().filter_map(|key| self.transceivers.get(*key).map(|transceiver| (*key, transceiver)))
    }

    /// All of them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut Transceiver)> {
        self.transceivers.iter_mut()
    }

    /// Those whose receivers have frames.
    pub(crate) fn receiving_frames(&self) -> Vec<Key> {
        self.iter().filter(|(_, transceiver)| transceiver.frames.is_some()).map(|(key, _)| key).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Transceiver> {
        self.transceivers.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Transceiver> {
        self.transceivers.get_mut(key)
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Transceiver> {
        self.order.retain(|known| *known != key);
        self.transceivers.remove(key)
    }

    /// The transceiver of a section.
    pub(crate) fn at(&self, section: usize) -> Option<(Key, &Transceiver)> {
        self.iter().find(|(_, transceiver)| transceiver.index() == Some(section))
    }

    /// Those that wait for a section, in the order in which they get one.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (Key, &Transceiver)> {
        let waits =
            |transceiver: &Transceiver| transceiver.section.is_none() && transceiver.life == Life::Live;
        self.iter().filter(move |(_, transceiver)| waits(transceiver))
    }

    /// Undoes what pending descriptions have done; says which transceivers are gone by that.
    pub(crate) fn roll_back(&mut self) -> Vec<Key> {
        let mut gone = Vec::new();
        for key in self.order.clone() {
            let Some(transceiver) = self.transceivers.get_mut(key) else { continue };
            if transceiver.section.as_ref().is_some_and(|section| section.pending) {
                transceiver.section = None;
                if transceiver.origin == Origin::Peer && transceiver.track.is_none() {
                    self.remove(key);
                    gone.push(key);
                }
            }
        }
        gone
    }
}

impl Transceiver {
    /// The index of its section.
    pub(crate) fn index(&self) -> Option<usize> {
        self.section.as_ref().map(|section| section.index)
    }

    /// The direction in force.
    pub(crate) fn current_direction(&self) -> Option<Direction> {
        self.agreement.as_ref().map(|agreement| agreement.direction)
    }

    /// Whether packets may be sent: the exchange has agreed on it, and the application goes on wanting it.
    pub(crate) fn sends(&self) -> bool {
        self.life == Life::Live
            && self.track.is_some()
            && self.current_direction().is_some_and(Direction::sends)
    }

    /// Whether the exchange has agreed that packets come.
    pub(crate) fn receives(&self) -> bool {
        self.life == Life::Live && self.current_direction().is_some_and(Direction::receives)
    }

    /// The streams that a description names for what it sends.
    pub(crate) fn stream_names(&self) -> impl Iterator<Item = &str> {
        let none = self.streams.is_empty().then_some("-");
        self.streams.iter().map(String::as_str).chain(none)
    }

    /// Has it send, or no longer send.
    pub(crate) const fn set_sending(&mut self, sends: bool) {
        self.direction = Direction::new(sends, self.direction.receives());
    }
}
