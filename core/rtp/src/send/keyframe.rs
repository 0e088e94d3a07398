//! Key frames that receivers want.

use core::time::Duration;

use pavane_base::Instant;

use crate::Ssrc;

/// The least time between two wishes that are passed on: many receivers ask at once, and key frames are large.
const MIN_INTERVAL: Duration = Duration::from_millis(300);

/// What receivers want, passed on to whoever encodes.
#[derive(Debug, Default)]
pub(super) struct KeyframeDemand {
    state: State,
    last: Option<Instant>,
    /// The last request, by which its repetitions are known.
    last_request: Option<(Ssrc, u8)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    None,
    /// Wanted, but the last one is too short ago.
    Later(Instant),
    Wanted,
}

impl KeyframeDemand {
    pub(super) fn is_new(&mut self, from: Ssrc, number: u8) -> bool {
        self.last_request.replace((from, number)) != Some((from, number))
    }

    pub(super) fn demand(&mut self, now: Instant) {
        if self.state != State::None {
            return;
        }
        self.state = match self.last.map(|last| last + MIN_INTERVAL).filter(|at| *at > now) {
            Some(at) => State::Later(at),
            None => self.pass_on(now),
        };
    }

    fn pass_on(&mut self, now: Instant) -> State {
        self.last = Some(now);
        State::Wanted
    }

    pub(super) fn take(&mut self) -> bool {
        let wanted = self.state == State::Wanted;
        if wanted {
            self.state = State::None;
        }
        wanted
    }

    pub(super) const fn next(&self) -> Option<Instant> {
        match self.state {
            State::Later(at) => Some(at),
            State::None | State::Wanted => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.next().is_some_and(|at| at <= now) {
            self.state = self.pass_on(now);
        }
    }
}
