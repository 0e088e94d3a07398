//! How two endpoints become acquainted, also if both begin at once, or one begins anew (RFC 9260 §5).

use alloc::boxed::Box;
use alloc::vec::Vec;

use pavane_base::Instant;

use super::blue::Standalone;
use super::heartbeat::HeartbeatState;
use super::reconfig::Reconfiguration;
use super::state::{Control, Link, Phase, Stage};
use super::timeout::Timer;
use super::{Association, Identity};
use crate::chunk::{Cause, CookieEcho, Extensions, Init, InitAck, Opening, RawChunk};
use crate::config::Config;
use crate::cookie::{StateCookie, TieTags};
use crate::event::{CloseReason, Event, Misbehaved};
use crate::packet::{Header, padded};
use crate::receive::Receiver;
use crate::types::{Tsn, VerificationTag};

/// How a cookie fits to what there is (RFC 9260 §5.2.4, table 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CookieAction {
    /// There is nothing: it makes the association.
    Establish,
    /// A: the peer has begun anew.
    Restart,
    /// B: both began at once, and the peer has a tag that we did not know.
    Collision,
    /// D: it is what we know.
    Known,
    /// C, and what the table does not have.
    Discard,
}

/// How many INITs offer to do without checksums. Some peers drop an INIT with a parameter that they do not know, which
/// RFC 9260 §3.2.1 wants passed over; the next ones go without it.
const ATTEMPTS_WITH_EVERYTHING: u32 = 2;

/// How much of an INIT ACK's unknown parameters is sent back.
const MAX_REPORT: usize = 64;

impl Association {
    /// What INIT says of us.
    pub(super) fn init(&self, attempts: u32) -> Opening {
        let mut opening = Opening::new(&self.config, self.identity.tag, self.identity.initial_tsn);
        opening.extensions.zero_checksum &= attempts < ATTEMPTS_WITH_EVERYTHING;
        opening
    }

    pub(super) fn on_init(&mut self, now: Instant, raw: RawChunk<'_>) {
        let Ok(init) = Init::parse(raw) else {
            self.dropped.chunks += 1;
            return;
        };
        // RFC 9260 §3.3.2: without a tag there is nobody to answer.
        let tag = init.opening.tag;
        if tag == VerificationTag::ZERO {
            self.dropped.chunks += 1;
            return;
        }
        let refusal = match (init.opening.is_valid(), init.host_name) {
            (false, _) => Some(Cause::InvalidMandatoryParameter),
            (true, Some(name)) => {
                Some(Cause::UnresolvableAddress(name.get(..name.len().min(64)).unwrap_or(name).to_vec()))
            }
            (true, None) if matches!(self.phase, Phase::Over { .. }) => None,
            (true, None) => return self.answer_init(now, &init),
        };
        self.send_standalone(Standalone::Abort { tag, reflected: false, cause: refusal });
    }

    fn answer_init(&mut self, now: Instant, init: &Init<'_>) {
        let existing = TieTags { local: self.identity.tag, peer: self.peer_tag() };
        let (tag, initial_tsn, tie_tags) = match &mut self.phase {
            // RFC 9260 §9.2: the peer has missed the end of the association before.
            Phase::Linked(link) if matches!(link.stage, Stage::ShutdownAckSent { .. }) => {
                link.stage = Stage::ShutdownAckSent { due: true };
                return;
            }
            // RFC 9260 §5.2.1: while it is being set up, what our INIT says stays true.
            Phase::Linked(link) if matches!(link.stage, Stage::CookieEchoed { .. }) => {
                (self.identity.tag, self.identity.initial_tsn, existing)
            }
            // RFC 9260 §5.2.2: a new tag, the same for the same INIT, so that a repeated one gets the same answer.
            Phase::Linked(_) => {
                let fresh = self.identity.for_restart(init.opening.tag);
                (fresh.0, fresh.1, existing)
            }
            _ => (self.identity.tag, self.identity.initial_tsn, TieTags::NONE),
        };
        let mut opening = Opening::new(&self.config, tag, initial_tsn);
        // Whoever does not say it may not understand it.
        opening.extensions.zero_checksum &= init.opening.extensions.zero_checksum;
        let cookie = StateCookie {
            made_at: now,
            local_tag: tag,
            local_tsn: initial_tsn,
            peer: init.opening,
            tie_tags,
        };
        let answer = Standalone::InitAck {
            tag: init.opening.tag,
            opening,
            cookie: cookie.seal(&self.identity.key),
            unrecognized: init.unrecognized.iter().map(|parameter| parameter.to_vec()).collect(),
        };
        self.send_standalone(answer);
    }

    pub(super) fn on_init_ack(&mut self, now: Instant, raw: RawChunk<'_>) {
        // RFC 9260 §5.2.3: an unexpected one answers an old INIT.
        let Phase::CookieWait { sent_at, attempts, .. } = self.phase else {
            self.dropped.unexpected += 1;
            return;
        };
        let Ok(ack) = InitAck::parse(raw) else {
            self.dropped.chunks += 1;
            return;
        };
        let (true, Some(cookie), None) = (ack.opening.is_valid(), ack.cookie, ack.host_name) else {
            if ack.opening.tag != VerificationTag::ZERO {
                let cause = Some(match ack.cookie {
                    None => Cause::MissingCookie,
                    Some(_) => Cause::InvalidMandatoryParameter,
                });
                self.send_standalone(Standalone::Abort { tag: ack.opening.tag, reflected: false, cause });
            }
            self.close(CloseReason::Misbehaved(Misbehaved::Init), None);
            return;
        };
        let fits =
            CookieEcho { cookie }.size() + crate::packet::COMMON_HEADER <= self.config.effective_packet();
        if !fits {
            self.close(CloseReason::Misbehaved(Misbehaved::Init), None);
            return;
        }
        if attempts == 0 {
            self.sender.rtt.sample(now, now - sent_at);
        }
        self.timers.stop(Timer::Init);
        let stage = Stage::CookieEchoed { cookie: cookie.to_vec(), due: true, sent_at: now, attempts: 0 };
        let mut opening = ack.opening;
        opening.extensions.zero_checksum &= attempts < ATTEMPTS_WITH_EVERYTHING;
        self.meet(opening, stage);
        self.report_unrecognized(&ack.unrecognized);
        self.timers.set(Timer::Cookie, now + self.sender.rtt.timeout());
    }

    /// RFC 9260 §3.2.2: the peer hears of what we do not know, once it takes anything beside the cookie.
    fn report_unrecognized(&mut self, parameters: &[&[u8]]) {
        let mut report = Vec::new();
        for parameter in parameters {
            let end = padded(report.len() + parameter.len());
            if end > MAX_REPORT {
                break;
            }
            report.extend_from_slice(parameter);
            report.resize(end, 0);
        }
        if !report.is_empty()
            && let Some(link) = self.link_mut()
        {
            link.control.complain(Cause::UnrecognizedParameters(report));
        }
    }

    /// Takes in a COOKIE ECHO; whether what follows it in the packet is to be processed.
    pub(super) fn on_cookie_echo(&mut self, now: Instant, header: Header, raw: RawChunk<'_>) -> bool {
        let echo = CookieEcho::parse(raw);
        let cookie = match StateCookie::open(echo.cookie, &self.identity.key) {
            Ok(cookie) if cookie.local_tag == header.tag => cookie,
            _ => {
                self.dropped.cookies += 1;
                return false;
            }
        };
        let action = self.judge(&cookie);
        if action != CookieAction::Known && self.is_stale(now, &cookie) {
            return false;
        }
        match action {
            CookieAction::Establish => self.meet(cookie.peer, Stage::Established),
            CookieAction::Restart => {
                if !self.restart(&cookie) {
                    return false;
                }
            }
            CookieAction::Collision => self.collide(&cookie),
            CookieAction::Known => {}
            CookieAction::Discard => {
                self.dropped.cookies += 1;
                return false;
            }
        }
        self.timers.stop(Timer::Init);
        self.establish(now);
        if let Some(link) = self.link_mut() {
            link.control.cookie_ack = true;
        }
        true
    }

    /// The peer has our cookie: it says so, or behaves like it.
    pub(super) fn on_cookie_ack(&mut self, now: Instant) {
        if let Some(link) = self.link_mut()
            && let Stage::CookieEchoed { sent_at, attempts: 0, .. } = link.stage
        {
            self.sender.rtt.sample(now, now - sent_at);
        }
        self.establish(now);
    }

    /// RFC 9260 §5.2.6: a stale cookie is replaced by a fresh one.
    pub(super) fn on_stale_cookie(&mut self, now: Instant) {
        let Some(Stage::CookieEchoed { .. }) = self.phase.link().map(|link| &link.stage) else { return };
        self.timers.stop(Timer::Cookie);
        // What rode with the cookie rides with the next one.
        self.sender.repeat_all(now, &mut self.events);
        self.phase = Phase::CookieWait { init_due: true, sent_at: now, attempts: 1 };
        self.timers.set(Timer::Init, now + self.sender.rtt.timeout());
    }

    pub(super) fn peer_tag(&self) -> VerificationTag {
        self.phase.link().map_or(VerificationTag::ZERO, |link| link.peer_tag)
    }

    fn judge(&self, cookie: &StateCookie) -> CookieAction {
        let local = cookie.local_tag == self.identity.tag;
        let existing = TieTags { local: self.identity.tag, peer: self.peer_tag() };
        match &self.phase {
            Phase::Over { .. } => CookieAction::Discard,
            Phase::Closed if local => CookieAction::Establish,
            Phase::CookieWait { .. } if local => CookieAction::Collision,
            Phase::Closed | Phase::CookieWait { .. } => CookieAction::Discard,
            Phase::Linked(link) => match (local, cookie.peer.tag == link.peer_tag) {
                (true, true) => CookieAction::Known,
                (true, false) => CookieAction::Collision,
                (false, false) if cookie.tie_tags == existing => CookieAction::Restart,
                (false, _) => CookieAction::Discard,
            },
        }
    }

    /// RFC 9260 §5.1.5, §5.2.4: an old cookie is answered by an error.
    fn is_stale(&mut self, now: Instant, cookie: &StateCookie) -> bool {
        let age = now - cookie.made_at;
        let Some(over) = age.checked_sub(self.config.timing.cookie_life).filter(|over| !over.is_zero())
        else {
            return false;
        };
        self.dropped.cookies += 1;
        let micros = u32::try_from(over.as_micros()).unwrap_or(u32::MAX);
        self.send_standalone(Standalone::Error {
            tag: cookie.peer.tag,
            cause: Cause::StaleCookie { micros },
        });
        true
    }

    /// RFC 9260 §5.2.4 A: the peer has forgotten everything. Whether the association begins anew.
    fn restart(&mut self, cookie: &StateCookie) -> bool {
        let Phase::Linked(link) = &mut self.phase else { return false };
        if matches!(link.stage, Stage::ShutdownAckSent { .. }) {
            link.stage = Stage::ShutdownAckSent { due: true };
            link.control.complain(Cause::CookieWhileShuttingDown);
            return false;
        }
        self.timers.stop_all();
        self.identity.tag = cookie.local_tag;
        self.identity.initial_tsn = cookie.local_tsn;
        self.sender.restart(cookie.local_tsn, &mut self.events);
        self.events.push_back(Event::Restarted);
        self.announced = false;
        self.meet(cookie.peer, Stage::Established);
        true
    }

    /// RFC 9260 §5.2.4 B: what the cookie says of the peer is what counts.
    fn collide(&mut self, cookie: &StateCookie) {
        match &mut self.phase {
            Phase::Linked(link) if link.receiver.has_received() => link.peer_tag = cookie.peer.tag,
            Phase::Linked(link) => {
                let stage = core::mem::replace(&mut link.stage, Stage::Established);
                self.meet(cookie.peer, stage);
            }
            _ => {
                let stage = Stage::CookieEchoed {
                    cookie: Vec::new(),
                    due: false,
                    sent_at: cookie.made_at,
                    attempts: 1,
                };
                self.meet(cookie.peer, stage);
            }
        }
    }

    /// The peer has introduced itself. Messages may be sent from here on: the first ride with the cookie.
    pub(super) fn meet(&mut self, peer: Opening, stage: Stage) {
        let mut link = Box::new(Link::new(&self.config, &self.identity, peer, stage));
        if let Phase::Linked(old) = core::mem::replace(&mut self.phase, Phase::Closed) {
            link.receiver.adopt_inbox(old.receiver.into_inbox());
        }
        let extensions = link.extensions;
        self.sender.start(peer.window, extensions, link.outgoing, &mut self.events);
        self.phase = Phase::Linked(link);
        if !core::mem::replace(&mut self.announced, true) {
            self.events.push_back(Event::Connected);
        }
    }

    /// From being set up to established; nothing happens in any other state.
    fn establish(&mut self, now: Instant) {
        self.timers.stop(Timer::Cookie);
        if let Some(link) = self.link_mut()
            && matches!(link.stage, Stage::CookieEchoed { .. })
        {
            link.stage = Stage::Established;
        }
        self.schedule_heartbeat(now);
    }
}

impl Link {
    fn new(config: &Config, identity: &Identity, peer: Opening, stage: Stage) -> Self {
        let extensions = Extensions::offered(config).both(peer.extensions);
        Self {
            stage,
            peer_tag: peer.tag,
            extensions,
            // RFC 9260 §5.1.1: each direction has what its sender wants and its receiver accepts.
            outgoing: config.outgoing_streams.max(1).min(peer.incoming),
            incoming: config.incoming_streams.max(1).min(peer.outgoing),
            receiver: Receiver::new(config, peer.initial_tsn, extensions.interleaving),
            control: Control::default(),
            reconfig: Reconfiguration::new(identity.initial_tsn, peer.initial_tsn),
            heartbeat: HeartbeatState::default(),
            unanswered: 0,
            window_probes: 0,
        }
    }
}

impl Identity {
    /// Tag and initial TSN for an association that would replace the existing one.
    fn for_restart(&self, peer: VerificationTag) -> (VerificationTag, Tsn) {
        let mut seed = [0; 12];
        seed[..4].copy_from_slice(&peer.0.to_be_bytes());
        seed[4..8].copy_from_slice(&self.tag.0.to_be_bytes());
        let number = self.key.hash(&seed);
        let tag = VerificationTag(((number >> 32) as u32).max(1));
        let tag = if tag == self.tag { VerificationTag(tag.0 ^ 1 | 2) } else { tag };
        (tag, Tsn(number as u32))
    }
}
