//! Both languages say everything, with every argument.

use super::*;

/// An argument that is easily found in a sentence.
pub(super) trait Sample {
    fn sample(name: &'static str) -> Self;
    fn shown(name: &'static str) -> String;
}

impl Sample for &str {
    fn sample(name: &'static str) -> Self {
        name
    }

    fn shown(name: &'static str) -> String {
        name.to_owned()
    }
}

impl Sample for u64 {
    fn sample(name: &'static str) -> Self {
        7_000_000 + name.len() as u64
    }

    fn shown(name: &'static str) -> String {
        Self::sample(name).to_string()
    }
}

pub(super) fn shown<T: Sample>(name: &'static str) -> String {
    T::shown(name)
}

/// Sentences that are the same in every language have a letter of neither.
fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{3000}'..='\u{ffef}').contains(&c))
}

#[test]
fn every_sentence_exists_in_both_languages_with_all_its_arguments() {
    for (text, arguments) in Text::samples() {
        let english = Language::English.say(text);
        let chinese = Language::Chinese.say(text);
        assert!(!is_chinese(&english), "{english}");
        assert!(is_chinese(&chinese), "{chinese}");
        for argument in arguments {
            assert!(english.contains(&argument), "{english} lacks {argument}");
            assert!(chinese.contains(&argument), "{chinese} lacks {argument}");
        }
        assert!(!english.contains('\n') && !chinese.contains('\n'));
    }
}

#[test]
fn refusals_are_translated_by_their_code() {
    let fail = |code: &str, detail: &[(&str, Value)]| Fail {
        code: code.to_owned(),
        message: "From the server.".to_owned(),
        detail: detail
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    };
    for code in Code::ALL {
        let plain = fail(code.as_str(), &[]);
        assert!(!is_chinese(&Language::English.refusal(&plain)));
        assert!(is_chinese(&Language::Chinese.refusal(&plain)));
    }
    let slow = fail("rate_limited", &[("retry_after", Value::Int(9))]);
    assert_eq!(
        Language::English.refusal(&slow),
        "Too fast. Try again in 9 s."
    );
    assert_eq!(
        Language::Chinese.refusal(&slow),
        "操作太快。请在 9 秒后再试。"
    );
    let quota = fail("rate_limited", &[("retry_after", Value::Int(89_957))]);
    assert_eq!(
        Language::English.refusal(&quota),
        "The daily limit is reached. Try again in about 25 h."
    );
    assert_eq!(
        Language::Chinese.refusal(&quota),
        "今天的额度已用完。约 25 小时后可以再试。"
    );
    let names = Value::List(vec![Value::from("ann"), Value::from("bob")]);
    let strangers = fail("not_friends", &[("names", names), ("x", Value::Null)]);
    assert_eq!(
        Language::English.refusal(&strangers),
        "Some of these users are not your friends. (ann, bob)"
    );
    let new = fail("from_the_future", &[("limit", Value::Int(3))]);
    assert_eq!(
        Language::English.refusal(&new),
        "From the server. (from_the_future) The limit is 3."
    );
}

#[test]
fn the_original_words_are_kept() {
    let zh = Language::Chinese;
    for (text, words) in [
        (Text::UserName, "用户名"),
        (Text::Password, "密码"),
        (Text::PasswordAgain, "确认密码"),
        (Text::LoggedIn { name: "a" }, "登录成功"),
        (Text::Registered { name: "a" }, "注册成功"),
        (Text::RequestSent { name: "a" }, "好友请求已发送"),
        (Text::PendingRequests, "待处理好友请求"),
        (
            Text::NewMessages {
                from: "a",
                count: 1,
            },
            "发来一条新消息",
        ),
        (Text::NewRoom { room: "a" }, "加入聊天室"),
        (Text::CameOnline { names: "a" }, "上线了"),
        (Text::HistoryRule, "------ 以上是历史消息 ------"),
    ] {
        assert!(zh.say(text).contains(words), "{words}");
    }
    // Where the server speaks the original's words, the client's are the same, but for some that are
    // hard to understand.
    let reworded = [
        Code::IsSelf,
        Code::AlreadyAsked,
        Code::AlreadyFriends,
        Code::NotAFriend,
    ];
    let is_kept = |code: &&Code| is_chinese(code.message()) && !reworded.contains(code);
    for code in Code::ALL.iter().filter(is_kept) {
        assert!(zh.code(*code).starts_with(code.message()));
    }
}

#[test]
fn impossible_names_and_passwords_have_their_sentences() {
    assert_eq!(
        Language::Chinese.bad_name(&NameError::Empty),
        "名字不能为空。"
    );
    // The protocol has the same English for echat-nc and logs.
    let says = |error: &dyn std::fmt::Display| {
        let error = error.to_string();
        format!("{}{}.", error[..1].to_uppercase(), &error[1..])
    };
    for error in [
        NameError::Empty,
        NameError::TooLong,
        NameError::MixedDirections,
        NameError::MixedScripts,
        NameError::Reserved,
        NameError::Unstable,
    ] {
        assert_eq!(Language::English.bad_name(&error), says(&error));
    }
    for error in [
        PasswordError::Empty,
        PasswordError::TooShort,
        PasswordError::TooLong,
        PasswordError::BadCharacter,
    ] {
        assert_eq!(Language::English.bad_password(&error), says(&error));
    }
    let short = PasswordError::TooShort;
    assert!(Language::Chinese.bad_password(&short).contains('8'));
    assert!(Language::English.bad_password(&short).contains('8'));
}

/// A test of the server compares the page with its commands.
#[test]
fn every_command_of_the_administration_is_said_as_in_its_chinese_page() {
    let page = include_str!("../../../docs/administration.zh-CN.md");
    let (_, rows) = page.split_once("<!-- commands -->").unwrap();
    let (rows, _) = rows.split_once("<!-- /commands -->").unwrap();
    let mut known = ADMINISTRATION.iter();
    for row in rows.lines().filter(|row| row.starts_with("| `")) {
        let command = known.next().expect("a command");
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        let usage = cells[0].trim_start_matches("| `").trim_end_matches('`');
        let about = cells[2].trim_end_matches(" |");
        assert!(
            usage == command.name || usage.starts_with(&format!("{} ", command.name)),
            "{usage}"
        );
        assert_eq!(
            (cells[1] == "是", about),
            (command.is_in_chat, command.about)
        );
        let takes = usage.strip_prefix(command.name).unwrap_or_default();
        let takes = takes.trim().replace('\\', "");
        let has_choice = takes.contains('|');
        assert_eq!(command.takes, if has_choice { &takes } else { "" });
    }
    assert!(known.next().is_none(), "the page has them all");
}
