//! WHIP and WHEP: sessions that are set up by HTTP, to publish media to a server or to watch what it has.
//!
//! An [`Endpoint`] answers requests, a [`Client`] makes them and understands the answers. Neither does I/O: requests and
//! responses are the `http` crate's, with their bodies whole, for whatever server or client of HTTP the program has.
//!
//! ```text
//!  Client::offer ─▶ POST the endpoint, offer      ─▶ Endpoint::handle ─▶ the program makes a connection for the offer
//!  Client::open  ◀─ 201, answer, session's URL    ◀─
//!  Session::trickle, restart ─▶ PATCH the session ─▶ candidates, or another generation of ICE
//!  Session::end  ─▶ DELETE the session            ─▶ the connection is closed
//! ```
//!
//! WHIP is draft-ietf-wish-whip-16. WHEP is the same with media the other way, draft-ietf-wish-whep; a server that makes the
//! offer itself is not part of this.

#![forbid(unsafe_code)]

mod client;
mod endpoint;
mod fragment;

pub use client::{Client, ClientError, Opening, Session};
pub use endpoint::{Endpoint, Kind};

/// The media type of descriptions (RFC 8866 §8.1).
const SDP: &str = "application/sdp";

/// The media type of a description's parts about ICE (RFC 8840 §9).
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// Whether a header says that a body is of this type, whatever its parameters.
fn is_of_type(headers: &http::HeaderMap, expected: &str) -> bool {
    let value = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}
