import Foundation
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: a look at the cost of networks in each instruction set; prints, gates nothing. Method: 4,096 distinct rows in
// mixed order, single calls and loop means, the sets interleaved, minimum and median of 9 passes.
// MARTLET_TIMING=1 swift test -c release --filter NetworkKernelTiming
@Suite(.serialized)
struct NetworkKernelTimingTests {
  private static let isAsked = ProcessInfo.processInfo.environment["MARTLET_TIMING"] != nil
  private static let rowCount = 4096

  private static let origin = ContinuousClock.now

  private static func nanoseconds() -> Int {
    let (seconds, attoseconds) = (ContinuousClock.now - origin).components
    return Int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// Passes of one kind of call: medians and 99th percentiles of single calls, and loop means.
  struct Passes {
    var single: [Int] = []
    var tail: [Int] = []
    var mean: [Double] = []

    mutating func add(_ result: (sum: Float, single: Int, tail: Int, mean: Double)) {
      single.append(result.single)
      tail.append(result.tail)
      mean.append(result.mean)
      if !result.sum.isFinite { Issue.record("a sum is not finite") }
    }

    var line: String {
      let (single, tail, mean) = (single.sorted(), tail.sorted(), mean.sorted())
      let half = single.count / 2
      return
        "p50 \(single[0]) / \(single[half])  p99 \(tail[0]) / \(tail[half])  "
        + "mean \(String(format: "%.1f / %.1f", mean[0], mean[half]))"
    }
  }

  enum Part: String, CaseIterable { case rowLoad, predict, window, tick, closeAndSlices, warm }

  /// A kernel, a row and a state, and the rows that rotate.
  struct Subject: ~Copyable {
    let kernel: NetworkKernel
    var row: KernelRow
    var state: NetworkState?
    let flat: [Float]
    let features: Int

    mutating func load(_ number: Int) {
      let list = flat
      let range = number * features..<(number + 1) * features
      row.load(list.span.extracting(range))
    }

    mutating func run(_ part: Part, _ number: Int) -> Float {
      guard part != .window else {
        let list = flat
        let range = number * features..<(number + kernel.window) * features
        return kernel.predictWindow(list.span.extracting(range))
      }
      load(number)
      switch part {
      case .predict: return kernel.predict(row)
      case .tick: return kernel.predict(row, &state!)
      case .closeAndSlices:
        kernel.close(row, &state!)
        while kernel.advance(&state!) {}
      case .warm: kernel.warm(&state!)
      default: break
      }
      return row[0]
    }
  }

  private static func measure(
    _ subject: inout Subject, _ part: Part, count: Int
  ) -> (sum: Float, single: Int, tail: Int, mean: Double) {
    var sum: Float = 0
    var times: [Int] = []
    times.reserveCapacity(count)
    // An odd factor visits every row once, far from the last one.
    for step in 0..<count {
      let start = nanoseconds()
      sum += subject.run(part, (step * 2531) & (rowCount - 1))
      times.append(nanoseconds() - start)
    }
    let start = nanoseconds()
    for step in 0..<count { sum += subject.run(part, (step * 2531) & (rowCount - 1)) }
    let mean = Double(nanoseconds() - start) / Double(count)
    times.sort()
    return (sum, times[count / 2], times[count * 99 / 100], mean)
  }

  @Test(.enabled(if: isAsked, "MARTLET_TIMING is not set"))
  func `networks of each instruction set, timed singly`() {
    let asked = ProcessInfo.processInfo.environment["MARTLET_TIMING"] ?? ""
    let networks: [(String, QuantisedNetwork)] = [
      ("MLP 64-128-64-1", NetworkKernelNetworks.perceptron(seed: 1, [64, 128, 64, 1])),
      (
        "LSTM 64, 32 x 16",
        NetworkKernelNetworks.recurrent(seed: 1, .lstm, layers: 1, features: 16, hidden: 64, window: 32)
      ),
      (
        "TCN 4 layers, 32 channels, 32 x 16",
        NetworkKernelNetworks.convolutional(
          seed: 1, features: 16, channels: 32, dilations: [1, 2, 4, 8], window: 32, isResidual: true)
      ),
      (
        "Transformer 64, 2 heads, 2 layers, 32 x 16",
        NetworkKernelNetworks.transformer(
          seed: 1, features: 16, width: 64, heads: 2, layers: 2, feedForward: 128, window: 32)
      ),
      (
        "LSTM 2 x 128, 60 x 96",
        NetworkKernelNetworks.recurrent(seed: 1, .lstm, layers: 2, features: 96, hidden: 128, window: 60)
      ),
    ]
    for (name, network) in networks where asked == "1" || name.contains(asked) { Self.report(name, network) }
    let floor = (0..<4096).map { _ in -Self.nanoseconds() + Self.nanoseconds() }.sorted()
    print("clock floor: \(floor[2048]) ns, left in")
  }

  private static func report(_ name: String, _ network: QuantisedNetwork) {
    let features = network.featureCount
    var random = NetworkKernelNetworks(seed: 3, features: 1, window: 1)
    let flat = (0..<(rowCount + network.window) * features).map { _ in random.float(2) }
    var passes: [String: Passes] = [:]
    for pass in 0..<9 {
      for set in KernelSet.supported where set != .scalar || pass < 2 {
        let count = set == .scalar ? 128 : network.window > 1 ? 1024 : 4096
        let states = NetworkState.Mode.allCases.reduce(0) { $0 + NetworkKernel.arenaBytes(for: network, mode: $1) }
        let arena = Arena(
          capacityBytes: NetworkKernel.arenaBytes(for: network) + KernelRow.arenaBytes(featureCount: features) + states)
        var subject = Subject(
          kernel: NetworkKernel(network, set: set, in: arena), row: KernelRow(featureCount: features, in: arena),
          state: nil, flat: flat, features: features)
        // The cost of loading a row is in every figure of a single row; the first part is that alone.
        let parts: [Part] = subject.kernel.remembers ? [.rowLoad, .window] : [.rowLoad, .predict]
        for part in parts {
          let result = measure(&subject, part, count: part == .window ? count / 4 : count)
          passes["\(set) \(part)", default: Passes()].add(result)
        }
        guard subject.kernel.remembers else { continue }
        for mode in NetworkState.Mode.allCases {
          subject.state = subject.kernel.state(mode, in: arena)
          for number in 0..<network.window { _ = subject.run(.closeAndSlices, number) }
          for part in [Part.tick, .closeAndSlices] {
            let result = measure(&subject, part, count: part == .tick ? count : count / 8)
            passes["\(set) \(mode) \(part)", default: Passes()].add(result)
          }
          var slices: [Int] = []
          var closes: [Int] = []
          for number in 0..<16 {
            subject.load(number)
            let start = nanoseconds()
            subject.kernel.close(subject.row, &subject.state!)
            closes.append(nanoseconds() - start)
            var isLeft = true
            while isLeft {
              let start = nanoseconds()
              isLeft = subject.kernel.advance(&subject.state!)
              slices.append(nanoseconds() - start)
            }
          }
          slices.sort()
          closes.sort()
          let name = "\(set) \(mode) slice of \(slices.count / 16)"
          passes["\(set) \(mode) close alone", default: Passes()].add((0, closes[8], closes[15], 0))
          passes[name, default: Passes()].add((0, slices[slices.count / 2], slices[slices.count * 99 / 100], 0))
        }
      }
    }
    print("\(name), ns, minimum / median of the passes")
    for (part, passes) in passes.sorted(by: { $0.key < $1.key }) { print("  \(part): \(passes.line)") }
  }
}
