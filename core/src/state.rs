//! The states that an application sees, by W3C's definitions.

use core::fmt;

macro_rules! state {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vmeta])* $variant,)*
        }

        impl $name {
            /// The state's name in W3C's API.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

state! {
    /// Where the exchange of offer and answer stands (RFC 8829 §3.2).
    #[doc(alias = "RTCSignalingState")]
    SignalingState {
        /// No exchange is under way.
        Stable = "stable",
        /// Our offer waits for an answer.
        HaveLocalOffer = "have-local-offer",
        /// The peer's offer waits for our answer.
        HaveRemoteOffer = "have-remote-offer",
        /// We gave a provisional answer.
        HaveLocalPranswer = "have-local-pranswer",
        /// The peer gave a provisional answer.
        HaveRemotePranswer = "have-remote-pranswer",
        /// The connection is closed.
        Closed = "closed",
    }
}

state! {
    /// What ICE has achieved.
    #[doc(alias = "RTCIceConnectionState")]
    IceConnectionState {
        /// Nothing has begun.
        New = "new",
        /// Pairs are being checked.
        Checking = "checking",
        /// A pair works; better ones may yet be found.
        Connected = "connected",
        /// A pair works and the search is over.
        Completed = "completed",
        /// Checks go unanswered; it may pass.
        Disconnected = "disconnected",
        /// No pair works; only a restart helps.
        Failed = "failed",
        /// The connection is closed.
        Closed = "closed",
    }
}

state! {
    /// How far the gathering of candidates has come.
    #[doc(alias = "RTCIceGatheringState")]
    IceGatheringState {
        /// Gathering has not begun.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// All candidates have been told.
        Complete = "complete",
    }
}

state! {
    /// ICE's and DTLS's states as one.
    #[doc(alias = "RTCPeerConnectionState")]
    ConnectionState {
        /// Nothing has begun.
        New = "new",
        /// A transport is being established.
        Connecting = "connecting",
        /// The transport works.
        Connected = "connected",
        /// ICE is disconnected; it may pass.
        Disconnected = "disconnected",
        /// ICE or DTLS has failed.
        Failed = "failed",
        /// The connection is closed.
        Closed = "closed",
    }
}
