//! Multicast DNS for those that are driven together: one resolver, and a responder for each link.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use pavane::Instant;
use pavane_mdns::{Destination, Resolver, Responder};

use crate::Host;
use crate::interfaces;
use crate::multicast::LinkSocket;
use crate::sockets::Slot;

/// What multicast DNS is used for. Browsers that were given neither camera nor microphone hide their addresses behind its
/// names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MdnsMode {
    /// Nothing: candidates with names are passed over. Peers that have no others find us by their own checks, or not.
    Off,
    /// Names of peers are resolved. Sockets are opened when the first of them comes.
    #[default]
    Resolve,
    /// The same, and our own addresses hide behind names in turn, as those of browsers do
    /// ([`HostAddresses::Hidden`](pavane::HostAddresses::Hidden)): peers beyond the link learn what servers see of us, and no
    /// more.
    ResolveAndHide,
}

/// Multicast DNS on the links of the addresses that candidates have. `A` is whoever asked for a name.
#[derive(Debug)]
pub(crate) struct Mdns<A> {
    mode: MdnsMode,
    links: Vec<OpenLink>,
    opened: bool,
    resolver: Resolver,
    askers: Vec<(Box<str>, A)>,
    answers: VecDeque<(A, Option<IpAddr>)>,
    message: Vec<u8>,
}

/// A link, and where in the driver's table its socket is.
#[derive(Debug)]
struct OpenLink {
    control: LinkSocket,
    responder: Responder,
    socket: usize,
}

/// Links that are spoken on at most; names are mostly resolved on the first.
const MAX_LINKS: usize = 8;

/// Who waits for names at most: as many as all peers of a busy port have candidates.
const MAX_ASKERS: usize = 4096;

impl<A> Default for Mdns<A> {
    fn default() -> Self {
        Self {
            mode: MdnsMode::default(),
            links: Vec::new(),
            opened: false,
            resolver: Resolver::new(),
            askers: Vec::new(),
            answers: VecDeque::new(),
            message: Vec::new(),
        }
    }
}

impl<A> Mdns<A> {
    pub(crate) const fn set_mode(&mut self, mode: MdnsMode) {
        self.mode = mode;
    }

    /// Asks for a name's address; returns whether that is done. Sockets are added to the driver's table if it takes any.
    pub(crate) fn ask<H: Host>(
        &mut self,
        now: Instant,
        name: &str,
        asker: A,
        sockets: &mut Vec<Slot<H::Socket>>,
    ) -> bool {
        let has_room = self.mode != MdnsMode::Off && self.askers.len() < MAX_ASKERS;
        if !has_room || self.resolver.resolve(now, name).is_err() {
            return false;
        }
        self.askers.push((name.to_ascii_lowercase().into(), asker));
        self.open::<H>(sockets);
        self.links.iter_mut().for_each(|link| link.control.set_joined(true));
        true
    }

    /// Answers for a name of ours on its address's link; where there is none, nobody can ask.
    pub(crate) fn publish<H: Host>(
        &mut self,
        now: Instant,
        name: &str,
        address: IpAddr,
        sockets: &mut Vec<Slot<H::Socket>>,
    ) {
        self.open::<H>(sockets);
        if let Some(link) = self.links.iter_mut().find(|link| link.control.link().address() == address)
            && link.responder.register(now, name).is_ok()
        {
            link.control.set_joined(true);
        }
    }

    /// Answers for a name no more, and says so.
    pub(crate) fn withdraw(&mut self, name: &str) {
        self.links.iter_mut().for_each(|link| link.responder.unregister(name));
        self.listen_if_needed();
    }

    /// Opens a socket on each link, once. On links where that fails nothing is heard.
    fn open<H: Host>(&mut self, sockets: &mut Vec<Slot<H::Socket>>) {
        if std::mem::replace(&mut self.opened, true) {
            return;
        }
        let addresses: Vec<IpAddr> = sockets.iter().map(|slot| slot.address.ip()).collect();
        for interface in interfaces::of(&addresses).unwrap_or_default().into_iter().take(MAX_LINKS) {
            let Ok(control) = LinkSocket::bind(interface) else { continue };
            let Ok(socket) = control.try_clone().and_then(H::socket) else { continue };
            let responder = Responder::new(control.link());
            self.links.push(OpenLink { control, responder, socket: sockets.len() });
            sockets.push(Slot::of_multicast(socket));
        }
    }

    /// Takes a message that came to the socket with this index in the driver's table.
    pub(crate) fn handle_message(&mut self, now: Instant, socket: usize, source: SocketAddr, message: &[u8]) {
        let Some(link) = self.links.iter_mut().find(|link| link.socket == socket) else { return };
        if link.responder.link().contains(source.ip()) {
            self.resolver.handle_message(message);
            link.responder.handle_message(now, source, message);
            self.settle();
        }
    }

    /// Does what is due, and sends what there is to send.
    pub(crate) fn turn(&mut self, now: Instant) {
        self.resolver.handle_timeout(now);
        self.settle();
        self.message.clear();
        while self.resolver.poll_transmit(now, &mut self.message) {
            for link in &self.links {
                link.control.send(link.control.group(), &self.message);
            }
            self.message.clear();
        }
        for link in &mut self.links {
            link.responder.handle_timeout(now);
            while let Some(to) = link.responder.poll_transmit(now, &mut self.message) {
                let to = match to {
                    Destination::Group => link.control.group(),
                    Destination::Address(address) => address,
                };
                link.control.send(to, &self.message);
                self.message.clear();
            }
        }
    }

    /// The next answer to one who asked for a name; none if there is no address, or more than one.
    pub(crate) fn poll_answer(&mut self) -> Option<(A, Option<IpAddr>)> {
        self.answers.pop_front()
    }

    /// When to [`turn`](Self::turn) next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let responders = self.links.iter().map(|link| link.responder.poll_timeout());
        responders.chain([self.resolver.poll_timeout()]).flatten().min()
    }

    /// Takes the resolver's news.
    fn settle(&mut self) {
        while let Some((name, address)) = self.resolver.poll_resolution() {
            let answered = self.askers.extract_if(.., |(asked, _)| *asked == name);
            self.answers.extend(answered.map(|(_, asker)| (asker, address)));
            self.listen_if_needed();
        }
    }

    /// Where nothing is asked for and there is nothing to answer for, what others say to each other is not listened to.
    fn listen_if_needed(&mut self) {
        for link in &mut self.links {
            link.control.set_joined(!self.resolver.is_idle() || !link.responder.is_idle());
        }
    }
}
