//! Rate-limit prefixes: the part of an address that limits count by.

use std::net::{IpAddr, Ipv6Addr};

/// The rate-limit prefix of an address: an IPv4 address itself, or the first 64 bits of an IPv6 address,
/// since a site that has one address of such a network has all 2^64 of them (RFC 6177, section 2).
pub(crate) fn rate_limit_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            Ipv6Addr::from(network).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_an_ipv4_address_or_an_ipv6_network() {
        let of =
            |address: &str| rate_limit_prefix(address.parse().expect("an address")).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2::9"), "2001:db8:1:2::");
        assert_ne!(of("2001:db8:1:3::9"), "2001:db8:1:2::");
    }
}
