//! copybook-rs through its public interface, without its command line, which writes to the file token by token.
//!
//! Arguments: `json` or `arrow`, copybook, data, threads, warm-up passes, timed passes, file for the values.
//! It is built in a scratch folder for a measurement and goes nowhere from there: copybook-rs is under the AGPL.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use copybook_arrow::{stream_to_batches, write_ipc, ArrowOptions};
use copybook_codec::{decode_file_to_jsonl, Codepage, DecodeOptions, RecordFormat};
use copybook_core::{parse_copybook, Schema};

fn json(schema: &Schema, data: &str, threads: usize, out: impl Write) -> Result<u64, Box<dyn Error>> {
    let options = DecodeOptions::new()
        .with_codepage(Codepage::CP037)
        .with_format(RecordFormat::Fixed)
        .with_threads(threads);
    let input = BufReader::with_capacity(1 << 20, File::open(data)?);
    let mut out = BufWriter::with_capacity(1 << 20, out);
    let summary = decode_file_to_jsonl(schema, input, &mut out, &options)?;
    out.flush()?;
    Ok(summary.records_processed)
}

fn processor_seconds() -> f64 {
    // User and system time in clock ticks, the 14th and 15th word; Linux counts 100 ticks a second.
    let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = line.rsplit(')').next().unwrap_or_default();
    let words: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| words.get(at).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, mode, copybook, data, threads, warm, timed, rest @ ..] = &arguments[..] else {
        return Err("seven arguments".into());
    };
    let (threads, warm, timed): (usize, usize, usize) = (threads.parse()?, warm.parse()?, timed.parse()?);
    let text = std::fs::read_to_string(copybook)?;
    let arrow = mode == "arrow";
    let mut seconds = Vec::new();
    let mut processor = 0.0;
    for pass in 0..warm + timed {
        if pass == warm {
            processor = processor_seconds();
        }
        let start = Instant::now();
        let schema = parse_copybook(&text)?;
        if arrow {
            let input = BufReader::with_capacity(1 << 20, File::open(data)?);
            let batches = stream_to_batches(input, &schema, &ArrowOptions::default())?;
            std::hint::black_box(&batches);
        } else {
            std::hint::black_box(json(&schema, data, threads, io::sink())?);
        }
        if pass >= warm {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    processor = processor_seconds() - processor;
    if let Some(out) = rest.first() {
        let schema = parse_copybook(&text)?;
        if arrow {
            let batches = stream_to_batches(BufReader::new(File::open(data)?), &schema, &ArrowOptions::default())?;
            let shape = batches.first().ok_or("no records")?.schema();
            write_ipc(Path::new(out), &batches, &shape)?;
        } else {
            json(&schema, data, threads, File::create(out)?)?;
        }
    }
    println!("{{\"seconds\": {seconds:?}, \"cpu\": {processor}}}");
    Ok(())
}
