//! The payload formats, by their names in descriptions.

use super::descriptor::{Descriptor, Malformed};
use super::h264::H264;
use super::h265::H265;
use super::{av1, g711, nal, opus, vp8, vp9};

/// Whether H.264's units may be joined and divided (RFC 6184 §6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum H264Mode {
    /// A packet is a unit: `packetization-mode=0`, or none named.
    #[default]
    SingleUnit,
    /// Small units may be joined and large ones divided: `packetization-mode=1`.
    NonInterleaved,
}

/// How a codec's frames go in packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadFormat {
    /// Opus (RFC 7587). A frame is a packet of Opus.
    Opus,
    /// G.711, of either law (RFC 3551 §4.5.14). A frame is a run of samples.
    G711,
    /// VP8 (RFC 7741).
    Vp8,
    /// VP9 (RFC 9628). A frame is a picture, with all of its spatial layers.
    Vp9,
    /// H.264 (RFC 6184). A frame is an access unit, as a byte stream with start codes.
    H264(H264Mode),
    /// H.265 (RFC 7798). A frame is an access unit, as a byte stream with start codes.
    H265,
    /// AV1. A frame is a temporal unit: OBUs with sizes, without a temporal delimiter.
    Av1,
}

impl PayloadFormat {
    /// The format of a codec that a description names, as in `a=rtpmap` and `a=fmtp`.
    pub fn named(encoding: &str, parameters: &str) -> Option<Self> {
        let is = |name: &&(&str, Self)| encoding.eq_ignore_ascii_case(name.0);
        match NAMES.iter().find(is)?.1 {
            Self::H264(_) => h264_mode(parameters).map(Self::H264),
            format => Some(format),
        }
    }

    /// Whether it is a video codec's: a lost frame makes those behind it useless, up to a key frame.
    pub const fn is_video(self) -> bool {
        !matches!(self, Self::Opus | Self::G711)
    }

    /// Reads what a payload says of the frame that it belongs to.
    ///
    /// # Errors
    /// If it is not what the format prescribes.
    pub fn describe(self, payload: &[u8]) -> Result<Descriptor, Malformed> {
        match self {
            Self::Opus => opus::describe(payload),
            Self::G711 => g711::describe(payload),
            Self::Vp8 => vp8::describe(payload),
            Self::Vp9 => vp9::describe(payload),
            Self::H264(_) => nal::describe::<H264>(payload),
            Self::H265 => nal::describe::<H265>(payload),
            Self::Av1 => av1::describe(payload),
        }
    }

    /// Whether a payload shows that it belongs to a key frame; for forwarding servers, which look at the first packets of
    /// frames.
    pub fn is_keyframe(self, payload: &[u8]) -> bool {
        self.describe(payload).is_ok_and(|descriptor| descriptor.keyframe)
    }
}

const NAMES: [(&str, PayloadFormat); 8] = [
    ("opus", PayloadFormat::Opus),
    ("PCMU", PayloadFormat::G711),
    ("PCMA", PayloadFormat::G711),
    ("VP8", PayloadFormat::Vp8),
    ("VP9", PayloadFormat::Vp9),
    ("H264", PayloadFormat::H264(H264Mode::SingleUnit)),
    ("H265", PayloadFormat::H265),
    ("AV1", PayloadFormat::Av1),
];

/// RFC 6184 §8.1: without the parameter a packet is a unit. The interleaved mode is nobody's.
fn h264_mode(parameters: &str) -> Option<H264Mode> {
    let mut pairs = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let mode = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("packetization-mode"));
    match mode.map_or("0", |(_, value)| value.trim()) {
        "0" => Some(H264Mode::SingleUnit),
        "1" => Some(H264Mode::NonInterleaved),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_names() {
        assert_eq!(PayloadFormat::named("OPUS", "minptime=10"), Some(PayloadFormat::Opus));
        assert_eq!(PayloadFormat::named("pcma", ""), Some(PayloadFormat::G711));
        assert_eq!(PayloadFormat::named("rtx", "apt=96"), None);
        let h264 = |parameters| PayloadFormat::named("H264", parameters);
        let [single, joined] = [H264Mode::SingleUnit, H264Mode::NonInterleaved].map(PayloadFormat::H264);
        // RFC 6184 §8.1
        assert_eq!(
            h264("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
            Some(joined)
        );
        assert_eq!(h264("profile-level-id=42e01f; packetization-mode=0"), Some(single));
        assert_eq!(h264(""), Some(single));
        assert_eq!(h264("packetization-mode=2"), None);
    }
}
