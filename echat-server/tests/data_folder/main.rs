//! The data folder of the real server: what it refuses and says, what `--init` makes, and message ids
//! that do not go back, whatever is put there.

mod administrator;
mod ids;
mod missing;
mod not_ours;
