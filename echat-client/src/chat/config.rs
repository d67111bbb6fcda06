//! The section `client` of a config.json: which file is read, and what one that was merely found may say.
//!
//! The keys, their defaults and their ranges are in [`echat_proto::config`].

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use echat_proto::config::{ClientConfig, Document, Fault, MAX_FILE_BYTES, TextError};

use crate::net::address::LinkTarget;

/// What the file says, and the default where it says nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) chosen: ClientConfig,
    /// Whether the address was found in the folder that the program was started in.
    pub(super) is_address_from_here: bool,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {mistake}", path.display())]
pub(super) struct ConfigError {
    pub(super) path: PathBuf,
    pub(super) mistake: ConfigMistake,
}

/// A mistake; most are about a key.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigMistake {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Key(#[from] Fault),
    #[error("not a configuration of echat: it has neither \"client\" nor \"server\"")]
    Foreign,
    #[error("not a configuration of echat: {0}")]
    ForeignKey(Fault),
    #[error("not a regular file")]
    NotAFile,
    #[error(
        "client.{0}: a user, a key or an invitation is accepted only from a file named with --config or \
         ECHAT_CONFIG, or from your own configuration folder: anyone may have written a file in \
         the current folder"
    )]
    TrustHere(&'static str),
    #[error(
        "client.{0}: accepted only from a file named with --config or ECHAT_CONFIG, or from your own \
         configuration folder: anyone may have written a file in the current folder"
    )]
    PasswordHere(&'static str),
    #[error("client: use either password_file or password_command, not both")]
    TwoPasswords,
}

/// Where a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Named by the user.
    Named,
    /// In the user's own folder.
    Own,
    /// In the folder that the program was started in, which anyone may have made.
    Here,
}

/// Reads the file that was named; else the user's own, else ./config.json, if one is there. What is
/// wrong with a file that was not named is no error: it counts for nothing, and is returned.
pub(super) fn load(
    named: Option<&Path>,
    folder: Option<PathBuf>,
) -> Result<(Config, Option<ConfigError>), ConfigError> {
    if let Some(path) = named {
        return read(path, Origin::Named).map(|config| (config, None));
    }
    let own = folder.map(|folder| (folder.join("config.json"), Origin::Own));
    let here = (PathBuf::from("./config.json"), Origin::Here);
    for (path, origin) in own.into_iter().chain([here]) {
        match read(&path, origin) {
            Err(error) if error.is_absence() => {}
            Ok(config) => return Ok((config, None)),
            Err(error) => return Ok((Config::default(), Some(error))),
        }
    }
    Ok((Config::default(), None))
}

impl ConfigError {
    fn is_absence(&self) -> bool {
        matches!(&self.mistake, ConfigMistake::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

fn read(path: &Path, origin: Origin) -> Result<Config, ConfigError> {
    bytes_of(path, origin)
        .and_then(|bytes| parse(&bytes, origin))
        .map_err(|mistake| ConfigError {
            path: path.to_owned(),
            mistake,
        })
}

/// All of the file, or one byte more than is allowed.
fn bytes_of(path: &Path, origin: Origin) -> Result<Vec<u8>, ConfigMistake> {
    // Opening a pipe that merely lies there would wait for its other end.
    if origin != Origin::Named && !fs::metadata(path)?.is_file() {
        return Err(ConfigMistake::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(bytes: &[u8], origin: Origin) -> Result<Config, ConfigMistake> {
    let document = Document::parse(bytes)?;
    if origin == Origin::Here {
        check_ours(&document)?;
        check_trust(&document)?;
    }
    let chosen = document.client()?;
    if chosen.password_file.is_some() && chosen.password_command.is_some() {
        return Err(ConfigMistake::TwoPasswords);
    }
    Ok(Config {
        is_address_from_here: origin == Origin::Here && document.has("client", "address"),
        chosen,
    })
}

/// A file that merely lies here counts only if it is echat's beyond doubt: many programs have a
/// config.json.
fn check_ours(document: &Document) -> Result<(), ConfigMistake> {
    let is_ours = document.has_section("client") || document.has_section("server");
    // In an object without keys nothing can mislead.
    if !is_ours && !document.is_blank() {
        return Err(ConfigMistake::Foreign);
    }
    document
        .check_server_keys()
        .map_err(ConfigMistake::ForeignKey)
}

/// What a file that merely lies here may say about the way to a server: a person judges its key, and
/// says which user logs in.
fn check_trust(document: &Document) -> Result<(), ConfigMistake> {
    let passwords = ["password_file", "password_command"];
    if let Some(key) = passwords
        .into_iter()
        .find(|key| document.has("client", key))
    {
        return Err(ConfigMistake::PasswordHere(key));
    }
    let chosen = document.client()?;
    if chosen.user.is_some_and(|user| !user.is_empty()) {
        return Err(ConfigMistake::TrustHere("user"));
    }
    match chosen.address.parse::<LinkTarget>() {
        Ok(target)
            if target.fingerprint.is_some()
                || target.user.is_some()
                || target.invitation.is_some() =>
        {
            Err(ConfigMistake::TrustHere("address"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use echat_proto::config::{LanguageSetting, Presence};

    use super::*;

    fn parse(text: &str, origin: Origin) -> Result<Config, ConfigMistake> {
        super::parse(text.as_bytes(), origin)
    }

    #[test]
    fn the_section_is_read() {
        let text = r#"{"server": {"what": 1}, "client": {"address": "a:1", "language": "zh",
            "presence": "hide", "bell": false, "user": "", "password_command": "pass echat"}}"#;
        let config = parse(text, Origin::Own).unwrap().chosen;
        assert_eq!(config.address, "a:1");
        assert_eq!(config.language, LanguageSetting::Zh);
        assert_eq!(config.presence, Presence::Hide);
        assert_eq!((config.bell, config.compact), (false, false));
        assert_eq!(config.password_command.as_deref(), Some("pass echat"));
        assert_eq!(parse("{}", Origin::Own).unwrap(), Config::default());
    }

    #[test]
    fn keys_of_the_server_are_accepted() {
        let text = "\u{feff}{\"server\": {\"listen\": [\"a:1\", \"[::]:2\"]}, \
            \"client\": {\"bell\": false}}";
        assert!(!parse(text, Origin::Here).unwrap().chosen.bell);
    }

    #[test]
    fn every_default_that_the_server_prints_is_a_default_here() {
        let text = include_str!("../../../config.json");
        let config = parse(text, Origin::Here).unwrap();
        assert_eq!(config.chosen, ClientConfig::default());
        assert!(config.is_address_from_here);
    }

    #[test]
    fn mistakes_are_named() {
        for (section, said) in [
            (
                r#"{"adress": 1}"#,
                "client.adress: unknown key; did you mean \"address\"?",
            ),
            (r#"{"zzz": 1}"#, "client.zzz: unknown key; known: address, "),
            (
                r#"{"bell": "yes"}"#,
                "client.bell: expected true or false, found \"yes\"",
            ),
            (r#"{"notify": true}"#, "client.notify: expected a string"),
            (
                r#"{"notify": "osc99"}"#,
                "must be one of off, auto, bell, osc9, osc777,",
            ),
            (
                r#"{"language": "fr"}"#,
                "client.language: must be one of auto, en, zh, not \"fr\"",
            ),
            (
                r#"{"user": null}"#,
                "client.user: expected a string, found null",
            ),
            (
                r#"{"bell": true, "bell": true}"#,
                "client.bell: the same key twice",
            ),
            (
                r#"{"password_file": "x"}"#,
                "client.password_file: accepted only",
            ),
            ("[]", "client: expected an object, found a list"),
        ] {
            let text = format!(r#"{{"client": {section}}}"#);
            let error = parse(&text, Origin::Here).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let here = Path::new("/nowhere/config.json");
        let missing = load(Some(here), None).unwrap_err();
        assert!(missing.is_absence() && missing.to_string().starts_with("/nowhere/config.json: "));
    }

    #[test]
    fn a_config_in_the_current_folder_must_belong_to_echat_and_grants_no_trust() {
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
            r#"{"client": {"address": "echat://a:1/#invitation=7KQM-2XWD-RT9H-C4VB"}}"#,
            r#"{"client": {"password_command": "touch x"}}"#,
            &link,
        ] {
            assert!(parse(text, Origin::Here).is_err(), "{text}");
        }
        let plain = r#"{"client": {"address": "echat://a:1/room1", "user": ""}}"#;
        assert!(parse(plain, Origin::Here).unwrap().is_address_from_here);
        for origin in [Origin::Named, Origin::Own] {
            assert!(!parse(&link, origin).unwrap().is_address_from_here);
        }
    }
}
