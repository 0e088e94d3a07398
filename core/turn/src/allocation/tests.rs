use alloc::sync::Arc;
use alloc::vec;

use pavane_crypto::software::SoftwareProvider;
use pavane_stun::{ErrorCode, LongTermCredentials, Message, PasswordAlgorithm};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::{Family, NotPermitted, Received};

const CLIENT: &str = "192.0.2.1:4001";
const SERVER: &str = "192.0.2.9:3478";
const RELAYED: &str = "192.0.2.9:50000";
const MAPPED: &str = "198.51.100.1:7";
const PEER: &str = "203.0.113.5:5005";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// An allocation, and a server made of what a test has it say.
struct Scene {
    allocation: Allocation,
    rng: ChaCha8Rng,
    now: Instant,
    password: &'static str,
}

type Attributes<'a> = &'a [(AttributeType, &'a [u8])];

impl Scene {
    fn new(family: Family, transport: Transport) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let user = LongTermCredentials { username: "user".into(), password: "pass".into() };
        let config = Config { family, ..Config::new(Arc::new(SoftwareProvider), user) };
        let path = Path { local: at(CLIENT), remote: at(SERVER), transport };
        let now = Instant::from_millis(1);
        let allocation = Allocation::new(now, &mut rng, config, path);
        Self { allocation, rng, now, password: "pass" }
    }

    /// One that has been granted for 600 s.
    fn live() -> Self {
        let mut scene = Self::new(Family::V4, Transport::Udp);
        scene.challenge();
        scene.grant();
        scene.allocation.poll_event();
        scene
    }

    /// The next request, as bytes.
    fn asked(&mut self) -> Option<Vec<u8>> {
        let mut buf = vec![7];
        let transmit = self.allocation.poll_transmit(&mut buf)?;
        assert_eq!((transmit.path, transmit.len), (self.allocation.path(), buf.len() - 1));
        Some(buf.split_off(1))
    }

    fn receive(&mut self, bytes: &[u8]) -> Received {
        self.allocation.handle_datagram(self.now, &mut self.rng, bytes)
    }

    /// Refuses a request.
    fn refuse(&mut self, request: &[u8], code: u16, attributes: Attributes<'_>) {
        let request = Message::parse(request).unwrap();
        let mut bytes = Vec::new();
        let mut message = Builder::new(&mut bytes, Class::Error, request.method(), request.transaction())
            .error_code(ErrorCode(code));
        for (kind, value) in attributes {
            message = message.attribute(*kind, value);
        }
        message.finish();
        self.receive(&bytes);
    }

    fn challenge(&mut self) {
        let request = self.asked().unwrap();
        assert_eq!(Message::parse(&request).unwrap().username(), None);
        self.refuse(&request, 401, &[(AttributeType::REALM, b"realm"), (AttributeType::NONCE, b"one")]);
    }

    /// Answers a request well, as somebody with the password does.
    fn accept(&mut self, request: &[u8], add: impl FnOnce(Builder<'_>) -> Builder<'_>) {
        let request = Message::parse(request).unwrap();
        let user = LongTermCredentials { username: "user".into(), password: self.password.into() };
        let key = PasswordAlgorithm::Md5.key(&SoftwareProvider, &user, "realm");
        let provider = &self.allocation.config.provider;
        let key = provider.mac(pavane_crypto::MacAlgorithm::HmacSha1, &key);
        let mut bytes = Vec::new();
        let message = Builder::new(&mut bytes, Class::Success, request.method(), request.transaction());
        add(message).integrity(&*key).finish();
        self.receive(&bytes);
    }

    fn grant(&mut self) {
        let request = self.asked().unwrap();
        self.accept(&request, |message| {
            message
                .xor_address(AttributeType::XOR_RELAYED_ADDRESS, at(RELAYED))
                .xor_mapped_address(at(MAPPED))
                .attribute(AttributeType::LIFETIME, &600_u32.to_be_bytes())
        });
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.allocation.handle_timeout(self.now, &mut self.rng);
    }

    fn permit(&mut self) {
        self.allocation.permit(self.now, &mut self.rng, at(PEER).ip());
        let request = self.asked().unwrap();
        self.accept(&request, |message| message);
        assert_eq!(self.event(), Some(Event::Permitted(at(PEER).ip())));
    }

    /// Puts datagrams to the peer into one envelope each, behind each other.
    fn enclose(&mut self, buf: &mut Vec<u8>, datagrams: &[&[u8]]) {
        let mut envelope = self.allocation.envelope(at(PEER)).unwrap();
        for datagram in datagrams {
            let start = buf.len();
            buf.resize(start + envelope.headroom(), 0xee);
            buf.extend_from_slice(datagram);
            envelope.close(buf, start);
            assert_eq!(buf.len() - start, envelope.enclosed_len(datagram.len()));
        }
    }

    fn event(&mut self) -> Option<Event> {
        self.allocation.poll_event()
    }

    fn ended(&mut self) -> Option<EndReason> {
        match self.event()? {
            Event::Ended(reason) => Some(reason),
            event => panic!("{event:?}"),
        }
    }
}

#[test]
fn an_allocation_comes_into_being() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    let first = scene.asked().unwrap();
    let request = Message::parse(&first).unwrap();
    assert_eq!((request.class(), request.method()), (Class::Request, Method::ALLOCATE));
    assert_eq!(request.attribute(AttributeType::REQUESTED_TRANSPORT), Some(&UDP[..]));
    assert_eq!(request.attributes().count(), 1);
    assert_eq!(scene.asked(), None);
    scene.refuse(&first, 401, &[(AttributeType::REALM, b"realm"), (AttributeType::NONCE, b"one")]);
    let second = scene.asked().unwrap();
    let request = Message::parse(&second).unwrap();
    assert_eq!(request.username(), Some("user"));
    assert_ne!(request.transaction(), Message::parse(&first).unwrap().transaction());
    scene.accept(&second, |message| {
        message
            .xor_address(AttributeType::XOR_RELAYED_ADDRESS, at(RELAYED))
            .xor_mapped_address(at(MAPPED))
            .attribute(AttributeType::LIFETIME, &600_u32.to_be_bytes())
    });
    assert_eq!(
        scene.event(),
        Some(Event::Allocated { relayed: at(RELAYED), additional: None, mapped: Some(at(MAPPED)) })
    );
    assert_eq!(scene.allocation.relayed(), Some(at(RELAYED)));
    // RFC 8656 §8: a refresh about a minute before the end.
    assert_eq!(scene.allocation.poll_timeout(), Some(scene.now + Duration::from_secs(540)));
}

#[test]
fn an_unanswered_request_is_repeated_as_it_was() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    let first = scene.asked().unwrap();
    let mut times = vec![];
    while let Some(next) = scene.allocation.poll_timeout() {
        scene.wait(next - scene.now);
        if let Some(again) = scene.asked() {
            assert_eq!(again, first);
            times.push((scene.now - Instant::from_millis(1)).as_millis());
        }
    }
    assert_eq!(times, [500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(scene.ended(), Some(EndReason::Unreachable));
    assert!(scene.allocation.is_over());
}

#[test]
fn a_stream_is_asked_once() {
    let mut scene = Scene::new(Family::V4, Transport::Tcp);
    assert!(scene.asked().is_some());
    scene.wait(Duration::from_secs(39));
    assert_eq!(scene.asked(), None);
    scene.wait(Duration::from_secs(1));
    assert_eq!(scene.ended(), Some(EndReason::Unreachable));
}

#[test]
fn an_address_of_the_other_family_is_asked_for() {
    let mut scene = Scene::new(Family::V6, Transport::Udp);
    let first = scene.asked().unwrap();
    let family = Message::parse(&first).unwrap().attribute(AttributeType::REQUESTED_ADDRESS_FAMILY);
    assert_eq!(family, Some(&[2, 0, 0, 0][..]));
    scene.refuse(&first, 440, &[]);
    assert_eq!(scene.ended(), Some(EndReason::Refused(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED)));
}

/// RFC 8489 §9.2.5: not again with what was refused.
#[test]
fn a_wrong_password_is_shown_once() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.challenge();
    for nonce in [b"one", b"two"] {
        let Some(request) = scene.asked() else { break };
        scene.refuse(&request, 401, &[(AttributeType::REALM, b"realm"), (AttributeType::NONCE, nonce)]);
    }
    assert_eq!(scene.ended(), Some(EndReason::Unauthorized));
    assert_eq!(scene.asked(), None);
}

#[test]
fn a_stale_nonce_is_replaced() {
    let mut scene = Scene::live();
    scene.wait(Duration::from_secs(540));
    let refresh = scene.asked().unwrap();
    assert_eq!(Message::parse(&refresh).unwrap().method(), Method::REFRESH);
    scene.refuse(&refresh, 438, &[(AttributeType::REALM, b"realm"), (AttributeType::NONCE, b"two")]);
    let again = scene.asked().unwrap();
    assert_eq!(Message::parse(&again).unwrap().attribute(AttributeType::NONCE), Some(&b"two"[..]));
    scene.accept(&again, |message| message.attribute(AttributeType::LIFETIME, &1200_u32.to_be_bytes()));
    assert_eq!(scene.event(), None);
    assert_eq!(scene.allocation.poll_timeout(), Some(scene.now + Duration::from_secs(1140)));
}

#[test]
fn a_server_that_always_finds_the_nonce_stale_is_left() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.challenge();
    let mut asked = 0;
    while let Some(request) = scene.asked() {
        asked += 1;
        scene.refuse(&request, 438, &[(AttributeType::REALM, b"realm"), (AttributeType::NONCE, &[asked])]);
    }
    assert_eq!((asked, scene.ended()), (4, Some(EndReason::Unauthorized)));
}

/// A server that was started again knows neither nonce nor allocation.
#[test]
fn a_server_that_has_forgotten_ends_it() {
    let mut scene = Scene::live();
    scene.wait(Duration::from_secs(540));
    let refresh = scene.asked().unwrap();
    scene.refuse(&refresh, 401, &[(AttributeType::REALM, b"realm"), (AttributeType::NONCE, b"two")]);
    let again = scene.asked().unwrap();
    scene.refuse(&again, 437, &[]);
    assert_eq!(scene.ended(), Some(EndReason::Mismatch));
}

#[test]
fn errors_end_an_allocation_that_is_asked_for() {
    let mut other = Vec::new();
    Builder::new(&mut other, Class::Request, Method::BINDING, TransactionId([0; 12]))
        .plain_address(AttributeType::ALTERNATE_SERVER, at("192.0.2.10:3478"))
        .finish();
    let other = Message::parse(&other).unwrap();
    let alternate =
        (AttributeType::ALTERNATE_SERVER, other.attribute(AttributeType::ALTERNATE_SERVER).unwrap());
    for (code, attributes, expected) in [
        (300, &[alternate][..], EndReason::Redirected(at("192.0.2.10:3478"))),
        (300, &[], EndReason::Misunderstood),
        (437, &[], EndReason::Mismatch),
        (441, &[], EndReason::Unauthorized),
        (442, &[], EndReason::Refused(ErrorCode::UNSUPPORTED_TRANSPORT)),
        (486, &[], EndReason::Refused(ErrorCode::QUOTA_REACHED)),
        (508, &[], EndReason::Refused(ErrorCode::INSUFFICIENT_CAPACITY)),
        (508, &[(AttributeType(0x7001), b"")], EndReason::Misunderstood),
    ] {
        let mut scene = Scene::new(Family::V4, Transport::Udp);
        scene.challenge();
        let request = scene.asked().unwrap();
        scene.refuse(&request, code, attributes);
        assert_eq!(scene.ended(), Some(expected), "{code}");
    }
}

/// A server that does not know a repeated request again finds its own first grant in the way (RFC 8656 §7.2, §7.4).
#[test]
fn an_allocation_whose_grant_was_lost_is_given_back_and_asked_for_anew() {
    for has_expired in [false, true] {
        let mut scene = Scene::new(Family::V4, Transport::Udp);
        scene.challenge();
        scene.asked().unwrap();
        scene.wait(Duration::from_millis(500));
        let repeated = scene.asked().unwrap();
        scene.refuse(&repeated, 437, &[]);
        let given_back = scene.asked().unwrap();
        let message = Message::parse(&given_back).unwrap();
        assert_eq!((message.method(), message.lifetime()), (Method::REFRESH, Some(0)));
        match has_expired {
            true => scene.refuse(&given_back, 437, &[]),
            false => scene.accept(&given_back, |message| message),
        }
        scene.grant();
        assert!(matches!(scene.event(), Some(Event::Allocated { relayed, .. }) if relayed == at(RELAYED)));
        assert_eq!((scene.asked(), scene.event()), (None, None));
    }
}

/// What nobody can have granted us is somebody else's, and stays his.
#[test]
fn an_allocation_of_somebody_else_is_left_alone() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.challenge();
    let first = scene.asked().unwrap();
    scene.refuse(&first, 437, &[]);
    assert_eq!((scene.ended(), scene.asked()), (Some(EndReason::Mismatch), None));

    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.challenge();
    scene.asked().unwrap();
    scene.wait(Duration::from_millis(500));
    let repeated = scene.asked().unwrap();
    scene.refuse(&repeated, 437, &[]);
    let given_back = scene.asked().unwrap();
    scene.refuse(&given_back, 441, &[]);
    assert_eq!((scene.ended(), scene.asked()), (Some(EndReason::Refused(ErrorCode(441))), None));
}

/// A server that always finds something in the way is left in the end.
#[test]
fn giving_back_ends() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.challenge();
    for _ in 0..MAX_RECLAIMS {
        scene.asked().unwrap();
        scene.wait(Duration::from_millis(500));
        let repeated = scene.asked().unwrap();
        scene.refuse(&repeated, 437, &[]);
        let given_back = scene.asked().unwrap();
        scene.accept(&given_back, |message| message);
    }
    scene.asked().unwrap();
    scene.wait(Duration::from_millis(500));
    let repeated = scene.asked().unwrap();
    scene.refuse(&repeated, 437, &[]);
    assert_eq!((scene.ended(), scene.asked()), (Some(EndReason::Mismatch), None));
}

#[test]
fn what_is_not_authentic_is_as_if_it_had_never_come() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.challenge();
    scene.password = "wrong";
    scene.grant();
    assert_eq!((scene.event(), scene.allocation.counters().unauthentic), (None, 1));
    scene.password = "pass";
    scene.wait(Duration::from_millis(500));
    scene.grant();
    assert!(matches!(scene.event(), Some(Event::Allocated { .. })));
}

#[test]
fn an_address_of_each_family_is_asked_for() {
    const SECOND: &str = "[2001:db8::9]:50001";
    let mut scene = Scene::new(Family::Both, Transport::Udp);
    scene.challenge();
    let request = scene.asked().unwrap();
    let family = Message::parse(&request).unwrap().attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY);
    assert_eq!(family, Some(&[2, 0, 0, 0][..]));
    scene.accept(&request, |message| {
        message
            .xor_address(AttributeType::XOR_RELAYED_ADDRESS, at(SECOND))
            .xor_address(AttributeType::XOR_RELAYED_ADDRESS, at(RELAYED))
    });
    let expected = Event::Allocated { relayed: at(RELAYED), additional: Some(at(SECOND)), mapped: None };
    assert_eq!(scene.event(), Some(expected));
    assert_eq!(scene.allocation.additional(), Some(at(SECOND)));
}

#[test]
fn permissions_are_asked_for_once_and_renewed() {
    let mut scene = Scene::live();
    assert_eq!(scene.allocation.envelope(at(PEER)).unwrap_err(), NotPermitted);
    scene.permit();
    scene.allocation.permit(scene.now, &mut scene.rng, at(PEER).ip());
    assert_eq!(scene.asked(), None);
    // RFC 8656 §9: it lasts 300 s.
    scene.wait(Duration::from_secs(240));
    let request = scene.asked().unwrap();
    assert_eq!(Message::parse(&request).unwrap().method(), Method::CREATE_PERMISSION);
    assert!(scene.allocation.is_permitted(at(PEER).ip()));
    scene.refuse(&request, 403, &[]);
    assert_eq!(scene.event(), Some(Event::Refused(at(PEER).ip())));
    assert!(!scene.allocation.is_permitted(at(PEER).ip()));
    assert!(!scene.allocation.is_over());
}

#[test]
fn data_goes_by_indication_and_then_by_channel() {
    let mut scene = Scene::live();
    scene.permit();
    let mut buf = b"..".to_vec();
    scene.enclose(&mut buf, &[b"abcde"]);
    assert_eq!(buf.len(), 2 + 36 + 8);
    let message = Message::parse(&buf[2..]).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::SEND));
    assert_eq!(message.attribute(AttributeType::DATA), Some(&b"abcde"[..]));
    assert_eq!(message.xor_address(AttributeType::XOR_PEER_ADDRESS), Some(at(PEER)));
    scene.allocation.bind_channel(scene.now, &mut scene.rng, at(PEER));
    let request = scene.asked().unwrap();
    assert_eq!(Message::parse(&request).unwrap().channel_number(), Some(0x4000));
    scene.accept(&request, |message| message);
    let mut buf = b"..".to_vec();
    scene.enclose(&mut buf, &[b"abc", b"def", b"gh"]);
    assert_eq!(buf, b"..\x40\0\0\x03abc\x40\0\0\x03def\x40\0\0\x02gh");
    scene.wait(Duration::from_secs(240));
    let request = scene.asked().unwrap();
    assert_eq!(Message::parse(&request).unwrap().method(), Method::CREATE_PERMISSION);
    scene.accept(&request, |message| message);
    // RFC 8656 §12: a channel lasts 600 s.
    scene.wait(Duration::from_secs(300));
    let methods: Vec<_> = core::iter::from_fn(|| scene.asked())
        .map(|request| Message::parse(&request).unwrap().method())
        .collect();
    assert_eq!(methods, [Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND]);
}

#[test]
fn a_streams_channel_data_is_padded() {
    let mut scene = Scene::new(Family::V4, Transport::Tcp);
    scene.challenge();
    scene.grant();
    scene.event();
    scene.permit();
    scene.allocation.bind_channel(scene.now, &mut scene.rng, at(PEER));
    let request = scene.asked().unwrap();
    scene.accept(&request, |message| message);
    let mut buf = Vec::new();
    scene.enclose(&mut buf, &[b"abcde"]);
    assert_eq!(buf, b"\x40\0\0\x05abcde\0\0\0");
    assert_eq!(crate::message_len(&buf), Ok(Some(12)));
}

#[test]
fn data_comes_by_indication_and_by_channel() {
    let mut scene = Scene::live();
    let mut indication = Vec::new();
    Builder::new(&mut indication, Class::Indication, Method::DATA, TransactionId([1; 12]))
        .xor_address(AttributeType::XOR_PEER_ADDRESS, at(PEER))
        .attribute(AttributeType::DATA, b"hello")
        .finish();
    let by_channel = b"\x40\0\0\x03abc";
    // RFC 8656 §11.4: nothing is taken of those who have no permission.
    assert_eq!(scene.receive(&indication), Received::Nothing);
    assert_eq!(scene.receive(by_channel), Received::Nothing);
    assert_eq!(scene.allocation.counters().not_permitted, 2);
    scene.permit();
    let Received::Data { peer, range } = scene.receive(&indication) else { panic!() };
    assert_eq!((peer, &indication[range]), (at(PEER), &b"hello"[..]));
    // The server may have bound the channel while its answer is on the way.
    scene.allocation.bind_channel(scene.now, &mut scene.rng, at(PEER));
    assert_eq!(scene.receive(by_channel), Received::Data { peer: at(PEER), range: 4..7 });
}

#[test]
fn closing_gives_the_address_back() {
    let mut scene = Scene::live();
    scene.permit();
    scene.allocation.close(scene.now, &mut scene.rng);
    let request = scene.asked().unwrap();
    assert_eq!(Message::parse(&request).unwrap().lifetime(), Some(0));
    // RFC 8656 §8.3: that there is nothing to give back is as good.
    scene.refuse(&request, 437, &[]);
    assert_eq!(scene.ended(), Some(EndReason::Closed));
    assert_eq!(scene.allocation.poll_timeout(), None);
}

#[test]
fn closing_gives_back_what_may_have_been_granted() {
    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.challenge();
    scene.asked().unwrap();
    scene.allocation.close(scene.now, &mut scene.rng);
    let given_back = scene.asked().unwrap();
    let message = Message::parse(&given_back).unwrap();
    assert_eq!((message.method(), message.lifetime()), (Method::REFRESH, Some(0)));
    scene.refuse(&given_back, 437, &[]);
    assert_eq!(scene.ended(), Some(EndReason::Closed));

    let mut scene = Scene::new(Family::V4, Transport::Udp);
    scene.allocation.close(scene.now, &mut scene.rng);
    assert_eq!(
        (scene.ended(), scene.asked()),
        (Some(EndReason::Closed), None),
        "nobody was asked in earnest"
    );
}

#[test]
fn an_answer_without_a_usable_address_is_none() {
    for relayed in ["0.0.0.0:5", "192.0.2.9:0", "[2001:db8::1]:5"] {
        let mut scene = Scene::new(Family::V4, Transport::Udp);
        scene.challenge();
        let request = scene.asked().unwrap();
        scene
            .accept(&request, |message| message.xor_address(AttributeType::XOR_RELAYED_ADDRESS, at(relayed)));
        assert_eq!(scene.ended(), Some(EndReason::Misunderstood), "{relayed}");
    }
}

#[test]
fn no_datagram_panics() {
    use rand_chacha::rand_core::Rng;
    for seed in 0..2000 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = vec![0; (rng.next_u32() % 400) as usize];
        rng.fill_bytes(&mut bytes);
        crate::fuzzing::allocation(&bytes);
    }
}
