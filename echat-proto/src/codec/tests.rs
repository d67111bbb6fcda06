use super::*;
use proptest::prelude::*;

fn bytes_of(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out).expect("a value with a wire form");
    out
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<u64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(Value::Float),
        ".*".prop_map(Value::Str),
        any::<bool>().prop_map(Value::Bool),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            proptest::collection::btree_map("[a-zé]{1,8}", inner, 0..6)
                .prop_map(|map| Value::Dict(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_encoded_length_is_known_before(value in any_value()) {
        prop_assert_eq!(encoded_len(&value), bytes_of(&value).len());
    }

    #[test]
    fn every_value_comes_back(value in any_value()) {
        prop_assert_eq!(decode(&bytes_of(&value)), Ok(value));
    }

    #[test]
    fn every_prefix_is_refused(value in any_value(), cut in any::<prop::sample::Index>()) {
        let bytes = bytes_of(&value);
        prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn what_decodes_has_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = decode(&bytes) {
            prop_assert_eq!(bytes_of(&value), bytes);
        }
    }
}

#[test]
fn refuses_what_the_table_refuses() {
    let cases: &[(&[u8], DecodeError)] = &[
        (b"", DecodeError::Truncated),
        (b"\x01\0\0\0\0", DecodeError::BadInt),
        (b"\x01\0\0\0\x02\0\x01", DecodeError::BadInt),
        (b"\x01\0\0\0\x09\x01\0\0\0\0\0\0\0\0", DecodeError::BadInt),
        (b"\x02\0\0\0\x04\0\0\0\0", DecodeError::BadFloat),
        (b"\x02\0\0\0\x08\x7f\xf8\0\0\0\0\0\0", DecodeError::BadFloat),
        (b"\x02\0\0\0\x08\x7f\xf0\0\0\0\0\0\0", DecodeError::BadFloat),
        (b"\x03\0\0\0\x01\xff", DecodeError::BadUtf8),
        (b"\x05\0\0\0\x02\0\0", DecodeError::BadKey),
        (b"\x05\0\0\0\x06\x01a\0\x01a\0", DecodeError::DoubledKey),
        (b"\x06\0\0\0\x01\x02", DecodeError::BadBool),
        (b"\x06\0\0\0\x00", DecodeError::BadBool),
        (b"\x08\0\0\0\x00", DecodeError::UnknownType(8)),
        (b"\0\0", DecodeError::Trailing),
        (b"\x03\xff\xff\xff\xffa", DecodeError::Truncated),
        (b"\x04\0\0\0\x05\x03\0\0\0\x09", DecodeError::Truncated),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode(bytes), Err(*error), "{bytes:02x?}");
    }
    let long_key = [&b"\x05\0\0\0\x43\x41"[..], &[b'k'; 65], b"\0"].concat();
    assert_eq!(decode(&long_key), Err(DecodeError::BadKey));
}

fn nested(depth: usize) -> Vec<u8> {
    (1..depth).fold(vec![0], |inner, _| {
        let length = u32::try_from(inner.len()).expect("short").to_be_bytes();
        [&[tag::LIST][..], &length, &inner].concat()
    })
}

#[test]
fn depth_is_bounded_before_recursion() {
    assert!(decode(&nested(limits::DEPTH)).is_ok());
    assert_eq!(
        decode(&nested(limits::DEPTH + 1)),
        Err(DecodeError::TooDeep)
    );
    assert_eq!(decode(&nested(10_000)), Err(DecodeError::TooDeep));
}

#[test]
fn the_number_of_values_is_bounded() {
    let list = |items: usize| {
        let length = u32::try_from(items).expect("short").to_be_bytes();
        [&[tag::LIST][..], &length, &vec![0; items]].concat()
    };
    assert!(
        decode(&list(limits::VALUES - 1)).is_ok(),
        "the list itself is one of them"
    );
    assert_eq!(decode(&list(limits::VALUES)), Err(DecodeError::TooMany));
    let value = Value::List(vec![Value::Null; limits::VALUES]);
    assert_eq!(encode(&value, &mut Vec::new()), Err(EncodeError::TooMany));
}

#[test]
fn refuses_to_encode_what_no_one_would_read() {
    let cases = [
        (Value::Float(f64::NAN), EncodeError::BadFloat),
        (
            Value::Dict(vec![(String::new(), Value::Null)]),
            EncodeError::BadKey,
        ),
        (
            Value::Dict(vec![("k".repeat(65), Value::Null)]),
            EncodeError::BadKey,
        ),
        (
            Value::Dict(vec![("a".into(), Value::Null), ("a".into(), Value::Null)]),
            EncodeError::DoubledKey,
        ),
        (
            (0..8).fold(Value::Null, |inner, _| Value::List(vec![inner])),
            EncodeError::TooDeep,
        ),
    ];
    for (value, error) in cases {
        assert_eq!(encode(&value, &mut Vec::new()), Err(error));
    }
}
