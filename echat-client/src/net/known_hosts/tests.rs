use std::collections::HashMap;
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

const ONE: &str = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
const TWO: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn key(text: &str) -> Fingerprint {
    text.parse().unwrap()
}

fn host(text: &str) -> Address {
    text.parse().unwrap()
}

/// A directory that goes away with the test, and the file in it.
fn fresh() -> (TempDir, KnownHosts) {
    let directory = tempfile::tempdir().unwrap();
    let hosts = KnownHosts::at(directory.path().join("echat/known_hosts"));
    (directory, hosts)
}

fn with(content: &[u8]) -> (TempDir, KnownHosts) {
    let (directory, hosts) = fresh();
    fs::create_dir(hosts.path().parent().unwrap()).unwrap();
    fs::write(hosts.path(), content).unwrap();
    (directory, hosts)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_remembered_key_is_found_again_and_the_file_is_private() {
    let (_directory, hosts) = fresh();
    assert_eq!(hosts.look_up(&host("a:1")).unwrap(), Keys::default());
    hosts.remember(&host("a:1"), &key(ONE)).unwrap();
    hosts.remember(&host("[::1]:1"), &key(TWO)).unwrap();
    hosts.remember(&host("a:1"), &key(ONE)).unwrap();

    assert_eq!(hosts.look_up(&host("a:1")).unwrap().known, [key(ONE)]);
    assert_eq!(hosts.look_up(&host("A:1")).unwrap().known, [key(ONE)]);
    assert_eq!(hosts.look_up(&host("a:2")).unwrap().known, []);
    assert_eq!(
        fs::read_to_string(hosts.path()).unwrap(),
        format!("a:1 {ONE}\n[::1]:1 {TWO}\n")
    );
    assert_eq!(mode(hosts.path()), 0o600);
    assert_eq!(mode(hosts.path().parent().unwrap()), 0o700);
    assert!(!private_file::beside(hosts.path(), "tmp").exists());
}

#[test]
fn a_key_is_never_replaced() {
    let (_directory, hosts) = fresh();
    hosts.remember(&host("a:1"), &key(ONE)).unwrap();
    let refused = hosts.remember(&host("a:1"), &key(TWO)).unwrap_err();
    assert!(matches!(refused, KnownHostsError::Conflict { known, .. } if known == key(ONE)));
    assert_eq!(hosts.look_up(&host("a:1")).unwrap().known, [key(ONE)]);
}

#[test]
fn a_second_line_written_by_hand_is_a_second_key() {
    let (_directory, hosts) = with(format!("a:1 {ONE}\na:1\t{TWO}\r\n").as_bytes());
    let keys = hosts.look_up(&host("a:1")).unwrap();
    assert_eq!(
        keys,
        Keys {
            known: vec![key(ONE), key(TWO)],
            malformed: vec![]
        }
    );
}

#[test]
fn a_byte_order_mark_hides_no_host() {
    let (_directory, hosts) = with(format!("\u{feff}a:1 {ONE}\r\n").as_bytes());
    let keys = hosts.look_up(&host("a:1")).unwrap();
    assert_eq!((keys.known, keys.malformed), (vec![key(ONE)], vec![]));
}

#[test]
fn lines_that_mean_nothing_are_counted_and_kept() {
    let mut content = format!("# mine\n\na:1 {ONE}\na:1\na:1 {ONE} x\na 1 {ONE}\n").into_bytes();
    content.extend(b"\xff\xfe\nb:1 SHA256:short");
    let (_directory, hosts) = with(&content);
    let keys = hosts.look_up(&host("a:1")).unwrap();
    assert_eq!(
        keys,
        Keys {
            known: vec![key(ONE)],
            malformed: vec![4, 5, 6, 7, 8]
        }
    );

    // The last line had no end: the new one must not run into it.
    hosts.remember(&host("c:1"), &key(TWO)).unwrap();
    content.extend(format!("\nc:1 {TWO}\n").bytes());
    assert_eq!(fs::read(hosts.path()).unwrap(), content);
}

#[test]
fn forgetting_removes_all_lines_of_one_address_only() {
    let content = format!("# mine\na:1 {ONE}\njunk\nb:1 {ONE}\nA:1 {TWO}");
    let (_directory, hosts) = with(content.as_bytes());
    assert_eq!(hosts.forget(&host("a:1")).unwrap(), 2);
    let kept = format!("# mine\njunk\nb:1 {ONE}\n");
    assert_eq!(fs::read_to_string(hosts.path()).unwrap(), kept);
    assert_eq!(mode(hosts.path()), 0o600);
    assert_eq!(hosts.forget(&host("a:1")).unwrap(), 0);
    hosts.remember(&host("a:1"), &key(TWO)).unwrap();
    assert_eq!(hosts.look_up(&host("a:1")).unwrap().known, [key(TWO)]);
}

#[test]
fn forgetting_in_a_file_that_is_not_there_makes_none() {
    let (directory, hosts) = fresh();
    assert_eq!(hosts.forget(&host("a:1")).unwrap(), 0);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_link_to_the_file_stays_a_link() {
    let (directory, hosts) = with(b"");
    let link = directory.path().join("link");
    symlink(hosts.path(), &link).unwrap();
    KnownHosts::at(&link)
        .remember(&host("a:1"), &key(ONE))
        .unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(hosts.look_up(&host("a:1")).unwrap().known, [key(ONE)]);
}

#[test]
fn a_link_to_a_file_that_is_yet_to_be_made_stays_a_link() {
    let (directory, hosts) = fresh();
    let [link, second] = ["link", "second"].map(|name| directory.path().join(name));
    symlink("second", &link).unwrap();
    symlink("echat/known_hosts", &second).unwrap();
    let linked = KnownHosts::at(&link);
    linked.remember(&host("a:1"), &key(ONE)).unwrap();
    for link in [&link, &second] {
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    }
    assert_eq!(hosts.look_up(&host("a:1")).unwrap().known, [key(ONE)]);
    symlink("loop", directory.path().join("loop")).unwrap();
    let endless = KnownHosts::at(directory.path().join("loop"));
    let refused = endless.remember(&host("a:1"), &key(ONE)).unwrap_err();
    assert!(matches!(refused, KnownHostsError::Io { .. }), "{refused}");
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_alone() {
    let (directory, _) = fresh();
    let hosts = KnownHosts::at(directory.path());
    assert!(matches!(
        hosts.look_up(&host("a:1")),
        Err(KnownHostsError::Io { .. })
    ));

    let null = directory.path().join("null");
    symlink("/dev/null", &null).unwrap();
    let refused = KnownHosts::at(&null)
        .remember(&host("a:1"), &key(ONE))
        .unwrap_err();
    assert!(matches!(refused, KnownHostsError::NotAFile(_)), "{refused}");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());

    let (_directory, hosts) = with(&vec![b'\n'; (1 << 20) + 1]);
    assert!(matches!(
        hosts.look_up(&host("a:1")),
        Err(KnownHostsError::TooLarge(_))
    ));
}

#[test]
fn two_clients_at_once_lose_nothing() {
    let (_directory, hosts) = fresh();
    std::thread::scope(|scope| {
        for client in 1..=4u16 {
            let hosts = &hosts;
            scope.spawn(move || {
                for port in 1..=8 {
                    hosts
                        .remember(&host(&format!("h{client}:{port}")), &key(ONE))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(
        fs::read_to_string(hosts.path()).unwrap().lines().count(),
        32
    );
}

#[test]
fn the_path_of_the_file_follows_the_environment() {
    let place = |set: &[(&str, &str)]| {
        let set: HashMap<&str, OsString> = set.iter().map(|(k, v)| (*k, (*v).into())).collect();
        KnownHosts::of_user(|name| set.get(name).cloned()).map(|hosts| hosts.path().to_owned())
    };
    let home = ("HOME", "/h");
    assert_eq!(
        place(&[home]).unwrap(),
        Path::new("/h/.local/state/echat/known_hosts")
    );
    let state = ("XDG_STATE_HOME", "/s");
    assert_eq!(
        place(&[home, state]).unwrap(),
        Path::new("/s/echat/known_hosts")
    );
    let relative = ("XDG_STATE_HOME", "s");
    assert_eq!(
        place(&[home, relative]).unwrap(),
        Path::new("/h/.local/state/echat/known_hosts")
    );
    assert_eq!(
        place(&[home, state, (VARIABLE, "k")]).unwrap(),
        Path::new("k")
    );
    assert_eq!(
        place(&[state, (VARIABLE, "")]).unwrap(),
        Path::new("/s/echat/known_hosts")
    );
    assert!(matches!(place(&[]), Err(KnownHostsError::NoPlace)));
}
