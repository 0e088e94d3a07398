//! Frames come out of the packets of others: `tests/data/README.md` says whose.

use pavane_rtp::Packet;
use pavane_rtp::payload::{H264Mode, PayloadFormat};

use crate::files::samples;
use crate::packets::{packets, receive};

#[test]
fn files_that_others_sent_come_out_as_they_are() {
    for (file, name) in [
        ("gstreamer-vp8.rtp", "vp8.ivf"),
        ("gstreamer-vp9.rtp", "vp9.ivf"),
        ("gstreamer-h264.rtp", "h264.264"),
        ("gstreamer-h265.rtp", "h265.265"),
        ("gstreamer-opus.rtp", "opus.ogg"),
        ("ffmpeg-vp8.rtp", "vp8.ivf"),
        ("ffmpeg-vp9.rtp", "vp9.ivf"),
        ("ffmpeg-h264.rtp", "h264.264"),
        ("ffmpeg-h265.rtp", "h265.265"),
    ] {
        let sample = samples().into_iter().find(|sample| sample.name == name).unwrap();
        let (frames, buffer) = receive(&packets(file), sample.format);
        assert_eq!(frames.len(), sample.frames.len(), "{file}: {:?}", buffer.statistics());
        for (number, (frame, expected)) in frames.iter().zip(&sample.frames).enumerate() {
            assert!(without_zeros(&frame.data) == without_zeros(expected), "{file} {number}");
            let is_key = !sample.format.is_video() || sample.keyframes.contains(&number);
            assert_eq!(frame.keyframe, is_key, "{file} {number}");
        }
    }
}

/// FFmpeg leaves zeros behind a unit, which belong to the byte stream.
fn without_zeros(frame: &[u8]) -> &[u8] {
    let zeros = frame.iter().rev().take_while(|byte| **byte == 0).count();
    &frame[..frame.len() - zeros]
}

#[test]
fn what_a_browser_sent_comes_out_in_whole_frames() {
    for (file, format, key_frames) in [
        ("chromium-av1.rtp", PayloadFormat::Av1, 1),
        ("chromium-vp9.rtp", PayloadFormat::Vp9, 1),
        ("chromium-h264.rtp", PayloadFormat::H264(H264Mode::NonInterleaved), 2),
    ] {
        let packets = packets(file);
        let marked = packets.iter().filter(|bytes| Packet::parse(bytes).unwrap().marker()).count();
        let (frames, buffer) = receive(&packets, format);
        assert_eq!(frames.len(), marked, "{file}: {:?}", buffer.statistics());
        assert_eq!(frames.iter().filter(|frame| frame.keyframe).count(), key_frames, "{file}");
        assert!(frames[0].keyframe && !buffer.needs_keyframe(), "{file}");
        let media: usize = packets.iter().map(|bytes| Packet::parse(bytes).unwrap().payload().len()).sum();
        let data: usize = frames.iter().map(|frame| frame.data.len()).sum();
        assert!(data > media * 9 / 10 && data < media * 11 / 10, "{file}: {data} of {media}");
    }
}
