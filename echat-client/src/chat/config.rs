//! The section `client` of a config.json: what the user chose once and for all.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use echat_proto::config::CLIENT_KEYS;
use serde_json::{Map, Value};

use crate::address::Target;
use crate::password;
use crate::settings::Presence;
use crate::text::Language;

/// The longest file that is read, in bytes.
const MAX: u64 = 1 << 20;
/// Below this a suggestion confuses more than it helps.
const NEAR: f64 = 0.75;
/// Every key of the section `server`, which tells a file of echat's from another's.
const SERVER_KEYS: [&str; 5] = ["listen", "data", "log", "sessions_per_user", "limits"];

/// What the file says; `None` where it says nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) address: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<password::Source>,
    pub(super) language: Option<Language>,
    pub(super) compact: Option<bool>,
    pub(super) presence: Option<Presence>,
    pub(super) bell: Option<bool>,
    pub(super) notify: Option<bool>,
    pub(super) title: Option<bool>,
    pub(super) keep_unsent: Option<bool>,
    pub(super) utc: Option<bool>,
    /// Whether the address was found in the folder that the program was started in.
    pub(super) is_address_from_here: bool,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {mistake}", path.display())]
pub(super) struct ConfigError {
    pub(super) path: PathBuf,
    pub(super) mistake: Mistake,
}

/// A mistake; most are about a key.
#[derive(Debug, thiserror::Error)]
pub(super) enum Mistake {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("is over 1 MiB")]
    TooLarge,
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("client: must be an object")]
    NoObject,
    #[error("is no file of echat's: it has neither \"client\" nor \"server\"")]
    Foreign,
    #[error("is no file of echat's: it has the key {0:?}")]
    ForeignKey(String),
    #[error("is not a regular file")]
    NotAFile,
    #[error(
        "client.{0}: names a user or a key, which counts only in a file named with --config or \
         ECHAT_CONFIG, or in your own configuration folder: anybody may have written one that \
         merely lies here"
    )]
    TrustHere(&'static str),
    #[error("client.{0:?}: unknown key; did you mean \"{1}\"?")]
    Misspelt(String, &'static str),
    #[error("client.{0:?}: unknown key; known: {1}")]
    Unknown(String, String),
    #[error(
        "client.{0}: only in a file named with --config or ECHAT_CONFIG, or in your own \
         configuration folder: anybody may have written one that merely lies here"
    )]
    PasswordHere(&'static str),
    #[error("client: password_file or password_command, not both")]
    TwoPasswords,
    #[error("client.{0}: must be a string")]
    NoText(&'static str),
    #[error("client.{0}: must be true or false")]
    NoFlag(&'static str),
    #[error("client.{0}: must be one of {1}")]
    NoWord(&'static str, &'static str),
}

/// Where a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Named by the user.
    Named,
    /// In the user's own folder.
    Own,
    /// In the folder that the program was started in, which anybody may have made.
    Here,
}

/// Reads the file that was named; else the user's own, else ./config.json, if one is there. What is
/// wrong with a file that was not named is no error: it counts for nothing, and is returned.
pub(super) fn load(
    named: Option<&Path>,
    folder: Option<PathBuf>,
) -> Result<(Config, Option<ConfigError>), ConfigError> {
    if let Some(path) = named {
        return read(path, Place::Named).map(|config| (config, None));
    }
    let own = folder.map(|folder| (folder.join("config.json"), Place::Own));
    let here = (PathBuf::from("./config.json"), Place::Here);
    for (path, place) in own.into_iter().chain([here]) {
        match read(&path, place) {
            Err(error) if error.is_absence() => {}
            Ok(config) => return Ok((config, None)),
            Err(error) => return Ok((Config::default(), Some(error))),
        }
    }
    Ok((Config::default(), None))
}

impl ConfigError {
    fn is_absence(&self) -> bool {
        matches!(&self.mistake, Mistake::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

fn read(path: &Path, place: Place) -> Result<Config, ConfigError> {
    text_of(path, place)
        .and_then(|text| parse(&text, place))
        .map_err(|mistake| ConfigError {
            path: path.to_owned(),
            mistake,
        })
}

fn text_of(path: &Path, place: Place) -> Result<String, Mistake> {
    let mut text = String::new();
    // Opening a pipe that merely lies there would wait for its other end.
    if place != Place::Named && !fs::metadata(path)?.is_file() {
        return Err(Mistake::NotAFile);
    }
    File::open(path)?.take(MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX {
        return Err(Mistake::TooLarge);
    }
    Ok(text)
}

fn parse(text: &str, place: Place) -> Result<Config, Mistake> {
    // Editors of Windows begin a file with a byte order mark, which is no JSON.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut file: Map<String, Value> = serde_json::from_str(text)?;
    if place == Place::Here {
        check_origin(&file)?;
    }
    let mut section = match file.remove("client") {
        None => Map::new(),
        Some(Value::Object(section)) => section,
        Some(_) => return Err(Mistake::NoObject),
    };
    if let Some(unknown) = section
        .keys()
        .find(|key| !CLIENT_KEYS.contains(&key.as_str()))
    {
        return Err(refusal(unknown));
    }
    let passwords = ["password_file", "password_command"];
    if let Some(key) = passwords.iter().find(|key| section.contains_key(**key))
        && place == Place::Here
    {
        return Err(Mistake::PasswordHere(key));
    }
    let file =
        take_text(&mut section, "password_file")?.map(|path| password::Source::File(path.into()));
    let command = take_text(&mut section, "password_command")?.map(password::Source::Command);
    if file.is_some() && command.is_some() {
        return Err(Mistake::TwoPasswords);
    }
    let address = take_text(&mut section, "address")?;
    let user = take_text(&mut section, "user")?.filter(|user| !user.is_empty());
    if place == Place::Here {
        check_trust(address.as_deref(), user.as_deref())?;
    }
    Ok(Config {
        is_address_from_here: place == Place::Here && address.is_some(),
        address,
        user,
        password: file.or(command),
        language: take_word(
            &mut section,
            "language",
            "auto, en, zh",
            |word| match word {
                "auto" => Some(None),
                word => word.parse().ok().map(Some),
            },
        )?
        .flatten(),
        compact: take_flag(&mut section, "compact")?,
        presence: take_word(&mut section, "presence", "show, collapse, hide", |word| {
            Some(match word {
                "show" => Presence::Show,
                "collapse" => Presence::Collapse,
                "hide" => Presence::Hide,
                _ => return None,
            })
        })?,
        bell: take_flag(&mut section, "bell")?,
        notify: take_flag(&mut section, "notify")?,
        title: take_flag(&mut section, "title")?,
        keep_unsent: take_flag(&mut section, "keep_unsent")?,
        utc: take_flag(&mut section, "utc")?,
    })
}

/// A file that merely lies here counts only if it is echat's beyond doubt: many programs have a
/// config.json.
fn check_origin(file: &Map<String, Value>) -> Result<(), Mistake> {
    // Nothing in it can mislead.
    if file.is_empty() {
        return Ok(());
    }
    if !file.contains_key("client") && !file.contains_key("server") {
        return Err(Mistake::Foreign);
    }
    let foreign = |key: &String| !["client", "server"].contains(&key.as_str());
    if let Some(key) = file.keys().find(|key| foreign(key)) {
        return Err(Mistake::ForeignKey(key.clone()));
    }
    match file.get("server") {
        None => Ok(()),
        Some(Value::Object(server)) => {
            let foreign = |key: &&String| !SERVER_KEYS.contains(&key.as_str());
            match server.keys().find(foreign) {
                Some(key) => Err(Mistake::ForeignKey(format!("server.{key}"))),
                None => Ok(()),
            }
        }
        Some(_) => Err(Mistake::Foreign),
    }
}

/// The way to a server that a file which merely lies here may name: a person judges its key, and
/// says who logs in.
fn check_trust(address: Option<&str>, user: Option<&str>) -> Result<(), Mistake> {
    if user.is_some() {
        return Err(Mistake::TrustHere("user"));
    }
    let target = address.and_then(|address| address.parse::<Target>().ok());
    match target {
        Some(target) if target.fingerprint.is_some() || target.user.is_some() => {
            Err(Mistake::TrustHere("address"))
        }
        _ => Ok(()),
    }
}

fn refusal(unknown: &str) -> Mistake {
    let nearest = CLIENT_KEYS
        .iter()
        .map(|key| (strsim::jaro_winkler(unknown, key), key))
        .filter(|(near, _)| *near > NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((_, key)) => Mistake::Misspelt(unknown.to_owned(), key),
        None => Mistake::Unknown(unknown.to_owned(), CLIENT_KEYS.join(", ")),
    }
}

fn take_text(
    section: &mut Map<String, Value>,
    key: &'static str,
) -> Result<Option<String>, Mistake> {
    match section.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Mistake::NoText(key)),
    }
}

fn take_flag(section: &mut Map<String, Value>, key: &'static str) -> Result<Option<bool>, Mistake> {
    match section.remove(key) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(flag)),
        Some(_) => Err(Mistake::NoFlag(key)),
    }
}

fn take_word<T>(
    section: &mut Map<String, Value>,
    key: &'static str,
    words: &'static str,
    meaning: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Mistake> {
    let word = take_text(section, key)?;
    word.map(|word| meaning(&word).ok_or(Mistake::NoWord(key, words)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_read() {
        let text = r#"{"server": {"what": 1}, "client": {"address": "a:1", "language": "zh",
            "presence": "hide", "bell": false, "user": "", "password_command": "pass echat"}}"#;
        let config = parse(text, Place::Own).unwrap();
        assert_eq!(config.address.as_deref(), Some("a:1"));
        assert_eq!(config.language, Some(Language::Chinese));
        assert_eq!(config.presence, Some(Presence::Hide));
        assert_eq!((config.bell, config.compact), (Some(false), None));
        assert_eq!(config.user, None);
        assert_eq!(
            config.password,
            Some(password::Source::Command("pass echat".to_owned()))
        );
        assert_eq!(parse("{}", Place::Own).unwrap(), Config::default());
    }

    #[test]
    fn what_the_server_may_read_is_no_mistake_here() {
        let text = "\u{feff}{\"server\": {\"listen\": [\"a:1\", \"[::]:2\"]}, \
            \"client\": {\"bell\": false}}";
        assert_eq!(parse(text, Place::Here).unwrap().bell, Some(false));
    }

    #[test]
    fn every_default_that_the_server_prints_is_a_default_here() {
        let text = include_str!("../../../config.json");
        let config = parse(text, Place::Here).unwrap();
        assert_eq!(config.address.as_deref(), Some("127.0.0.1:1024"));
        assert_eq!(config.language, None);
        assert_eq!(config.presence, Some(Presence::default()));
    }

    #[test]
    fn mistakes_are_named() {
        for (section, said) in [
            (r#"{"adress": 1}"#, "did you mean \"address\"?"),
            (r#"{"zzz": 1}"#, "unknown key; known: address, "),
            (r#"{"bell": "yes"}"#, "client.bell: must be true or false"),
            (r#"{"language": "fr"}"#, "client.language: must be one of"),
            (r#"{"password_file": "x"}"#, "client.password_file: only in"),
            ("[]", "client: must be an object"),
        ] {
            let text = format!(r#"{{"client": {section}}}"#);
            let error = parse(&text, Place::Here).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let here = Path::new("/nowhere/config.json");
        let missing = load(Some(here), None).unwrap_err();
        assert!(missing.is_absence() && missing.to_string().starts_with("/nowhere/config.json: "));
    }

    #[test]
    fn a_file_that_merely_lies_here_must_be_ours_and_trusts_nothing() {
        let key = format!("SHA256:{}", "A".repeat(43));
        let link = format!(r#"{{"client": {{"address": "echat://a:1/#{key}"}}}}"#);
        for text in [
            "[]",
            "{",
            r#"{"name": "a-package", "version": "1.0.0"}"#,
            r#"{"client": {}, "version": 1}"#,
            r#"{"server": {"port": 8080}}"#,
            r#"{"server": "localhost"}"#,
            r#"{"client": {"user": "ann"}}"#,
            r#"{"client": {"address": "echat://ann@a:1"}}"#,
            r#"{"client": {"password_command": "touch x"}}"#,
            &link,
        ] {
            assert!(parse(text, Place::Here).is_err(), "{text}");
        }
        let plain = r#"{"client": {"address": "echat://a:1/room1", "user": ""}}"#;
        assert!(parse(plain, Place::Here).unwrap().is_address_from_here);
        for place in [Place::Named, Place::Own] {
            assert!(!parse(&link, place).unwrap().is_address_from_here);
        }
    }
}
