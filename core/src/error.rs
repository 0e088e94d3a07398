//! What a caller got wrong, by operation; each error has the name of the exception that W3C's API would throw.

use core::fmt;

use crate::SignalingState;

/// A description that was not applied, or not made; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalingError {
    /// The signaling state does not allow it.
    WrongState(SignalingState),
    /// The connection is closed.
    Closed,
    /// The text is not a session description.
    Syntax(pavane_sdp::ParseError),
    /// The local description is not what `create_offer` or `create_answer` gave last.
    Modified,
    /// A section lacks what it needs.
    Missing {
        /// The section's index.
        section: usize,
        /// What is missing.
        what: Required,
    },
    /// The answer's sections are not those of the offer.
    SectionsDiffer,
    /// The answer's DTLS role does not go with the offer's.
    SetupConflict,
    /// The fingerprints are other ones, though ICE was not restarted.
    FingerprintChanged,
}

/// What a section of a description cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Required {
    /// `a=ice-ufrag` and `a=ice-pwd` of legal length.
    IceCredentials,
    /// An `a=fingerprint` with SHA-256 or stronger.
    Fingerprint,
    /// An `a=setup` that fits the description's type.
    Setup,
    /// `a=sctp-port` or its older form.
    SctpPort,
}

impl SignalingError {
    /// The name of the `DOMException`.
    pub const fn dom_name(&self) -> &'static str {
        match self {
            Self::WrongState(_) | Self::Closed => "InvalidStateError",
            Self::Syntax(_) => "RTCError",
            Self::Modified => "InvalidModificationError",
            Self::Missing { .. } | Self::SectionsDiffer | Self::SetupConflict | Self::FingerprintChanged => {
                "InvalidAccessError"
            }
        }
    }
}

impl fmt::Display for SignalingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongState(state) => write!(f, "not possible in signaling state {state}"),
            Self::Closed => f.write_str("the connection is closed"),
            Self::Syntax(error) => error.fmt(f),
            Self::Modified => f.write_str("the local description is not the one that was created last"),
            Self::Missing { section, what } => {
                let what = match what {
                    Required::IceCredentials => "ICE credentials",
                    Required::Fingerprint => "a usable fingerprint",
                    Required::Setup => "a usable a=setup",
                    Required::SctpPort => "an SCTP port",
                };
                write!(f, "section {section} lacks {what}")
            }
            Self::SectionsDiffer => f.write_str("the answer's sections are not those of the offer"),
            Self::SetupConflict => f.write_str("the answer's DTLS role does not go with the offer's"),
            Self::FingerprintChanged => f.write_str("the fingerprints changed without an ICE restart"),
        }
    }
}

impl core::error::Error for SignalingError {}

/// A candidate or local address that was not taken; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CandidateError {
    /// There is no remote description yet.
    NoRemoteDescription,
    /// The connection is closed.
    Closed,
    /// Neither a mid nor an index says which section it belongs to.
    NoSection,
    /// No section has this mid or index.
    UnknownSection,
    /// The ufrag is not that of the remote description.
    UnknownUfrag,
    /// The text is not a candidate.
    Syntax,
    /// Too many candidates came from the peer.
    TooMany,
    /// The local address cannot be a candidate.
    LocalAddress(pavane_ice::LocalAddressError),
}

impl CandidateError {
    /// The name of the exception.
    pub const fn dom_name(&self) -> &'static str {
        match self {
            Self::NoRemoteDescription | Self::Closed => "InvalidStateError",
            Self::NoSection | Self::LocalAddress(_) => "TypeError",
            Self::UnknownSection | Self::UnknownUfrag | Self::Syntax | Self::TooMany => "OperationError",
        }
    }
}

impl fmt::Display for CandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRemoteDescription => "there is no remote description yet",
            Self::Closed => "the connection is closed",
            Self::NoSection => "the candidate names no section",
            Self::UnknownSection => "no section has the candidate's mid or index",
            Self::UnknownUfrag => "the candidate belongs to another generation",
            Self::Syntax => "the text is not a candidate",
            Self::TooMany => "there are too many candidates",
            Self::LocalAddress(_) => "the local address cannot be a candidate",
        })
    }
}

impl core::error::Error for CandidateError {}
