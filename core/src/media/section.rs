//! Sections that carry media: what a remote one says, and what a local one has.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{CodecParameters, ExtensionIds, Media, MediaKind, Transceiver};
use crate::sdp::{self, Attribute, Direction, MediaDescription};

/// What a remote section says of its media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteMedia {
    pub(crate) kind: MediaKind,
    /// As the peer sees it.
    pub(crate) direction: Direction,
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) extensions: ExtensionIds,
    pub(crate) streams: Vec<String>,
    /// The peer's name for its track.
    pub(crate) track: Option<String>,
    pub(crate) sources: Vec<RemoteSource>,
    pub(crate) reduced_size: bool,
    pub(crate) multiplexed: bool,
}

/// A source that a remote section declares (RFC 5576).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RemoteSource {
    pub(crate) ssrc: u32,
    /// The source of its retransmissions.
    pub(crate) rtx: Option<u32>,
}

/// How many sources of a section are heeded.
const MAX_SOURCES: usize = 16;

/// How many streams of a section are heeded.
const MAX_STREAMS: usize = 16;

impl RemoteMedia {
    /// Reads a section; `None` for one that carries no media.
    pub(crate) fn read(session: &sdp::SessionDescription, section: &MediaDescription) -> Option<Self> {
        let kind = MediaKind::of(section)?;
        let inherited = || session.attributes.iter().find_map(Attribute::direction);
        let says = |wanted: &Attribute| section.attributes.contains(wanted);
        Some(Self {
            kind,
            direction: section.direction().or_else(inherited).unwrap_or(Direction::Sendrecv),
            codecs: CodecParameters::read(section, kind),
            extensions: ExtensionIds::read(section),
            streams: streams(section),
            track: track(section),
            sources: sources(section),
            reduced_size: says(&Attribute::RtcpRsize),
            multiplexed: says(&Attribute::RtcpMux) || says(&Attribute::RtcpMuxOnly),
        })
    }
}

/// The streams that a section's track is in (RFC 8830 §3), each once.
fn streams(section: &MediaDescription) -> Vec<String> {
    let mut streams = Vec::new();
    for attribute in &section.attributes {
        let name = match attribute {
            Attribute::Msid(msid) => Some(msid.stream.as_str()),
            // The form of RFC 8830's drafts, beside it or instead of it.
            Attribute::Ssrc(ssrc) if ssrc.name == "msid" => {
                ssrc.value.as_deref().and_then(|value| value.split(' ').next())
            }
            _ => None,
        };
        if let Some(name) = name
            && name != "-"
            && streams.len() < MAX_STREAMS
            && !streams.iter().any(|known| known == name)
        {
            streams.push(name.to_owned());
        }
    }
    streams
}

/// The name of a section's track (RFC 8830 §2).
fn track(section: &MediaDescription) -> Option<String> {
    section.attributes.iter().find_map(|attribute| match attribute {
        Attribute::Msid(msid) => msid.track.clone(),
        _ => None,
    })
}

/// The sources of a section, with those of their retransmissions.
fn sources(section: &MediaDescription) -> Vec<RemoteSource> {
    let pairs = section.attributes.iter().filter_map(|attribute| match attribute {
        Attribute::SsrcGroup(group) if group.semantics == "FID" => match group.ssrcs[..] {
            [ssrc, rtx] => Some((ssrc, rtx)),
            _ => None,
        },
        _ => None,
    });
    let pairs: Vec<_> = pairs.take(MAX_SOURCES).collect();
    let mut sources = Vec::<RemoteSource>::new();
    for attribute in &section.attributes {
        let Attribute::Ssrc(line) = attribute else { continue };
        let known = sources.iter().any(|source| source.ssrc == line.ssrc);
        let repairs = pairs.iter().any(|(_, rtx)| *rtx == line.ssrc);
        if !known && !repairs && sources.len() < MAX_SOURCES {
            let rtx = pairs.iter().find(|(ssrc, _)| *ssrc == line.ssrc).map(|(_, rtx)| *rtx);
            sources.push(RemoteSource { ssrc: line.ssrc, rtx });
        }
    }
    sources
}

/// The lines of a local section, all but those of its transport.
pub(crate) fn attributes(
    media: &Media,
    transceiver: &Transceiver,
    direction: Direction,
    codecs: &[CodecParameters],
    extensions: &ExtensionIds,
) -> Vec<Attribute> {
    let mut lines: Vec<Attribute> = extensions.lines().collect();
    lines.push(direction.into());
    if direction.sends() {
        lines.extend(transceiver.stream_names().map(|stream| {
            let track = Some(transceiver.track_name.clone());
            Attribute::Msid(sdp::Msid { stream: stream.to_owned(), track })
        }));
    }
    lines.extend([Attribute::RtcpMux, Attribute::RtcpRsize]);
    lines.extend(codecs.iter().flat_map(codec_lines));
    if direction.sends() {
        lines.extend(source_lines(media, transceiver, codecs.iter().any(|codec| codec.rtx.is_some())));
    }
    lines
}

/// The formats of a section's `m=` line.
pub(crate) fn formats(codecs: &[CodecParameters]) -> Vec<String> {
    let numbers = codecs.iter().flat_map(|codec| [Some(codec.payload_type), codec.rtx]);
    numbers.flatten().map(|number| number.to_string()).collect()
}

fn codec_lines(codec: &CodecParameters) -> Vec<Attribute> {
    let CodecParameters { payload_type, rtx, codec } = codec;
    let mut lines = alloc::vec![rtpmap(*payload_type, &codec.name, codec.clock_rate, codec.channels)];
    lines.extend(codec.feedback.lines(*payload_type));
    if !codec.parameters.is_empty() {
        lines.push(fmtp(*payload_type, codec.parameters.clone().into_owned()));
    }
    if let Some(rtx) = rtx {
        lines.push(rtpmap(*rtx, "rtx", codec.clock_rate, None));
        lines.push(fmtp(*rtx, alloc::format!("apt={payload_type}")));
    }
    lines
}

fn rtpmap(payload_type: u8, name: &str, clock_rate: u32, channels: Option<u8>) -> Attribute {
    Attribute::Rtpmap(sdp::Rtpmap {
        payload_type,
        encoding: name.to_owned(),
        clock_rate,
        parameters: channels.map(|channels| channels.to_string()),
    })
}

fn fmtp(payload_type: u8, parameters: String) -> Attribute {
    Attribute::Fmtp(sdp::Fmtp { format: payload_type.to_string(), parameters })
}

/// Our sources, for peers that route by them rather than by mid.
fn source_lines(media: &Media, transceiver: &Transceiver, rtx: bool) -> Vec<Attribute> {
    let mut ssrcs = alloc::vec![transceiver.ssrc];
    let mut lines = Vec::new();
    if rtx {
        ssrcs.push(transceiver.rtx_ssrc);
        lines.push(Attribute::SsrcGroup(sdp::SsrcGroup { semantics: "FID".into(), ssrcs: ssrcs.clone() }));
    }
    lines.extend(ssrcs.into_iter().map(|ssrc| {
        Attribute::Ssrc(sdp::Ssrc { ssrc, name: "cname".into(), value: Some(media.cname.clone()) })
    }));
    lines
}
