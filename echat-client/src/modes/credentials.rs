//! Modes that ask for a password to change or to delete the account. A line is no command here, because a password may
//! be anything; nothing of it goes to a history.

use echat_proto::commands::{Request, RequestKind};
use echat_proto::names::Password;
use echat_proto::records::{Code, Fail};

use super::lines::error_line;
use super::{Act, Context, Goto, Mode, answers, print};
use crate::render::styled::Line;
use crate::secret::Secret;
use crate::session::{RequestContext, Update};
use crate::statement::{Scope, answer_words, yes_or_no};
use crate::target::{Target, normal_name};
use crate::text::{Text, code_of};

/// How often the two new passwords may differ in a script.
const ATTEMPTS: u64 = 3;
/// Stands in the prompt until the server has answered.
const WAITS: &str = "...";

/// Words of the question whether messages are erased that mean yes, in lower case.
const ERASE: &[&str] = &[
    "erase",
    "remove",
    "remove them",
    "remove them for everybody",
    "删除",
    "对所有人删除",
];
/// The same that mean no.
const KEEP: &[&str] = &["keep", "keep them", "保留"];

/// What the modes ask the server.
const CHANGE: RequestContext = RequestContext::Other(RequestKind::ChangePassword);
const DELETE: RequestContext = RequestContext::Other(RequestKind::DeleteAccount);

/// Whether messages are erased with the account; `None` if a line does not answer that.
fn erases(line: &str) -> Option<bool> {
    let words = answer_words(line);
    match words.as_str() {
        words if ERASE.contains(&words) => Some(true),
        words if KEEP.contains(&words) => Some(false),
        words => yes_or_no(words),
    }
}

/// Why a typed password cannot be sent.
fn bad(context: &Context, why: &echat_proto::names::PasswordError) -> Vec<Act> {
    let sentence = error_line(&context.language.bad_password(why));
    vec![Act::Print(vec![sentence]), Act::Mistake]
}

/// Says why the server refused a password, and that it is asked for again. What is typed now is the password once more,
/// which must not reach a prompt that sends or shows it. A script goes on behind the question.
fn again(update: &Update, fail: &Fail, context: &Context) -> Vec<Act> {
    if code_of(fail) == Some(Code::BadCredentials) {
        return print(vec![context.error(Text::WrongPasswordAgain)]);
    }
    let mut lines = answers::tell(update, context);
    lines.push(context.line(Text::PasswordOnceMore));
    print(lines)
}

/// What is shown of an update that is no answer, and what it means for the mode to return to.
fn tell(back: &mut Goto, update: &Update, context: &Context) -> Vec<Line> {
    match update {
        Update::HistoryReplaced => back.begin_anew(context),
        Update::LeftRoom(room) if back.target() == Some(&Target::Room(room.clone())) => {
            return vec![context.line(Text::LeftRoom { room })];
        }
        _ => {}
    }
    answers::tell(update, context)
}

/// Asks for the old password and twice for the new one.
#[derive(Debug)]
pub(super) struct ChangeMode {
    /// The mode to return to.
    back: Goto,
    old: Option<Secret>,
    new: Option<Secret>,
    /// The new password, which was typed twice.
    repeated: Option<Secret>,
    attempts: u64,
    waits: bool,
}

impl ChangeMode {
    pub(super) fn new(back: Goto) -> Self {
        Self {
            back,
            old: None,
            new: None,
            repeated: None,
            attempts: 0,
            waits: false,
        }
    }

    /// Takes the new password the second time.
    fn repeat(&mut self, line: &str, context: &Context) -> Vec<Act> {
        let Some(new) = self.new.take() else {
            return Vec::new();
        };
        if *new != *line {
            if context.settings.interactive {
                return print(vec![context.error(Text::NewPasswordsDiffer)]);
            }
            self.attempts += 1;
            if self.attempts >= ATTEMPTS {
                let mut acts = print(vec![context.error(Text::PasswordNotChanged)]);
                acts.push(Act::Goto(self.back.clone()));
                return acts;
            }
            let left = ATTEMPTS - self.attempts;
            return print(vec![context.error(Text::PasswordsDiffer { left })]);
        }
        self.repeated = Some(new);
        self.change()
    }

    /// Asks the server, if the old and the new password are known.
    fn change(&mut self) -> Vec<Act> {
        let (Some(old), Some(new)) = (&self.old, &self.repeated) else {
            return Vec::new();
        };
        self.waits = true;
        vec![Act::ChangePassword {
            old: old.clone(),
            new: new.clone(),
        }]
    }

    /// The server refused. Only what was wrong is asked for again.
    fn refused(&mut self, update: &Update, fail: &Fail, context: &Context) -> Vec<Act> {
        self.waits = false;
        self.new = None;
        if code_of(fail) == Some(Code::BadPassword) {
            self.repeated = None;
        } else {
            self.old = None;
        }
        again(update, fail, context)
    }
}

impl Mode for ChangeMode {
    fn scope(&self) -> Option<Scope> {
        None
    }

    fn prompt(&self, context: &Context) -> String {
        if self.waits {
            return format!("passwd {WAITS}");
        }
        let question = match (&self.old, &self.new) {
            (None, _) => Text::OldPassword,
            (Some(_), None) => Text::NewPassword,
            (Some(_), Some(_)) => Text::PasswordAgain,
        };
        format!("passwd {}", context.language.say(question))
    }

    fn history(&self) -> Option<&'static str> {
        None
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn back(&self) -> Goto {
        self.back.clone()
    }

    fn changes(&self) -> bool {
        true
    }

    fn awaits(&self) -> Option<RequestContext> {
        self.waits.then_some(CHANGE)
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        if self.waits {
            return print(vec![context.line(context.please_wait())]);
        }
        if line.is_empty() {
            return print(vec![context.line(Text::NoPasswordTyped)]);
        }
        if self.old.is_none() {
            if let Err(why) = Password::presented(line) {
                return bad(context, &why);
            }
            self.old = Some(line.into());
            // The new one is known if only the old one was wrong.
            return self.change();
        }
        if self.new.is_some() {
            return self.repeat(line, context);
        }
        if line.trim().is_empty() {
            return print(vec![context.error(Text::PasswordOfSpaces)]);
        }
        match Password::new(line) {
            Ok(_) => self.new = Some(line.into()),
            Err(why) => return bad(context, &why),
        }
        Vec::new()
    }

    fn on_update(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        match update {
            Update::Answer(answered, Err(fail))
                if *answered == CHANGE && context.settings.interactive =>
            {
                self.refused(update, fail, context)
            }
            Update::Answer(answered, _) if *answered == CHANGE => {
                let mut acts = print(answers::tell(update, context));
                acts.push(Act::Goto(self.back.clone()));
                acts
            }
            _ => print(tell(&mut self.back, update, context)),
        }
    }

    fn on_rename(&mut self, was: &Target, now: &Target) {
        self.back.rename(was, now);
    }

    fn on_lost_room(&mut self, room: &Target) {
        self.back.lose(room);
    }

    fn on_cut(&mut self) -> Vec<Act> {
        if self.waits {
            vec![Act::Goto(self.back.clone())]
        } else {
            Vec::new()
        }
    }
}

/// Asks for the name of the account, whether its messages are erased too, and the password.
#[derive(Debug)]
pub(super) struct DeleteMode {
    /// The mode to return to.
    back: Goto,
    is_named: bool,
    erase: Option<bool>,
    waits: bool,
}

impl DeleteMode {
    pub(super) fn new(back: Goto) -> Self {
        Self {
            back,
            is_named: false,
            erase: None,
            waits: false,
        }
    }

    fn kept(&self, context: &Context) -> Vec<Act> {
        let mut acts = print(vec![context.line(Text::AccountKept)]);
        acts.push(Act::Goto(self.back.clone()));
        acts
    }
}

impl Mode for DeleteMode {
    fn scope(&self) -> Option<Scope> {
        None
    }

    fn prompt(&self, context: &Context) -> String {
        if self.waits {
            return format!("delete-account {WAITS}");
        }
        let question = match (self.is_named, self.erase) {
            (false, _) => Text::OwnName,
            (true, None) => Text::EraseShort,
            (true, Some(_)) => Text::Password,
        };
        format!("delete-account {}", context.language.say(question))
    }

    fn history(&self) -> Option<&'static str> {
        None
    }

    fn is_secret(&self) -> bool {
        self.erase.is_some()
    }

    fn back(&self) -> Goto {
        self.back.clone()
    }

    fn changes(&self) -> bool {
        true
    }

    fn awaits(&self) -> Option<RequestContext> {
        self.waits.then_some(DELETE)
    }

    fn enter(&mut self, context: &Context) -> Vec<Act> {
        let name = context.session.me().unwrap_or_default();
        print(vec![context.bold(Text::DeleteWarning { name })])
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        if self.waits {
            return print(vec![context.line(context.please_wait())]);
        }
        if !self.is_named {
            self.is_named = context.session.me() == Some(normal_name(line.trim()).as_str());
            return if self.is_named {
                print(vec![context.line(Text::EraseQuestion)])
            } else {
                self.kept(context)
            };
        }
        let Some(erase) = self.erase else {
            self.erase = erases(line);
            if self.erase.is_none() {
                return print(vec![context.line(Text::EraseQuestion)]);
            }
            return Vec::new();
        };
        if line.is_empty() {
            return print(vec![context.line(Text::NoPasswordTyped)]);
        }
        match Password::presented(line) {
            Ok(password) => {
                self.waits = true;
                vec![Act::Ask(Request::DeleteAccount { password, erase })]
            }
            Err(why) => bad(context, &why),
        }
    }

    fn on_update(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        if let Update::Answer(RequestContext::Other(RequestKind::DeleteAccount), Err(fail)) = update
            && context.settings.interactive
        {
            self.waits = false;
            return again(update, fail, context);
        }
        let mut acts = print(tell(&mut self.back, update, context));
        match update {
            Update::Answer(RequestContext::Other(RequestKind::DeleteAccount), Ok(_)) => {
                acts.push(Act::Goto(Goto::Command));
            }
            Update::Answer(RequestContext::Other(RequestKind::DeleteAccount), Err(_)) => {
                acts.extend(self.kept(context));
            }
            _ => {}
        }
        acts
    }

    fn on_rename(&mut self, was: &Target, now: &Target) {
        self.back.rename(was, now);
    }

    fn on_lost_room(&mut self, room: &Target) {
        self.back.lose(room);
    }

    fn on_cut(&mut self) -> Vec<Act> {
        if self.waits {
            vec![Act::Goto(self.back.clone())]
        } else {
            Vec::new()
        }
    }
}
