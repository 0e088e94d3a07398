//! Frames of real encoders go into packets, over networks that lose and reorder them, and come out as they were.

mod files;
mod others;
mod packets;
mod programs;
mod way;

use std::time::Duration;

use pavane_rtp::frame::Kind;
use pavane_rtp::payload::{Begins, Depacketizer, H264Mode, Packetizer, PayloadFormat};

use files::{Sample, samples};
use way::{Network, Way};

fn sample(name: &str) -> Sample {
    samples().into_iter().find(|sample| sample.name == name).unwrap()
}

#[test]
fn every_frame_comes_out_of_its_packets_as_it_went_in() {
    for sample in samples() {
        let is_video = sample.format.is_video();
        assert!(sample.frames.len() >= 25, "{}: {} frames", sample.name, sample.frames.len());
        for max_len in [64, 200, 321, 1100, 1400].into_iter().filter(|max_len| is_video || *max_len > 160) {
            let mut packetizer = Packetizer::new(sample.format, max_len);
            let mut depacketizer = Depacketizer::new(sample.format);
            for (number, frame) in sample.frames.iter().enumerate() {
                let context = format!("{} {number} at {max_len}", sample.name);
                let parts: Vec<_> = packetizer.packetize(frame.clone()).unwrap().collect();
                let (mut whole, mut most, mut key) = (Vec::new(), 0, false);
                for (index, part) in parts.iter().enumerate() {
                    let payload = part.payload.to_bytes();
                    let descriptor = sample.format.describe(&payload).unwrap();
                    assert!(!payload.is_empty() && payload.len() <= max_len, "{context}");
                    assert!(!is_video || part.marker == (index + 1 == parts.len()), "{context}");
                    assert_ne!(
                        descriptor.begins,
                        if index == 0 { Begins::No } else { Begins::Yes },
                        "{context}"
                    );
                    (most, key) = (most + descriptor.media_len, key | descriptor.keyframe);
                    depacketizer.push(&payload, &mut whole).unwrap();
                }
                depacketizer.finish().unwrap();
                assert!(whole == **frame, "{context}");
                assert_eq!(key, !is_video || sample.keyframes.contains(&number), "{context}");
                assert!((frame.len()..frame.len() + 8).contains(&most), "{context}: {most}");
            }
        }
    }
}

#[test]
fn the_packets_of_a_large_frame_are_of_nearly_one_size() {
    for name in ["vp8.ivf", "vp9.ivf", "av1.ivf"] {
        let sample = sample(name);
        let frame = &sample.frames[0];
        let parts = Packetizer::new(sample.format, 1100).packetize(frame.clone()).unwrap();
        let lens: Vec<_> = parts.map(|part| part.payload.len()).collect();
        let (least, most) = (lens.iter().min().unwrap(), lens.iter().max().unwrap());
        assert!(most - least <= 8, "{name}: {lens:?}");
        assert!(lens.len() <= frame.len().div_ceil(1090), "{name}: {lens:?}");
    }
}

#[test]
fn units_of_h264_are_not_divided_in_single_unit_mode() {
    // RFC 6184 §6.2
    let sample = sample("h264.264");
    let single = PayloadFormat::H264(H264Mode::SingleUnit);
    let mut packetizer = Packetizer::new(single, 3000);
    let parts: Vec<_> = packetizer.packetize(sample.frames[0].clone()).unwrap().collect();
    assert!(parts.len() >= 5, "parameter sets, information and slices, each in its own: {}", parts.len());
    assert!(parts.iter().all(|part| (1..24).contains(&(part.payload.pieces().1[0] & 0x1f))));
    packetizer.set_max_len(500);
    packetizer.packetize(sample.frames[0].clone()).unwrap_err();
}

/// Ten seconds or so of a sample.
fn repeated(sample: &Sample) -> usize {
    sample.frames.len() * 8
}

#[test]
fn what_is_lost_comes_again_where_it_is_asked_for() {
    for sample in samples() {
        for (seed, loss) in [(1, 5), (2, 20)] {
            let network = Network { loss, jitter: Duration::from_millis(15), seed };
            let mut way = Way::new(&sample, network, true);
            way.run(repeated(&sample));
            let context = format!("{} at {loss} %", sample.name);
            assert!(way.lost_media > 2, "{context}");
            assert_eq!(way.received.len(), repeated(&sample), "{context}: {:?}", way.frames.statistics());
            way.check_frames();
            assert_eq!(way.keyframes_wanted, 0, "{context}");
            assert_eq!(way.frames.statistics().packets_lost, 0, "{context}");
        }
    }
}

#[test]
fn nothing_incomplete_comes_out_where_what_is_lost_stays_lost() {
    for sample in samples() {
        for (seed, loss) in [(3, 5), (4, 20)] {
            let network = Network { loss, jitter: Duration::from_millis(15), seed };
            let mut way = Way::new(&sample, network, false);
            way.run(repeated(&sample));
            let context = format!("{} at {loss} %", sample.name);
            // Of large key frames none may come whole.
            let least = if sample.format.is_video() && loss > 5 { 1 } else { 30 };
            assert!(way.received.len() >= least && way.lost_media > 2, "{context}: {}", way.received.len());
            way.check_frames();
            way.check_decodable();
            let lost: u64 = way.received.iter().map(|frame| frame.lost_packets).sum();
            let statistics = way.frames.statistics();
            match way.frames.config().kind {
                Kind::Video => assert!(way.keyframes_wanted > 0, "{context}"),
                Kind::Audio => {
                    assert_eq!(way.keyframes_wanted, 0, "{context}");
                    let whole = way.received.len() as u64 + lost;
                    assert!((repeated(&sample) as u64).abs_diff(whole) < 10, "{context}: {statistics:?}");
                }
            }
            assert_eq!(statistics.packets_malformed, 0, "{context}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_frames_at_the_same_moments() {
    let run = || {
        let network = Network { loss: 10, jitter: Duration::from_millis(30), seed: 5 };
        let sample = sample("vp8.ivf");
        let mut way = Way::new(&sample, network, true);
        way.run(100);
        way.received
    };
    assert_eq!(run(), run());
}
