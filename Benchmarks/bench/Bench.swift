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
    let clock = TickClock()
    let processor = ThreadConfiguration.allowedProcessors.last
    var notes = pin(to: processor)

    let setup: ReplaySetup
    do {
      let configuration = EngineConfiguration.bench
      let scan = try FeedScan(input.bytes.rawBytes, configuration: configuration)
      setup = ReplaySetup(
        configuration: configuration, directory: scan.directory, artifact: try BuiltinModels.ensemble())
    } catch { throw UsageError("\(input.name): \(error)") }
    notes += ["ensemble: \(setup.artifact.name), kernels \(setup.kernels.resolved)"]

    var report = BenchReport(
      machine: MachineDescription(clock: clock, pinnedProcessor: processor, notes: notes),
      configurationSHA256: setup.configuration.sha256, seed: arguments.seed,
      input: BenchReport.Input(name: input.name, messages: 0), checksum: "")
    var curves: [PercentileCurve] = []
    if arguments.only == nil || PipelineStage.allCases.contains(where: { arguments.selects($0.name) })
      || arguments.selects("end_to_end")
    {
      try EnginePasses(setup: setup, input: input, clock: clock, isQuick: arguments.isQuick)
        .run(rates: arguments.rates ?? input.rates, into: &report, curves: &curves)
    }
    if arguments.only != nil { report.stages.removeAll { !arguments.selects($0.name) } }

    print(report.text)
    if let path = arguments.jsonFile { try WholeFile.write(report.json.document, to: path) }
    if let path = arguments.plotFile {
      let plot = PercentilePlot(title: "Latency by percentile", subtitle: input.name, curves: curves)
      try WholeFile.write(plot.svg, to: path)
    }
    return report
  }

  /// Pins the main thread, which is the pipeline thread; what was refused or is missing becomes a note.
  private static func pin(to processor: Int?) -> [String] {
    var notes: [String] = []
    if let processor, martlet_pin_thread(CInt(processor)) != 0 { notes.append("processor \(processor) was refused: not pinned") }
    if martlet_numa_available() == 0 { notes.append("libnuma is not used: first-touch placement") }
    return notes
  }
}

extension EngineConfiguration {
  /// What bench and `martlet replay` run: the built-in configuration in NORMAL mode.
  static var bench: EngineConfiguration { EngineConfiguration() }
}
