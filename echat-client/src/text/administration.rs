//! The words of the server's administration in Chinese. Its commands and the keys of their results are the server's
//! (PROTOCOL.md, section 5.15); it says what it did in English. A command or a key that is not here, of a newer server,
//! is shown as the server calls it.

use echat_proto::config::Limits;

/// What is said of a command of the administration.
#[derive(Debug)]
pub struct AdministrationCommand {
    /// Its name, of one word or two.
    pub name: &'static str,
    /// What it does, in Chinese.
    pub about: &'static str,
    /// Its parameters, if one of them is a choice of words, as the server's help has them.
    pub(super) takes: &'static str,
    /// What is said in Chinese when it is done. `{1}` and `{2}` are the words that were typed behind the name. Empty
    /// for a command whose result says it all.
    done: &'static str,
    /// The same where the word `none` was typed behind the name; empty if that makes no difference.
    done_none: &'static str,
    /// Whether administrators have it in the chat. The operator has all.
    pub is_in_chat: bool,
    /// Whether nothing can undo it.
    pub is_irreversible: bool,
}

macro_rules! administration {
    ($($name:literal, $about:literal $(, takes: $takes:literal)? $(, done: $done:literal)? $(, none: $none:literal)? $(($mark:ident))?;)*) => {
        /// The commands, in the order of the server's help.
        pub(super) static ADMINISTRATION: &[AdministrationCommand] = &[$(AdministrationCommand {
            name: $name,
            about: $about,
            takes: concat!($($takes)?),
            done: concat!($($done)?),
            done_none: concat!($($none)?),
            is_in_chat: !administration!(@is_ctl $($mark)?),
            is_irreversible: administration!(@is_irreversible $($mark)?),
        }),*];
    };
    (@is_ctl ctl) => { true };
    (@is_ctl $($mark:ident)?) => { false };
    (@is_irreversible irreversible) => { true };
    (@is_irreversible $($mark:ident)?) => { false };
}

administration! {
    "help", "列出全部命令，或说明其中一条";
    "status", "服务器的基本情况和忙碌程度";
    "users", "按名字列出账号";
    "user", "查看一个账号";
    "sessions", "谁已登录、从哪里登录，连接最久的排在前面";
    "rooms", "按名字列出聊天室";
    "room", "查看一个聊天室";
    "bots", "按名字列出机器人及其主人";
    "quota", "24 小时内各用户发送的字节数，从多到少";
    "make-admin", "任命服务器管理员", done: "“{1}”现在是服务器管理员。";
    "unmake-admin", "撤销服务器管理员", done: "“{1}”不再是服务器管理员。";
    "reset-password", "给用户一个临时密码，只显示一次；其机器人的令牌默认作废", takes: "NAME [void-tokens|keep-tokens]", done: "“{1}”现在使用临时密码，登录后会被要求修改。" (irreversible);
    "suspend", "停用账号：结束其全部会话，并且不能再登录", done: "已停用“{1}”的账号。";
    "unsuspend", "恢复停用的账号", done: "“{1}”的账号已恢复。";
    "delete-user", "删除账号；除非另外说明，消息保留", takes: "NAME [keep-messages|erase-messages]", done: "已删除“{1}”的账号。" (irreversible);
    "rename-user", "给用户改名", done: "“{1}”改名为“{2}”。";
    "kick", "结束用户的全部会话，用户可以重新登录", done: "“{1}”已从所有会话退出。";
    "room-owner", "把聊天室转交给一名成员", done: "聊天室“{1}”的房主现在是“{2}”。";
    "close-room", "关闭聊天室，其中的消息随之删除", done: "已关闭聊天室“{1}”。" (irreversible);
    "delete-message", "按 id 删除一条消息，所有人都不再看到其内容", done: "已删除消息 {1}。";
    "prune", "立即清理过期的消息，不等下一分钟", done: "过期的消息（如果有）正在清理。";
    "registration", "查看或设置谁可以注册", takes: "[open|invitation|closed]", done: "注册方式已更改。";
    "invitation new", "生成邀请码", done: "已生成邀请码。";
    "invitation list", "列出有效的邀请码";
    "invitation revoke", "作废一个邀请码", done: "邀请码已作废。";
    "message-of-the-day", "查看、设置或取消登录后显示的公告", takes: "[TEXT|none]", done: "用户登录后会看到这条公告。",
        none: "用户登录后不再看到公告。";
    "use-configured", "把用命令改过的设置交还给配置文件", takes: "registration|message-of-the-day", done: "{1} 现在以配置文件为准。";
    "broadcast", "向所有已登录的用户发广播", done: "已告知所有在线用户。";
    "ban-address", "拒绝来自某个地址或网段的连接", done: "已封禁地址 {1}。";
    "unban-address", "重新接受来自某个地址或网段的连接", done: "地址 {1} 已不在封禁名单中。";
    "banned-addresses", "列出被拒绝的地址";
    "log-level", "查看记录哪些日志，或临时修改（重启或重新载入配置后失效）", done: "日志级别已更改，重启或重新载入配置后失效。";
    "limits", "查看各项限制，或临时修改一项（重启或重新载入配置后失效）", done: "{1} 已改为 {2}，重启或重新载入配置后失效。";
    "audit", "列出做过的改动，最新的在前";
    "backup", "把备份写入新文件" (ctl);
    "verify", "检查备份是否完整、未被改动、没有损坏" (ctl);
    "check", "检查数据库" (ctl);
    "statistics", "统计存储的内容" (ctl);
    "export all", "以 JSON 行写出账号、聊天室和消息" (ctl);
    "export user", "导出一个用户存过的和能看到的内容" (ctl);
    "export room", "导出一个聊天室" (ctl);
    "metrics", "以 Prometheus 文本显示各项指标" (ctl);
    "reload", "重新读取配置" (ctl);
    "drain", "通知用户，并在若干秒后停止服务器" (ctl);
    "quit", "停止服务器，与 SIGTERM 相同" (ctl);
}

/// The names of the commands that administrators have in the chat.
pub fn administration_names() -> Vec<String> {
    let open = ADMINISTRATION.iter().filter(|command| command.is_in_chat);
    open.map(|command| command.name.to_owned()).collect()
}

/// The levels of the log.
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// The command that these words name, and the words behind it.
pub fn administration_command(
    words: &[String],
) -> Option<(&'static AdministrationCommand, &[String])> {
    let named = |count: usize| {
        let name = words.get(..count)?.join(" ");
        let command = ADMINISTRATION.iter().find(|command| command.name == name)?;
        Some((command, &words[count..]))
    };
    named(2).or_else(|| named(1))
}

impl AdministrationCommand {
    /// The words that may stand at a place behind its name, where these are known: those of a choice, a level, a limit,
    /// a command.
    pub fn choices(&self, place: usize) -> Vec<String> {
        match (self.name, place) {
            ("help", 0) => administration_names(),
            ("log-level", 0) => LEVELS.iter().map(|level| (*level).to_owned()).collect(),
            ("limits", 0) => {
                let limits = Limits::default().entries().into_iter();
                limits.map(|(name, _)| name).collect()
            }
            _ => {
                let choice = self.takes.split(' ').nth(place).unwrap_or_default();
                let words = choice.trim_matches(['[', ']']).split('|');
                // What is written in capitals is any text.
                let words = words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
                words.map(str::to_owned).collect()
            }
        }
    }

    /// What is said in Chinese when it is done with these words behind its name.
    pub fn done(&self, words: &[String]) -> Option<String> {
        let sentence = match words {
            [word] if word == "none" && !self.done_none.is_empty() => self.done_none,
            _ => self.done,
        };
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        let filled = sentence.replace("{1}", word(0)).replace("{2}", word(1));
        Some(filled).filter(|filled| !filled.is_empty())
    }
}

/// Keys of results whose numbers are unix seconds.
const TIMES: &[&str] = &[
    "at",
    "created",
    "expires",
    "last_seen",
    "since",
    "stops",
    "suspended_until",
    "time",
    "until",
];

/// Keys of results, in Chinese.
const KEYS: &[(&str, &str)] = &[
    ("about", "说明"),
    ("address", "地址"),
    ("administrator", "服务器管理员"),
    ("administrators", "服务器管理员"),
    ("at", "时间"),
    ("bot", "机器人"),
    ("bot_of", "主人"),
    ("bots", "机器人"),
    ("bots_without_token", "令牌已作废的机器人"),
    ("by", "执行者"),
    ("bytes", "字节"),
    ("code", "邀请码"),
    ("command", "命令"),
    ("connection", "连接"),
    ("connections", "连接数"),
    ("created", "创建时间"),
    ("deleted_users", "已注销账号"),
    ("disk_is_low", "磁盘空间不足"),
    ("drains", "即将停止"),
    ("expires", "有效期至"),
    ("fingerprint", "密钥指纹"),
    ("friends", "好友"),
    ("friendships", "好友关系"),
    ("id", "编号"),
    ("invitations_revoked", "作废的邀请码数"),
    ("keep_days", "消息保留天数"),
    ("last_administrator", "服务器已没有管理员"),
    ("last_seen", "上次在线"),
    ("listening", "监听地址"),
    ("log_level", "日志级别"),
    ("maker", "生成者"),
    ("member_count", "成员数"),
    ("members", "成员"),
    ("message_of_the_day", "公告"),
    ("must_change_password", "需要修改密码"),
    ("name", "名字"),
    ("newest_message", "最新消息的编号"),
    ("online", "在线"),
    ("operators", "房间管理员"),
    ("owner", "房主"),
    ("password", "密码"),
    ("private", "私密"),
    ("process", "进程号"),
    ("read_only", "只读"),
    ("reason", "原因"),
    ("registration", "注册方式"),
    ("result", "结果"),
    ("rooms", "聊天室"),
    ("server", "服务器"),
    ("sessions", "会话"),
    ("sessions_ended", "结束的会话数"),
    ("since", "开始时间"),
    ("slow_seconds", "发言间隔（秒）"),
    ("still_banned", "仍被封禁的地址"),
    ("still_banned_by", "仍被这些封禁拒绝"),
    ("stops", "停止时间"),
    ("suspended", "已停用"),
    ("suspended_because", "停用原因"),
    ("suspended_until", "停用至"),
    ("time", "时间"),
    ("topic", "话题"),
    ("until", "截止时间"),
    ("users", "用户"),
    ("users_online", "在线用户"),
    ("uses", "可用次数"),
    ("value", "值"),
    ("via", "入口"),
];

/// Whether the numbers under a key of a result are unix seconds.
pub fn is_time(key: &str) -> bool {
    TIMES.contains(&key)
}

/// The heading of a column in Chinese. The owner of a room has another name than that of a bot.
pub fn administration_column(table: &str, key: &str) -> Option<&'static str> {
    match (table, key) {
        ("bots", "owner") => administration_key("bot_of"),
        _ => administration_key(key),
    }
}

/// A key of a result in Chinese.
pub fn administration_key(key: &str) -> Option<&'static str> {
    let found = KEYS.iter().find(|(known, _)| *known == key)?;
    Some(found.1)
}
