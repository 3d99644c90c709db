//! Programs that were verified, ready to run.

use std::any::Any;
use std::sync::Arc;

use probity_engine::Verified;

use crate::context::Context;
use crate::fault::RunError;
use crate::host::Linked;
use crate::link::LinkError;
use crate::maps::Map;
use crate::packet::Packet;
use crate::runtime::Worker;
use crate::unit::Unit;

/// A verified program with its maps. Only a [`Verified`] makes one. Clones are the same program.
#[derive(Clone, Debug)]
pub struct Executable {
    pub(crate) unit: Arc<Unit>,
}

/// What a program is called with.
#[derive(Debug, Default)]
pub struct Input<'a> {
    /// The context; None: one of zeros.
    pub context: Option<&'a mut Context>,
    /// The packet, for programs that are called with one.
    pub packet: Option<&'a mut Packet>,
    /// The host, for platforms that have one.
    pub host: Option<&'a mut dyn Any>,
    /// How many back edges and calls it may take; None: as many as it likes.
    pub fuel: Option<u64>,
    /// Runs in the interpreter, also when there is machine code.
    pub interpreted: bool,
}

impl Executable {
    /// Links a verified program with maps that were made from its definitions, in their order.
    ///
    /// # Errors
    ///
    /// When the maps are others, or the runtime lacks something that the program uses, by name.
    pub fn new(verified: &Verified, maps: Vec<Arc<Map>>) -> Result<Executable, LinkError> {
        Ok(Executable { unit: Unit::verified(verified, maps, None)?.share() })
    }

    /// As [`Executable::new`], for a program that calls functions of a host.
    ///
    /// # Errors
    ///
    /// As for [`Executable::new`], and when the functions are those of another platform.
    pub fn with_host(
        verified: &Verified,
        maps: Vec<Arc<Map>>,
        host: &Linked,
    ) -> Result<Executable, LinkError> {
        Ok(Executable { unit: Unit::verified(verified, maps, Some(host))?.share() })
    }

    /// The linked program.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Runs it once; gives r0. For many runs there is [`Executable::session`].
    ///
    /// # Errors
    ///
    /// When the run ended early.
    pub fn run(&self, worker: &mut Worker, input: Input<'_>) -> Result<u64, RunError> {
        let mut session = self.session(worker, input.context)?;
        session.fuel(input.fuel);
        session.interpreted(input.interpreted);
        session.run_with(input.packet, input.host)
    }
}
