//! The man pages and completions of the clients, that of echat in Chinese too, and the tables of slash commands in
//! docs/client.md and its Chinese page: `ECHAT_UPDATE=1 cargo test --test manual` writes them.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use echat_client::exit::Exit;
use echat_client::statement::slash_commands;
use echat_client::text::Language;
use echat_client::{chat, load, nc};
use echat_testkit::generated;
use echat_testkit::manual::{Program, Translation};

#[test]
fn the_man_pages_match_the_programs() {
    let typed = slash_commands(Language::English);
    for (command, exit_codes, typed) in [
        (chat::command(), codes(Exit::of_chat()), typed),
        (nc::command(), codes(Exit::ALL), Vec::new()),
        (load::command(), Vec::new(), Vec::new()),
    ] {
        Program {
            command,
            section: 1,
            exit_codes,
            typed,
        }
        .check();
    }
}

fn codes(exits: impl IntoIterator<Item = Exit>) -> Vec<(u8, &'static str)> {
    let exits = exits.into_iter();
    exits.map(|exit| (exit.code(), exit.meaning())).collect()
}

/// What the definition of echat says, in Chinese.
const CHINESE: Translation = Translation {
    folder: "zh_CN",
    texts: &[
        ("NAME", "名称"),
        ("SYNOPSIS", "概述"),
        ("OPTIONS", "选项"),
        ("EXIT STATUS", "退出码"),
        ("Encrypted terminal chat", "加密的终端聊天客户端"),
        (
            "host:port, or 'echat://[user@]host:port[/room][#[SHA256:...][&invitation=CODE]]' (in quotes)",
            "host:port，或者完整的地址（要加引号）： 'echat://[user@]host:port[/room][#[SHA256:...][&invitation=CODE]]'",
        ),
        (
            "Log in as this user; asks for the password unless an option provides it",
            "以这个用户登录；没有用选项提供密码时会询问",
        ),
        (
            "Environment variable that contains the password",
            "从这个环境变量读取密码",
        ),
        (
            "File that contains the password (one line), which only its owner can read (chmod 600)",
            "从这个文件读取密码（只有一行）；文件只能由所有者读取（chmod 600）",
        ),
        (
            "Shell command that prints the password (one line)",
            "运行这条 shell 命令，以它的输出（一行）作为密码",
        ),
        (
            "File that contains the token of a bot (one line), which only its owner can read (chmod 600)",
            "从这个文件读取机器人的令牌（只有一行）；文件只能由所有者读取（chmod 600）",
        ),
        (
            "Invitation code; unless there is a user to log in, echat begins by registering with it",
            "注册用的邀请码；没有指定要登录的用户时，启动后直接用它注册",
        ),
        (
            "Language, en or zh; default: from the configuration, else from the locale",
            "界面语言，en 或 zh；默认取自配置，其次取自 locale",
        ),
        (
            "Configuration file to read, instead of the default ones",
            "读取这个配置文件，不读默认的配置文件",
        ),
        ("Disable colours", "关闭颜色"),
        (
            "Never redraw the screen, for screen readers and old terminals",
            "不重画屏幕，适合读屏软件和旧终端",
        ),
        (
            "Show times in UTC instead of local time",
            "用 UTC 而不是本地时间显示时间",
        ),
        (
            "Show messages as HH:MM name: text",
            "每条消息显示为“HH:MM 名字: 内容”",
        ),
        (
            "Exit after this many seconds; only without a terminal",
            "运行指定的秒数后退出；只在不用终端时有效",
        ),
        ("Print help", "显示帮助（英文）"),
        ("Print version", "显示版本号"),
        ("success", "成功"),
        (
            "refused by the server: a request, the login or the connection",
            "被服务器拒绝：请求、登录或连接",
        ),
        ("invalid arguments, script or input", "参数、脚本或输入无效"),
        (
            "cannot connect, or the handshake failed",
            "无法连接，或握手失败",
        ),
        (
            "server not trusted: unknown or changed key, or invalid signature",
            "服务器不可信：密钥未知或已改变，或签名无效",
        ),
        ("timed out", "超时"),
        (
            "protocol error: malformed or altered data, or the connection was lost",
            "协议错误：数据格式错误或被篡改，或连接断开",
        ),
        (
            "a local file, standard input or standard output failed, or a pipe was closed",
            "本地文件、标准输入或标准输出出错，或管道被关闭",
        ),
    ],
};

#[test]
fn the_chinese_man_page_matches_the_program() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scripts.zh-CN.md");
    let scripts = fs::read_to_string(path).expect("the page is there");
    for (code, meaning) in codes(Exit::of_chat()) {
        let row = format!("\n| {code} | {} |\n", CHINESE.text(meaning));
        assert!(scripts.contains(&row), "{row}");
    }
    Program {
        command: chat::command(),
        section: 1,
        exit_codes: codes(Exit::of_chat()),
        typed: slash_commands(Language::Chinese),
    }
    .check_translation(&CHINESE);
}

#[test]
fn the_pages_of_both_languages_list_the_slash_commands() {
    for (page, language, head) in [
        ("client.md", Language::English, "| command | does |"),
        ("client.zh-CN.md", Language::Chinese, "| 命令 | 作用 |"),
    ] {
        let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).join(page);
        let mut table = format!("{head}\n| --- | --- |\n");
        for (form, does) in slash_commands(language) {
            let form = form.replace('|', "\\|");
            writeln!(table, "| `{form}` | {does} |").expect("memory can be written to");
        }
        let text = fs::read_to_string(&path).expect("the page is there");
        let (begin, end) = ("<!-- slash -->\n", "<!-- /slash -->\n");
        generated::check(&path, &generated::put(&text, begin, end, &table));
    }
}
