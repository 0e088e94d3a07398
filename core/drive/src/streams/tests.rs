//! Tables of streams over the loopback interface.

use std::net::{TcpListener, TcpStream};

use super::*;
use crate::Std;

type Table = Streams<Std, ()>;

/// A turn of one that takes all that comes, with every stream ready to be tried again.
fn turn(table: &mut Table, now: Instant) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    for index in 0..table.count() {
        table.set_readable(index);
        table.set_writable(index);
    }
    table.turn(now, |_, _, message| {
        heard.push(message.to_vec());
        Some(())
    });
    heard
}

/// A stream between two tables, with its paths as both see it.
fn connect(first: &mut Table, second: &mut Table) -> (Path, Path) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback interface is there");
    let there = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    let (back, _) = listener.accept().expect("somebody came");
    (adopt(first, there), adopt(second, back))
}

fn adopt(table: &mut Table, stream: TcpStream) -> Path {
    stream.set_nonblocking(true).expect("it is a socket");
    let local = Stream::local_addr(&stream).expect("it is connected");
    let remote = Stream::peer_addr(&stream).expect("it is connected");
    let path = Path { local, remote, transport: Transport::Tcp };
    let mut entry = Entry::accepted(stream, path, Framing::Rfc4571, Box::new(Plain), Instant::ZERO);
    entry.deadline = None;
    assert!(table.insert(entry, Origin::Known(())));
    path
}

/// The socket's buffers are full of what the other side does not read, and hold what it sent: the last words come all the
/// same.
#[test]
fn last_words_arrive_behind_all_that_was_sent_before() {
    let (mut first, mut second) = (Table::default(), Table::default());
    let (there, back) = connect(&mut first, &mut second);
    let mut sent = 0;
    while first.send(there, &[7; 1200], None) == 0 {
        sent += 1;
    }
    assert!(sent > 256, "what the socket does not take waits");
    assert_eq!(second.send(back, &[8; 1200], None), 0);
    assert_eq!(first.send(there, b"farewell", None), 0, "there is room for a short one");
    first.close(Instant::ZERO, there);
    assert!(first.is_leaving() && first.poll_news().is_none());

    let mut heard = Vec::new();
    while first.is_leaving() {
        turn(&mut first, Instant::ZERO);
        heard.append(&mut turn(&mut second, Instant::ZERO));
    }
    assert_eq!(heard.len(), sent + 1);
    assert_eq!(heard.last().map(Vec::as_slice), Some(&b"farewell"[..]));
    assert_eq!(second.poll_news(), Some(News::Closed { owner: (), path: back }));
    assert_eq!(first.poll_news(), None);
}

#[test]
fn a_peer_that_does_not_close_is_not_waited_for_for_ever() {
    let (mut first, mut second) = (Table::default(), Table::default());
    let (there, _) = connect(&mut first, &mut second);
    first.close(Instant::ZERO, there);
    assert!(first.is_leaving());
    let due = first.poll_timeout().expect("there is a limit");
    turn(&mut first, due);
    assert!(!first.is_leaving() && first.poll_timeout().is_none());
}

/// Leaving takes a place, of which there are so many.
#[test]
fn few_are_waited_for() {
    let (mut first, mut second) = (Table::default(), Table::default());
    for _ in 0..MAX_LEAVING + 6 {
        connect(&mut first, &mut second);
    }
    first.close_all_of(Instant::ZERO, |()| true);
    assert_eq!(first.entries.iter().flatten().count(), MAX_LEAVING);
}
