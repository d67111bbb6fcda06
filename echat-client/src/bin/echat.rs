//! `echat`, the client people talk with. Everything is in [`echat_client::chat`].

use std::process::ExitCode;

fn main() -> ExitCode {
    echat_client::chat::main()
}
