//! [`Value`] to bytes and back (PROTOCOL.md, section 2). This module does not know encryption or commands.
//!
//! The decoder trusts no length: it never reads beyond its input, checks the depth before it recurses, and
//! allocates a container only for items that are present.

mod form;

use crate::limits;
use crate::value::{Keys, Value, key_twice, tag};
use form::ValueBuilder;
use thiserror::Error;

/// Why bytes do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends within a value or a length.
    #[error("the bytes end in the middle of a value")]
    Truncated,
    /// A length exceeds the enclosing container.
    #[error("a length exceeds the enclosing value")]
    Overrun,
    /// Bytes after the outermost value.
    #[error("bytes follow the value")]
    Trailing,
    /// An unknown type byte.
    #[error("unknown type {0}")]
    UnknownType(u8),
    /// An int that is empty, longer than 8 bytes, or not in its shortest form.
    #[error("an int is not in its shortest form of 1 to 8 bytes")]
    BadInt,
    /// A float that is not 8 bytes, NaN, or infinite.
    #[error("a float is not 8 bytes of a finite number")]
    BadFloat,
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    BadUtf8,
    /// A bool that is not one byte 0 or 1.
    #[error("a bool is not one byte 0 or 1")]
    BadBool,
    /// A dict key that is empty or longer than [`limits::KEY_BYTES`].
    #[error("a dict key is empty or too long")]
    BadKey,
    /// A dict with a repeated key.
    #[error("a dict has a repeated key")]
    DoubledKey,
    /// Nesting deeper than [`limits::DEPTH`].
    #[error("values are nested too deeply")]
    TooDeep,
    /// More than [`limits::VALUES`] in one message.
    #[error("too many values in one message")]
    TooMany,
}

/// Why a value cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// NaN or an infinity.
    #[error("a float must be finite")]
    BadFloat,
    /// A key that is empty or longer than [`limits::KEY_BYTES`].
    #[error("a dict key must have 1 to 64 bytes")]
    BadKey,
    /// A dict with a repeated key.
    #[error("a dict has a repeated key")]
    DoubledKey,
    /// Nesting deeper than [`limits::DEPTH`].
    #[error("values are nested too deeply")]
    TooDeep,
    /// More than [`limits::VALUES`] in one message.
    #[error("too many values in one message")]
    TooMany,
    /// A body over 4 GiB.
    #[error("a value is too long")]
    TooLong,
}

/// Appends the encoding of `value` to `out`. After an error, `out` may end in a part of it.
pub fn encode(value: &Value, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    Encoder::new(out).value(value)
}

/// How many bytes [`encode`] appends for `value`, if it has a wire form.
pub fn encoded_len(value: &Value) -> usize {
    const HEADER: usize = 1 + size_of::<u32>();
    match value {
        Value::Null => 1,
        // An int has its shortest form; zero has one byte.
        Value::Int(number) => HEADER + (number.checked_ilog2().unwrap_or(0) / 8 + 1) as usize,
        Value::Float(_) => HEADER + size_of::<f64>(),
        Value::Str(text) => HEADER + text.len(),
        Value::Bool(_) => HEADER + 1,
        Value::Bytes(bytes) => HEADER + bytes.len(),
        Value::List(items) => HEADER + items.iter().map(encoded_len).sum::<usize>(),
        Value::Dict(entries) => {
            let entry = |(key, item): &(String, Value)| 1 + key.len() + encoded_len(item);
            HEADER + entries.iter().map(entry).sum::<usize>()
        }
    }
}

/// Appends the encoding of one value to a buffer, without a [`Value`] in between. Each method writes one value. It
/// fails if the message gets too many values or too deep; after an error, the buffer may end in a part of a value.
pub struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    /// Containers that are open.
    depth: usize,
    /// Values so far.
    values: usize,
}

impl<'a> Encoder<'a> {
    /// An encoder of one value, which appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            depth: 0,
            values: 0,
        }
    }

    /// Writes a null.
    pub fn null(&mut self) -> Result<(), EncodeError> {
        self.begin(tag::NULL)
    }

    /// Writes an int in its shortest form.
    pub fn int(&mut self, number: u64) -> Result<(), EncodeError> {
        let bytes = number.to_be_bytes();
        // Zero keeps one byte; leading_zeros of anything else is at most 63.
        let skip = (number.leading_zeros() as usize / 8).min(7);
        self.body(tag::INT, &bytes[skip..])
    }

    /// Writes a float.
    ///
    /// # Errors
    /// NaN and the infinities have no wire form.
    pub fn float(&mut self, number: f64) -> Result<(), EncodeError> {
        if !number.is_finite() {
            return Err(EncodeError::BadFloat);
        }
        self.body(tag::FLOAT, &number.to_be_bytes())
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        self.body(tag::STR, text.as_bytes())
    }

    /// Writes a bool.
    pub fn truth(&mut self, truth: bool) -> Result<(), EncodeError> {
        self.body(tag::BOOL, &[u8::from(truth)])
    }

    /// Writes bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.body(tag::BYTES, bytes)
    }

    /// Writes a list; `fill` writes its items.
    pub fn list(
        &mut self,
        fill: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.container(tag::LIST, fill)
    }

    /// Writes a dict; `fill` writes its entries, each a [`key`](Self::key) and a value. It gives no key twice.
    pub fn dict(
        &mut self,
        fill: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.container(tag::DICT, fill)
    }

    /// Writes the key of a dict's next entry.
    ///
    /// # Errors
    /// The key is empty or longer than [`limits::KEY_BYTES`].
    pub fn key(&mut self, key: &str) -> Result<(), EncodeError> {
        match u8::try_from(key.len()) {
            Ok(length) if length > 0 && key.len() <= limits::KEY_BYTES => {
                self.out.push(length);
                self.out.extend_from_slice(key.as_bytes());
                Ok(())
            }
            _ => Err(EncodeError::BadKey),
        }
    }

    /// Writes any value.
    pub fn value(&mut self, value: &Value) -> Result<(), EncodeError> {
        match value {
            Value::Null => self.null(),
            Value::Int(number) => self.int(*number),
            Value::Float(number) => self.float(*number),
            Value::Str(text) => self.text(text),
            Value::Bool(truth) => self.truth(*truth),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::List(items) => self.list(|to| items.iter().try_for_each(|item| to.value(item))),
            Value::Dict(entries) => {
                if key_twice(&entries.iter().map(|(key, _)| key.as_str()).collect()).is_some() {
                    return Err(EncodeError::DoubledKey);
                }
                self.dict(|to| {
                    entries.iter().try_for_each(|(key, item)| {
                        to.key(key)?;
                        to.value(item)
                    })
                })
            }
        }
    }

    /// Counts a value and writes its tag.
    fn begin(&mut self, tag: u8) -> Result<(), EncodeError> {
        self.values += 1;
        if self.values > limits::VALUES {
            return Err(EncodeError::TooMany);
        }
        if self.depth >= limits::DEPTH {
            return Err(EncodeError::TooDeep);
        }
        self.out.push(tag);
        Ok(())
    }

    fn body(&mut self, tag: u8, bytes: &[u8]) -> Result<(), EncodeError> {
        self.begin(tag)?;
        let length = u32::try_from(bytes.len()).map_err(|_| EncodeError::TooLong)?;
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes a tag and a length, and the body that `fill` appends.
    fn container(
        &mut self,
        tag: u8,
        fill: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.begin(tag)?;
        let at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        self.depth += 1;
        fill(self)?;
        self.depth -= 1;
        let length = u32::try_from(self.out.len() - at - 4).map_err(|_| EncodeError::TooLong)?;
        self.out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

/// Decodes `bytes`, which must be exactly one value.
pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
    read(bytes)
}

/// Checks that [`decode`] accepts `bytes`, without building the value, which can be thirty times as large.
pub fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    read(bytes)
}

fn read<F: ValueBuilder>(bytes: &[u8]) -> Result<F, DecodeError> {
    let mut reader = Reader { bytes };
    let value = decode_at(&mut reader, 1, &mut 0).map_err(|error| match error {
        // The outermost value has no container to exceed: the input ends too early.
        DecodeError::Overrun => DecodeError::Truncated,
        other => other,
    })?;
    if reader.bytes.is_empty() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing)
    }
}

/// A reader that cannot go beyond its input.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(DecodeError::Overrun)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    fn length(&mut self) -> Result<usize, DecodeError> {
        let bytes = self.take(4)?.try_into().expect("take(4) gives 4 bytes");
        Ok(u32::from_be_bytes(bytes) as usize)
    }

    fn key(&mut self) -> Result<&'a str, DecodeError> {
        let length = usize::from(self.byte()?);
        if length == 0 || length > limits::KEY_BYTES {
            return Err(DecodeError::BadKey);
        }
        utf8(self.take(length)?)
    }

    /// Skips one value by its header.
    fn skip(&mut self) -> Result<(), DecodeError> {
        if self.byte()? == tag::NULL {
            return Ok(());
        }
        let length = self.length()?;
        self.take(length).map(drop)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, DecodeError> {
    str::from_utf8(bytes).map_err(|_| DecodeError::BadUtf8)
}

fn decode_at<F: ValueBuilder>(
    reader: &mut Reader<'_>,
    depth: usize,
    values: &mut usize,
) -> Result<F, DecodeError> {
    *values += 1;
    if *values > limits::VALUES {
        return Err(DecodeError::TooMany);
    }
    if depth > limits::DEPTH {
        return Err(DecodeError::TooDeep);
    }
    let kind = reader.byte()?;
    if kind == tag::NULL {
        return Ok(F::null());
    }
    if kind > tag::BYTES {
        return Err(DecodeError::UnknownType(kind));
    }
    let length = reader.length()?;
    let body = reader.take(length)?;
    match kind {
        tag::INT => decode_int(body).map(F::int),
        tag::FLOAT => decode_float(body).map(F::float),
        tag::STR => utf8(body).map(F::text),
        tag::LIST => decode_list(Reader { bytes: body }, depth, values),
        tag::DICT => decode_dict(Reader { bytes: body }, depth, values),
        tag::BOOL => match body {
            [0] => Ok(F::truth(false)),
            [1] => Ok(F::truth(true)),
            _ => Err(DecodeError::BadBool),
        },
        _ => Ok(F::bytes(body)),
    }
}

fn decode_int(body: &[u8]) -> Result<u64, DecodeError> {
    match body {
        [] | [0, _, ..] => Err(DecodeError::BadInt),
        _ if body.len() > 8 => Err(DecodeError::BadInt),
        _ => Ok(body
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))),
    }
}

fn decode_float(body: &[u8]) -> Result<f64, DecodeError> {
    let number = f64::from_be_bytes(body.try_into().map_err(|_| DecodeError::BadFloat)?);
    if number.is_finite() {
        Ok(number)
    } else {
        Err(DecodeError::BadFloat)
    }
}

fn decode_list<F: ValueBuilder>(
    mut body: Reader<'_>,
    depth: usize,
    values: &mut usize,
) -> Result<F, DecodeError> {
    // Items are counted first, so that the vector has the right size at once: growth by doubling takes three
    // times the memory while it copies.
    let mut items = Vec::with_capacity(count(body, Reader::skip)?);
    while !body.bytes.is_empty() {
        items.push(decode_at(&mut body, depth + 1, values)?);
    }
    Ok(F::list(items))
}

fn decode_dict<F: ValueBuilder>(
    mut body: Reader<'_>,
    depth: usize,
    values: &mut usize,
) -> Result<F, DecodeError> {
    let mut keys = Keys::new();
    let entries = count(body, |body| {
        keys.push(body.key()?);
        body.skip()
    })?;
    if key_twice(&keys).is_some() {
        return Err(DecodeError::DoubledKey);
    }
    let mut dict = Vec::with_capacity(entries);
    for key in keys {
        // The key, with its length, was read above.
        body.take(1 + key.len())?;
        dict.push((F::key(key), decode_at(&mut body, depth + 1, values)?));
    }
    Ok(F::dict(dict))
}

/// The number of items in `body`, by their headers; an error if they are more than a message may have.
fn count<'a>(
    mut body: Reader<'a>,
    mut skip: impl FnMut(&mut Reader<'a>) -> Result<(), DecodeError>,
) -> Result<usize, DecodeError> {
    let mut items = 0;
    while !body.bytes.is_empty() {
        skip(&mut body)?;
        items += 1;
        if items > limits::VALUES {
            return Err(DecodeError::TooMany);
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests;
