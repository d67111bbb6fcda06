//! AES-256-CBC and HMAC-SHA256 under the keys of one direction (PROTOCOL.md, sections 1 and 3). This module does
//! not know frames or commands. Keys are wiped when dropped; they implement neither `Debug` nor `Clone`.

mod lanes;

use aes::{Aes256Dec, Aes256Enc};
use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use hkdf::Hkdf;
use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, FixedOutputCore, UpdateCore};
use hmac::{Hmac, Mac};
use lanes::{Block, Lane};
use sha2::Sha256;
use smallvec::SmallVec;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of an AES block and of an IV.
pub const BLOCK: usize = 16;
/// Bytes of an HMAC-SHA256 tag.
pub const TAG: usize = 32;
/// 32 secret bytes, wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

type HmacSha256 = Hmac<Sha256>;

/// The keys of the direction in which this side sends. A server has many channels that seldom send, so AES expands the
/// key for each frame: kept, the expanded key would take 208 bytes more.
pub struct SealKeys {
    enc: Secret,
    mac: MacKey,
}

impl SealKeys {
    /// Derives the keys from a direction's secret (PROTOCOL.md, section 3).
    pub fn derive(secret: &Secret) -> Self {
        Self {
            enc: enc_key(secret),
            mac: MacKey::derive(secret),
        }
    }

    /// Encrypts whole blocks in place. Panics if the length of `data` is not a multiple of a block.
    pub fn encrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) {
        encrypt_blocks(&self.cipher(), iv, blocks_of(data));
    }

    fn cipher(&self) -> Aes256Enc {
        Aes256Enc::new((&*self.enc).into())
    }

    /// The tag of a frame: `HMAC(seq | bytes)`.
    pub fn tag(&self, seq: u64, bytes: &[u8]) -> [u8; TAG] {
        self.mac.tag(seq, bytes)
    }
}

/// The keys of the direction in which this side receives. Like that of [`SealKeys`], the AES key is expanded for each
/// frame.
pub struct OpenKeys {
    enc: Secret,
    mac: MacKey,
}

impl OpenKeys {
    /// Derives the keys from a direction's secret (PROTOCOL.md, section 3).
    pub fn derive(secret: &Secret) -> Self {
        Self {
            enc: enc_key(secret),
            mac: MacKey::derive(secret),
        }
    }

    /// Decrypts whole blocks in place. Panics if the length of `data` is not a multiple of a block.
    pub fn decrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) {
        let cipher = Aes256Dec::new((&*self.enc).into());
        cbc::Decryptor::inner_iv_init(&cipher, iv.into()).decrypt_blocks(blocks_of(data));
    }

    /// Whether `tag` is the tag of a frame, in constant time.
    pub fn tag_holds(&self, seq: u64, bytes: &[u8], tag: &[u8]) -> bool {
        self.mac.tag(seq, bytes).ct_eq(tag).into()
    }
}

/// A message to encrypt in place: its keys, its IV, and whole blocks.
pub struct Chain<'a> {
    /// The keys of the receiver's direction.
    pub keys: &'a SealKeys,
    /// The IV of this message.
    pub iv: [u8; BLOCK],
    /// The plaintext, and then the ciphertext.
    pub data: &'a mut [u8],
}

/// Messages that are encrypted together without an allocation. More are possible.
pub const SEALED_TOGETHER: usize = 16;

/// Encrypts messages under keys of their own, up to eight at a time: the result of
/// [`SealKeys::encrypt`] for each, in less time. Panics if a length is not a multiple of a block.
pub fn encrypt_all<'a>(chains: impl IntoIterator<Item = Chain<'a>>) {
    let mut chains: SmallVec<[_; SEALED_TOGETHER]> = chains.into_iter().collect();
    // Messages of about the same length go together.
    chains.sort_unstable_by_key(|chain| chain.data.len());
    let ciphers: SmallVec<[_; SEALED_TOGETHER]> =
        chains.iter().map(|chain| chain.keys.cipher()).collect();
    let mut lanes = SmallVec::<[_; SEALED_TOGETHER]>::new();
    lanes.extend(
        chains
            .into_iter()
            .zip(&ciphers)
            .map(|(chain, cipher)| Lane {
                cipher,
                iv: Array(chain.iv),
                blocks: blocks_of(chain.data),
            }),
    );
    let (eights, rest) = lanes.as_chunks_mut();
    let (fours, rest) = rest.as_chunks_mut();
    let (twos, rest) = rest.as_chunks_mut();
    eights.iter_mut().for_each(lanes::encrypt_8);
    fours.iter_mut().for_each(lanes::encrypt_4);
    twos.iter_mut().for_each(lanes::encrypt_2);
    for Lane { cipher, iv, blocks } in rest {
        encrypt_blocks(cipher, &iv.0, blocks);
    }
}

fn encrypt_blocks(cipher: &Aes256Enc, iv: &[u8; BLOCK], blocks: &mut [Block]) {
    cbc::Encryptor::inner_iv_init(cipher, iv.into()).encrypt_blocks(blocks);
}

fn blocks_of(data: &mut [u8]) -> &mut [Block] {
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    assert!(rest.is_empty(), "the caller pads to whole blocks");
    blocks
}

/// HMAC-SHA256 that has hashed both blocks of its key.
struct MacKey(HmacCore<Sha256>);

impl MacKey {
    fn derive(secret: &Secret) -> Self {
        let key = expand(&hkdf_of(secret), b"echat/2 mac");
        Self(HmacCore::new_from_slice(&*key).expect("HMAC takes a key of any length"))
    }

    fn tag(&self, seq: u64, bytes: &[u8]) -> [u8; TAG] {
        let mut mac = self.0.clone();
        let mut buffer = Buffer::<HmacCore<Sha256>>::default();
        buffer.digest_blocks(&seq.to_be_bytes(), |blocks| mac.update_blocks(blocks));
        buffer.digest_blocks(bytes, |blocks| mac.update_blocks(blocks));
        let mut tag = Array::default();
        mac.finalize_fixed_core(&mut buffer, &mut tag);
        tag.into()
    }
}

fn enc_key(secret: &Secret) -> Secret {
    expand(&hkdf_of(secret), b"echat/2 enc")
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

#[cfg(test)]
mod tests;
