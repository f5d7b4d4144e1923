import CPlatform
import Foundation
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: a look at the cost of a raw score in each form and instruction set; prints, gates nothing. Method: single calls
// over 4096 distinct rows in mixed order, the forms of a shape in turn, medians of 15 passes, the timer's cost left in.
// MARTLET_TIMING=1 swift test -c release --filter ForestTiming; MARTLET_TIMING=doubling for one form only.
struct ForestTimingTests {
  private static let wish = ProcessInfo.processInfo.environment["MARTLET_TIMING"]

  struct Shape: CustomTestStringConvertible {
    var name: String
    var shape: ForestShape
    var trees: Int
    var features: Int
    var thresholds: Int
    var isSingle = false
    var testDescription: String { name }
  }

  private final class HeldRow {
    let row: KernelRow

    init(_ values: [Float], in arena: Arena) {
      var row = KernelRow(featureCount: values.count, in: arena)
      row.load(values)
      self.row = row
    }
  }

  private final class HeldKernel {
    let kernel: ForestKernel

    init(_ kernel: consuming ForestKernel) { self.kernel = kernel }
  }

  private static func nanosecondsPerTick() -> Double {
    let clock = ContinuousClock()
    let (start, ticks) = (clock.now, martlet_ticks_ordered())
    while clock.now - start < .milliseconds(20) {}
    let (seconds, attoseconds) = (clock.now - start).components
    return (Double(seconds) * 1e9 + Double(attoseconds) * 1e-9) / Double(martlet_ticks_ordered() - ticks)
  }

  static let shapes = [
    Shape(name: "100 x 31", shape: .leafWise(31), trees: 100, features: 64, thresholds: 45),
    Shape(name: "100 x 31, 88 features", shape: .leafWise(31), trees: 100, features: 88, thresholds: 34),
    Shape(name: "500 x 31", shape: .leafWise(31), trees: 500, features: 64, thresholds: 190),
    Shape(name: "200 x 50", shape: .leafWise(50), trees: 200, features: 88, thresholds: 100),
    Shape(name: "100 x d6", shape: .perfect(6), trees: 100, features: 88, thresholds: 65, isSingle: true),
    Shape(name: "200 x d8", shape: .perfect(8), trees: 200, features: 88, thresholds: 220, isSingle: true),
    Shape(name: "100 oblivious d6", shape: .oblivious(6), trees: 100, features: 88, thresholds: 7),
    Shape(name: "50 x d3", shape: .perfect(3), trees: 50, features: 6, thresholds: 50, isSingle: true),
  ]

  @Test(.enabled(if: wish != nil, "MARTLET_TIMING is not set"), arguments: shapes)
  func `raw scores of each form, timed singly`(example: Shape) {
    var models = ForestModels(seed: 11)
    let columns = ForestModels.Columns(
      features: example.features, columns: example.features, missing: [.nan], lengths: [example.thresholds])
    let forest = models.forest(
      example.shape, trees: example.trees, columns: columns, accumulation: example.isSingle ? .single : .double)
    let arena = Arena(capacityBytes: 4096 * KernelRow.arenaBytes(featureCount: example.features))
    let rows = (0..<4096).map { _ in
      HeldRow((0..<example.features).map { _ in Float(models.random.unit() * 8 - 4) }, in: arena)
    }
    var found: [(name: String, p50: [Double], p99: [Double])] = []
    let tick = Self.nanosecondsPerTick()
    var kernels: [HeldKernel] = []
    for set in KernelSet.supported {
      for form in ForestForm.allCases where Self.wish == "1" || Self.wish == form.description {
        let arena = Arena(capacityBytes: ForestKernel.arenaBytes(for: forest, set: set, form: form))
        guard let kernel = ForestKernel(forest, set: set, form: form, in: arena) else { continue }
        kernels.append(HeldKernel(kernel))
        found.append(("\(set) \(form)", [], []))
      }
    }
    var total = 0.0
    var times = [UInt64](repeating: 0, count: 4096)
    for _ in 0..<15 {
      for (number, held) in kernels.enumerated() {
        for pass in 0..<2 {
          for step in 0..<4096 {
            // An odd factor visits every row once, far from the last one.
            let index = (step * 2531) & 4095
            let row = rows[index]
            let start = martlet_ticks_ordered()
            total += held.kernel.raw(row.row)
            let end = martlet_ticks_ordered()
            if pass == 1 { times[step] = end - start }
          }
        }
        times.sort()
        found[number].p50.append(Double(times[2048]) * tick)
        found[number].p99.append(Double(times[4055]) * tick)
      }
    }
    #expect(total.isFinite)
    for (name, p50, p99) in found {
      let (a, b) = (p50.sorted(), p99.sorted())
      print("\(example.name) | \(name) | p50 \(Int(a[0])) / \(Int(a[7])) | p99 \(Int(b[0])) / \(Int(b[7])) ns")
    }
    var floors = (0..<4096).map { _ in
      let start = martlet_ticks_ordered()
      return martlet_ticks_ordered() - start
    }
    floors.sort()
    print("\(example.name) | timer | \(Int(Double(floors[2048]) * tick)) ns")
  }
}
