//! A packet's way out: built in the caller's buffer, sealed where it lies, packed behind its neighbours.

use alloc::vec::Vec;

use pavane_base::{Instant, Path, Transmit};

use super::{Life, PeerConnection};

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
                let path = self.transport.path()?;
                let transmit = self
                    .handshake_transmit(now, path, buf)
                    .or_else(|| self.media_transmit(now, path, max_segments, buf))
                    .or_else(|| self.data_transmit(now, path, max_segments, buf))?;
                self.transport.ice.data_sent(now, transmit.datagrams(), transmit.len);
                Some(transmit)
            }
            Life::Farewell { path } => {
                let transmit = path.and_then(|path| self.farewell_transmit(now, path, buf));
                if transmit.is_none() {
                    self.life = Life::Over;
                }
                transmit
            }
            Life::Over => None,
        }
    }

    fn handshake_transmit(&mut self, now: Instant, path: Path, buf: &mut Vec<u8>) -> Option<Transmit> {
        let len = self.transport.dtls_mut()?.poll_transmit(now, buf)?;
        Some(Transmit { path, ecn: None, len, segment_size: None })
    }

    /// A batch of sealed SCTP packets of one size. A packet that is smaller than the largest ends it, since no larger one
    /// can stand behind it.
    fn data_transmit(
        &mut self,
        now: Instant,
        path: Path,
        max_segments: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let dtls = self.transport.dtls_mut()?;
        let start = buf.len();
        let full = dtls.overhead() + self.data.max_packet();
        let mut segments = 0;
        while segments < max_segments.max(1) {
            let at = buf.len();
            buf.resize(at + dtls.headroom(), 0);
            if self.data.poll_transmit(now, buf).is_none() || dtls.seal(buf, at).is_err() {
                buf.truncate(at);
                break;
            }
            segments += 1;
            if buf.len() - at != full {
                break;
            }
        }
        let len = buf.len() - start;
        let segment_size = (segments > 1).then_some(full);
        (segments > 0).then_some(Transmit { path, ecn: None, len, segment_size })
    }

    /// What tells the peer that we are gone: RTCP's BYE, SCTP's ABORT, then DTLS's close_notify.
    fn farewell_transmit(&mut self, now: Instant, path: Path, buf: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.rtcp_transmit(now, path, buf) {
            return Some(transmit);
        }
        if let Some(transmit) = self.data_transmit(now, path, 1, buf) {
            return Some(transmit);
        }
        self.transport.dtls_mut()?.close(now);
        self.handshake_transmit(now, path, buf)
    }
}
