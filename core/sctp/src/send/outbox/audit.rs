//! Whether the books of what waits balance: for tests and fuzzing.

use super::Outbox;
use crate::send::message::OutMessage;

impl Outbox {
    pub(in crate::send) fn is_at_rest(&self) -> bool {
        self.messages.is_empty() && self.queued == 0 && self.is_empty() && self.parked.is_empty()
    }

    pub(in crate::send) fn audit(&self) {
        let messages = || self.messages.iter().map(|(_, message)| message);
        let unsent: usize = messages().map(OutMessage::unsent).sum();
        assert_eq!(self.queued, unsent, "queued");
        let begun = || messages().filter(|m| m.fragments > 0);
        assert_eq!(self.under_way, begun().count(), "under way");
        let unfinished: usize = begun().filter(|m| m.unsent() > 0).map(|m| m.payload.len()).sum();
        assert_eq!(self.unfinished, unfinished, "unfinished");
        let waiting = self.schedule.len() + self.parked.len() + usize::from(self.current.is_some());
        let mut with_queue = 0;
        for id in self.streams.ids() {
            let Some(stream) = self.streams.get(id) else { continue };
            let of_stream = || messages().filter(|m| m.stream == id);
            assert_eq!(stream.unsent, of_stream().map(OutMessage::unsent).sum(), "unsent of {id}");
            let counted = of_stream().filter(|m| m.counted).map(OutMessage::unsent).sum();
            assert_eq!(stream.buffered, counted, "buffered of {id}");
            with_queue += usize::from(!stream.queue.is_empty());
        }
        assert_eq!(waiting, with_queue, "turns");
    }
}
