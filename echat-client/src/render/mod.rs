//! Text for a terminal, before it is escape bytes: what is safe to show, how wide it is, and how lines in
//! named styles are laid out in rows. All of it is pure.

pub(crate) mod columns;
pub mod safe;
pub mod styled;
pub mod view;
