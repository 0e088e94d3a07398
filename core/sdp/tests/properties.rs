//! Whatever description is made, its text reads as the same description.

use pavane_sdp::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws descriptions from a seed.
struct Draw(ChaCha8Rng);

impl Draw {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    fn some<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| draw(self))
    }

    fn many<T>(&mut self, least: u32, draw: impl Fn(&mut Self) -> T) -> Vec<T> {
        let count = least + self.below(4);
        (0..count).map(|_| draw(self)).collect()
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize].clone()
    }

    fn letters(&mut self, alphabet: &[u8]) -> String {
        let len = 1 + self.below(12);
        (0..len).map(|_| char::from(self.of(alphabet))).collect()
    }

    /// A name that is none of those that are known.
    fn name(&mut self) -> String {
        format!("x-{}", self.letters(b"abcXYZ019-"))
    }

    /// What may stand in most words.
    fn word(&mut self) -> String {
        self.letters(b"abcXYZ019-_.{}+")
    }

    /// What may stand at the end of a line.
    fn text(&mut self) -> String {
        let words = self.many(1, Self::word);
        words.join(self.of(&[" ", ":", "=", ";", "/", "  "]))
    }

    fn byte(&mut self) -> u8 {
        self.0.next_u32() as u8
    }

    fn port(&mut self) -> u16 {
        self.0.next_u32() as u16
    }

    fn address(&mut self) -> CandidateAddress {
        match self.below(3) {
            0 => CandidateAddress::Ip(self.0.next_u32().to_be_bytes().into()),
            1 => CandidateAddress::Ip((u128::from(self.0.next_u64()) << 64).to_be_bytes().into()),
            _ => CandidateAddress::Name(format!("{}.local", self.word())),
        }
    }

    fn candidate(&mut self) -> Candidate {
        let other = CandidateKind::Other(self.name());
        let transport = CandidateTransport::Other(self.name());
        Candidate {
            foundation: self.word(),
            component: self.port(),
            transport: self.of(&[CandidateTransport::Udp, CandidateTransport::Tcp, transport]),
            priority: self.0.next_u32(),
            address: self.address(),
            port: self.port(),
            kind: self.of(&[
                CandidateKind::Host,
                CandidateKind::ServerReflexive,
                CandidateKind::Relayed,
                other,
            ]),
            related: self.some(|draw| (draw.address(), draw.port())),
            tcp_type: self
                .some(|draw| draw.of(&[TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen])),
            extensions: self.many(0, |draw| (draw.name(), draw.word())),
        }
    }

    fn simulcast(&mut self) -> Simulcast {
        let list = |draw: &mut Self, direction| SimulcastList {
            direction,
            streams: draw.many(1, |draw| {
                let rid = |draw: &mut Self| SimulcastRid {
                    id: draw.letters(b"abc012"),
                    paused: draw.below(2) == 0,
                };
                draw.many(1, rid)
            }),
        };
        let first = list(self, RidDirection::Recv);
        Simulcast { first, second: self.some(|draw| list(draw, RidDirection::Send)) }
    }

    fn attribute(&mut self) -> Attribute {
        match self.below(4) {
            0 => self.flag(),
            1 => self.transport_attribute(),
            2 => self.rtp_attribute(),
            _ => Attribute::Unknown { name: self.name(), value: self.some(Self::text) },
        }
    }

    fn flag(&mut self) -> Attribute {
        self.of(&[
            Attribute::BundleOnly,
            Attribute::IceLite,
            Attribute::EndOfCandidates,
            Attribute::Sendrecv,
            Attribute::Sendonly,
            Attribute::Recvonly,
            Attribute::Inactive,
            Attribute::RtcpMux,
            Attribute::RtcpMuxOnly,
            Attribute::RtcpRsize,
            Attribute::ExtmapAllowMixed,
        ])
    }

    fn transport_attribute(&mut self) -> Attribute {
        match self.below(12) {
            0 => Attribute::Mid(self.word()),
            1 => Attribute::Group { semantics: self.word(), mids: self.many(0, Self::word) },
            2 => Attribute::IceUfrag(self.word()),
            3 => Attribute::IcePwd(self.word()),
            4 => Attribute::IceOptions(self.many(0, Self::word)),
            5 => Attribute::Candidate(Box::new(self.candidate())),
            6 => Attribute::Fingerprint { hash: self.word(), value: self.many(1, Self::byte) },
            7 => Attribute::Setup(self.of(&[Setup::Active, Setup::Passive, Setup::Actpass, Setup::Holdconn])),
            8 => Attribute::TlsId(self.word()),
            9 => Attribute::SctpPort(self.port()),
            10 => Attribute::MaxMessageSize(self.0.next_u64()),
            _ => Attribute::Sctpmap {
                port: self.port(),
                protocol: self.word(),
                streams: self.some(|draw| draw.0.next_u32()),
            },
        }
    }

    fn rtp_attribute(&mut self) -> Attribute {
        let directions = [Direction::Sendrecv, Direction::Sendonly, Direction::Recvonly, Direction::Inactive];
        match self.below(10) {
            0 => Attribute::Rtcp(Rtcp { port: self.port(), address: self.some(Self::text) }),
            1 => Attribute::Rtpmap(Rtpmap {
                payload_type: self.byte(),
                encoding: self.word(),
                clock_rate: self.0.next_u32(),
                parameters: self.some(Self::word),
            }),
            2 => Attribute::Fmtp(Fmtp { format: self.word(), parameters: self.text() }),
            3 => Attribute::RtcpFeedback(RtcpFeedback {
                payload_types: self.some(Self::byte).map_or(PayloadTypes::All, PayloadTypes::One),
                kind: self.word(),
                parameters: self.some(Self::text),
            }),
            4 => Attribute::Extmap(Extmap {
                id: self.port(),
                direction: self.some(|draw| draw.of(&directions)),
                uri: format!("urn:{}", self.word()),
                attributes: self.some(Self::text),
            }),
            5 => Attribute::Ssrc(Ssrc {
                ssrc: self.0.next_u32(),
                name: self.word(),
                value: self.some(Self::text),
            }),
            6 => Attribute::SsrcGroup(SsrcGroup {
                semantics: self.word(),
                ssrcs: self.many(0, |draw| draw.0.next_u32()),
            }),
            7 => Attribute::Msid(Msid { stream: self.word(), track: self.some(Self::word) }),
            8 => Attribute::Rid(Rid {
                id: self.letters(b"abc012"),
                direction: self.of(&[RidDirection::Send, RidDirection::Recv]),
                restrictions: self.some(Self::text),
            }),
            _ => Attribute::Simulcast(self.simulcast()),
        }
    }

    fn media(&mut self) -> MediaDescription {
        let other = MediaKind::Other(self.name());
        let kind = self.of(&[MediaKind::Audio, MediaKind::Video, MediaKind::Application, other]);
        let (port, formats) = (self.port(), self.many(1, Self::word));
        let mut media = MediaDescription::new(kind, port, "UDP/TLS/RTP/SAVPF", formats);
        media.port_count = self.some(Self::port);
        media.lines.extend(self.some(Self::bandwidth));
        media.attributes = self.many(0, Self::attribute);
        media
    }

    fn bandwidth(&mut self) -> Line {
        let other = BandwidthKind::Other(self.name());
        let kinds = [BandwidthKind::ApplicationSpecific, BandwidthKind::TransportIndependent, other];
        Line::from(Bandwidth { kind: self.of(&kinds), value: self.0.next_u64() })
    }

    fn description(&mut self) -> SessionDescription {
        let (id, version) = (self.0.next_u64(), self.0.next_u64());
        let mut description = SessionDescription::new(Origin::new(id, version));
        description.name = self.text();
        description.lines.extend(self.some(Self::bandwidth));
        description.attributes = self.many(0, Self::attribute);
        description.media = self.many(0, Self::media);
        description
    }
}

#[test]
fn what_is_written_is_read_as_the_same() {
    for seed in 0..5000 {
        let description = Draw(ChaCha8Rng::seed_from_u64(seed)).description();
        let text = description.to_string();
        assert_eq!(text.parse().as_ref(), Ok(&description), "seed {seed}:\n{text}");
        assert_eq!(text.replace("\r\n", "\n").parse(), Ok(description), "seed {seed} with bare line feeds");
    }
}
