import CPlatform

/// What one pass has shown.
struct Figures {
  var calls: Int
  /// Nanoseconds, the timer's cost included.
  var p50: Double
  var p99: Double
  /// Sum of the 4,096 answers in the order of the rows; nil in later passes of what takes long.
  var checksum: Double?
}

/// One model in one form and one instruction set.
protocol Contender: ~Copyable {
  /// Consecutive rows for a state that moves along the stream, hashed order for all others.
  static var isConsecutive: Bool { get }
  /// What is done beforehand, untimed; row 0 begins the stream anew.
  mutating func prepare(_ row: Int)
  /// The answer, timed.
  mutating func call(_ row: Int) -> Double
}

extension Contender where Self: ~Copyable {
  static var isConsecutive: Bool { false }
  mutating func prepare(_ row: Int) {}
}

/// The time stamp counter, fenced as the peers' is, and what a tick of it lasts.
struct Stopwatch {
  let nanosecondsPerTick: Double

  init() {
    let start = martlet_monotonic_nanoseconds()
    let first = martlet_ticks_ordered()
    while martlet_monotonic_nanoseconds() - start < 50_000_000 {}
    let last = martlet_ticks_ordered()
    nanosecondsPerTick = Double(martlet_monotonic_nanoseconds() - start) / Double(last - first)
  }

  /// The counter once everything before it is done.
  @inline(__always) func now() -> UInt64 {
    // What a call wrote is written by now.
    _ = martlet_opaque(0)
    let ticks = martlet_ticks_ordered()
    _ = martlet_opaque(0)
    return ticks
  }
}

/// The order of the rows, as `timing.h` has it: a permutation that neither a predictor nor a prefetcher learns.
func row(at call: Int) -> Int {
  var row = UInt32(truncatingIfNeeded: call) & 4095
  row ^= row >> 5
  // Neither can overflow: twelve bits times eleven.
  row = (row * 2533 + 61) & 4095
  row ^= row >> 7
  row = (row * 1629 + 977) & 4095
  return Int(row)
}

/// A contender by name, whatever it is.
class Entrant {
  static let rowCount = 4096
  let set: String
  let form: String
  /// How the model lies in memory.
  let layout: String

  init(_ set: String, _ form: String, layout: String) {
    self.set = set
    self.form = form
    self.layout = layout
  }

  /// The answers of all rows, in order.
  func values() -> [Double] { [] }
  func timed(by stopwatch: Stopwatch, pass: Int) -> Figures { preconditionFailure("Entrant: one of a contender") }
}

/// The loops of a contender, compiled for it: a call is direct.
final class Entry<Kind: Contender & ~Copyable>: Entrant {
  private var contender: Kind

  init(_ set: String, _ form: String, layout: String, _ contender: consuming Kind) {
    self.contender = contender
    super.init(set, form, layout: layout)
  }

  override func values() -> [Double] { Self.values(&contender) }
  override func timed(by stopwatch: Stopwatch, pass: Int) -> Figures { Self.timed(&contender, stopwatch, pass) }

  private static func values(_ contender: inout Kind) -> [Double] {
    var list: [Double] = []
    for row in 0..<rowCount {
      contender.prepare(row)
      list.append(contender.call(row))
    }
    return list
  }

  @inline(never) private static func timed(_ contender: inout Kind, _ stopwatch: Stopwatch, _ pass: Int) -> Figures {
    var kept = 0.0
    var pilot: UInt64 = 0
    for call in 0..<1024 {
      let row = Kind.isConsecutive ? call : row(at: call)
      contender.prepare(row)
      let start = stopwatch.now()
      kept += contender.call(row)
      pilot += stopwatch.now() - start
    }
    let expected = Double(pilot) / 1024 * stopwatch.nanosecondsPerTick
    // As the peers: what takes longer a call gets fewer of them.
    let isSlow = expected >= 100_000
    let calls = expected < 10_000 ? 5 * rowCount : expected < 30_000 ? 2 * rowCount : isSlow ? rowCount / 4 : rowCount
    var samples = [UInt64](repeating: 0, count: calls)
    var span = samples.mutableSpan
    for call in 0..<calls {
      let row = Kind.isConsecutive ? call & (rowCount - 1) : row(at: call)
      contender.prepare(row)
      let start = stopwatch.now()
      kept += contender.call(row)
      span[call] = stopwatch.now() - start
    }
    _ = martlet_opaque(Int64(bitPattern: kept.bitPattern))
    samples.sort()
    let checksum = pass == 0 || !isSlow ? values(&contender).reduce(0, +) : nil
    func nanoseconds(_ place: Int) -> Double { Double(samples[place]) * stopwatch.nanosecondsPerTick }
    return Figures(calls: calls, p50: nanoseconds(calls / 2), p99: nanoseconds(calls * 99 / 100), checksum: checksum)
  }
}
