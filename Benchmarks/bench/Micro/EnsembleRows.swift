import BacktestHarness
import CPlatform
import EngineTelemetry
import LockFreeRings
import ModelInference
import TradingTypes

/// The whole ensemble, one forecast at a time, as near and as far as its tables can be.
///
/// The first row is of the instruction set that runs, without a wait between calls; the others name state and set. A row has the
/// median of nine passes, its note the best of the first three.
extension MicroBenchmarks {
  /// What happens between two forecasts.
  enum Distance: String, CaseIterable {
    /// Nothing.
    case hot
    /// A millisecond of waiting.
    case spaced
    /// A millisecond in which a slice of a dry run is done every 20 µs, as `keepWarm` does.
    case warm = "spaced.warm"
    /// 4 MiB of other memory are read: the tables are no nearer than the third-level cache.
    case far = "cold.l3"
    /// The tables are flushed to memory.
    case flushed = "cold.memory"
  }

  static let ensembleName = "inference.ensemble"

  private static func name(_ distance: Distance, _ set: KernelSet) -> String {
    distance == .hot && set == KernelSet.best.resolved ? ensembleName : "\(ensembleName).\(distance.rawValue).\(set)"
  }

  static let ensembleNames = KernelSet.supported.reversed().flatMap { set in
    Distance.allCases.map { name($0, set) }
  }

  private static let passes = 9

  func ensembleRows(
    _ samples: WalkSamples, notes: inout [String], _ isSelected: (String) -> Bool
  ) throws -> [MicroRow] {
    guard !samples.vectors.isEmpty else { return [] }
    let farMemory = Arena(capacityBytes: 8 << 20)
    let far = Slab(repeating: UInt64(1), count: (4 << 20) / 8, in: farMemory)
    var rows: [MicroRow] = []
    for set in KernelSet.supported.reversed() {
      let distances = Distance.allCases.filter { isSelected(Self.name($0, set)) }
      guard !distances.isEmpty else { continue }
      var model = try setup.artifact.onSlots(kernels: set)
      // Samples may lack what a member requires: all of them take part all the same.
      for member in model.members.indices { model.members[member].required = [] }
      let arena = Arena(capacityBytes: Ensemble.arenaBytes(for: model))
      var ensemble = Ensemble(model, kernels: set, in: arena)
      for place in 0..<model.window { ensemble.close(samples.vectors[place % samples.vectors.count], of: 0) }
      while ensemble.advance() {}
      for distance in distances {
        let name = Self.name(distance, set)
        var found: [MicroRow] = []
        var calls = CallTimes(capacity: callCount(distance), clock: clock)
        let before = ensemble.counters
        for pass in 0...(effort == .full ? Self.passes : effort == .quick ? 3 : 1) {
          forecasts(&ensemble, samples.vectors, distance, far: far, tables: arena, &calls)
          // The first pass is thrown away.
          if pass > 0, let row = calls.row(name) { found.append(row) }
          if pass == 0 { calls.forget() } else { calls.forgetTimes() }
        }
        rows.append(Self.median(of: found, name: name))
        let asked = ensemble.counters.forecasts - before.forecasts
        let lacking = ensemble.counters.partial - before.partial
        notes.append(
          "\(name): \(Self.note(of: found)), \(callCount(distance)) calls a pass, \(lacking) of \(asked) without every "
            + "member; \(calls.counts)")
      }
    }
    return rows
  }

  private func callCount(_ distance: Distance) -> Int {
    switch (effort, distance) {
    case (.brief, _): 4
    case (.full, .hot): 4_096
    case (_, .hot): 1_024
    case (.full, _): 512
    default: 64
    }
  }

  private static func median(of rows: [MicroRow], name: String) -> MicroRow {
    func middle(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    var row = MicroRow(
      name: name, unit: "ns", min: rows.compactMap(\.min).min(), p50: middle(rows.map(\.p50)),
      max: rows.compactMap(\.max).max())
    row.p90 = middle(rows.compactMap(\.p90))
    row.p99 = middle(rows.compactMap(\.p99))
    return row
  }

  private static func note(of rows: [MicroRow]) -> String {
    let best = rows.prefix(3).min { $0.p50 < $1.p50 }
    return "median of \(rows.count) passes, best of \(min(3, rows.count)) p50 "
      + "\(Readable.time(best?.p50 ?? 0)), p99 \(Readable.time(best?.p99 ?? 0))"
  }

  /// Forecasts of vectors in an order that no prefetcher learns, each timed alone.
  @inline(never) private func forecasts(
    _ ensemble: inout Ensemble, _ vectors: [FeatureVector], _ distance: Distance, far: borrowing Slab<UInt64>,
    tables: Arena, _ calls: inout CallTimes
  ) {
    let vectors = vectors.span
    var slice = 0
    var place = 0
    var sum = 0.0
    calls.startCounting()
    for _ in 0..<callCount(distance) {
      // An odd step that is no divisor: every vector has its turn, none beside the last one.
      place = (place + 1_031) % vectors.count
      switch distance {
      case .hot: break
      case .spaced: wait(1_000_000)
      case .warm:
        for _ in 0..<50 {
          ensemble.warm(slice)
          slice = slice + 1 == ensemble.warmSliceCount ? 0 : slice + 1
          wait(20_000)
        }
      case .far:
        var read: UInt64 = 0
        // A word of each line; the sum cannot overflow, every word is 1.
        for line in stride(from: 0, to: far.count, by: 8) { read += far[line] }
        keep(read)
      case .flushed: tables.flushFromCaches()
      }
      let start = calls.now()
      sum += ensemble.forecast(vectors[place]).probabilityUp
      calls.add(from: start, to: calls.now())
    }
    calls.stopCounting()
    keep(sum)
  }

  /// Spins, as the pipeline's thread does between messages.
  private func wait(_ nanoseconds: UInt64) {
    let start = martlet_monotonic_nanoseconds()
    while martlet_monotonic_nanoseconds() - start < nanoseconds { martlet_spin_pause() }
  }
}
