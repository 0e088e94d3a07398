//! Messages and their payload protocol identifiers (RFC 8831 §6.6, §8).

use alloc::string::String;
use core::fmt;
use core::ops::Deref;

use bytes::Bytes;
use pavane_sctp::Ppid;

/// A message of a channel.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(Text),
    /// Bytes.
    Binary(Bytes),
}

/// Bytes that are UTF-8; cheap to clone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text(Bytes);

impl Message {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::from(text.into()))
    }

    /// Bytes.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Its bytes, whether they are text or not.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => &text.0,
            Self::Binary(bytes) => bytes,
        }
    }

    /// The message as it travels. SCTP has no empty messages: one octet that does not count stands for nothing.
    pub(crate) fn into_wire(self) -> (Ppid, Bytes) {
        const NOTHING: Bytes = Bytes::from_static(&[0]);
        match self {
            Self::Text(Text(bytes)) if bytes.is_empty() => (ppid::TEXT_EMPTY, NOTHING),
            Self::Text(Text(bytes)) => (ppid::TEXT, bytes),
            Self::Binary(bytes) if bytes.is_empty() => (ppid::BINARY_EMPTY, NOTHING),
            Self::Binary(bytes) => (ppid::BINARY, bytes),
        }
    }
}

/// The identifiers, by their names in the registry.
pub(crate) mod ppid {
    use pavane_sctp::Ppid;

    pub(crate) const DCEP: Ppid = Ppid(50);
    pub(crate) const TEXT: Ppid = Ppid(51);
    pub(crate) const BINARY_PARTIAL: Ppid = Ppid(52);
    pub(crate) const BINARY: Ppid = Ppid(53);
    pub(crate) const TEXT_PARTIAL: Ppid = Ppid(54);
    pub(crate) const TEXT_EMPTY: Ppid = Ppid(56);
    pub(crate) const BINARY_EMPTY: Ppid = Ppid(57);
}

impl Text {
    /// Takes bytes over as text; what is not UTF-8 in them becomes U+FFFD, as in browsers.
    pub(crate) fn from_wire(bytes: Bytes) -> Self {
        match core::str::from_utf8(&bytes) {
            Ok(_) => Self(bytes),
            Err(_) => Self::from(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("only UTF-8 becomes a Text")
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text.into_bytes()))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Binary(bytes) => fmt::Debug::fmt(bytes, f),
        }
    }
}
