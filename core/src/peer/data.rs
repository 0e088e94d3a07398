//! SCTP and the data channels on it.
//!
//! Channels may be created long before there is anything to carry them; the association exists from the moment that both
//! descriptions have a data section, and connects when DTLS is done.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::Instant;

use super::local::SCTP_PORT;
use super::remote::DataSection;
use crate::datachannel::Parity;
use crate::event::Event;
use crate::{Config, datachannel, dtls, sctp};

pub(super) struct DataTransport {
    pub(super) channels: datachannel::Channels,
    sctp: Sctp,
    /// The peer's INIT chunk, if its description has it.
    peer_init: Option<Vec<u8>>,
    /// What the caller said after the configuration.
    max_receive_window: Option<u32>,
}

enum Sctp {
    /// Nobody has asked for it; how it would introduce itself.
    Off(sctp::Introduction),
    /// It connects as soon as DTLS has, lives, or has ended.
    On(Box<sctp::Association>),
}

impl DataTransport {
    pub(super) fn new(config: &Config, introduction: sctp::Introduction) -> Self {
        let largest = usize::try_from(config.max_message_size).unwrap_or(usize::MAX);
        let channels = datachannel::Channels::new(largest);
        Self { channels, sctp: Sctp::Off(introduction), peer_init: None, max_receive_window: None }
    }

    /// Whether the application has asked for channels.
    pub(super) const fn wanted(&self) -> bool {
        self.channels.asked_for()
    }

    pub(super) fn association(&self) -> Option<&sctp::Association> {
        match &self.sctp {
            Sctp::Off(_) => None,
            Sctp::On(association) => Some(association),
        }
    }

    /// The channels, and the association if there is one.
    pub(super) fn parts(&mut self) -> (&mut datachannel::Channels, Option<&mut sctp::Association>) {
        let association = match &mut self.sctp {
            Sctp::Off(_) => None,
            Sctp::On(association) => Some(&mut **association),
        };
        (&mut self.channels, association)
    }

    /// Both descriptions have a data section: the first time, that makes the association.
    pub(super) fn negotiated(&mut self, config: &Config, data: &DataSection) {
        self.channels.set_peer_limit(data.max_message_size);
        if let Sctp::Off(introduction) = &self.sctp {
            let config = sctp_config(config, data.sctp_port);
            let mut association = sctp::Association::with_introduction(config, introduction.clone());
            if let Some(bytes) = self.max_receive_window {
                association.set_max_receive_window(bytes);
            }
            self.sctp = Sctp::On(Box::new(association));
            self.peer_init.clone_from(&data.init);
        }
    }

    /// DTLS is done: the association begins, and the channels' OPENs wait to ride with its first packets.
    pub(super) fn connect(&mut self, now: Instant, role: dtls::Role, round_trip_time: Option<Duration>) {
        let peer_init = self.peer_init.take();
        let (channels, Some(association)) = self.parts() else { return };
        if let Some(round_trip_time) = round_trip_time {
            association.set_round_trip_time(round_trip_time);
        }
        // RFC 8832 §6: the DTLS client gives even ids.
        let parity = match role {
            dtls::Role::Client => Parity::Even,
            dtls::Role::Server => Parity::Odd,
        };
        channels.start(now, association, parity);
        let introduced = peer_init.is_some_and(|init| association.connect_introduced(now, &init).is_ok());
        if !introduced {
            association.connect(now);
        }
    }

    /// Ends the association at once, and every channel with it; the peer is told.
    pub(super) fn abort(&mut self, now: Instant) {
        let (channels, association) = self.parts();
        match association {
            Some(association) => {
                association.abort(now, b"closed");
                channels.transport_closed(Some(association));
            }
            None => channels.transport_closed(None),
        }
    }

    pub(super) fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        if let Sctp::On(association) = &mut self.sctp {
            association.handle_packet(now, packet);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Sctp::On(association) = &mut self.sctp {
            association.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.association().and_then(sctp::Association::poll_timeout)
    }

    /// Passes the association's news on to the channels.
    pub(super) fn settle(&mut self, now: Instant) {
        let (channels, Some(association)) = self.parts() else { return };
        while let Some(event) = association.poll_event() {
            channels.handle_event(now, association, event);
        }
    }

    /// The next thing that happened to a channel.
    pub(super) fn poll_event(&mut self) -> Option<Event> {
        loop {
            return Some(match self.channels.poll_event()? {
                datachannel::Event::Announced(id) => Event::ChannelAnnounced(id),
                datachannel::Event::Opened(id) => Event::ChannelOpened(id),
                datachannel::Event::Readable(id) => Event::ChannelReadable(id),
                datachannel::Event::BufferedAmountLow(id) => Event::ChannelBufferedAmountLow(id),
                datachannel::Event::Writable => Event::Writable,
                datachannel::Event::Error(id, error) => Event::ChannelFailed(id, error),
                datachannel::Event::Closing(id) => Event::ChannelClosing(id),
                datachannel::Event::Closed(id) => Event::ChannelClosed(id),
                _ => continue,
            });
        }
    }

    /// The size of the largest packet.
    pub(super) fn max_packet(&self) -> usize {
        self.association().map_or(0, sctp::Association::max_packet)
    }

    pub(super) fn set_max_receive_window(&mut self, bytes: u32) {
        self.max_receive_window = Some(bytes);
        if let (_, Some(association)) = self.parts() {
            association.set_max_receive_window(bytes);
        }
    }

    /// Appends a packet that finds out whether one of its size passes.
    pub(super) fn poll_probe(&mut self, buf: &mut Vec<u8>) -> Option<usize> {
        self.parts().1?.poll_probe(buf)
    }

    /// Another pair of addresses is used from here on.
    pub(super) fn handle_path_change(&mut self, now: Instant) {
        if let (_, Some(association)) = self.parts() {
            association.handle_path_change(now);
        }
    }

    /// Appends one packet.
    pub(super) fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<usize> {
        match &mut self.sctp {
            Sctp::Off(_) => None,
            Sctp::On(association) => association.poll_transmit(now, buf),
        }
    }
}

/// The configuration of an association with a peer at this port.
pub(super) fn sctp_config(config: &Config, remote_port: u16) -> sctp::Config {
    sctp::Config {
        local_port: SCTP_PORT,
        remote_port,
        max_packet: MAX_PACKET,
        max_probe: match config.max_path_mtu {
            ..=LEAST_MTU => 0,
            mtu => usize::from(mtu) - LEAST_OVERHEAD,
        },
        receive_window: config.receive_window,
        max_receive_window: config.max_receive_window,
        max_message_size: usize::try_from(config.max_message_size).unwrap_or(usize::MAX),
        max_buffered_send: config.send_buffer,
        ..sctp::Config::default()
    }
}

/// 1280 octets of IPv6, less its header, UDP's, a TURN channel's, a DTLS record's and an AEAD's, rounded down to the four
/// octets that chunks are padded to: full packets are then of one size, and leave as one batch.
const MAX_PACKET: usize = (1280 - 40 - 8 - 4 - 13 - 24) / 4 * 4;

/// What passes everywhere.
const LEAST_MTU: u16 = 1280;

/// What IPv4, UDP and a DTLS record take of a packet.
const LEAST_OVERHEAD: usize = 20 + 8 + 13 + 24;
