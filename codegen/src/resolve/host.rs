//! How a host's functions see calls: computed from the finished model, where nothing is read any more.
//! What typed bindings can't express is left without one, with the reason: the runtime refuses programs
//! that call it, by name.

use probity_platform::{
    ArgRole, Behaviour, CallableFlags, CallbackFlags, HostArg, HostBound, HostEntry, HostField, HostRet,
    HostValue, Lifetime, RegType, Relation, RetType, Subject, TypeFlags,
};

use crate::model::{
    Access, Arg, Bound, Callable, CallbackValue, Guard, HostBinding, HostCall, Model, Number, Step, View,
};

/// What an error number may be: -4095..=0, when nothing else is said of a call that may fail.
const STATUS: (HostBound, HostBound) = (HostBound::Number(-4095), HostBound::Number(0));

/// Sets the bindings of all callables that a host has functions for.
pub(super) fn bind(model: &mut Model) {
    if !model.hosted {
        return;
    }
    let all: Vec<&Callable> = model.callables.iter().chain(&model.kfuncs).collect();
    let mut bindings: Vec<HostBinding> = all.iter().map(|row| binding(model, &all, row)).collect();
    let ending = |wanted: HostValue| {
        let ends = |binding: &HostBinding| {
            let call = binding.call()?;
            let number = |arg: &HostArg| matches!(arg.value, HostValue::Number { .. });
            let fits = call.args.first().is_some_and(|arg| arg.value == wanted && arg.register == 0);
            (fits && call.args[1..].iter().all(number)).then_some(())
        };
        bindings.iter().position(|binding| ends(binding).is_some()).and_then(|at| u16::try_from(at).ok())
    };
    let given_back: Vec<Option<u16>> = bindings
        .iter()
        .map(|binding| {
            let call = binding.call()?;
            let made = call.args.iter().find_map(|arg| match arg.value {
                HostValue::Made(object) => Some(object),
                _ => None,
            });
            match (call.ret, made) {
                (HostRet::Acquired { object, .. }, _) => ending(HostValue::Released(object)),
                (_, Some(object)) => ending(HostValue::Ended(object)),
                _ => None,
            }
        })
        .collect();
    for (binding, by) in bindings.iter_mut().zip(given_back) {
        if let HostBinding::Call(call) = binding {
            call.given_back_by = by;
        }
    }
    for (row, binding) in model.callables.iter_mut().chain(&mut model.kfuncs).zip(bindings) {
        row.host = binding;
    }
}

fn binding(model: &Model, all: &[&Callable], row: &Callable) -> HostBinding {
    if row.body.is_some() {
        return HostBinding::None;
    }
    match call(model, row) {
        Err(why) => HostBinding::Unsupported(why),
        Ok(mut call) => {
            // In whatever overload it is called.
            let is_it = |at: u16| {
                let named = all[usize::from(at)];
                named.number == row.number && (row.number != 0 || named.name == row.name)
            };
            let ends = |other: &&Callable| matches!(other.ret.lifetime, Lifetime::Until(at) if is_it(at));
            call.ends_lifetimes = all.iter().any(ends);
            HostBinding::Call(call)
        }
    }
}

/// What the steps of a callable's driver say about it.
#[derive(Default)]
#[allow(clippy::type_complexity)]
struct Effects<'a> {
    returns: Vec<(HostBound, HostBound)>,
    bytes: Option<HostBound>,
    acquires: bool,
    made: Option<u8>,
    ended: Option<u8>,
    callback: Option<(u8, u16, &'a [(u8, CallbackValue)], Option<HostBound>)>,
}

fn call(model: &Model, row: &Callable) -> Result<HostCall, String> {
    if row.flags.contains(CallableFlags::VARIADIC) {
        return Err("it takes any number of arguments".into());
    }
    let effects = effects(row)?;
    let mut args = Vec::new();
    for (register, arg) in (0u8..).zip(&row.args) {
        if let Some(value) = value(model, row, &effects, register, arg)? {
            let nullable = arg.flags.contains(TypeFlags::PTR_MAYBE_NULL);
            args.push(HostArg { register, value, nullable });
        }
    }
    let is_released = |arg: &HostArg| matches!(arg.value, HostValue::Released(_));
    if effects.callback.is_some() && args.iter().any(is_released) {
        // The program has it while it is called back, and the host may have let it go.
        return Err("it calls back with a reference that it takes".into());
    }
    let ret = returned(model, row, &effects)?;
    let stacked = |arg: &&HostArg| matches!(arg.value, HostValue::Used(_) | HostValue::Ended(_));
    let never_null = matches!(
        ret,
        HostRet::Object { nullable: false, .. }
            | HostRet::Acquired { nullable: false, .. }
            | HostRet::Memory { nullable: false, .. }
    );
    match args.iter().filter(stacked).count() {
        0 => {}
        // Where making the object failed, the host has no value to be asked.
        1 if never_null => return Err("it takes an object in the stack and returns no null".into()),
        1 => {}
        _ => return Err("it takes several objects in the stack".into()),
    }
    let until = match row.ret.lifetime {
        Lifetime::Until(callable) => Some(callable),
        _ => None,
    };
    Ok(HostCall { args, ret, returns: effects.returns, until, ends_lifetimes: false, given_back_by: None })
}

fn effects(row: &Callable) -> Result<Effects<'_>, String> {
    let mut effects = Effects::default();
    for (when, step) in &row.steps {
        match step {
            // They are about the program alone.
            Step::MapType { .. }
            | Step::Constant { .. }
            | Step::Require { .. }
            | Step::Precise(_)
            | Step::InvalidatePacket
            | Step::Advance(..)
            | Step::Slice(_)
            | Step::Leave { .. }
            | Step::Enter { fallible: false, .. } => continue,
            _ if when.is_some() => return Err("what it does hangs on a condition".into()),
            Step::Enter { .. } => effects.returns.push(STATUS),
            Step::ReturnRange(low, high) => effects.returns.push((bound(low, false)?, bound(high, true)?)),
            // The host's memory has so many at least.
            Step::ReturnBytes(bytes) => effects.bytes = Some(bound(bytes, false)?),
            Step::Acquire { .. } => effects.acquires = true,
            Step::Construct(arg, ..) => effects.made = Some(*arg),
            Step::Destroy(arg, _) => effects.ended = Some(*arg),
            Step::CallBack { callback, func, entry, times, .. } => {
                let times = times.as_ref().map(|times| bound(times, true)).transpose()?;
                effects.callback = Some((*func, *callback, entry, times));
            }
            Step::Unsupported { what, .. } => return Err(format!("unsupported: {what}")),
            Step::NonnullForConstantKey { .. } | Step::Cast(_) | Step::ReturnOf(..) => {
                return Err("what it returns hangs on an argument".into());
            }
            Step::Clone(..) => return Err("it copies an object in the stack".into()),
            Step::Disown(..) => return Err("it takes a reference that stays readable".into()),
            Step::Member(..) | Step::Format(..) => return Err("it takes more than typed memory".into()),
            Step::Throw(_) => return Err("it ends the program from within".into()),
            Step::TailCall { .. } => return Err("it runs another program".into()),
        }
    }
    Ok(effects)
}

/// A bound in terms of what the arguments of a call really are. The verifier computed it from what they
/// can be: the real one must be as tight.
fn bound(number: &Number, upper: bool) -> Result<HostBound, String> {
    match (number, upper) {
        (Number::Literal(number), _) => {
            Ok(HostBound::Number(i64::try_from(*number).unwrap_or(if *number < 0 {
                i64::MIN
            } else {
                i64::MAX
            })))
        }
        (Number::Constant(arg), _)
        | (Number::Bound(arg, Bound::Umax), true)
        | (Number::Bound(arg, Bound::Umin), false) => Ok(HostBound::Argument(*arg)),
        (Number::Bound(arg, Bound::Smax), true) | (Number::Bound(arg, Bound::Smin), false) => {
            Ok(HostBound::SignedArgument(*arg))
        }
        _ => Err("a bound of it is computed from arguments".into()),
    }
}

/// What an argument is to the host; None for what belongs to another argument.
fn value(
    model: &Model,
    row: &Callable,
    effects: &Effects<'_>,
    register: u8,
    arg: &Arg,
) -> Result<Option<HostValue>, String> {
    let no = |what: &str| Err(format!("`{}` is {what}", arg.name));
    let flags = arg.flags;
    let (uninit, writable) = (flags.contains(TypeFlags::MEM_UNINIT), flags.contains(TypeFlags::MEM_WRITE));
    let number = HostValue::Number { bytes: 8, signed: false };
    let role = model.arg_classes[usize::from(arg.class)].role;
    if uninit && !flags.contains(TypeFlags::MEM_WRITE) && role == ArgRole::Mem {
        // The verifier lets read-only memory be passed.
        return no("memory that holds nothing and that nobody may write");
    }
    if flags.contains(TypeFlags::PTR_MAYBE_NULL) && role == ArgRole::StackObject {
        return no("an object in the stack that may be null");
    }
    Ok(Some(match role {
        // The verifier took it for the size of what stands before it.
        ArgRole::Size | ArgRole::SizeOrZero | ArgRole::ConstSize => return Ok(None),
        // A callback is given it.
        ArgRole::Stack => return Ok(None),
        ArgRole::Anything
        | ArgRole::Scalar
        | ArgRole::Const
        | ArgRole::AllocSize
        | ArgRole::AllocSizeOrZero
        | ArgRole::Ignored => number,
        ArgRole::Int => match arg.subject {
            Subject::Int { bytes, signed } => HostValue::Number { bytes, signed },
            _ => number,
        },
        ArgRole::Map => HostValue::Map,
        ArgRole::Mem => match arg.relation {
            Relation::SizedBy(size) if size == register + 1 => HostValue::Slice { writable, uninit },
            Relation::None if arg.size > 0 => HostValue::Memory { bytes: arg.size, writable, uninit },
            _ => return no("memory of no known size"),
        },
        ArgRole::Pointer => HostValue::Context(context(model, row, arg)?),
        ArgRole::Func => callback(model, row, effects, register)?,
        ArgRole::Object => match arg.subject {
            Subject::Object(object) => {
                layout(model, object)?;
                if flags.contains(TypeFlags::OBJ_RELEASE) {
                    HostValue::Released(object)
                } else {
                    HostValue::Object(object)
                }
            }
            _ => return no("an object of any type"),
        },
        ArgRole::StackObject => match arg.subject {
            _ if flags.contains(TypeFlags::OBJ_RELEASE) => {
                return no("an object in the stack that is released");
            }
            Subject::StackObject(object) if effects.made == Some(register) => HostValue::Made(object),
            Subject::StackObject(object) if effects.ended == Some(register) => HostValue::Ended(object),
            Subject::StackObject(object) if !uninit => HostValue::Used(object),
            _ => return no("an object in the stack of any type"),
        },
        ArgRole::MapKey | ArgRole::MapValue => return no("a key or value of a map"),
        ArgRole::Field => return no("a special field"),
        ArgRole::ConstStr => return no("a constant string"),
        ArgRole::Hidden => return no("nothing that programs pass"),
    }))
}

/// A function of the program that is called before the call ends.
fn callback(model: &Model, row: &Callable, effects: &Effects<'_>, register: u8) -> Result<HostValue, String> {
    let Some((_, callback, given, times)) = effects.callback.filter(|(func, ..)| *func == register) else {
        return Err("nothing says how it calls back".into());
    };
    if model.callbacks[usize::from(callback)].flags.contains(CallbackFlags::ASYNC) {
        return Err("it has a function called later".into());
    }
    let mut entry = [HostEntry::Nothing; 5];
    for (register, value) in given {
        let Some(place) = usize::from(*register).checked_sub(1).and_then(|at| entry.get_mut(at)) else {
            continue;
        };
        *place = match value {
            CallbackValue::Caller(arg) if usize::from(*arg) < row.args.len() => HostEntry::Caller(*arg),
            CallbackValue::Type(ty, subject, None) => {
                match (model.kinds[usize::from(ty.kind.0)].behaviour, subject) {
                    (Behaviour::Scalar, _) => HostEntry::Number,
                    (Behaviour::Object, Subject::Object(object)) if ty.flags.difference(GIVEN).is_empty() => {
                        layout(model, *object)?;
                        HostEntry::Object(*object)
                    }
                    _ => return Err("what it calls back with is neither a number nor an object".into()),
                }
            }
            _ => return Err("what it calls back with belongs to a map".into()),
        };
    }
    Ok(HostValue::Callback { callback, entry, times })
}

/// Modifiers that change nothing for a host.
const GIVEN: TypeFlags = TypeFlags::PTR_TRUSTED.union(TypeFlags::MEM_RDONLY).union(TypeFlags::MEM_FIXED_SIZE);

/// What a host gives back.
fn returned(model: &Model, row: &Callable, effects: &Effects<'_>) -> Result<HostRet, String> {
    if effects.made.is_some() {
        return match row.ret.ty {
            RetType::Integer => Ok(HostRet::Made),
            _ => Err("it makes an object in the stack and returns more than whether it did".into()),
        };
    }
    let ty = match row.ret.ty {
        RetType::Void => return Ok(HostRet::Nothing),
        RetType::Integer => {
            return Ok(match row.ret.subject {
                Subject::Int { bytes, signed } => HostRet::Number { bytes, signed },
                _ => HostRet::Number { bytes: 8, signed: true },
            });
        }
        RetType::Pointer(ty) => ty,
    };
    let nullable = ty.flags.contains(TypeFlags::PTR_MAYBE_NULL);
    if !ty.flags.difference(GIVEN | TypeFlags::PTR_MAYBE_NULL).is_empty() {
        return Err("it returns a pointer with modifiers".into());
    }
    match (model.kinds[usize::from(ty.kind.0)].behaviour, row.ret.subject, effects.bytes) {
        (Behaviour::Object, Subject::Object(object), _) => {
            layout(model, object)?;
            Ok(match effects.acquires {
                true => HostRet::Acquired { object, nullable },
                false => HostRet::Object { object, nullable },
            })
        }
        (Behaviour::Region, ..) if effects.acquires => Err("it returns memory that must be released".into()),
        (Behaviour::Region, _, Some(bytes)) => Ok(HostRet::Memory { bytes, nullable }),
        (Behaviour::Region, ..) if row.ret.size > 0 => {
            Ok(HostRet::Memory { bytes: HostBound::Number(row.ret.size.into()), nullable })
        }
        _ => Err(format!("it returns {}", model.kinds[usize::from(ty.kind.0)].name)),
    }
}

/// That a host can have objects of a type: the spec has their layout, which is the host's too, and no
/// field is a pointer that the program would trust.
fn layout(model: &Model, object: u16) -> Result<(), String> {
    let row = &model.objects[usize::from(object)];
    let no = |what: &str| Err(format!("objects of type `{}` {what}", row.name));
    let Some(view) = row.view.map(|view| &model.views[usize::from(view)]) else {
        return no("have no layout in the spec");
    };
    if !is_plain(model, view) {
        return no("hold more than numbers");
    }
    let size = |object: u16| {
        let view = model.objects.get(usize::from(object)).and_then(|row| row.view);
        view.map_or(u32::MAX, |view| model.views[usize::from(view)].size)
    };
    if row.upcasts.iter().any(|&upcast| size(upcast) > view.size) {
        return no("are smaller than what they are taken for");
    }
    Ok(())
}

/// The host's struct is the program's, and all fields are numbers.
fn is_plain(model: &Model, view: &View) -> bool {
    let number =
        |access: &Access| model.kinds[usize::from(access.yields.kind.0)].behaviour == Behaviour::Scalar;
    view.fields.iter().all(|field| {
        field.access.iter().all(number) && field.host == HostField { offset: field.offset, size: field.size }
    })
}

/// The view of the context that an argument takes: the same in all program types that offer the call.
fn context(model: &Model, row: &Callable, arg: &Arg) -> Result<u16, String> {
    let class = &model.arg_classes[usize::from(arg.class)];
    let is_context = |ty: &RegType| model.kinds[usize::from(ty.kind.0)].behaviour == Behaviour::Context;
    if class.accepts.is_empty() || !class.accepts.iter().all(is_context) {
        return Err(format!("`{}` is a {}", arg.name, class.name));
    }
    let is_offered = |list: &[(u16, Guard)], rows: &[Callable]| {
        list.iter().any(|(at, _)| rows.get(usize::from(*at)).is_some_and(|other| std::ptr::eq(other, row)))
    };
    let mut views = model
        .prog_types
        .iter()
        .filter(|ty| is_offered(&ty.callables, &model.callables) || is_offered(&ty.kfuncs, &model.kfuncs))
        .map(|ty| ty.ctx);
    let Some(first) = views.next() else {
        return Err("no program type offers it".into());
    };
    let name = |view: u16| &model.views[usize::from(view)].name;
    if views.any(|view| name(view) != name(first)) {
        return Err(format!("`{}` is a context of several types", arg.name));
    }
    Ok(first)
}
