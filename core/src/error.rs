//! What a caller got wrong, by operation; each error has the name of the exception that W3C's API would throw.

use core::fmt;

use pavane_rtp::payload::PacketizeError;

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
    /// The answer has a section with a transport of its own; all sections share one here.
    NotBundled {
        /// The section's index.
        section: usize,
    },
    /// The description has too many sections.
    TooManySections {
        /// How many it may have.
        max: usize,
    },
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
    /// `a=rtcp-mux`.
    RtcpMux,
}

impl SignalingError {
    /// The name of the `DOMException`.
    pub const fn dom_name(&self) -> &'static str {
        match self {
            Self::WrongState(_) | Self::Closed => "InvalidStateError",
            Self::Syntax(_) => "RTCError",
            Self::Modified => "InvalidModificationError",
            Self::Missing { .. }
            | Self::SectionsDiffer
            | Self::SetupConflict
            | Self::FingerprintChanged
            | Self::NotBundled { .. } => "InvalidAccessError",
            Self::TooManySections { .. } => "OperationError",
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
                    Required::RtcpMux => "a=rtcp-mux",
                };
                write!(f, "section {section} lacks {what}")
            }
            Self::SectionsDiffer => f.write_str("the answer's sections are not those of the offer"),
            Self::SetupConflict => f.write_str("the answer's DTLS role does not go with the offer's"),
            Self::FingerprintChanged => f.write_str("the fingerprints changed without an ICE restart"),
            Self::NotBundled { section } => write!(f, "section {section} is not bundled with the others"),
            Self::TooManySections { max } => write!(f, "there are more than {max} sections"),
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

/// A packet that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The connection has no keys yet.
    NotConnected,
    /// The sender has no track, or no exchange has agreed that it sends.
    NotSending,
    /// The payload type is none that the peer takes.
    UnknownPayloadType,
    /// As many packets wait as may.
    Full,
    /// The packet's number lies before those that are remembered, or was used.
    TooOld,
    /// How frames of this codec go into packets is not known here: write packets.
    NoPayloadFormat,
    /// The frame is not what its codec makes, or does not fit into packets.
    Packetize(PacketizeError),
}

impl From<pavane_rtp::send::SendError> for WriteError {
    fn from(error: pavane_rtp::send::SendError) -> Self {
        match error {
            pavane_rtp::send::SendError::Full => Self::Full,
            pavane_rtp::send::SendError::TooOld => Self::TooOld,
            _ => Self::NotSending,
        }
    }
}

impl From<pavane_rtp::send::FrameError> for WriteError {
    fn from(error: pavane_rtp::send::FrameError) -> Self {
        match error {
            pavane_rtp::send::FrameError::Packetize(error) => Self::Packetize(error),
            pavane_rtp::send::FrameError::Send(error) => error.into(),
            _ => Self::NotSending,
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "the connection has no keys yet",
            Self::NotSending => "the sender has no track or is not to send",
            Self::UnknownPayloadType => "the payload type is none that the peer takes",
            Self::Full => "as many packets wait as may",
            Self::TooOld => "the packet's number lies before those that are remembered",
            Self::NoPayloadFormat => "how frames of this codec go into packets is not known",
            Self::Packetize(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for WriteError {}

/// What the application said of a track and cannot be; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackError {
    /// The connection is closed.
    Closed,
    /// There is no such sender or transceiver.
    Unknown,
    /// The track is not of the transceiver's kind.
    WrongKind,
    /// The codec is none of the configured ones of this kind.
    UnknownCodec,
    /// The name of a track or stream cannot stand in a description.
    InvalidName(crate::media::InvalidName),
    /// There are as many transceivers as there may be.
    TooMany {
        /// How many there may be.
        max: usize,
    },
}

impl TrackError {
    /// The name of the exception.
    pub const fn dom_name(&self) -> &'static str {
        match self {
            Self::Closed => "InvalidStateError",
            Self::Unknown => "InvalidAccessError",
            Self::UnknownCodec => "InvalidModificationError",
            Self::WrongKind | Self::InvalidName(_) => "TypeError",
            Self::TooMany { .. } => "OperationError",
        }
    }
}

impl From<crate::media::InvalidName> for TrackError {
    fn from(error: crate::media::InvalidName) -> Self {
        Self::InvalidName(error)
    }
}

impl fmt::Display for TrackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection is closed"),
            Self::Unknown => f.write_str("there is no such sender or transceiver"),
            Self::WrongKind => f.write_str("the track is not of the transceiver's kind"),
            Self::UnknownCodec => f.write_str("the codec is none of the configured ones"),
            Self::InvalidName(error) => error.fmt(f),
            Self::TooMany { max } => write!(f, "there are {max} transceivers already"),
        }
    }
}

impl core::error::Error for TrackError {}
