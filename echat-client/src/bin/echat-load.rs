//! echat-load: measures a server that has its rates turned off.

use std::process::ExitCode;

fn main() -> ExitCode {
    echat_client::load::main()
}
