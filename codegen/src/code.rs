//! The codes of spec diagnostics. A number, once given, keeps its meaning.
//!
//! | numbers | subject |
//! |---|---|
//! | S001-S019 | syntax |
//! | S020-S039 | names, numbers, versions, the platform as a whole |
//! | S040-S069 | helpers and their arguments |
//! | S070-S079 | views and structs |
//! | S080-S099 | sets and program types |

use std::fmt;

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The spec is refused.
    Error,
    /// The spec is accepted, unless warnings are denied.
    Warning,
}

/// Defines [`Code`] and the tables about it from one list.
macro_rules! codes {
    ($( $number:literal $severity:ident $name:ident $title:literal, )*) => {
        /// What is wrong with a spec.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $( #[doc = concat!("S", stringify!($number), ": ", $title, ".")] $name = $number, )*
        }

        impl Code {
            /// All codes, ascending.
            pub const ALL: &'static [Code] = &[$( Code::$name, )*];

            /// The code's name, `UnknownName`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Code::$name => stringify!($name), )* }
            }

            /// What the code stands for, in a line.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $( Code::$name => $title, )* }
            }

            /// How grave it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $( Code::$name => Severity::$severity, )* }
            }
        }
    };
}

codes! {
    // Syntax.
    1 Error UnexpectedToken "something else belongs here",
    2 Error HalfOpenRange "a range without its end; ranges are inclusive",
    3 Error UnknownKeyword "no item or clause begins with this word",
    4 Error UnterminatedBlock "a bracket that is never closed, or closed by another",
    5 Error TooDeep "nested too deep, or too long",
    6 Error BadNumber "a number that is none, or is too large",
    7 Error BadCharacter "a character that the language does not have",
    8 Error BadString "a string that does not end, or an unknown escape",
    9 Error StrayDoc "a doc comment that documents nothing",
    10 Error FileTooLarge "a file above the size limit",

    // Names, numbers, versions, the platform as a whole.
    20 Error UnknownName "a name that nothing declares",
    21 Error DuplicateName "a name that is declared twice",
    22 Error DuplicateNumber "a number that is given twice",
    23 Error UnknownBehaviour "a behaviour or role that the engine does not have",
    24 Error MissingPlatform "no platform item",
    25 Error SeveralPlatforms "several platform items",
    26 Error SinceAfterUntil "an end that does not come after its beginning",
    27 Error EmptyRange "a range that holds nothing",
    28 Error RepeatedClause "a clause that may stand only once",
    29 Error MissingClause "a clause that must be there",
    30 Error OutOfRange "a number outside of what its place can hold",
    31 Error MisplacedItem "an item or clause that has no place here",

    // Helpers and their arguments.
    40 Error TooManyArguments "more than five arguments",
    41 Error MemoryWithoutSize "a memory argument without its size",
    42 Error SizeWithoutMemory "a size argument without its memory",
    43 Error NoMapBefore "a key or value argument without a map before it",
    44 Error WrongArgumentClass "a clause or atom on an argument of the wrong class",
    45 Error NonNullFedByNullable "a non-null class fed by a nullable type",
    46 Error MissingProto "a helper without a prototype",
    47 Error UnknownIntrinsic "a body that the runtime does not have",
    48 Error IntrinsicSignature "a prototype that is not its intrinsic's",
    49 Warning UnreachableHelper "a helper that no program type can reach",
    50 Error BadExpression "an expression that makes no sense here",
    51 Error NeverReleased "a reference class that nothing releases",
    52 Error NeverAcquired "a reference class that nothing acquires",
    53 Error ReleaseMismatch "a released class without an argument that is given up, or the reverse",

    54 Error CallbackWithoutSignature "a function argument without a callback's signature",
    55 Error CallbackFeed "a callback register that is fed by what is no argument",
    56 Error NoLifetime "a returned pointer without a lifetime, on a platform with a host",
    57 Error KfuncPrototype "a flag of a kfunc that its prototype does not fit",
    58 Error NeverLeft "a region that nothing leaves",
    59 Error NeverEntered "a region that nothing enters",
    60 Error NeverConstructed "a stack object, or a state of it, that nothing makes",
    61 Error NeverDestroyed "a stack object that must be destroyed and that nothing destroys",
    62 Error UpcastCycle "an object that is its own first member",
    63 Error ClassKind "a class that accepts what its role can't take",
    64 Error BodyContract "what is bound to a body and does not say what the body does",

    // Views and structs.
    70 Error OverlappingFields "fields that overlap",
    71 Error MisalignedField "a field that is not aligned to its size",
    72 Error FieldOverflow "a field that reaches beyond its struct",
    73 Error PointerTooNarrow "a pointer field too narrow to convert",
    74 Error BadAccess "access sizes or modes that fit no field",
    75 Error NotPlain "a rule of access or a host type in a plain struct",

    // Sets and program types.
    80 Error SetCycle "a set that includes itself",
    81 Error ExclusionOfNothing "an exclusion of what is not there",
    82 Error NeverAvailable "a callable that no version of the set can offer",
    83 Warning MissingSection "a program type without a section name",
    84 Error WrongSort "a helper among kfuncs, or a kfunc among helpers",
}

impl Code {
    /// The code's number.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }

    /// True when the text could not be read.
    #[must_use]
    pub fn is_syntax(self) -> bool {
        self.number() < 20
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{:03}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_print_with_three_digits() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        assert_eq!(Code::UnexpectedToken.to_string(), "S001");
        assert_eq!(Code::UnexpectedToken.name(), "UnexpectedToken");
    }
}
