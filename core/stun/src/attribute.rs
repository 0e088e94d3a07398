//! Attribute types and error codes, by their numbers.
//!
//! Those of relays are RFC 8656's (§18, §19), the rest is of RFC 8489 and RFC 8445.

/// An attribute's type (RFC 8489 §14, RFC 8445 §16.1, RFC 8656 §18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeType(pub u16);

#[allow(missing_docs, reason = "the standards' names say it")]
impl AttributeType {
    pub const MAPPED_ADDRESS: Self = Self(0x0001);
    pub const USERNAME: Self = Self(0x0006);
    pub const MESSAGE_INTEGRITY: Self = Self(0x0008);
    pub const ERROR_CODE: Self = Self(0x0009);
    pub const UNKNOWN_ATTRIBUTES: Self = Self(0x000a);
    pub const CHANNEL_NUMBER: Self = Self(0x000c);
    pub const LIFETIME: Self = Self(0x000d);
    pub const XOR_PEER_ADDRESS: Self = Self(0x0012);
    pub const DATA: Self = Self(0x0013);
    pub const REALM: Self = Self(0x0014);
    pub const NONCE: Self = Self(0x0015);
    pub const XOR_RELAYED_ADDRESS: Self = Self(0x0016);
    pub const REQUESTED_ADDRESS_FAMILY: Self = Self(0x0017);
    pub const EVEN_PORT: Self = Self(0x0018);
    pub const REQUESTED_TRANSPORT: Self = Self(0x0019);
    pub const DONT_FRAGMENT: Self = Self(0x001a);
    pub const MESSAGE_INTEGRITY_SHA256: Self = Self(0x001c);
    pub const PASSWORD_ALGORITHM: Self = Self(0x001d);
    pub const USERHASH: Self = Self(0x001e);
    pub const XOR_MAPPED_ADDRESS: Self = Self(0x0020);
    pub const RESERVATION_TOKEN: Self = Self(0x0022);
    pub const PRIORITY: Self = Self(0x0024);
    pub const USE_CANDIDATE: Self = Self(0x0025);
    pub const ADDITIONAL_ADDRESS_FAMILY: Self = Self(0x8000);
    pub const PASSWORD_ALGORITHMS: Self = Self(0x8002);
    pub const SOFTWARE: Self = Self(0x8022);
    pub const ALTERNATE_SERVER: Self = Self(0x8023);
    pub const FINGERPRINT: Self = Self(0x8028);
    pub const ICE_CONTROLLED: Self = Self(0x8029);
    pub const ICE_CONTROLLING: Self = Self(0x802a);
    /// Of draft-thatcher-ice-renomination, with the number that Chromium gives it.
    pub const NOMINATION: Self = Self(0xc001);

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
                | Self::CHANNEL_NUMBER
                | Self::LIFETIME
                | Self::XOR_PEER_ADDRESS
                | Self::DATA
                | Self::REALM
                | Self::NONCE
                | Self::XOR_RELAYED_ADDRESS
                | Self::REQUESTED_ADDRESS_FAMILY
                | Self::EVEN_PORT
                | Self::REQUESTED_TRANSPORT
                | Self::DONT_FRAGMENT
                | Self::MESSAGE_INTEGRITY_SHA256
                | Self::PASSWORD_ALGORITHM
                | Self::USERHASH
                | Self::XOR_MAPPED_ADDRESS
                | Self::RESERVATION_TOKEN
                | Self::PRIORITY
                | Self::USE_CANDIDATE
        )
    }
}

/// An error response's code (RFC 8489 §14.8, RFC 8656 §19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u16);

impl ErrorCode {
    /// Another server is to be asked.
    pub const TRY_ALTERNATE: Self = Self(300);
    /// The request is malformed.
    pub const BAD_REQUEST: Self = Self(400);
    /// The request is not authentic.
    pub const UNAUTHENTICATED: Self = Self(401);
    /// The peer consents no longer (RFC 7675 §5.2), or the server does not do this for anybody.
    pub const FORBIDDEN: Self = Self(403);
    /// The request has attributes that must be understood and are not.
    pub const UNKNOWN_ATTRIBUTE: Self = Self(420);
    /// There is no such allocation, or there is one already.
    pub const ALLOCATION_MISMATCH: Self = Self(437);
    /// The nonce has had its time.
    pub const STALE_NONCE: Self = Self(438);
    /// The relay has no address of this family.
    pub const ADDRESS_FAMILY_NOT_SUPPORTED: Self = Self(440);
    /// The credentials are not those that the allocation was made with.
    pub const WRONG_CREDENTIALS: Self = Self(441);
    /// The relay does not speak this transport with peers.
    pub const UNSUPPORTED_TRANSPORT: Self = Self(442);
    /// The peer's address is not of the allocation's family.
    pub const PEER_FAMILY_MISMATCH: Self = Self(443);
    /// The user has as many allocations as it may have.
    pub const QUOTA_REACHED: Self = Self(486);
    /// Both agents have the same role (RFC 8445 §7.3.1.1).
    pub const ROLE_CONFLICT: Self = Self(487);
    /// The server has had an accident.
    pub const SERVER_ERROR: Self = Self(500);
    /// The relay has no room.
    pub const INSUFFICIENT_CAPACITY: Self = Self(508);
}
