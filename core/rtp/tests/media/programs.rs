//! GStreamer takes our packets apart, and FFmpeg decodes what we make of a browser's.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use pavane_base::{LengthPrefix, WriteExt};
use pavane_rtp::payload::{H264Mode, Packetizer, PayloadFormat};
use pavane_rtp::{Header, HeaderBuilder, PayloadType, RtpTimestamp, SequenceNumber, Ssrc};

use crate::files::{Sample, samples};
use crate::packets::{packets, receive};

/// A folder that is gone with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pavane-rtp-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is the system's to clean.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a program, and returns what it says.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; is it installed?"));
    let [said, errors] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {said}{errors}");
    format!("{said}{errors}")
}

/// A sample's packets, each behind its length (RFC 4571 §2), as others take them from a file.
fn stream(sample: &Sample, max_len: usize) -> Vec<u8> {
    let mut packetizer = Packetizer::new(sample.format, max_len);
    let (mut out, mut number) = (Vec::new(), SequenceNumber(0xfff0));
    for (index, frame) in sample.frames.iter().enumerate() {
        for part in packetizer.packetize(frame.clone()).unwrap() {
            let header = Header {
                marker: part.marker,
                payload_type: PayloadType::new(96).unwrap(),
                sequence_number: number,
                timestamp: RtpTimestamp(index as u32 * sample.ticks),
                ssrc: Ssrc(1),
            };
            out.put_prefixed(LengthPrefix::U16, |out| {
                HeaderBuilder::new(out, &header).finish();
                part.payload.write(out);
            });
            number = number.next();
        }
    }
    out
}

#[test]
fn gstreamer_gets_every_frame_as_it_was_sent() {
    for (name, encoding, depayloader) in [
        ("vp8.ivf", "VP8", "rtpvp8depay"),
        ("vp9.ivf", "VP9", "rtpvp9depay"),
        ("h264.264", "H264", "rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au"),
        ("h265.265", "H265", "rtph265depay ! video/x-h265,stream-format=byte-stream,alignment=au"),
        ("opus.ogg", "OPUS", "rtpopusdepay"),
        ("pcmu.ul", "PCMU", "rtppcmudepay"),
    ] {
        let sample = samples().into_iter().find(|sample| sample.name == name).unwrap();
        for max_len in [200, 1100] {
            let folder = Folder::new(&format!("{name}-{max_len}"));
            fs::write(folder.path("packets"), stream(&sample, max_len)).unwrap();
            let media = if sample.format.is_video() { "video" } else { "audio" };
            let pipeline = format!(
                "filesrc location={} ! application/x-rtp-stream,media={media},clock-rate={},encoding-name={encoding},\
                 payload=96 ! rtpstreamdepay ! {depayloader} ! multifilesink location={}",
                folder.path("packets"),
                sample.clock_rate,
                folder.path("%05d"),
            );
            run(Command::new("gst-launch-1.0").arg("-q").args(pipeline.split_whitespace()));
            for (number, frame) in sample.frames.iter().enumerate() {
                let received = fs::read(folder.path(&format!("{number:05}"))).unwrap();
                assert!(received == **frame, "{name} {number} at {max_len}");
            }
        }
    }
}

/// An IVF file.
fn ivf(fourcc: &[u8; 4], frames: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = b"DKIF\0\0\x20\0".to_vec();
    out.put(fourcc);
    // No size, 30 frames a second, how many is not told.
    out.put(&[[0; 4], [30, 0, 0, 0], [1, 0, 0, 0], [0; 4], [0; 4]].concat());
    for (number, frame) in (0_u64..).zip(frames) {
        out.put(&(frame.len() as u32).to_le_bytes());
        out.put(&number.to_le_bytes());
        out.put(&frame);
    }
    out
}

#[test]
fn ffmpeg_decodes_every_frame_that_a_browser_sent() {
    let h264 = PayloadFormat::H264(H264Mode::NonInterleaved);
    for (name, format, container) in [
        ("chromium-av1.rtp", PayloadFormat::Av1, Some(b"AV01")),
        ("chromium-vp9.rtp", PayloadFormat::Vp9, Some(b"VP90")),
        ("chromium-h264.rtp", h264, None),
    ] {
        let (frames, _) = receive(&packets(name), format);
        let bytes = match container {
            Some(fourcc) => ivf(fourcc, frames.iter().map(|frame| frame.data.to_vec())),
            None => frames.iter().flat_map(|frame| frame.data.to_vec()).collect(),
        };
        let folder = Folder::new(name);
        fs::write(folder.path("stream"), bytes).unwrap();
        let said = run(Command::new("ffprobe")
            .args(["-v", "error", "-count_frames", "-select_streams", "v"])
            .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
            .arg(folder.path("stream")));
        assert_eq!(said.trim(), frames.len().to_string(), "{name}");
    }
}
