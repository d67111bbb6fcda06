//! Powers of the fixed base g by a precomputed table (the comb method, Handbook of Applied Cryptography, 14.6.3):
//! the bits of the exponent are written in rows, and each column of bits selects one entry.
//!
//! ```text
//! row 0:  bits 39 ..  0      a column j picks table[j] = product of g^(2^(40 i)) over the
//! row 1:  bits 79 .. 40      rows i that have a one there; columns are squared into place
//! ...
//! row 7:  bits 319 .. 280    from left to right: 40 squarings and 40 products instead of 400
//! ```

use super::{EXPONENT, P};
use num_bigint::BigUint;
use std::sync::LazyLock;

/// Rows. The table has 2^ROWS entries, 96 KiB.
const ROWS: usize = 8;
/// Bits in a row.
const COLUMNS: usize = EXPONENT * 8 / ROWS;

static TABLE: LazyLock<Vec<BigUint>> = LazyLock::new(|| {
    let mut table = vec![BigUint::from(1_u8)];
    let mut row = BigUint::from(2_u8);
    for _ in 0..ROWS {
        // Every entry again, with this row's bit set.
        let with: Vec<_> = table.iter().map(|entry| entry * &row % &*P).collect();
        table.extend(with);
        for _ in 0..COLUMNS {
            row = &row * &row % &*P;
        }
    }
    table
});

/// g to an exponent, modulo p.
pub(super) fn power(exponent: &[u8; EXPONENT]) -> BigUint {
    (0..COLUMNS).rev().fold(BigUint::from(1_u8), |power, at| {
        let squared = &power * &power % &*P;
        squared * &TABLE[column(exponent, at)] % &*P
    })
}

/// The bits of one column; row 0 is the lowest bit.
fn column(exponent: &[u8; EXPONENT], at: usize) -> usize {
    (0..ROWS).fold(0, |column, row| {
        let bit = row * COLUMNS + at;
        let byte = exponent[EXPONENT - 1 - bit / 8];
        column | usize::from(byte >> (bit % 8) & 1) << row
    })
}
