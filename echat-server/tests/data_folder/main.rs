//! The data folder of the real server: what it refuses and says, what `--init` makes, and message ids
//! that do not go back, whatever is put there.

#[path = "../server_process/mod.rs"]
mod server_process;
#[path = "../wire/mod.rs"]
mod wire;

mod ids;
mod missing;
mod not_ours;
