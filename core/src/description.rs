//! Descriptions and candidates as applications exchange them.

use alloc::string::String;
use core::fmt;

/// What a description is for (RFC 8829 §4.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "RTCSdpType")]
pub enum SdpType {
    /// It proposes a session.
    Offer,
    /// It answers, provisionally.
    Pranswer,
    /// It answers.
    Answer,
    /// It takes the pending offer back.
    Rollback,
}

impl SdpType {
    /// The type's name in W3C's API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        }
    }
}

impl fmt::Display for SdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A session description with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RTCSessionDescription")]
pub struct Description {
    /// What it is for.
    pub kind: SdpType,
    /// The description in SDP; empty for a rollback.
    pub sdp: String,
}

impl Description {
    /// An offer.
    pub fn offer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Offer, sdp: sdp.into() }
    }

    /// An answer.
    pub fn answer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Answer, sdp: sdp.into() }
    }

    /// A provisional answer.
    pub fn pranswer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Pranswer, sdp: sdp.into() }
    }

    /// A rollback.
    pub const fn rollback() -> Self {
        Self { kind: SdpType::Rollback, sdp: String::new() }
    }
}

/// A candidate as it is signalled.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[doc(alias = "RTCIceCandidate")]
pub struct IceCandidate {
    /// The candidate's line, `candidate:…` with or without `a=`; empty for the end of candidates.
    pub candidate: String,
    /// The mid of the section that it belongs to.
    pub sdp_mid: Option<String>,
    /// The index of the section that it belongs to, from 0.
    pub sdp_m_line_index: Option<u16>,
    /// The ufrag of the generation that it belongs to.
    pub username_fragment: Option<String>,
}
