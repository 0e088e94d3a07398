//! OpenSSL.

use std::io::{self, Read, Write};

use openssl::ssl::{ErrorCode, SslConnector, SslStream};
#[cfg(not(feature = "tls-rustls"))]
use openssl::{ssl::SslMethod, x509::X509, x509::store::X509StoreBuilder};

use crate::streams::session::{Broken, Session};

/// Trusts whom the operating system trusts; where rustls is there too, it does.
#[cfg(not(feature = "tls-rustls"))]
pub(super) fn system() -> Option<SslConnector> {
    SslConnector::builder(SslMethod::tls_client()).ok().map(|builder| builder.build())
}

/// Trusts these certificates, and whom they vouch for.
#[cfg(not(feature = "tls-rustls"))]
pub(super) fn trusting(pem: &[u8]) -> Option<SslConnector> {
    let certificates = X509::stack_from_pem(pem).ok().filter(|certificates| !certificates.is_empty())?;
    let mut store = X509StoreBuilder::new().ok()?;
    for certificate in certificates {
        store.add_cert(certificate).ok()?;
    }
    let mut builder = SslConnector::builder(SslMethod::tls_client()).ok()?;
    builder.set_cert_store(store.build());
    Some(builder.build())
}

pub(super) fn connect(connector: &SslConnector, name: &str) -> Result<Box<dyn Session>, Broken> {
    let ssl = connector.configure().and_then(|configuration| configuration.into_ssl(name));
    let stream = SslStream::new(ssl.map_err(|_| Broken)?, Memory::default());
    Ok(Box::new(Client { stream: stream.map_err(|_| Broken)?, established: false }))
}

struct Client {
    stream: SslStream<Memory>,
    established: bool,
}

/// The transport that OpenSSL believes in.
#[derive(Debug, Default)]
struct Memory {
    came: Vec<u8>,
    read: usize,
    out: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let pending = &self.came[self.read..];
        if pending.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = pending.len().min(buffer.len());
        buffer[..len].copy_from_slice(&pending[..len]);
        self.read += len;
        Ok(len)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Client {
    fn advance(&mut self, plain: &mut dyn FnMut(&[u8])) -> Result<(), Broken> {
        let waits = |code| matches!(code, ErrorCode::WANT_READ | ErrorCode::WANT_WRITE);
        if !self.established {
            match self.stream.connect() {
                Ok(()) => self.established = true,
                Err(error) if waits(error.code()) => return Ok(()),
                Err(_) => return Err(Broken),
            }
        }
        let mut buffer = [0; 4096];
        loop {
            match self.stream.ssl_read(&mut buffer) {
                Ok(len) => plain(&buffer[..len]),
                Err(error) if waits(error.code()) => return Ok(()),
                // What follows a farewell is the end of the stream, which the stream itself tells.
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => return Ok(()),
                Err(_) => return Err(Broken),
            }
        }
    }
}

impl Session for Client {
    fn handle(&mut self, came: &[u8], plain: &mut dyn FnMut(&[u8]), out: &mut Vec<u8>) -> Result<(), Broken> {
        self.stream.get_mut().came.extend_from_slice(came);
        let result = self.advance(plain);
        let memory = self.stream.get_mut();
        memory.came.drain(..memory.read);
        memory.read = 0;
        out.append(&mut memory.out);
        result
    }

    fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        self.stream.write_all(plain).map_err(|_| Broken)?;
        out.append(&mut self.stream.get_mut().out);
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let _ = self.stream.shutdown();
        out.append(&mut self.stream.get_mut().out);
    }

    fn is_established(&self) -> bool {
        self.established
    }
}
