//! Where there are no pages to be asked for: no machine code is made there.

use std::convert::Infallible;
use std::io;

/// What may be done with pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and written.
    Write,
    /// Read and executed.
    Execute,
}

/// None.
#[derive(Debug)]
pub(crate) struct Mapping(Infallible);

impl Mapping {
    pub(crate) fn new(_len: usize) -> io::Result<Mapping> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self.0 {}
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self.0 {}
    }

    pub(crate) fn allow(&mut self, _access: Access) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn apart(&self, _turn: bool) {
        match self.0 {}
    }
}
