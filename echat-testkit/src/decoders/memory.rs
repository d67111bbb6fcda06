//! The bound on a decoder's memory (promise 4).

/// Bytes of memory for each byte of input.
const EACH: usize = 64;
/// Bytes of memory for any input at all.
const FIXED: usize = 4 * 1024;

/// What `decode` makes of `input` bytes, held to the bound: peak <= 64 x input + 4 KiB.
#[track_caller]
pub fn bounded<T>(input: usize, decode: impl FnOnce() -> T) -> T {
    let mut decoded = None;
    let memory = allocation_counter::measure(|| decoded = Some(decode()));
    let most = EACH * input + FIXED;
    assert!(
        memory.bytes_max <= most as u64,
        "{} bytes of memory for {input} bytes of input, at most {most}",
        memory.bytes_max
    );
    decoded.expect("it was called")
}
