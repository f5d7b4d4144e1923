import FixtureStreams
import Foundation

/// The stream a run replays.
struct BenchInput {
  /// What reports call it.
  let name: String
  /// Framed ITCH 5.0.
  let bytes: [UInt8]
  /// What the bytes were generated from; nil for a file.
  let fixture: ItchFixture.Parameters?
  /// Seed of the fixture, and of further streams of the micro rows.
  let seed: UInt64
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
    seed = arguments.seed
    if let path = arguments.inputFile {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw UsageError("--input: '\(path)' is not readable")
      }
      name = URL(fileURLWithPath: path).lastPathComponent
      bytes = [UInt8](data)
      fixture = nil
    } else {
      var parameters = ItchFixture.Parameters.streamA
      parameters.seed = arguments.seed
      fixture = parameters
      name = "fixture A, seed \(arguments.seed)"
      bytes = ItchFixture(parameters).generate()
    }
  }

  /// A small generated stream, for the tests.
  init(messages: Int, symbols: Int, seed: UInt64) {
    let parameters = ItchFixture.Parameters(seed: seed, messages: messages, symbols: symbols)
    name = "fixture of \(messages) messages, seed \(seed)"
    bytes = ItchFixture(parameters).generate()
    fixture = parameters
    self.seed = seed
    warmCount = 0
    measuredCount = .max
    rates = [Self.objectiveRate]
  }
}
