import BacktestHarness
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import TradingEngine

/// Times single parts alone: the micro rows.
///
/// Each row runs batches of operations over real inputs, taken from a walk over the input, and divides: a single operation is
/// below the step of the clock. Rows name what an operation is in their functions.
struct MicroBenchmarks {
  let setup: ReplaySetup
  let input: BenchInput
  let clock: TickClock
  let effort: MicroEffort
  /// Processors of the process before its thread was pinned; the second thread of a row gets the first of them.
  let processors: [Int]

  /// The names of all rows, in the order of the report.
  static let names =
    ringNames + busNames + feedNames + leagueNames + featureNames + modelNames + quantNames + stageNames
    + ensembleNames + recordNames

  /// Measures the rows that `isSelected` lets through; what a reader must know of them becomes a note.
  func run(notes: inout [String], _ isSelected: (String) -> Bool) throws -> [MicroRow] {
    var rows: [MicroRow] = []
    func selects(_ names: [String]) -> Bool { names.contains(where: isSelected) }
    if selects(Self.ringNames) { rows += try ringRows(notes: &notes, isSelected) }
    if selects(Self.busNames) { rows += try busRows(isSelected) }
    if selects(Self.feedNames) { rows += try feedRows(notes: &notes, isSelected) }
    if selects(Self.leagueNames) { rows.append(try leagueRow()) }
    if selects(Self.featureNames) { rows += try featureRows(notes: &notes, isSelected) }
    if selects(Self.modelNames) { rows += try modelRows(notes: &notes, isSelected) }
    if selects(Self.quantNames) { rows += try quantRows(notes: &notes, isSelected) }
    if selects(Self.stageNames + Self.ensembleNames + ["telemetry.record", "journal.publish"]) {
      let samples = try WalkSamples(setup, input.bytes, messagesMax: effort.walkMessages)
      if samples.smallest.count < 1_024 {
        notes.append("micro: \(samples.smallest.count) distinct inputs of \(samples.smallest.name), 1024 expected")
      }
      rows += try stageRows(samples, notes: &notes, isSelected)
      rows += try ensembleRows(samples, notes: &notes, isSelected)
      rows += try recordRows(samples, isSelected)
    }
    if isSelected("journal.durable") { rows += try durableRows(notes: &notes) }
    return rows
  }
}
