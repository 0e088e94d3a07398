//! str0m.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::channel::ChannelId;
use str0m::config::DtlsVersion;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::stack::{FRAGMENT, Peer, WINDOW, addresses};

pub struct Str0m {
    rtc: Rtc,
    start: Instant,
    channel: Option<ChannelId>,
    open: bool,
    local: SocketAddr,
    remote: SocketAddr,
    next: Option<Duration>,
    waiting: VecDeque<Vec<u8>>,
    /// Something was given to it since its outputs were drained.
    stirred: bool,
    received: u64,
}

impl Str0m {
    fn new(start: Instant, buffer: usize, local: SocketAddr, remote: SocketAddr) -> Self {
        let mut rtc = Rtc::builder()
            .set_sctp_max_buffered_amount(buffer)
            .set_sctp_max_message_size(WINDOW)
            .set_mtu(FRAGMENT + OVERHEAD..=usize::MAX)
            .set_dtls_version(DtlsVersion::Dtls12)
            .set_stats_interval(None)
            .build(start);
        rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
        Self {
            rtc,
            start,
            channel: None,
            open: false,
            local,
            remote,
            next: None,
            waiting: VecDeque::new(),
            stirred: true,
            received: 0,
        }
    }

    /// Its outputs have to be drained after each input; datagrams wait until they are asked for.
    fn drain(&mut self) {
        (self.next, self.stirred) = (None, false);
        // An error is the connection's end: what is not open by then never is.
        while let Ok(output) = self.rtc.poll_output() {
            match output {
                Output::Timeout(at) => {
                    self.next = Some(at.saturating_duration_since(self.start));
                    return;
                }
                Output::Transmit(transmit) => self.waiting.push_back(transmit.contents.into()),
                Output::Event(Event::ChannelOpen(id, _)) => {
                    self.channel = Some(id);
                    self.open = true;
                }
                Output::Event(Event::ChannelData(_)) => self.received += 1,
                Output::Event(_) => {}
            }
        }
    }
}

/// What it sets aside for the headers of DTLS and SCTP.
const OVERHEAD: usize = 48 + 40;

impl Peer for Str0m {
    const NAME: &'static str = "str0m";
    const COUNTS_IN_FLIGHT: bool = true;

    fn pair(_: u64, buffer: usize) -> (Self, Self) {
        let [a, b] = addresses();
        let start = Instant::now();
        let (mut alice, mut bob) = (Self::new(start, buffer, a, b), Self::new(start, buffer, b, a));
        let mut change = alice.rtc.sdp_api();
        change.add_channel("bench".into());
        let (offer, pending) = change.apply().unwrap();
        let answer = bob.rtc.sdp_api().accept_offer(offer).unwrap();
        alice.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        alice.handle_timeout(Duration::ZERO);
        bob.handle_timeout(Duration::ZERO);
        (alice, bob)
    }

    fn receive(&mut self, now: Duration, datagram: &mut [u8]) {
        let receive = Receive::new(Protocol::Udp, self.remote, self.local, datagram).unwrap();
        let _ = self.rtc.handle_input(Input::Receive(self.start + now, receive));
        self.drain();
    }

    fn handle_timeout(&mut self, now: Duration) {
        let _ = self.rtc.handle_input(Input::Timeout(self.start + now));
        self.drain();
    }

    /// Each asking for outputs costs it a look at all that is under way.
    fn attend(&mut self, _: Duration) {
        if self.stirred {
            self.drain();
        }
    }

    fn transmit(&mut self, _: Duration, out: &mut dyn FnMut(&[u8])) {
        for datagram in self.waiting.drain(..) {
            out(&datagram);
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        self.next
    }

    fn is_open(&self) -> bool {
        self.open
    }

    fn outstanding(&mut self, _: Duration) -> usize {
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        channel.map_or(0, |mut channel| channel.buffered_amount())
    }

    fn send(&mut self, _: Duration, message: &[u8]) -> bool {
        let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else { return false };
        self.stirred = true;
        channel.write(true, message).unwrap()
    }

    fn received(&self) -> u64 {
        self.received
    }
}
