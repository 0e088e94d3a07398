//! A packet's way out: built in the caller's buffer, sealed where it lies, packed behind its neighbours.

use alloc::vec::Vec;

use pavane_base::{Instant, Transmit};

use super::{Life, PeerConnection};
use crate::ice::Route;

impl PeerConnection {
    pub(super) fn next_transmit(
        &mut self,
        now: Instant,
        max_segments: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        match self.life {
            Life::Open => {
                if let Some(transmit) = self.transport.ice.poll_transmit(now, buf) {
                    return Some(transmit);
                }
                let mut route = self.transport.ice.route()?;
                let transmit = self
                    .handshake_transmit(now, &mut route, buf)
                    .or_else(|| self.media_transmit(now, &mut route, max_segments, buf))
                    .or_else(|| self.probe_transmit(&mut route, buf))
                    .or_else(|| self.data_transmit(now, &mut route, max_segments, buf))?;
                self.transport.ice.data_sent(now, transmit.datagrams(), transmit.len);
                Some(transmit)
            }
            Life::Farewell { mut route } => {
                let farewell = route.as_mut().and_then(|route| self.farewell_transmit(now, route, buf));
                // When the peer knows, relays can have their addresses back.
                let transmit = farewell.or_else(|| self.transport.ice.poll_transmit(now, buf));
                self.life = if transmit.is_some() { Life::Farewell { route } } else { Life::Over };
                transmit
            }
            Life::Over => self.transport.ice.poll_transmit(now, buf),
        }
    }

    fn handshake_transmit(&mut self, now: Instant, route: &mut Route, buf: &mut Vec<u8>) -> Option<Transmit> {
        let dtls = self.transport.dtls_mut()?;
        let start = route.open(buf);
        if dtls.poll_transmit(now, buf).is_none() {
            buf.truncate(start);
            return None;
        }
        route.close(buf, start);
        Some(Transmit { path: route.path(), ecn: None, len: buf.len() - start, segment_size: None })
    }

    /// A probe of the path, on its own: it is of another size than the packets of a batch.
    fn probe_transmit(&mut self, route: &mut Route, buf: &mut Vec<u8>) -> Option<Transmit> {
        let dtls = self.transport.dtls_mut()?;
        let start = route.open(buf);
        let at = buf.len();
        buf.resize(at + dtls.headroom(), 0);
        if self.data.poll_probe(buf).is_none() || dtls.seal(buf, at).is_err() {
            buf.truncate(start);
            return None;
        }
        route.close(buf, start);
        Some(Transmit { path: route.path(), ecn: None, len: buf.len() - start, segment_size: None })
    }

    /// A batch of sealed SCTP packets of one size. A packet that is smaller than the largest ends it, since no larger one
    /// can stand behind it.
    fn data_transmit(
        &mut self,
        now: Instant,
        route: &mut Route,
        max_segments: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        self.data.association()?;
        let dtls = self.transport.dtls_mut()?;
        let start = buf.len();
        let full = route.enclosed_len(dtls.overhead() + self.data.max_packet());
        let mut segments = 0;
        while segments < max_segments.max(1) {
            let envelope = route.open(buf);
            let at = buf.len();
            buf.resize(at + dtls.headroom(), 0);
            if self.data.poll_transmit(now, buf).is_none() || dtls.seal(buf, at).is_err() {
                buf.truncate(envelope);
                break;
            }
            route.close(buf, envelope);
            segments += 1;
            if buf.len() - envelope != full {
                break;
            }
        }
        let (path, len) = (route.path(), buf.len() - start);
        let segment_size = (segments > 1).then_some(full);
        (segments > 0).then_some(Transmit { path, ecn: None, len, segment_size })
    }

    /// What tells the peer that we are gone: RTCP's BYE, SCTP's ABORT, then DTLS's close_notify.
    fn farewell_transmit(&mut self, now: Instant, route: &mut Route, buf: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.rtcp_transmit(now, route, buf) {
            return Some(transmit);
        }
        if let Some(transmit) = self.data_transmit(now, route, 1, buf) {
            return Some(transmit);
        }
        self.transport.dtls_mut()?.close(now);
        self.handshake_transmit(now, route, buf)
    }
}
