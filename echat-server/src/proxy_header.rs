//! The PROXY header, by which a proxy says for which client it connects
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>): version 1 is a line of text, version 2 is binary.
//!
//! Where a header ends is decided here, with a bound; the crate `ppp` reads it when it is whole.

use std::net::SocketAddr;

use ppp::{v1, v2};

/// The longest header that is read, in bytes. The specification allows 107 in version 1; in version 2 it allows 65,551,
/// most of them for extensions that are not used here.
pub(crate) const MAX_BYTES: usize = 2_048;

const V1_BEGIN: &[u8] = b"PROXY ";
const V1_MAX_BYTES: usize = 107;
const V2_BEGIN: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes before the addresses of version 2. The last two are the number of bytes that follow.
const V2_FIXED_BYTES: usize = 16;

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// The beginning of a header, or nothing yet.
    Incomplete,
    /// A header.
    Whole {
        /// Its bytes. What follows is the client's.
        length: usize,
        /// The client. Without one the proxy speaks for itself, for example to check that the server is well.
        client: Option<SocketAddr>,
    },
    /// No header; why not.
    Invalid(&'static str),
}

/// Whether the first bytes of a connection can only be a PROXY header.
pub(crate) fn is_begun(bytes: &[u8]) -> bool {
    bytes.starts_with(V1_BEGIN) || bytes.starts_with(V2_BEGIN)
}

/// Reads the header at the beginning of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Header {
    let begins_with = |mark: &[u8]| {
        let length = mark.len().min(bytes.len());
        bytes[..length] == mark[..length]
    };
    if begins_with(V1_BEGIN) {
        read_v1(bytes)
    } else if begins_with(V2_BEGIN) {
        read_v2(bytes)
    } else {
        Header::Invalid("it does not begin with a PROXY header")
    }
}

fn read_v1(bytes: &[u8]) -> Header {
    let line = &bytes[..bytes.len().min(V1_MAX_BYTES)];
    let Some(end) = line.iter().position(|byte| *byte == b'\n') else {
        return if line.len() == V1_MAX_BYTES {
            Header::Invalid("its header of version 1 is longer than 107 bytes")
        } else {
            Header::Incomplete
        };
    };
    let length = end + 1;
    let client = match v1::Header::try_from(&line[..length]) {
        Ok(header) if header.header.len() == length => match header.addresses {
            v1::Addresses::Tcp4(pair) => Some((pair.source_address, pair.source_port).into()),
            v1::Addresses::Tcp6(pair) => Some((pair.source_address, pair.source_port).into()),
            v1::Addresses::Unknown => None,
        },
        _ => return Header::Invalid("its header of version 1 is malformed"),
    };
    whole(length, client)
}

fn read_v2(bytes: &[u8]) -> Header {
    let Some(fixed) = bytes.first_chunk::<V2_FIXED_BYTES>() else {
        return Header::Incomplete;
    };
    let [.., high, low] = *fixed;
    let length = V2_FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_BYTES {
        return Header::Invalid("its header of version 2 is longer than 2,048 bytes");
    }
    let Some(header) = bytes.get(..length) else {
        return Header::Incomplete;
    };
    let Ok(header) = v2::Header::try_from(header) else {
        return Header::Invalid("its header of version 2 is malformed");
    };
    let client = match (header.command, header.protocol, header.addresses) {
        (v2::Command::Local, ..) => None,
        (_, v2::Protocol::Datagram, _) => return Header::Invalid("its header is for datagrams"),
        (_, v2::Protocol::Stream, v2::Addresses::IPv4(pair)) => {
            Some((pair.source_address, pair.source_port).into())
        }
        (_, v2::Protocol::Stream, v2::Addresses::IPv6(pair)) => {
            Some((pair.source_address, pair.source_port).into())
        }
        _ => None,
    };
    whole(length, client)
}

fn whole(length: usize, client: Option<SocketAddr>) -> Header {
    let canonical = |client: SocketAddr| SocketAddr::new(client.ip().to_canonical(), client.port());
    Header::Whole {
        length,
        client: client.map(canonical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [V2_BEGIN, &[command, family], &length, body].concat()
    }

    const V4_BODY: [u8; 12] = [203, 0, 113, 7, 10, 0, 0, 1, 0x10, 0xe1, 0x04, 0x00];

    /// Headers, and the clients that they name.
    fn headers() -> Vec<(Vec<u8>, Option<&'static str>)> {
        let v6 = [
            &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..],
            &[0; 16],
            &[0x10, 0xe1, 0x04, 0x00],
        ];
        let extended = [&V4_BODY[..], &[4, 0, 3, 0, 0, 0]].concat();
        vec![
            (
                b"PROXY TCP4 203.0.113.7 10.0.0.1 4321 1024\r\n".to_vec(),
                Some("203.0.113.7:4321"),
            ),
            (
                b"PROXY TCP6 2001:db8::7 ::1 4321 1024\r\n".to_vec(),
                Some("[2001:db8::7]:4321"),
            ),
            (
                b"PROXY TCP6 ::ffff:203.0.113.7 ::1 4321 1024\r\n".to_vec(),
                Some("203.0.113.7:4321"),
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &V4_BODY), Some("203.0.113.7:4321")),
            (v2(0x21, 0x11, &extended), Some("203.0.113.7:4321")),
            (v2(0x21, 0x21, &v6.concat()), Some("[2001:db8::7]:4321")),
            (v2(0x20, 0x00, &[]), None),
            (v2(0x20, 0x11, &V4_BODY), None),
            (v2(0x21, 0x00, &[]), None),
            (v2(0x21, 0x31, &[0; 216]), None),
        ]
    }

    #[test]
    fn every_beginning_of_a_header_is_incomplete_and_the_whole_names_the_client() {
        for (header, client) in headers() {
            for length in 0..header.len() {
                assert_eq!(read(&header[..length]), Header::Incomplete, "{header:?}");
            }
            let length = header.len();
            let client = client.map(|client| client.parse().unwrap());
            let whole = Header::Whole { length, client };
            assert_eq!(read(&header), whole);
            // What follows is the client's, whatever it is.
            for behind in [&b"ECHAT"[..], b"\r\n", b"PROXY UNKNOWN\r\n", &[0; 4_096]] {
                assert_eq!(read(&[&header, behind].concat()), whole);
            }
            assert!(is_begun(&header));
        }
    }

    #[test]
    fn what_is_no_header_or_too_long_is_invalid_at_once() {
        let long = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 93]].concat();
        assert_eq!(long.len(), 107);
        let mut huge = v2(0x21, 0x11, &[0; 2_033]);
        huge.truncate(V2_FIXED_BYTES);
        for bytes in [
            &b"ECHAT"[..],
            b"PROXYTCP4",
            b"proxy UNKNOWN\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4321 1024\n",
            b"PROXY TCP4 203.0.113.700 10.0.0.1 4321 1024\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 4321 65536\r\n",
            b"PROXY TCP4 2001:db8::7 ::1 4321 1024\r\n",
            b"PROXY TCP5 203.0.113.7 10.0.0.1 4321 1024\r\n",
            b"PROXY \r\n",
            b"PROXY \xff\xff\r\n",
            b"PROXY UNKNOWN\rX\n",
            &long,
            &huge,
            &v2(0x11, 0x11, &V4_BODY),
            &v2(0x22, 0x11, &V4_BODY),
            &v2(0x21, 0x51, &V4_BODY),
            &v2(0x21, 0x12, &V4_BODY),
            &v2(0x21, 0x11, &V4_BODY[..11]),
            &v2(0x21, 0x21, &V4_BODY),
        ] {
            assert!(matches!(read(bytes), Header::Invalid(_)), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn mutated_headers_are_read_within_their_bytes(
            which in 0..12_usize,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            behind in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut bytes = headers().swap_remove(which).0;
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.extend(behind);
            match read(&bytes) {
                Header::Whole { length, .. } => prop_assert!(length <= bytes.len().min(MAX_BYTES)),
                Header::Incomplete => prop_assert!(bytes.len() < MAX_BYTES),
                Header::Invalid(_) => {}
            }
        }
    }
}
