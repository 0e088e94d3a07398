//! Requests for key frames: not too often, and again until one comes (RFC 4585 §6.3.1, RFC 5104 §3.5.1).

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::Instant;

use crate::Ssrc;
use crate::rtcp::{IntraEntry, write_fir, write_pli};

/// How key frames are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyframeMethod {
    /// Not at all: the sender does not understand it, or there are none.
    #[default]
    None,
    /// By picture loss indications.
    Pli,
    /// By full intra requests.
    Fir,
}

/// The least time between two requests: key frames are large, and one has to come through first.
const MIN_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
pub(super) struct KeyframeRequest {
    method: KeyframeMethod,
    state: State,
    last: Option<Instant>,
    /// The number of the latest request (RFC 5104 §4.3.1.1).
    number: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// To be asked for at this moment.
    Waiting(Instant),
    /// To be asked for as soon as something can be written.
    Ready,
}

impl KeyframeRequest {
    pub(super) const fn new(method: KeyframeMethod) -> Self {
        Self { method, state: State::Idle, last: None, number: 0 }
    }

    pub(super) fn set_method(&mut self, method: KeyframeMethod) {
        self.method = method;
        if method == KeyframeMethod::None {
            self.state = State::Idle;
        }
    }

    pub(super) fn request(&mut self, now: Instant) {
        if self.state != State::Idle || self.method == KeyframeMethod::None {
            return;
        }
        // Repetitions keep the number, so that they are one request (RFC 5104 §4.3.1.1).
        self.number = self.number.wrapping_add(1);
        self.state = match self.last.map(|last| last + MIN_INTERVAL).filter(|at| *at > now) {
            Some(at) => State::Waiting(at),
            None => State::Ready,
        };
    }

    pub(super) const fn is_pending(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    pub(super) fn answered(&mut self) {
        self.state = State::Idle;
    }

    pub(super) const fn next(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(at) => Some(at),
            State::Idle | State::Ready => None,
        }
    }

    pub(super) const fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.next().is_some_and(|at| at <= now) {
            self.state = State::Ready;
        }
    }

    /// Writes the request if it is to be made, and says by which method.
    pub(super) fn write(
        &mut self,
        now: Instant,
        round_trip: Duration,
        local: Ssrc,
        media: Ssrc,
        out: &mut Vec<u8>,
    ) -> Option<KeyframeMethod> {
        if self.state != State::Ready {
            return None;
        }
        match self.method {
            KeyframeMethod::None => {}
            KeyframeMethod::Pli => write_pli(out, local, media),
            KeyframeMethod::Fir => write_fir(out, local, IntraEntry { ssrc: media, number: self.number }),
        }
        self.last = Some(now);
        // The encoder needs a moment beside the round trip.
        self.state = State::Waiting(now + (round_trip * 2).max(MIN_INTERVAL));
        Some(self.method)
    }
}
