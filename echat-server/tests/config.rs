//! config.json and the flags, as the real binary takes and refuses them.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use echat_server::config::{Overrides, load_again};
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};

const SERVER: &str = env!("CARGO_BIN_EXE_echat-server");

/// A place whose config.json has this content.
fn with_config(content: impl AsRef<[u8]>) -> ServerFolder {
    let dir = ServerFolder::new();
    dir.write("config.json", content);
    dir
}

/// Both `--check-config` and a start end with 78 and these words, and make nothing.
fn refused(dir: &ServerFolder, args: &[&str], words: &str) {
    for more in [&["--check-config"][..], &[]] {
        let output = dir.run(&[args, more].concat());
        assert_eq!(stderr(&output), format!("echat-server: {words}\n"));
        assert_eq!(output.status.code(), Some(78), "{words}");
        assert_eq!(stdout(&output), "");
    }
    assert!(!dir.path("data").exists(), "{words}");
}

#[test]
fn the_committed_config_spells_out_every_default() {
    let committed = fs::read_to_string("../config.json").unwrap();
    let output = ServerFolder::new().run(&["--print-default-config"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), committed);
    let checked = with_config(&committed).run(&["--check-config"]);
    assert_eq!(stdout(&checked), "config ok: config.json\n");
    assert_eq!(checked.status.code(), Some(0));
}

/// A config.json, and the words that refuse it.
const WRONG: &[(&str, &str)] = &[
    (
        r#"{"sever": {}}"#,
        r#"sever: unknown key; did you mean "server"?"#,
    ),
    (
        r#"{"server": {"lisen": 1}}"#,
        r#"server.lisen: unknown key; did you mean "listen"?"#,
    ),
    (
        r#"{"server": {"q": 1}}"#,
        "server.q: unknown key; known: listen, proxy_protocol, data, log, log_file, log_format, metrics, sessions_per_user, registration, invitations, lobby, message_of_the_day, keep_days, edit_seconds, audit_days, backup, limits",
    ),
    (
        r#"{"server": {"proxy_protocol": ["localhost"]}}"#,
        r#"server.proxy_protocol[0]: must be an IP address or a network, such as 127.0.0.1 or 10.0.0.0/8, not "localhost""#,
    ),
    (
        r#"{"server": {"proxy_protocol": ["10.0.0.1/8"]}}"#,
        "server.proxy_protocol[0]: 10.0.0.1/8 names an address in a network; write 10.0.0.0/8",
    ),
    (
        r#"{"server": {"backup": {"folder": ""}}}"#,
        r#"server.backup.folder: must be the path of a folder, not """#,
    ),
    (
        r#"{"server": {"limits": {"room_member": 5}}}"#,
        r#"server.limits.room_member: unknown key; did you mean "room_members"?"#,
    ),
    (
        r#"{"client": {"adress": "h:1"}}"#,
        r#"client.adress: unknown key; did you mean "address"?"#,
    ),
    (
        r#"{"a\u001b[2J": 1}"#,
        r"a\u{1b}[2J: unknown key; known: server, client",
    ),
    (
        r#"{"server": {}, "server": {}}"#,
        "server: the same key twice",
    ),
    (
        r#"{"server": {"data": "a", "data": "a"}}"#,
        "server.data: the same key twice",
    ),
    (
        r#"{"client": {"address": 1, "address": 2}}"#,
        "client.address: the same key twice",
    ),
    ("[]", "the top level: expected an object, found a list"),
    (
        r#"{"server": null}"#,
        "server: expected an object, found null",
    ),
    (
        r#"{"client": "h:1"}"#,
        r#"client: expected an object, found "h:1""#,
    ),
    (
        r#"{"server": {"listen": 12}}"#,
        "server.listen: expected a string or a list of strings, found 12",
    ),
    (
        r#"{"server": {"listen": []}}"#,
        "server.listen: must have 1 to 16 addresses, not 0",
    ),
    (
        r#"{"server": {"listen": ["[::1]:1", 2]}}"#,
        "server.listen[1]: expected a string, found 2",
    ),
    (
        r#"{"server": {"listen": ["[::1]:1", ["[::1]:2"]]}}"#,
        "server.listen[1]: expected a string, found a list",
    ),
    (
        r#"{"server": {"listen": ["localhost:1024"]}}"#,
        "server.listen[0]: must be an IP address and port, such as 127.0.0.1:1024 or \
             [::]:1024, not \"localhost:1024\"",
    ),
    (
        r#"{"server": {"listen": ["[::1]:1", "127.0.0.1:1", "[::1]:1"]}}"#,
        "server.listen: the same address twice: [::1]:1",
    ),
    (
        r#"{"server": {"listen": ["127.0.0.1:1", "0.0.0.0:1"]}}"#,
        "server.listen: 127.0.0.1:1 is a part of 0.0.0.0:1; leave one out",
    ),
    (
        r#"{"server": {"data": true}}"#,
        "server.data: expected a string, found true",
    ),
    (
        r#"{"server": {"log": {}}}"#,
        "server.log: expected a string, found an object",
    ),
    (
        r#"{"server": {"limits": {"rooms": "9"}}}"#,
        r#"server.limits.rooms: expected a whole number, found "9""#,
    ),
    (
        r#"{"server": {"limits": {"rooms": 9.5}}}"#,
        "server.limits.rooms: expected a whole number, found 9.5",
    ),
    (
        r#"{"server": {"limits": {"frame_bytes": 12}}}"#,
        "server.limits.frame_bytes: must be 4096 to 1048576, not 12",
    ),
    (
        r#"{"server": {"limits": {"friends": -1}}}"#,
        "server.limits.friends: must be 1 to 1000, not -1",
    ),
    (
        r#"{"server": {"limits": {"dead_seconds": 90}}}"#,
        "server.limits.dead_seconds: must be more than ping_seconds (90) or 0, not 90",
    ),
    (
        r#"{"server": {"data": ""}}"#,
        r#"server.data: must be the path of a folder, not """#,
    ),
    (
        r#"{"server": {"listen": "localhost:1024"}}"#,
        "server.listen: must be an IP address and port, such as 127.0.0.1:1024 or \
             [::]:1024, not \"localhost:1024\"",
    ),
    (
        r#"{"server": {"log": "inof"}}"#,
        r#"server.log: "inof" is not a log level; did you mean "info"?"#,
    ),
];

#[test]
fn wrong_keys_and_values_are_refused_by_path() {
    for (config, words) in WRONG {
        refused(&with_config(config), &[], &format!("config.json: {words}"));
    }
}

#[test]
fn files_that_are_not_json_are_refused() {
    for (config, words) in [
        (
            "",
            "config.json: the file is empty; delete it to use the defaults, or write {}",
        ),
        (
            " \n",
            "config.json: the file is empty; delete it to use the defaults, or write {}",
        ),
        (
            "{\n  \"server\" {}}",
            "config.json: not JSON: expected `:` at line 2 column 12",
        ),
        (
            "{",
            "config.json: not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "{} {}",
            "config.json: not JSON: trailing characters at line 1 column 4",
        ),
    ] {
        refused(&with_config(config), &[], words);
    }
    let dir = with_config(b"{\n\"\xff\": 1}");
    refused(&dir, &[], "config.json: not UTF-8 at line 2");
    let dir = with_config(" ".repeat(1024 * 1024) + "{}");
    refused(
        &dir,
        &[],
        "config.json: the file is longer than 1048576 bytes",
    );
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let dir = with_config("\u{feff}{\"server\": {\"data\": \"marked\"}}\r\n");
    let checked = dir.run(&["--check-config"]);
    assert_eq!(stdout(&checked), "config ok: config.json\n");
    dir.start(&[]).stop();
    assert!(dir.path("marked/host_key").exists());
    for (config, words) in [
        (
            "\u{feff}",
            "the file is empty; delete it to use the defaults, or write {}",
        ),
        (
            "{\u{feff}}",
            "not JSON: key must be a string at line 1 column 2",
        ),
        (
            "\u{feff}\u{feff}{}",
            "not JSON: expected value at line 1 column 1",
        ),
    ] {
        refused(&with_config(config), &[], &format!("config.json: {words}"));
    }
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    let dir = ServerFolder::new();
    refused(
        &dir,
        &["--config", "none.json"],
        "none.json: No such file or directory (os error 2)",
    );
    refused(&dir, &["--config", "."], ".: Is a directory (os error 21)");
    dir.write("file", "");
    refused(
        &dir,
        &["--config", "file/x"],
        "file/x: Not a directory (os error 20)",
    );
    symlink("nowhere", dir.path("config.json")).unwrap();
    refused(
        &dir,
        &[],
        "config.json: No such file or directory (os error 2)",
    );
}

/// A server that runs does not wait for a pipe, nor read a folder.
#[test]
fn only_a_regular_file_is_read_again() {
    let dir = ServerFolder::new();
    let read = |name: &str| {
        let overrides = Overrides {
            file: Some(dir.path(name)),
            ..Overrides::default()
        };
        load_again(overrides, None)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    dir.write("good.json", "{}");
    assert_eq!(read("good.json"), Ok(()));
    let made = Command::new("mkfifo").arg(dir.path("pipe")).status();
    assert!(made.unwrap().success());
    symlink("pipe", dir.path("link")).unwrap();
    for name in ["pipe", "link"] {
        let refused = read(name).unwrap_err();
        assert!(refused.ends_with(": not a regular file"), "{refused}");
    }
    assert!(read(".").unwrap_err().contains("Is a directory"));
}

#[test]
fn the_flag_goes_before_the_environment_before_the_current_directory() {
    let dir = ServerFolder::new();
    let env = [("ECHAT_CONFIG", "env.json")];
    assert_eq!(
        stdout(&dir.run(&["--check-config"])),
        "config ok: built-in defaults\n"
    );
    let missing = dir.run_with(&["--check-config"], &env);
    assert_eq!(
        stderr(&missing),
        "echat-server: env.json: No such file or directory (os error 2)\n"
    );
    for name in ["config.json", "env.json", "flag.json"] {
        dir.write(name, "{}");
    }
    assert_eq!(
        stdout(&dir.run(&["--check-config"])),
        "config ok: config.json\n"
    );
    let by_env = dir.run_with(&["--check-config"], &env);
    assert_eq!(stdout(&by_env), "config ok: env.json\n");
    let by_flag = dir.run_with(&["--check-config", "--config", "flag.json"], &env);
    assert_eq!(stdout(&by_flag), "config ok: flag.json\n");
}

#[test]
fn flags_override_the_file() {
    let port = "127.0.0.1:0";
    let dir =
        with_config(r#"{"server": {"data": "of_file", "log": "off", "listen": "192.0.2.1:1"}}"#);
    assert_eq!(stderr(&dir.start(&[]).stop()), "");
    assert!(dir.path("of_file/host_key").exists());
    let mut of_flag = dir.command("", &["--listen", port, "--data", "of_flag"]);
    of_flag.env("ECHAT_LOG", "info");
    let output = ServerProcess::start(of_flag).stop();
    assert!(stderr(&output).contains(" INFO "), "{}", stderr(&output));
    assert!(dir.path("of_flag/host_key").exists());
    let mut silent = dir.command("", &["--listen", port, "--log", "off"]);
    silent.env("ECHAT_LOG", "info");
    assert_eq!(stderr(&ServerProcess::start(silent).stop()), "");
    refused(
        &ServerFolder::new(),
        &["--listen", "[::1]:1", "--listen", "[::1]:1"],
        "--listen: the same address twice: [::1]:1",
    );
    refused(
        &ServerFolder::new(),
        &["--log", "echat=loud"],
        "--log or ECHAT_LOG: \"echat=loud\" is not a log filter; write level or module=level",
    );
}

#[test]
fn output_that_cannot_be_written_is_an_io_error() {
    for flag in ["--check-config", "--print-default-config"] {
        let dir = ServerFolder::new();
        let full = Command::new("sh")
            .args(["-c", r#"exec "$0" "$1" >/dev/full"#, SERVER, flag])
            .env_remove("ECHAT_CONFIG")
            .env_remove("ECHAT_LOG")
            .current_dir(dir.path(""))
            .output()
            .unwrap();
        let words = "echat-server: stdout: No space left on device (os error 28)\n";
        assert_eq!((stderr(&full), full.status.code()), (words, Some(74)));
    }
}

#[test]
fn wrong_flags_are_usage_errors_and_help_names_every_exit_code() {
    let dir = ServerFolder::new();
    for args in [
        &["--lisen", "x"][..],
        &["--listen", "x"],
        &["--log", ""],
        &["--config", ""],
    ] {
        assert_eq!(dir.run(args).status.code(), Some(64), "{args:?}");
    }
    let both = dir.run(&["--check-config", "--print-default-config"]);
    assert_eq!(both.status.code(), Some(64));
    let help = dir.run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for code in [
        "   0  ", "  64  ", "  69  ", "  73  ", "  74  ", "  75  ", "  77  ", "  78  ",
    ] {
        assert!(stdout(&help).contains(&format!("\n{code}")), "{code}");
    }
    let version = dir.run(&["--version"]);
    assert_eq!(
        stdout(&version),
        concat!("echat-server ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
