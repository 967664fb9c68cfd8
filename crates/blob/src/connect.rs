//! The HTTP client of a store: as `object_store` would make it, but for the certificates of the system.
//!
//! Reading some 140 of them takes 4 ms of CPU time, and `object_store` does it for every client, also for one that speaks
//! plain HTTP. A process that hears a list of short files opens two buckets and lives for a tenth of a second. So all clients
//! of a process share what was read, and a client that may speak plain HTTP has it read when a server shows its certificate.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{ClientConfigKey, HttpClient, HttpConnector, ReqwestConnector};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// Silence of a store that ends a request.
pub(crate) const SILENCE: Duration = Duration::from_mins(1);

/// How long a connection may take to be made, as `object_store` has it, too, unless it asks the machine itself.
const CONNECTING: Duration = Duration::from_secs(10);

/// Who asks.
const AGENT: &str = concat!("accession/", env!("CARGO_PKG_VERSION"));

/// No limit for a request as a whole: whoever calls has one in proportion to what is sent, and reading has one for silence.
pub(crate) fn options(plain: bool) -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
        .with_connect_timeout(CONNECTING)
        .with_config(ClientConfigKey::UserAgent, AGENT)
        .with_allow_http(plain)
}

/// A client by [`options`]; whatever else `object_store` needs, such as one that asks the machine who it is, is its own.
pub(crate) fn client(asked: &ClientOptions) -> object_store::Result<HttpClient> {
    let of = |options: &ClientOptions, key| options.get_config_value(&key);
    let waits = of(asked, ClientConfigKey::ConnectTimeout);
    if waits != of(&options(false), ClientConfigKey::ConnectTimeout) {
        return ReqwestConnector::default().connect(asked);
    }
    let plain = of(asked, ClientConfigKey::AllowHttp).is_some_and(|is| is == "true");
    let authorities = Authorities::of_process();
    if !plain {
        // A system without certificates is told before anything is begun.
        authorities.verifier().map_err(unusable)?;
    }
    let client = reqwest::Client::builder()
        .user_agent(AGENT)
        .read_timeout(SILENCE)
        .connect_timeout(CONNECTING)
        .https_only(!plain)
        .http1_only()
        // What is stored in a compressed form stays as it is.
        .no_gzip()
        .dns_resolver(Arc::new(Shuffled))
        .tls_backend_preconfigured(tls(authorities).map_err(unusable)?);
    Ok(HttpClient::new(client.build().map_err(unusable)?))
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic {
        store: "HTTP client",
        source: Box::new(error),
    }
}

fn tls(authorities: Arc<Authorities>) -> Result<ClientConfig, rustls::Error> {
    let mut tls = ClientConfig::builder_with_provider(Arc::clone(&authorities.provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(authorities)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

/// Whom the system trusts, which is read when it is asked for the first time.
#[derive(Debug)]
struct Authorities {
    provider: Arc<CryptoProvider>,
    read: OnceLock<Verifier>,
}

impl Authorities {
    /// Those of all clients of this process that live at the same time; the next ones after them read the system's again,
    /// which may have changed.
    fn of_process() -> Arc<Self> {
        static SHARED: Mutex<Weak<Authorities>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self {
                provider: Arc::new(rustls::crypto::ring::default_provider()),
                read: OnceLock::new(),
            });
            *shared = Arc::downgrade(&new);
            new
        })
    }

    fn verifier(&self) -> Result<&Verifier, rustls::Error> {
        if let Some(read) = self.read.get() {
            return Ok(read);
        }
        let read = Verifier::new(Arc::clone(&self.provider))?;
        Ok(self.read.get_or_init(|| read))
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verifier = self.verifier()?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Addresses of a store in another order each time, so that its machines share the work.
#[derive(Debug)]
struct Shuffled;

impl Resolve for Shuffled {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Another port takes the place of this one.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let mut addresses: Vec<SocketAddr> = found.collect();
            fastrand::shuffle(&mut addresses);
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_once_for_all_clients_and_not_for_plain_http() {
        let first = Authorities::of_process();
        let _plain = [
            client(&options(true)).unwrap(),
            client(&options(true)).unwrap(),
        ];
        assert!(first.read.get().is_none(), "nobody has shown a certificate");
        let _secured = client(&options(false)).unwrap();
        let read = std::ptr::from_ref(first.read.get().unwrap());
        let _another = client(&options(false)).unwrap();
        let again = Authorities::of_process();
        assert_eq!(std::ptr::from_ref(again.read.get().unwrap()), read);
    }
}
