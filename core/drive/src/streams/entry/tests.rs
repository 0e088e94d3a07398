use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;

use pavane::Transport;

use super::super::session::Plain;
use super::*;

/// A stream that reads what it is told to, and whose peer is gone where writing is concerned.
#[derive(Default)]
struct LastWords(RefCell<VecDeque<Vec<u8>>>);

impl Stream for LastWords {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(path().local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(path().remote)
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.borrow_mut().pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }

    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn path() -> Path {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    Path { local: address(1), remote: address(2), transport: Transport::Tcp }
}

/// A stream that was accepted, and has read all that came so far.
fn at_rest() -> Entry<LastWords> {
    let mut entry =
        Entry::accepted(LastWords::default(), path(), Framing::Rfc4571, Box::new(Plain), Instant::ZERO);
    entry.deadline = None;
    assert_eq!(entry.turn(|_, _| true), Ok(Turned::Idle));
    assert!(entry.awaits_readable());
    entry
}

#[test]
fn the_last_words_of_a_peer_that_cannot_be_written_to_are_read() {
    let mut entry = at_rest();
    // More of them than a turn has reads for, and nobody has said yet that there is something to read.
    let words: Vec<_> = (0..3 * MAX_READS as u8).map(|n| vec![0, 1, n]).collect();
    entry.stream.0.borrow_mut().extend(words.iter().cloned());
    entry.stream.0.borrow_mut().push_back(Vec::new());

    assert!(entry.send(b"too late"));
    entry.flush();
    assert!(!entry.send(b"later still") && !entry.awaits_writable());
    assert_eq!(entry.deadline, Some(Instant::ZERO), "a turn is due");
    let mut heard = Vec::new();
    let mut turns = 0;
    while entry.turn(|_, word| {
        heard.push(word.to_vec());
        true
    }) != Err(Over)
    {
        turns += 1;
        assert!(turns < 10, "it ends");
    }
    assert_eq!(heard, words.iter().map(|word| word[2..].to_vec()).collect::<Vec<_>>());
}

#[test]
fn a_stream_that_cannot_be_written_to_ends_where_there_is_nothing_to_read() {
    let mut entry = at_rest();
    assert!(entry.send(b"too late"));
    entry.flush();
    assert_eq!(entry.turn(|_, _| true), Err(Over));
}
