//! One stream.
//!
//! ```text
//!   Connecting ── there is a peer ──▶ Securing ── the session's handshake is over ──▶ Open ── writing fails ──▶ Draining
//!        │                              │                                             │ │                        │
//!        │                              │                   nobody wants it any more  ▼ │                        │
//!        │                              │            Leaving ── all is written ──▶ Left │                        │
//!        │                              │               │                           │   │                        │
//!        └──────────────────────────────┴───────────────┴── error, end, patience ───┴───┴────────────────────────┴──▶ gone
//! ```
//!
//! A peer that goes says why, and closes: what is written from then on fails, while its last words may wait to be read. Who
//! goes has the other side read its last words before the socket is closed: a socket that is closed with something unread is
//! reset, and what it had still to send is lost (RFC 1122 §4.2.2.13).

use std::io;
use std::time::Duration;

use pavane::{Framing, Instant, Path};

use super::Stream;
use super::frames::{Backlog, Deframer, header_len};
use super::session::{Broken, Session};

/// A stream, what it has brought, and what waits for it.
pub(super) struct Entry<S> {
    pub(super) stream: S,
    pub(super) path: Path,
    /// When it is given up unless something has come of it.
    pub(super) deadline: Option<Instant>,
    pub(super) readable: bool,
    pub(super) writable: bool,
    stage: Stage,
    session: Box<dyn Session>,
    framing: Framing,
    deframer: Deframer,
    backlog: Backlog,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Securing,
    Open,
    /// Nothing can be sent any more. What came before that is still read.
    Draining,
    /// What waits is still written, and what comes is nobody's.
    Leaving,
    /// All is written, and the other side has been told. It is its turn to close.
    Left,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// There is nothing to do for the moment.
    Idle,
    /// There is more to read.
    More,
    /// Messages can be sent from here on.
    Opened,
}

/// The stream is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over;

impl From<Broken> for Over {
    fn from(_: Broken) -> Self {
        Self
    }
}

/// How long the other side may take to read our last words and close.
const LEAVING_PATIENCE: Duration = Duration::from_secs(2);

/// Reads in a turn; others want theirs too.
const MAX_READS: usize = 4;

/// Bytes in a read: some messages of the usual size.
const READ_SIZE: usize = 16 * 1024;

impl<S: Stream> Entry<S> {
    /// A stream that is connecting.
    pub(super) fn connecting(
        stream: S,
        path: Path,
        framing: Framing,
        session: Box<dyn Session>,
        deadline: Instant,
    ) -> Self {
        Self {
            stream,
            path,
            deadline: Some(deadline),
            readable: false,
            writable: false,
            stage: Stage::Connecting,
            session,
            framing,
            deframer: Deframer::new(framing),
            backlog: Backlog::default(),
        }
    }

    /// A stream that was accepted.
    pub(super) fn accepted(
        stream: S,
        path: Path,
        framing: Framing,
        session: Box<dyn Session>,
        deadline: Instant,
    ) -> Self {
        let connecting = Self::connecting(stream, path, framing, session, deadline);
        Self { stage: Stage::Open, readable: true, writable: true, ..connecting }
    }

    pub(super) fn awaits_readable(&self) -> bool {
        !self.readable && self.stage != Stage::Connecting
    }

    pub(super) const fn awaits_writable(&self) -> bool {
        let wants_to_write = match self.stage {
            Stage::Connecting => true,
            Stage::Securing | Stage::Open | Stage::Leaving => !self.backlog.is_empty(),
            Stage::Draining | Stage::Left => false,
        };
        !self.writable && wants_to_write
    }

    /// Whether it ends by itself, once all that has come is read.
    pub(super) fn is_draining(&self) -> bool {
        self.stage == Stage::Draining
    }

    /// Goes on as far as that goes, within a budget, and gives each message that comes to `take`, which says whether the
    /// stream is welcome.
    pub(super) fn turn(&mut self, mut take: impl FnMut(Path, &mut [u8]) -> bool) -> Result<Turned, Over> {
        if self.is_leaving() {
            return self.turn_leaving();
        }
        if !self.connect()? {
            return Ok(Turned::Idle);
        }
        let mut turned = Turned::More;
        for _ in 0..MAX_READS {
            if !self.read()? {
                turned = Turned::Idle;
                break;
            }
            while matches!(self.stage, Stage::Open | Stage::Draining)
                && let Some(message) = self.deframer.next().map_err(|_| Over)?
            {
                if !take(self.path, message) {
                    return Err(Over);
                }
            }
            if self.stage == Stage::Securing && self.session.is_established() {
                break;
            }
        }
        self.flush();
        if self.stage == Stage::Securing && self.session.is_established() {
            self.stage = Stage::Open;
            self.deadline = None;
            turned = Turned::Opened;
        }
        match self.stage {
            Stage::Draining if !self.readable => Err(Over),
            _ => Ok(turned),
        }
    }

    /// Sends a message in its frame, or keeps it until the socket takes it; false if it is dropped: the stream is not open, or
    /// does not take what waits already.
    pub(super) fn send(&mut self, message: &[u8]) -> bool {
        let Ok(len) = u16::try_from(message.len()) else { return false };
        if self.stage != Stage::Open || !self.backlog.has_room_for(message.len()) {
            return false;
        }
        let header = &len.to_be_bytes()[..header_len(self.framing)];
        let out = self.backlog.tail();
        self.session.seal(header, out).and_then(|()| self.session.seal(message, out)).is_ok()
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn flush(&mut self) {
        if !self.is_draining() && self.write().is_err() {
            self.drain();
        }
    }

    fn write(&mut self) -> io::Result<()> {
        while self.writable && !self.backlog.is_empty() {
            match self.stream.try_write(self.backlog.pending()) {
                Ok(len) => self.backlog.sent(len),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Has the next turn, which is due at once, read to the end.
    fn drain(&mut self) {
        self.stage = Stage::Draining;
        self.readable = true;
        self.deadline = Some(Instant::ZERO);
    }

    /// Says farewell, as far as the socket takes that at once.
    pub(super) fn end(mut self) {
        self.say_farewell();
        self.flush();
    }

    /// Says farewell, and goes when the other side has heard it; false if there is nothing to wait for.
    pub(super) fn leave(&mut self, now: Instant) -> bool {
        if self.stage != Stage::Open {
            return false;
        }
        self.say_farewell();
        self.stage = Stage::Leaving;
        self.deadline = Some(now + LEAVING_PATIENCE);
        self.finish_writing().is_ok()
    }

    pub(super) const fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Leaving | Stage::Left)
    }

    fn say_farewell(&mut self) {
        if self.stage == Stage::Open {
            self.session.close(self.backlog.tail());
        }
    }

    fn turn_leaving(&mut self) -> Result<Turned, Over> {
        self.finish_writing().map_err(|_| Over)?;
        let mut buffer = [0; READ_SIZE];
        for _ in 0..MAX_READS {
            if self.read_some(&mut buffer)?.is_none() {
                return Ok(Turned::Idle);
            }
        }
        Ok(Turned::More)
    }

    /// Writes what waits, as far as the socket takes it; when that was all, says so.
    fn finish_writing(&mut self) -> io::Result<()> {
        self.write()?;
        if self.stage == Stage::Leaving && self.backlog.is_empty() {
            self.stage = Stage::Left;
            self.stream.end_writing()?;
        }
        Ok(())
    }

    /// Whether there is a peer. Once there is, the session begins.
    fn connect(&mut self) -> Result<bool, Over> {
        if self.stage != Stage::Connecting || !self.writable {
            return Ok(self.stage != Stage::Connecting);
        }
        if !matches!(self.stream.take_error(), Ok(None)) {
            return Err(Over);
        }
        if self.stream.peer_addr().is_err() {
            // It was woken before anything was decided.
            self.writable = false;
            return Ok(false);
        }
        self.session.handle(&[], &mut |_| {}, self.backlog.tail())?;
        self.stage = Stage::Securing;
        self.readable = true;
        Ok(true)
    }

    /// Reads once; returns whether there may be more.
    fn read(&mut self) -> Result<bool, Over> {
        let mut buffer = [0; READ_SIZE];
        let Some(came) = self.read_some(&mut buffer)? else { return Ok(false) };
        let Self { session, deframer, backlog, .. } = self;
        let result = session.handle(came, &mut |plain| deframer.append(plain), backlog.tail());
        if result.is_err() {
            // What was wrong, if there is an alert that says so.
            self.flush();
        }
        Ok(result.map(|()| true)?)
    }

    /// Reads once; `None` if there is nothing.
    fn read_some<'b>(&mut self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Over> {
        while self.readable {
            match self.stream.try_read(buffer) {
                Ok(0) => return Err(Over),
                Ok(len) => return Ok(Some(&buffer[..len])),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Over),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
