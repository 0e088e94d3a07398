//! Real descriptions are read and written back as they are.

use std::path::Path;

use pavane_sdp::fuzzing::session_description;
use pavane_sdp::{Attribute, Candidate, ParseError, ParseErrorKind, SessionDescription};

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

/// The lines of a text, without what is not kept of them: the case of a transport's name and of a fingerprint's digits.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(normal).collect()
}

fn normal(line: &str) -> String {
    if line.starts_with("a=candidate:") {
        return line.replace(" UDP ", " udp ").replace(" TCP ", " tcp ");
    }
    match line.strip_prefix("a=fingerprint:").and_then(|value| value.split_once(' ')) {
        Some((hash, digits)) => format!("a=fingerprint:{hash} {}", digits.to_uppercase()),
        None => line.to_owned(),
    }
}

/// Reads a text, writes it, and compares both texts and both values.
fn comes_back(name: &str, text: &str) -> Result<(), ParseError> {
    let description: SessionDescription = text.parse()?;
    let written = description.to_string();
    assert_eq!(lines(&written), lines(text), "{name}");
    assert_eq!(written.parse(), Ok(description), "{name}");
    Ok(())
}

#[test]
fn browsers_descriptions_and_the_standards_examples_come_back_as_they_are() {
    for (name, text) in files("browsers").into_iter().chain(files("jsep")) {
        comes_back(&name, &text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn odd_descriptions_come_back_as_they_are_or_are_refused_with_a_reason() {
    let refused: Vec<_> = files("sdp-transform")
        .into_iter()
        .filter_map(|(name, text)| comes_back(&name, &text).err().map(|error| (name, error.line, error.kind)))
        .collect();
    let expected = [
        // An rtpmap needs a clock rate (RFC 8866 §6.6).
        ("alac", 7, ParseErrorKind::Attribute),
        // A line with an unknown letter (RFC 8866 §5).
        ("invalid", 10, ParseErrorKind::Unexpected),
        // Excerpts that have no s= line (RFC 8866 §5.3).
        ("mediaclk-avbtp", 3, ParseErrorKind::Unexpected),
        ("mediaclk-ptp-v2-w-rate", 3, ParseErrorKind::Unexpected),
        ("mediaclk-ptp-v2", 3, ParseErrorKind::Unexpected),
        ("mediaclk-rtp", 3, ParseErrorKind::Unexpected),
        // Excerpts that have no t= line (RFC 8866 §5.9).
        ("onvif", 11, ParseErrorKind::Missing),
        ("tcp-active", 7, ParseErrorKind::Missing),
        ("tcp-passive", 7, ParseErrorKind::Missing),
    ];
    assert_eq!(refused, expected.map(|(name, line, kind)| (format!("{name}.sdp"), line, kind)));
}

#[test]
fn trickled_candidates_come_back_as_they_are() {
    for (name, text) in files("candidates") {
        for line in text.lines().filter(|line| line.starts_with("a=candidate:")) {
            let candidate: Candidate = line.parse().unwrap_or_else(|error| panic!("{name}: {line}: {error}"));
            assert_eq!(format!("a={candidate}"), normal(line), "{name}");
            assert_eq!(candidate.to_string().parse(), Ok(candidate), "{name}");
        }
    }
}

#[test]
fn mangled_descriptions_never_panic_and_what_is_read_is_written_the_same() {
    let small = |(_, text): &(String, String)| text.len() < 3000;
    let every = ["browsers", "jsep", "sdp-transform"].into_iter().flat_map(files);
    for (_, text) in every.filter(small).step_by(6) {
        let bytes = text.into_bytes();
        (0..bytes.len()).for_each(|at| session_description(&bytes[..at]));
        for at in 0..bytes.len() {
            for byte in *b" :=\n0z/" {
                let mut mangled = bytes.clone();
                mangled[at] = byte;
                session_description(&mangled);
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
