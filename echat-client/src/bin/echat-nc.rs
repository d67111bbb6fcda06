//! `echat-nc`, the debug client. Everything is in [`echat_client::nc`].

use std::process::ExitCode;

fn main() -> ExitCode {
    echat_client::nc::main().into()
}
