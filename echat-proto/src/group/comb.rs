//! Powers of the fixed base g by precomputed tables (the comb method with several tables, Lim and Lee 1994; Handbook of
//! Applied Cryptography, 14.6.3): the bits of the exponent are written in rows, the columns are divided into blocks,
//! and each column selects an entry of its block's table.
//!
//! ```text
//! row 0:  bits 39 .. 30 | 29 .. 20 | 19 .. 10 |  9 ..  0     column j of block b selects the product of
//! row 1:  bits 79 .. 70 |          |          | 49 .. 40     g^(2^(40 i + 10 b)) over the rows i that have a
//! ...                                                        one there; all blocks share the squarings:
//! row 7:  bits 319 .. 310 |                   | 289 .. 280   10 squarings, 40 products
//! ```

use super::{EXPONENT, P};
use num_bigint::BigUint;
use std::sync::LazyLock;

/// Rows. A table has 2^ROWS entries, 96 KiB.
const ROWS: usize = 8;
/// Bits in a row.
const COLUMNS: usize = EXPONENT * 8 / ROWS;
/// Tables.
const BLOCKS: usize = 4;
/// Columns of a block.
const STEPS: usize = COLUMNS / BLOCKS;

const _: () = assert!(ROWS * COLUMNS == EXPONENT * 8 && BLOCKS * STEPS == COLUMNS);

static TABLES: LazyLock<[Vec<BigUint>; BLOCKS]> = LazyLock::new(|| {
    // g^(2^(10 n)), for every block of the first row, then of the second, and so on.
    let mut power = BigUint::from(2_u8);
    let powers: Vec<_> = (0..ROWS * BLOCKS)
        .map(|_| {
            let this = power.clone();
            (0..STEPS).for_each(|_| power = &power * &power % &*P);
            this
        })
        .collect();
    std::array::from_fn(|block| {
        let mut table = vec![BigUint::from(1_u8)];
        for row in powers.iter().skip(block).step_by(BLOCKS) {
            // Every entry again, with the bit of this row set.
            let with: Vec<_> = table.iter().map(|entry| entry * row % &*P).collect();
            table.extend(with);
        }
        table
    })
});

/// g to an exponent, modulo p.
pub(super) fn power(exponent: &[u8; EXPONENT]) -> BigUint {
    (0..STEPS).rev().fold(BigUint::from(1_u8), |power, at| {
        let squared = &power * &power % &*P;
        TABLES
            .iter()
            .enumerate()
            .fold(squared, |power, (block, table)| {
                power * &table[column(exponent, block * STEPS + at)] % &*P
            })
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
