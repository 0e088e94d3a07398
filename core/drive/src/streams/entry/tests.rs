use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;

use pavane::Transport;

use super::super::session::Plain;
use super::*;

/// A stream that reads what it is told to, and takes so many bytes; without a number its peer is gone where writing is
/// concerned.
#[derive(Default)]
struct LastWords {
    to_read: RefCell<VecDeque<Vec<u8>>>,
    takes: Cell<Option<usize>>,
    written: RefCell<Vec<u8>>,
    has_ended: bool,
}

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
        let piece = self.to_read.borrow_mut().pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.takes.get().ok_or(io::ErrorKind::BrokenPipe)?;
        let len = room.min(bytes.len());
        self.takes.set(Some(room - len));
        self.written.borrow_mut().extend_from_slice(&bytes[..len]);
        if len == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(len) }
    }

    fn end_writing(&mut self) -> io::Result<()> {
        assert!(!std::mem::replace(&mut self.has_ended, true), "once");
        Ok(())
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
    entry.stream.to_read.borrow_mut().extend(words.iter().cloned());
    entry.stream.to_read.borrow_mut().push_back(Vec::new());

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

fn later(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

#[test]
fn who_leaves_writes_what_waits_and_ends_when_the_other_side_does() {
    let mut entry = at_rest();
    entry.stream.takes.set(Some(4));
    assert!(entry.send(b"first") && entry.send(b"last"));
    entry.flush();
    assert!(entry.leave(later(1)) && entry.is_leaving() && !entry.stream.has_ended);
    assert!(entry.awaits_writable() && !entry.send(b"too late"));
    assert_eq!(entry.deadline, Some(later(1) + LEAVING_PATIENCE));

    // What comes meanwhile is read, lest the socket be reset, but is nobody's.
    entry.stream.to_read.borrow_mut().push_back(vec![0, 1, 7]);
    entry.readable = true;
    assert_eq!(entry.turn(|_, _| unreachable!("nobody listens")), Ok(Turned::Idle));
    assert!(entry.stream.to_read.borrow().is_empty() && entry.awaits_readable());

    entry.stream.takes.set(Some(1000));
    entry.writable = true;
    assert_eq!(entry.turn(|_, _| unreachable!("nobody listens")), Ok(Turned::Idle));
    assert_eq!(*entry.stream.written.borrow(), b"\0\x05first\0\x04last");
    assert!(entry.stream.has_ended && !entry.awaits_writable());

    entry.stream.to_read.borrow_mut().push_back(Vec::new());
    entry.readable = true;
    assert_eq!(entry.turn(|_, _| unreachable!("nobody listens")), Err(Over));
}

#[test]
fn there_is_nothing_to_wait_for_where_nothing_can_be_said() {
    let mut entry = at_rest();
    entry.send(b"too late");
    entry.flush();
    assert!(!entry.leave(later(1)), "it cannot be written to");
    let mut entry = at_rest();
    entry.send(b"too late");
    assert!(!entry.leave(later(1)), "nor can this one, as turns out");
    let connecting =
        Entry::connecting(LastWords::default(), path(), Framing::Rfc4571, Box::new(Plain), later(15));
    assert!(!{ connecting }.leave(later(1)), "nobody is there yet");
}
