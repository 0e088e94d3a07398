//! What is said in one tab is heard in all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast;

/// Where everybody hears everybody.
#[derive(Clone)]
pub(crate) struct Room {
    messages: broadcast::Sender<Said>,
    guests: Arc<AtomicU64>,
}

/// Something that a guest said.
#[derive(Clone)]
struct Said {
    guest: u64,
    text: String,
}

/// Messages that a slow guest may be behind; it misses what is older.
const MAX_BEHIND: usize = 64;

impl Default for Room {
    fn default() -> Self {
        Self { messages: broadcast::Sender::new(MAX_BEHIND), guests: Arc::default() }
    }
}

impl Room {
    pub(crate) fn enter(&self) -> Guest {
        let number = self.guests.fetch_add(1, Ordering::Relaxed) + 1;
        Guest { number, hears: self.messages.subscribe(), says: self.messages.clone() }
    }
}

/// Somebody in the room.
pub(crate) struct Guest {
    number: u64,
    hears: broadcast::Receiver<Said>,
    says: broadcast::Sender<Said>,
}

impl Guest {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// How many are in the room.
    pub(crate) fn company(&self) -> usize {
        self.says.receiver_count()
    }

    pub(crate) fn say(&self, text: &str) {
        let _ = self.says.send(Said { guest: self.number, text: text.to_owned() });
    }

    /// What somebody else says next.
    pub(crate) async fn hear(&mut self) -> String {
        loop {
            match self.hears.recv().await {
                Ok(said) if said.guest != self.number => {
                    return format!("Guest {}: {}", said.guest, said.text);
                }
                // Our own words, or some that we missed; the room itself lasts as long as we hold an end of it.
                _ => {}
            }
        }
    }
}
