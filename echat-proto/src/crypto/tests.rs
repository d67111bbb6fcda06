use super::*;
use aes::Aes256;
use proptest::prelude::*;

/// A key, an IV and a plaintext of 0 to 40 blocks.
fn message() -> impl Strategy<Value = ([u8; 32], [u8; BLOCK], Vec<u8>)> {
    let blocks = prop::collection::vec(any::<[u8; BLOCK]>(), 0..=40);
    let plain = blocks.prop_map(|blocks| blocks.concat());
    (any::<[u8; 32]>(), any::<[u8; BLOCK]>(), plain)
}

proptest! {
    /// 0 to 20 messages cover every group of eight, four, two and one.
    #[test]
    fn messages_encrypted_together_equal_those_of_cbc(
        messages in prop::collection::vec(message(), 0..=20),
    ) {
        let keys: Vec<_> = messages
            .iter()
            .map(|(key, ..)| SealKeys {
                enc: Secret::new(*key),
                mac: MacKey::derive(&Zeroizing::new(*key)),
            })
            .collect();
        let mut together: Vec<_> = messages.iter().map(|(.., plain)| plain.clone()).collect();
        let chains = keys.iter().zip(&messages).zip(&mut together);
        encrypt_all(chains.map(|((keys, (_, iv, _)), data)| Chain { keys, iv: *iv, data }));
        for ((key, iv, plain), together) in messages.iter().zip(&together) {
            let mut alone = plain.clone();
            let (blocks, _) = Array::slice_as_chunks_mut(&mut alone);
            cbc::Encryptor::inner_iv_init(Aes256::new(key.into()), iv.into()).encrypt_blocks(blocks);
            prop_assert_eq!(together, &alone);
        }
    }

    #[test]
    fn a_tag_is_the_hmac_of_seq_and_bytes(
        secret: [u8; 32],
        seq: u64,
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let secret = Zeroizing::new(secret);
        let key = expand(&hkdf_of(&secret), b"echat/2 mac");
        let expected = hmac(&key, &[&seq.to_be_bytes()[..], &bytes].concat());
        prop_assert_eq!(SealKeys::derive(&secret).tag(seq, &bytes), expected);
        let open = OpenKeys::derive(&secret);
        prop_assert!(open.tag_holds(seq, &bytes, &expected));
        prop_assert!(!open.tag_holds(seq ^ 1, &bytes, &expected));
        prop_assert!(!open.tag_holds(seq, &bytes, &expected[1..]));
    }
}
