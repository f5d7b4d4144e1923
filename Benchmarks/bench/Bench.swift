import BacktestHarness
import BuiltinModels
import CNuma
import CPlatform
import EngineTelemetry
import FixtureStreams
import Foundation
import LockFreeRings
import TradingEngine

/// The SLO harness: replays a trading day at fixed arrival rates and says whether each stage keeps its objective.
@main struct Bench {
  static func main() {
    do {
      let arguments = try BenchArguments(Array(CommandLine.arguments.dropFirst()))
      if arguments.showsHelp {
        print(BenchArguments.usage)
        return
      }
      for (path, option) in [(arguments.jsonFile, "--json"), (arguments.plotFile, "--plot")] {
        if let path { try WholeFile.check(path, option: option) }
      }
      try OptimisedRestart.restartIfDebug(arguments: Array(CommandLine.arguments.dropFirst()))
      let report = try run(arguments)
      exit(report.breaches.isEmpty ? 0 : 1)
    } catch {
      FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
      exit(2)
    }
  }

  private static func run(_ arguments: BenchArguments) throws -> BenchReport {
    let input = try BenchInput(arguments)
    // Asked before the pinning: a pinned thread is allowed one processor only.
    let processors = ThreadConfiguration.allowedProcessors
    let notes = pin(to: processors.last) + fallbacks
    let (report, curves) = try measure(
      input, arguments, effort: arguments.isQuick ? .quick : .full, processors: processors, notes: notes)
    print(report.text)
    if let path = arguments.jsonFile { try WholeFile.write(report.json.document, to: path) }
    if let path = arguments.plotFile {
      let plot = PercentilePlot(title: "Latency by percentile", subtitle: input.name, curves: curves)
      try WholeFile.write(plot.svg, to: path)
    }
    return report
  }

  /// All that is measured, on the calling thread, with the built-in ensemble or another `model`.
  static func measure(
    _ input: BenchInput, _ arguments: BenchArguments, effort: MicroEffort, processors: [Int], notes: [String],
    model: ModelArtifact? = nil
  ) throws -> (BenchReport, [PercentileCurve]) {
    let clock = TickClock()
    var notes = notes
    let setup: ReplaySetup
    do {
      let configuration = EngineConfiguration.bench
      let scan = try FeedScan(input.bytes.rawBytes, configuration: configuration)
      switch scan.ending {
      case .end, .endMark, .unread: break
      case .truncated(let offset, let count):
        notes.append("the input ends in an incomplete message of \(count) bytes at offset \(offset)")
      case .zeroLength(let offset): notes.append("the input is lost at offset \(offset): a length of zero")
      }
      setup = ReplaySetup(
        configuration: configuration, directory: scan.directory, artifact: try model ?? BuiltinModels.ensemble())
    } catch { throw UsageError("\(input.name): \(error)") }

    var report = BenchReport(
      machine: MachineDescription(
        clock: clock, pinnedProcessor: processors.last, notes: notes + [describe(setup)]),
      configurationSHA256: setup.configuration.sha256, seed: arguments.seed,
      input: BenchReport.Input(name: input.name, messages: 0), checksum: "")
    var curves: [PercentileCurve] = []
    if arguments.selectsEngine {
      try EnginePasses(setup: setup, input: input, clock: clock, isQuick: effort != .full)
        .run(rates: arguments.rates ?? input.rates, into: &report, curves: &curves)
    }
    report.keep(arguments.selects)
    if MicroBenchmarks.names.contains(where: arguments.selects) {
      let micro = MicroBenchmarks(setup: setup, input: input, clock: clock, effort: effort, processors: processors)
      report.micro = try micro.run(notes: &report.machine.notes, arguments.selects)
    }
    return (report, curves)
  }

  /// The model that runs.
  private static func describe(_ setup: ReplaySetup) -> String {
    let members = setup.artifact.model.members.map { member in
      switch member.kind {
      case .forest(let forest): "\(member.name) of \(forest.trees.count) trees"
      case .network: "\(member.name), a network over \(member.window) rows"
      }
    }
    return "ensemble: \(setup.artifact.name), \(members.count) members (\(members.joined(separator: "; "))), "
      + "kernels \(setup.kernels.resolved), \(setup.directory.count) instruments"
  }

  /// Pins the main thread, which is the pipeline thread; what was refused or is missing becomes a note.
  private static func pin(to processor: Int?) -> [String] {
    var notes: [String] = []
    if let processor, martlet_pin_thread(CInt(processor)) != 0 {
      notes.append("processor \(processor) was refused: not pinned")
    }
    return notes
  }

  /// What this build and this machine offer of the optional libraries, or what stands in for them.
  private static var fallbacks: [String] {
    let numa = martlet_numa_available() == 0 ? "libnuma is not used: first-touch placement" : "libnuma is used"
    var journal = "journal: no place for temporary files, so not tried"
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
    if (try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)) != nil {
      if let storage = try? FileStorage(directory: folder.path) {
        journal = "journal: \(storage.backend)"
        storage.close()
      }
      try? FileManager.default.removeItem(at: folder)
    }
    return [numa, journal]
  }
}

extension EngineConfiguration {
  /// What bench and `martlet replay` run: the built-in configuration in NORMAL mode.
  static var bench: EngineConfiguration { EngineConfiguration() }
}
