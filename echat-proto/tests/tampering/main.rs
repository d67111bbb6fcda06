//! A recorded session, handshake and all, tampered with in every way: nothing that was changed is ever
//! heard, and what came before the change is (promise 5). One bit in many is flipped; with
//! `ECHAT_TAMPERINGS` as large as the session, every one of them.

mod finished;
mod hellos;
mod recording;
mod streams;

use echat_testkit::campaign;

/// Tamperings of an ordinary run for each test that cannot do all of them: each costs up to four
/// modular powers.
const TAMPERINGS: usize = 100;

/// So many of 0 .. total, evenly spread: all of them if as many are asked for.
fn some_of(total: usize) -> impl Iterator<Item = usize> {
    let count = campaign::count("ECHAT_TAMPERINGS", TAMPERINGS).min(total);
    (0..count).map(move |index| index * total / count)
}
