//! What a receiver's reports say of the path to it.

use core::time::Duration;

use super::Statistics;
use crate::NtpTime;
use crate::receive::INITIAL_ROUND_TRIP;
use crate::rtcp::ReportBlock;

/// Longer round trips are a broken clock's.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(30);

/// The round trip to a receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Remote {
    /// Nobody has said anything.
    #[default]
    Unknown,
    /// The caller has it from elsewhere.
    Supposed(Duration),
    /// Reports have it.
    Measured(Duration),
}

impl Remote {
    pub(super) const fn round_trip(&self) -> Duration {
        match self {
            Self::Unknown => INITIAL_ROUND_TRIP,
            Self::Supposed(time) | Self::Measured(time) => *time,
        }
    }

    pub(super) fn suppose(&mut self, time: Duration) {
        if !matches!(self, Self::Measured(_)) {
            *self = Self::Supposed(time);
        }
    }

    /// Takes note of a report that came at `now` (RFC 3550 §6.4.1).
    pub(super) fn handle_report(&mut self, now: NtpTime, block: &ReportBlock, statistics: &mut Statistics) {
        statistics.remote_packets_lost = block.cumulative_lost;
        statistics.remote_fraction_lost = block.fraction_lost;
        statistics.remote_jitter = block.jitter;
        statistics.remote_highest = block.highest;
        if block.last_sr.0 == 0 {
            return;
        }
        let since = now.middle().since(block.last_sr);
        // A delay that is longer than the time since the report is rounding on a short path.
        let Some(since) = since else { return };
        let time = since.since(block.delay_since_last_sr).map_or(Duration::ZERO, |time| time.to_duration());
        if time <= MAX_ROUND_TRIP {
            *self = Self::Measured(match self {
                Self::Measured(before) => (*before * 7 + time) / 8,
                _ => time,
            });
            statistics.round_trip_time = Some(time);
            statistics.total_round_trip_time += time;
            statistics.round_trip_measurements += 1;
        }
    }
}
