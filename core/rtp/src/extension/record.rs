//! The values of all header extensions of one packet.

use super::{
    AbsoluteCaptureTime, AbsoluteSendTime, AudioLevel, ExtensionKind, ExtensionMap, FeedbackRequest,
    PlayoutDelay, TransportSequence, VideoOrientation,
};
use crate::{HeaderBuilder, Packet};

/// What a packet's header extension says, as far as the session knows it.
///
/// An empty text or an unreadable value counts as absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtensionValues<'a> {
    /// The media section's identification.
    pub mid: Option<&'a str>,
    /// The layer that a simulcast stream is.
    pub rid: Option<&'a str>,
    /// The layer that a retransmission stream repairs.
    pub repaired_rid: Option<&'a str>,
    /// How loud the sound is.
    pub audio_level: Option<AudioLevel>,
    /// When the packet was sent.
    pub absolute_send_time: Option<AbsoluteSendTime>,
    /// The packet's number in its transport.
    pub transport_sequence: Option<TransportSequence>,
    /// What feedback it asks for.
    pub feedback_request: Option<FeedbackRequest>,
    /// How the camera was held.
    pub video_orientation: Option<VideoOrientation>,
    /// Bounds for the delay.
    pub playout_delay: Option<PlayoutDelay>,
    /// When the media was captured.
    pub capture_time: Option<AbsoluteCaptureTime>,
    /// Whether the video is a screen or a camera's.
    pub video_content_type: Option<u8>,
    /// How the frame depends on others, not looked into.
    pub dependency_descriptor: Option<&'a [u8]>,
    /// The bit rates and sizes of the layers, not looked into.
    pub video_layers_allocation: Option<&'a [u8]>,
}

impl<'a> ExtensionValues<'a> {
    /// Reads the extensions of a packet.
    #[inline]
    pub fn read(packet: &Packet<'a>, map: &ExtensionMap) -> Self {
        let mut values = Self::default();
        for (id, bytes) in packet.extensions() {
            if let Some(kind) = map.kind(id) {
                values.take(kind, bytes);
            }
        }
        values
    }

    /// Reads those that tell whose a packet is.
    #[inline]
    pub(crate) fn read_names(packet: &Packet<'a>, map: &ExtensionMap) -> Self {
        use ExtensionKind::{Mid, RepairedRtpStreamId, RtpStreamId};
        let mut values = Self::default();
        for (id, bytes) in packet.extensions() {
            if let Some(kind @ (Mid | RtpStreamId | RepairedRtpStreamId)) = map.kind(id) {
                values.take(kind, bytes);
            }
        }
        values
    }

    /// Whether none of them tells whose the packet is.
    pub(crate) const fn are_nameless(&self) -> bool {
        self.mid.is_none() && self.rid.is_none() && self.repaired_rid.is_none()
    }

    fn take(&mut self, kind: ExtensionKind, bytes: &'a [u8]) {
        match kind {
            ExtensionKind::Mid => self.mid = text(bytes),
            ExtensionKind::RtpStreamId => self.rid = text(bytes),
            ExtensionKind::RepairedRtpStreamId => self.repaired_rid = text(bytes),
            ExtensionKind::AudioLevel => self.audio_level = AudioLevel::parse(bytes),
            ExtensionKind::AbsoluteSendTime => self.absolute_send_time = AbsoluteSendTime::parse(bytes),
            ExtensionKind::TransportSequence => {
                self.transport_sequence = TransportSequence::parse(bytes).or(self.transport_sequence);
            }
            ExtensionKind::TransportSequenceV2 => {
                self.transport_sequence = TransportSequence::parse(bytes).or(self.transport_sequence);
                self.feedback_request = FeedbackRequest::parse(bytes);
            }
            ExtensionKind::VideoOrientation => self.video_orientation = VideoOrientation::parse(bytes),
            ExtensionKind::PlayoutDelay => self.playout_delay = PlayoutDelay::parse(bytes),
            ExtensionKind::AbsoluteCaptureTime => self.capture_time = AbsoluteCaptureTime::parse(bytes),
            ExtensionKind::VideoContentType => self.video_content_type = bytes.first().copied(),
            ExtensionKind::DependencyDescriptor => self.dependency_descriptor = Some(bytes),
            ExtensionKind::VideoLayersAllocation => self.video_layers_allocation = Some(bytes),
            ExtensionKind::CsrcAudioLevel
            | ExtensionKind::TransmissionOffset
            | ExtensionKind::VideoTiming
            | ExtensionKind::ColorSpace
            | ExtensionKind::VideoFrameTrackingId
            | ExtensionKind::InbandComfortNoise => {}
        }
    }

    /// Adds to a header those values whose kinds the session knows; those longer than 255 bytes are left out.
    pub fn write(&self, map: &ExtensionMap, header: &mut HeaderBuilder<'_>) {
        let mut put = |kind, bytes: &[u8]| {
            if let Some(id) = map.id(kind).filter(|_| bytes.len() <= 255) {
                header.put_extension(id, bytes);
            }
        };
        // What needs the two-byte form goes first, so that nothing has to be moved for it.
        if let Some(bytes) = self.dependency_descriptor {
            put(ExtensionKind::DependencyDescriptor, bytes);
        }
        if let Some(bytes) = self.video_layers_allocation {
            put(ExtensionKind::VideoLayersAllocation, bytes);
        }
        let texts = [
            (ExtensionKind::Mid, self.mid),
            (ExtensionKind::RtpStreamId, self.rid),
            (ExtensionKind::RepairedRtpStreamId, self.repaired_rid),
        ];
        for (kind, value) in texts {
            if let Some(value) = value {
                put(kind, value.as_bytes());
            }
        }
        if let Some(level) = self.audio_level {
            put(ExtensionKind::AudioLevel, &level.to_bytes());
        }
        if let Some(time) = self.absolute_send_time {
            put(ExtensionKind::AbsoluteSendTime, &time.to_bytes());
        }
        if let Some(number) = self.transport_sequence {
            self.write_transport_sequence(number, &mut put);
        }
        if let Some(orientation) = self.video_orientation {
            put(ExtensionKind::VideoOrientation, &orientation.to_bytes());
        }
        if let Some(delay) = self.playout_delay {
            put(ExtensionKind::PlayoutDelay, &delay.to_bytes());
        }
        if let Some(time) = self.capture_time {
            put(ExtensionKind::AbsoluteCaptureTime, time.write(&mut [0; 16]));
        }
        if let Some(kind) = self.video_content_type {
            put(ExtensionKind::VideoContentType, &[kind]);
        }
    }

    fn write_transport_sequence(
        &self,
        number: TransportSequence,
        put: &mut impl FnMut(ExtensionKind, &[u8]),
    ) {
        let [a, b] = number.to_bytes();
        put(ExtensionKind::TransportSequence, &[a, b]);
        match self.feedback_request.map(FeedbackRequest::to_bytes) {
            Some([c, d]) => put(ExtensionKind::TransportSequenceV2, &[a, b, c, d]),
            None => put(ExtensionKind::TransportSequenceV2, &[a, b]),
        }
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}
