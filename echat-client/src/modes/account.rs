//! Register and login modes: a few questions each. No command is read here but the way out, so
//! that a password may be anything.

use echat_proto::commands::{Event, Request};
use echat_proto::limits::PASSWORD_MIN;
use echat_proto::names::{InvitationCode, NameError, NameQuery, Password, Username};
use echat_proto::param::NewPassword;
use echat_proto::records::Code;

use super::lines::error_line;
use super::{Act, Context, Goto, Mode, ReadLine, answers, print, read};
use crate::net::address::LinkTarget;
use crate::secret::Secret;
use crate::session::{RequestContext, Update};
use crate::statement::{self, ParseError, Scope};
use crate::text::{Text, code_of};

/// How often the two passwords may differ.
const ATTEMPTS: u64 = 3;
/// Stands in the prompt until the server has answered.
const WAITS: &str = "...";

/// Register mode.
#[derive(Debug, Default)]
pub(super) struct RegisterMode {
    name: Option<Username>,
    password: Option<Secret>,
    attempts: u64,
    waits: bool,
    /// Whether the server has asked for an invitation code.
    needs_code: bool,
    /// Whether the server has refused a registration without a code.
    is_code_required: bool,
    /// The code that was sent last.
    code: Option<Secret>,
}

/// Login mode.
#[derive(Debug)]
pub(super) struct LoginMode {
    name: Option<String>,
    waits: bool,
}

/// What can be typed instead of a name; nothing can be called like that.
fn way_out(scope: Scope, line: &str, context: &Context) -> Option<Vec<Act>> {
    match statement::parse(scope, line) {
        Err(
            ParseError::Unknown
            | ParseError::Words(_)
            | ParseError::Form(_)
            | ParseError::Duration(_)
            | ParseError::Empty,
        ) => None,
        Ok(_) => match read(scope, line, None, context) {
            ReadLine::Done(acts) => Some(acts),
            ReadLine::Statement(_) => None,
        },
    }
}

fn error(text: &str) -> Vec<Act> {
    vec![Act::Print(vec![error_line(text)]), Act::Mistake]
}

impl Mode for RegisterMode {
    fn scope(&self) -> Option<Scope> {
        None
    }

    fn prompt(&self, context: &Context) -> String {
        if self.waits {
            return format!("register {WAITS}");
        }
        let question = match (&self.name, &self.password) {
            _ if self.needs_code => Text::InvitationCode,
            (None, _) => Text::UserName,
            (Some(_), None) => Text::Password,
            (Some(_), Some(_)) => Text::PasswordAgain,
        };
        format!("register {}", context.language.say(question))
    }

    fn words(&self) -> Option<Scope> {
        Some(Scope::Register)
    }

    fn history(&self) -> Option<&'static str> {
        None
    }

    fn is_secret(&self) -> bool {
        self.name.is_some() && !self.needs_code
    }

    fn awaits(&self) -> Option<RequestContext> {
        let name = self.name.as_ref().filter(|_| self.waits)?;
        Some(RequestContext::Register {
            name: name.to_string(),
            with_code: self.code.is_some(),
        })
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        if self.waits {
            return way_out(Scope::Register, line, context)
                .unwrap_or_else(|| print(vec![context.line(context.please_wait())]));
        }
        if self.needs_code {
            return self.take_code(line, context);
        }
        if self.name.is_some() && line.is_empty() {
            return print(vec![context.line(Text::NoPasswordTyped)]);
        }
        // A password is longer than each of these; in full-width letters they may be one.
        let may_be_command = self.name.is_none() || line.len() < PASSWORD_MIN;
        if may_be_command && let Some(acts) = way_out(Scope::Register, line, context) {
            return acts;
        }
        if self.name.is_none() {
            return self.take_name(line, context);
        }
        match self.password.take() {
            None => {
                if line.trim().is_empty() {
                    return print(vec![context.error(Text::PasswordOfSpaces)]);
                }
                // Said now, before it is typed a second time in vain.
                match Password::new(line) {
                    Ok(_) => self.password = Some(line.into()),
                    Err(bad) => return error(&context.language.bad_password(&bad)),
                }
                Vec::new()
            }
            Some(first) if *first == *line => {
                self.password = Some(first);
                self.register(context.settings.invitation.clone(), context)
            }
            Some(_) => {
                self.attempts += 1;
                if self.attempts >= ATTEMPTS {
                    let mut acts = print(vec![context.error(Text::TooManyTries)]);
                    acts.push(Act::Goto(Goto::Command));
                    return acts;
                }
                let left = ATTEMPTS - self.attempts;
                print(vec![context.error(Text::PasswordsDiffer { left })])
            }
        }
    }

    fn on_update(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        let awaited = self.awaits();
        let outcome = match update {
            Update::Answer(asked, outcome) if Some(asked) == awaited.as_ref() => outcome,
            _ => return print(answers::tell(update, context)),
        };
        let Err(fail) = outcome else {
            let mut acts = print(answers::tell(update, context));
            acts.extend(self.registered(context));
            return acts;
        };
        self.waits = false;
        let code = code_of(fail);
        let is_code_refused = code == Some(Code::BadInvitation);
        self.is_code_required |= is_code_refused && self.code.is_none();
        let mut lines = match &self.code {
            Some(sent) if is_code_refused => vec![context.error(Text::CodeRefused { code: sent })],
            _ => answers::tell(update, context),
        };
        match code {
            // The name and the password stand; what is missing is a code.
            Some(Code::BadInvitation) if self.password.is_some() => {
                self.needs_code = true;
                let next = if self.is_code_required {
                    Text::CodeNeeded
                } else {
                    Text::CodeOrNone
                };
                lines.push(context.line(next));
            }
            Some(Code::RegistrationClosed) => {
                let mut acts = print(lines);
                acts.push(Act::Goto(Goto::Command));
                return acts;
            }
            // Another name may do. A script repeats all of its answers.
            Some(Code::NameTaken | Code::BadName)
                if self.password.is_some() && context.settings.interactive =>
            {
                self.name = None;
                self.needs_code = false;
                lines.push(context.line(Text::PasswordStays));
            }
            _ => *self = Self::default(),
        }
        print(lines)
    }

    fn on_cut(&mut self) -> Vec<Act> {
        if self.waits {
            vec![Act::Goto(Goto::Command)]
        } else {
            Vec::new()
        }
    }
}

impl RegisterMode {
    /// The account is made. Where echat began with a code, it logs in, too, and tells the address for the next time.
    fn registered(&mut self, context: &Context) -> Vec<Act> {
        let settings = &context.settings;
        let (Some(name), Some(password)) = (&self.name, self.password.take()) else {
            return vec![Act::Goto(Goto::Command)];
        };
        if !settings.interactive {
            return vec![Act::Goto(Goto::Command)];
        }
        if settings.invitation.is_none() {
            let mut acts = print(vec![context.line(Text::NowLogIn)]);
            acts.push(Act::Goto(Goto::Command));
            return acts;
        }
        let name = name.to_string();
        let mut acts = Vec::new();
        if let Some(server) = &context.server {
            let next = LinkTarget {
                user: Some(name.clone()),
                room: settings.open.as_ref().map(|room| room.name().to_owned()),
                ..server.clone()
            };
            let link = &next.quoted();
            acts.extend(print(vec![context.line(Text::NextTime { link })]));
        }
        acts.push(Act::Goto(Goto::Contact));
        acts.push(Act::LogIn { name, password });
        acts
    }

    /// Asks the server for the account, with an invitation code if there is one.
    fn register(&mut self, code: Option<Secret>, context: &Context) -> Vec<Act> {
        let (Some(name), Some(password)) = (&self.name, &self.password) else {
            return Vec::new();
        };
        let Ok(password) = Password::new(password) else {
            return Vec::new();
        };
        let presented = code.as_deref().map(InvitationCode::presented);
        let Ok(invitation) = presented.transpose() else {
            return print(vec![context.error(Text::CodeTooLong)]);
        };
        self.waits = true;
        self.code = code;
        vec![Act::Ask(Request::Register {
            username: name.clone(),
            password: NewPassword(password),
            invitation,
        })]
    }

    fn take_code(&mut self, line: &str, context: &Context) -> Vec<Act> {
        if let Some(acts) = way_out(Scope::Register, line, context) {
            return acts;
        }
        if line.trim().is_empty() {
            if self.is_code_required {
                return print(vec![context.line(Text::CodeNeeded)]);
            }
            // The server may need none: the code came with an address, or from the command line.
            return self.register(None, context);
        }
        let code: String = line.trim().chars().map(statement::ascii_form).collect();
        self.register(Some(code.into()), context)
    }

    fn take_name(&mut self, line: &str, context: &Context) -> Vec<Act> {
        match Username::new(line.trim()) {
            Err(NameError::Empty) => return print(vec![context.line(Text::NoNameTyped)]),
            Err(bad) => return error(&context.language.bad_name(&bad)),
            Ok(name) => self.name = Some(name),
        }
        // The name before it was taken: what was typed twice then still holds.
        if self.password.is_some() {
            return self.register(self.code.clone(), context);
        }
        Vec::new()
    }
}

impl LoginMode {
    pub(super) fn new(name: Option<String>) -> Self {
        Self { name, waits: false }
    }
}

impl Mode for LoginMode {
    fn scope(&self) -> Option<Scope> {
        None
    }

    fn prompt(&self, context: &Context) -> String {
        if self.waits {
            return format!("login {WAITS}");
        }
        let question = match (&self.name, context.offered_name()) {
            (Some(_), _) => Text::Password,
            (None, Some(name)) => Text::UserNameOr { name },
            (None, None) => Text::UserName,
        };
        format!("login {}", context.language.say(question))
    }

    fn words(&self) -> Option<Scope> {
        Some(Scope::Login)
    }

    fn history(&self) -> Option<&'static str> {
        None
    }

    fn is_secret(&self) -> bool {
        self.name.is_some()
    }

    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act> {
        if self.waits {
            return way_out(Scope::Login, line, context)
                .unwrap_or_else(|| print(vec![context.line(context.please_wait())]));
        }
        let Some(name) = &self.name else {
            if let Some(acts) = way_out(Scope::Login, line, context) {
                return acts;
            }
            let offered = context.offered_name().filter(|_| line.trim().is_empty());
            let name = offered.unwrap_or(line.trim());
            if name.is_empty() {
                return print(vec![context.line(Text::NoNameTyped)]);
            }
            if let (Err(bad), None) = (Username::new(name), NameQuery::new(name).key()) {
                return error(&context.language.bad_name(&bad));
            }
            self.name = Some(name.to_owned());
            return Vec::new();
        };
        if line.is_empty() {
            return print(vec![context.line(Text::NoPasswordTyped)]);
        }
        if let Err(bad) = Password::presented(line) {
            return error(&context.language.bad_password(&bad));
        }
        self.waits = true;
        vec![Act::LogIn {
            name: name.clone(),
            password: line.into(),
        }]
    }

    fn on_update(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        let mut acts = print(answers::tell(update, context));
        match update {
            Update::Answer(RequestContext::Login, Ok(Event::LoginBundle { .. })) => {
                acts.push(Act::Goto(Goto::Contact));
            }
            // No password opens a suspended account: the application goes to command mode.
            Update::Answer(RequestContext::Login, Err(fail))
                if code_of(fail) == Some(Code::Suspended) => {}
            // What is typed now is the password again: it stays hidden.
            Update::Answer(RequestContext::Login, Err(_)) => {
                self.waits = false;
                if let Some(name) = &self.name {
                    acts.extend(print(vec![context.line(Text::PasswordAgainOf { name })]));
                }
            }
            _ => {}
        }
        acts
    }
}
