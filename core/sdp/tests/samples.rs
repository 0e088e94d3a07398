//! Real descriptions are read and written back as they are.

use std::path::Path;

use pavane_sdp::{Attribute, ParseErrorKind, SessionDescription};

/// The files of a folder of test data, with their names, in order.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            (path.file_name().unwrap().to_string_lossy().into_owned(), text)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

#[test]
fn browsers_descriptions_come_back_as_they_are() {
    for (name, text) in files("browsers") {
        let description: SessionDescription = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = description.to_string();
        // The case of a transport's name is the one thing that is not kept.
        let same =
            |text: &str| lines(text).join("\n").replace(" UDP 2", " udp 2").replace(" TCP 2", " tcp 2");
        assert_eq!(same(&written), same(&text), "{name}");
        assert_eq!(written.parse(), Ok(description), "{name}");
    }
}

#[test]
fn the_standards_examples_come_back_as_they_are() {
    for (name, text) in files("jsep") {
        if !name.ends_with(".sdp") && !name.ends_with(".txt") {
            continue;
        }
        let description: SessionDescription = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(description.to_string().parse(), Ok(description), "{name}");
    }
}

#[test]
fn odd_descriptions_are_read_or_refused_with_a_reason() {
    let refused = files("sdp-transform")
        .into_iter()
        .filter_map(|(name, text)| match text.parse::<SessionDescription>() {
            Ok(description) => {
                assert_eq!(description.to_string().parse(), Ok(description), "{name}");
                None
            }
            Err(error) => {
                println!("{name}: {error}");
                Some(name)
            }
        })
        .collect::<Vec<_>>();
    // One is meant to be wrong; the excerpts begin without a name, or have no time.
    let excerpts = ["mediaclk-avbtp", "mediaclk-ptp-v2-w-rate", "mediaclk-ptp-v2", "mediaclk-rtp", "onvif"];
    let without_time = ["tcp-active", "tcp-passive"];
    let expected: Vec<_> =
        ["invalid"].iter().chain(&excerpts).chain(&without_time).map(|name| format!("{name}.sdp")).collect();
    assert_eq!(refused, expected);
}

#[test]
fn mangled_descriptions_never_panic_and_what_is_read_is_written_the_same() {
    for (_, text) in files("browsers").into_iter().take(12) {
        for at in 0..text.len() {
            if let Ok(description) = text[..at].parse::<SessionDescription>() {
                assert_eq!(description.to_string().parse(), Ok(description));
            }
        }
        for at in 0..text.len().min(2500) {
            for byte in *b" :=\n0z" {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = byte;
                if let Ok(description) = String::from_utf8(bytes).unwrap().parse::<SessionDescription>() {
                    assert_eq!(description.to_string().parse(), Ok(description));
                }
            }
        }
    }
}

#[test]
fn malformed_lines_are_named() {
    let good = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
    assert!(good.parse::<SessionDescription>().is_ok());
    let table = [
        ("v=0\n", 1, ParseErrorKind::Missing),
        ("v=1\n", 1, ParseErrorKind::Version),
        ("v=0\no=- x 2 IN IP4 0.0.0.0\n", 2, ParseErrorKind::Value),
        ("v=0\ns=-\n", 2, ParseErrorKind::Unexpected),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nnonsense\n", 4, ParseErrorKind::NotALine),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nx=1\n", 4, ParseErrorKind::Unexpected),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\nm=audio\n", 5, ParseErrorKind::Value),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\na=setup:whatever\n", 5, ParseErrorKind::Attribute),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\na=fingerprint:sha-256 4\n", 5, ParseErrorKind::Attribute),
        ("v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\na=sctp-port:70000\n", 5, ParseErrorKind::Attribute),
        (
            "v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\na=candidate:1 1 udp x 1.2.3.4 5 typ host\n",
            5,
            ParseErrorKind::Attribute,
        ),
    ];
    for (text, line, kind) in table {
        let error = text.parse::<SessionDescription>().unwrap_err();
        assert_eq!((error.line, error.kind), (line, kind), "{text:?}");
    }
}

#[test]
fn what_is_unknown_stays_in_its_place() {
    let text =
        "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=x-flag\r\na=x-value:1:2 3\r\na=ice-lite\r\n";
    let description: SessionDescription = text.parse().unwrap();
    assert!(
        matches!(&description.attributes[1], Attribute::Unknown { name, value: Some(value) } if name == "x-value" && value == "1:2 3")
    );
    assert_eq!(description.to_string(), text);
}
