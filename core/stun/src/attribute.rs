//! Attribute types and error codes, by their numbers.

/// An attribute's type (RFC 8489 §14, RFC 8445 §16.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeType(pub u16);

#[allow(missing_docs, reason = "the standards' names say it")]
impl AttributeType {
    pub const MAPPED_ADDRESS: Self = Self(0x0001);
    pub const USERNAME: Self = Self(0x0006);
    pub const MESSAGE_INTEGRITY: Self = Self(0x0008);
    pub const ERROR_CODE: Self = Self(0x0009);
    pub const UNKNOWN_ATTRIBUTES: Self = Self(0x000a);
    pub const REALM: Self = Self(0x0014);
    pub const NONCE: Self = Self(0x0015);
    pub const MESSAGE_INTEGRITY_SHA256: Self = Self(0x001c);
    pub const PASSWORD_ALGORITHM: Self = Self(0x001d);
    pub const USERHASH: Self = Self(0x001e);
    pub const XOR_MAPPED_ADDRESS: Self = Self(0x0020);
    pub const PRIORITY: Self = Self(0x0024);
    pub const USE_CANDIDATE: Self = Self(0x0025);
    pub const SOFTWARE: Self = Self(0x8022);
    pub const FINGERPRINT: Self = Self(0x8028);
    pub const ICE_CONTROLLED: Self = Self(0x8029);
    pub const ICE_CONTROLLING: Self = Self(0x802a);

    /// Whether a message cannot be understood without it (RFC 8489 §14).
    pub const fn is_required(self) -> bool {
        self.0 < 0x8000
    }

    /// Whether it is one that this crate knows.
    pub(crate) const fn is_known(self) -> bool {
        matches!(
            self,
            Self::MAPPED_ADDRESS
                | Self::USERNAME
                | Self::MESSAGE_INTEGRITY
                | Self::ERROR_CODE
                | Self::UNKNOWN_ATTRIBUTES
                | Self::REALM
                | Self::NONCE
                | Self::MESSAGE_INTEGRITY_SHA256
                | Self::PASSWORD_ALGORITHM
                | Self::USERHASH
                | Self::XOR_MAPPED_ADDRESS
                | Self::PRIORITY
                | Self::USE_CANDIDATE
        )
    }
}

/// An error response's code (RFC 8489 §14.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u16);

impl ErrorCode {
    /// The request is malformed.
    pub const BAD_REQUEST: Self = Self(400);
    /// The request is not authentic.
    pub const UNAUTHENTICATED: Self = Self(401);
    /// The peer consents no longer (RFC 7675 §5.2).
    pub const FORBIDDEN: Self = Self(403);
    /// The request has attributes that must be understood and are not.
    pub const UNKNOWN_ATTRIBUTE: Self = Self(420);
    /// Both agents have the same role (RFC 8445 §7.3.1.1).
    pub const ROLE_CONFLICT: Self = Self(487);
}
