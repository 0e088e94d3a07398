//! The server's side: an endpoint, and the sessions that it has made.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION,
    WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use pavane::base::rand_core::Rng;
use pavane::sdp::{MediaDescription, MediaKind, SessionDescription};
use pavane::{ConnectionState, Description, Direction, SignalingError};
use pavane_drive::PeerConnection;

use crate::fragment::{Fragment, compose, renewed};
use crate::{FRAGMENT, SDP, is_of_type};

/// Which way media flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To the server: the client publishes.
    Whip,
    /// From the server: the client watches.
    Whep,
}

/// An endpoint of WHIP or WHEP, with its sessions below it.
///
/// The program's server of HTTP gives it every request for its path and for what lies below. It holds a handle of each
/// session's connection until the client ends the session or the connection has failed.
pub struct Endpoint {
    kind: Kind,
    path: String,
    token_is_good: Box<dyn Fn(&str) -> bool + Send + Sync>,
    open_to_all: bool,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
}

struct Session {
    peer: PeerConnection,
    /// The generation of ICE, which the entity tag tells.
    generation: Mutex<u64>,
}

/// Sessions of an endpoint at most; beyond, it is unavailable.
const MAX_SESSIONS: usize = 10_000;

/// Bytes of a body at most: descriptions of a few tracks are a tenth of that.
const MAX_BODY: usize = 64 * 1024;

/// `Accept-Post`, by which an endpoint tells what it takes.
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

impl Endpoint {
    /// An endpoint at this path, which begins with a slash and does not end with one, open to everybody.
    pub fn new(kind: Kind, path: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.into(),
            token_is_good: Box::new(|_| false),
            open_to_all: true,
            sessions: Mutex::default(),
        }
    }

    /// Asks for a bearer token (RFC 6750 §2.1) that `is_good`. Comparing it in constant time is that function's matter.
    #[must_use]
    pub fn bearer(mut self, is_good: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.token_is_good = Box::new(is_good);
        self.open_to_all = false;
        self
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are no sessions.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Answers a request.
    ///
    /// For an offer, `accept` makes the connection: with the tracks that a watcher is to get, or without any for a publisher.
    /// The endpoint then answers the offer by it; the program keeps a handle, to take or give media by. The status that
    /// `accept` returns instead is the response.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves no session behind that nobody knows of; the connection that was made for it ends with
    /// the program's handles.
    pub async fn handle(
        &self,
        request: Request<Bytes>,
        accept: impl FnOnce(&Parts, &Description) -> Result<PeerConnection, StatusCode>,
    ) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        let result = match parts.uri.path().strip_prefix(self.path.as_str()) {
            _ if parts.method == Method::OPTIONS => Ok(preflight()),
            Some(_) if !self.is_authorized(&parts) => Err(StatusCode::UNAUTHORIZED),
            _ if body.len() > MAX_BODY => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Some("" | "/") => self.handle_endpoint(&parts, &body, accept).await,
            Some(rest) if rest.starts_with('/') => self.handle_session(&parts, &body, &rest[1..]).await,
            _ => Err(StatusCode::NOT_FOUND),
        };
        let mut response = result.unwrap_or_else(refusal);
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Location, ETag, Link"));
        response
    }

    fn is_authorized(&self, parts: &Parts) -> bool {
        let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        self.open_to_all || token.is_some_and(|(_, token)| (self.token_is_good)(token.trim()))
    }

    async fn handle_endpoint(
        &self,
        parts: &Parts,
        body: &[u8],
        accept: impl FnOnce(&Parts, &Description) -> Result<PeerConnection, StatusCode>,
    ) -> Result<Response<Bytes>, StatusCode> {
        match parts.method {
            Method::POST => {}
            // Nothing is there to be read, which is no failure (WHIP §4.1).
            Method::GET | Method::HEAD => return Ok(empty(StatusCode::NO_CONTENT)),
            _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
        }
        if !is_of_type(&parts.headers, SDP) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let offer = std::str::from_utf8(body).map_err(|_| StatusCode::BAD_REQUEST)?;
        self.check_offer(offer)?;
        if self.purge() >= MAX_SESSIONS {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let offer = Description::offer(offer);
        let peer = accept(parts, &offer)?;
        let answer = answer(&peer, offer).await;
        let answer = answer.inspect_err(|_| peer.close())?;
        let id = random_id().inspect_err(|_| peer.close())?;
        let location = format!("{}/{id}", self.path);
        self.insert(id, peer)?;
        let response = Response::builder()
            .status(StatusCode::CREATED)
            .header(CONTENT_TYPE, SDP)
            .header(LOCATION, location)
            .header(ETAG, entity_tag(0));
        response.body(answer.into()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the offer has to be like (WHIP §4.2 and §4.4.2): media in one direction, and each kind once.
    fn check_offer(&self, offer: &str) -> Result<(), StatusCode> {
        let offer: SessionDescription = offer.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
        let wrong = match self.kind {
            Kind::Whip => Direction::Recvonly,
            Kind::Whep => Direction::Sendonly,
        };
        let media = || offer.media.iter().filter(|section| is_media(section));
        let flows = |section: &MediaDescription| {
            section.direction().is_none_or(|direction| direction != wrong && direction != Direction::Inactive)
        };
        let once = [MediaKind::Audio, MediaKind::Video]
            .iter()
            .all(|kind| media().filter(|section| section.kind == *kind).count() <= 1);
        match media().next().is_some() && media().all(flows) && once {
            true => Ok(()),
            false => Err(StatusCode::UNPROCESSABLE_ENTITY),
        }
    }

    /// Keeps a session, unless others have taken the last room while it gathered.
    fn insert(&self, id: String, peer: PeerConnection) -> Result<(), StatusCode> {
        let mut sessions = self.lock();
        if sessions.len() >= MAX_SESSIONS {
            drop(sessions);
            peer.close();
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        sessions.insert(id, Arc::new(Session { peer, generation: Mutex::new(0) }));
        Ok(())
    }

    /// Forgets sessions whose connections have ended or failed; returns how many are left.
    fn purge(&self) -> usize {
        let mut sessions = self.lock();
        let over = |session: &Session| {
            matches!(session.peer.connection_state(), ConnectionState::Closed | ConnectionState::Failed)
        };
        let (ended, living) =
            std::mem::take(&mut *sessions).into_iter().partition(|(_, session)| over(session));
        *sessions = living;
        let left = sessions.len();
        drop(sessions);
        let ended: BTreeMap<_, _> = ended;
        ended.values().for_each(|session| session.peer.close());
        left
    }

    async fn handle_session(
        &self,
        parts: &Parts,
        body: &[u8],
        id: &str,
    ) -> Result<Response<Bytes>, StatusCode> {
        let session = self.lock().get(id).cloned().ok_or(StatusCode::NOT_FOUND)?;
        match parts.method {
            Method::GET | Method::HEAD => Ok(empty(StatusCode::NO_CONTENT)),
            Method::DELETE => {
                self.lock().remove(id);
                session.peer.close();
                Ok(empty(StatusCode::OK))
            }
            Method::PATCH if !is_of_type(&parts.headers, FRAGMENT) => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            Method::PATCH => {
                let text = std::str::from_utf8(body).map_err(|_| StatusCode::BAD_REQUEST)?;
                let fragment = Fragment::parse(text).ok_or(StatusCode::BAD_REQUEST)?;
                session.patch(parts, fragment).await
            }
            _ => Err(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Takes candidates of the generation that there is, or begins another (WHIP §4.3).
    async fn patch(&self, parts: &Parts, fragment: Fragment) -> Result<Response<Bytes>, StatusCode> {
        let tag = parts.headers.get(IF_MATCH).ok_or(StatusCode::PRECONDITION_REQUIRED)?;
        let offer = self.peer.remote_description().ok_or(StatusCode::CONFLICT)?;
        let known = Fragment::of(&offer.sdp);
        let restarts = fragment.ufrag.is_some() && fragment.ufrag != known.ufrag;
        if *tag != "*" && tag.as_bytes() != entity_tag(*self.lock()).as_bytes() {
            return Err(StatusCode::PRECONDITION_FAILED);
        }
        if !restarts {
            self.add(fragment);
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        let (Some(ufrag), Some(pwd)) = (&fragment.ufrag, &fragment.pwd) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let offer = Description::offer(renewed(&offer.sdp, ufrag, pwd));
        let answer = answer(&self.peer, offer).await?;
        let generation = {
            let mut generation = self.lock();
            *generation += 1;
            *generation
        };
        self.add(fragment);
        let response =
            Response::builder().header(CONTENT_TYPE, FRAGMENT).header(ETAG, entity_tag(generation));
        response.body(compose(&answer).into()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A candidate that cannot be used is passed over (WHIP §4.3.2).
    fn add(&self, fragment: Fragment) {
        for candidate in fragment.candidates {
            let _ = self.peer.add_ice_candidate(Some(candidate));
        }
        if fragment.end_of_candidates {
            let _ = self.peer.add_ice_candidate(None);
        }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers an offer, with all candidates in the answer; none but a whole answer will do (WHIP §4.4.3).
async fn answer(peer: &PeerConnection, offer: Description) -> Result<String, StatusCode> {
    let refused = |error: SignalingError| match error {
        SignalingError::Syntax(_) => StatusCode::BAD_REQUEST,
        SignalingError::Closed => StatusCode::GONE,
        SignalingError::WrongState(_) => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    peer.set_remote_description(offer).map_err(refused)?;
    peer.set_local_description(None).map_err(refused)?;
    peer.gathering_complete().await;
    let answer = peer.local_description().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?.sdp;
    let parsed: SessionDescription = answer.parse().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    match parsed.media.iter().any(|section| is_media(section) && section.port == 0) {
        true => Err(StatusCode::UNPROCESSABLE_ENTITY),
        false => Ok(answer),
    }
}

fn is_media(section: &MediaDescription) -> bool {
    matches!(section.kind, MediaKind::Audio | MediaKind::Video)
}

/// 128 bits that nobody guesses: whoever knows them may end the session.
fn random_id() -> Result<String, StatusCode> {
    let mut rng = pavane_drive::system_rng().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64()))
}

fn entity_tag(generation: u64) -> String {
    format!("\"{generation}\"")
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn refusal(status: StatusCode) -> Response<Bytes> {
    let mut response = empty(status);
    let headers = response.headers_mut();
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, METHODS);
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            headers.insert(ACCEPT, HeaderValue::from_static(SDP));
        }
        _ => {}
    }
    response
}

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE, OPTIONS");

/// What a page of another origin asks first (WHIP §4.2).
fn preflight() -> Response<Bytes> {
    let mut response = empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(ACCEPT_POST, HeaderValue::from_static(SDP));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization, Content-Type, If-Match"),
    );
    response
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("kind", &self.kind).field("path", &self.path).finish_non_exhaustive()
    }
}
