//! What an agent needs of the outside world, as data.
//!
//! The caller polls an [`Action`], does it in its own time, and tells the [`ActionOutcome`]. Streams carry whole messages:
//! they come and go as datagrams do, with a [`Path`] whose transport is TCP.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use pavane_base::Path;

/// The number of an [`Action`], with which its outcome is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub(crate) u64);

/// An effect that the agent needs and cannot have by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Resolve the name of a server: A and AAAA records, in the order of preference.
    Resolve {
        /// The name.
        name: String,
    },
    /// Resolve a `.local` name by multicast DNS.
    ResolveMdns {
        /// The name, as the candidate has it.
        name: String,
    },
    /// Answer for a `.local` name by multicast DNS, on the link of the address that it stands for. No outcome is expected.
    PublishMdns {
        /// The name.
        name: String,
        /// The address.
        address: IpAddr,
    },
    /// Answer for a name no more. No outcome is expected.
    WithdrawMdns {
        /// The name.
        name: String,
    },
    /// Connect a TCP stream.
    OpenStream {
        /// The address to connect from, its port left to the system.
        local: Option<IpAddr>,
        /// The address to connect to.
        remote: SocketAddr,
        /// With a name: TLS, with a certificate for this name, or for this address where it is one.
        tls: Option<String>,
        /// How messages are told apart on it.
        framing: Framing,
    },
    /// Close a stream that was opened, or accepted. No outcome is expected.
    CloseStream {
        /// Which.
        path: Path,
    },
}

/// How messages are told apart on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By themselves: messages of TURN say how long they are (RFC 8656 §12.5), and those that are sent are padded.
    Turn,
    /// By a 16-bit length before each (RFC 4571), which those that come and go here do not have.
    Rfc4571,
}

/// What became of an [`Action`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionOutcome {
    /// The name has these addresses, the preferred ones first.
    Resolved(Vec<IpAddr>),
    /// The stream is open, TLS included, from this address of ours.
    StreamOpened {
        /// Our address.
        local: SocketAddr,
    },
    /// It cannot be done.
    Failed,
}

/// Actions on their way to the caller and back. `P` is what an outcome is for.
#[derive(Debug)]
pub(crate) struct Actions<P> {
    next: u64,
    asked: BTreeMap<ActionId, P>,
    untold: VecDeque<(ActionId, Action)>,
}

impl<P> Default for Actions<P> {
    fn default() -> Self {
        Self { next: 0, asked: BTreeMap::new(), untold: VecDeque::new() }
    }
}

impl<P> Actions<P> {
    /// Asks for something whose outcome matters.
    pub(crate) fn ask(&mut self, action: Action, purpose: P) {
        let id = self.number();
        self.asked.insert(id, purpose);
        self.untold.push_back((id, action));
    }

    /// Asks for something and leaves it at that.
    pub(crate) fn tell(&mut self, action: Action) {
        let id = self.number();
        self.untold.push_back((id, action));
    }

    fn number(&mut self) -> ActionId {
        let id = ActionId(self.next);
        self.next += 1;
        id
    }

    /// The next action that the caller does not know of.
    pub(crate) fn poll(&mut self) -> Option<(ActionId, Action)> {
        self.untold.pop_front()
    }

    /// What the outcome of an action is for; nothing, if it was given up.
    pub(crate) fn take(&mut self, id: ActionId) -> Option<P> {
        self.untold.retain(|(untold, _)| *untold != id);
        self.asked.remove(&id)
    }

    /// What is being waited for.
    pub(crate) fn purposes(&self) -> impl Iterator<Item = &P> {
        self.asked.values()
    }

    /// Gives up all of them.
    pub(crate) fn clear(&mut self) {
        self.asked.clear();
        self.untold.clear();
    }

    /// Gives up those that are for `purpose`.
    pub(crate) fn give_up(&mut self, purpose: impl Fn(&P) -> bool) {
        let untold = &mut self.untold;
        self.asked.retain(|id, asked| {
            let goes = purpose(asked);
            if goes {
                untold.retain(|(told, _)| told != id);
            }
            !goes
        });
    }
}
