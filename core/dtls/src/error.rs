//! Why connections end, and what callers get wrong.

use core::fmt;

use crate::AlertDescription;

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer said that it closes.
    CloseNotify,
    /// The peer sent a fatal alert.
    PeerAlert(AlertDescription),
    /// The peer broke the protocol.
    Misbehaved(Misbehaved),
    /// The peer speaks nothing that we speak.
    Incompatible(Incompatible),
    /// The peer's certificate is not the one that was announced.
    FingerprintMismatch,
    /// The handshake did not end in time.
    HandshakeTimeout,
    /// Our private key refused to sign.
    SigningFailed,
    /// The keys have protected as much as they may, or the sequence numbers are used up.
    KeysExhausted,
    /// More forged records came than the keys may withstand.
    TooManyForgeries,
}

/// How the peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaved {
    /// A handshake message does not follow its grammar.
    Malformed,
    /// A handshake message came that has no place there.
    UnexpectedMessage,
    /// An extension stands twice in a message.
    DuplicateExtension,
    /// It chose a version that was not offered.
    UnofferedVersion,
    /// It chose a cipher suite that was not offered.
    UnofferedCipherSuite,
    /// It answered an extension that was not offered.
    UnofferedExtension,
    /// It chose a group that was not offered.
    UnofferedGroup,
    /// It signed with a scheme that was not offered, or that does not fit the cipher suite.
    UnofferedSignatureScheme,
    /// It chose a compression method.
    Compression,
    /// It can do without uncompressed points, which cannot be.
    PointFormats,
    /// Its use_srtp is no choice from ours (RFC 5764 §4.1.1).
    SrtpProfile,
    /// Its renegotiation_info is that of a renegotiation.
    Renegotiation,
    /// It asks for one cookie after the other.
    TooManyCookies,
    /// It presented no certificate.
    NoCertificate,
    /// There is no public key in its certificate.
    MalformedCertificate,
    /// Its ephemeral public key is not a point of the group, or a weak one.
    InvalidKeyShare,
    /// A signature is wrong.
    BadSignature,
    /// Its Finished message is wrong.
    BadFinished,
}

/// What the two sides do not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incompatible {
    /// The protocol's version.
    Version,
    /// A cipher suite.
    CipherSuite,
    /// A group for the key exchange.
    Group,
    /// A signature scheme.
    SignatureScheme,
    /// The extended master secret (RFC 7627).
    ExtendedMasterSecret,
    /// Going without compression.
    Compression,
}

/// A handshake that cannot go on: why, and what the peer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: CloseReason,
    pub(crate) alert: AlertDescription,
}

impl From<Misbehaved> for Failure {
    fn from(misbehaved: Misbehaved) -> Self {
        let alert = match misbehaved {
            Misbehaved::Malformed => AlertDescription::DECODE_ERROR,
            Misbehaved::UnexpectedMessage => AlertDescription::UNEXPECTED_MESSAGE,
            Misbehaved::UnofferedVersion => AlertDescription::PROTOCOL_VERSION,
            Misbehaved::UnofferedExtension => AlertDescription::UNSUPPORTED_EXTENSION,
            Misbehaved::NoCertificate | Misbehaved::MalformedCertificate => AlertDescription::BAD_CERTIFICATE,
            Misbehaved::BadSignature | Misbehaved::BadFinished => AlertDescription::DECRYPT_ERROR,
            // RFC 5746 §3.4, §3.6.
            Misbehaved::Renegotiation | Misbehaved::TooManyCookies => AlertDescription::HANDSHAKE_FAILURE,
            Misbehaved::DuplicateExtension
            | Misbehaved::UnofferedCipherSuite
            | Misbehaved::UnofferedGroup
            | Misbehaved::UnofferedSignatureScheme
            | Misbehaved::Compression
            | Misbehaved::PointFormats
            | Misbehaved::SrtpProfile
            | Misbehaved::InvalidKeyShare => AlertDescription::ILLEGAL_PARAMETER,
        };
        Self { reason: CloseReason::Misbehaved(misbehaved), alert }
    }
}

impl From<Incompatible> for Failure {
    fn from(incompatible: Incompatible) -> Self {
        let alert = match incompatible {
            Incompatible::Version => AlertDescription::PROTOCOL_VERSION,
            Incompatible::CipherSuite
            | Incompatible::Group
            | Incompatible::SignatureScheme
            | Incompatible::ExtendedMasterSecret
            | Incompatible::Compression => AlertDescription::HANDSHAKE_FAILURE,
        };
        Self { reason: CloseReason::Incompatible(incompatible), alert }
    }
}

impl From<pavane_base::Truncated> for Failure {
    fn from(_: pavane_base::Truncated) -> Self {
        Misbehaved::Malformed.into()
    }
}

impl Failure {
    pub(crate) const FINGERPRINT_MISMATCH: Self =
        Self { reason: CloseReason::FingerprintMismatch, alert: AlertDescription::BAD_CERTIFICATE };
    pub(crate) const SIGNING_FAILED: Self =
        Self { reason: CloseReason::SigningFailed, alert: AlertDescription::INTERNAL_ERROR };
    pub(crate) const TIMEOUT: Self =
        Self { reason: CloseReason::HandshakeTimeout, alert: AlertDescription::INTERNAL_ERROR };
    pub(crate) const TOO_MANY_FORGERIES: Self =
        Self { reason: CloseReason::TooManyForgeries, alert: AlertDescription::BAD_RECORD_MAC };
}

/// Why application data cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The connection is not connected.
    NotConnected,
    /// The plaintext is longer than a record can be.
    TooLarge {
        /// The longest plaintext of a record.
        max: usize,
    },
    /// The buffer has no room for the record's header.
    NoHeadroom,
    /// The keys have protected as much as they may; the connection is closed.
    KeysExhausted,
}

/// Why no keying material can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The connection is not connected.
    NotConnected,
    /// The label is one that the protocol itself uses.
    ReservedLabel,
    /// The context is longer than 65535 bytes.
    ContextTooLong,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CloseNotify => f.write_str("the peer closed the connection"),
            Self::PeerAlert(alert) => write!(f, "the peer sent a fatal alert: {alert}"),
            Self::Misbehaved(misbehaved) => write!(f, "the peer broke the protocol: {misbehaved}"),
            Self::Incompatible(incompatible) => write!(f, "nothing in common with the peer: {incompatible}"),
            Self::FingerprintMismatch => f.write_str("the peer's certificate has another fingerprint"),
            Self::HandshakeTimeout => f.write_str("the handshake did not end in time"),
            Self::SigningFailed => f.write_str("the private key refused to sign"),
            Self::KeysExhausted => f.write_str("the keys have protected as much as they may"),
            Self::TooManyForgeries => f.write_str("too many forged records came"),
        }
    }
}

impl fmt::Display for Misbehaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a malformed handshake message",
            Self::UnexpectedMessage => "an unexpected handshake message",
            Self::DuplicateExtension => "an extension twice",
            Self::UnofferedVersion => "a version that was not offered",
            Self::UnofferedCipherSuite => "a cipher suite that was not offered",
            Self::UnofferedExtension => "an extension that was not offered",
            Self::UnofferedGroup => "a group that was not offered",
            Self::UnofferedSignatureScheme => "a signature scheme that was not offered",
            Self::Compression => "a compression method",
            Self::PointFormats => "no uncompressed points",
            Self::SrtpProfile => "not one of the SRTP profiles that were offered",
            Self::Renegotiation => "a renegotiation",
            Self::TooManyCookies => "too many cookies",
            Self::NoCertificate => "no certificate",
            Self::MalformedCertificate => "a malformed certificate",
            Self::InvalidKeyShare => "an invalid key share",
            Self::BadSignature => "a wrong signature",
            Self::BadFinished => "a wrong Finished message",
        })
    }
}

impl fmt::Display for Incompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "version",
            Self::CipherSuite => "cipher suite",
            Self::Group => "key-exchange group",
            Self::SignatureScheme => "signature scheme",
            Self::ExtendedMasterSecret => "extended master secret",
            Self::Compression => "compression method",
        })
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected => f.write_str("the connection is not connected"),
            Self::TooLarge { max } => write!(f, "the plaintext is longer than {max} bytes"),
            Self::NoHeadroom => f.write_str("the buffer has no room for the record's header"),
            Self::KeysExhausted => f.write_str("the keys have protected as much as they may"),
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "the connection is not connected",
            Self::ReservedLabel => "the label is reserved",
            Self::ContextTooLong => "the context is too long",
        })
    }
}

impl core::error::Error for CloseReason {}
impl core::error::Error for Misbehaved {}
impl core::error::Error for Incompatible {}
impl core::error::Error for SealError {}
impl core::error::Error for ExportError {}
