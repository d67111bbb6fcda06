//! The code of the first administrator: made with a new database, good once, and gone afterwards.

use std::fs;
use std::os::unix::fs::MetadataExt;

use echat_testkit::server_process::{ServerFolder, stderr};
use echat_testkit::wire::{Client, message};

const FILE: &str = "data/first_administrator_code";

fn register(client: &mut Client, name: &str, code: &str) -> u32 {
    let register = format!(
        r#"REGISTER {{"username":"{name}","password":"correct horse","invitation":"{code}"}}"#
    );
    client.asks(&register).command
}

#[test]
fn a_first_start_makes_a_code_that_is_good_once_also_after_a_restart() {
    let dir = ServerFolder::new();
    let stopped = dir.start(&[]).stop();
    let code = fs::read_to_string(dir.path(FILE)).unwrap();
    let code = code.trim();
    let metadata = fs::metadata(dir.path(FILE)).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);
    // Standard error is no terminal here: it may be kept.
    assert!(!stderr(&stopped).contains(code));
    assert!(stderr(&stopped).contains("first_administrator_code"));

    let server = dir.start(&[]);
    let mut client = Client::connect(&server);
    let refused = register(&mut client, "eve", "2345-6789-ABCD-EFGH");
    assert_eq!(refused, message("REFUSED").command);
    assert!(dir.path(FILE).exists());
    let made = register(&mut client, "ann", code);
    assert_eq!(made, message("REGISTER_SUCCESS").command);
    // The file goes before the next round, so before this is answered.
    let refused = register(&mut client, "bob", code);
    assert_eq!(refused, message("REFUSED").command);
    assert!(!dir.path(FILE).exists());
    client.asks(r#"LOGIN {"username":"ann","password":"correct horse"}"#);
    let made = client.asks("CREATE_INVITATION {}").command;
    assert_eq!(made, message("INVITATION").command);
    server.stop();

    // As if the server had been killed before it removed the file.
    dir.write_private(FILE, code);
    let server = dir.start(&[]);
    assert!(!dir.path(FILE).exists());
    let refused = register(&mut Client::connect(&server), "bob", code);
    assert_eq!(refused, message("REFUSED").command);
    server.stop();
}

#[test]
fn a_database_of_before_gets_no_code() {
    let dir = ServerFolder::new();
    let server = dir.start(&[]);
    Client::register(&server, "ann").is_served();
    server.stop();
    fs::remove_file(dir.path(FILE)).unwrap();
    dir.start(&[]).stop();
    assert!(!dir.path(FILE).exists());
}
