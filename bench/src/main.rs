//! Pavane beside str0m and rtc: two peers in one process, under a virtual clock, the same driver for each.
//!
//! What makes the comparison fair: one loop ([`wire`]) drives every stack through one trait ([`stack::Peer`]), in turns of
//! the same size; the stacks take turns within each round, and ratios are taken round by round, so that a busy machine
//! slows them alike; AES-GCM is aws-lc-rs's for all of them, the protocol DTLS 1.2, the allocator the system's; fragments,
//! receive windows and the bytes outstanding are the same; each stack copies a message once when it is sent. Allocations
//! are counted in a pass of their own, so that counting costs nobody time.

mod alloc;
mod goodput;
mod ice;
mod instructions;
mod media;
mod ours;
mod rtc;
mod setup;
mod sockets;
mod srtp;
mod stack;
mod str0m;
mod transfer;
mod wire;

use clap::{Parser, ValueEnum};

/// Measures Pavane beside other stacks and prints tables in Markdown.
#[derive(Parser)]
struct Arguments {
    /// What to measure; what takes seconds and no network if nothing is named.
    what: Vec<What>,
    /// Less of everything, for a first look.
    #[arg(long)]
    quick: bool,
    /// Only these stacks.
    #[arg(long)]
    only: Vec<Stack>,
    /// How often each transfer is measured.
    #[arg(long)]
    rounds: Option<usize>,
    /// The most datagrams that a peer takes before it sends again.
    #[arg(long, default_value_t = 32)]
    turn: usize,
    /// Does this once, silently, for profilers: the number of a transfer (0 to 5), 6 for a set-up, 7 for packets of RTP,
    /// 8 for a server that passes them on.
    #[arg(long, requires = "amount")]
    once: Option<usize>,
    /// Goodput only at these rates, in Mbit/s.
    #[arg(long)]
    rate: Vec<u64>,
    /// Goodput only at these round trips, in milliseconds.
    #[arg(long)]
    rtt: Vec<u64>,
    /// For how many seconds a cell of goodput may keep the processor busy; some stacks take minutes for one.
    #[arg(long)]
    patience: Option<u64>,
    /// Goodput only of these columns, from 0; 3 and 4 are our other controllers.
    #[arg(long)]
    column: Vec<usize>,
    /// Goodput of flows that share a queue.
    #[arg(long)]
    fairness: bool,
    /// More about each transfer.
    #[arg(long)]
    verbose: bool,
    /// How many messages or packets `--once` transfers, or how many connections it sets up.
    #[arg(long)]
    amount: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    /// Large messages.
    Bulk,
    /// Small ones.
    Small,
    /// From descriptions to an open channel.
    Setup,
    /// From candidates to a way for data, by ICE alone.
    Ice,
    /// Packets of RTP from one peer to another.
    Media,
    /// Packets of RTP from one peer through a server to many.
    Fanout,
    /// SRTP alone, beside that of libsrtp2, rtc and webrtc.
    Srtp,
    /// What arrives of a link's rate on bad networks.
    Goodput,
    /// One channel through real sockets, beside webrtc-rs too.
    Sockets,
    /// Instructions, which a busy machine does not disturb; needs valgrind, and some minutes.
    Instructions,
}

/// A stack, by name.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Stack {
    Pavane,
    Str0m,
    Rtc,
}

impl Stack {
    const ALL: [Self; 3] = [Self::Pavane, Self::Str0m, Self::Rtc];

    fn name(self) -> &'static str {
        use stack::Peer;
        match self {
            Self::Pavane => ours::Ours::NAME,
            Self::Str0m => str0m::Str0m::NAME,
            Self::Rtc => rtc::Rtc::NAME,
        }
    }
}

impl Arguments {
    fn wants(&self, what: What) -> bool {
        self.what.contains(&what)
            || (self.what.is_empty() && !matches!(what, What::Instructions | What::Goodput | What::Sockets))
    }

    fn stacks(&self) -> impl Iterator<Item = Stack> {
        Stack::ALL.into_iter().filter(|stack| self.only.is_empty() || self.only.contains(stack))
    }
}

/// Calls a function that is generic over [`stack::Peer`] with the type that a [`Stack`] names.
macro_rules! with_peer {
    ($stack:expr, $($function:ident)::+, $($argument:expr),*) => {
        match $stack {
            $crate::Stack::Pavane => $($function)::+::<$crate::ours::Ours>($($argument),*),
            $crate::Stack::Str0m => $($function)::+::<$crate::str0m::Str0m>($($argument),*),
            $crate::Stack::Rtc => $($function)::+::<$crate::rtc::Rtc>($($argument),*),
        }
    };
}
pub(crate) use with_peer;

fn main() {
    let arguments = Arguments::parse();
    if let (Some(number), Some(amount)) = (arguments.once, arguments.amount) {
        return instructions::once(&arguments, number, amount);
    }
    transfer::report(&arguments);
    if arguments.wants(What::Setup) {
        setup::report(&arguments);
    }
    if arguments.wants(What::Ice) {
        ice::report(&arguments);
    }
    if arguments.wants(What::Srtp) {
        srtp::report(&arguments);
    }
    if arguments.wants(What::Media) {
        media::report(&arguments);
    }
    if arguments.wants(What::Fanout) {
        media::fanout::report(&arguments);
    }
    if arguments.wants(What::Goodput) {
        goodput::report(&arguments);
    }
    if arguments.wants(What::Sockets) {
        sockets::report(&arguments);
    }
    if arguments.wants(What::Instructions) {
        instructions::report(&arguments);
    }
}

/// The middle of some figures.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
