//! Requests on their way.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, earliest};
use pavane_stun::{Due, Retransmission, TransactionId};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The allocation.
    Allocate,
    /// That it lasts.
    Refresh,
    /// That it ends.
    Release,
    /// That one ends whose grant never came, so that another can be asked for.
    Reclaim,
    /// That a peer may reach us.
    Permit(IpAddr),
    /// That a channel stands for a peer.
    Bind(u16, SocketAddr),
}

/// One request and its repetitions.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: TransactionId,
    pub(crate) ask: Ask,
    /// Whether it says who asks.
    pub(crate) authenticated: bool,
    /// How often it was asked anew, because the server wanted other credentials.
    pub(crate) renewals: u32,
    schedule: Retransmission,
}

/// All of them. What is asked at a time is bounded by what is asked for: one of a kind, or one for each peer or channel.
#[derive(Debug)]
pub(crate) struct Transactions {
    pending: Vec<Transaction>,
    /// Those to be written, in their order.
    due: VecDeque<TransactionId>,
    schedule: Schedule,
}

/// When requests are repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Schedule {
    /// As over UDP, beginning with this timeout.
    Datagrams(Duration),
    /// Never, as over a stream.
    Stream,
}

/// How long a response over a stream is waited for (RFC 8489 §6.2.2: Ti).
const STREAM_PATIENCE: Duration = Duration::from_millis(39_500);

impl Transactions {
    pub(crate) const fn new(schedule: Schedule) -> Self {
        Self { pending: Vec::new(), due: VecDeque::new(), schedule }
    }

    /// Has something asked for.
    pub(crate) fn begin(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        ask: Ask,
        authenticated: bool,
        renewals: u32,
    ) {
        let schedule = match self.schedule {
            Schedule::Datagrams(timeout) => Retransmission::new(now, timeout),
            Schedule::Stream => Retransmission::over_stream(now, STREAM_PATIENCE),
        };
        let id = TransactionId::random(rng);
        self.pending.push(Transaction { id, ask, authenticated, renewals, schedule });
    }

    pub(crate) fn take(&mut self, id: TransactionId) -> Option<Transaction> {
        let at = self.pending.iter().position(|transaction| transaction.id == id)?;
        self.due.retain(|due| *due != id);
        Some(self.pending.swap_remove(at))
    }

    pub(crate) fn get(&self, id: TransactionId) -> Option<&Transaction> {
        self.pending.iter().find(|transaction| transaction.id == id)
    }

    /// Notes that a request is written with credentials, or without.
    pub(crate) fn written(&mut self, id: TransactionId, authenticated: bool) {
        let written = self.pending.iter_mut().find(|transaction| transaction.id == id);
        written.into_iter().for_each(|transaction| transaction.authenticated = authenticated);
    }

    /// Puts what is to be sent in line, and takes out one that has failed; to be called until it finds none.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Transaction> {
        for at in 0..self.pending.len() {
            let transaction = &mut self.pending[at];
            match transaction.schedule.handle_timeout(now) {
                Some(Due::Send) if !self.due.contains(&transaction.id) => self.due.push_back(transaction.id),
                Some(Due::Failed) => {
                    let id = transaction.id;
                    return self.take(id);
                }
                Some(Due::Send) | None => {}
            }
        }
        None
    }

    /// The next to be written.
    pub(crate) fn next_due(&mut self) -> Option<TransactionId> {
        self.due.pop_front()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let deadlines = self.pending.iter().map(|transaction| transaction.schedule.poll_timeout());
        deadlines.fold(None, earliest)
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
        self.due.clear();
    }
}
