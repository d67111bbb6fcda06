//! AES-256-CBC and HMAC-SHA256 under the keys of one direction (PROTOCOL.md, sections 1 and 3). This module does
//! not know frames or commands. Keys are wiped when dropped; they implement neither `Debug` nor `Clone`.

use aes::Aes256;
use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of an AES block and of an IV.
pub const BLOCK: usize = 16;
/// Bytes of an HMAC-SHA256 tag.
pub const TAG: usize = 32;
/// 32 secret bytes, wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

type HmacSha256 = Hmac<Sha256>;

/// The two keys of one direction, expanded once for the life of the channel.
pub struct DirectionKeys {
    cipher: Aes256,
    // Cloned for every tag: the clone has already hashed the key's two blocks.
    mac: HmacSha256,
}

impl DirectionKeys {
    /// Derives the keys from a direction's secret (PROTOCOL.md, section 3).
    pub fn derive(secret: &Secret) -> Self {
        let enc = expand(&hkdf_of(secret), b"echat/2 enc");
        let mac = expand(&hkdf_of(secret), b"echat/2 mac");
        Self::new(&enc, &mac)
    }

    fn new(enc: &Secret, mac: &Secret) -> Self {
        Self {
            cipher: Aes256::new((&**enc).into()),
            mac: keyed(&**mac),
        }
    }

    /// Encrypts whole blocks in place. Panics if the length of `data` is not a multiple of a block.
    pub fn encrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) {
        let (blocks, rest) = Array::slice_as_chunks_mut(data);
        assert!(rest.is_empty(), "the caller pads to whole blocks");
        cbc::Encryptor::inner_iv_init(&self.cipher, iv.into()).encrypt_blocks(blocks);
    }

    /// Decrypts whole blocks in place. Panics if the length of `data` is not a multiple of a block.
    pub fn decrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) {
        let (blocks, rest) = Array::slice_as_chunks_mut(data);
        assert!(rest.is_empty(), "the caller gives whole blocks");
        cbc::Decryptor::inner_iv_init(&self.cipher, iv.into()).decrypt_blocks(blocks);
    }

    /// The tag of a frame: `HMAC(seq | bytes)`.
    pub fn tag(&self, seq: u64, bytes: &[u8]) -> [u8; TAG] {
        self.mac_of(seq, bytes).finalize().into_bytes().into()
    }

    /// Whether `tag` is the tag of a frame, in constant time.
    pub fn tag_holds(&self, seq: u64, bytes: &[u8], tag: &[u8]) -> bool {
        self.mac_of(seq, bytes).verify_slice(tag).is_ok()
    }

    fn mac_of(&self, seq: u64, bytes: &[u8]) -> HmacSha256 {
        let mut mac = self.mac.clone();
        mac.update(&seq.to_be_bytes());
        mac.update(bytes);
        mac
    }
}

/// HMAC-SHA256 of `bytes` under `key`.
pub(crate) fn hmac(key: &Secret, bytes: &[u8]) -> [u8; TAG] {
    let mut mac = keyed(&**key);
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// HKDF-Expand to 32 bytes (RFC 5869, section 2.3).
pub(crate) fn expand(prk: &Hkdf<Sha256>, label: &[u8]) -> Secret {
    let mut out = Zeroizing::new([0; 32]);
    prk.expand(label, &mut *out)
        .expect("32 bytes are one block of HKDF-SHA256");
    out
}

fn hkdf_of(secret: &Secret) -> Hkdf<Sha256> {
    Hkdf::from_prk(&**secret).expect("32 bytes are a PRK of SHA-256")
}

fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes a key of any length")
}
