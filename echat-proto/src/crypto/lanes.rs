//! AES-256-CBC of several messages at a time. A chain is serial: each block waits for the one before it, and the
//! processor's AES unit is idle for most of that time. The chains of different messages are independent, so a round
//! encrypts one block of each, and the processor overlaps them.
//!
//! The `aes` crate hands its backend, the code for this processor, to a closure. [`Level`] is that closure: it opens
//! the next cipher within the backend of the one before, until every cipher of the group has its backend on the
//! [`Stack`]. Then one loop runs over the blocks.

#![expect(
    clippy::inline_always,
    reason = "the backends are fast only inside the functions that enable their instructions"
)]

use aes::Aes256Enc;
use cbc::cipher::consts::U16;
use cbc::cipher::typenum::Unsigned;
use cbc::cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
};
use std::marker::PhantomData;

pub(super) type Block = Array<u8, U16>;

/// One message.
pub(super) struct Lane<'a> {
    pub(super) cipher: &'a Aes256Enc,
    /// The IV; while the message is encrypted, the last block of ciphertext.
    pub(super) iv: Block,
    pub(super) blocks: &'a mut [Block],
}

impl Lane<'_> {
    #[inline(always)]
    fn encrypt(&mut self, backend: &impl BlockCipherEncBackend<BlockSize = U16>, at: usize) {
        if let Some(block) = self.blocks.get_mut(at) {
            // As numbers: byte by byte, the processor would wait for sixteen stores before each load.
            let chained = u128::from_ne_bytes(block.0) ^ u128::from_ne_bytes(self.iv.0);
            self.iv = Array(chained.to_ne_bytes());
            backend.encrypt_block_inplace(&mut self.iv);
            *block = self.iv;
        }
    }
}

/// Encrypts two messages.
pub(super) fn encrypt_2(lanes: &mut [Lane<'_>; 2]) {
    <Two<Run>>::next(lanes, Empty);
}

/// Encrypts four messages.
pub(super) fn encrypt_4(lanes: &mut [Lane<'_>; 4]) {
    <Two<Two<Run>>>::next(lanes, Empty);
}

/// Encrypts eight messages.
pub(super) fn encrypt_8(lanes: &mut [Lane<'_>; 8]) {
    <Two<Two<Two<Two<Run>>>>>::next(lanes, Empty);
}

type Two<D> = Open<Open<D>>;

/// The backends of some lanes, the first lane's last.
trait Stack {
    /// How many lanes there are.
    const LANES: usize;
    /// The number of blocks that the backend encrypts at once, by which kinds of backends differ; 0 if there is none.
    const KIND: usize;
    /// Encrypts block `at` of the last [`LANES`](Self::LANES) of these lanes.
    fn encrypt(&self, lanes: &mut [Lane<'_>], at: usize);
}

struct Empty;

impl Stack for Empty {
    const LANES: usize = 0;
    const KIND: usize = 0;

    #[inline(always)]
    fn encrypt(&self, _lanes: &mut [Lane<'_>], _at: usize) {}
}

struct Push<'b, B, S> {
    backend: &'b B,
    below: S,
}

impl<B: BlockCipherEncBackend<BlockSize = U16>, S: Stack> Stack for Push<'_, B, S> {
    const LANES: usize = S::LANES + 1;
    const KIND: usize = B::ParBlocksSize::USIZE;

    #[inline(always)]
    fn encrypt(&self, lanes: &mut [Lane<'_>], at: usize) {
        self.below.encrypt(lanes, at);
        lanes[S::LANES].encrypt(self.backend, at);
    }
}

/// What is still to do: [`Open`] one more cipher, or [`Run`].
trait Remaining {
    fn next<S: Stack>(lanes: &mut [Lane<'_>], stack: S);
}

struct Run;

impl Remaining for Run {
    #[inline(always)]
    fn next<S: Stack>(lanes: &mut [Lane<'_>], stack: S) {
        let longest = lanes.iter().map(|lane| lane.blocks.len()).max();
        for at in 0..longest.unwrap_or(0) {
            stack.encrypt(lanes, at);
        }
    }
}

struct Open<D>(PhantomData<D>);

impl<D: Remaining> Remaining for Open<D> {
    #[inline(always)]
    fn next<S: Stack>(lanes: &mut [Lane<'_>], stack: S) {
        let cipher = lanes[S::LANES].cipher;
        cipher.encrypt_with_backend(Level::<D, S> {
            lanes,
            stack,
            todo: PhantomData,
        });
    }
}

struct Level<'l, 'm, D, S> {
    lanes: &'l mut [Lane<'m>],
    stack: S,
    todo: PhantomData<D>,
}

impl<D, S> BlockSizeUser for Level<'_, '_, D, S> {
    type BlockSize = U16;
}

type Next<S> = fn(&mut [Lane<'_>], S);

impl<D: Remaining, S: Stack> BlockCipherEncClosure for Level<'_, '_, D, S> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        // Every cipher of a process has the same kind of backend. Only that case is compiled: all combinations
        // for eight lanes would be many thousand functions.
        let next: Next<Push<'_, B, S>> = const {
            if S::KIND == 0 || S::KIND == B::ParBlocksSize::USIZE {
                D::next::<Push<'_, B, S>>
            } else {
                differ::<Push<'_, B, S>>
            }
        };
        let below = self.stack;
        next(self.lanes, Push { backend, below });
    }
}

#[cold]
fn differ<S>(_lanes: &mut [Lane<'_>], _stack: S) {
    unreachable!("the processor has the same instructions for every cipher");
}
