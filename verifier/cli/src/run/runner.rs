//! A program with its input: runs on every packet, and what is said of them.

use std::path::Path;

use probity::program::Program;
use probity::vm::{Packet, Worker};

use super::context::{self, Frame, Given};
use super::engine::Ready;
use super::packets::Packets;
use super::record::{self, BytesLine, Hex, Line, PacketLine, RunLine, Subject, Summary};
use super::trouble::Trouble;
use super::{facts, text};
use crate::args::{Format, RunArgs};
use crate::input;
use crate::output::{Exit, complain_lines, print, print_jsonl};

/// Runs are printed together, so many at once.
const TOGETHER: usize = 1024;

/// A program with its input.
pub(super) struct Runner<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) path: &'a Path,
    pub(super) ready: Ready,
    pub(super) program: &'a Program,
    pub(super) given: Given,
    pub(super) subject: Subject,
    pub(super) worker: Worker,
}

impl Runner<'_> {
    /// Runs on all packets, and says what came of it.
    pub(super) fn all(mut self, packets: &Packets) -> Result<Exit, Trouble> {
        let file = match packets {
            Packets::Captured { file, .. } => Some(file.clone()),
            _ => None,
        };
        let mut summary = Summary::new(self.subject.clone(), file.clone().unwrap_or_default());
        let mut times = Vec::new();
        let mut lines = Vec::new();
        let mut first: Option<String> = None;
        for (number, frame) in packets.iter() {
            let line = self.case(number, frame)?;
            summary.count(&line, frame.map_or(0, |frame| frame.bytes.len() as u64));
            times.extend(line.time_ns);
            if let Some(error) = &line.error {
                let at = number.map(|number| format!("packet {number}: ")).unwrap_or_default();
                first.get_or_insert_with(|| format!("{at}{}", error.text()));
            }
            match (self.args.format, &file) {
                (Format::Jsonl, _) => lines.push(Line::Run(Box::new(line))),
                (Format::Text, None) => print(&text::run(&line))?,
                (Format::Text, Some(_)) => {}
            }
            if lines.len() == TOGETHER {
                print_jsonl(&lines)?;
                lines.clear();
            }
        }
        let exit = if summary.failed > 0 { Exit::Rejected } else { Exit::Accepted };
        summary.finish(times);
        match self.args.format {
            Format::Jsonl => {
                lines.extend(file.map(|_| Line::Summary(summary)));
                print_jsonl(&lines)?;
            }
            Format::Text => {
                if file.is_some() {
                    print(&text::summary(&summary))?;
                }
                if let Some(error) = first {
                    complain_lines(&error);
                }
            }
        }
        Ok(exit)
    }

    /// Runs on copies of one input; what is said of changes is of the first run.
    fn case(&mut self, number: Option<usize>, frame: Option<Frame<'_>>) -> Result<RunLine, Trouble> {
        let mut line = RunLine {
            subject: self.subject.clone(),
            number,
            r0: None,
            verdict: None,
            error: None,
            packet: None,
            context: Vec::new(),
            context_bytes: None,
            runs: self.args.repeat,
            time_ns: None,
        };
        let (platform, view) = (self.ready.unit().platform(), self.ready.unit().view());
        let mut bound = self.ready.bind(&mut self.worker, self.args.fuel)?;
        let mut times = Vec::new();
        for index in 0..self.args.repeat {
            let mut context = self.given.context(platform, view, frame)?;
            let mut packet = frame.map(|frame| Packet::new(frame.bytes));
            let before = (index == 0).then(|| context::numbers(platform, &mut context));
            let (result, time) =
                input::guarded(|| bound.run(&mut context, packet.as_mut())).map_err(Trouble::unreadable)?;
            times.push(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            if let Some(before) = before {
                match &self.given {
                    Given::Bytes(bytes) => {
                        let after = context.to_vec();
                        // What the program wrote behind the given bytes belongs to them.
                        let len = after.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                        let len = len.max(bytes.len());
                        let mut before = bytes.clone();
                        before.resize(len, 0);
                        line.context_bytes = Some(BytesLine::new(before, after[..len].to_vec()));
                    }
                    _ => line.context = context::changes(platform, &before, &mut context),
                }
                if let (Some(frame), Some(packet)) = (frame, packet.as_mut()) {
                    let metadata = Some(packet.metadata()).filter(|bytes| !bytes.is_empty()).map(Hex);
                    let bytes = BytesLine::new(frame.bytes.to_vec(), packet.to_vec());
                    line.packet = Some(PacketLine { bytes, metadata });
                }
            }
            match result {
                Ok(r0) if index == 0 => {
                    line.r0 = Some(r0);
                    line.verdict = facts::verdict(self.ready.unit().prog_type(), r0);
                }
                Ok(_) => {}
                Err(error) => {
                    line.r0 = None;
                    line.verdict = None;
                    line.error = Some(Trouble::of_run(&error, self.program, self.path));
                    return Ok(line);
                }
            }
        }
        line.time_ns = record::median(times);
        Ok(line)
    }
}
