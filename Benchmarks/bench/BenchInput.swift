import FixtureStreams
import Foundation

/// The stream a run replays.
struct BenchInput {
  /// What reports call it.
  let name: String
  /// Framed ITCH 5.0.
  let bytes: [UInt8]
  /// Messages that only build the warm state, before the clock starts.
  let warmCount: UInt64
  /// Messages that are measured at most.
  let measuredCount: UInt64
  /// Offered rates when none are asked for, the one of the objectives first.
  let rates: [Int64]

  /// The rate at which the objectives are judged.
  static let objectiveRate: Int64 = 100_000

  init(_ arguments: BenchArguments) throws(UsageError) {
    // A quick run measures a million messages on books that 100,000 messages have built.
    warmCount = arguments.isQuick && arguments.inputFile == nil ? 100_000 : 0
    measuredCount = arguments.isQuick ? 1_000_000 : .max
    rates = arguments.isQuick ? [Self.objectiveRate, 1_000_000] : [Self.objectiveRate, 500_000, 1_000_000, 2_000_000]
    if let path = arguments.inputFile {
      guard let data = FileManager.default.contents(atPath: path) else { throw UsageError("--input: '\(path)' is not readable") }
      name = URL(fileURLWithPath: path).lastPathComponent
      bytes = [UInt8](data)
    } else {
      let fixture = ItchFixture(ItchFixture.Parameters(seed: arguments.seed, liveOrders: 81_000))
      name = "fixture A, seed \(arguments.seed)"
      bytes = fixture.generate()
    }
  }
}
