//! The macros behind the table: each row becomes an enum variant, its reading and writing, and a
//! [`super::CommandInfo`].

/// The [`super::Shape`] of a row.
macro_rules! shape {
    (null) => { $crate::commands::Shape::Null };
    (one $field:ident: $type:ty) => { $crate::commands::Shape::One(shape!(@field $field: $type)) };
    (dict $($field:ident: $type:ty),*) => {
        $crate::commands::Shape::Dict(&[$(shape!(@field $field: $type)),*])
    };
    (@field $field:ident: $type:ty) => {
        $crate::commands::FieldInfo {
            name: stringify!($field),
            kind: <$type as Param>::KIND,
            optional: <$type as Param>::OPTIONAL,
            secret: <$type as Param>::SECRET,
        }
    };
}

/// Reads the fields of a row into a variant. `$finish` says what becomes of keys that are left.
macro_rules! read_fields {
    ($of:ident::$variant:ident, $params:ident, $finish:expr, null) => {{
        if *$params != Value::Null {
            let message = format!("must be null, not {}", $params.kind());
            return Err(ParamError::new("params", message));
        }
        Ok($of::$variant {})
    }};
    ($of:ident::$variant:ident, $params:ident, $finish:expr, one $field:ident: $type:ty) => {{
        let field = stringify!($field);
        let $field = <$type as Param>::from_value($params).map_err(|error| error.of_whole(field))?;
        Ok($of::$variant { $field })
    }};
    ($of:ident::$variant:ident, $params:ident, $finish:expr, dict $($field:ident: $type:ty),*) => {{
        let mut fields = Fields::of($params)?;
        $(let $field = fields.take::<$type>(stringify!($field));)*
        // The form of all parameters is judged before what one of them says.
        let errors: &[Option<&ParamError>] = &[$($field.as_ref().err()),*];
        let mut errors = errors.iter().flatten();
        if let Some(error) = errors.find(|error| error.code == Code::BadParams) {
            return Err((*error).clone());
        }
        $finish(fields)?;
        Ok($of::$variant { $($field: $field?),* })
    }};
}

/// The value that a row's fields make.
macro_rules! write_fields {
    (null) => { Value::Null };
    (one $field:ident) => { $field.to_value() };
    (dict $($field:ident),*) => {{
        let mut entries = Vec::new();
        $(put(&mut entries, stringify!($field), $field);)*
        Value::Dict(entries)
    }};
}

/// Writes the bytes of the value that [`write_fields`] makes.
macro_rules! encode_fields {
    ($to:ident, null) => { $to.null() };
    ($to:ident, one $field:ident) => { $field.encode(&mut $to) };
    ($to:ident, dict $($field:ident),*) => {
        $to.dict(|to| {
            $(encode_entry(to, stringify!($field), $field)?;)*
            Ok(())
        })
    };
}

/// Whether a reply may be as long as a page.
macro_rules! is_paged {
    (short) => {
        false
    };
    (paged) => {
        true
    };
}

/// The event that a refusal makes: that of a row with one value, if its type can refuse.
macro_rules! refusing {
    ($variant:ident, $fail:ident, one $field:ident) => {{
        let $field = Param::refusing($fail)?;
        Some(Event::$variant { $field })
    }};
    ($variant:ident, $fail:ident, $shape:ident $($field:ident),*) => {
        None
    };
}

/// Rows of requests. Each row names, in this order:
///
/// * number, name, variant, and the parameters by name and type; a type that is secret makes the
///   request secret;
/// * after `=>` the final reply and, after `|`, the refusal; `code: NAME` behind them is the refusal of
///   that one code;
/// * `paged` if the reply may be as long as a page, else `short`;
/// * what the request does to the session: a [`super::SessionEffect`].
macro_rules! requests {
    ($(
        #[doc = $doc:literal]
        $number:literal $name:ident $variant:ident $shape:ident
        { $($field:ident: $type:ty),* }
        => $reply:ident | $refusal:ident $(, $code:ident: $own:ident)*; $length:ident, $session:ident;
    )*) => {
        /// The numbers of the requests, by name.
        pub mod request {
            $(#[doc = $doc] pub const $name: u32 = $number;)*
        }

        /// What a client asks.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "each field is a row's parameter, described by its type")]
        pub enum Request { $(#[doc = $doc] $variant { $($field: $type),* }),* }

        /// A request's row, before its parameters are read: the gate comes first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RequestKind { $(#[doc = $doc] $variant),* }

        impl RequestKind {
            /// Every request, by number.
            pub const ALL: &[RequestKind] = &[$(RequestKind::$variant),*];

            /// The request of a number; `None` for anything that is no request.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// What the table says of it.
            pub const fn info(self) -> &'static CommandInfo {
                &REQUESTS[self as usize]
            }

            /// How it is answered.
            pub const fn answers(self) -> &'static Answers {
                match &self.info().answers {
                    Some(answers) => answers,
                    None => unreachable!(),
                }
            }

            /// The event that refuses it. The row's refusal for the code is used.
            pub fn refused(self, code: Code, fail: Fail) -> Event {
                Event::refusing(self.answers().refusal_for(code), fail)
                    .expect("a test sees that every refusal of a row can carry a FAIL")
            }

            /// Reads the parameters. Unknown keys are refused.
            pub fn read(self, params: &Value) -> Result<Request, ParamError> {
                match self {
                    $(Self::$variant => {
                        read_fields!(Request::$variant, params, Fields::finish, $shape $($field: $type),*)
                    })*
                }
            }
        }

        impl Request {
            /// The request's row.
            pub const fn kind(&self) -> RequestKind {
                match self { $(Self::$variant { .. } => RequestKind::$variant),* }
            }

            /// The message to send.
            pub fn to_message(&self) -> Message {
                match self {
                    $(Self::$variant { $($field),* } => Message {
                        command: $number,
                        params: write_fields!($shape $($field),*),
                    }),*
                }
            }

            /// The parts that have a limit of their own.
            pub fn parts(&self) -> Vec<Part<'_>> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        let parts: &[Option<Part<'_>>] = &[$($field.part()),*];
                        parts.iter().copied().flatten().collect()
                    })*
                }
            }
        }

        static REQUESTS: &[CommandInfo] = &[$(CommandInfo {
            number: $number,
            name: stringify!($name),
            direction: Direction::Request,
            shape: shape!($shape $($field: $type),*),
            answers: Some(Answers {
                reply: event::$reply,
                refusal: event::$refusal,
                own_refusals: &[$((Code::$code, event::$own)),*],
                paged: is_paged!($length),
                session: SessionEffect::$session,
            }),
            about: $doc.trim_ascii(),
        }),*];
    };
}

/// The fields of a row as pairs in pairs: proptest has tuples of twelve at most.
#[cfg(test)]
macro_rules! nested {
    (@any) => { Just(()) };
    (@any $type:ty $(, $rest:ty)*) => { (<$type as Sample>::any(), nested!(@any $($rest),*)) };
    (@names) => { () };
    (@names $field:ident $(, $rest:ident)*) => { ($field, nested!(@names $($rest),*)) };
}

macro_rules! events {
    ($(
        #[doc = $doc:literal]
        $number:literal $name:ident $variant:ident $direction:ident $shape:ident
        { $($field:ident: $type:ty),* };
    )*) => {
        /// The numbers of replies, events and refusals, by name.
        pub mod event {
            $(#[doc = $doc] pub const $name: u32 = $number;)*
        }

        /// What a server says: replies, events and refusals. `Debug` shows the message.
        #[derive(Clone, PartialEq)]
        #[allow(missing_docs, reason = "each field is a row's parameter, described by its type")]
        pub enum Event { $(#[doc = $doc] $variant { $($field: $type),* }),* }

        impl ::std::fmt::Debug for Event {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.to_message().fmt(f)
            }
        }

        impl Event {
            /// The number on the wire.
            pub const fn number(&self) -> u32 {
                match self { $(Self::$variant { .. } => $number),* }
            }

            /// The message to send.
            pub fn to_message(&self) -> Message {
                match self {
                    $(Self::$variant { $($field),* } => Message {
                        command: $number,
                        params: write_fields!($shape $($field),*),
                    }),*
                }
            }

            /// Appends the plaintext form of the message, `command | value`, to `out`: the bytes of
            /// [`to_message`](Self::to_message), without a value in between. After an error, `out` may end in a part of
            /// them.
            pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                out.extend_from_slice(&self.number().to_be_bytes());
                let mut to = Encoder::new(out);
                match self {
                    $(Self::$variant { $($field),* } => encode_fields!(to, $shape $($field),*),)*
                }
            }

            /// The reason, if this says that a request was refused, whichever row it is.
            pub fn refusal(&self) -> Option<&Fail> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        let refusals: &[Option<&Fail>] = &[$($field.refusal()),*];
                        refusals.iter().copied().flatten().next()
                    })*
                }
            }

            /// The refusal with this number; `None` if the row cannot carry one.
            pub fn refusing(number: u32, fail: Fail) -> Option<Self> {
                match number {
                    $($number => refusing!($variant, fail, $shape $($field),*),)*
                    _ => None,
                }
            }

            /// Reads a message; `None` if its number is unknown, as numbers of the future are.
            /// Unknown keys are ignored.
            pub fn from_message(message: &Message) -> Option<Result<Self, ParamError>> {
                let params = &message.params;
                Some(match message.command {
                    $($number => (|| {
                        read_fields!(Event::$variant, params, drop_rest, $shape $($field: $type),*)
                    })(),)*
                    _ => return None,
                })
            }
        }

        /// Any event of each row.
        #[cfg(test)]
        pub(super) fn any_events() -> Vec<proptest::strategy::BoxedStrategy<Event>> {
            use proptest::strategy::{Just, Strategy};
            use tests::Sample;
            vec![$({
                let fields = nested!(@any $($type),*);
                fields.prop_map(|nested!(@names $($field),*)| Event::$variant { $($field),* }).boxed()
            }),*]
        }

        static EVENTS: &[CommandInfo] = &[$(CommandInfo {
            number: $number,
            name: stringify!($name),
            direction: Direction::$direction,
            shape: shape!($shape $($field: $type),*),
            answers: None,
            about: $doc.trim_ascii(),
        }),*];
    };
}
