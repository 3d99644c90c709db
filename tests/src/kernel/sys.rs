//! The bpf() system call: creating, loading, test runs, what is in maps. There is no attaching and no pinning
//! here, and none may be added. And the clock of the calling thread.

use std::{
    io,
    marker::PhantomData,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    time::Duration,
};

use probity_program::MapDef;

const MAP_CREATE: libc::c_int = 0;
const MAP_LOOKUP_ELEM: libc::c_int = 1;
const MAP_UPDATE_ELEM: libc::c_int = 2;
const MAP_DELETE_ELEM: libc::c_int = 3;
const MAP_GET_NEXT_KEY: libc::c_int = 4;
const PROG_LOAD: libc::c_int = 5;
const PROG_TEST_RUN: libc::c_int = 10;
const BTF_LOAD: libc::c_int = 18;
const MAP_LOOKUP_AND_DELETE_ELEM: libc::c_int = 21;
const MAP_FREEZE: libc::c_int = 22;

/// `union bpf_attr`, filled in by the offsets of its members. Borrows what it points to.
struct Attr<'a> {
    bytes: [u8; 168],
    used: usize,
    borrows: PhantomData<&'a mut [u8]>,
}

impl<'a> Attr<'a> {
    fn new() -> Attr<'a> {
        Attr { bytes: [0; 168], used: 0, borrows: PhantomData }
    }

    fn put(mut self, offset: usize, bytes: &[u8]) -> Self {
        let end = offset + bytes.len();
        self.bytes[offset..end].copy_from_slice(bytes);
        self.used = self.used.max(end.next_multiple_of(8));
        self
    }

    fn u32(self, offset: usize, value: u32) -> Self {
        self.put(offset, &value.to_ne_bytes())
    }

    fn u64(self, offset: usize, value: u64) -> Self {
        self.put(offset, &value.to_ne_bytes())
    }

    fn fd(self, offset: usize, fd: BorrowedFd<'a>) -> Self {
        self.put(offset, &fd.as_raw_fd().to_ne_bytes())
    }

    /// A pointer that the kernel reads; no pointer when `bytes` is empty.
    fn input(self, offset: usize, bytes: &'a [u8]) -> Self {
        let address = if bytes.is_empty() { 0 } else { bytes.as_ptr() as u64 };
        self.u64(offset, address)
    }

    /// A pointer that the kernel writes to.
    fn output(self, offset: usize, bytes: &'a mut [u8]) -> Self {
        let address = if bytes.is_empty() { 0 } else { bytes.as_mut_ptr() as u64 };
        self.u64(offset, address)
    }

    /// The name of an object: 15 characters of those that the kernel allows, and a zero.
    fn name(self, offset: usize, name: &str) -> Self {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        let bytes: Vec<u8> =
            name.bytes().take(15).map(|byte| if allowed(byte) { byte } else { b'_' }).collect();
        self.put(offset, &bytes)
    }

    fn read_u32(&self, offset: usize) -> u32 {
        u32::from_ne_bytes(self.bytes[offset..offset + 4].try_into().expect("four bytes"))
    }
}

/// Calls bpf(). The callers below keep the kernel's contract: every pointer in `attr` is borrowed
/// by it, and the sizes that go with the pointers are those of the slices.
#[expect(unsafe_code, reason = "a system call takes raw pointers")]
fn bpf(command: libc::c_int, attr: &mut Attr<'_>) -> io::Result<libc::c_long> {
    // SAFETY: see above; `used` is within `bytes`.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attr.bytes.as_mut_ptr(), attr.used) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn bpf_fd(command: libc::c_int, attr: &mut Attr<'_>) -> io::Result<OwnedFd> {
    let fd = bpf(command, attr)?;
    #[expect(unsafe_code, reason = "the kernel has just made this descriptor, for us alone")]
    // SAFETY: the commands that use this return a new descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(libc::c_int::try_from(fd).expect("a descriptor")) })
}

/// What a map is created from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MapCreate<'a> {
    pub(super) map_type: u32,
    pub(super) key_size: u32,
    pub(super) value_size: u32,
    pub(super) max_entries: u32,
    pub(super) flags: u32,
    pub(super) extra: u64,
    pub(super) name: &'a str,
    pub(super) inner: Option<BorrowedFd<'a>>,
    /// The BTF with the ids of the key's and the value's type.
    pub(super) btf: Option<(BorrowedFd<'a>, u32, u32)>,
}

impl<'a> MapCreate<'a> {
    /// A map as it is defined, without template and types.
    pub(super) fn of(map: &'a MapDef) -> MapCreate<'a> {
        MapCreate {
            map_type: map.map_type,
            key_size: map.key_size,
            value_size: map.value_size,
            max_entries: map.max_entries,
            flags: map.flags,
            extra: map.extra,
            name: &map.name,
            inner: None,
            btf: None,
        }
    }
}

/// A map, with the sizes that its accesses need.
#[derive(Debug)]
pub(super) struct MapFd {
    pub(super) fd: OwnedFd,
    key_size: u32,
    value_size: u32,
    map_type: u32,
}

impl MapFd {
    /// The descriptor's number, for instructions.
    pub(super) fn raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }
}

pub(super) fn map_create(map: &MapCreate<'_>) -> io::Result<MapFd> {
    let mut attr = Attr::new()
        .u32(0, map.map_type)
        .u32(4, map.key_size)
        .u32(8, map.value_size)
        .u32(12, map.max_entries)
        .u32(16, map.flags)
        .name(28, map.name)
        .u64(64, map.extra);
    if let Some(inner) = map.inner {
        attr = attr.fd(20, inner);
    }
    if let Some((btf, key, value)) = map.btf {
        attr = attr.fd(48, btf).u32(52, key).u32(56, value);
    }
    Ok(MapFd {
        fd: bpf_fd(MAP_CREATE, &mut attr)?,
        key_size: map.key_size,
        value_size: map.value_size,
        map_type: map.map_type,
    })
}

/// Writes the element of an array at index 0.
pub(super) fn array_write(map: &MapFd, value: &[u8]) -> io::Result<()> {
    const ARRAY: u32 = 2;
    let fits = map.map_type == ARRAY && map.key_size == 4;
    // The kernel reads as many bytes as the map's value has.
    if !fits || value.len() != map.value_size as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut attr = Attr::new().fd(0, map.fd.as_fd()).input(8, &[0; 4]).input(16, value).u64(24, 0);
    bpf(MAP_UPDATE_ELEM, &mut attr).map(drop)
}

/// Reads an element, and deletes it with `takes`. `value` must have as many bytes as the kernel
/// writes; of filters it is what is asked for.
pub(super) fn map_lookup(map: &MapFd, key: &[u8], value: &mut [u8], takes: bool) -> io::Result<()> {
    let command = if takes { MAP_LOOKUP_AND_DELETE_ELEM } else { MAP_LOOKUP_ELEM };
    bpf(command, &mut Attr::new().fd(0, map.fd.as_fd()).input(8, key).output(16, value).u64(24, 0)).map(drop)
}

/// Writes an element. `value` must have as many bytes as the kernel reads.
pub(super) fn map_update(map: &MapFd, key: &[u8], value: &[u8], flags: u64) -> io::Result<()> {
    let mut attr = Attr::new().fd(0, map.fd.as_fd()).input(8, key).input(16, value).u64(24, flags);
    bpf(MAP_UPDATE_ELEM, &mut attr).map(drop)
}

/// Deletes an element.
pub(super) fn map_delete(map: &MapFd, key: &[u8]) -> io::Result<()> {
    bpf(MAP_DELETE_ELEM, &mut Attr::new().fd(0, map.fd.as_fd()).input(8, key)).map(drop)
}

/// The key after one, or the first.
pub(super) fn map_next_key(map: &MapFd, key: &[u8], next: &mut [u8]) -> io::Result<()> {
    bpf(MAP_GET_NEXT_KEY, &mut Attr::new().fd(0, map.fd.as_fd()).input(8, key).output(16, next)).map(drop)
}

/// Takes user space the right to write to the map.
pub(super) fn map_freeze(fd: BorrowedFd<'_>) -> io::Result<()> {
    bpf(MAP_FREEZE, &mut Attr::new().fd(0, fd)).map(drop)
}

pub(super) fn btf_load(bytes: &[u8], log: &mut [u8]) -> io::Result<OwnedFd> {
    let log_size = size(log);
    let mut attr = Attr::new().input(0, bytes).u32(16, size(bytes));
    if log_size > 0 {
        attr = attr.output(8, log).u32(20, log_size).u32(24, 1);
    }
    bpf_fd(BTF_LOAD, &mut attr)
}

/// What a program is loaded from. All records are in the kernel's own form.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProgLoad<'a> {
    pub(super) prog_type: u32,
    pub(super) attach_type: u32,
    pub(super) flags: u32,
    pub(super) name: &'a str,
    pub(super) license: &'a str,
    pub(super) insns: &'a [u8],
    /// The type in the kernel's BTF that says what is traced; 0 for none.
    pub(super) attach_btf_id: u32,
    pub(super) btf: Option<BorrowedFd<'a>>,
    /// `struct bpf_func_info`, 8 bytes each.
    pub(super) func_info: &'a [u8],
    /// `struct bpf_line_info`, 16 bytes each.
    pub(super) line_info: &'a [u8],
}

/// The answer to a load: the program or the error, and the size that the whole log would have.
pub(super) struct Loaded {
    pub(super) result: io::Result<OwnedFd>,
    pub(super) log_size: usize,
}

/// Loads a program. `log` is empty or at least 128 bytes long; with an empty one the level must be
/// 0 or 4.
pub(super) fn prog_load(program: &ProgLoad<'_>, log_level: u32, log: &mut [u8]) -> Loaded {
    let mut license = program.license.as_bytes().to_vec();
    license.retain(|&byte| byte != 0);
    license.push(0);
    let log_size = size(log);
    let mut attr = Attr::new()
        .u32(0, program.prog_type)
        .u32(4, size(program.insns) / 8)
        .input(8, program.insns)
        .input(16, &license)
        .u32(24, log_level)
        .u32(28, log_size)
        .output(32, log)
        .u32(44, program.flags)
        .name(48, program.name)
        .u32(68, program.attach_type)
        .u32(108, program.attach_btf_id)
        .u64(136, 0); // log_true_size is written there
    if let Some(btf) = program.btf {
        attr = attr
            .fd(72, btf)
            .u32(76, 8)
            .input(80, program.func_info)
            .u32(88, size(program.func_info) / 8)
            .u32(92, 16)
            .input(96, program.line_info)
            .u32(104, size(program.line_info) / 16);
    }
    let result = bpf_fd(PROG_LOAD, &mut attr);
    Loaded { result, log_size: attr.read_u32(140) as usize }
}

/// The numbers of a test run.
pub(super) struct Ran {
    pub(super) retval: u32,
    pub(super) duration: u32,
    pub(super) size_out: usize,
}

pub(super) fn prog_test_run(
    fd: BorrowedFd<'_>,
    data_in: &[u8],
    data_out: &mut [u8],
    repeat: u32,
) -> io::Result<Ran> {
    let size_out = size(data_out);
    let mut attr = Attr::new()
        .fd(0, fd)
        .u32(8, size(data_in))
        .u32(12, size_out)
        .input(16, data_in)
        .output(24, data_out)
        .u32(32, repeat)
        .u32(36, 0);
    bpf(PROG_TEST_RUN, &mut attr)?;
    Ok(Ran { retval: attr.read_u32(4), duration: attr.read_u32(36), size_out: attr.read_u32(12) as usize })
}

/// The time of a processor that the calling thread has used, its system calls included.
pub(super) fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "a system call takes a raw pointer")]
    // SAFETY: the kernel writes to `time` and keeps no pointer to it.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "every thread has such a clock");
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).expect("below a second"))
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("sizes in bpf_attr have 32 bits")
}
