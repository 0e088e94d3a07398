//! Foundations: what candidates have in common that work or fail together (RFC 8445 §5.1.1.3).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use pavane_base::{RoomForOne, Transport};

use crate::{Candidate, CandidateKind};

/// What candidates have in common that share their fate (RFC 8445 §5.1.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foundation {
    pub(crate) kind: CandidateKind,
    pub(crate) base: IpAddr,
    /// The server's address, and how it is reached.
    pub(crate) server: Option<(IpAddr, Transport)>,
    pub(crate) transport: Transport,
}

/// The texts that stand for foundations: numbers from 1.
#[derive(Debug)]
pub(crate) struct Foundations(Vec<Foundation>);

impl Foundations {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The text for a foundation; one that no candidate has any more is used anew.
    pub(crate) fn of(&mut self, foundation: Foundation, candidates: &[Candidate]) -> String {
        let text = |n: usize| format!("{}", n + 1);
        let is_free = |n: &usize| candidates.iter().all(|other| other.foundation != text(*n));
        let known = self.0.iter().position(|known| *known == foundation);
        match known.or_else(|| (0..self.0.len()).find(is_free)) {
            Some(n) => {
                self.0[n] = foundation;
                text(n)
            }
            None => {
                self.0.room_for_one();
                self.0.push(foundation);
                text(self.0.len() - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(foundation: &str) -> Candidate {
        Candidate {
            foundation: foundation.into(),
            component: 1,
            transport: Transport::Udp,
            tcp_type: None,
            priority: 1,
            address: "10.0.0.1:1".parse().unwrap(),
            kind: CandidateKind::Host,
            related: None,
        }
    }

    #[test]
    fn foundations_are_of_kind_base_and_server() {
        let mut foundations = Foundations::new();
        let of = |n: u8, server| Foundation {
            kind: CandidateKind::Host,
            base: [10, 0, 0, n].into(),
            server,
            transport: Transport::Udp,
        };
        let server = Some(([192, 0, 2, 1].into(), Transport::Udp));
        let mut texts = Vec::new();
        let mut candidates = Vec::new();
        for (n, server) in [(1, None), (2, None), (1, server), (1, None)] {
            let foundation = foundations.of(of(n, server), &candidates);
            candidates.push(candidate(&foundation));
            texts.push(foundation);
        }
        assert_eq!(texts, ["1", "2", "3", "1"]);
        // What no candidate has any more is used anew.
        candidates.remove(1);
        assert_eq!(foundations.of(of(3, None), &candidates), "2");
    }
}
