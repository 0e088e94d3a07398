//! Candidates that hide behind multicast DNS names, and the names that the caller is asked to resolve.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;

use crate::{NamedCandidate, ResolveId};

/// Names on their way to addresses.
#[derive(Debug, Default)]
pub(crate) struct Names {
    next: u64,
    asked: BTreeMap<ResolveId, NamedCandidate>,
    untold: VecDeque<ResolveId>,
}

impl Names {
    /// Has a candidate's name resolved.
    pub(crate) fn ask(&mut self, named: NamedCandidate) {
        let id = ResolveId(self.next);
        self.next += 1;
        self.asked.insert(id, named);
        self.untold.push_back(id);
    }

    /// The next name that the caller does not know of.
    pub(crate) fn poll(&mut self) -> Option<(ResolveId, String)> {
        let id = self.untold.pop_front()?;
        self.asked.get(&id).map(|named| (id, named.name.clone()))
    }

    /// The candidate whose name was asked for by this number.
    pub(crate) fn take(&mut self, id: ResolveId) -> Option<NamedCandidate> {
        self.untold.retain(|untold| *untold != id);
        self.asked.remove(&id)
    }

    pub(crate) fn contains(&self, named: &NamedCandidate) -> bool {
        self.asked.values().any(|asked| (&asked.name, asked.port) == (&named.name, named.port))
    }

    pub(crate) fn len(&self) -> usize {
        self.asked.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Forgets them all; what comes of those that were asked for is ignored.
    pub(crate) fn clear(&mut self) {
        self.asked.clear();
        self.untold.clear();
    }
}

/// Whether a name is one of multicast DNS: one label, then `local`. All other names are passed over (RFC 8839 §5.1).
pub(crate) fn is_multicast(name: &str) -> bool {
    const MAX_LABEL: usize = 63;
    name.split_once('.').is_some_and(|(label, domain)| {
        (1..=MAX_LABEL).contains(&label.len()) && domain.eq_ignore_ascii_case("local")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_one_label_below_local_count() {
        for (name, is) in [
            ("a.local", true),
            ("A-b.LOCAL", true),
            ("a.b.local", false),
            ("local", false),
            (".local", false),
        ] {
            assert_eq!(is_multicast(name), is, "{name}");
        }
    }
}
