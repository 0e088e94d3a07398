//! The way out.

use alloc::vec::Vec;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Key};

use super::{SenderKey, Session};
use crate::rtcp::{
    DelaySinceLastRr, MAX_REPORT_BLOCKS, ReportBlock, ReportWriter, write_bye, write_cname, write_dlrr,
    write_rrtr,
};
use crate::send::{Hop, Pending, Sent};
use crate::{AbsoluteSendTime, ExtensionKind, NtpShort, ReportKind, Ssrc, TransportSequence};

/// Whose turn it is to be reported on, where not all fit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turns {
    sender: usize,
    receiver: usize,
}

/// What one receiver's feedback may take: a NACK of 50 words and a full intra request.
const FEEDBACK_LEN: usize = 12 + 200 + 20;
/// A sender report without blocks.
const SENDER_REPORT_LEN: usize = 28;
const BLOCK_LEN: usize = 24;

impl Session {
    /// What [`poll_rtp`](Self::poll_rtp) would write, for whoever paces.
    pub fn peek_rtp(&mut self) -> Option<(SenderKey, Pending)> {
        while let Some(key) = self.ready.front().copied() {
            if let Some(pending) = self.senders.get(key).and_then(|sender| sender.stream.peek()) {
                return Some((SenderKey(key), pending));
            }
            self.unready(key);
        }
        None
    }

    /// What a stream would send next.
    pub fn peek_rtp_of(&self, key: SenderKey) -> Option<Pending> {
        self.senders.get(key.0)?.stream.peek()
    }

    fn unready(&mut self, key: Key) {
        self.ready.pop_front();
        if let Some(sender) = self.senders.get_mut(key) {
            sender.is_ready = false;
        }
    }

    /// Writes the next packet of RTP behind what `out` holds; streams take turns. `transport_sequence` is the number that it
    /// gets in its transport, where that was agreed on; [`Sent::transport_sequence`] says whether it is used up.
    pub fn poll_rtp(
        &mut self,
        now: Instant,
        transport_sequence: Option<TransportSequence>,
        out: &mut Vec<u8>,
    ) -> Option<(SenderKey, Sent)> {
        while let Some(key) = self.ready.front().copied() {
            if let Some(sent) = self.poll_rtp_of(now, SenderKey(key), transport_sequence, out) {
                if self.ready.len() > 1 {
                    self.ready.rotate_left(1);
                }
                return Some((SenderKey(key), sent));
            }
            self.unready(key);
        }
        None
    }

    /// Writes the next packet of one stream: a caller that paces streams apart chooses by itself.
    #[inline]
    pub fn poll_rtp_of(
        &mut self,
        now: Instant,
        key: SenderKey,
        transport_sequence: Option<TransportSequence>,
        out: &mut Vec<u8>,
    ) -> Option<Sent> {
        let absolute_send_time = self.absolute_send_time(now);
        let hop = Hop { extensions: &self.extensions, transport_sequence, absolute_send_time };
        self.senders.get_mut(key.0)?.stream.poll_transmit(now, &hop, out)
    }

    /// Writes a packet of about `len` bytes that carries nothing new, for a probe; only streams with a retransmission stream
    /// can.
    pub fn poll_padding(
        &mut self,
        now: Instant,
        key: SenderKey,
        len: usize,
        transport_sequence: Option<TransportSequence>,
        out: &mut Vec<u8>,
    ) -> Option<Sent> {
        let absolute_send_time = self.absolute_send_time(now);
        let hop = Hop { extensions: &self.extensions, transport_sequence, absolute_send_time };
        self.senders.get_mut(key.0)?.stream.poll_padding(len, &hop, out)
    }

    fn absolute_send_time(&self, now: Instant) -> Option<AbsoluteSendTime> {
        let wanted = self.extensions.id(ExtensionKind::AbsoluteSendTime);
        wanted.map(|_| AbsoluteSendTime::from_ntp(self.ntp(now)))
    }

    /// Writes a datagram of RTCP of at most `max_len` bytes behind what `out` holds, if there is something to say and it may
    /// be said: a report that is due, or feedback.
    pub fn poll_rtcp(
        &mut self,
        now: Instant,
        max_len: usize,
        out: &mut Vec<u8>,
        rng: &mut dyn CryptoRng,
    ) -> Option<usize> {
        let start = out.len();
        let end = start + max_len;
        let kind = if self.reporter.is_due() && self.has_streams() {
            self.write_reports(now, end, out);
            self.write_extended(now, end, out);
            self.write_goodbyes(end, out);
            ReportKind::Regular
        } else if self.feedback && self.reporter.early_from() <= now {
            if !self.reduced_size {
                self.write_compound_start(now, out);
            }
            ReportKind::Early
        } else {
            self.waits_for_share = self.feedback;
            return None;
        };
        let before_feedback = out.len();
        self.write_feedback(now, end, out);
        if kind == ReportKind::Early && out.len() == before_feedback {
            out.truncate(start);
            return None;
        }
        let len = out.len() - start;
        self.reporter.sent(now, len, kind, rng);
        if !self.leaving.is_empty() {
            self.reporter.hurry();
        }
        Some(len)
    }

    /// Writes what every compound begins with, a report without blocks and our name (RFC 3550 §6.1), for feedback of the
    /// caller's to follow. With reduced size agreed on nothing is needed and nothing written (RFC 5506 §3).
    pub fn write_feedback_start(&self, now: Instant, out: &mut Vec<u8>) {
        if !self.reduced_size {
            self.write_compound_start(now, out);
        }
    }

    fn write_compound_start(&self, now: Instant, out: &mut Vec<u8>) {
        let ssrc = self.reporting_ssrc();
        let info = self.senders.iter().find_map(|(_, sender)| sender.stream.sender_info(now, &self.epoch));
        match info.filter(|info| info.ssrc == ssrc) {
            Some(info) => ReportWriter::sender(out, &info).finish(),
            None => ReportWriter::receiver(out, ssrc).finish(),
        }
        write_cname(out, ssrc, &self.cname);
    }

    /// In whose name reports and feedback are sent.
    pub fn reporting_ssrc(&self) -> Ssrc {
        self.senders.iter().next().map_or(self.own_ssrc, |(_, sender)| sender.stream.ssrc())
    }

    /// Writes reports of all streams, or of those whose turn it is, and our name.
    fn write_reports(&mut self, now: Instant, end: usize, out: &mut Vec<u8>) {
        let cname_len = 8 + (self.cname.len() + 2).next_multiple_of(4) + 4;
        let own = self.reporting_ssrc();
        let infos = self.senders.iter().filter_map(|(_, sender)| sender.stream.sender_info(now, &self.epoch));
        let count = infos.count();
        let each = SENDER_REPORT_LEN + cname_len;
        let room = end.saturating_sub(out.len());
        // At least one of each kind, however small the datagram.
        let senders = count.min((room / 2 / each).max(1));
        let left = room.saturating_sub(senders.max(1) * each + self.goodbyes_len());
        let mut blocks = (left / 2 / BLOCK_LEN).min(self.sources_to_report());
        let infos = self.senders.iter().filter_map(|(_, sender)| sender.stream.sender_info(now, &self.epoch));
        let infos = infos.collect::<Vec<_>>();
        let turn = self.turns.sender;
        self.turns.sender = if count == 0 { 0 } else { (turn + senders) % count };
        let mut named = Vec::with_capacity(senders.max(1));
        for index in 0..senders {
            let info = &infos[(turn + index) % count];
            let mut report = ReportWriter::sender(out, info);
            blocks -= add_blocks(&mut report, blocks, || self.next_block(now));
            report.finish();
            named.push(info.ssrc);
        }
        while named.is_empty() || blocks > 0 {
            let mut report = ReportWriter::receiver(out, own);
            let added = add_blocks(&mut report, blocks, || self.next_block(now));
            report.finish();
            if !named.contains(&own) {
                named.push(own);
            }
            blocks = if added == 0 { 0 } else { blocks - added };
        }
        named.iter().for_each(|ssrc| write_cname(out, *ssrc, &self.cname));
    }

    fn goodbyes_len(&self) -> usize {
        if self.leaving.is_empty() { 0 } else { 4 + 4 * self.leaving.len().min(31) }
    }

    fn sources_to_report(&self) -> usize {
        let streams = self.receivers.iter().map(|(_, receiver)| &receiver.stream);
        streams.filter(|stream| !stream.has_ended()).map(|stream| stream.sources_to_report()).sum()
    }

    /// The block of the stream whose turn it is, then that of its retransmissions; those that have ended or of which nothing
    /// came are passed over.
    fn next_block(&mut self, now: Instant) -> Option<ReportBlock> {
        for _ in 0..2 * self.receivers.len() {
            let (index, repair) = (self.turns.receiver / 2, self.turns.receiver % 2 == 1);
            let keys = || self.receivers.iter().map(|(key, _)| key);
            let key = keys().find(|key| key.index() >= index).or_else(|| keys().next())?;
            let repair = repair && key.index() == index;
            self.turns.receiver = 2 * key.index() + 1 + usize::from(repair);
            let stream = self.receivers.get_mut(key).map(|receiver| &mut receiver.stream);
            let stream = stream.filter(|stream| !stream.has_ended());
            let block = stream.and_then(|stream| match repair {
                true => stream.repair_report_block(),
                false => stream.report_block(now),
            });
            if block.is_some() {
                return block;
            }
        }
        None
    }

    fn write_extended(&mut self, now: Instant, end: usize, out: &mut Vec<u8>) {
        if !self.reference_times.is_empty() && out.len() + 12 + 12 * self.reference_times.len() <= end {
            let delay = |at| NtpShort::from_duration(now - at);
            let known = self.reference_times.drain(..);
            let entries = known.map(|known| DelaySinceLastRr { delay: delay(known.at), ..known.entry });
            let entries = entries.collect::<Vec<_>>();
            write_dlrr(out, self.reporting_ssrc(), &entries);
        }
        if self.reference_time && out.len() + 20 <= end {
            write_rrtr(out, self.reporting_ssrc(), self.ntp(now));
        }
    }

    fn write_goodbyes(&mut self, end: usize, out: &mut Vec<u8>) {
        let room = end.saturating_sub(out.len() + 4) / 4;
        let count = self.leaving.len().min(room).min(31);
        if count > 0 {
            write_bye(out, &self.leaving[..count], None);
            self.leaving.drain(..count);
        }
    }

    fn write_feedback(&mut self, now: Instant, end: usize, out: &mut Vec<u8>) {
        if !self.feedback {
            return;
        }
        let local = self.reporting_ssrc();
        self.feedback = false;
        for (_, receiver) in self.receivers.iter_mut().filter(|(_, receiver)| receiver.stream.has_feedback())
        {
            if out.len() + FEEDBACK_LEN > end {
                self.feedback = true;
                break;
            }
            receiver.stream.write_feedback(now, local, out);
            self.feedback |= receiver.stream.has_feedback();
            self.next = pavane_base::earliest(self.next, receiver.stream.poll_timeout());
        }
    }
}

/// Adds blocks to a report until it is full, there are no more or there are `most`; returns how many.
fn add_blocks(
    report: &mut ReportWriter<'_>,
    most: usize,
    mut next: impl FnMut() -> Option<ReportBlock>,
) -> usize {
    let mut added = 0;
    while added < most.min(MAX_REPORT_BLOCKS)
        && let Some(block) = next()
    {
        report.block(&block);
        added += 1;
    }
    added
}
