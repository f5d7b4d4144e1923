import CPlatform
import EngineTelemetry

/// How long the micro rows take.
struct MicroEffort: Equatable {
  /// Timed batches of each row.
  var repetitions: Int
  /// What a batch should last; a row runs as many operations as that needs.
  var batchNanoseconds: Int64
  /// Messages of a stream that the feed rows read.
  var feedMessages: Int
  /// Messages that the inputs of the stages are taken from at most.
  var walkMessages: Int
  /// Records of the durable row.
  var durableRecords: Int
  /// The rows that take seconds each: stream B and the disk.
  var includesLongRows: Bool

  /// The whole bench.
  static let full = MicroEffort(
    repetitions: 15, batchNanoseconds: 10_000_000, feedMessages: .max, walkMessages: 600_000, durableRecords: 2_000,
    includesLongRows: true)
  /// `--quick`: short batches, and none of the long rows.
  static let quick = MicroEffort(
    repetitions: 15, batchNanoseconds: 1_000_000, feedMessages: 100_000, walkMessages: 120_000, durableRecords: 0,
    includesLongRows: false)
  /// The tests: each row once, to see that it runs.
  static let brief = MicroEffort(
    repetitions: 2, batchNanoseconds: 0, feedMessages: 2_000, walkMessages: 20_000, durableRecords: 3,
    includesLongRows: false)
}

/// The repetitions of one row: a first one that is thrown away and sets the size of the others, then as many as asked for.
///
/// A row is a loop of its own, so that everything it touches is local:
///
///     while timing.goesOn {
///       let start = clock.now()
///       for _ in 0..<timing.operations { … }
///       timing.add(from: start, to: clock.now(), operations: timing.operations)
///     }
struct MicroTiming {
  /// Reads the time.
  let clock: TickClock
  /// Operations of the next repetition.
  private(set) var operations: Int
  private let effort: MicroEffort
  private var figures: [Double] = []
  private var isWarm = false

  /// No repetition yet.
  ///
  /// - Parameters:
  ///   - operations: of the first repetition, and of all where an operation count is given to `add`.
  init(_ effort: MicroEffort, clock: TickClock, operations: Int = 1024) {
    self.effort = effort
    self.clock = clock
    self.operations = effort.batchNanoseconds == 0 ? min(operations, 64) : operations
    figures.reserveCapacity(effort.repetitions)
  }

  /// There are repetitions to do.
  var goesOn: Bool { figures.count < effort.repetitions }

  /// Takes in a repetition between two readings of the clock.
  mutating func add(from start: UInt64, to end: UInt64, operations count: Int) {
    add(nanoseconds: clock.nanoseconds(from: start, to: end), operations: count)
  }

  /// Takes in a repetition that took so long.
  mutating func add(nanoseconds: Int64, operations count: Int) {
    let each = Double(max(1, nanoseconds)) / Double(max(1, count))
    if isWarm {
      figures.append(each)
    } else {
      isWarm = true
      if effort.batchNanoseconds > 0 {
        operations = max(16, min(1 << 26, Int(Double(effort.batchNanoseconds) / each)))
      }
    }
  }

  /// The row in nanoseconds an operation: median, smallest and largest repetition.
  func row(_ name: String) -> MicroRow {
    let sorted = figures.sorted()
    return MicroRow(
      name: name, unit: "ns", min: sorted.first, p50: sorted.isEmpty ? .nan : sorted[sorted.count / 2],
      max: sorted.last)
  }

  /// The row in operations a second.
  func rateRow(_ name: String) -> MicroRow {
    let sorted = figures.map { (1e9 / $0).rounded() }.sorted()
    return MicroRow(
      name: name, unit: "items/s", min: sorted.first, p50: sorted.isEmpty ? .nan : sorted[sorted.count / 2],
      max: sorted.last)
  }
}

/// Takes a result in such a way that the work behind it cannot be left out.
@inline(__always) func keep(_ value: UInt64) { _ = martlet_opaque(Int64(bitPattern: value)) }

/// Takes a result in such a way that the work behind it cannot be left out.
@inline(__always) func keep(_ value: Double) { keep(value.bitPattern) }

/// A number whose origin the optimiser does not see.
@inline(__always) func hidden(_ value: Int) -> Int { Int(martlet_opaque(Int64(value))) }
