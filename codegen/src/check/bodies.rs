//! That callables say what their bodies do: a runtime leans on it, and never looks again.

use probity_platform::demand::{Calls, Demand, Feed, Gives};
use probity_platform::intrinsic::IntrinsicRow;
use probity_platform::{
    ArgRole, Behaviour, CallableFlags, CallbackFlags, KfuncFlags, OffsetRule, RegType, RetType, Subject,
    TypeFlags,
};

use super::uses::uses;
use crate::Diagnostic;
use crate::code::Code;
use crate::model::{
    Arg, ArgClass, Bound, Callback, CallbackValue, Kind, Number, SpecialField, StackObject, Step,
};
use crate::resolve::cx::Cx;
use crate::resolve::helpers::Built;
use crate::source::Span;

/// What callables are about.
pub(crate) struct Tables<'a> {
    /// A host has a function for what has no body.
    pub(crate) hosted: bool,
    pub(crate) kinds: &'a [Kind],
    pub(crate) arg_classes: &'a [ArgClass],
    pub(crate) callbacks: &'a [Callback],
    pub(crate) stack_objects: &'a [StackObject],
    pub(crate) special_fields: &'a [SpecialField],
}

impl Tables<'_> {
    fn kind(&self, ty: RegType) -> Option<&Kind> {
        self.kinds.get(usize::from(ty.kind.0))
    }

    pub(super) fn behaviour(&self, ty: RegType) -> Option<Behaviour> {
        self.kind(ty).map(|kind| kind.behaviour)
    }
}

/// Reports what bodies do and their callables do not say, and what these say beyond it.
pub(crate) fn bodies(cx: &mut Cx<'_>, tables: &Tables<'_>, callables: &[Built]) {
    for built in callables {
        let (Some(body), Some(word)) = (built.row.body, built.places.body) else { continue };
        let mut contract = Contract { cx, tables, built, row: body.row(), word };
        contract.nulls();
        for &demand in body.row().demands {
            contract.demand(demand);
        }
        contract.claims();
    }
    uses(cx, tables, callables);
}

/// A callable beside the row of its body.
struct Contract<'a, 'c> {
    cx: &'a mut Cx<'c>,
    tables: &'a Tables<'a>,
    built: &'a Built,
    row: &'static IntrinsicRow,
    /// The word of the body.
    word: Span,
}

impl Contract<'_, '_> {
    /// Reports; an argument that it is about is shown.
    fn lacks(&mut self, arg: Option<u8>, text: String, help: String) {
        let mut found = Diagnostic::new(Code::BodyContract, self.word, text).label("the body").help(help);
        if let Some(span) = arg.and_then(|arg| self.built.places.args.get(usize::from(arg))) {
            found = found.with(*span, "the argument");
        }
        self.cx.report(found);
    }

    fn arg(&self, arg: u8) -> Option<&Arg> {
        self.built.row.args.get(usize::from(arg))
    }

    fn name(&self, arg: u8) -> String {
        self.arg(arg).map_or_else(String::new, |arg| arg.name.clone())
    }

    fn flags(&self, arg: u8) -> TypeFlags {
        self.arg(arg).map_or(TypeFlags::empty(), |arg| arg.flags)
    }

    /// Whether each call has a step.
    fn always(&self, such: impl Fn(&Step) -> bool) -> bool {
        self.built.row.steps.iter().any(|(when, step)| when.is_none() && such(step))
    }

    /// Only bytes may be null, and what is handed on: bodies go where all others lead.
    fn nulls(&mut self) {
        for (index, role) in (0u8..).zip(self.row.roles) {
            let may = matches!(role, ArgRole::Mem | ArgRole::Stack);
            if !may && self.flags(index).contains(TypeFlags::PTR_MAYBE_NULL) {
                let text =
                    format!("`{}` does not look whether `{}` is null", self.row.word, self.name(index));
                self.lacks(Some(index), text, "leave `PTR_MAYBE_NULL` out".to_owned());
            }
        }
    }

    fn demand(&mut self, demand: Demand) {
        let word = self.row.word;
        match demand {
            Demand::Writes(arg) => {
                let said = self.flags(arg).contains(TypeFlags::MEM_WRITE)
                    || self.built.row.flags.contains(CallableFlags::UNSUPPORTED);
                if !said {
                    let text =
                        format!("`{word}` writes `{}`, and the prototype does not say so", self.name(arg));
                    let help = "write `| MEM_WRITE` behind its type; or `unsupported \"why\";`, where the \
                                platform itself does not say so";
                    self.lacks(Some(arg), text, help.to_owned());
                }
            }
            Demand::Bytes(arg, bytes) => {
                if self.arg(arg).is_some_and(|arg| arg.size < bytes) {
                    let text = format!("`{word}` takes {bytes} bytes behind `{}`", self.name(arg));
                    self.lacks(Some(arg), text, format!("write its size behind the class: `({bytes})`"));
                }
            }
            Demand::Context(arg) => self.context(arg),
            Demand::Object(arg, uses) => {
                let object = match self.arg(arg).map(|arg| arg.subject) {
                    Some(Subject::StackObject(at)) => self.tables.stack_objects.get(usize::from(at)),
                    _ => None,
                };
                if object.is_none_or(|object| object.size < uses.bytes()) {
                    let (name, said, bytes) = (self.name(arg), uses.said(), uses.bytes());
                    let text = format!("`{word}` takes `{name}` for {said}, a stack object of {bytes} bytes");
                    let help = "name the object in its type: `OBJECT`, or `CLASS(OBJECT)`".to_owned();
                    self.lacks(Some(arg), text, help);
                }
            }
            Demand::Changes(arg) => {
                if self.flags(arg).contains(TypeFlags::MEM_RDONLY) {
                    let text = format!("`{word}` changes `{}`", self.name(arg));
                    self.lacks(Some(arg), text, "leave `MEM_RDONLY` out".to_owned());
                }
            }
            Demand::Field(arg, uses) => {
                let field = match self.arg(arg).map(|arg| arg.subject) {
                    Some(Subject::Field(at)) => self.tables.special_fields.get(usize::from(at)),
                    _ => None,
                };
                if field.is_none_or(|field| field.size != uses.bytes()) {
                    let (name, said, bytes) = (self.name(arg), uses.said(), uses.bytes());
                    let text =
                        format!("`{word}` takes `{name}` for {said}, a special field of {bytes} bytes");
                    let help = "name the field in its type: `FIELD`, or `CLASS(FIELD)`".to_owned();
                    self.lacks(Some(arg), text, help);
                }
            }
            Demand::MovesPacket => self.must(
                None,
                |step| *step == Step::InvalidatePacket,
                "may move the packet",
                "write `invalidates packet;`",
            ),
            Demand::MayReturnNull
            | Demand::ReturnsValueOf(_)
            | Demand::ReturnsBytesOf(_)
            | Demand::ReturnsReadOnly(_) => self.returned(demand),
            Demand::Acquires => self.must(
                None,
                |step| matches!(step, Step::Acquire { .. }),
                "returns what must be given back",
                "write `acquires CLASS;`",
            ),
            Demand::Releases(arg) => {
                if !self.flags(arg).contains(TypeFlags::OBJ_RELEASE) {
                    let text = format!("`{word}` takes `{}` back", self.name(arg));
                    let help = "write `| OBJ_RELEASE` behind its type, and `releases CLASS;`";
                    self.lacks(Some(arg), text, help.to_owned());
                }
            }
            Demand::Constructs(arg) => {
                let help = format!("write `constructs {} as STATE;`", self.name(arg));
                self.must(Some(arg), |step| constructs(step, arg).is_some(), "makes", &help);
            }
            Demand::ConstructsOwned(arg) => {
                let owned = |state: u8| {
                    let Some(Subject::StackObject(at)) = self.arg(arg).map(|arg| arg.subject) else {
                        return false;
                    };
                    let object = self.tables.stack_objects.get(usize::from(at));
                    object
                        .and_then(|object| object.states.get(usize::from(state)))
                        .is_some_and(|(_, owned)| *owned)
                };
                if !self.always(|step| constructs(step, arg).is_some_and(owned)) {
                    let text = format!("`{word}` makes `{}`, which must be ended", self.name(arg));
                    let help =
                        format!("write `constructs {} as STATE;`, a state that is `owned`", self.name(arg));
                    self.lacks(Some(arg), text, help);
                }
            }
            Demand::Advances(arg) => {
                let flagged = self.built.row.kfunc.contains(KfuncFlags::KF_ITER_NEXT);
                let such = |step: &Step| flagged && matches!(step, Step::Advance(at, ..) if *at == arg);
                self.must(Some(arg), such, "gives the next element of", "write `flags KF_ITER_NEXT;`");
            }
            Demand::Destroys(arg) => {
                let help = format!("write `destroys {};`", self.name(arg));
                self.must(
                    Some(arg),
                    |step| matches!(step, Step::Destroy(at, _) if *at == arg),
                    "ends",
                    &help,
                );
            }
            Demand::Slices(arg) => {
                let help = format!("write `slices {};`", self.name(arg));
                let such = |step: &Step| *step == Step::Slice(arg);
                self.must(Some(arg), such, "returns what is good as long as", &help);
            }
            Demand::Member(field, map) => {
                let help = format!("write `member {} of {};`", self.name(field), self.name(map));
                let such = |step: &Step| matches!(step, Step::Member(a, b, _) if (*a, *b) == (field, map));
                self.must(Some(field), such, "looks in a value of the map for", &help);
            }
            Demand::Enters(arg) => {
                let help = format!("write `enters REGION by {};`", self.name(arg));
                let such = |step: &Step| matches!(step, Step::Enter { by: Some(by), fallible: false, .. } if *by == arg);
                self.must(Some(arg), such, "takes the lock", &help);
            }
            Demand::Leaves(arg) => {
                let help = format!("write `leaves REGION by {};`", self.name(arg));
                let such = |step: &Step| matches!(step, Step::Leave { by: Some(by), .. } if *by == arg);
                self.must(Some(arg), such, "gives back the lock", &help);
            }
            Demand::Calls(calls) => self.calls(calls),
            Demand::TailCall(map, index) => {
                let help = format!("write `tail_call {}, {};`", self.name(map), self.name(index));
                self.must(Some(map), |step| runs_other(step, map, index), "runs a program of", &help);
            }
            Demand::MayBeNonnull => {}
        }
    }

    /// Reports a step that not every call has. `does` may go on with the argument's name.
    fn must(&mut self, arg: Option<u8>, such: impl Fn(&Step) -> bool, does: &str, help: &str) {
        if self.always(such) {
            return;
        }
        let about = arg.map_or_else(String::new, |arg| format!(" `{}`", self.name(arg)));
        let text = format!("`{}` {does}{about}, and not every call says so", self.row.word);
        self.lacks(arg, text, help.to_owned());
    }

    fn context(&mut self, arg: u8) {
        let class = self.arg(arg).and_then(|arg| self.tables.arg_classes.get(usize::from(arg.class)));
        let begins = |ty: &RegType| {
            let kind = self.tables.kind(*ty);
            kind.is_some_and(|kind| kind.behaviour == Behaviour::Context && kind.offset == OffsetRule::Zero)
        };
        if !class.is_some_and(|class| class.accepts.iter().all(begins)) {
            let text = format!("`{}` takes `{}` for the context", self.row.word, self.name(arg));
            let help = "take a class that accepts nothing but a context without an offset".to_owned();
            self.lacks(Some(arg), text, help);
        }
    }

    /// What is demanded of a returned pointer.
    fn returned(&mut self, demand: Demand) {
        let ret = self.built.row.ret;
        let RetType::Pointer(ty) = ret.ty else { return };
        let is = |behaviour| self.tables.behaviour(ty) == Some(behaviour);
        let (good, what, help) = match demand {
            Demand::MayReturnNull => (
                ty.flags.contains(TypeFlags::PTR_MAYBE_NULL),
                "null, or a pointer".to_owned(),
                "write `| PTR_MAYBE_NULL` behind what is returned".to_owned(),
            ),
            Demand::ReturnsValueOf(map) => (
                is(Behaviour::MapValue) && ret.map == Some(map),
                format!("a value of `{}`", self.name(map)),
                "let a kind of the behaviour `map_value` be returned".to_owned(),
            ),
            Demand::ReturnsBytesOf(arg) => (
                is(Behaviour::Region) && self.always(|step| returns_bytes_of(step, arg)),
                format!("as many bytes as `{}` says", self.name(arg)),
                format!(
                    "let a kind of the behaviour `region` be returned, and write `returns bytes {}.const;`",
                    self.name(arg)
                ),
            ),
            Demand::ReturnsReadOnly(bytes) => (
                is(Behaviour::Region)
                    && (1..=bytes).contains(&ret.size)
                    && ty.flags.contains(TypeFlags::MEM_RDONLY),
                format!("{bytes} bytes that may only be read"),
                format!("let a kind of the behaviour `region` be returned: `KIND({bytes}) | MEM_RDONLY`"),
            ),
            _ => return,
        };
        if !good {
            let text = format!("`{}` returns {what}, and the prototype says something else", self.row.word);
            self.lacks(None, text, help);
        }
    }

    /// The function is called as it is fed, and no fewer times than was looked at.
    fn calls(&mut self, calls: &Calls) {
        let name = self.name(calls.func);
        let help = format!("write `calls {name} as CALLBACK;`");
        let such = |step: &Step| matches!(step, Step::CallBack { func, .. } if *func == calls.func);
        self.must(Some(calls.func), such, "calls", &help);
        let built = self.built;
        for (_, step) in &built.row.steps {
            let Step::CallBack { callback, entry, times, .. } = step else { continue };
            let Some(signature) = self.tables.callbacks.get(usize::from(*callback)) else { continue };
            if signature.flags.contains(CallbackFlags::ASYNC) != calls.later {
                let (when, word) =
                    if calls.later { ("later", "async") } else { ("before it returns", "sync") };
                let text = format!("`{}` has `{name}` called {when}", self.row.word);
                self.lacks(Some(calls.func), text, format!("take a callback that is `{word}`"));
            }
            for (register, value) in entry {
                let feed = usize::from(*register).checked_sub(1).and_then(|at| calls.feeds.get(at));
                if !feed.is_some_and(|feed| self.feeds(*feed, *value)) {
                    let text = format!(
                        "`{}` gives `{}` something else in r{register} than it says",
                        self.row.word, signature.name
                    );
                    let fed: Vec<String> = calls
                        .feeds
                        .iter()
                        .zip(1..)
                        .map(|(feed, at)| format!("r{at} {}", self.fed(*feed)))
                        .collect();
                    self.lacks(Some(calls.func), text, format!("it gives {}", fed.join(", ")));
                }
            }
            let bounded = match (times, calls.times) {
                (None, _) => true,
                (Some(times), Some(arg)) => {
                    *times == Number::Bound(arg, Bound::Umax)
                        && self.always(|step| *step == Step::Precise(arg))
                }
                (Some(_), None) => false,
            };
            if !bounded {
                let text = format!("`{}` may call `{name}` more often than that", self.row.word);
                let help = match calls.times.map(|arg| self.name(arg)) {
                    Some(arg) => {
                        format!("write `up_to {arg}.umax` and `precise {arg};`, or leave `up_to` out")
                    }
                    None => "leave `up_to` out".to_owned(),
                };
                self.lacks(Some(calls.func), text, help);
            }
        }
    }

    /// Whether what a signature says of a register is what the body puts there.
    fn feeds(&self, feed: Feed, value: CallbackValue) -> bool {
        let is = |wanted, from: Option<u8>| match value {
            CallbackValue::Type(ty, Subject::None, of) => {
                self.tables.behaviour(ty) == Some(wanted) && (from.is_none() || of == from)
            }
            _ => false,
        };
        match feed {
            Feed::Number => is(Behaviour::Scalar, None),
            Feed::Caller(arg) => value == CallbackValue::Caller(arg),
            Feed::Map(arg) => is(Behaviour::Map, Some(arg)),
            Feed::Key(arg) => is(Behaviour::MapKey, Some(arg)),
            Feed::Value(arg) => is(Behaviour::MapValue, Some(arg)),
            Feed::Dynptr => is(Behaviour::StackObject, None),
        }
    }

    fn fed(&self, feed: Feed) -> String {
        match feed {
            Feed::Number => "a number".to_owned(),
            Feed::Caller(arg) => format!("`caller.{}`", self.name(arg)),
            Feed::Map(arg) => format!("the map of `{}`", self.name(arg)),
            Feed::Key(arg) => format!("a key of the map of `{}`", self.name(arg)),
            Feed::Value(arg) => format!("a value of the map of `{}`", self.name(arg)),
            Feed::Dynptr => "a stack object".to_owned(),
        }
    }

    /// What is said of a call that its body does not do.
    fn claims(&mut self) {
        let row = self.row;
        let demands = |such: &dyn Fn(&Demand) -> bool| row.demands.iter().any(such);
        for (_, step) in &self.built.row.steps {
            let (true_of_it, claim) = match step {
                Step::ReturnRange(low, high) => {
                    (within(row.gives, low, high), "may return numbers outside of that range")
                }
                Step::ReturnBytes(_) => (
                    demands(
                        &|demand| matches!(demand, Demand::ReturnsBytesOf(arg) if returns_bytes_of(step, *arg)),
                    ),
                    "does not return so many bytes",
                ),
                Step::NonnullForConstantKey { .. } => (
                    demands(&|demand| *demand == Demand::MayBeNonnull),
                    "may return null for a known key too",
                ),
                Step::ReturnOf(..) => (false, "returns the same sort of thing whatever its arguments"),
                Step::Construct(arg, ..) => (
                    demands(&|demand| {
                        *demand == Demand::Constructs(*arg) || *demand == Demand::ConstructsOwned(*arg)
                    }),
                    "makes no stack object there",
                ),
                Step::Clone(..) => (false, "copies no stack object"),
                Step::Advance(arg, ..) => {
                    (demands(&|demand| *demand == Demand::Advances(*arg)), "gives no next element")
                }
                Step::CallBack { func, .. } => (
                    demands(&|demand| matches!(demand, Demand::Calls(calls) if calls.func == *func)),
                    "does not call it",
                ),
                Step::TailCall { map, index, .. } => {
                    (demands(&|demand| *demand == Demand::TailCall(*map, *index)), "runs no other program")
                }
                Step::Throw(_) => (false, "does not end the program"),
                _ => (true, ""),
            };
            if !true_of_it {
                let text = format!("`{}` {claim}", row.word);
                self.lacks(None, text, "leave the clause that says so out".to_owned());
            }
        }
    }
}

fn constructs(step: &Step, arg: u8) -> Option<u8> {
    match step {
        Step::Construct(at, state, _) if *at == arg => Some(*state),
        _ => None,
    }
}

fn runs_other(step: &Step, map: u8, index: u8) -> bool {
    matches!(step, Step::TailCall { map: a, index: b, .. } if (*a, *b) == (map, index))
}

fn returns_bytes_of(step: &Step, arg: u8) -> bool {
    *step == Step::ReturnBytes(Number::Constant(arg))
}

/// Whether all that a body gives is between two numbers.
fn within(gives: Gives, low: &Number, high: &Number) -> bool {
    let Number::Literal(low) = low else { return false };
    match (gives, high) {
        (Gives::Between(least, most), Number::Literal(high)) => {
            *low <= i128::from(least) && *high >= i128::from(most)
        }
        (Gives::Processor, Number::NrCpus) => *low <= 0,
        (Gives::Processor, Number::Sub(all, one)) => {
            *low <= 0 && **all == Number::NrCpus && **one == Number::Literal(1)
        }
        _ => false,
    }
}
