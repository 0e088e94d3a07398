//! What lies between a socket's bytes and messages: TLS, or nothing.

/// A session from the client's side.
pub(super) trait Session: Send {
    /// Takes what came, gives what it meant to `plain`, and appends what is to be sent to `out`.
    fn handle(&mut self, came: &[u8], plain: &mut dyn FnMut(&[u8]), out: &mut Vec<u8>) -> Result<(), Broken>;

    /// Appends `plain` to `out` as it is to be sent. The handshake is over.
    fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Broken>;

    /// Appends the farewell (RFC 8446 §6.1).
    fn close(&mut self, out: &mut Vec<u8>);

    /// Whether the handshake is over.
    fn is_established(&self) -> bool;
}

/// The session has failed: the server is not the one that it should be, or does not speak TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// No session: bytes are what they mean.
pub(super) struct Plain;

impl Session for Plain {
    fn handle(&mut self, came: &[u8], plain: &mut dyn FnMut(&[u8]), _: &mut Vec<u8>) -> Result<(), Broken> {
        plain(came);
        Ok(())
    }

    fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        out.extend_from_slice(plain);
        Ok(())
    }

    fn close(&mut self, _: &mut Vec<u8>) {}

    fn is_established(&self) -> bool {
        true
    }
}
