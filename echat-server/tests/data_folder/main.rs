//! The data folder of the real server: what it refuses and says, and what `--init` makes.

#[path = "../place/mod.rs"]
mod place;
#[path = "../wire/mod.rs"]
mod wire;

mod missing;
mod not_ours;
