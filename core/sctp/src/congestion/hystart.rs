//! HyStart++: slow start ends when round trips grow, before packets are lost (RFC 9406).

use core::time::Duration;

use super::Acked;
use super::filter::Rounds;

/// Watches the round trips of slow start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HyStart {
    rounds: Rounds,
    last: Option<Duration>,
    current: Option<Duration>,
    samples: u32,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    SlowStart,
    /// Conservative slow start, since round trips grew beyond this one.
    Conservative {
        baseline: Duration,
        rounds: u32,
    },
    Over,
}

impl HyStart {
    /// Takes a SACK in; the window may grow by this part of what it acknowledged: 1, a fourth, or nothing once slow start is
    /// over.
    pub(super) fn on_acked(&mut self, acked: &Acked) -> Option<u64> {
        if let Some(rate) = acked.rate
            && self.rounds.advance(rate.delivered_before, acked.delivered)
        {
            self.begin_round();
        }
        if let Some(rtt) = acked.rtt {
            self.samples += 1;
            self.current = Some(self.current.map_or(rtt, |least| least.min(rtt)));
        }
        self.judge();
        match self.stage {
            Stage::SlowStart => Some(1),
            Stage::Conservative { .. } => Some(CSS_GROWTH_DIVISOR),
            Stage::Over => None,
        }
    }

    fn begin_round(&mut self) {
        self.last = self.current.take();
        self.samples = 0;
        if let Stage::Conservative { baseline, rounds } = self.stage {
            self.stage = match rounds + 1 {
                CSS_ROUNDS => Stage::Over,
                rounds => Stage::Conservative { baseline, rounds },
            };
        }
    }

    fn judge(&mut self) {
        if self.samples < N_RTT_SAMPLE {
            return;
        }
        match (self.stage, self.current, self.last) {
            (Stage::SlowStart, Some(current), Some(last))
                if current >= last + (last / 8).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH) =>
            {
                self.stage = Stage::Conservative { baseline: current, rounds: 0 };
            }
            // RFC 9406 §4.2: it was a passing swell.
            (Stage::Conservative { baseline, .. }, Some(current), _) if current < baseline => {
                self.stage = Stage::SlowStart;
            }
            _ => {}
        }
    }
}

const N_RTT_SAMPLE: u32 = 8;
const CSS_GROWTH_DIVISOR: u64 = 4;
const CSS_ROUNDS: u32 = 5;
const MIN_RTT_THRESH: Duration = Duration::from_millis(4);
const MAX_RTT_THRESH: Duration = Duration::from_millis(16);
