//! What real encoders made: `tests/data/README.md` says how.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use pavane_rtp::payload::{H264Mode, PayloadFormat};

/// A stream of frames.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) format: PayloadFormat,
    pub(crate) clock_rate: u32,
    /// Ticks of the media clock from one frame to the next.
    pub(crate) ticks: u32,
    /// The frames, as a depacketizer makes them.
    pub(crate) frames: Vec<Bytes>,
    /// Which of them are key frames, as `ffprobe` says.
    pub(crate) keyframes: &'static [usize],
}

fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All of them.
pub(crate) fn samples() -> Vec<Sample> {
    let video = |name, format, frames| Sample {
        name,
        format,
        clock_rate: 90_000,
        ticks: 3600,
        frames,
        keyframes: &[0, 13],
    };
    let h264 = PayloadFormat::H264(H264Mode::NonInterleaved);
    let sound = |name, format, clock_rate, ticks, frames| Sample {
        name,
        format,
        clock_rate,
        ticks,
        frames,
        keyframes: &[],
    };
    vec![
        video("vp8.ivf", PayloadFormat::Vp8, ivf(&read("vp8.ivf"))),
        video("vp9.ivf", PayloadFormat::Vp9, ivf(&read("vp9.ivf"))),
        video("av1.ivf", PayloadFormat::Av1, ivf(&read("av1.ivf")).iter().map(without_delimiter).collect()),
        video("h264.264", h264, access_units(&read("h264.264"), h264_begins)),
        video("h265.265", PayloadFormat::H265, access_units(&read("h265.265"), h265_begins)),
        sound("opus.ogg", PayloadFormat::Opus, 48_000, 960, ogg(&read("opus.ogg"))),
        sound(
            "pcmu.ul",
            PayloadFormat::G711,
            8000,
            160,
            read("pcmu.ul").chunks(160).map(Bytes::copy_from_slice).collect(),
        ),
    ]
}

/// The frames of an IVF file: a header of 32 bytes, and one of 12 before each frame.
fn ivf(file: &[u8]) -> Vec<Bytes> {
    let mut rest = &file[32..];
    let mut frames = Vec::new();
    while let Some((header, behind)) = rest.split_at_checked(12) {
        let len = u32::from_le_bytes(header[..4].try_into().unwrap()) as usize;
        frames.push(Bytes::copy_from_slice(&behind[..len]));
        rest = &behind[len..];
    }
    frames
}

/// A temporal unit as it is sent.
fn without_delimiter(unit: &Bytes) -> Bytes {
    assert_eq!(unit[..2], [0x12, 0x00]);
    unit.slice(2..)
}

/// The frames of a byte stream; each unit gets a start code of four bytes.
fn access_units(stream: &[u8], begins: fn(&[u8]) -> Begins) -> Vec<Bytes> {
    let mut starts: Vec<_> =
        (0..stream.len() - 2).filter(|at| stream[*at..*at + 3] == [0, 0, 1]).map(|at| at + 3).collect();
    starts.push(stream.len() + 3);
    let mut frames: Vec<Vec<u8>> = Vec::new();
    let mut has_slice = true;
    for pair in starts.windows(2) {
        let unit = &stream[pair[0]..pair[1] - 3];
        let trailing = unit.iter().rev().take_while(|byte| **byte == 0).count();
        let unit = &unit[..unit.len() - trailing];
        let (is_slice, is_first) = match begins(unit) {
            Begins::Slice { first } => (true, first),
            Begins::Other => (false, true),
        };
        if has_slice && is_first {
            frames.push(Vec::new());
            has_slice = false;
        }
        has_slice |= is_slice;
        let frame = frames.last_mut().unwrap();
        frame.extend([0, 0, 0, 1]);
        frame.extend(unit);
    }
    frames.into_iter().map(Bytes::from).collect()
}

/// What a unit says of where a frame begins.
enum Begins {
    Slice { first: bool },
    Other,
}

fn h264_begins(unit: &[u8]) -> Begins {
    match unit[0] & 0x1f {
        1..=5 => Begins::Slice { first: unit[1] & 0x80 != 0 },
        _ => Begins::Other,
    }
}

fn h265_begins(unit: &[u8]) -> Begins {
    match unit[0] >> 1 & 0x3f {
        0..=31 => Begins::Slice { first: unit[2] & 0x80 != 0 },
        _ => Begins::Other,
    }
}

/// The packets of an Ogg file behind its two headers.
fn ogg(file: &[u8]) -> Vec<Bytes> {
    let mut rest = file;
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    while !rest.is_empty() {
        assert_eq!(&rest[..4], b"OggS");
        let count = usize::from(rest[26]);
        let (lengths, mut body) = rest[27..].split_at(count);
        for len in lengths {
            let (part, behind) = body.split_at(usize::from(*len));
            packet.extend(part);
            body = behind;
            if *len < 255 {
                packets.push(Bytes::from(std::mem::take(&mut packet)));
            }
        }
        rest = body;
    }
    packets.split_off(2)
}
