//! Chinese, with the original's words where it had some.

use echat_proto::limits::{NAME_BYTES, NAME_CHARS, PASSWORD_MAX, PASSWORD_MIN};
use echat_proto::names::{NameError, PasswordError};
use echat_proto::records::Code;

use super::Text;

/// The sentence in Chinese.
#[expect(
    clippy::too_many_lines,
    clippy::match_same_arms,
    reason = "a table, in which sentences may be alike by chance"
)]
pub(super) fn say(text: Text<'_>) -> String {
    let s = str::to_owned;
    match text {
        Text::Hello => s("欢迎使用 echat。输入 `help` 查看命令，输入 `\\d` 退出。"),
        Text::Bye => s("再见。"),
        Text::HowToLeave => s("输入 `\\d` 或按 Ctrl-D 退出。"),
        Text::PleaseWait => s("正在等待服务器回应，请稍候。"),
        Text::ModeCommand => s("命令"),
        Text::ModeRegister => s("注册"),
        Text::ModeLogin => s("登录"),
        Text::ModeContact => s("联系人"),
        Text::ModeChat => s("聊天"),
        Text::ModeQuery => s("查询"),
        Text::AUser => s("<用户名>"),
        Text::ARoom => s("<聊天室>"),
        Text::AName => s("<名字>"),
        Text::AText => s("<消息>"),
        Text::AWord => s("<关键字>"),
        Text::HelpHelp => s("显示命令列表"),
        Text::HelpBack => s("返回命令模式"),
        Text::HelpLeave => s("退出 echat"),
        Text::HelpQuit => s("退出 echat"),
        Text::HelpRegister => s("注册账号"),
        Text::HelpLogin => s("登录"),
        Text::HelpLogout => s("退出登录"),
        Text::HelpContact => s("进入联系人模式，管理好友和聊天室"),
        Text::HelpChat => s("与好友或在聊天室里聊天；省略名字则回到上次的聊天"),
        Text::HelpQuery => s("查询服务器"),
        Text::HelpAddFriend => s("添加好友"),
        Text::HelpJoinRoom => s("加入聊天室"),
        Text::HelpRooms => s("查看我的聊天室"),
        Text::HelpFriends => s("查看我的好友"),
        Text::HelpPending => s("查看待处理的好友请求"),
        Text::HelpAccept => s("同意好友请求"),
        Text::HelpDecline => s("拒绝好友请求"),
        Text::HelpMessages => s("查看每个会话的最新消息"),
        Text::HelpSendFriend => s("给好友发消息"),
        Text::HelpSendRoom => s("给聊天室发消息"),
        Text::HelpOpenFriend => s("打开与好友的聊天"),
        Text::HelpOpenRoom => s("打开聊天室"),
        Text::HelpUnread => s("查看有未读消息的会话"),
        Text::HelpCreateRoom => s("创建聊天室，并拉这些好友进来"),
        Text::HelpAddMembers => s("拉好友进自己的聊天室"),
        Text::HelpFind => s("查找用户和聊天室"),
        Text::HelpLeaveRoom => s("退出聊天室"),
        Text::HelpServerTime => s("查看服务器时间"),
        Text::HelpWho => s("查看在线好友"),
        Text::HelpListRooms => s("查看我的聊天室及其成员数和房主"),
        Text::HelpMembers => s("查看聊天室成员"),
        Text::HelpHistory => s("查看更早的消息"),
        Text::HelpMembersHere => s("查看本聊天室的成员"),
        Text::HelpLeaveSlash => s("永久退出聊天室；在该聊天室中可省略名字"),
        Text::HelpSayQuit => s("把 quit 作为消息发送"),
        Text::HelpSlash => s("发送以 / 开头的消息"),
        Text::UserName => s("用户名"),
        Text::Password => s("密码"),
        Text::PasswordAgain => s("确认密码"),
        Text::TooManyTries => s("三次输入的密码都不一致，注册已取消。"),
        Text::NoNameTyped => s("没有输入名字。输入 `\\c` 或按 Ctrl-C 返回。"),
        Text::PasswordOfSpaces => s("新密码不能只有空格，请换一个。"),
        Text::NoPasswordTyped => s("没有输入密码。按 Ctrl-C 返回。"),
        Text::LoggedOut => s("已退出登录。"),
        Text::NoPassword => s("提供了用户名，但没有提供密码。"),
        Text::NoUser => s("提供了密码，但没有提供用户名。"),
        Text::Friends => s("好友："),
        Text::NoFriends => s("还没有好友。输入 `+f <用户名>` 添加好友。"),
        Text::Rooms => s("聊天室："),
        Text::NoRooms => s("还没有聊天室。输入 `+r <聊天室>` 加入，输入 `<聊天室>=<a>+<b>` 创建。"),
        Text::PendingRequests => s("待处理好友请求："),
        Text::NoPending => s("没有待处理的好友请求。"),
        Text::Messages => s("消息："),
        Text::NoMessages => s("没有消息。"),
        Text::UnreadHeading => s("未读："),
        Text::NothingUnread => s("没有未读消息。"),
        Text::ChatWithWhom => s("要打开哪个聊天？请输入 `chat <名字>`。"),
        Text::Me => s("我"),
        Text::Says => s("："),
        Text::AsksFor => s("："),
        Text::Comma => s("、"),
        Text::HistoryRule => s("------ 以上是历史消息 ------"),
        Text::OlderRule => s("------ 更早的消息 ------"),
        Text::NoOlder => s("没有更早的消息。"),
        Text::LoadingOlder => s("正在加载更早的消息……"),
        Text::Pending => s("（待发送）"),
        Text::NotSentMark => s("（未发送）"),
        Text::UnansweredMark => s("（可能已送达）"),
        Text::SendAsText => s("作为消息发送？(Y/N)"),
        Text::NotSent => s("未发送。"),
        Text::NotAnAnswer => s("无法识别的回答，请先回答问题。"),
        Text::OutgoingLocked => {
            s("另一个客户端正在使用保存待发送消息的文件。如果在发送前退出，这里输入的消息会丢失。")
        }
        Text::Online => s("在线："),
        Text::NoFriendsOnline => s("没有好友在线。"),
        Text::Owner => s("房主"),
        Text::IsOnline => s("在线"),
        Text::IsOffline => s("离线"),
        Text::FoundUsers { word } => format!("名字含有“{word}”的用户："),
        Text::FoundRooms { word } => format!("名字含有“{word}”的聊天室："),
        Text::FoundNothing { word } => format!("没有找到名字含有“{word}”的用户或聊天室。"),
        Text::FoundMore => s("还有更多结果，换更长的关键字可以缩小范围。"),
        Text::Offline => s("离线"),
        Text::OfflineUntil { seconds } => format!("离线，{seconds} 秒后重试"),
        Text::AskedOffline => s("当前离线，请求将在连接恢复后发送。"),
        Text::ServerSilent => s("服务器无响应，连接已断开。"),
        Text::ConnectionLost => s("连接已断开。"),
        Text::TryingAgain => {
            s("正在重新连接，按回车键立即重试。期间输入的消息会保留，连接恢复后发送。")
        }
        Text::TryingToConnect => s("正在重新连接，按回车键立即重试。"),
        Text::TryingInPipe => s("正在重新连接。"),
        Text::Kicked => s(
            "你的账号已在别处登录，或者服务器结束了你的会话。输入 `\\c`，再输入 `login` 重新登录。",
        ),
        Text::ServerSaidBye => s("服务器断开了连接。"),
        Text::ServerIdle => s("长时间未登录，服务器断开了连接。"),
        Text::ServerMalformed => s("服务器无法解析客户端发来的数据，已断开连接。"),
        Text::ServerTooManyErrors => s("未知的请求太多，服务器断开了连接。"),
        Text::ServerFull => s("服务器已满。"),
        Text::ServerRestarting => s("服务器正在重启。"),
        Text::ServerTooSlow => s("接收消息太慢，服务器断开了连接。消息没有丢失，会重新获取。"),
        Text::Unanswered { commands } => {
            format!("{commands} 还没有得到回应，连接就断开了，请重试。")
        }
        Text::NotRun { commands } => format!("未执行：{commands}。"),
        Text::Dropped { commands } => format!("未发送：{commands}。"),
        Text::WaitsForConnection { command } => format!("`{command}` 将在连接恢复后发送。"),
        Text::TimeOut => s("已超时。"),
        Text::HelpHeading { mode } => format!("{mode}模式的命令："),
        Text::Unknown { line } => format!("未知命令：{line}。输入 `help` 查看命令。"),
        Text::UnknownInChat { line } => {
            format!("未知命令：{line}。输入 `/help` 查看命令；要作为消息发送，请以 // 开头。")
        }
        Text::OnlyInRooms { line } => format!("{line} 只能在聊天室里使用。"),
        Text::OtherMode { command, way } => {
            format!("`{command}` 是其他模式的命令，请先输入 `{way}`。")
        }
        Text::ModeViaCommand { command, way } => {
            format!("`{command}` 是其他模式的命令，请依次输入 `\\c` 和 `{way}`。")
        }
        Text::AtLine { line, why } => format!("第 {line} 行：{why}"),
        Text::Usage { form } => format!("用法：{form}"),
        Text::PasswordsDiffer { left } => format!("两次输入的密码不一致，还可以试 {left} 次。"),
        Text::Registered { name } => format!("注册成功：{name}"),
        Text::LoggedIn { name } => format!("登录成功：{name}"),
        Text::HistoryReplaced => {
            s("服务器的历史记录已被替换（可能恢复了备份），现按服务器上的记录重新显示。")
        }
        Text::LoggedInAgain { name } => format!("已重新连接并登录：{name}"),
        Text::AlreadyLoggedIn { name } => format!("你已登录为“{name}”。输入 `logout` 退出登录。"),
        Text::FriendRequest { name } => {
            format!("“{name}”请求加你为好友。输入 `y {name}` 同意，输入 `n {name}` 拒绝。")
        }
        Text::FriendRequestInChat { name } => {
            format!("“{name}”请求加你为好友。输入 `/y {name}` 同意，输入 `/n {name}` 拒绝。")
        }
        Text::HowToAnswer => s(
            "输入 `y <用户名>` 或 `+f <用户名>` 同意，输入 `n <用户名>` 拒绝（在聊天中用 `/y` 和 `/n`）。",
        ),
        Text::Declined { name } => format!("已拒绝“{name}”的好友请求。"),
        Text::RequestSent { name } => format!("好友请求已发送给“{name}”。"),
        Text::NewContact { name } => format!("你和“{name}”已成为好友。"),
        Text::NewRoom { room } => format!("已加入聊天室“{room}”。"),
        Text::RoomMade { room } => format!("聊天室“{room}”已创建。"),
        Text::MembersAdded { room, names } => format!("已将 {names} 拉进聊天室“{room}”。"),
        Text::LeftRoom { room } => format!("已退出聊天室“{room}”。"),
        Text::UnreadOf { target, count } => format!("{target}：{count} 条未读"),
        Text::NoTarget { name } => format!("没有名为“{name}”的好友或聊天室。"),
        Text::TwoTargets { name } => {
            format!(
                "好友和聊天室都叫“{name}”。请先输入 `contact`，再输入 `&f {name}` 或 `&r {name}`。"
            )
        }
        Text::CameOnline { names } => format!("{names} 上线了"),
        Text::MembersLeft { names, room } => format!("{names} 退出了聊天室“{room}”"),
        Text::LeftOrWentOffline { names } => format!("{names} 退出或下线了"),
        Text::WentOffline { names } => format!("{names} 下线了"),
        Text::NewMessages { from, count: 1 } => format!("“{from}”发来一条新消息"),
        Text::NewMessages { from, count } => format!("“{from}”发来 {count} 条新消息"),
        Text::NewRoomMessages { room, count } => format!("聊天室“{room}”有 {count} 条新消息"),
        Text::NewElsewhere { count } => format!("其他会话还有 {count} 条新消息"),
        Text::SentTo { target } => format!("发给“{target}”："),
        Text::PendingCount { count } => format!("{count} 条待发送"),
        Text::AcceptOrSend { line } => {
            format!("要同意请输入 `/{line}`。将 `{line}` 作为消息发送？(Y/N)")
        }
        Text::DeclineOrSend { line } => {
            format!("要拒绝请输入 `/{line}`。将 `{line}` 作为消息发送？(Y/N)")
        }
        Text::LooksLikeCommand { line } => {
            format!("这看起来像命令：{line}。作为消息发送？(Y/N)")
        }
        Text::NotResent { target, reason } => format!("发给“{target}”的消息不再重发：{reason}"),
        Text::MessageRefused { target, reason } => format!("发给“{target}”的消息未发送：{reason}"),
        Text::MessageWaits {
            target,
            reason,
            seconds,
        } => format!("发给“{target}”的消息将在 {seconds} 秒后重发：{reason}"),
        Text::Paste { count } => {
            format!("粘贴了 {count} 行。Y：逐行发送；O：合成一条消息发送；N：放弃。")
        }
        Text::PasteEach { count } => {
            format!("粘贴了 {count} 行，合起来超过一条消息的长度。Y：逐行发送；N：放弃。")
        }
        Text::PasteOfCommands { count } => {
            format!("粘贴了 {count} 行。Y：逐行作为命令执行；N：放弃。")
        }
        Text::PasteOne { count, limit } => {
            format!("粘贴了 {count} 行，逐行发送最多 {limit} 行。O：合成一条消息发送；N：放弃。")
        }
        Text::PasteTooMany { count, limit } => {
            format!("粘贴的内容共 {count} 行，超过 {limit} 行的上限，已放弃。")
        }
        Text::PasteTooLong { bytes, limit } => {
            format!("粘贴的内容中有一行长 {bytes} 字节，超过 {limit} 字节的上限，已放弃。")
        }
        Text::PasteCut { kept, whole } => {
            format!("粘贴的内容太长（{whole} 字节），只保留了前 {kept} 字节。")
        }
        Text::PasteShort { count } => format!("{count} 行 (Y/O/N)"),
        Text::PasteShortEach { count } => format!("{count} 行 (Y/N)"),
        Text::PasteShortOne { count } => format!("{count} 行 (O/N)"),
        Text::NoMatch => s("无匹配"),
        Text::OutgoingFound { count } => format!("上次退出时还有 {count} 条消息待发送。"),
        Text::OutgoingUnreadable { count } => format!("有 {count} 条已保存的消息无法读取。"),
        Text::OutgoingFault { why } => format!("保存待发送消息的文件：{why}"),
        Text::UnsentAtExit { count } => format!("还有 {count} 条消息未发送。"),
        Text::UnsentKept { user, file } => {
            format!("已保存到 {file}，“{user}”下次在这里登录时会自动发送。")
        }
        Text::UnsentLost => s("这些消息没有保存，退出后会丢失。"),
        Text::CannotSend { why } => format!("未发送：{why}"),
        Text::NoText => s("消息是空的。"),
        Text::ControlCharacter { code } => format!("消息不能含有控制字符 U+{code}。"),
        Text::TooLong {
            bytes,
            characters,
            limit,
        } => format!("消息有 {bytes} 字节（{characters} 个字符），上限是 {limit} 字节。"),
        Text::NameTooLong { bytes, characters } => format!(
            "名字有 {characters} 个字符（{bytes} 字节），最多 {NAME_CHARS} 个字符、{NAME_BYTES} 字节。"
        ),
        Text::KeywordTooLong { bytes, limit } => {
            format!("关键字有 {bytes} 字节，上限是 {limit} 字节。")
        }
        Text::TooManyNames { names, limit } => {
            format!("名单里有 {names} 个名字，上限是 {limit} 个。")
        }
        Text::RequestTooLong { bytes, limit } => {
            format!("请求有 {bytes} 字节，上限是 {limit} 字节。")
        }
        Text::InLine { line, why } => format!("第 {line} 行：{why}这一行及其后的内容均未发送。"),
        Text::LineCutsOff { target } => {
            format!("发送给“{target}”的消息时，连接连续三次断开；服务器可能已经收到这条消息。")
        }
        Text::SetAside { count: 1, file } => format!("这条消息不再发送，已移到 {file}。"),
        Text::SetAside { count, file } => {
            format!("以上 {count} 条消息不再发送，已移到 {file}。")
        }
        Text::NotSentAgain { count: 1 } => s("这条消息不再发送，也没有保存。"),
        Text::NotSentAgain { count } => {
            format!("以上 {count} 条消息不再发送，也没有保存。")
        }
        Text::PendingHeading => s("待发送的消息："),
        Text::NothingWaits => s("没有待发送的消息。"),
        Text::PendingFor { target } => format!("发给“{target}”："),
        Text::InFlight => s("（正在发送）"),
        Text::PendingMore { count } => format!("还有 {count} 条"),
        Text::PendingBefore { count } => format!("（待发送）前面还有 {count} 条"),
        Text::Withdrawn { target } => format!("已撤回发给“{target}”的消息："),
        Text::WithdrawnLate { target } => {
            format!("不再重发给“{target}”的消息，但对方可能已经收到：")
        }
        Text::IsInFlight => s("这条消息正在发送，不能再撤回。"),
        Text::NothingToWithdraw => s("没有可以撤回的消息。"),
        Text::NoSuchLine { number } => {
            format!("没有编号为 {number} 的待发送消息。输入 `/pending` 查看。")
        }
        Text::HowToWithdraw => {
            s("输入 `/withdraw <编号>` 撤回一条，输入 `/withdraw 全部` 撤回所有。")
        }
        Text::ALineNumber => s("<编号>|全部"),
        Text::HelpWaiting => s("查看待发送的消息"),
        Text::HelpWithdraw => s("撤回一条或全部待发送的消息"),
        Text::UnknownSlash { line } => {
            format!("未知命令：{line}。以 // 开头的消息会直接发送。作为消息发送？(Y/N)")
        }
        Text::LeaveRoom { room } => {
            format!("退出聊天室“{room}”？退出后将无法再查看其中的消息，重新加入也看不到。(Y/N)")
        }
        Text::LeaveRoomShort { room } => format!("退出“{room}”？(Y/N)"),
        Text::Stays { room } => format!("没有退出聊天室“{room}”。"),
        Text::ServerTime { time } => format!("服务器时间：{time}"),
        Text::RoomLine {
            room,
            members,
            owner,
            unread,
        } => format!("{room}：{members} 名成员，房主 {owner}，{unread} 条未读"),
        Text::Members { room } => format!("聊天室“{room}”的成员："),
        Text::UnknownServer { address } => format!("{address} 是未知服务器，尚未发送任何内容。"),
        Text::UnknownServerHint { link } => format!("如果密钥正确，请把它写进地址：{link}"),
        Text::KeyNotKept { link } => format!(
            "无法保存这个密钥，未发送任何内容。要绕过 known_hosts，请把密钥写进地址：{link}"
        ),
        Text::TypeYes => s("如果密钥正确，请输入 yes："),
        Text::NoYes => s("输入的不是 yes：不信任该密钥，未发送任何内容。"),
        Text::YesOrNo => s("请输入 yes（或“是”）或 no。"),
        Text::KeyChanged { address } => {
            format!("{address} 的密钥变了，连接可能被人拦截。未发送任何内容。")
        }
        Text::KeyChangedHint { address } => {
            format!("如果服务器管理员确认这是新密钥，请运行：echat-nc --forget-host {address}")
        }
        Text::KeyNotPinned { address } => {
            format!("{address} 的密钥与指定的不符。未发送任何内容。")
        }
        Text::KeyShown { key } => format!("服务器密钥 {key}"),
        Text::KeyExpected { key } => format!("预期的密钥 {key}"),
        Text::CannotConnect { address, why } => format!("无法连接 {address}：{why}"),
        Text::ServerReason { number } => format!("服务器断开了连接（原因 {number}）。"),
        Text::RetryAfter { seconds } => format!("请在 {seconds} 秒后再试。"),
        Text::DayLimit => s("今天的额度已用完。"),
        Text::RetryAfterHours { hours } => format!("约 {hours} 小时后可以再试。"),
        Text::Limit { limit } => format!("上限是 {limit}。"),
        Text::Names { names } => format!("（{names}）"),
        Text::OtherRefusal { code, message } => format!("{message}（{code}）"),
        Text::OutgoingNotKept => s("如果在发送前退出，这里输入的消息会丢失。"),
        Text::ConfigIgnored { why } => format!("已忽略：{why}"),
        Text::AddressFromHere => {
            s("这个地址来自当前目录的 ./config.json，该文件可能由任何人写入。")
        }
        Text::WaitsForLogin => s("这一行将在登录后执行。"),
        Text::HeldDropped { count } => format!("未登录，有 {count} 行没有执行。"),
        Text::NotTextLine { line } => {
            format!(
                "第 {line} 行不符合 locale 的编码（除非指明 GBK、GB18030 或 Big5，否则是 UTF-8）；这一行及其后的内容均未发送。"
            )
        }
        Text::InputLineTooLong { line } => {
            format!("第 {line} 行超过 1 MiB；这一行及其后的内容均未发送。")
        }
        Text::NotCarriedOut { line, count } => {
            format!("有 {count} 行未执行（从第 {line} 行起）。")
        }
        Text::NotTextHere => s(
            "未发送：其中有不符合 locale（LC_ALL、LC_CTYPE、LANG）编码的字节。终端和 locale 的编码必须相同：UTF-8、GBK、GB18030 或 Big5。",
        ),
        Text::InputUtf16 => s("输入是 UTF-16 编码，请另存为 UTF-8。未发送任何内容。"),
        Text::PasswordAgainOf { name } => {
            format!("请重新输入“{name}”的密码，或按 Ctrl-C 返回。")
        }
        Text::CommandRefused { command, reason } => format!("`{command}`：{reason}"),
        Text::NoSuchUser { name } => format!("用户“{name}”不存在。"),
        Text::NoSuchRoom { room } => format!("聊天室“{room}”不存在。"),
        Text::UserTaken { name } => {
            format!("用户名“{name}”已被占用，或与已有的名字过于相似，请换一个。")
        }
        Text::RoomTaken { room } => format!("聊天室“{room}”已存在，或与已有的名字过于相似。"),
        Text::AskedBefore { name } => format!("已经向“{name}”发送过好友请求，对方还没有处理。"),
        Text::FriendsBefore { name } => format!("你和“{name}”已经是好友。"),
        Text::NoRequestOf { name } => {
            format!("“{name}”没有向你发送好友请求。输入 `+f {name}` 可以添加对方。")
        }
        Text::NotYourFriend { name } => {
            format!("你和“{name}”还不是好友。输入 `+f {name}` 添加对方。")
        }
        Text::NotYourRoom { room } => {
            format!("你还没有加入聊天室“{room}”。输入 `+r {room}` 加入。")
        }
        Text::OwnerOnly { room } => format!("只有房主可以拉人进聊天室“{room}”。"),
        Text::MemberBefore { room } => {
            format!("你已经在聊天室“{room}”中。输入 `&r {room}` 打开。")
        }
        Text::MembersBefore { room, names } => format!("已经在聊天室“{room}”中：{names}。"),
        Text::NotYourFriends { names } => {
            format!("还不是你的好友：{names}。只能拉好友进来，输入 `+f <用户名>` 添加好友。")
        }
        Text::LeftBefore { room, names } => {
            format!(
                "已主动退出聊天室“{room}”，不能再拉进来：{names}。对方可以输入 `+r {room}` 自己加入。"
            )
        }
        Text::OwnFriends { limit } => {
            format!(
                "你的好友数已达服务器的上限（{limit}）。管理员可以调高 `server.limits.friends`。"
            )
        }
        Text::RequestsOfOther { name, limit } => {
            format!(
                "“{name}”的好友或待处理的请求已达服务器的上限（{limit}）。请等对方处理一些后再试。"
            )
        }
        Text::FriendsOfOther { name, limit } => {
            format!("“{name}”的好友数已达服务器的上限（{limit}）。这个请求仍然保留。")
        }
        Text::OwnRooms { limit } => {
            format!("你加入的聊天室已达服务器的上限（{limit}）。输入 `-r <聊天室>` 退出一个。")
        }
        Text::FullRoom { room, limit } => {
            format!("聊天室“{room}”的成员已达服务器的上限（{limit}）。请等有人退出后再试。")
        }
        Text::CreateLimit { room, limit } => {
            format!(
                "未能创建聊天室“{room}”：它的成员数、某位成员加入的聊天室数或你创建的聊天室数会超过服务器的上限 {limit}。请少拉几个人，或使用已有的聊天室。"
            )
        }
        Text::AddLimit { room, limit } => {
            format!(
                "未能拉进聊天室“{room}”：成员数或其中某人加入的聊天室数会超过服务器的上限 {limit}。请少拉几个人。"
            )
        }
        Text::NameCharacter { character } => format!("名字不能含有{character}。"),
        Text::NameStart { character } => {
            format!("名字必须以字母、汉字或数字开头，不能以{character}开头。")
        }
        Text::NumberedCharacter { character, number } => format!("“{character}”（{number}）"),
        Text::SpaceCharacter { number } => format!("空格（{number}）"),
        Text::PasswordOf { name } => format!("“{name}”的密码："),
    }
}

/// A refusal's code.
pub(super) fn code(code: Code) -> &'static str {
    match code {
        Code::BadParams => "服务器无法识别这个请求。",
        Code::NotLoggedIn => "请先登录。",
        Code::AlreadyLoggedIn => "已经登录，请先退出登录。",
        Code::NameTaken => "用户已存在，或与已有的名字过于相似。",
        Code::BadName => "不能使用这个名字。",
        Code::BadPassword => "不能使用这个密码。",
        Code::BadCredentials => "登录失败：用户名或密码错误。",
        Code::LoginThrottled => "登录失败的次数太多。",
        Code::UnknownUser => "用户不存在。",
        Code::IsSelf => "不能添加自己为好友。",
        Code::AlreadyAsked => "已经发送过好友请求。",
        Code::AlreadyFriends => "你们已经是好友。",
        Code::NoRequest => "没有来自该用户的好友请求。",
        Code::NotAFriend => "还不是好友。",
        Code::NotAMember => "还没有加入聊天室。",
        Code::NotOwner => "只有房主可以这样做。",
        Code::UnknownRoom => "聊天室不存在。",
        Code::AlreadyMember => "已经在聊天室中。",
        Code::RoomExists => "聊天室已存在，或与已有的名字过于相似。",
        Code::NotFriends => "其中有人还不是你的好友。",
        Code::NotAllowed => "其中有人已主动退出该聊天室，不能再拉进来；对方可以用 +r 自己加入。",
        Code::BadContent => {
            "服务器不接受这条消息。除非管理员另有设置，消息为 1 到 4,000 字节；除换行和制表符外不能含有控制字符。请缩短，或分成几条发送。"
        }
        Code::TxnReused => "服务器上已有另一条使用这个编号的消息。",
        Code::RateLimited => "操作太快。",
        Code::TooMany => "已达到服务器的上限。",
        Code::StorageFull => "服务器的磁盘已满。",
        Code::StorageBusy => "服务器的数据库正忙。",
        Code::StorageDamaged => "服务器的数据库部分损坏，需要管理员修复。",
        Code::UnknownCommand => "服务器不认识这个请求。",
    }
}

/// Why a name is not allowed.
pub(super) fn bad_name(error: &NameError) -> String {
    match error {
        NameError::Empty => "名字不能为空。".to_owned(),
        NameError::TooLong => format!("名字最多 {NAME_CHARS} 个字符、{NAME_BYTES} 字节。"),
        NameError::BadStart(_) | NameError::BadCharacter(_) => "不能使用这个名字。".to_owned(),
        NameError::MixedDirections => "名字不能混用不同的书写方向。".to_owned(),
        NameError::MixedScripts => "名字不能混用这些文字。".to_owned(),
        NameError::Reserved => "这个名字是保留名称。".to_owned(),
        NameError::Unstable => "这个名字没有规范形式，无法使用。".to_owned(),
    }
}

/// Why a password is not allowed.
pub(super) fn bad_password(error: &PasswordError) -> String {
    match error {
        PasswordError::Empty => "密码不能为空。".to_owned(),
        PasswordError::TooShort => format!("密码至少 {PASSWORD_MIN} 字节。"),
        PasswordError::TooLong => format!("密码最多 {PASSWORD_MAX} 字节。"),
        PasswordError::BadCharacter => "密码不能含有控制字符。".to_owned(),
    }
}
