//! Fragments of descriptions: what they say about ICE (RFC 8840 §9).

use pavane::IceCandidate;

/// Credentials and candidates of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) ufrag: Option<String>,
    pub(crate) pwd: Option<String>,
    pub(crate) candidates: Vec<IceCandidate>,
    pub(crate) end_of_candidates: bool,
}

/// Candidates of a fragment at most: more than an agent checks.
const MAX_CANDIDATES: usize = 256;

impl Fragment {
    /// Reads a fragment; `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fragment = Self::default();
        let (mut index, mut mid) = (None::<u16>, None);
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (kind, value) = line.split_once('=')?;
            if kind == "m" {
                index = Some(index.map_or(0, |index| index.saturating_add(1)));
                mid = None;
                continue;
            }
            match value.split_once(':').unwrap_or((value, "")) {
                _ if kind != "a" => {}
                ("mid", name) => mid = Some(name.to_owned()),
                ("ice-ufrag", ufrag) => fragment.ufrag = Some(ufrag.to_owned()),
                ("ice-pwd", pwd) => fragment.pwd = Some(pwd.to_owned()),
                ("end-of-candidates", _) => fragment.end_of_candidates = true,
                ("candidate", _) if fragment.candidates.len() < MAX_CANDIDATES => {
                    fragment.candidates.push(IceCandidate {
                        candidate: value.to_owned(),
                        sdp_mid: mid.clone(),
                        sdp_m_line_index: index,
                        username_fragment: None,
                    });
                }
                _ => {}
            }
        }
        let Self { ufrag, candidates, .. } = &mut fragment;
        candidates.iter_mut().for_each(|candidate| candidate.username_fragment.clone_from(ufrag));
        Some(fragment)
    }

    /// What a description says about ICE. All sections share one transport, so that the first speaks for all.
    pub(crate) fn of(sdp: &str) -> Self {
        let mut sections = sdp.split("\r\nm=");
        let head = sections.next().unwrap_or_default();
        let first = sections.next().map_or(String::new(), |section| format!("m={section}"));
        Self::parse(&format!("{head}\r\n{first}")).unwrap_or_default()
    }
}

/// Writes a description's part about ICE.
pub(crate) fn compose(sdp: &str) -> String {
    const KEPT: [&str; 9] = [
        "a=ice-lite",
        "a=ice-options:",
        "a=ice-pacing:",
        "a=group:",
        "a=mid:",
        "a=ice-ufrag:",
        "a=ice-pwd:",
        "a=candidate:",
        "a=end-of-candidates",
    ];
    let mut fragment = String::new();
    let mut sections = 0;
    for line in sdp.lines() {
        let begins = line.starts_with("m=");
        sections += usize::from(begins);
        if sections > 1 {
            break;
        }
        if begins || KEPT.iter().any(|kept| line.starts_with(kept)) {
            fragment.push_str(line);
            fragment.push_str("\r\n");
        }
    }
    fragment
}

/// A description with other credentials and without candidates: what a new offer or answer would be if nothing but ICE had
/// changed.
pub(crate) fn renewed(sdp: &str, ufrag: &str, pwd: &str) -> String {
    let mut renewed = String::with_capacity(sdp.len());
    for line in sdp.lines() {
        let line = match line.split_once(':').map_or(line, |(name, _)| name) {
            "a=candidate" | "a=end-of-candidates" => continue,
            "a=ice-ufrag" => format!("a=ice-ufrag:{ufrag}"),
            "a=ice-pwd" => format!("a=ice-pwd:{pwd}"),
            _ => line.to_owned(),
        };
        renewed.push_str(&line);
        renewed.push_str("\r\n");
    }
    renewed
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRICKLED: &str = "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
        a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
        a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";

    #[test]
    fn a_fragment_is_read() {
        let fragment = Fragment::parse(TRICKLED).unwrap();
        assert_eq!(fragment.ufrag.as_deref(), Some("EsAw"));
        assert_eq!(fragment.pwd.as_deref(), Some("P2uYro0UCOQ4zxjKXaWCBui1"));
        assert!(fragment.end_of_candidates);
        let [candidate] = &fragment.candidates[..] else { panic!("one candidate") };
        assert_eq!(candidate.candidate, "candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host");
        assert_eq!((candidate.sdp_mid.as_deref(), candidate.sdp_m_line_index), (Some("0"), Some(0)));
        assert_eq!(candidate.username_fragment.as_deref(), Some("EsAw"));
    }

    #[test]
    fn what_is_no_fragment_is_refused_and_what_is_too_much_is_left() {
        assert_eq!(Fragment::parse("{\"json\": true}"), None);
        let many = "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n".repeat(2 * MAX_CANDIDATES);
        assert_eq!(Fragment::parse(&many).unwrap().candidates.len(), MAX_CANDIDATES);
    }

    #[test]
    fn a_description_gives_the_fragment_of_its_first_section() {
        let sdp =
            format!("v=0\r\ns=-\r\n{TRICKLED}a=sendrecv\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n");
        assert_eq!(compose(&sdp), TRICKLED);
        assert_eq!(Fragment::of(&sdp), Fragment::parse(TRICKLED).unwrap());
    }

    #[test]
    fn a_renewed_description_has_other_credentials_alone() {
        let renewed = renewed(TRICKLED, "new", "secret");
        assert!(renewed.contains("a=ice-ufrag:new\r\na=ice-pwd:secret\r\n"));
        assert!(!renewed.contains("candidate"));
        assert!(renewed.contains("a=mid:0\r\n"));
    }
}
