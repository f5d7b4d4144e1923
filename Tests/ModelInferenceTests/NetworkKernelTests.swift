import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: a kernel gives the bits of the reference executor, in every instruction set. Method: seeded networks of every
// kind, sizes that leave every tail, extreme weights; whole windows, and ticks after closed rows in both modes.
struct NetworkKernelTests {
  @Test(arguments: Seeds.brief.prefix(2))
  func `networks of one row give the bits of the reference`(seed: UInt64) {
    let shapes = [[1, 1], [15, 16, 17, 2], [64, 128, 64, 1], [33, 63, 5], [96, 65, 1], [8, 256, 3]]
    for (place, shape) in shapes.enumerated() {
      for isExtreme in [false, true] {
        let activation = NetworkKernelNetworks.activations[(place + Int(seed % 8)) % 8]
        let network = NetworkKernelNetworks.perceptron(
          seed: seed, shape, activation: activation, isExtreme: isExtreme)
        #expect(network.fault == nil)
        for set in KernelSet.supported {
          var bench = NetworkKernelBench(network, set: set)
          var random = NetworkKernelNetworks(seed: seed, features: 1, window: 1)
          for row in random.rows(4, features: shape[0]) {
            let answer = bench.predict(row)
            let expected = bench.expected([row])
            #expect(answer == expected, "seed \(seed), \(set), \(shape), \(activation)")
          }
        }
      }
    }
  }

  // Saturated at both ends: the sums of either byte wrap, their sum does not.
  @Test(arguments: KernelSet.supported)
  func `the largest wide codes have the bits of the reference`(set: KernelSet) {
    for terms in [5, 96, 512] {
      var network = NetworkKernelNetworks.widened(
        NetworkKernelNetworks.perceptron(seed: 3, [terms, 144, 1], isExtreme: true))
      guard case .dense(var layer) = network.operators[0] else { return }
      layer.product.weights = layer.product.weights.indices.map { $0 / terms % 2 == 0 ? 127 : -127 }
      network.operators[0] = .dense(layer)
      #expect(network.fault == nil)
      var bench = NetworkKernelBench(network, set: set)
      var random = NetworkKernelNetworks(seed: 8, features: 1, window: 1)
      for value: Float in [1e30, -1e30, 0] {
        let row = value == 0 ? random.floats(terms, 400) : [Float](repeating: value, count: terms)
        let answer = bench.predict(row)
        let expected = bench.expected([row])
        #expect(answer == expected, "\(terms) terms of \(value)")
      }
    }
  }

  // Inputs of 255 with weights of ±127: pairs in 16 bits would saturate.
  @Test(arguments: KernelSet.supported)
  func `the largest codes and weights do not saturate`(set: KernelSet) {
    var network = NetworkKernelNetworks.perceptron(seed: 3, [96, 80, 1], isExtreme: true)
    for place in network.operators.indices {
      guard case .dense(var layer) = network.operators[place] else { continue }
      layer.product.weights = layer.product.weights.map { _ in 127 }
      network.operators[place] = .dense(layer)
    }
    var bench = NetworkKernelBench(network, set: set)
    for value: Float in [1e30, -1e30] {
      let row = [Float](repeating: value, count: 96)
      let answer = bench.predict(row)
      let expected = bench.expected([row])
      #expect(answer == expected)
    }
  }

  @Test(arguments: Seeds.brief.prefix(2))
  func `whole windows give the bits of the reference`(seed: UInt64) {
    for (name, network) in NetworkKernelNetworks.every(seed: seed) {
      #expect(network.fault == nil, "\(name): \(network.fault ?? "")")
      for set in KernelSet.supported {
        var bench = NetworkKernelBench(network, set: set)
        var random = NetworkKernelNetworks(seed: seed, features: 1, window: 1)
        for _ in 0..<2 {
          let rows = random.rows(network.window, features: network.featureCount)
          let answer = bench.predictWindow(rows)
          let expected = bench.expected(rows)
          #expect(answer == expected, "seed \(seed), \(set), \(name)")
        }
      }
    }
  }

  // Also before there are enough rows, and with deferred work done never, always or now and then.
  @Test(arguments: Seeds.brief.prefix(1))
  func `a tick after closed rows has the bits of its whole window`(seed: UInt64) {
    for (name, network) in NetworkKernelNetworks.every(seed: seed) where network.window > 1 {
      // The same rows in every set, so one computation by the reference serves all.
      var expectations: [Int: [UInt32]] = [:]
      for set in KernelSet.supported {
        for slices in [0, 1, 2] {
          var bench = NetworkKernelBench(network, set: set)
          var random = NetworkKernelNetworks(seed: seed, features: 1, window: 1)
          var state = bench.kernel.state(.windowed, in: bench.arena)
          var closed: [[Float]] = []
          for row in random.rows(2 * network.window + 9, features: network.featureCount) {
            let isReady = state.isReady
            #expect(isReady == (closed.count >= network.window - 1))
            let isAsked = closed.count % 5 == 0 || closed.count == network.window - 1
            if isAsked {
              let expected =
                expectations[closed.count] ?? bench.expected(bench.newest(network.window - 1, of: closed) + [row])
              expectations[closed.count] = expected
              for _ in 0..<2 {
                let answer = bench.predict(row, &state)
                #expect(answer == expected, "seed \(seed), \(set), \(name), \(closed.count) rows, slices \(slices)")
              }
            }
            bench.close(row, &state)
            closed.append(row)
            bench.kernel.warm(&state)
            var left = slices == 0 ? 0 : slices == 1 ? .max : random.random.below(9)
            while left > 0, bench.kernel.advance(&state) { left -= 1 }
          }
        }
      }
    }
  }

  // Up to the window, a state that runs on equals a window of just these rows.
  @Test(arguments: Seeds.brief.prefix(1))
  func `single steps from a reset equal one window of as many rows`(seed: UInt64) {
    for (name, network) in NetworkKernelNetworks.every(seed: seed) where network.window > 1 {
      var expectations: [[UInt32]: [UInt32]] = [:]
      for set in KernelSet.supported {
        var bench = NetworkKernelBench(network, set: set)
        var random = NetworkKernelNetworks(seed: seed, features: 1, window: 1)
        var state = bench.kernel.state(.stateful, in: bench.arena)
        for round in 0..<2 {
          var rows: [[Float]] = []
          for row in random.rows(network.window, features: network.featureCount) {
            rows.append(row)
            let answer = bench.predict(row, &state)
            if rows.count % 4 == 1 || rows.count == network.window {
              let shorter = NetworkKernelTests.shortened(network, to: rows.count)
              let key = [UInt32(round), UInt32(rows.count)]
              let expected = expectations[key] ?? shorter.predictReference(rows).map(\.bitPattern)
              expectations[key] = expected
              #expect(answer == expected, "seed \(seed), \(set), \(name), \(rows.count) rows, round \(round)")
            }
            bench.close(row, &state)
            _ = bench.kernel.advance(&state)
          }
          bench.kernel.reset(&state)
        }
      }
    }
  }

  // Beyond the window: recurrence and convolutions equal one long window of everything since the reset.
  @Test func `a stateful network runs on without end`() {
    let networks = [
      NetworkKernelNetworks.recurrent(seed: 8, .lstm, layers: 2, features: 5, hidden: 17, window: 4),
      NetworkKernelNetworks.recurrentChain(seed: 8, window: 3),
      NetworkKernelNetworks.convolutional(
        seed: 8, features: 6, channels: 8, dilations: [1, 3], window: 4, isResidual: true),
    ]
    for network in networks {
      for set in KernelSet.supported {
        var bench = NetworkKernelBench(network, set: set)
        var random = NetworkKernelNetworks(seed: 5, features: 1, window: 1)
        var state = bench.kernel.state(.stateful, in: bench.arena)
        var rows: [[Float]] = []
        for row in random.rows(30, features: network.featureCount) {
          rows.append(row)
          let answer = bench.predict(row, &state)
          if rows.count % 7 == 0 {
            let longer = NetworkKernelTests.shortened(network, to: rows.count)
            let expected = longer.predictReference(rows).map(\.bitPattern)
            #expect(answer == expected, "\(set), \(rows.count) rows")
          }
          bench.close(row, &state)
        }
      }
    }
  }

  /// The same network over another number of rows.
  static func shortened(_ network: QuantisedNetwork, to window: Int) -> QuantisedNetwork {
    var network = network
    for (place, step) in network.operators.enumerated() {
      if case .single(.positions(let source, let table)) = step {
        let width = table.count / network.window
        network.operators[place] = .single(.positions(source: source, table: Array(table.prefix(window * width))))
      }
    }
    network.window = window
    return network
  }
}
