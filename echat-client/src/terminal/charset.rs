//! The encoding of the locale where that is not UTF-8: GBK, GB18030 and Big5, by `encoding_rs`
//! (WHATWG Encoding Standard). Everything inside the program is UTF-8.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::AsFd;

use encoding_rs::{BIG5, Decoder, DecoderResult, EncoderResult, Encoding, GB18030, GBK};
use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

use crate::net::wait::BlockingWriter;

/// Stands for bytes that are no text; it occurs in no UTF-8.
const NO_TEXT: u8 = 0xff;

/// An encoding that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

impl Charset {
    /// The encoding of the process's locale; `None` for UTF-8 and for all that are not supported.
    pub fn of_locale() -> Option<Self> {
        Self::of(|name| env::var_os(name))
    }

    /// The same of these variables.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set)?;
        Self::of_name(&locale)
    }

    /// The encoding that a locale's name says or implies: `zh_CN.GBK`, `zh_TW`.
    pub(super) fn of_name(locale: &OsStr) -> Option<Self> {
        let locale = locale.to_str()?.to_ascii_lowercase();
        let locale = locale.split('@').next()?;
        let (language, codeset) = locale.split_once('.').unwrap_or((locale, ""));
        let codeset: String = codeset
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let encoding = match (codeset.as_str(), language) {
            ("gbk" | "gb2312" | "euccn" | "cp936", _) | ("", "zh_cn" | "zh_sg") => GBK,
            ("gb18030", _) => GB18030,
            ("big5" | "big5hkscs" | "cp950", _) | ("", "zh_tw" | "zh_hk") => BIG5,
            _ => return None,
        };
        Some(Self(encoding))
    }

    /// Text in this encoding. A character that it lacks is one `?` a column.
    pub fn encode(self, mut text: &str) -> Vec<u8> {
        let mut encoder = self.0.new_encoder();
        let mut bytes = Vec::new();
        loop {
            let room = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
            bytes.reserve(room.unwrap_or(text.len()).max(16));
            let (result, read) =
                encoder.encode_from_utf8_to_vec_without_replacement(text, &mut bytes, true);
            text = &text[read..];
            match result {
                EncoderResult::InputEmpty => return bytes,
                EncoderResult::OutputFull => {}
                EncoderResult::Unmappable(c) => {
                    bytes.resize(bytes.len() + c.width().unwrap_or(0), b'?');
                }
            }
        }
    }
}

/// Turns what is typed into UTF-8, a read at a time: a character may be split between two.
pub struct Transcoder(Decoder);

impl Transcoder {
    /// For text of an encoding.
    pub fn new(charset: Charset) -> Self {
        Self(charset.0.new_decoder_without_bom_handling())
    }

    /// The bytes as UTF-8; those that are no text become one byte 0xff, which is none in UTF-8.
    pub fn feed(&mut self, mut bytes: &[u8], is_last: bool) -> Zeroizing<Vec<u8>> {
        let room = |length| self.0.max_utf8_buffer_length_without_replacement(length);
        let size = room(bytes.len()).unwrap_or(0) + bytes.len() + 1;
        // It may be a password: a buffer that never grows leaves no copies behind.
        let mut text = Zeroizing::new(vec![0; size]);
        let mut length = 0;
        loop {
            let (result, read, written) =
                self.0
                    .decode_to_utf8_without_replacement(bytes, &mut text[length..], is_last);
            bytes = &bytes[read..];
            length += written;
            match result {
                DecoderResult::Malformed(..) => {
                    text[length] = NO_TEXT;
                    length += 1;
                }
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {
                    text.truncate(length);
                    return text;
                }
            }
        }
    }
}

impl std::fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Transcoder")
            .field(&self.0.encoding())
            .finish()
    }
}

/// What is written as UTF-8, whole characters at a time, comes out in the locale's encoding.
#[derive(Debug)]
pub struct Encoded<W> {
    out: BlockingWriter<W>,
    charset: Option<Charset>,
}

impl<W: Write + AsFd> Encoded<W> {
    /// In the encoding of the process's locale.
    pub fn new(out: W) -> Self {
        Self {
            out: BlockingWriter::new(out),
            charset: Charset::of_locale(),
        }
    }
}

impl<W: Write + AsFd> Write for Encoded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (self.charset, str::from_utf8(bytes)) {
            (Some(charset), Ok(text)) if !text.is_ascii() => {
                self.out.write_all(&charset.encode(text))?;
                Ok(bytes.len())
            }
            _ => self.out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(locale: &str) -> Option<&'static str> {
        Charset::of_name(OsStr::new(locale)).map(|charset| charset.0.name())
    }

    #[test]
    fn a_locale_names_its_encoding() {
        for (locale, name) in [
            ("zh_CN.GBK", Some("GBK")),
            ("zh_CN.gb2312", Some("GBK")),
            ("zh_CN.GB18030", Some("gb18030")),
            ("zh_TW.BIG5", Some("Big5")),
            ("zh_TW.Big5@radical", Some("Big5")),
            ("zh_HK.BIG5-HKSCS", Some("Big5")),
            ("zh_CN", Some("GBK")),
            ("zh_TW", Some("Big5")),
            ("zh_CN.UTF-8", None),
            ("en_US.ISO-8859-1", None),
            ("C", None),
        ] {
            assert_eq!(named(locale), name, "{locale}");
        }
        let both = |name: &str| match name {
            "LC_ALL" => Some("C.UTF-8".into()),
            _ => Some("zh_CN.GBK".into()),
        };
        assert_eq!(Charset::of(both), None, "LC_ALL goes first");
    }

    #[test]
    fn text_goes_both_ways_wherever_a_read_ends() {
        for charset in [GBK, GB18030, BIG5].map(Charset) {
            let text = "你好，世界 ok\r";
            let bytes = charset.encode(text);
            assert_ne!(bytes, text.as_bytes());
            for at in 0..=bytes.len() {
                let mut transcoder = Transcoder::new(charset);
                let mut back = transcoder.feed(&bytes[..at], false).to_vec();
                back.extend(&*transcoder.feed(&bytes[at..], true));
                assert_eq!(str::from_utf8(&back), Ok(text), "{charset:?} {at}");
            }
        }
    }

    #[test]
    fn missing_characters_are_replaced_by_columns_and_invalid_bytes_reported() {
        let gbk = Charset(GBK);
        assert_eq!(gbk.encode("a🙂b"), b"a??b");
        let told = Transcoder::new(gbk).feed(b"a\x81\rb", true);
        assert!(
            told.contains(&NO_TEXT) && told.ends_with(b"\rb"),
            "{told:?}"
        );
    }
}
