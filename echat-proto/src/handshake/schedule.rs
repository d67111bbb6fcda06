//! The key schedule: from transcript and Z to all keys of a connection (PROTOCOL.md, section 3).

use super::{CLIENT_HELLO, SERVER_HELLO, SERVER_SIGNED};
use crate::crypto::{Secret, expand, hmac};
use crate::group::PUBLIC;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const TRANSCRIPT: &[u8] = b"echat/2 transcript\0";
const SIGNATURE: &[u8] = b"echat/2 server signature\0";

fn transcript(client_hello: &[u8; CLIENT_HELLO], server_part: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(TRANSCRIPT)
        .chain_update(client_hello)
        .chain_update(server_part)
        .finalize()
        .into()
}

/// The text that the server signs: 64 spaces, the label, TH1 (padding as in TLS 1.3, RFC 8446, section 4.4.3).
pub(super) fn signed_text(
    client_hello: &[u8; CLIENT_HELLO],
    server_part: &[u8; SERVER_SIGNED],
) -> Vec<u8> {
    let th1 = transcript(client_hello, server_part);
    [&[0x20; 64][..], SIGNATURE, &th1].concat()
}

/// The secrets that both sides share after Diffie-Hellman.
pub(super) struct Schedule {
    pub(super) client_to_server: Secret,
    pub(super) server_to_client: Secret,
    pub(super) client_finished: [u8; 32],
    pub(super) server_finished: [u8; 32],
    /// Lets another protocol bind itself to this channel.
    pub(super) exporter: Secret,
}

impl Schedule {
    pub(super) fn new(
        client_hello: &[u8; CLIENT_HELLO],
        server_hello: &[u8; SERVER_HELLO],
        z: &Zeroizing<[u8; PUBLIC]>,
    ) -> Self {
        let th2 = transcript(client_hello, server_hello);
        let prk = Hkdf::<Sha256>::new(Some(&th2), &**z);
        let finished = |label: &[u8]| hmac(&expand(&prk, label), &th2);
        Self {
            client_to_server: expand(&prk, b"echat/2 c2s secret"),
            server_to_client: expand(&prk, b"echat/2 s2c secret"),
            client_finished: finished(b"echat/2 c finished"),
            server_finished: finished(b"echat/2 s finished"),
            exporter: expand(&prk, b"echat/2 exporter"),
        }
    }
}
