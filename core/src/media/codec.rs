//! Codecs: which there are, and when two descriptions mean the same one.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::MediaKind;
use crate::rtp::payload::PayloadFormat;
use crate::sdp;

/// A codec and how it is used, without the number that it has in packets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RTCRtpCodec")]
pub struct Codec {
    /// What it encodes.
    pub kind: MediaKind,
    /// Its name, as registered; its case does not matter.
    pub name: Cow<'static, str>,
    /// Ticks of its timestamps a second.
    pub clock_rate: u32,
    /// How many channels, for audio that says so.
    pub channels: Option<u8>,
    /// Its parameters, as `a=fmtp` has them; empty for none.
    pub parameters: Cow<'static, str>,
    /// The feedback that is given about it.
    pub feedback: Feedback,
}

/// A codec with its numbers in packets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RTCRtpCodecParameters")]
pub struct CodecParameters {
    /// The payload type.
    pub payload_type: u8,
    /// The payload type of its retransmissions (RFC 4588), if they have one.
    pub rtx: Option<u8>,
    /// The codec.
    pub codec: Codec,
}

/// What receivers tell senders about a codec (RFC 4585, RFC 5104).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Which packets are missing.
    pub nack: bool,
    /// That a picture was lost.
    pub pli: bool,
    /// That a whole picture is needed.
    pub fir: bool,
}

impl Feedback {
    /// None.
    pub const NONE: Self = Self { nack: false, pli: false, fir: false };
    /// What video needs.
    pub const VIDEO: Self = Self { nack: true, pli: true, fir: true };

    const fn and(self, other: Self) -> Self {
        Self { nack: self.nack && other.nack, pli: self.pli && other.pli, fir: self.fir && other.fir }
    }

    fn read(section: &sdp::MediaDescription, payload_type: u8) -> Self {
        let mut feedback = Self::NONE;
        for attribute in &section.attributes {
            let sdp::Attribute::RtcpFeedback(line) = attribute else { continue };
            match line.payload_types {
                sdp::PayloadTypes::One(one) if one != payload_type => continue,
                _ => {}
            }
            match (line.kind.as_str(), line.parameters.as_deref()) {
                ("nack", None) => feedback.nack = true,
                ("nack", Some("pli")) => feedback.pli = true,
                ("ccm", Some("fir")) => feedback.fir = true,
                _ => {}
            }
        }
        feedback
    }

    /// The lines that say so.
    pub(crate) fn lines(self, payload_type: u8) -> impl Iterator<Item = sdp::Attribute> {
        let lines =
            [(self.fir, "ccm", Some("fir")), (self.nack, "nack", None), (self.pli, "nack", Some("pli"))];
        lines.into_iter().filter(|(given, ..)| *given).map(move |(_, kind, parameters)| {
            sdp::Attribute::RtcpFeedback(sdp::RtcpFeedback {
                payload_types: sdp::PayloadTypes::One(payload_type),
                kind: kind.into(),
                parameters: parameters.map(Into::into),
            })
        })
    }
}

impl Codec {
    /// A codec for sound, without parameters.
    pub const fn audio(name: &'static str, clock_rate: u32, channels: Option<u8>) -> Self {
        Self {
            kind: MediaKind::Audio,
            name: Cow::Borrowed(name),
            clock_rate,
            channels,
            parameters: Cow::Borrowed(""),
            feedback: Feedback::NONE,
        }
    }

    /// A codec for pictures, with 90,000 ticks a second and all the feedback that there is.
    pub const fn video(name: &'static str) -> Self {
        Self {
            kind: MediaKind::Video,
            name: Cow::Borrowed(name),
            clock_rate: 90_000,
            channels: None,
            parameters: Cow::Borrowed(""),
            feedback: Feedback::VIDEO,
        }
    }

    /// The same with parameters.
    #[must_use]
    pub fn with_parameters(mut self, parameters: &'static str) -> Self {
        self.parameters = Cow::Borrowed(parameters);
        self
    }

    /// Whether it has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it only helps another codec: silence, tones, redundancy.
    pub(crate) fn is_auxiliary(&self) -> bool {
        ["CN", "telephone-event", "red", "ulpfec", "flexfec-03", "rtx"].into_iter().any(|name| self.is(name))
    }

    /// How its frames lie in packets, where we know that.
    pub fn payload_format(&self) -> Option<PayloadFormat> {
        PayloadFormat::named(&self.name, &self.parameters)
    }

    /// Its media type, such as `video/VP8`.
    #[doc(alias = "mimeType")]
    pub fn media_type(&self) -> alloc::string::String {
        alloc::format!("{}/{}", self.kind, self.name)
    }

    /// Whether what one side encodes by this description the other decodes by that one, whatever the numbers are.
    pub fn matches(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.is(&other.name)
            && self.clock_rate == other.clock_rate
            && self.channels.unwrap_or(1) == other.channels.unwrap_or(1)
            && self.has_matching_parameters(other)
    }

    /// Which parameters tell incompatible forms of a codec apart; all others are preferences of the receiver.
    fn has_matching_parameters(&self, other: &Self) -> bool {
        let same = |name, default| {
            self.parameter(name).unwrap_or(default) == other.parameter(name).unwrap_or(default)
        };
        match () {
            // RFC 6184 §8.2.2: packetization mode and profile; levels may differ where both say so, and do in practice.
            () if self.is("H264") => {
                same("packetization-mode", "0") && h264_profile(self) == h264_profile(other)
            }
            // RFC 9628 §6.
            () if self.is("VP9") => same("profile-id", "0"),
            () if self.is("AV1") => same("profile", "0"),
            // RFC 7798 §7.2.2.
            () if self.is("H265") => {
                same("profile-id", "1") && same("tier-flag", "0") && same("tx-mode", "SRST")
            }
            () => true,
        }
    }

    /// A parameter of the form `name=value`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        sdp::parameters(&self.parameters)
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value)
    }
}

/// The profile that a `profile-level-id` means (RFC 6184 §8.1): several pairs of profile and constraints mean the same.
fn h264_profile(codec: &Codec) -> Option<H264Profile> {
    // Baseline without constraints is what the parameter's absence means.
    let text = codec.parameter("profile-level-id").unwrap_or("420010");
    let id = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 6)?;
    let (profile, constraints) = ((id >> 16) as u8, (id >> 8) as u8);
    let has = |bits: u8| constraints & bits == bits;
    Some(match profile {
        0x42 if has(0x40) => H264Profile::ConstrainedBaseline,
        0x4d if has(0x80) => H264Profile::ConstrainedBaseline,
        0x58 if has(0xc0) => H264Profile::ConstrainedBaseline,
        0x42 => H264Profile::Baseline,
        0x58 if has(0x80) => H264Profile::Baseline,
        0x58 => H264Profile::Extended,
        0x4d => H264Profile::Main,
        0x64 if has(0x0c) => H264Profile::ConstrainedHigh,
        0x64 => H264Profile::High,
        0xf4 => H264Profile::High444,
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum H264Profile {
    ConstrainedBaseline,
    Baseline,
    Extended,
    Main,
    ConstrainedHigh,
    High,
    High444,
}

impl CodecParameters {
    /// Reads the codecs of a section, in their order; formats that make no sense are passed over (RFC 8829 §5.8.2).
    pub(crate) fn read(section: &sdp::MediaDescription, kind: MediaKind) -> Vec<Self> {
        let types =
            section.formats.iter().filter_map(|format| format.parse::<u8>().ok()).filter(|n| *n < 128);
        let mut codecs = Vec::<Self>::new();
        let mut retransmissions = Vec::new();
        for payload_type in types.take(MAX_FORMATS) {
            let Some(codec) = read_codec(section, kind, payload_type) else { continue };
            let apt = codec.parameter("apt").and_then(|apt| apt.parse::<u8>().ok());
            match apt {
                Some(apt) if codec.is("rtx") => retransmissions.push((apt, payload_type)),
                _ => codecs.push(Self { payload_type, rtx: None, codec }),
            }
        }
        for (apt, payload_type) in retransmissions {
            if let Some(codec) = codecs.iter_mut().find(|codec| codec.payload_type == apt) {
                codec.rtx = Some(payload_type);
            }
        }
        codecs
    }

    /// Those of `theirs` that are among `ours`, with their numbers and our parameters, in their order.
    pub(crate) fn common(theirs: &[Self], ours: &[Self]) -> Vec<Self> {
        let known = theirs.iter().filter_map(|theirs| {
            let ours = ours.iter().find(|ours| ours.codec.matches(&theirs.codec))?;
            let feedback = ours.codec.feedback.and(theirs.codec.feedback);
            Some(Self {
                payload_type: theirs.payload_type,
                rtx: theirs.rtx.filter(|_| ours.rtx.is_some()),
                codec: Codec { feedback, ..ours.codec.clone() },
            })
        });
        known.collect()
    }
}

fn read_codec(section: &sdp::MediaDescription, kind: MediaKind, payload_type: u8) -> Option<Codec> {
    let mapped = section.attributes.iter().find_map(|attribute| match attribute {
        sdp::Attribute::Rtpmap(map) if map.payload_type == payload_type => Some(map),
        _ => None,
    });
    let (name, clock_rate, channels) = match mapped {
        Some(map) => {
            let channels = map.parameters.as_deref().filter(|_| kind == MediaKind::Audio);
            (Cow::Owned(map.encoding.clone()), map.clock_rate, channels.and_then(|n| n.parse().ok()))
        }
        None => {
            let (_, name) = STATIC.into_iter().find(|(number, _)| *number == payload_type)?;
            (Cow::Borrowed(name), 8000, None)
        }
    };
    let parameters = section.attributes.iter().find_map(|attribute| match attribute {
        sdp::Attribute::Fmtp(fmtp) if fmtp.format.parse() == Ok(payload_type) => {
            Some(fmtp.parameters.clone())
        }
        _ => None,
    });
    Some(Codec {
        kind,
        name,
        clock_rate,
        // One channel is what is meant where none are told.
        channels: channels.filter(|channels| *channels != 1),
        parameters: parameters.map_or(Cow::Borrowed(""), Cow::Owned),
        feedback: Feedback::read(section, payload_type),
    })
}

/// How many formats of a section are read; there are no more payload types.
const MAX_FORMATS: usize = 128;

/// Payload types that need no `a=rtpmap` (RFC 3551 §6).
const STATIC: [(u8, &str); 4] = [(0, "PCMU"), (8, "PCMA"), (9, "G722"), (13, "CN")];

/// The codecs that are offered unless others are configured, the most preferred first, with the numbers that browsers
/// like to give them.
pub fn default_codecs() -> Vec<CodecParameters> {
    let plain = |payload_type, codec| CodecParameters { payload_type, rtx: None, codec };
    let repaired = |payload_type, rtx, codec| CodecParameters { payload_type, rtx: Some(rtx), codec };
    let h264 = |parameters| Codec::video("H264").with_parameters(parameters);
    alloc::vec![
        plain(111, Codec::audio("opus", 48_000, Some(2)).with_parameters("minptime=10;useinbandfec=1")),
        plain(9, Codec::audio("G722", 8000, None)),
        plain(0, Codec::audio("PCMU", 8000, None)),
        plain(8, Codec::audio("PCMA", 8000, None)),
        plain(110, Codec::audio("telephone-event", 48_000, None)),
        plain(126, Codec::audio("telephone-event", 8000, None)),
        repaired(96, 97, Codec::video("VP8")),
        repaired(108, 109, h264("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")),
        repaired(114, 115, h264("level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f")),
        repaired(102, 103, h264("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f")),
        repaired(104, 107, h264("level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f")),
        repaired(116, 117, h264("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f")),
        repaired(98, 99, Codec::video("VP9").with_parameters("profile-id=0")),
        repaired(100, 101, Codec::video("VP9").with_parameters("profile-id=2")),
        repaired(45, 46, Codec::video("AV1").with_parameters("level-idx=5;profile=0;tier=0")),
        repaired(
            49,
            50,
            Codec::video("H265").with_parameters("level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST")
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h264(parameters: &'static str) -> Codec {
        Codec::video("H264").with_parameters(parameters)
    }

    #[test]
    fn parameters_tell_forms_of_a_codec_apart() {
        let vp9 = |parameters| Codec::video("VP9").with_parameters(parameters);
        let opus = Codec::audio("opus", 48_000, Some(2));
        let table = [
            (vp9(""), vp9("profile-id=0"), true),
            (vp9("profile-id=2"), vp9("max-fs=12288"), false),
            (
                h264("packetization-mode=1;profile-level-id=42e01f"),
                h264("profile-level-id=42E034;packetization-mode=1"),
                true,
            ),
            (h264("packetization-mode=1;profile-level-id=42e01f"), h264("profile-level-id=42e01f"), false),
            (
                h264("packetization-mode=1;profile-level-id=42001f"),
                h264("packetization-mode=1;profile-level-id=42e01f"),
                false,
            ),
            (h264("profile-level-id=4d8028"), h264("profile-level-id=42c00c"), true),
            (h264("profile-level-id=nonsense"), h264("profile-level-id=42c00c"), false),
            (opus.clone(), opus.clone().with_parameters("stereo=1;useinbandfec=0"), true),
            (opus.clone(), Codec::audio("OPUS", 48_000, Some(2)), true),
            (opus, Codec::audio("opus", 48_000, None), false),
        ];
        for (a, b, expected) in table {
            assert_eq!(a.matches(&b), expected, "{a:?} and {b:?}");
            assert_eq!(b.matches(&a), expected, "{b:?} and {a:?}");
        }
    }
}
