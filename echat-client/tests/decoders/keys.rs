//! What a terminal sends, typed, pasted or answered.

use std::time::Duration;

use echat_client::line_editor::Key;
use echat_client::terminal::{Burst, Decoder, Token, typed_text};
use echat_testkit::decoders::memory::bounded;

/// Longer than anything is waited for.
const SILENCE: Duration = Duration::from_secs(5);
/// Bytes of one read. Their keys are taken before the next read.
const READ: usize = 16;

/// However bytes are cut, they are the same keys; none of these controls a terminal. After a silence
/// nothing is waited for, and every byte of a typed text arrives.
pub fn check(bytes: &[u8]) {
    let whole = decode(bytes, READ);
    assert_eq!(decode(bytes, 1), whole);
    bounded(bytes.len(), || {
        let (mut decoder, mut burst) = (Decoder::new(), Burst::default());
        for (time, part) in (1..).map(Duration::from_millis).zip(bytes.chunks(READ)) {
            let tokens = decoder.feed(part, time);
            drop(burst.feed(tokens, Duration::ZERO, time));
        }
    });
    let line = bounded(bytes.len(), || typed_text(bytes));
    let controls = |byte: &u8| byte.is_ascii_control() && !b"\t\n".contains(byte);
    let holds_paste = bytes.windows(4).any(|part| part == b"200~");
    assert!(holds_paste || !line.iter().any(controls), "{line:?}");
}

fn decode(bytes: &[u8], read: usize) -> Vec<Token> {
    let mut decoder = Decoder::new();
    let mut tokens: Vec<Token> = bytes
        .chunks(read)
        .flat_map(|part| decoder.feed(part, Duration::ZERO))
        .collect();
    tokens.extend(decoder.late(SILENCE));
    assert_eq!(decoder.deadline(), None);
    for token in &tokens {
        if let Token::Key(Key::Char(c)) = token {
            assert!(!c.is_control(), "{c:?}");
        }
    }
    let typed = decoder.feed(b"typed", SILENCE);
    let is_typed =
        |token: &Token| matches!(token, Token::Key(Key::Char(c)) if c.is_ascii_lowercase());
    assert!(typed.len() == 5 && typed.iter().all(is_typed), "{typed:?}");
    tokens
}
