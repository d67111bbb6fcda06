//! Addresses that are not served.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Bits that a banned prefix has at least: of IPv4, and of IPv6.
pub(crate) const LEAST_BITS_V4: u8 = 8;
pub(crate) const LEAST_BITS_V6: u8 = 16;

/// Addresses whose first bits are the same. In order by address, those of IPv4 first, the widest before the narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AddressPrefix {
    /// The first address.
    network: IpAddr,
    /// The bits that count.
    bits: u8,
}

/// A text that is no prefix.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadPrefix;

impl AddressPrefix {
    fn of(address: IpAddr, bits: u8) -> Option<Self> {
        let address = address.to_canonical();
        let network = match address {
            IpAddr::V4(_) if bits > 32 => return None,
            IpAddr::V6(_) if bits > 128 => return None,
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                IpAddr::from((u32::from(address) & mask).to_be_bytes())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                IpAddr::from((u128::from(address) & mask).to_be_bytes())
            }
        };
        Some(Self { network, bits })
    }

    /// Whether it is a part of the Internet so large that a ban of it is a typing error.
    pub(crate) fn is_too_wide(self) -> bool {
        let least = if self.network.is_ipv4() {
            LEAST_BITS_V4
        } else {
            LEAST_BITS_V6
        };
        self.bits < least
    }

    /// Whether all addresses of another prefix have this one.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains(other.network)
    }

    /// Whether an address has this prefix.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        Self::of(address, self.bits) == Some(self)
    }
}

impl FromStr for AddressPrefix {
    type Err = BadPrefix;

    /// An address, or an address, a slash and a number of bits. The bits behind the prefix do not count.
    fn from_str(text: &str) -> Result<Self, BadPrefix> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadPrefix)?;
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| BadPrefix)?,
            None if address.to_canonical().is_ipv4() => 32,
            None => 128,
        };
        Self::of(address, bits).ok_or(BadPrefix)
    }
}

impl fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.bits)
    }
}

/// The addresses that are not served, and until when, in unix seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressBans(Vec<(AddressPrefix, Option<i64>)>);

impl FromIterator<(AddressPrefix, Option<i64>)> for AddressBans {
    fn from_iter<T: IntoIterator<Item = (AddressPrefix, Option<i64>)>>(bans: T) -> Self {
        Self(bans.into_iter().collect())
    }
}

impl AddressBans {
    /// Adds a ban at `now`, in unix seconds, in place of one of the same addresses. Bans that are over are forgotten.
    pub(crate) fn add(&mut self, prefix: AddressPrefix, until: Option<i64>, now: i64) {
        self.0
            .retain(|(other, until)| *other != prefix && holds(*until, now));
        self.0.push((prefix, until));
    }

    /// Ends a ban.
    pub(crate) fn remove(&mut self, prefix: AddressPrefix) {
        self.0.retain(|(other, _)| *other != prefix);
    }

    /// The addresses, and until when each is banned.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AddressPrefix, Option<i64>)> {
        self.0.iter().copied()
    }

    /// The addresses.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = AddressPrefix> {
        self.iter().map(|(prefix, _)| prefix)
    }

    /// Whether connections from an address are refused at `now`, in unix seconds.
    pub(crate) fn refuse(&self, address: IpAddr, now: i64) -> bool {
        let mut bans = self.0.iter();
        bans.any(|(prefix, until)| holds(*until, now) && prefix.contains(address))
    }
}

/// Whether a ban until then holds at `now`.
fn holds(until: Option<i64>, now: i64) -> bool {
    until.is_none_or(|until| until > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> AddressPrefix {
        text.parse().expect("a prefix")
    }

    #[test]
    fn a_prefix_has_one_form_and_contains_its_addresses() {
        for (text, shown) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8:1:2:3::4/64", "2001:db8:1:2::/64"),
            ("::/0", "::/0"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(prefix(text).to_string(), shown);
            assert_eq!(prefix(shown), prefix(text));
        }
        for bad in [
            "",
            "x",
            "192.0.2.7/33",
            "::/129",
            "192.0.2.7/",
            "/8",
            "192.0.2.7/-1",
            "1.2.3/8",
        ] {
            assert_eq!(bad.parse::<AddressPrefix>(), Err(BadPrefix), "{bad}");
        }
        let inside = "192.0.2.255".parse().expect("an address");
        let mapped = "::ffff:192.0.2.255".parse().expect("an address");
        let outside = "192.0.3.0".parse().expect("an address");
        let of_other_kind = "2001:db8::1".parse().expect("an address");
        let ban = prefix("192.0.2.0/24");
        assert!(ban.contains(inside) && ban.contains(mapped));
        assert!(!ban.contains(outside) && !ban.contains(of_other_kind));
        for (text, is_covered) in [
            ("192.0.2.0/24", true),
            ("192.0.2.7", true),
            ("192.0.0.0/16", false),
            ("192.0.3.0/24", false),
            ("::/0", false),
        ] {
            assert_eq!(ban.covers(prefix(text)), is_covered, "{text}");
        }
        let bans = AddressBans(vec![(ban, Some(100))]);
        assert!(bans.refuse(inside, 99) && !bans.refuse(inside, 100));
    }

    #[test]
    fn bans_that_are_over_are_forgotten() {
        let mut bans = AddressBans::default();
        bans.add(prefix("198.51.100.0/24"), None, 0);
        for hour in 0..1_000 {
            let now = hour * 3_600;
            bans.add(prefix("192.0.2.7"), Some(now + 3_600), now);
            bans.add(prefix("192.0.2.8"), Some(now + 1_800), now);
        }
        assert!(bans.iter().count() <= 3, "{}", bans.iter().count());
    }
}
