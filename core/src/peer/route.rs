//! A datagram's way in (RFC 7983 §7): out of a relay's envelope, if it came in one, its first byte says whose it is.
//!
//! ```text
//! 0..=3    STUN  ─▶ ICE agent
//! 20..=63  DTLS  ─▶ records ─▶ handshake | SCTP packet ─▶ association ─▶ channels
//! 128..=191  RTP and RTCP ─▶ SRTP ─▶ streams ─▶ the application
//! ```

use pavane_base::{Instant, Path};

use super::{Life, PeerConnection};
use crate::ice::Arrival;
use crate::{Received, dtls};

impl PeerConnection {
    /// The ICE user fragment by which the peer's requests name this side: what a caller with many connections behind one
    /// socket tells them apart by. It changes when ICE is restarted; the former one names this side until then.
    pub fn local_ufrag(&self) -> &str {
        &self.transport.ice.local_credentials().ufrag
    }

    pub(super) fn route<'d>(&mut self, now: Instant, path: Path, payload: &'d mut [u8]) -> Received<'d> {
        if self.life != Life::Open {
            // A relay may want to be told once more that we are gone.
            let arrival = self.transport.ice.handle_arrival(now, &mut *self.rng, path, payload);
            self.drops.after_close += u64::from(arrival != Arrival::Taken);
            return Received::Nothing;
        }
        match self.transport.ice.handle_arrival(now, &mut *self.rng, path, payload) {
            Arrival::Direct => self.dispatch(now, path, payload),
            Arrival::Relayed { path, range } => match payload.get_mut(range) {
                Some(payload) => self.dispatch(now, path, payload),
                None => Received::Nothing,
            },
            Arrival::Taken => {
                self.settle(now);
                Received::Nothing
            }
        }
    }

    fn dispatch<'d>(&mut self, now: Instant, path: Path, payload: &'d mut [u8]) -> Received<'d> {
        // Media concerns no other layer.
        if let Some(128..=191) = payload.first() {
            return self.take_media(now, path, payload);
        }
        match payload.first() {
            Some(0..=3) => self.transport.ice.handle_datagram(now, &mut *self.rng, path, payload),
            Some(20..=63) if self.transport.ice.handle_data(now, path, payload.len()) => {
                self.take_dtls(now, payload)
            }
            Some(20..=63) => self.drops.unknown_path += 1,
            _ => self.drops.unknown_protocol += 1,
        }
        self.settle(now);
        Received::Nothing
    }

    /// Takes the records of a datagram, one after the other.
    pub(super) fn take_dtls(&mut self, now: Instant, payload: &mut [u8]) {
        let Some(connection) = self.transport.dtls_mut() else {
            if !self.transport.keep_early(payload) {
                self.drops.before_dtls += 1;
            }
            return;
        };
        let mut rest = payload;
        while let Some(record) = connection.handle_record(now, &mut *self.rng, &mut rest) {
            if let dtls::Record::ApplicationData(packet) = record {
                self.data.handle_packet(now, packet);
            }
        }
    }
}
