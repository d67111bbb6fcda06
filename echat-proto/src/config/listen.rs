//! `server.listen`: where the server listens.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::section::{Allowed, Kind};

/// The port a server listens on and a client calls, unless told otherwise.
const PORT: u16 = 1024;

/// The addresses to listen on, in the order in which they are announced: at least one, none twice,
/// none that is a part of another. Default 127.0.0.1:1024; port 0 lets the system choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen(Vec<SocketAddr>);

impl Listen {
    /// The most addresses that one server listens on.
    pub const MAX: usize = 16;

    /// Checks a list of addresses.
    ///
    /// # Errors
    /// No address, more than [`Listen::MAX`], one that stands twice, one that another covers. The text
    /// says which.
    pub fn new(addresses: Vec<SocketAddr>) -> Result<Self, String> {
        if addresses.is_empty() || addresses.len() > Self::MAX {
            let (most, count) = (Self::MAX, addresses.len());
            return Err(format!("must have 1 to {most} addresses, not {count}"));
        }
        for (index, one) in addresses.iter().enumerate() {
            for other in &addresses[..index] {
                if is_same(one, other) {
                    return Err(format!("the same address twice: {one}"));
                }
                if covers(one, other) {
                    return Err(format!("{other} is a part of {one}; leave one out"));
                }
                if covers(other, one) {
                    return Err(format!("{one} is a part of {other}; leave one out"));
                }
            }
        }
        Ok(Self(addresses))
    }

    /// The addresses, at least one.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }

    /// Whether a socket for this IPv6 address leaves IPv4 alone (`IPV6_V6ONLY`, RFC 3493, 5.3). `[::]`
    /// takes connections of both, unless an IPv4 address of the same port is in the list too: which IPv4
    /// addresses are served is said by the list then.
    pub fn is_only_v6(&self, address: SocketAddr) -> bool {
        let port = address.port();
        let is_v4 = |other: &SocketAddr| other.ip().to_canonical().is_ipv4();
        port != 0
            && address.ip().is_unspecified()
            && self.0.iter().any(|o| o.port() == port && is_v4(o))
    }
}

/// Whether two sockets would be the same. An IPv4 address may be written in IPv6 form.
fn is_same(one: &SocketAddr, other: &SocketAddr) -> bool {
    one == other || (one.port(), v4(one)) == (other.port(), v4(other)) && v4(one).is_some()
}

fn v4(address: &SocketAddr) -> Option<Ipv4Addr> {
    match address.ip().to_canonical() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// Whether one is every address of its family, the other one of them, and the port the same.
fn covers(every: &SocketAddr, other: &SocketAddr) -> bool {
    let is_of_family = v4(every).is_some() == v4(other).is_some();
    let port = every.port();
    port != 0 && port == other.port() && is_of_family && every.ip().to_canonical().is_unspecified()
}

impl Default for Listen {
    fn default() -> Self {
        Self(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))])
    }
}

impl Serialize for Listen {
    /// One address as a string, several as a list, as config.json takes them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [address] => address.serialize(serializer),
            addresses => addresses.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor)
    }
}

impl Kind for Listen {
    fn allowed() -> Allowed {
        Allowed::Text
    }
}

/// Where the server shows its metrics: an address and a port, or a port alone, which only this machine reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsAddress(pub SocketAddr);

impl Serialize for MetricsAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MetricsAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MetricsVisitor)
    }
}

impl Kind for Option<MetricsAddress> {
    fn allowed() -> Allowed {
        Allowed::Text
    }
}

struct MetricsVisitor;

impl Visitor<'_> for MetricsVisitor {
    type Value = MetricsAddress;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a port, or an IP address and port, such as 127.0.0.1:9464")
    }

    fn visit_u64<E: Error>(self, port: u64) -> Result<MetricsAddress, E> {
        let refusal = |_| E::invalid_value(Unexpected::Unsigned(port), &self);
        let port = u16::try_from(port).map_err(refusal)?;
        Ok(MetricsAddress((Ipv4Addr::LOCALHOST, port).into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<MetricsAddress, E> {
        let refusal = |_| E::invalid_value(Unexpected::Str(text), &self);
        text.parse().map(MetricsAddress).map_err(refusal)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Listen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Listen, E> {
        let address = AddressVisitor.visit_str(text)?;
        Listen::new(vec![address]).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Listen, A::Error> {
        let mut addresses = Vec::new();
        while let Some(Address(address)) = items.next_element()? {
            addresses.push(address);
        }
        Listen::new(addresses).map_err(A::Error::custom)
    }
}

struct Address(SocketAddr);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AddressVisitor).map(Self)
    }
}

struct AddressVisitor;

impl Visitor<'_> for AddressVisitor {
    type Value = SocketAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an IP address and port, such as 127.0.0.1:1024 or [::]:1024")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SocketAddr, E> {
        let refusal = |_| E::invalid_value(Unexpected::Str(text), &self);
        text.parse().map_err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(addresses: &[&str]) -> Result<Listen, String> {
        let address = |text: &&str| text.parse().expect("an address");
        Listen::new(addresses.iter().map(address).collect())
    }

    fn only_v6(addresses: &[&str]) -> bool {
        let listen = listen(addresses).expect("a good list");
        listen.is_only_v6(addresses[0].parse().expect("an address"))
    }

    #[test]
    fn addresses_that_would_collide_are_refused_and_others_are_not() {
        for (addresses, words) in [
            (
                &["127.0.0.1:1", "127.0.0.1:1"][..],
                "the same address twice: 127.0.0.1:1",
            ),
            (
                &["127.0.0.1:1", "[::ffff:127.0.0.1]:1"],
                "the same address twice: [::ffff:127.0.0.1]:1",
            ),
            (
                &["127.0.0.1:0", "127.0.0.1:0"],
                "the same address twice: 127.0.0.1:0",
            ),
            (
                &["0.0.0.0:1", "127.0.0.1:1"],
                "127.0.0.1:1 is a part of 0.0.0.0:1; leave one out",
            ),
            (
                &["[::1]:1", "[::]:1"],
                "[::1]:1 is a part of [::]:1; leave one out",
            ),
            (&[], "must have 1 to 16 addresses, not 0"),
        ] {
            assert_eq!(listen(addresses), Err(words.to_owned()));
        }
        for addresses in [
            &["[::]:1", "0.0.0.0:1"][..],
            &["[::]:1", "127.0.0.1:1"],
            &["[::]:1", "[::1]:2", "0.0.0.0:2"],
            &["127.0.0.1:0", "0.0.0.0:0"],
        ] {
            assert!(listen(addresses).is_ok(), "{addresses:?}");
        }
        let many: Vec<String> = (1..=17).map(|n| format!("127.0.0.{n}:1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(listen(&many[1..]).is_ok());
        assert_eq!(
            listen(&many),
            Err("must have 1 to 16 addresses, not 17".to_owned())
        );
    }

    #[test]
    fn every_address_is_for_both_unless_the_list_has_its_own_of_that_port() {
        assert!(!only_v6(&["[::]:1"]));
        assert!(!only_v6(&["[::]:1", "0.0.0.0:2"]));
        assert!(!only_v6(&["[::]:0", "0.0.0.0:0"]));
        assert!(only_v6(&["[::]:1", "0.0.0.0:1"]));
        assert!(only_v6(&["[::]:1", "127.0.0.1:1"]));
        assert!(!only_v6(&["[::ffff:127.0.0.1]:1", "[::]:1"]));
    }
}
