//! What the real server keeps to itself: passwords, messages and its key. A canary is sent in every
//! place where a secret can be, and looked for wherever others could read.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use echat_proto::Value;
use echat_proto::channel::Incoming;
use echat_proto::names::ResumeSecret;
use echat_proto::names::Username;
use echat_server::storage::Store;
use echat_testkit::server_process::{ServerFolder, ServerProcess, stderr, stdout};
use echat_testkit::wire::{Client, PASSWORD, credentials, line};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// A password and a message, as nothing else is written.
const CANARY: &str = "canary-in-a-coal-mine";

/// How a secret could be written: as it is, in hex and in decimal as Debug has it, in UTF-16.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let numbers = |separator: &str, number: fn(&u8) -> String| {
        let numbers: Vec<String> = secret.iter().map(number).collect();
        numbers.join(separator).into_bytes()
    };
    let wide = secret.iter().flat_map(|byte| [*byte, 0]).collect();
    vec![
        secret.to_vec(),
        numbers("", |byte| format!("{byte:02x}")),
        numbers("", |byte| format!("{byte:02X}")),
        numbers(", ", u8::to_string),
        wide,
    ]
}

/// Fails if a secret is in this, in any form.
#[track_caller]
fn has_none(bytes: &[u8], secrets: &[&[u8]], dir: &str) {
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        let found = bytes.windows(form.len()).any(|window| window == form);
        assert!(!found, "{} is in {dir}", String::from_utf8_lossy(&form));
    }
}

/// What others can see of a process: its arguments, and its environment as far as we set it.
fn seen_from_outside(server: &ServerProcess) -> Vec<u8> {
    let process = format!("/proc/{}", server.id());
    let read = |name: &str| fs::read(format!("{process}/{name}"));
    let environment = match read("environ") {
        // The server is not dumpable: only root sees its environment.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Vec::new(),
        environment => environment.expect("our own process"),
    };
    [read("cmdline").expect("our own process"), environment].concat()
}

/// The secret of a bundle, as text and as bytes.
fn secret_in(bundle: &Value) -> (String, Vec<u8>) {
    let Some(Value::Str(text)) = bundle.at("resume") else {
        panic!("a bundle has a secret")
    };
    let secret = ResumeSecret::presented(text).expect("short");
    (text.clone(), secret.bytes().expect("32 bytes").to_vec())
}

/// A canary as password and as message, and in places where neither belongs. Returns the secrets of sessions that were
/// given and presented.
fn sing(server: &ServerProcess) -> Vec<(String, Vec<u8>)> {
    let mut ann = Client::register(server, "ann");
    let canary = credentials("bird").replace(PASSWORD, CANARY);
    let mut bird = Client::connect(server);
    bird.asks(&format!("REGISTER {canary}"));
    assert!(line(&bird.asks(&format!("LOGIN {canary}"))).starts_with("LOGIN_BUNDLE"));
    ann.befriends("ann", &mut bird, "bird");
    ann.asks(r#"CREATE_ROOM {"roomname":"hall","members":["bird"]}"#);
    for (kind, target) in [(0, "bird"), (1, "hall"), (0, CANARY), (7, "hall")] {
        let to = format!(r#""target_type":{kind},"target":"{target}""#);
        ann.asks(&format!(r#"SEND_MESSAGE {{{to},"content":"{CANARY}"}}"#));
        ann.asks(&format!(
            r#"SEND_MESSAGE {{{to},"content":"{CANARY}","txn_id":"{CANARY}"}}"#
        ));
        ann.asks(&format!(r#"SEND_MESSAGE {{{to},"content":["{CANARY}"]}}"#));
    }
    ann.history("hall", 0);
    bird.asks("QUERY_HISTORY {}");
    let mut guest = Client::connect(server);
    // A password of the wrong type, a wrong one, one in a place where none belongs.
    for request in [
        format!(r#"LOGIN {{"username":"ann","password":["{CANARY}"]}}"#),
        format!(r#"REGISTER {{"username":"bob","password":"{CANARY}","{CANARY}":1}}"#),
        format!(r#"LOGIN {{"username":"ann","password":"{CANARY}"}}"#),
        format!("JOIN_ROOM \"{CANARY}\""),
        format!("4242 \"{CANARY}\""),
    ] {
        guest.says(&[request]);
        guest.hears_message();
    }
    guest.logs_in("ann");
    let malformed = [&[0, 0, 0, 1, 3, 0, 0, 0, 99][..], CANARY.as_bytes()].concat();
    guest.says_plain(&[malformed]);
    assert_eq!(guest.hears(), Some(Incoming::Close(2)));

    let given = secret_in(&Client::connect(server).logs_in("ann"));
    let resume = format!(r#"LOGIN {{"username":"ann","resume":"{}"}}"#, given.0);
    let mut back = Client::connect(server);
    let next = secret_in(&back.asks(&resume).params);
    back.is_served();
    // One that was used, and one in a place where none belongs.
    let mut guest = Client::connect(server);
    for request in [resume, format!("JOIN_ROOM \"{}\"", next.0)] {
        guest.says(&[request]);
        guest.hears_message();
    }
    vec![given, next]
}

#[test]
fn no_secret_is_in_the_log_at_trace_or_in_events_for_others() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "trace"]);
    let given = sing(&server);
    let outside = seen_from_outside(&server);
    let output = server.stop();
    assert_eq!(stdout(&output).lines().count(), 1);
    let key = fs::read(dir.path("data/host_key")).unwrap();
    let mut secrets = vec![CANARY.as_bytes(), PASSWORD.as_bytes(), b"argon2id", &key];
    secrets.extend(
        key.split(|byte| *byte == b'\n')
            .filter(|line| line.len() > 20),
    );
    for (text, bytes) in &given {
        secrets.extend([text.as_bytes(), bytes]);
    }
    has_none(&output.stderr, &secrets, "the log");
    has_none(&outside, &secrets, "what others see");
    assert!(
        stderr(&output).contains("logged in user=bird"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("a used secret came again user=\"ann\""));
}

/// Every file of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    // The socket of the administration has no contents.
    entries.filter(|path| path.is_file()).collect()
}

/// The PHC strings of all users by name.
fn hashes(dir: &ServerFolder) -> Vec<String> {
    let db = Connection::open(dir.path("data/database.db")).unwrap();
    let mut rows = db
        .prepare("SELECT password FROM users ORDER BY name")
        .unwrap();
    let rows = rows.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Whether a PHC string is as strong as is promised.
fn is_strong(phc: &str) -> bool {
    let number = |key: &str| -> u32 {
        let mut fields = phc.split(['$', ',']);
        let value = fields.find_map(|field| field.strip_prefix(key));
        value.expect("a parameter").parse().expect("a number")
    };
    phc.starts_with("$argon2id$v=19$") && number("m=") >= 19 * 1024 && number("t=") >= 2
}

#[test]
fn passwords_are_stored_as_argon2id_and_nowhere_else() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "off"]);
    for name in ["ann", "bob", "joe"] {
        Client::register(&server, name);
    }
    let no_password = || {
        let files = files(&dir.path("data"));
        for file in &files {
            has_none(
                &fs::read(file).unwrap(),
                &[PASSWORD.as_bytes()],
                &file.display().to_string(),
            );
        }
        files.len()
    };
    assert!(no_password() >= 4, "the log of the database is there too");
    server.kill();
    no_password();
    let phcs = hashes(&dir);
    assert!(phcs.iter().all(|phc| is_strong(phc)), "{phcs:?}");
    let salts: Vec<_> = phcs.iter().map(|phc| phc.split('$').nth(4)).collect();
    assert!(
        salts[0] != salts[1] && salts[1] != salts[2] && salts[0] != salts[2],
        "{phcs:?}"
    );
    assert_eq!(dir.start(&["--log", "off"]).stop().status.code(), Some(0));
    no_password();
}

#[test]
fn session_secrets_are_stored_as_hashes_and_survive_a_kill() {
    let dir = ServerFolder::new();
    let server = dir.start(&["--log", "off"]);
    Client::register(&server, "ann");
    let (mut given, mut server) = (secret_in(&Client::connect(&server).logs_in("ann")), server);
    for _ in 0..4 {
        // The answer came: whatever happens now, the secret is stored.
        server.kill();
        let (text, bytes) = &given;
        let mut has_hash = false;
        for file in files(&dir.path("data")) {
            let kept = fs::read(&file).unwrap();
            // The first half is that of all secrets of the chain.
            let secrets = [text.as_bytes(), bytes, &bytes[..16]];
            has_none(&kept, &secrets, &file.display().to_string());
            let hash = Sha256::digest(bytes);
            has_hash |= kept.windows(hash.len()).any(|window| window == &*hash);
        }
        assert!(has_hash, "the database knows its hash");
        server = dir.start(&["--log", "off"]);
        let resume = format!(r#"LOGIN {{"username":"ann","resume":"{text}"}}"#);
        let bundle = Client::connect(&server).asks(&resume);
        assert!(
            line(&bundle).starts_with("LOGIN_BUNDLE"),
            "{}",
            line(&bundle)
        );
        let next = secret_in(&bundle.params);
        assert_ne!(next.0, given.0, "each login has a new one");
        given = next;
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

/// A database whose only user has a password that was hashed with weaker parameters.
fn weak(dir: &ServerFolder) -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let phc = argon2
        .hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16])
        .unwrap()
        .to_string();
    dir.used(|path| {
        let mut store = Store::open(path).unwrap();
        let mut batch = store.batch();
        let ann = Username::new("ann").unwrap();
        batch.create_user(&ann, &phc, 1).unwrap().unwrap();
        let _receipt = batch.commit().unwrap();
    });
    phc
}

#[test]
fn a_weaker_hash_is_replaced_at_the_next_login() {
    let dir = ServerFolder::new();
    let old = weak(&dir);
    let server = dir.start(&["--log", "off"]);
    let wrong = credentials("ann").replace(PASSWORD, "wrong");
    let mut client = Client::connect(&server);
    assert!(line(&client.asks(&format!("LOGIN {wrong}"))).contains("bad_credentials"));
    assert_eq!(hashes(&dir), [&*old], "a wrong password proves nothing");
    client.logs_in("ann");
    client.is_served();
    let new = hashes(&dir);
    assert!(new[0] != old && is_strong(&new[0]), "{new:?}");
    Client::login(&server, "ann").is_served();
    assert_eq!(hashes(&dir), new, "once is enough");
    assert_eq!(server.stop().status.code(), Some(0));
}
