//! The table of all sentences: their names and arguments. What they say stands in `en` and `zh`.

#[cfg(test)]
use super::tests::{self, Sample};

macro_rules! sentences {
    ($($(#[$doc:meta])* $name:ident $({ $($argument:ident: $type:ty),* })?;)*) => {
        /// A sentence, with its arguments.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the arguments say by their names what they are")]
        pub enum Text<'a> { $($(#[$doc])* $name $({ $($argument: $type),* })?),* }

        #[cfg(test)]
        impl<'a> Text<'a> {
            /// Every sentence, with arguments that are easily found again in it.
            pub(super) fn samples() -> Vec<(Text<'a>, Vec<String>)> {
                vec![$((
                    Text::$name $({ $($argument: Sample::sample(stringify!($argument))),* })?,
                    vec![$($(tests::shown::<$type>(stringify!($argument))),*)?],
                )),*]
            }
        }
    };
}

sentences! {
    // ---- modes
    /// The first line.
    Hello;
    /// The last line.
    Bye;
    /// What to do about Ctrl-C.
    HowToLeave;
    /// Stands above the list of a mode's commands.
    HelpHeading { mode: &'a str };
    /// The line is no command of this mode.
    Unknown { line: &'a str };
    /// The same in a chat, where commands begin with a slash.
    UnknownInChat { line: &'a str };
    /// The line is a command that works only in the chat of a room.
    OnlyInRooms { line: &'a str };
    /// The line is a command of another mode, with what goes there.
    OtherMode { command: &'a str, way: &'a str };
    /// The same where command mode stands between both.
    ModeViaCommand { command: &'a str, way: &'a str };
    /// A line of a script that is wrong, with its number.
    AtLine { line: u64, why: &'a str };
    /// A command with something missing.
    Usage { form: &'a str };
    /// An answer is under way, and nothing can be typed before it.
    PleaseWait;
    /// The mode's name in help and prompt.
    ModeCommand;
    /// The same.
    ModeRegister;
    /// The same.
    ModeLogin;
    /// The same.
    ModeContact;
    /// The same.
    ModeChat;
    /// The same.
    ModeQuery;
    /// Stands for a user's name in help.
    AUser;
    /// Stands for a room's name in help.
    ARoom;
    /// Stands for the name of either in help.
    AName;
    /// Stands for a message in help.
    AText;
    /// Stands for a word to look for in help.
    AWord;

    // ---- help, one line a command
    /// help
    HelpHelp;
    /// `\c`
    HelpBack;
    /// `\d`
    HelpLeave;
    /// quit
    HelpQuit;
    /// register
    HelpRegister;
    /// login
    HelpLogin;
    /// logout
    HelpLogout;
    /// contact
    HelpContact;
    /// chat
    HelpChat;
    /// query
    HelpQuery;
    /// +f
    HelpAddFriend;
    /// +r
    HelpJoinRoom;
    /// :r
    HelpRooms;
    /// :f
    HelpFriends;
    /// :pr
    HelpPending;
    /// :m
    HelpMessages;
    /// @f
    HelpSendFriend;
    /// @r
    HelpSendRoom;
    /// &f
    HelpOpenFriend;
    /// &r
    HelpOpenRoom;
    /// ?
    HelpUnread;
    /// room=a+b
    HelpCreateRoom;
    /// room+=a
    HelpAddMembers;
    /// find
    HelpFind;
    /// -r
    HelpLeaveRoom;
    /// y
    HelpAccept;
    /// n
    HelpDecline;
    /// server time
    HelpServerTime;
    /// who
    HelpWho;
    /// rooms
    HelpListRooms;
    /// members
    HelpMembers;
    /// /history
    HelpHistory;
    /// /members
    HelpMembersHere;
    /// /leave
    HelpLeaveSlash;
    /// //
    HelpSlash;
    /// `\quit`
    HelpSayQuit;

    // ---- register and login
    /// Asks for a name.
    UserName;
    /// Asks for a password.
    Password;
    /// Asks for it again.
    PasswordAgain;
    /// The two passwords differ.
    PasswordsDiffer { left: u64 };
    /// They differed too often.
    TooManyTries;
    /// Nothing was typed where a password is asked for, and no command is read.
    NoPasswordTyped;
    /// The same where a name is asked for.
    NoNameTyped;
    /// A new password has nothing but spaces.
    PasswordOfSpaces;
    /// The login was refused, and the password is asked for again.
    PasswordAgainOf { name: &'a str };
    /// The account is made.
    Registered { name: &'a str };
    /// The login holds.
    LoggedIn { name: &'a str };
    /// The login holds again after the connection was lost.
    LoggedInAgain { name: &'a str };
    /// The server has another history than before: what it has now is shown.
    HistoryReplaced;
    /// The user is logged out.
    LoggedOut;
    /// A user is logged in already.
    AlreadyLoggedIn { name: &'a str };
    /// Without a terminal no question can be asked.
    NoPassword;
    /// A password without a user.
    NoUser;

    // ---- friends and rooms
    /// A user asks for friendship; with the commands that answer.
    FriendRequest { name: &'a str };
    /// The same in a chat, where commands begin with a slash.
    FriendRequestInChat { name: &'a str };
    /// Stands below the list of open requests.
    HowToAnswer;
    /// A request was refused by the reader.
    Declined { name: &'a str };
    /// The request was sent.
    RequestSent { name: &'a str };
    /// Another user is a friend now.
    NewContact { name: &'a str };
    /// The reader is a member now.
    NewRoom { room: &'a str };
    /// The room is made.
    RoomMade { room: &'a str };
    /// The members were added.
    MembersAdded { room: &'a str, names: &'a str };
    /// The room was left.
    LeftRoom { room: &'a str };
    /// Heading.
    Friends;
    /// There are none.
    NoFriends;
    /// Heading.
    Rooms;
    /// There are none.
    NoRooms;
    /// Heading.
    PendingRequests;
    /// There are none.
    NoPending;
    /// Heading.
    Messages;
    /// There are none.
    NoMessages;
    /// Heading.
    UnreadHeading;
    /// Nothing is unread.
    NothingUnread;
    /// A line of `:m` and `?`.
    UnreadOf { target: &'a str, count: u64 };
    /// Neither a friend nor a room is named so.
    NoTarget { name: &'a str };
    /// A friend and a room are named so.
    TwoTargets { name: &'a str };
    /// `chat` without a name, and nothing to go back to.
    ChatWithWhom;
    /// A friend came.
    CameOnline { names: &'a str };
    /// A friend went.
    WentOffline { names: &'a str };
    /// Members left the open room.
    MembersLeft { names: &'a str, room: &'a str };
    /// Members who are no friends left the open room or went offline.
    LeftOrWentOffline { names: &'a str };

    // ---- messages
    /// Messages of a friend arrived and are not shown.
    NewMessages { from: &'a str, count: u64 };
    /// Messages in a room arrived and are not shown.
    NewRoomMessages { room: &'a str, count: u64 };
    /// New messages in further conversations than those that are listed.
    NewElsewhere { count: u64 };
    /// How the reader is called in lines of one's own.
    Me;
    /// Stands between names.
    Comma;
    /// Ends the prompt where an answer is asked for, with the spaces of the language.
    AsksFor;
    /// Stands between a name and what it says, with the spaces of the language.
    Says;
    /// The rule between old and new.
    HistoryRule;
    /// A rule above a page of older messages.
    OlderRule;
    /// There is nothing older.
    NoOlder;
    /// The older ones were asked for.
    LoadingOlder;
    /// The same in a message of another chat.
    SentTo { target: &'a str };
    /// Marks an unsent line.
    Pending;
    /// Marks a line that was refused.
    NotSentMark;
    /// Marks a line that is not sent again and that the server may have.
    UnansweredMark;
    /// How many lines wait, in the prompt.
    PendingCount { count: u64 };
    /// A chat line that looks like a command.
    LooksLikeCommand { line: &'a str };
    /// A chat line that would accept an open friend request, without the slash of a chat.
    AcceptOrSend { line: &'a str };
    /// The same of one that would decline it.
    DeclineOrSend { line: &'a str };
    /// The same, in the prompt.
    SendAsText;
    /// It was not sent.
    NotSent;
    /// A line that does not answer the open question.
    NotAnAnswer;
    /// A message was refused.
    MessageRefused { target: &'a str, reason: &'a str };
    /// A message that the server may have is not sent again.
    NotResent { target: &'a str, reason: &'a str };
    /// A message must wait.
    MessageWaits { target: &'a str, reason: &'a str, seconds: u64 };
    /// Several lines were pasted.
    Paste { count: u64 };
    /// The same, where they are too long for one message.
    PasteEach { count: u64 };
    /// The same, where they are commands.
    PasteOfCommands { count: u64 };
    /// The same, where they are too many to be sent one by one.
    PasteOne { count: u64, limit: u64 };
    /// They are too many to be sent one by one, and too long for one message.
    PasteTooMany { count: u64, limit: u64 };
    /// One of them is too long.
    PasteTooLong { bytes: u64, limit: u64 };
    /// A paste was cut.
    PasteCut { kept: u64, whole: u64 };
    /// Several lines, in the prompt.
    PasteShort { count: u64 };
    /// The same, where they cannot be one message.
    PasteShortEach { count: u64 };
    /// The same, where they can only be one message.
    PasteShortOne { count: u64 };
    /// No line of the history holds what is searched for, in the prompt.
    NoMatch;
    /// Lines of an earlier run are there.
    OutgoingFound { count: u64 };
    /// Lines of an earlier run that cannot be read.
    OutgoingUnreadable { count: u64 };
    /// Another client holds the file.
    OutgoingLocked;
    /// The file of such lines cannot be read or written.
    OutgoingFault { why: &'a str };
    /// Lines wait at the end.
    UnsentAtExit { count: u64 };
    /// What becomes of them.
    UnsentKept { user: &'a str, file: &'a str };
    /// The same where no file keeps them.
    UnsentLost;

    // ---- lines that can never be sent
    /// Something can never be sent. The reasons below stand in it, or behind a line's number or target.
    CannotSend { why: &'a str };
    /// A message without text.
    NoText;
    /// A control character in a message, in hexadecimal digits.
    ControlCharacter { code: &'a str };
    /// A message over the limit, which is in bytes.
    TooLong { bytes: u64, characters: u64, limit: u64 };
    /// A name over the limits of names.
    NameTooLong { bytes: u64, characters: u64 };
    /// A word to look for over the limit.
    KeywordTooLong { bytes: u64, limit: u64 };
    /// A list of too many names.
    TooManyNames { names: u64, limit: u64 };
    /// A request over the limit of a frame.
    RequestTooLong { bytes: u64, limit: u64 };
    /// A line of input that cannot be accepted, where there is no terminal.
    InLine { line: u64, why: &'a str };
    /// A line with which the connection was lost again and again. The server may have it.
    LineCutsOff { target: &'a str };
    /// Where lines are that are not sent any more.
    SetAside { count: u64, file: &'a str };
    /// The same where no file keeps them.
    NotSentAgain { count: u64 };

    // ---- unsent lines
    /// Heading of `/pending`.
    PendingHeading;
    /// Nothing waits.
    NothingWaits;
    /// Stands behind a line's number and time.
    PendingFor { target: &'a str };
    /// Marks a line that was sent and not answered.
    InFlight;
    /// More lines wait than are shown, after those.
    PendingMore { count: u64 };
    /// The same, before those.
    PendingBefore { count: u64 };
    /// A line was taken back.
    Withdrawn { target: &'a str };
    /// The same where the server may have it.
    WithdrawnLate { target: &'a str };
    /// A line was sent already.
    IsInFlight;
    /// No line waits that has not been sent.
    NothingToWithdraw;
    /// No line has this number.
    NoSuchLine { number: u64 };
    /// Stands below the list of `/pending`.
    HowToWithdraw;
    /// Stands for a line's number in help.
    ALineNumber;
    /// /pending
    HelpWaiting;
    /// /withdraw
    HelpWithdraw;

    // ---- commands with a slash
    /// A chat line that begins with a slash and is no command.
    UnknownSlash { line: &'a str };
    /// Asks before a room is left.
    LeaveRoom { room: &'a str };
    /// The same, in the prompt.
    LeaveRoomShort { room: &'a str };
    /// It is not left.
    Stays { room: &'a str };

    // ---- query
    /// The server's clock.
    ServerTime { time: &'a str };
    /// Heading.
    Online;
    /// No friend is online.
    NoFriendsOnline;
    /// A line of `rooms`.
    RoomLine { room: &'a str, members: u64, owner: &'a str, unread: u64 };
    /// Heading.
    Members { room: &'a str };
    /// Marks the owner.
    Owner;
    /// The mark of an online user.
    IsOnline;
    /// The mark of an offline user.
    IsOffline;
    /// Heading.
    FoundUsers { word: &'a str };
    /// Heading.
    FoundRooms { word: &'a str };
    /// Nothing was found.
    FoundNothing { word: &'a str };
    /// More was found than is shown.
    FoundMore;

    // ---- the connection
    /// Stands in the prompt while there is none.
    Offline;
    /// Stands in the prompt while there is none, with the seconds to the next try.
    OfflineUntil { seconds: u64 };
    /// A line that has to wait for the server's answer, while there is no connection.
    AskedOffline;
    /// A PING had no answer.
    ServerSilent;
    /// It is gone.
    ConnectionLost;
    /// It cannot be made.
    CannotConnect { address: &'a str, why: &'a str };
    /// A server that was never seen shows its key.
    UnknownServer { address: &'a str };
    /// What to do where no question can be asked.
    UnknownServerHint { link: &'a str };
    /// The key of an unknown server cannot be remembered; what to do about it.
    KeyNotKept { link: &'a str };
    /// What to do about it.
    TypeYes;
    /// Something else was typed.
    NoYes;
    /// Neither yes nor no was typed.
    YesOrNo;
    /// A server shows another key than the known one.
    KeyChanged { address: &'a str };
    /// What to do about it.
    KeyChangedHint { address: &'a str };
    /// A server shows another key than the one in the address.
    KeyNotPinned { address: &'a str };
    /// The key that it shows.
    KeyShown { key: &'a str };
    /// The key that it should show.
    KeyExpected { key: &'a str };
    /// It will be tried again.
    TryingAgain;
    /// The same before the first login: it is not known yet whose lines would be kept.
    TryingToConnect;
    /// The same without a terminal.
    TryingInPipe;
    /// The user logged in elsewhere, or the server ended the session.
    Kicked;
    /// CLOSE_NOTIFY(0).
    ServerSaidBye;
    /// CLOSE_NOTIFY(1).
    ServerIdle;
    /// CLOSE_NOTIFY(2).
    ServerMalformed;
    /// CLOSE_NOTIFY(3).
    ServerTooManyErrors;
    /// CLOSE_NOTIFY(4).
    ServerFull;
    /// CLOSE_NOTIFY(5).
    ServerRestarting;
    /// CLOSE_NOTIFY(7).
    ServerTooSlow;
    /// A reason of the future.
    ServerReason { number: u64 };
    /// Requests got no answer before the connection was lost.
    Unanswered { commands: &'a str };
    /// Requests that waited are dropped.
    Dropped { commands: &'a str };
    /// The same of queries.
    NotRun { commands: &'a str };
    /// A request waits for the connection.
    WaitsForConnection { command: &'a str };
    /// The time is over.
    TimeOut;

    // ---- what a refusal has beside its code
    /// Try again after this many seconds.
    RetryAfter { seconds: u64 };
    /// A limit of the last 24 hours is reached: bytes sent, or rooms made.
    DayLimit;
    /// Try again after about this many hours.
    RetryAfterHours { hours: u64 };
    /// The number's limit.
    Limit { limit: u64 };
    /// Those it is about.
    Names { names: &'a str };
    /// A refusal whose code is of the future.
    OtherRefusal { code: &'a str, message: &'a str };

    // ---- refusals, by what was asked
    /// Any other refusal of a command.
    CommandRefused { command: &'a str, reason: &'a str };
    /// unknown_user
    NoSuchUser { name: &'a str };
    /// unknown_room
    NoSuchRoom { room: &'a str };
    /// name_taken
    UserTaken { name: &'a str };
    /// room_exists
    RoomTaken { room: &'a str };
    /// already_asked
    AskedBefore { name: &'a str };
    /// already_friends
    FriendsBefore { name: &'a str };
    /// no_request
    NoRequestOf { name: &'a str };
    /// not_a_friend
    NotYourFriend { name: &'a str };
    /// not_a_member
    NotYourRoom { room: &'a str };
    /// not_owner
    OwnerOnly { room: &'a str };
    /// already_member, of the reader
    MemberBefore { room: &'a str };
    /// already_member, of the users to add
    MembersBefore { room: &'a str, names: &'a str };
    /// not_friends
    NotYourFriends { names: &'a str };
    /// not_allowed, of users who left the room
    LeftBefore { room: &'a str, names: &'a str };
    /// too_many: the reader's friends
    OwnFriends { limit: u64 };
    /// too_many: the open requests or friends of the user who is asked
    RequestsOfOther { name: &'a str, limit: u64 };
    /// too_many: the friends of the user who asked
    FriendsOfOther { name: &'a str, limit: u64 };
    /// too_many: the reader's rooms
    OwnRooms { limit: u64 };
    /// too_many: the members of a room
    FullRoom { room: &'a str, limit: u64 };
    /// too_many: making a room
    CreateLimit { room: &'a str, limit: u64 };
    /// too_many: adding members
    AddLimit { room: &'a str, limit: u64 };
    /// A name has a character that it cannot have.
    NameCharacter { character: &'a str };
    /// A name begins with a character that it cannot begin with.
    NameStart { character: &'a str };
    /// A character and its number.
    NumberedCharacter { character: &'a str, number: &'a str };
    /// A space that a name cannot have, and its number.
    SpaceCharacter { number: &'a str };

    // ---- the start
    /// Asks for a user's password.
    PasswordOf { name: &'a str };
    /// A line of input is not UTF-8.
    NotTextLine { line: u64 };
    /// A line of a pipe is too long.
    InputLineTooLong { line: u64 };
    /// Lines that a script leaves behind.
    NotCarriedOut { line: u64, count: u64 };
    /// What was typed or pasted is not in the locale's encoding.
    NotTextHere;
    /// The input is UTF-16.
    InputUtf16;
    /// A line that runs after the login.
    WaitsForLogin;
    /// Lines that waited for a login in vain.
    HeldDropped { count: u64 };
    /// A file of settings counts for nothing: it is wrong, or not echat's.
    ConfigIgnored { why: &'a str };
    /// Stands before the address of a server that the user need not have named.
    AddressFromHere;

    // ---- the file of unsent lines
    /// Follows the reason why it cannot be had.
    OutgoingNotKept;
}
