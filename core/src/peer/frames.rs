//! Receivers that want whole frames: what comes waits in their inboxes.

use alloc::boxed::Box;

use pavane_base::{Instant, Key, earliest};

use super::{PeerConnection, RtpReceiver};
use crate::event::Event;
use crate::media::{FrameInbox, FrameOptions, Keyframe, ReceiverId};
use crate::rtp::ReceiverKey;
use crate::rtp::frame::Frame;
use crate::{Received, ReceivedRtp};

impl RtpReceiver<'_> {
    /// Has whole frames handed over from here on, in the place of packets: [`Event::FrameReadable`] tells that one waits,
    /// [`recv_frame`](Self::recv_frame) takes it. Key frames are asked for by themselves where only one helps.
    ///
    /// Codecs whose payload format is not known here bring no frames.
    pub fn receive_frames(&mut self, options: FrameOptions) {
        let id = self.id();
        if let Some(transceiver) = self.peer.media.get_mut(id.0) {
            let mut inbox = FrameInbox::new(transceiver.kind, options);
            if let Some(agreement) = &transceiver.agreement {
                inbox.follow(transceiver.kind, agreement);
            }
            transceiver.frames = Some(Box::new(inbox));
        }
    }

    /// Has packets handed over again; frames that wait are dropped.
    pub fn receive_packets(&mut self) {
        let id = self.id();
        if let Some(transceiver) = self.peer.media.get_mut(id.0) {
            transceiver.frames = None;
        }
    }

    /// The next whole frame, in the order in which they are decoded; `None` if none is due.
    pub fn recv_frame(&mut self, now: Instant) -> Option<Frame> {
        let id = self.id();
        let inbox = self.peer.media.get_mut(id.0)?.frames.as_mut()?;
        let frame = inbox.recv(now);
        let next = inbox.poll_timeout().filter(|at| *at > now);
        self.peer.media.frames_due = earliest(self.peer.media.frames_due, next);
        frame
    }
}

impl PeerConnection {
    /// Puts a packet where its receiver wants it: into its inbox, or into the application's hands.
    #[inline]
    pub(super) fn deliver<'d>(
        &mut self,
        now: Instant,
        stream: ReceiverKey,
        received: ReceivedRtp<'d>,
    ) -> Received<'d> {
        let key = received.receiver.0;
        let Some(inbox) = self.media.get_mut(key).and_then(|transceiver| transceiver.frames.as_mut()) else {
            return Received::Rtp(received);
        };
        let round_trip = self.transport.ice.round_trip_time();
        if let Keyframe::Wanted(stream) = inbox.handle_packet(now, stream, &received, round_trip)
            && let Some(rtp) = self.transport.media.rtp_mut()
        {
            rtp.request_keyframe(now, stream);
        }
        self.tell_frames(now, key);
        Received::Nothing
    }

    /// Tells that a frame waits, if that is news, and takes over when the next is due.
    fn tell_frames(&mut self, now: Instant, key: Key) {
        let Some(inbox) = self.media.get_mut(key).and_then(|transceiver| transceiver.frames.as_mut()) else {
            return;
        };
        let is_news = inbox.is_news(now);
        // One that waits already is due no more.
        let next = inbox.poll_timeout().filter(|at| *at > now);
        self.media.frames_due = earliest(self.media.frames_due, next);
        if is_news {
            self.events.push_back(Event::FrameReadable(ReceiverId(key)));
        }
    }

    /// Lets time pass in the inboxes.
    pub(super) fn handle_frames_timeout(&mut self, now: Instant) {
        if self.media.frames_due.is_none_or(|at| at > now) {
            return;
        }
        self.media.frames_due = None;
        for key in self.media.receiving_frames() {
            let Some(inbox) = self.media.get_mut(key).and_then(|transceiver| transceiver.frames.as_mut())
            else {
                continue;
            };
            let rtp = &mut self.transport.media;
            inbox.handle_timeout(now, |stream| {
                if let Some(rtp) = rtp.rtp_mut() {
                    rtp.request_keyframe(now, stream);
                }
            });
            self.tell_frames(now, key);
        }
    }
}
