//! The connection's state: ICE's and DTLS's as one.

use crate::{ConnectionState, IceConnectionState, IceGatheringState, dtls, ice};

/// Combines the states by W3C's rules for `RTCPeerConnectionState`, for the one transport that there is.
pub(super) const fn combine(ice: IceConnectionState, dtls: Option<dtls::State>) -> ConnectionState {
    use dtls::State as Dtls;
    match (ice, dtls) {
        (IceConnectionState::Closed, _) => ConnectionState::Closed,
        (IceConnectionState::Failed, _) | (_, Some(Dtls::Failed)) => ConnectionState::Failed,
        (IceConnectionState::Disconnected, _) => ConnectionState::Disconnected,
        (IceConnectionState::New, None | Some(Dtls::New | Dtls::Closed)) => ConnectionState::New,
        (
            IceConnectionState::Connected | IceConnectionState::Completed,
            Some(Dtls::Connected | Dtls::Closed),
        ) => ConnectionState::Connected,
        _ => ConnectionState::Connecting,
    }
}

pub(super) const fn ice_connection_state(state: ice::State) -> IceConnectionState {
    match state {
        ice::State::New => IceConnectionState::New,
        ice::State::Checking => IceConnectionState::Checking,
        ice::State::Connected => IceConnectionState::Connected,
        ice::State::Completed => IceConnectionState::Completed,
        ice::State::Disconnected => IceConnectionState::Disconnected,
        ice::State::Failed => IceConnectionState::Failed,
        ice::State::Closed => IceConnectionState::Closed,
    }
}

pub(super) const fn ice_gathering_state(state: ice::GatheringState) -> IceGatheringState {
    match state {
        ice::GatheringState::New => IceGatheringState::New,
        ice::GatheringState::Gathering => IceGatheringState::Gathering,
        ice::GatheringState::Complete => IceGatheringState::Complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connections_state_combines_ices_and_dtlss() {
        use {ConnectionState as C, IceConnectionState as I, dtls::State as D};
        let table = [
            (I::New, None, C::New),
            (I::New, Some(D::New), C::New),
            (I::New, Some(D::Connecting), C::Connecting),
            (I::Checking, None, C::Connecting),
            (I::Checking, Some(D::New), C::Connecting),
            (I::Connected, Some(D::New), C::Connecting),
            (I::Connected, Some(D::Connecting), C::Connecting),
            (I::Connected, Some(D::Connected), C::Connected),
            (I::Completed, Some(D::Connected), C::Connected),
            (I::Completed, Some(D::Closed), C::Connected),
            (I::Completed, Some(D::Failed), C::Failed),
            (I::Disconnected, Some(D::Connected), C::Disconnected),
            (I::Disconnected, Some(D::Failed), C::Failed),
            (I::Failed, Some(D::Connected), C::Failed),
            (I::Closed, Some(D::Failed), C::Closed),
        ];
        for (ice, dtls, expected) in table {
            assert_eq!(combine(ice, dtls), expected, "{ice:?} and {dtls:?}");
        }
    }
}
