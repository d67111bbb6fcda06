//! What goes wrong outside of the application, in the user's language. English stands beside each
//! error, as its `Display`; here is the Chinese.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use echat_proto::config::{self, JsonType, Reason, TextError};
use echat_proto::handshake::HandshakeError;

use super::config::{ConfigError, ConfigMistake};
use super::export::ExportError;
use super::server::ConnectError;
use super::unsent::UnsentError;
use crate::local::ask::GarbledPassword;
use crate::local::lines::TooLong;
use crate::local::password::PasswordError;
use crate::net::address::AddressError;
use crate::net::known_hosts::KnownHostsError;
use crate::net::link::OpenError;
use crate::net::socket::SocketError;
use crate::text::Language;

/// An error that every language has words for.
pub(super) trait LocalizedError: Display {
    fn chinese(&self) -> String;

    fn localized(&self, language: Language) -> String {
        match language {
            Language::English => without_number(self.to_string()),
            Language::Chinese => without_number(self.chinese()),
        }
    }
}

/// A text without the number that Rust puts behind the words of the system: ` (os error 111)`.
fn without_number(mut text: String) -> String {
    const BEGIN: &str = " (os error ";
    if let Some(start) = text.find(BEGIN)
        && let Some(length) = text[start..].find(')')
    {
        text.replace_range(start..=start + length, "");
    }
    text
}

impl LocalizedError for io::Error {
    fn chinese(&self) -> String {
        let kind = match self.kind() {
            ErrorKind::NotFound => "没有这个文件",
            ErrorKind::PermissionDenied => "没有权限",
            ErrorKind::IsADirectory => "这是一个目录",
            ErrorKind::StorageFull => "磁盘已满",
            ErrorKind::ReadOnlyFilesystem => "文件系统只读",
            ErrorKind::InvalidData => "不是 UTF-8 文本",
            ErrorKind::BrokenPipe => "输出已被关闭",
            ErrorKind::ConnectionRefused => "连接被拒绝",
            ErrorKind::ConnectionReset => "连接被重置",
            ErrorKind::HostUnreachable => "主机不可达",
            ErrorKind::NetworkUnreachable => "网络不可达",
            ErrorKind::TimedOut => "连接超时",
            _ => return unusual(self),
        };
        kind.to_owned()
    }
}

/// What the system says itself.
fn unusual(error: &io::Error) -> String {
    let inner = error.get_ref();
    if let Some(TooLong(line)) = inner.and_then(|inner| inner.downcast_ref()) {
        format!("第 {line} 行超过 1 MiB")
    } else if is_garbled_password(error) {
        "输入的密码不符合 locale 的编码（LC_ALL、LC_CTYPE、LANG）；终端和 locale 的编码必须一致"
            .to_owned()
    } else {
        format!("系统错误：{error}")
    }
}

/// Whether a password was typed that is no text. It is a mistake of the input, not of the system.
pub(super) fn is_garbled_password(error: &io::Error) -> bool {
    let inner = error.get_ref();
    let garbled = inner.and_then(|inner| inner.downcast_ref::<GarbledPassword>());
    garbled.is_some()
}

impl LocalizedError for AddressError {
    fn chinese(&self) -> String {
        let text = match self {
            Self::NoHost => "缺少主机：地址的形式是 host:port",
            Self::NoPort => "缺少端口：地址的形式是 host:port",
            Self::BadPort => "端口必须是 1 到 65535 的数字",
            Self::BadHost => "主机只能含有字母、数字、'-'、'_' 和 '.'（其他文字写作 xn--...）",
            Self::Unbracketed => "IPv6 地址必须写在方括号里：[::1]:port",
            Self::BadIpv6 => "方括号里不是 IPv6 地址",
            Self::Scheme => "只支持 echat:// 链接",
            Self::UserWithoutLink => "要指定用户名，请使用链接：echat://user@host:port",
            Self::Password => "地址里不能含有密码，否则别人看得到",
            Self::NoUser => "'@' 前面的用户名为空",
            Self::Extra => "链接的端口后面最多只有 /room、#SHA256:... 和 &invitation=CODE",
            Self::NoHash => {
                "邀请码要写在 '#' 后面：/#SHA256:...&invitation=CODE 或 /#invitation=CODE"
            }
            Self::UnknownPart => "'#' 后面最多只有 SHA256:... 和 invitation=CODE，中间用 & 分隔",
            Self::Repeated => "'#' 后面最多各有一个 SHA256:... 和 invitation=CODE",
            Self::BadInvitation => "邀请码不完整：应为 16 个字母和数字（XXXX-XXXX-XXXX-XXXX）",
            Self::BadEscape => "'%' 后面必须是两位十六进制数字，解码后必须是 UTF-8",
            Self::Fingerprint(_) => "指纹是 SHA256: 加 43 个 base64 字符",
        };
        text.to_owned()
    }
}

impl LocalizedError for ConfigError {
    fn chinese(&self) -> String {
        format!("{}：{}", self.path.display(), self.mistake.chinese())
    }
}

impl LocalizedError for ConfigMistake {
    fn chinese(&self) -> String {
        match self {
            Self::Io(error) => error.chinese(),
            Self::Text(error) => error.chinese(),
            Self::Key(fault) => fault.chinese(),
            Self::Foreign => "不是 echat 的配置文件：既没有“client”也没有“server”".to_owned(),
            Self::ForeignKey(fault) => format!("不是 echat 的配置文件：{}", fault.chinese()),
            Self::NotAFile => "不是普通文件".to_owned(),
            Self::TrustHere(key) => format!(
                "client.{key}：用户、密钥或邀请码只能写在用 --config 或 ECHAT_CONFIG 指定的文件里，或你自己的配置目录里，\
                 因为当前目录里的文件可能由任何人写入"
            ),
            Self::PasswordHere(key) => format!(
                "client.{key}：只能写在用 --config 或 ECHAT_CONFIG 指定的文件里，或你自己的配置目录里，\
                 因为当前目录里的文件可能由任何人写入"
            ),
            Self::TwoPasswords => "client：password_file 和 password_command 只能有一个".to_owned(),
        }
    }
}

impl LocalizedError for TextError {
    fn chinese(&self) -> String {
        match self {
            Self::Empty => "文件是空的；删除它即使用默认值，或写入 {}".to_owned(),
            Self::TooLong { limit } => format!("文件超过 {limit} 字节"),
            Self::NotUtf8 { line } => format!("第 {line} 行不是 UTF-8 文本"),
            Self::Syntax(error) => format!("不是有效的 JSON：{error}"),
            other => other.to_string(),
        }
    }
}

impl LocalizedError for config::Fault {
    fn chinese(&self) -> String {
        let reason = match &self.reason {
            Reason::Unknown {
                nearest: Some(near),
                ..
            } => format!("未知的键；是不是“{near}”？"),
            Reason::Unknown { known, .. } => {
                format!("未知的键；已知的有：{}", known.join("、"))
            }
            Reason::Twice => "同一个键出现了两次".to_owned(),
            Reason::Type { expected, found } => {
                let expected = match expected {
                    JsonType::Object => "对象",
                    JsonType::Text => "字符串",
                    JsonType::Texts => "字符串或字符串列表",
                    JsonType::Flag => " true 或 false",
                    JsonType::Whole => "整数",
                };
                format!("必须是{expected}，而不是{}", json_in_chinese(found))
            }
            Reason::OneOf { known, found } => {
                format!("必须是以下之一：{}，而不是 {found}", known.join("、"))
            }
            Reason::Value { allowed, found } => {
                let allowed = allowed.replace(" to ", " 到 ");
                format!("必须是 {allowed}，而不是 {found}")
            }
            other => other.to_string(),
        };
        format!("{}：{reason}", self.path)
    }
}

/// A value that was found, as a sentence goes on with it.
fn json_in_chinese(found: &str) -> String {
    match found {
        "a list" => "列表".to_owned(),
        "an object" => "对象".to_owned(),
        value => format!(" {value}"),
    }
}

impl LocalizedError for PasswordError {
    fn chinese(&self) -> String {
        match self {
            Self::NotSet(name) => format!("没有设置环境变量 {name:?}"),
            Self::NotUtf8(what) => format!("{what}：密码不是 UTF-8 文本"),
            Self::Utf16(what) => format!("{what}：这是 UTF-16 编码，请另存为 UTF-8"),
            Self::Empty(what) => format!("{what}：是空的，没有密码"),
            Self::Lines(what) => format!("{what}：不止一行；密码只能是一行"),
            Self::TooLong(what) => format!("{what}：密码太长"),
            Self::Shared(what) => {
                format!("{what}：其他用户可以读取或写入；请运行 chmod 600 {what}")
            }
            Self::Failed(status) => format!("密码命令失败：{}", ended(*status)),
            Self::Io(what, error) => format!("{what}：{}", error.chinese()),
        }
    }
}

/// How a command ended.
fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("退出码为 {code}"),
        (None, Some(signal)) => format!("被信号 {signal} 终止"),
        (None, None) => "非正常结束".to_owned(),
    }
}

impl LocalizedError for KnownHostsError {
    fn chinese(&self) -> String {
        match self {
            Self::NoPlace => {
                "找不到存放 known_hosts 的位置：请设置 HOME、XDG_STATE_HOME 或 ECHAT_KNOWN_HOSTS，\
                或者把服务器的密钥写进地址：echat://host:port/#SHA256:..."
                    .to_owned()
            }
            Self::Io { path, source } => format!("{}：{}", path.display(), source.chinese()),
            Self::TooLarge(path) => format!("{} 超过 1 MiB，不是主机列表", path.display()),
            Self::NotAFile(path) => format!("{} 不是普通文件", path.display()),
            Self::Conflict { address, known } => format!("{address} 已有另一个密钥：{known}"),
        }
    }
}

impl LocalizedError for UnsentError {
    fn chinese(&self) -> String {
        match self {
            Self::NoName => "服务器报告的用户名无效，因此没有创建文件；\
                退出时未发送的消息会丢失"
                .to_owned(),
            Self::NotRead { path } => format!("{}：尚未读取，因此没有写入", path.display()),
            Self::Io { path, source } => format!("{}：{}", path.display(), source.chinese()),
        }
    }
}

impl LocalizedError for ExportError {
    fn chinese(&self) -> String {
        match self {
            Self::NoHome => "没有设置 HOME".to_owned(),
            Self::Exists => "文件已存在".to_owned(),
            Self::Folder => "这是一个目录".to_owned(),
            Self::NoFolder(folder) => format!("没有目录 {}", folder.display()),
            Self::Io(error) => error.chinese(),
        }
    }
}

impl LocalizedError for ConnectError {
    fn chinese(&self) -> String {
        match self {
            Self::Hosts(error) => error.chinese(),
            Self::Socket(error) => error.chinese(),
            Self::Open(error) => error.chinese(),
            Self::Unknown { .. } => "未知的服务器".to_owned(),
            Self::Thread(error) => error.chinese(),
        }
    }
}

impl LocalizedError for SocketError {
    fn chinese(&self) -> String {
        match self {
            Self::Resolve(_) => "找不到这个主机的地址".to_owned(),
            Self::Connect(error) => error.chinese(),
            Self::TimedOut => "连接超时".to_owned(),
        }
    }
}

impl LocalizedError for OpenError {
    fn chinese(&self) -> String {
        match self {
            Self::TimedOut => "握手超时，对方可能不是 echat/2 服务器".to_owned(),
            Self::Closed => {
                "握手时连接被关闭：服务器可能已满、版本不同、不是 echat/2 服务器，或者封禁了你的地址".to_owned()
            }
            Self::Handshake(error) => error.chinese(),
            // Which key it shows is text where it is asked about.
            Self::Untrusted(_) => "服务器的密钥不可信".to_owned(),
            Self::Io(error) => error.chinese(),
        }
    }
}

impl LocalizedError for HandshakeError {
    fn chinese(&self) -> String {
        let text = match self {
            Self::NotAHello => "对方不是 echat/2 服务器",
            Self::BadPublic(_) => "服务器的公钥值无效",
            Self::BadSignature => "服务器的签名无效",
            Self::BadFinished | Self::Channel(_) => "握手的最后一步验证失败",
        };
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_are_reported_in_both_languages() {
        let refused = io::Error::from(ErrorKind::ConnectionRefused);
        assert_eq!(refused.localized(Language::Chinese), "连接被拒绝");
        assert_eq!(refused.localized(Language::English), "connection refused");
        let of_system = io::Error::from_raw_os_error(111);
        assert_eq!(of_system.localized(Language::English), "Connection refused");
        let long = io::Error::other(TooLong(3));
        assert_eq!(long.localized(Language::Chinese), "第 3 行超过 1 MiB");
        let garbled = io::Error::other(GarbledPassword);
        assert!(
            garbled
                .localized(Language::Chinese)
                .starts_with("输入的密码")
        );
        assert!(
            garbled
                .localized(Language::English)
                .starts_with("the typed password")
        );
        let strange = io::Error::other("xyzzy");
        assert_eq!(strange.localized(Language::Chinese), "系统错误：xyzzy");
    }

    #[test]
    fn a_handshake_that_the_server_ends_may_be_a_ban() {
        let english = OpenError::Closed.localized(Language::English);
        assert!(english.contains("your address is banned"), "{english}");
        let chinese = OpenError::Closed.localized(Language::Chinese);
        assert!(chinese.contains("封禁了你的地址"), "{chinese}");
    }

    #[test]
    fn the_failure_of_a_command_is_reported_in_the_language_of_the_user() {
        let localized = |raw| {
            let failed = PasswordError::Failed(ExitStatus::from_raw(raw));
            failed.localized(Language::Chinese)
        };
        assert_eq!(localized(3 << 8), "密码命令失败：退出码为 3");
        assert_eq!(localized(9), "密码命令失败：被信号 9 终止");
    }

    #[test]
    fn a_fault_names_its_subject() {
        let path = "/nowhere/config.json".into();
        let mistake = ConfigMistake::Key(config::Fault {
            path: "client.bell".to_owned(),
            reason: Reason::Type {
                expected: JsonType::Flag,
                found: "1".to_owned(),
            },
        });
        let text = ConfigError { path, mistake }.localized(Language::Chinese);
        assert_eq!(
            text,
            "/nowhere/config.json：client.bell：必须是 true 或 false，而不是 1"
        );
        let missing = PasswordError::NotSet("BOT".to_owned());
        assert!(missing.localized(Language::Chinese).contains("BOT"));
        assert!(
            AddressError::Password
                .localized(Language::Chinese)
                .contains("密码")
        );
    }
}
