//! Powers of g, which is always the same, by a table of some of them (a comb; Handbook of Applied
//! Cryptography, 14.6.3): the exponent's bits are written in rows, and a column of them is one entry.
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

/// Rows; the table has two to this power of entries, 96 KiB.
const ROWS: usize = 8;
/// Bits of a row, in whole bytes.
const COLUMNS: usize = EXPONENT * 8 / ROWS;

static TABLE: LazyLock<Vec<BigUint>> = LazyLock::new(|| {
    let mut table = vec![BigUint::from(1_u8)];
    let mut row = BigUint::from(2_u8);
    for _ in 0..ROWS {
        // With this row's bit, each entry once more.
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

/// The bits of all rows in one column, row 0 the lowest.
fn column(exponent: &[u8; EXPONENT], at: usize) -> usize {
    (0..ROWS).fold(0, |column, row| {
        let bit = row * COLUMNS + at;
        let byte = exponent[EXPONENT - 1 - bit / 8];
        column | usize::from(byte >> (bit % 8) & 1) << row
    })
}
