//! How much may be in flight: the rule is an algorithm's, behind a trait; what is in flight is the sender's to count.

mod rfc9260;

use alloc::boxed::Box;
use core::fmt::Debug;

use pavane_base::Instant;

pub(crate) use rfc9260::Rfc9260;

/// Which algorithm decides how much may be in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CongestionAlgorithm {
    /// The one of RFC 9260 §7: slow start, congestion avoidance, half the window on loss.
    #[default]
    Rfc9260,
}

impl CongestionAlgorithm {
    /// Makes a controller; `packet` is how many bytes of chunks fit into one packet.
    pub(crate) fn build(self, packet: u64) -> Box<dyn CongestionController> {
        match self {
            Self::Rfc9260 => Box::new(Rfc9260::new(packet)),
        }
    }
}

/// Decides how many bytes of chunks may be in flight.
pub(crate) trait CongestionController: Debug + Send {
    /// How many bytes may be in flight.
    fn window(&self) -> u64;

    /// The window above which growth is careful.
    fn threshold(&self) -> u64;

    /// Data arrived.
    fn on_acked(&mut self, acked: &Acked);

    /// Acknowledgements tell of the first loss of a flight.
    fn on_loss(&mut self, now: Instant);

    /// The retransmission timer expired.
    fn on_timeout(&mut self, now: Instant);

    /// Nothing was sent for a retransmission timeout.
    fn on_idle(&mut self, now: Instant);
}

/// What one SACK says to a congestion controller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acked {
    /// How many bytes it acknowledged for the first time.
    pub(crate) bytes: u64,
    /// How many bytes were in flight before it came.
    pub(crate) in_flight_before: u64,
    /// Whether a loss is being repaired that the window was reduced for.
    pub(crate) recovering: bool,
    /// Whether everything sent has been acknowledged.
    pub(crate) nothing_outstanding: bool,
}
