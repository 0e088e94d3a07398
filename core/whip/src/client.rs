//! The client's side: requests to be made, and what the responses to them mean.

use std::fmt;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION};
use http::request::Builder;
use http::{Method, Request, Response, StatusCode, Uri};
use pavane::Description;
use pavane_drive::PeerConnection;

use crate::fragment::{Fragment, compose, renewed};
use crate::{FRAGMENT, SDP, is_of_type};

/// A client of an endpoint of WHIP or WHEP; which of the two it is shows in the tracks of the connection.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Uri,
    token: Option<String>,
}

/// What came of an offer.
#[derive(Debug)]
pub enum Opening {
    /// The answer is set, and the session stands.
    Opened(Session),
    /// Another endpoint is to be offered to. It is shown the bearer token only where it is of the same origin: to a stranger
    /// [`Client::bearer`] gives one.
    Redirected(Client),
}

/// A session that an endpoint has made.
#[derive(Clone, Debug)]
pub struct Session {
    url: Uri,
    token: Option<String>,
    entity_tag: Option<String>,
}

/// A response that is not what was hoped for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The server refuses.
    Status(StatusCode),
    /// A response lacks what it has to have, or has it in a wrong form.
    Malformed,
    /// The connection does not take the answer.
    Answer(pavane::SignalingError),
}

impl Client {
    /// A client of the endpoint with this URL.
    pub const fn new(endpoint: Uri) -> Self {
        Self { endpoint, token: None }
    }

    /// Shows a bearer token with every request.
    #[must_use]
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The URL of the endpoint.
    pub const fn endpoint(&self) -> &Uri {
        &self.endpoint
    }

    /// The request that makes the offer of a connection whose local description is set, with the candidates gathered so far.
    ///
    /// # Errors
    /// [`ClientError::Malformed`] if there is no local description, or the token cannot be a header's value.
    pub fn offer(&self, peer: &PeerConnection) -> Result<Request<Bytes>, ClientError> {
        let offer = peer.local_description().ok_or(ClientError::Malformed)?;
        let request = request(Method::POST, &self.endpoint, self.token.as_deref()).header(CONTENT_TYPE, SDP);
        request.body(offer.sdp.into()).map_err(|_| ClientError::Malformed)
    }

    /// Takes the response to the offer: gives the connection the answer, or says where else to make the offer.
    ///
    /// # Errors
    /// If the server refuses, or the response or its answer are not good.
    pub fn open(&self, peer: &PeerConnection, response: &Response<Bytes>) -> Result<Opening, ClientError> {
        let location = header(response, LOCATION).and_then(|location| resolve(&self.endpoint, location));
        match response.status() {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                let endpoint = location.ok_or(ClientError::Malformed)?;
                let token = self.token.clone().filter(|_| is_of_same_origin(&endpoint, &self.endpoint));
                return Ok(Opening::Redirected(Self { endpoint, token }));
            }
            StatusCode::CREATED => {}
            other => return Err(ClientError::Status(other)),
        }
        let url = location.filter(|_| is_of_type(response.headers(), SDP)).ok_or(ClientError::Malformed)?;
        let sdp = std::str::from_utf8(response.body()).map_err(|_| ClientError::Malformed)?;
        peer.set_remote_description(Description::answer(sdp)).map_err(ClientError::Answer)?;
        let entity_tag = header(response, ETAG).map(str::to_owned);
        Ok(Opening::Opened(Session { url, token: self.token.clone(), entity_tag }))
    }
}

impl Session {
    /// The URL of the session.
    pub const fn url(&self) -> &Uri {
        &self.url
    }

    /// The request that tells the candidates that have been gathered, those that the offer had among them. The response to
    /// it brings nothing but its status.
    ///
    /// # Errors
    /// [`ClientError::Malformed`] if there is no local description.
    pub fn trickle(&self, peer: &PeerConnection) -> Result<Request<Bytes>, ClientError> {
        self.patch(peer, self.entity_tag.as_deref())
    }

    /// The request that restarts ICE, after [`PeerConnection::restart_ice`] and a new local description.
    ///
    /// # Errors
    /// [`ClientError::Malformed`] if there is no local description.
    pub fn restart(&self, peer: &PeerConnection) -> Result<Request<Bytes>, ClientError> {
        self.patch(peer, Some("*"))
    }

    fn patch(&self, peer: &PeerConnection, tag: Option<&str>) -> Result<Request<Bytes>, ClientError> {
        let local = peer.local_description().ok_or(ClientError::Malformed)?;
        let mut request =
            request(Method::PATCH, &self.url, self.token.as_deref()).header(CONTENT_TYPE, FRAGMENT);
        if let Some(tag) = tag {
            request = request.header(IF_MATCH, tag);
        }
        request.body(compose(&local.sdp).into()).map_err(|_| ClientError::Malformed)
    }

    /// Takes the response to a restart: gives the connection the answer that it amounts to.
    ///
    /// # Errors
    /// If the server refuses, or the response is not good; the session goes on as it was.
    pub fn restarted(
        &mut self,
        peer: &PeerConnection,
        response: &Response<Bytes>,
    ) -> Result<(), ClientError> {
        if response.status() != StatusCode::OK {
            return Err(ClientError::Status(response.status()));
        }
        let text = std::str::from_utf8(response.body()).map_err(|_| ClientError::Malformed)?;
        let fragment = Fragment::parse(text).ok_or(ClientError::Malformed)?;
        let (Some(ufrag), Some(pwd)) = (&fragment.ufrag, &fragment.pwd) else {
            return Err(ClientError::Malformed);
        };
        let before = peer.remote_description().ok_or(ClientError::Malformed)?;
        let answer = Description::answer(renewed(&before.sdp, ufrag, pwd));
        peer.set_remote_description(answer).map_err(ClientError::Answer)?;
        for candidate in fragment.candidates {
            let _ = peer.add_ice_candidate(Some(candidate));
        }
        if fragment.end_of_candidates {
            let _ = peer.add_ice_candidate(None);
        }
        self.entity_tag = header(response, ETAG).map(str::to_owned);
        Ok(())
    }

    /// The request that ends the session.
    ///
    /// # Errors
    /// [`ClientError::Malformed`] if the token cannot be a header's value.
    pub fn end(&self) -> Result<Request<Bytes>, ClientError> {
        let request = request(Method::DELETE, &self.url, self.token.as_deref());
        request.body(Bytes::new()).map_err(|_| ClientError::Malformed)
    }
}

fn request(method: Method, url: &Uri, token: Option<&str>) -> Builder {
    let request = Request::builder().method(method).uri(url);
    match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

fn header(response: &Response<Bytes>, name: http::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// Whether two URLs have the same scheme, host and port (RFC 6454 §4).
fn is_of_same_origin(one: &Uri, other: &Uri) -> bool {
    (one.scheme(), one.authority()) == (other.scheme(), other.authority())
}

/// Where a reference leads from a URL (RFC 3986 §5.2, without dot segments, which nobody needs to name a session).
fn resolve(base: &Uri, reference: &str) -> Option<Uri> {
    let (scheme, authority) = (base.scheme_str()?, base.authority()?.as_str());
    let folder = &base.path()[..=base.path().rfind('/')?];
    let url = match reference {
        _ if reference.contains("://") => reference.to_owned(),
        _ if reference.starts_with("//") => format!("{scheme}:{reference}"),
        _ if reference.starts_with('/') => format!("{scheme}://{authority}{reference}"),
        _ => format!("{scheme}://{authority}{folder}{reference}"),
    };
    url.parse().ok()
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the server says {status}"),
            Self::Malformed => f.write_str("a message is not what it has to be"),
            Self::Answer(error) => write!(f, "the answer is not taken: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        let base = "https://example.org:8443/live/whip?key=1".parse().unwrap();
        for (reference, url) in [
            ("https://other.example/s/1", "https://other.example/s/1"),
            ("//other.example/s/1", "https://other.example/s/1"),
            ("/s/1", "https://example.org:8443/s/1"),
            ("s/1", "https://example.org:8443/live/s/1"),
        ] {
            assert_eq!(resolve(&base, reference).unwrap(), *url, "{reference}");
        }
        assert_eq!(resolve(&Uri::from_static("/live"), "s/1"), None);
    }
}
