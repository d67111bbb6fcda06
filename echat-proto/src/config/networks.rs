//! `server.proxy_protocol`: networks in CIDR notation (RFC 4632, 3.1; RFC 4291, 2.3).

use core::net::IpAddr;
use std::fmt;

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::section::{Allowed, Kind};

/// Networks and single addresses. IPv4 is written as IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// The most networks of one list.
    pub const MAX: usize = 64;

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them. An IPv4 address may come in IPv6 form.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(IpNet::to_string))
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor)
    }
}

impl Kind for Networks {
    fn allowed() -> Allowed {
        Allowed::Text
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Networks;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Networks, A::Error> {
        let mut networks = Vec::new();
        while let Some(Network(network)) = items.next_element()? {
            networks.push(network);
            if networks.len() > Networks::MAX {
                let most = Networks::MAX;
                return Err(A::Error::custom(format!(
                    "must have at most {most} networks"
                )));
            }
        }
        Ok(Networks(networks))
    }
}

struct Network(IpNet);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NetworkVisitor).map(Self)
    }
}

struct NetworkVisitor;

impl Visitor<'_> for NetworkVisitor {
    type Value = IpNet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an IP address or a network, such as 127.0.0.1 or 10.0.0.0/8")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<IpNet, E> {
        let address = |text: &str| text.parse().ok().map(|address: IpAddr| address.into());
        let network = text.parse().ok().or_else(|| address(text));
        let Some(network): Option<IpNet> = network else {
            return Err(E::invalid_value(Unexpected::Str(text), &self));
        };
        if network.addr() != network.addr().to_canonical() {
            return Err(E::custom(format!("{text}: write an IPv4 network as IPv4")));
        }
        if network != network.trunc() {
            let meant = network.trunc();
            return Err(E::custom(format!(
                "{text} names an address in a network; write {meant}"
            )));
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Networks, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_in_their_networks_in_either_form() {
        let networks = read(r#"["10.0.0.0/8","192.0.2.7","fd00::/8","::1"]"#).unwrap();
        for (address, inside) in [
            ("10.255.0.1", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("fdff::1", true),
            ("fe80::1", false),
            ("::1", true),
            ("127.0.0.1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(networks.contains(address), inside, "{address}");
        }
        let again = serde_json::to_string(&networks).unwrap();
        assert_eq!(read(&again).unwrap(), networks);
        assert!(read("[]").unwrap().is_empty());
        assert!(
            read(r#"["0.0.0.0/0"]"#)
                .unwrap()
                .contains([8, 8, 8, 8].into())
        );
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for (json, words) in [
            (r#"["localhost"]"#, "an IP address or a network"),
            (r#"["10.0.0.0/33"]"#, "an IP address or a network"),
            (r#"["10.0.0.1/8"]"#, "write 10.0.0.0/8"),
            (r#"["::ffff:10.0.0.0/104"]"#, "as IPv4"),
            (r#"["::ffff:10.0.0.1"]"#, "as IPv4"),
            (r#""10.0.0.0/8""#, "a list of strings"),
            ("[1]", "an IP address or a network"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
        let many = vec!["10.0.0.0/8"; Networks::MAX + 1];
        let many = serde_json::to_string(&many).unwrap();
        assert!(read(&many).unwrap_err().contains("at most 64"));
    }
}
