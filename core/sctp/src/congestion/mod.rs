//! How much may be in flight, and how fast it may go out: the rule is an algorithm's, behind a trait; what is in flight is
//! the sender's to count.

mod accidents;
mod cubic;
mod depth;
mod filter;
mod hystart;
mod model;
mod rfc9260;
mod rivals;

use alloc::boxed::Box;
use core::fmt::Debug;
use core::time::Duration;

use pavane_base::Instant;

use self::cubic::Cubic;
use self::model::Model;
pub(crate) use self::rfc9260::Rfc9260;

/// Which algorithm decides how much may be in flight.
///
/// The default is chosen by measurement: of a link of 100 Mbit/s with 1 % of random loss and 100 ms of round trip the model
/// uses nine tenths and the others a fiftieth; without loss all of them fill it, and of a queue of two round trips the model
/// fills a twentieth where CUBIC fills three quarters of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CongestionAlgorithm {
    /// The one of RFC 9260 §7: slow start, congestion avoidance, half the window on loss.
    Rfc9260,
    /// CUBIC (RFC 9438) with HyStart++ (RFC 9406).
    Cubic,
    /// A model of the path, its rate and its shortest round trip, in the manner of BBR; it tells loss by congestion from
    /// loss by accident, and takes about as much as CUBIC of a queue that both fill.
    #[default]
    Model,
}

impl CongestionAlgorithm {
    /// Makes a controller; `packet` is how many bytes of chunks fit into one packet.
    pub(crate) fn build(self, packet: u64) -> Box<dyn CongestionController> {
        match self {
            Self::Rfc9260 => Box::new(Rfc9260::new(packet)),
            Self::Cubic => Box::new(Cubic::new(packet)),
            Self::Model => Box::new(Model::new(packet)),
        }
    }
}

/// Decides how many bytes of chunks may be in flight.
pub(crate) trait CongestionController: Debug + Send {
    /// How many bytes may be in flight.
    fn window(&self) -> u64;

    /// The window above which growth is careful.
    fn threshold(&self) -> u64;

    /// How many bytes go out in a second at most, once a round trip was measured.
    fn pacing_rate(&self, smoothed: Duration) -> u64 {
        // Twice the window in a round trip while it doubles; later a little more than it, so that the window and not the
        // pace is what counts.
        let percent = if self.window() < self.threshold() { 200 } else { 125 };
        per_second(self.window(), smoothed) / 100 * percent
    }

    /// So many bytes of chunks fit into a packet from here on.
    fn set_packet(&mut self, packet: u64);

    /// Data arrived.
    fn on_acked(&mut self, acked: &Acked);

    /// Data was lost.
    fn on_lost(&mut self, lost: &Lost);

    /// The last loss that the window was reduced for was none.
    fn on_spurious_loss(&mut self);

    /// The retransmission timer expired.
    fn on_timeout(&mut self, now: Instant);

    /// Nothing was sent for a retransmission timeout.
    fn on_idle(&mut self, now: Instant);
}

/// What one SACK says to a congestion controller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acked {
    pub(crate) now: Instant,
    /// How many bytes it acknowledged for the first time.
    pub(crate) bytes: u64,
    /// How many bytes are in flight after it.
    pub(crate) in_flight: u64,
    /// Whether a loss is being repaired that the window was reduced for.
    pub(crate) recovering: bool,
    /// Whether everything sent has been acknowledged.
    pub(crate) nothing_outstanding: bool,
    /// Whether the window, rather than the application, decided how much was sent.
    pub(crate) window_used: bool,
    /// Whether more waits for its first transmission.
    pub(crate) more_waits: bool,
    /// The round trip of what arrived last.
    pub(crate) rtt: Option<Duration>,
    /// How many bytes have arrived since the beginning.
    pub(crate) delivered: u64,
    /// How fast data arrived lately.
    pub(crate) rate: Option<RateSample>,
}

/// How fast data arrived between the sending of a chunk and its acknowledgement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateSample {
    pub(crate) bytes_per_second: u64,
    /// How many bytes had arrived when the chunk was sent.
    pub(crate) delivered_before: u64,
    /// Whether there was not enough to send to fill the window.
    pub(crate) limited: bool,
}

/// What is lost, as far as it is known at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost {
    pub(crate) now: Instant,
    pub(crate) bytes: u64,
    /// How many bytes were in flight when it was sent, all but.
    pub(crate) in_flight: u64,
    /// When the last of it was sent.
    pub(crate) sent_at: Instant,
    /// Whether it is the first loss of a flight.
    pub(crate) first: bool,
}

/// `bytes` in `time`, as bytes in a second.
pub(crate) fn per_second(bytes: u64, time: Duration) -> u64 {
    let nanos = (time.as_nanos() as u64).max(1);
    match bytes.checked_mul(NANOS) {
        Some(scaled) => scaled / nanos,
        None => (u128::from(bytes) * u128::from(NANOS) / u128::from(nanos)) as u64,
    }
}

/// How many bytes pass in `time` at a rate.
pub(crate) fn in_time(bytes_per_second: u64, time: Duration) -> u64 {
    let nanos = time.as_nanos() as u64;
    match bytes_per_second.checked_mul(nanos) {
        Some(scaled) => scaled / NANOS,
        None => (u128::from(bytes_per_second) * u128::from(nanos) / u128::from(NANOS)) as u64,
    }
}

const NANOS: u64 = 1_000_000_000;

/// Deviation: RFC 9260 §7.2.1 begins with four packets at most. Ten is what TCP begins with (RFC 6928) and what browsers'
/// SCTP does; a 16 KiB message needs one round trip less with it.
const INITIAL_PACKETS: u64 = 10;

/// The least window after a loss told by SACKs (RFC 9260 §7.2.3).
const MIN_PACKETS: u64 = 4;
