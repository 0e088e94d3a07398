//! Candidates that hide behind multicast DNS names.

use crate::NamedCandidate;
use crate::action::{Action, Actions};
use crate::purpose::Purpose;

impl Actions<Purpose> {
    /// Has a candidate's name resolved.
    pub(crate) fn ask_for(&mut self, named: NamedCandidate) {
        let name = named.name.clone();
        self.ask(Action::ResolveMdns { name }, Purpose::Candidate(named));
    }

    /// The candidates whose names are being resolved.
    pub(crate) fn named(&self) -> impl Iterator<Item = &NamedCandidate> {
        self.purposes().filter_map(|purpose| match purpose {
            Purpose::Candidate(named) => Some(named),
            _ => None,
        })
    }

    /// Forgets the candidates whose names are being resolved; what comes of those that were asked for is ignored.
    pub(crate) fn forget_candidates(&mut self) {
        self.give_up(|purpose| matches!(purpose, Purpose::Candidate(_)));
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
