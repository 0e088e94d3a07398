//! The header extensions that are known, by their URIs.

/// A header extension that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExtensionKind {
    /// The media section's identification (RFC 9143 §15).
    Mid,
    /// The layer that a simulcast stream is (RFC 8852 §3.1).
    RtpStreamId,
    /// The layer that a retransmission stream repairs (RFC 8852 §3.2).
    RepairedRtpStreamId,
    /// How loud the packet's sound is (RFC 6464).
    AudioLevel,
    /// How loud each mixed source is (RFC 6465).
    CsrcAudioLevel,
    /// How long after its timestamp the packet was sent (RFC 5450).
    TransmissionOffset,
    /// When the packet was sent.
    AbsoluteSendTime,
    /// The packet's number in its transport.
    TransportSequence,
    /// The same, with requests for feedback.
    TransportSequenceV2,
    /// How the camera was held (3GPP TS 26.114).
    VideoOrientation,
    /// Bounds for the delay between capture and rendering.
    PlayoutDelay,
    /// When the media was captured.
    AbsoluteCaptureTime,
    /// How the frame depends on others (AV1 RTP payload format, appendix A).
    DependencyDescriptor,
    /// Whether the video is a screen or a camera's.
    VideoContentType,
    /// When the frame passed the sender's stages.
    VideoTiming,
    /// The video's colour space.
    ColorSpace,
    /// The bit rates and sizes of the layers.
    VideoLayersAllocation,
    /// A number by which a frame can be followed.
    VideoFrameTrackingId,
    /// Comfort noise inside the sound.
    InbandComfortNoise,
}

impl ExtensionKind {
    /// Every kind; `ALL[k.index()] == k`.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Mid,
        Self::RtpStreamId,
        Self::RepairedRtpStreamId,
        Self::AudioLevel,
        Self::CsrcAudioLevel,
        Self::TransmissionOffset,
        Self::AbsoluteSendTime,
        Self::TransportSequence,
        Self::TransportSequenceV2,
        Self::VideoOrientation,
        Self::PlayoutDelay,
        Self::AbsoluteCaptureTime,
        Self::DependencyDescriptor,
        Self::VideoContentType,
        Self::VideoTiming,
        Self::ColorSpace,
        Self::VideoLayersAllocation,
        Self::VideoFrameTrackingId,
        Self::InbandComfortNoise,
    ];

    /// How many kinds there are.
    pub(crate) const COUNT: usize = 19;

    /// The kind's place in [`ALL`](Self::ALL).
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// The name under which it is negotiated.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::RtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::CsrcAudioLevel => "urn:ietf:params:rtp-hdrext:csrc-audio-level",
            Self::TransmissionOffset => "urn:ietf:params:rtp-hdrext:toffset",
            Self::AbsoluteSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::TransportSequence => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::TransportSequenceV2 => "http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::AbsoluteCaptureTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
            Self::VideoContentType => "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
            Self::VideoTiming => "http://www.webrtc.org/experiments/rtp-hdrext/video-timing",
            Self::ColorSpace => "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
            Self::VideoLayersAllocation => {
                "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
            }
            Self::VideoFrameTrackingId => {
                "http://www.webrtc.org/experiments/rtp-hdrext/video-frame-tracking-id"
            }
            Self::InbandComfortNoise => "http://www.webrtc.org/experiments/rtp-hdrext/inband-cn",
        }
    }

    /// The kind that is negotiated under this name.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.uri() == uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_uri_and_place() {
        for (index, kind) in ExtensionKind::ALL.into_iter().enumerate() {
            assert_eq!(ExtensionKind::from_uri(kind.uri()), Some(kind));
            assert_eq!(kind.index(), index);
        }
        assert_eq!(ExtensionKind::from_uri("urn:example"), None);
    }
}
