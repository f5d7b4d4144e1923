import ArgumentParser
import BacktestHarness
import BuiltinModels
import EventJournal
import Foundation
import TradingEngine

/// `martlet replay`: the seven stages over a file.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Run the whole engine over a feed with simulated venues and print what it did.",
    discussion: """
      Prints one JSON object: counts per stage, decisions, orders, fills, profit, state_hash and decision_checksum. The same
      input and configuration give the same bytes; only --timing adds latencies, which do not repeat.

      Example: martlet replay --feed itch50 --input day.itch50 --print-config > engine.json
               martlet replay --feed itch50 --input day.itch50 --config engine.json --journal journal
      """)

  @OptionGroup var feed: FeedOptions

  @Option(help: ArgumentHelp("Configuration; without it the built-in one.", valueName: "ENGINE.json"))
  var config: String?

  @Option(help: ArgumentHelp("Folder to keep decisions, orders and reports in.", valueName: "DIR"))
  var journal: String?

  @Option(
    help: ArgumentHelp(
      "Journal of an earlier sharded run whose order of shared-limit grants is repeated.", valueName: "DIR"))
  var repeatGrants: String?

  @Flag(help: "Add latency percentiles of every stage.")
  var timing = false

  @Flag(help: "Print the configuration that would be used and stop.")
  var printConfig = false

  func validate() throws {
    if !printConfig { try feed.demandInput() }
    try feed.demandItch(for: "replay")
  }

  func run() throws {
    let configuration = try readConfiguration()
    let output = try OutputText(feed.output, force: feed.force)
    if printConfig {
      output.write(configuration.json)
      return try output.finish()
    }
    let bytes = try InputBytes.read(feed.input)
    let scan: FeedScan
    do { scan = try FeedScan(bytes.rawBytes, configuration: configuration) } catch {
      throw ToolFailure.badInput("\(feed.input): \(error)")
    }
    try feed.judge(scan.ending, messages: scan.messageCount)
    let setup: ReplaySetup
    do {
      setup = ReplaySetup(
        configuration: configuration, directory: scan.directory, artifact: try BuiltinModels.ensemble(),
        midnight: try feed.midnight())
    } catch { throw ToolFailure.badInput("\(error)") }

    let topology = configuration.topology.engine
    if repeatGrants != nil, configuration.topology.layout != .sharded {
      throw ToolFailure.badInput("\(config ?? "configuration"): topology.layout: sharded expected with --repeat-grants")
    }
    if topology != .inline {
      guard !timing else {
        throw ToolFailure.badInput("\(config ?? "configuration"): topology.layout: inline expected with --timing")
      }
      var plan = TopologyRun(setup, topology)
      plan.replaying = try grants()
      try run(bytes, plan, into: output)
    } else if timing {
      let probe = StageProbe(clock: TickClock(), in: Arena(capacityBytes: 64 << 20))
      try run(bytes, setup, probe: probe, timing: latencies, into: output)
    } else {
      try run(bytes, setup, probe: NoProbe(), timing: { (_: borrowing NoProbe) in nil }, into: output)
    }
    try output.finish()
  }

  private func readConfiguration() throws -> EngineConfiguration {
    guard let config else { return EngineConfiguration() }
    do { return try EngineConfiguration(json: try InputBytes.read(config), source: config) } catch let error
      as ConfigurationError
    { throw ToolFailure.badInput(error) }
  }

  /// Replays with `probe`, into a journal where one was asked for.
  private func run<Probe: PipelineProbe & ~Copyable>(
    _ bytes: [UInt8], _ setup: ReplaySetup, probe: consuming Probe, timing: (borrowing Probe) -> String?,
    into output: OutputText
  ) throws {
    guard let journal else {
      var pipeline = try makePipeline(setup, probe: probe, sink: DecisionChecksum())
      replay(bytes, through: &pipeline)
      return write(ReplaySummary(pipeline), checksum: pipeline.sink.hex, timing: timing(pipeline.probe), into: output)
    }
    let writer = try openJournal(journal)
    var pipeline = try makePipeline(setup, probe: probe, sink: journalSink(writer))
    replay(bytes, through: &pipeline)
    try close(writer, journal, through: pipeline.sink.lastSequence)
    write(
      ReplaySummary(pipeline), checksum: pipeline.sink.checksum.hex, timing: timing(pipeline.probe), into: output)
  }

  /// Replays over several threads, into a journal where one was asked for.
  private func run(_ bytes: [UInt8], _ run: TopologyRun, into output: OutputText) throws {
    guard let journal else {
      let outcome = try outcome(of: run, bytes, into: DecisionChecksum())
      return write(outcome.summary, checksum: outcome.sink.hex, topology: run.topology, timing: nil, into: output)
    }
    let writer = try openJournal(journal)
    let outcome = try outcome(of: run, bytes, into: journalSink(writer))
    try close(writer, journal, through: outcome.sink.lastSequence)
    write(outcome.summary, checksum: outcome.sink.checksum.hex, topology: run.topology, timing: nil, into: output)
  }

  /// The recorded uses of the shared limits to repeat.
  private func grants() throws -> [LimitUse]? {
    guard let repeatGrants else { return nil }
    let uses: [LimitUse]
    do { uses = try LimitUse.recorded(inJournal: repeatGrants) } catch {
      throw ToolFailure.badInput("\(repeatGrants): \(error)")
    }
    guard !uses.isEmpty else {
      throw ToolFailure.badInput(
        "\(repeatGrants): the journal of a sharded run expected, no use of a shared limit found")
    }
    if let gap = LimitUse.firstGap(in: uses) {
      throw ToolFailure.badInput("\(repeatGrants): use \(gap.ticket) of shared limit \(gap.number) expected, not found")
    }
    return uses
  }

  /// What a run over several threads leaves, or one line that names the thread that failed.
  private func outcome<Sink: DecisionSink & ~Copyable>(
    of run: TopologyRun, _ bytes: [UInt8], into sink: consuming Sink
  ) throws -> TopologyOutcome<Sink> {
    do throws(TopologyError) {
      return try run.run(bytes, into: sink)
    } catch { throw ToolFailure.checkFailed("topology \(run.topology): \(error)") }
  }

  private func journalSink(_ writer: JournalWriter) -> JournalSink {
    let name = URL(fileURLWithPath: feed.input).lastPathComponent
    return JournalSink(writer, source: TraceID.source(feed: feed.feed.rawValue, session: name))
  }

  /// Waits until everything is on the disk.
  private func close(_ writer: JournalWriter, _ folder: String, through last: UInt64) throws {
    do {
      try writer.flush(through: last, until: .after(milliseconds: 60_000))
      try writer.close(until: .after(milliseconds: 60_000))
    } catch { throw ToolFailure.checkFailed("\(folder): \(error)") }
  }

  /// A pipeline, or one line that names the configuration it cannot be built from.
  private func makePipeline<Probe: PipelineProbe & ~Copyable, Sink: DecisionSink & ~Copyable>(
    _ setup: ReplaySetup, probe: consuming Probe, sink: consuming Sink
  ) throws -> ReplayPipeline<Probe, Sink> {
    do {
      return try setup.makePipeline(probe: probe, sink: sink)
    } catch { throw ToolFailure.badInput("\(config ?? "built-in configuration"): \(error)") }
  }

  /// A writer over `folder`, which is new or empty unless forced.
  private func openJournal(_ folder: String) throws -> JournalWriter {
    let exists = (try? FileManager.default.contentsOfDirectory(atPath: folder).isEmpty) == false
    guard feed.force || !exists else {
      throw ToolFailure.badInput("\(folder): holds something already; --force adds to it")
    }
    let writer: JournalWriter
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { throw ToolFailure.badInput("\(folder): a folder that can be made expected") }
    do {
      writer = try JournalWriter(
        storage: try FileStorage(directory: folder), in: Arena(capacityBytes: 64 << 20))
    } catch { throw ToolFailure.badInput("\(folder): \(error)") }
    return writer
  }

  /// Every message of the file, in order, with progress on a terminal.
  private func replay<Probe: PipelineProbe & ~Copyable, Sink: DecisionSink & ~Copyable>(
    _ bytes: [UInt8], through pipeline: inout ReplayPipeline<Probe, Sink>
  ) {
    let showsProgress = isatty(STDERR_FILENO) == 1 && bytes.count > 50_000_000
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
      if showsProgress, sequence % 1_000_000 == 0 {
        let percent = 100 * frames.offset / bytes.count
        FileHandle.standardError.write(Data("martlet: \(sequence) messages, \(percent) %\n".utf8))
      }
    }
    pipeline.finish()
  }

  private func latencies(_ probe: borrowing StageProbe) -> String? {
    func row(_ name: String, _ histogram: borrowing LatencyHistogram) -> String {
      func text(_ value: Int64?) -> String { value.map { "\($0)" } ?? "null" }
      return "\"\(name)\":{\"count\":\(histogram.count),\"p50_ns\":\(text(histogram.percentile(.p50))),"
        + "\"p99_ns\":\(text(histogram.percentile(.p99))),\"p999_ns\":\(text(histogram.percentile(.p999)))}"
    }
    var rows = PipelineStage.allCases.map { row($0.name, probe.stages[$0]) }
    rows.append(row("end_to_end", probe.stages.endToEnd))
    return "{" + rows.joined(separator: ",") + "}"
  }

  private func write(
    _ summary: ReplaySummary, checksum: String, topology: EngineTopology = .inline, timing: String?,
    into output: OutputText
  ) {
    let counts = summary.counts
    let sized = counts[.noSize] + counts[.rejected] + counts[.routed] + counts[.noRoute]
    let stages = [
      ("ingest", counts.messages), ("features", counts.triggers), ("inference", counts.triggers),
      ("regime", counts.triggers - counts.unusableForecasts), ("sizing", sized), ("pretrade", sized - counts[.noSize]),
      ("routing", counts[.routed] + counts[.noRoute]),
    ]
    let rejects = summary.rejects.map { "\"\($0.check)\":\($0.count)" }.joined(separator: ",")
    let verdicts = DecisionVerdict.allCases.map { "\"\($0)\":\(counts[$0])" }.joined(separator: ",")
    output.write("{\"stages\":{" + stages.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "},\n")
    output.write("\"triggers\":\(counts.triggers),\"decisions\":\(counts.decisions),\"verdicts\":{\(verdicts)},\n")
    output.write("\"rejects\":{\(rejects)},\"orders\":\(counts.orders),\"fills\":\(counts.fills),\n")
    output.write(
      "\"profit\":\"\(summary.profit.text(places: 2))\",\"realised\":\"\(summary.realised.text(places: 2))\","
        + "\"unrealised\":\"\(summary.unrealised.text(places: 2))\",\"fees\":\"\(summary.fees.text(places: 2))\","
        + "\"cash\":\"\(summary.cash.text(places: 2))\",\"positions\":\(summary.positions),\n")
    output.write("\"kill\":\"\(summary.killLevel)\",\"kill_trips\":\(summary.killTrips),\n")
    if topology != .inline { output.write("\"topology\":\"\(topology)\",\n") }
    if let timing { output.write("\"timing\":\(timing),\n") }
    output.write("\"state_hash\":\"\(summary.stateHash)\",\n\"decision_checksum\":\"\(checksum)\"}\n")
  }
}
