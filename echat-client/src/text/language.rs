//! Which language to speak.

use std::str::FromStr;

/// A language that every sentence is there in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese, with the words of the original.
    Chinese,
}

/// A language that is not spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the language must be en or zh")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        match language_of(text).as_str() {
            "en" => Ok(Self::English),
            "zh" => Ok(Self::Chinese),
            _ => Err(UnknownLanguage),
        }
    }
}

impl Language {
    /// What the command line says; else the configuration; else the first of LC_ALL, LC_MESSAGES
    /// and LANG that is set, as POSIX has it; else English.
    pub fn choose(
        flag: Option<Self>,
        config: Option<Self>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let locale = || {
            ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .filter_map(variable)
                .find(|value| !value.is_empty())
                .and_then(|value| value.parse().ok())
        };
        flag.or(config).or_else(locale).unwrap_or_default()
    }
}

/// The language of a locale: `zh` of `zh_CN.UTF-8`.
fn language_of(locale: &str) -> String {
    let end = locale.find(['_', '-', '.', '@']).unwrap_or(locale.len());
    locale[..end].to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_wins() {
        use Language::{Chinese, English};
        let locale = |all: &'static str, messages: &'static str, lang: &'static str| {
            move |name: &str| {
                let value = match name {
                    "LC_ALL" => all,
                    "LC_MESSAGES" => messages,
                    _ => lang,
                };
                Some(value.to_owned())
            }
        };
        for (flag, config, all, messages, lang, chosen) in [
            (None, None, "", "", "", English),
            (None, None, "", "", "zh_CN.UTF-8", Chinese),
            (None, None, "", "en_GB", "zh_CN.UTF-8", English),
            (None, None, "zh-Hant", "en_GB", "en", Chinese),
            (None, None, "C", "zh_CN", "zh_CN", English),
            (None, Some(Chinese), "C", "", "", Chinese),
            (Some(English), Some(Chinese), "zh", "", "", English),
        ] {
            assert_eq!(
                Language::choose(flag, config, locale(all, messages, lang)),
                chosen
            );
        }
        assert_eq!(Language::choose(None, None, |_| None), English);
        assert_eq!("fr".parse::<Language>(), Err(UnknownLanguage));
    }
}
