//! Finite-field Diffie-Hellman in ffdhe3072 (RFC 7919, appendix A.2; g = 2).
//!
//! num-bigint neither computes powers in constant time nor wipes its memory. Therefore every connection draws a new
//! [`Ephemeral`] and uses it once.

mod comb;

use num_bigint::BigUint;
use rand::CryptoRng;
use std::sync::LazyLock;
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of a public value, left-padded with zeros.
pub const PUBLIC: usize = 384;
/// Bytes of an exponent.
pub const EXPONENT: usize = 40;

/// p = 2^3072 - 2^3008 + (floor(2^2942 e) + 2625351) 2^64 - 1.
const P_HEX: &str = "\
    ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1d8b9c583ce2d3695\
    a9e13641146433fbcc939dce249b3ef97d2fe363630c75d8f681b202aec4617a\
    d3df1ed5d5fd65612433f51f5f066ed0856365553ded1af3b557135e7f57c935\
    984f0c70e0e68b77e2a689daf3efe8721df158a136ade73530acca4f483a797a\
    bc0ab182b324fb61d108a94bb2c8e3fbb96adab760d7f4681d4f42a3de394df4\
    ae56ede76372bb190b07a7c8ee0a6d709e02fce1cdf7e2ecc03404cd28342f61\
    9172fe9ce98583ff8e4f1232eef28183c3fe3b1b4c6fad733bb5fcbc2ec22005\
    c58ef1837d1683b2c6f34a26c1b2effa886b4238611fcfdcde355b3b6519035b\
    bc34f4def99c023861b46fc9d6e6c9077ad91d2691f7f7ee598cb0fac186d91c\
    aefe130985139270b4130c93bc437944f4fd4452e2d74dd364f2e21e71f54bff\
    5cae82ab9c9df69ee86d2bc522363a0dabc521979b0deada1dbf9a42d5c4484e\
    0abcd06bfa53ddef3c1b20ee3fd59d7c25e41d2b66c62e37ffffffffffffffff";

static P: LazyLock<BigUint> =
    LazyLock::new(|| BigUint::parse_bytes(P_HEX.as_bytes(), 16).expect("P_HEX is a number"));

/// A public value is outside 2 .. p-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a public value of Diffie-Hellman is outside 2 .. p-2")]
pub struct BadPublic;

/// The peer's public value, checked to be in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public(BigUint);

impl Public {
    /// Checks the range. This takes no modular power.
    pub fn new(bytes: &[u8; PUBLIC]) -> Result<Self, BadPublic> {
        let number = BigUint::from_bytes_be(bytes);
        let two = BigUint::from(2_u8);
        if number >= two && number <= &*P - &two {
            Ok(Self(number))
        } else {
            Err(BadPublic)
        }
    }
}

/// One side of a key agreement: its public value, and its secret exponent. A trait, so that a simulation of many
/// handshakes can cache powers.
pub trait KeyShare {
    /// The public value, g to the exponent.
    fn public(&self) -> &[u8; PUBLIC];

    /// The shared number Z, left-padded with zeros. Consumes the exponent, which is used once.
    fn agree(self, other: &Public) -> Zeroizing<[u8; PUBLIC]>;
}

/// An exponent and its public value, for one connection.
pub struct Ephemeral {
    exponent: BigUint,
    public: [u8; PUBLIC],
}

impl Ephemeral {
    /// Draws an exponent and raises g to it, by tables in a sixth of the time of other powers.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; EXPONENT]);
        rng.fill_bytes(&mut *bytes);
        Self::from_exponent(&bytes)
    }

    /// The same from given bytes; sets their top bit and clears their low bit (PROTOCOL.md, section 3).
    pub fn from_exponent(bytes: &[u8; EXPONENT]) -> Self {
        let mut bytes = Zeroizing::new(*bytes);
        bytes[0] |= 0x80;
        bytes[EXPONENT - 1] &= 0xfe;
        let public = padded(&comb::power(&bytes));
        Self {
            exponent: BigUint::from_bytes_be(&*bytes),
            public: *public,
        }
    }
}

impl KeyShare for Ephemeral {
    fn public(&self) -> &[u8; PUBLIC] {
        &self.public
    }

    fn agree(self, other: &Public) -> Zeroizing<[u8; PUBLIC]> {
        padded(&other.0.modpow(&self.exponent, &P))
    }
}

fn padded(number: &BigUint) -> Zeroizing<[u8; PUBLIC]> {
    let bytes = Zeroizing::new(number.to_bytes_be());
    let mut out = Zeroizing::new([0; PUBLIC]);
    out[PUBLIC - bytes.len()..].copy_from_slice(&bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use sha2::{Digest, Sha256};

    fn bytes(number: &BigUint) -> [u8; PUBLIC] {
        *padded(number)
    }

    #[test]
    fn the_prime_is_ffdhe3072() {
        let digest = Sha256::digest(bytes(&P));
        assert_eq!(hex::encode(&digest[..8]), "0eaf67db3a839156");
    }

    #[test]
    fn the_table_raises_to_the_same_powers() {
        let mut rng = StdRng::seed_from_u64(1);
        let drawn = std::iter::repeat_with(|| {
            let mut bytes = [0; EXPONENT];
            rng.fill_bytes(&mut bytes);
            bytes
        });
        let ends = [[0; EXPONENT], [0xff; EXPONENT]];
        for bytes in ends.into_iter().chain(drawn.take(20)) {
            let ephemeral = Ephemeral::from_exponent(&bytes);
            let power = BigUint::from(2_u8).modpow(&ephemeral.exponent, &P);
            assert_eq!(*ephemeral.public(), *padded(&power));
        }
    }

    #[test]
    fn public_values_are_2_to_p_minus_2() {
        let number = |n: u8| BigUint::from(n);
        for bad in [
            number(0),
            number(1),
            &*P - number(1),
            P.clone(),
            &*P + number(1),
        ] {
            assert_eq!(Public::new(&bytes(&bad)), Err(BadPublic));
        }
        for good in [number(2), &*P - number(2)] {
            assert!(Public::new(&bytes(&good)).is_ok());
        }
        assert_eq!(Public::new(&[0xff; PUBLIC]), Err(BadPublic));
    }

    #[test]
    fn both_ends_agree_whatever_bits_were_drawn() {
        let pair = [[0; EXPONENT], [0xff; EXPONENT]];
        let [a, b] = pair.map(|bytes| Ephemeral::from_exponent(&bytes));
        let (to_a, to_b) = (*b.public(), *a.public());
        let z = a.agree(&Public::new(&to_a).expect("a power of g"));
        assert_eq!(z, b.agree(&Public::new(&to_b).expect("a power of g")));
    }
}
