//! A client's connection to a server that is not echat: bytes, plain or through TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::super::Failure;

/// The bytes of a read at most; a shorter one has emptied the socket.
pub(super) const READ: usize = 64 * 1024;

/// A connection, and the bytes that are on their way in it.
pub(super) struct Stream {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Queued bytes.
    plain: Vec<u8>,
    /// Bytes as they are on the wire that the system has not taken yet.
    out: Vec<u8>,
    /// Received plaintext that is not read yet.
    pub(super) input: Vec<u8>,
}

impl Stream {
    /// Connects, and finishes the handshake of TLS; the socket does not block afterwards.
    pub(super) fn connect(address: SocketAddr, tls: Option<&Tls>) -> Result<Self, Failure> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let mut tls = tls.map(Tls::client).transpose()?.map(Box::new);
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(None);
            while tls.is_handshaking() {
                tls.complete_io(&mut socket)?;
            }
        }
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            tls,
            plain: Vec::new(),
            out: Vec::new(),
            input: Vec::new(),
        })
    }

    /// Queues bytes for the server.
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        self.plain.extend_from_slice(bytes);
    }

    /// Writes what the system takes now. With TLS, all that was queued shares records: a server that reads one record
    /// at a time would handle every request alone otherwise.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        match &mut self.tls {
            Some(tls) => {
                tls.writer().write_all(&self.plain)?;
                self.plain.clear();
                while tls.wants_write() {
                    tls.write_tls(&mut self.out)?;
                }
            }
            None => self.out.append(&mut self.plain),
        }
        write_some(&mut self.socket, &mut self.out)
    }

    /// Appends all that has arrived to `input`.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Result<(), Failure> {
        while let Some(some) = read_some(&mut self.socket, scratch)? {
            let bytes = &scratch[..some];
            match &mut self.tls {
                Some(tls) => decrypt(tls, bytes, &mut self.input)?,
                None => self.input.extend_from_slice(bytes),
            }
            if some < scratch.len() {
                break;
            }
        }
        // TLS has answers of its own.
        self.flush()
    }

    /// The socket, to be polled.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn decrypt(tls: &mut ClientConnection, mut bytes: &[u8], to: &mut Vec<u8>) -> Result<(), Failure> {
    while !bytes.is_empty() {
        tls.read_tls(&mut bytes)?;
        let state = tls.process_new_packets()?;
        let at = to.len();
        to.resize(at + state.plaintext_bytes_to_read(), 0);
        tls.reader().read_exact(&mut to[at..])?;
    }
    Ok(())
}

/// Reads once; `None` if nothing is there.
pub(super) fn read_some(
    socket: &mut TcpStream,
    buffer: &mut [u8],
) -> Result<Option<usize>, Failure> {
    loop {
        match socket.read(buffer) {
            Ok(0) => return Err(Failure::Closed),
            Ok(some) => return Ok(Some(some)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes what the system takes now and removes it from `out`.
pub(super) fn write_some(socket: &mut TcpStream, out: &mut Vec<u8>) -> Result<(), Failure> {
    while !out.is_empty() {
        match socket.write(out) {
            Ok(some) => drop(out.drain(..some)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What a client of TLS 1.3 is made of: no resumption, so that each handshake is a whole one, and any certificate.
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Records of at most `most` bytes, if a server does not read longer ones in one piece.
    pub(super) fn new(most: Option<usize>) -> Result<Self, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(AnyCertificate(provider.clone()));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.max_fragment_size = most;
        Ok(Self(Arc::new(config)))
    }

    fn client(&self) -> Result<ClientConnection, Failure> {
        let name = ServerName::try_from("localhost").expect("a good name");
        Ok(ClientConnection::new(self.0.clone(), name)?)
    }
}

/// Accepts every certificate, and checks only that the server holds its key: the server is a child of this process.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A self-signed certificate and its key as PEM files in a folder: ECDSA with P-256.
pub(super) fn write_certificate(folder: &std::path::Path) -> Result<(), Failure> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let made = made.map_err(io::Error::other)?;
    std::fs::write(folder.join("cert.pem"), made.cert.pem())?;
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem())?;
    Ok(())
}
