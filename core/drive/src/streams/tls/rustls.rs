//! rustls.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::streams::session::{Broken, Session};

/// Trusts whom the operating system trusts.
pub(super) fn system() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { None } else { config(roots) }
}

/// Trusts these certificates, and whom they vouch for.
pub(super) fn trusting(pem: &[u8]) -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.ok()?).ok()?;
    }
    if roots.is_empty() { None } else { config(roots) }
}

fn config(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

pub(super) fn connect(config: Arc<ClientConfig>, name: &str) -> Result<Box<dyn Session>, Broken> {
    let name = ServerName::try_from(name.to_owned()).map_err(|_| Broken)?;
    let mut connection = ClientConnection::new(config, name).map_err(|_| Broken)?;
    // What waits is bounded by whoever sends.
    connection.set_buffer_limit(None);
    Ok(Box::new(Client { connection }))
}

struct Client {
    connection: ClientConnection,
}

impl Client {
    /// Hands out what has been decrypted.
    fn drain(&mut self, plain: &mut dyn FnMut(&[u8])) {
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = self.connection.reader().read(&mut buffer) {
            plain(&buffer[..len]);
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        // Writing to a vector cannot fail.
        while self.connection.wants_write() && self.connection.write_tls(out).is_ok() {}
    }
}

impl Session for Client {
    fn handle(
        &mut self,
        mut came: &[u8],
        plain: &mut dyn FnMut(&[u8]),
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        while !came.is_empty() {
            if self.connection.read_tls(&mut came).map_err(|_| Broken)? == 0 {
                // Behind the server's farewell nothing counts.
                break;
            }
            let result = self.connection.process_new_packets();
            self.drain(plain);
            if result.is_err() {
                // The alert that says why.
                self.flush(out);
                return Err(Broken);
            }
        }
        self.flush(out);
        Ok(())
    }

    fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        self.connection.writer().write_all(plain).map_err(|_| Broken)?;
        self.flush(out);
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.connection.send_close_notify();
        self.flush(out);
    }

    fn is_established(&self) -> bool {
        !self.connection.is_handshaking()
    }
}
