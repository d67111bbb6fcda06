//! The table of settings: every key of config.json, once.
//!
//! An entry gives the key's meaning in English and in Chinese, its unit, type, default and rule. The field,
//! the reading, the checks, the default config.json and the tables in `docs/configuration.md` and
//! `docs/configuration.zh-CN.md` are made from it. To add a key, add its entry, use the field, and write the
//! documents anew (`ECHAT_UPDATE=1 cargo test -p echat-proto --test configuration`).

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::fault::{Fault, Reason};
use super::listen::{Listen, MetricsAddress};
use super::networks::Networks;
use super::section::{
    Allowed, Announcement, FILE_OR_NONE, FOLDER_OR_NONE, Folder, Kind, RoomOrNone, Section, one_of,
    or_null, section, whole,
};

/// Bytes of a frame that are not the content of its message: the other parameters of `SEND_MESSAGE` and the
/// framing around them, generously.
pub const MESSAGE_OVERHEAD: usize = 1024;

section! {
    /// The whole file.
    ConfigFile {
        /// The server.
        #[zh = "服务器。"]
        server: ServerConfig = ServerConfig::default();
        /// The client.
        #[zh = "客户端。"]
        client: ClientConfig = ClientConfig::default();
    }
}

section! {
    /// What an administrator chooses: the section `server`.
    ServerConfig {
        /// Where the server listens. `[::]:1024` is every address; port 0 lets the system choose.
        #[zh = "监听的地址。`[::]:1024` 表示所有地址；端口 0 由系统选择。"]
        #[unit = "an IP address and port, or a list of up to 16", "IP 地址和端口，或最多 16 个的列表"]
        listen: Listen = Listen::default();
        /// The proxies that say by a PROXY header (version 1 or 2) for which client they connect: addresses and
        /// networks. Every connection from one of them must begin with a header; from others a header is refused.
        #[zh = "用 PROXY 头（版本 1 或 2）说明真实客户端地址的代理：地址和网段。来自它们的每个连接都必须以 PROXY 头开始；其他来源的 PROXY 头一律拒绝。"]
        #[unit = "a list of up to 64, such as `[\"10.0.0.0/8\"]`", "最多 64 个的列表，例如 `[\"10.0.0.0/8\"]`"]
        proxy_protocol: Networks = Networks::default();
        /// The folder for everything that a server keeps. A relative path begins at the current folder, not
        /// at the folder of config.json.
        #[zh = "服务器所有数据所在的目录。相对路径从当前目录算起，而不是从 config.json 所在的目录算起。"]
        #[unit = "a folder", "目录"]
        data: PathBuf = PathBuf::from("data") => Folder;
        /// What is logged: `off`, `error`, `warn`, `info`, `debug`, `trace`, or `module=level,...`.
        #[zh = "日志级别：`off`、`error`、`warn`、`info`、`debug`、`trace`，或 `模块=级别,...`。"]
        #[unit = "a filter", "级别或过滤规则"]
        log: String = "info".to_owned();
        /// The file that the log is appended to, in place of standard error; a relative path begins at the current
        /// folder. It is a regular file, and none of those of the data folder. SIGUSR1 opens it again, after it was
        /// renamed; if that fails, the log goes on in the old one.
        #[zh = "日志追加到哪个文件，不写则输出到标准错误；相对路径从当前目录算起。必须是普通文件，不能是数据目录里服务器自己的文件。改名之后，SIGUSR1 会重新打开它；打不开时，日志继续写入旧文件。"]
        #[unit = "a file", "文件"]
        log_file: Option<String> = None => FILE_OR_NONE;
        /// The form of a line of the log: text for people, or JSON for programs.
        #[zh = "日志每行的格式：给人看的文本，或给程序用的 JSON。"]
        log_format: LogFormat = LogFormat::Text;
        /// Where metrics for Prometheus are shown, at `/metrics`, and `/healthz`. A port alone is one that only this
        /// machine reaches. Without it they are not shown.
        #[zh = "提供 Prometheus 指标（`/metrics`）和健康检查（`/healthz`）的监听地址。只写端口时仅本机可以访问；不写则不提供。"]
        #[unit = "a port, or an IP address and port", "端口，或 IP 地址和端口"]
        metrics: Option<MetricsAddress> = None;
        /// Sessions that one user may have at the same time. A further login ends the oldest ones beyond that.
        #[zh = "一个用户同时登录的会话数上限；再次登录时，超出上限的最早会话会被结束。"]
        #[unit = "sessions", "个"]
        sessions_per_user: NonZeroUsize = NonZeroUsize::MIN => whole(1..=64);
        /// Which new accounts may register: any, those with an invitation, or none. The code of the first
        /// administrator is good with each of these.
        #[zh = "谁可以注册新账号：任何人、持邀请码的人，或不开放。首位管理员注册码始终有效。"]
        registration: Registration = Registration::Open;
        /// Which users make invitations to register: administrators, or all users.
        #[zh = "谁可以生成邀请码：服务器管理员，或所有用户。"]
        invitations: Inviters = Inviters::Administrator;
        /// The public room that every new account is in, while it has a place; empty: none. It is created when
        /// the server starts, unless a room has this name or a confusable one. The administrators have an
        /// owner's rights in it.
        #[zh = "新账号自动加入的公共聊天室（未满员时）；留空表示不设。服务器启动时创建，已有同名或名称易混淆的聊天室则不创建。由服务器管理员管理。"]
        #[unit = "the name of a room, or empty", "聊天室名，或留空"]
        lobby: String = "lobby".to_owned() => RoomOrNone;
        /// A text that each user is shown after logging in.
        #[zh = "用户登录后看到的公告。"]
        #[unit = "1 to 4,000 bytes", "1 到 4,000 字节"]
        message_of_the_day: Option<String> = None => Announcement;
        /// How long messages are kept, as told to clients; `null`: for ever; 0: messages are told to those online and
        /// not stored. A room may keep its messages for a shorter time. Older messages are removed for good. If the
        /// clock of the machine is ahead, newer ones are removed too.
        #[zh = "消息保留多久（会告知客户端）；`null`：一直保留；0：只发给在线的人，不保存。聊天室可以设得更短。过期的消息会被彻底删除。如果系统时钟超前，较新的消息也会被删除。"]
        #[unit = "days", "天"]
        keep_days: Option<u64> = None => or_null(whole(0..=36_500));
        /// How long its sender may edit a message; 0: without a limit.
        #[zh = "消息发出后多久内可以修改；0：不限。"]
        #[unit = "seconds", "秒"]
        edit_seconds: u64 = 0 => whole(0..=3_153_600_000);
        /// How long an entry of the audit is kept.
        #[zh = "审计记录保留多久。"]
        #[unit = "days", "天"]
        audit_days: u64 = 400 => whole(1..=36_500);
        /// The backups that the server makes by itself.
        #[zh = "服务器自动做的备份。"]
        backup: BackupConfig = BackupConfig::default();
        /// The bounds on what clients may do.
        #[zh = "对客户端的各种限制。"]
        limits: Limits = Limits::default();
    }
}

section! {
    /// The backups that a server makes by itself: the section `server.backup`.
    BackupConfig {
        /// The folder for automatic backups, which is created if it is missing; a relative path begins at the current
        /// folder. Without it none are made. No other server may use the same folder.
        #[zh = "自动备份所在的目录，没有就新建；相对路径从当前目录算起。不写则不自动备份。不能与其他服务器共用一个目录。"]
        #[unit = "a folder", "目录"]
        folder: Option<String> = None => FOLDER_OR_NONE;
        /// The time from one automatic backup to the next.
        #[zh = "两次自动备份之间的时间。"]
        #[unit = "hours", "小时"]
        every_hours: u64 = 6 => whole(1..=8_760);
        /// Automatic backups that are kept. When one more is made, the oldest is removed.
        #[zh = "保留多少份自动备份，超出时删除最早的。"]
        #[unit = "backups", "份"]
        keep: usize = 14 => whole(1..=10_000);
    }
}

section! {
    /// Every bound that an administrator may move: the section `server.limits`. Read from config.json, a
    /// value is in its range; built by hand, it is the caller's promise.
    Limits {
        /// The largest ciphertext of a frame from a client that is logged in. For each login, that of its time holds.
        #[zh = "已登录客户端一帧密文的最大长度。每次登录以当时的值为准。"]
        #[unit = "bytes", "字节"]
        frame_bytes: usize = 65_536 => whole(4_096..=1_048_576);
        /// The longest content of one message, in UTF-8. It must be at least 1,024 less than `frame_bytes`.
        #[zh = "一条消息内容的最大长度（UTF-8）。至少比 `frame_bytes` 小 1,024。"]
        #[unit = "bytes", "字节"]
        content_bytes: usize = 4_000 => whole(1..=65_536);
        /// Friends of one user.
        #[zh = "一个用户的好友数。"]
        #[unit = "friends", "个"]
        friends: usize = 500 => whole(1..=1_000);
        /// Rooms that one user is in, and rooms that one user owns.
        #[zh = "一个用户加入的聊天室数，以及拥有的聊天室数。"]
        #[unit = "rooms", "个"]
        rooms: usize = 200 => whole(1..=1_000);
        /// Friend requests that may be open for one user. When there are as many, a new one replaces the
        /// oldest if that is over a day old.
        #[zh = "一个用户待处理的好友请求数。满额时，最早的请求如果已超过一天，会被新请求顶掉。"]
        #[unit = "requests", "个"]
        pending_requests: usize = 200 => whole(1..=1_000);
        /// Members of one room.
        #[zh = "一个聊天室的成员数。"]
        #[unit = "members", "人"]
        room_members: usize = 10_000 => whole(2..=1_000_000);
        /// The largest room whose members are told when one of them comes or goes; 0: no room.
        #[zh = "不超过这个人数的聊天室才通知成员上下线；0：都不通知。"]
        #[unit = "members", "人"]
        presence_room_members: usize = 200 => whole(0..=1_000_000);
        /// While more than this is queued for a connection, its requests are not handled.
        #[zh = "待发给一个连接的数据超过它时，暂不处理它的请求。"]
        #[unit = "bytes", "字节"]
        send_queue_soft: usize = 262_144 => whole(4_096..=1_073_741_824);
        /// A connection with more than this in its queue is closed. It must be at least `send_queue_soft`;
        /// below 512 KiB the longest answers may close an honest connection.
        #[zh = "待发数据超过它的连接会被关闭。不能小于 `send_queue_soft`；低于 512 KiB 时，最长的回复可能会断开正常的连接。"]
        #[unit = "bytes", "字节"]
        send_queue_hard: usize = 1_048_576 => whole(4_096..=1_073_741_824);
        /// Connections at the same time; fewer if the limit on open files is low. A new connection replaces
        /// one that is not logged in.
        #[zh = "同时连接数的上限；可打开的文件数太少时会更低。满了就先关闭未登录的连接。"]
        #[unit = "connections", "个"]
        connections: usize = 10_000 => whole(1..=1_000_000);
        /// Connections at the same time from one IPv4 address or one IPv6 /64 network, loopback exempt. A new
        /// connection replaces one that is not logged in; 0: no limit.
        #[zh = "一个 IPv4 地址或一个 IPv6 /64 网段的同时连接数，本机回环除外。满了就先关闭未登录的连接；0：不限。"]
        #[unit = "connections", "个"]
        connections_per_address: usize = 64 => whole(0..=1_000_000);
        /// Connections at the same time that are not logged in, loopback included. A new one replaces the
        /// oldest; those that are logging in are replaced last.
        #[zh = "同时存在的未登录连接数，包括本机回环。满了就关闭最早的；正在登录的连接最后才关。"]
        #[unit = "connections", "个"]
        unauthenticated: usize = 400 => whole(1..=1_000_000);
        /// After this much silence, put off by a twelfth at most, a connection is sent a PING; 0: never.
        #[zh = "连接静默这么久后发 PING，最多推迟十二分之一；0：不发。"]
        #[unit = "seconds", "秒"]
        ping_seconds: u64 = 90 => whole(0..=86_400);
        /// After this much silence, put off by as much, a connection is closed; 0: never. It must be more than
        /// `ping_seconds`.
        #[zh = "连接静默这么久后关闭，推迟的时间同上；0：不关。必须大于 `ping_seconds`。"]
        #[unit = "seconds", "秒"]
        dead_seconds: u64 = 150 => whole(0..=86_400);
        /// Messages that a user may send at once before `message_rate` applies.
        #[zh = "一个用户可以连续发送的消息数，之后受 `message_rate` 限制。"]
        #[unit = "messages", "条"]
        message_burst: u64 = 20 => whole(1..=1_000_000);
        /// Messages a second that a user may send on average; 0: no limit. Joining a room costs 2 of a separate
        /// allowance of 2 x `rooms`, which refills at this rate; leaving is free.
        #[zh = "一个用户平均每秒可发的消息数；0：不限。加入聊天室另有额度：每次消耗 2 个，退出不消耗；额度上限为 `rooms` 的两倍，按此速度恢复。"]
        #[unit = "messages a second", "条/秒"]
        message_rate: u64 = 5 => whole(0..=1_000_000);
        /// Content of messages that one user may send in 24 hours, counted by the hour; 0: no limit.
        #[zh = "一个用户 24 小时内所发消息内容的总量，按小时计；0：不限。"]
        #[unit = "bytes", "字节"]
        user_bytes_a_day: u64 = 50_000_000 => whole(0..=1_000_000_000_000);
        /// Rooms that one user may create in 24 hours, counted by the hour; 0: no limit.
        #[zh = "一个用户 24 小时内可以创建的聊天室数，按小时计；0：不限。"]
        #[unit = "rooms", "个"]
        rooms_a_day: u64 = 20 => whole(0..=1_000_000);
        /// While less than this is free on the file system of the data folder, requests that store something
        /// are refused; 0: only when it is full.
        #[zh = "数据目录所在文件系统的剩余空间低于此值时，拒绝需要存储的请求；0：磁盘满了才拒绝。"]
        #[unit = "bytes", "字节"]
        free_bytes: u64 = 67_108_864 => whole(0..=1_000_000_000_000);
        /// Wrong passwords that an account may get in 15 minutes before attempts are delayed: from all new
        /// addresses together, and from each address that logged in to it in the last 30 days by itself. After
        /// that each new address still has one attempt; 0: no limit.
        #[zh = "15 分钟内一个账号输错密码多少次后要等待：所有陌生地址合计，最近 30 天内登录过的地址各自计算。此后每个新地址仍可试一次；0：不限。"]
        #[unit = "attempts", "次"]
        login_failures: u64 = 5 => whole(0..=1_000_000);
        /// How long after a login its secret logs in again without the password; 0: not at all. Clients that are
        /// online for longer need the password after a restart.
        #[zh = "登录后多久之内可凭该次登录得到的一次性凭据免密码重新登录；0：不可以。在线更久的客户端在重启后需要密码。"]
        #[unit = "hours", "小时"]
        resume_hours: u64 = 24 => whole(0..=8_760);
        /// Attempts to register from one address in 10 minutes; 0: no limit.
        #[zh = "一个地址 10 分钟内可尝试注册的次数；0：不限。"]
        #[unit = "attempts", "次"]
        registrations: u64 = 60 => whole(0..=1_000_000);
        /// Friend requests that a user may send in an hour; 0: no limit.
        #[zh = "一个用户一小时内可以发出的好友请求数；0：不限。"]
        #[unit = "requests", "个"]
        friend_requests: u64 = 30 => whole(0..=1_000_000);
    }
}

section! {
    /// What the user of `echat` chooses: the section `client`.
    ClientConfig {
        /// The server to connect to.
        #[zh = "要连接的服务器。"]
        #[unit = "`host:port` or an `echat://` link", "`主机:端口` 或 `echat://` 链接"]
        address: String = "127.0.0.1:1024".to_owned();
        /// The user to log in as. Not in a `./config.json` that was found, not named.
        #[zh = "登录的用户。自动找到的 `./config.json` 里不能写。"]
        #[unit = "a name", "名字"]
        user: Option<String> = None;
        /// The file that holds the password, in one line. Only its owner can read it (chmod 600). Not together with
        /// `password_command`, and not in a `./config.json` that was found, not named.
        #[zh = "存放密码的文件，密码占一行；文件只能由所有者读取（chmod 600）。不能与 `password_command` 同时使用；自动找到的 `./config.json` 里不能写。"]
        #[unit = "a file", "文件"]
        password_file: Option<String> = None => FILE_OR_NONE;
        /// The shell command that prints the password, in one line. Not together with `password_file`, and not
        /// in a `./config.json` that was found, not named.
        #[zh = "输出密码（一行）的 shell 命令。不能与 `password_file` 同时使用；自动找到的 `./config.json` 里不能写。"]
        #[unit = "a command", "命令"]
        password_command: Option<String> = None;
        /// The language of the program; `auto` follows the locale.
        #[zh = "界面语言；`auto` 跟随系统区域设置。"]
        language: LanguageSetting = LanguageSetting::Auto;
        /// Shorter lines: `HH:MM name: text`.
        #[zh = "更短的行：`HH:MM 名字: 内容`。"]
        compact: bool = false;
        /// Notices that others come or go: one line each, one line for all of a while, or none.
        #[zh = "上下线提示：逐条显示、合并显示，或不显示。"]
        presence: Presence = Presence::Collapse;
        /// Ring the bell for a mention or a private message, at most once in 3 seconds a conversation.
        #[zh = "被提到或收到私聊时响铃，每个会话 3 秒内最多一次。"]
        bell: bool = true;
        /// Ask the terminal for a notification of a mention or a private message. `auto` is what the terminal is
        /// known to show, and the bell elsewhere and inside tmux and screen.
        #[zh = "被提到或收到私聊时请终端发出通知。`auto`：已知终端支持哪种就用哪种；其他终端以及 tmux、screen 里用响铃。"]
        notify: Notify = Notify::Off;
        /// Name the open chat in the title of the window.
        #[zh = "在窗口标题里显示当前聊天。"]
        title: bool = false;
        /// Keep unsent lines over a restart, in a file that only the user can read.
        #[zh = "重启后保留未发送的消息，存放在只有本人可读的文件里。"]
        keep_unsent: bool = true;
        /// Times in UTC instead of local time.
        #[zh = "使用 UTC 时间，而不是本地时间。"]
        utc: bool = false;
    }
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

impl Kind for LogFormat {
    fn allowed() -> Allowed {
        one_of::<Self>()
    }
}

/// Which new accounts may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Any.
    #[default]
    Open,
    /// Those with an invitation.
    Invitation,
    /// None.
    Closed,
}

impl Kind for Registration {
    fn allowed() -> Allowed {
        one_of::<Self>()
    }
}

/// Which users make invitations to register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inviters {
    /// Administrators.
    #[default]
    Administrator,
    /// All users.
    Users,
}

impl Kind for Inviters {
    fn allowed() -> Allowed {
        one_of::<Self>()
    }
}

/// The language that a user chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LanguageSetting {
    /// That of the locale.
    #[default]
    Auto,
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Kind for LanguageSetting {
    fn allowed() -> Allowed {
        one_of::<Self>()
    }
}

/// How the desktop is told of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Not at all.
    #[default]
    Off,
    /// As the terminal at hand understands it.
    Auto,
    /// By the bell, which many terminals turn into a mark or a notification.
    Bell,
    /// By OSC 9, which iTerm2 defined.
    Osc9,
    /// By OSC 777, which rxvt-unicode defined.
    Osc777,
}

impl Kind for Notify {
    fn allowed() -> Allowed {
        one_of::<Self>()
    }
}

/// What is shown when other users come or go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// One line each.
    Show,
    /// One line for all of a while.
    #[default]
    Collapse,
    /// Nothing.
    Hide,
}

impl Kind for Presence {
    fn allowed() -> Allowed {
        one_of::<Self>()
    }
}

impl Limits {
    /// Every limit by name, in the order of the table.
    pub fn entries(&self) -> Vec<(String, u64)> {
        let Ok(serde_json::Value::Object(limits)) = serde_json::to_value(self) else {
            return Vec::new();
        };
        let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
        let limit = |key: &&'static str| Some(((*key).to_owned(), number(limits.get(*key)?)));
        Self::KEYS.iter().filter_map(limit).collect()
    }

    /// The same limits but for one.
    ///
    /// # Errors
    /// An unknown name, a value out of its range, or one that contradicts another limit. The path of the fault is that
    /// in config.json.
    pub fn with(&self, name: &str, value: u64) -> Result<Self, Fault> {
        let mut limits = serde_json::json!(self);
        limits[name] = value.into();
        let text = serde_json::json!({"server": {"limits": limits}}).to_string();
        let document = Document::parse(text.as_bytes()).expect("it is JSON");
        document.server().map(|server| server.limits)
    }

    /// Refuses values that are each in range and contradict each other.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let refuse = |key, allowed: String, found: String| {
            let path = format!("server.limits.{key}");
            let reason = Reason::Value { allowed, found };
            Err(Fault { path, reason })
        };
        let most = self.frame_bytes - MESSAGE_OVERHEAD;
        if self.content_bytes > most {
            let allowed = format!("at most {most}, {MESSAGE_OVERHEAD} under frame_bytes");
            return refuse("content_bytes", allowed, self.content_bytes.to_string());
        }
        if self.send_queue_soft > self.send_queue_hard {
            let allowed = format!("at most send_queue_hard ({})", self.send_queue_hard);
            return refuse("send_queue_soft", allowed, self.send_queue_soft.to_string());
        }
        let both = self.ping_seconds > 0 && self.dead_seconds > 0;
        if both && self.dead_seconds <= self.ping_seconds {
            let allowed = format!("more than ping_seconds ({}) or 0", self.ping_seconds);
            return refuse("dead_seconds", allowed, self.dead_seconds.to_string());
        }
        Ok(())
    }
}

// The subtraction in `check` cannot go below zero.
const _: () = assert!(MESSAGE_OVERHEAD < 4_096);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::rows;
    use super::*;

    fn read(limits: &Value) -> Result<Limits, String> {
        let text = json!({"server": {"limits": limits}}).to_string();
        let document = Document::parse(text.as_bytes()).unwrap();
        match document.server() {
            Ok(server) => Ok(server.limits),
            Err(fault) => Err(fault.to_string().replace("server.limits.", "")),
        }
    }

    /// (name, lowest, highest) of each limit.
    fn ranges() -> Vec<(String, u64, u64)> {
        let range = |row: super::super::Row| match row.allowed {
            Allowed::Range(range) => {
                let name = row.path.strip_prefix("server.limits.")?;
                Some((name.to_owned(), *range.start(), *range.end()))
            }
            _ => None,
        };
        rows().into_iter().filter_map(range).collect()
    }

    #[test]
    fn the_ends_of_every_range_hold_and_their_neighbours_are_refused() {
        for (name, low, high) in ranges() {
            let refusal = |value| format!("{name}: must be {low} to {high}, not {value}");
            assert_eq!(
                read(&json!({ &name: high + 1 })),
                Err(refusal((high + 1).to_string()))
            );
            let under = i64::try_from(low).unwrap() - 1;
            assert_eq!(
                read(&json!({ &name: under })),
                Err(refusal(under.to_string()))
            );
            for end in [low, high] {
                // An end may still contradict another limit's default, but not its range.
                if let Err(text) = read(&json!({ &name: end })) {
                    assert!(!text.contains("..="), "{text}");
                }
            }
        }
    }

    #[test]
    fn every_default_is_in_its_range() {
        let defaults = serde_json::to_value(Limits::default()).unwrap();
        assert_eq!(defaults.as_object().unwrap().len(), ranges().len());
        assert_eq!(read(&defaults), Ok(Limits::default()));
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        for (given, text) in [
            (
                json!({"frame_bytes": 4096}),
                "content_bytes: must be at most 3072, 1024 under frame_bytes, not 4000",
            ),
            (
                json!({"send_queue_soft": 1_048_577}),
                "send_queue_soft: must be at most send_queue_hard (1048576), not 1048577",
            ),
            (
                json!({"dead_seconds": 90}),
                "dead_seconds: must be more than ping_seconds (90) or 0, not 90",
            ),
        ] {
            assert_eq!(read(&given), Err(text.to_owned()));
        }
        for given in [
            json!({"frame_bytes": 4096, "content_bytes": 3072}),
            json!({"send_queue_soft": 1_048_576}),
            json!({"dead_seconds": 91}),
            json!({"dead_seconds": 0}),
            json!({"dead_seconds": 90, "ping_seconds": 0}),
        ] {
            assert!(read(&given).is_ok(), "{given}");
        }
    }
}
