//! A ServerHello made by hand, of any random and public value, and signed as it should be (PROTOCOL.md, section 3).

use echat_proto::handshake::SERVER_HELLO;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

/// The answer to a ClientHello, under this host key.
pub fn server_hello(
    client_hello: &[u8],
    random: &[u8],
    public: &[u8],
    host_key: &SigningKey,
) -> Vec<u8> {
    let key = host_key.verifying_key();
    let mut hello = [b"ECH2\x03\x02\x01\x00", random, public, key.as_bytes()].concat();
    let th1 = Sha256::new()
        .chain_update(b"echat/2 transcript\0")
        .chain_update(client_hello)
        .chain_update(&hello)
        .finalize();
    let text = [&[0x20; 64][..], b"echat/2 server signature\0", &th1].concat();
    hello.extend_from_slice(&host_key.sign(&text).to_bytes());
    assert_eq!(hello.len(), SERVER_HELLO);
    hello
}
