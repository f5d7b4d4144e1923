import CAllocationCounter
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: a state is a value that can be stored, copied and begun anew, and costs nothing while it runs. Method: states cut
// in two by a snapshot against uncut ones, damaged bytes, allocation counts, one planted fault.
struct NetworkKernelStateTests {
  @Test(arguments: NetworkState.Mode.allCases)
  func `a snapshot and the rest of the rows equal the whole`(mode: NetworkState.Mode) {
    for (name, network) in NetworkKernelNetworks.every(seed: 4) where network.window > 1 {
      var bench = NetworkKernelBench(network, set: .best)
      var random = NetworkKernelNetworks(seed: 6, features: 1, window: 1)
      let rows = random.rows(network.window + 8, features: network.featureCount)
      var whole = bench.kernel.state(mode, in: bench.arena)
      for row in rows.prefix(network.window + 3) {
        bench.close(row, &whole)
        _ = bench.kernel.advance(&whole)
      }
      var restored = bench.kernel.state(mode, in: bench.arena)
      let bytes = whole.snapshot()
      let isRestored = restored.restore(bytes)
      #expect(isRestored)
      var copied = bench.kernel.state(mode, in: bench.arena)
      copied.copy(from: whole)
      for row in rows.suffix(5) {
        let first = bench.predict(row, &whole)
        let second = bench.predict(row, &restored)
        let third = bench.predict(row, &copied)
        #expect(first == second, "\(name)")
        #expect(first == third, "\(name)")
        bench.close(row, &whole)
        bench.close(row, &restored)
        bench.close(row, &copied)
      }
      let (one, two) = (whole.closedCount, restored.closedCount)
      #expect(one == two)
      bench.kernel.reset(&whole)
      let fresh = bench.kernel.state(mode, in: bench.arena)
      let (reset, new) = (whole.snapshot(), fresh.snapshot())
      #expect(reset == new, "\(name)")
    }
  }

  // Snapshots taken in one instruction set go on in any other.
  @Test func `a snapshot does not depend on the instruction set`() {
    for (name, network) in NetworkKernelNetworks.every(seed: 9) where network.window > 1 {
      var bytes: [[UInt8]] = []
      for set in KernelSet.supported {
        var bench = NetworkKernelBench(network, set: set)
        var random = NetworkKernelNetworks(seed: 2, features: 1, window: 1)
        var state = bench.kernel.state(.windowed, in: bench.arena)
        for row in random.rows(network.window + 2, features: network.featureCount) { bench.close(row, &state) }
        while bench.kernel.advance(&state) {}
        bytes.append(state.snapshot())
        let restored = state.restore(bytes[0])
        #expect(restored)
        let last = random.rows(1, features: network.featureCount)[0]
        let answer = bench.predict(last, &state)
        var again = NetworkKernelBench(network, set: .scalar)
        var other = again.kernel.state(.windowed, in: again.arena)
        let isTaken = other.restore(bytes[bytes.count - 1])
        #expect(isTaken)
        let expected = again.predict(last, &other)
        #expect(answer == expected, "\(name), \(set)")
      }
    }
  }

  @Test(arguments: NetworkState.Mode.allCases)
  func `a prediction that closes its row equals a prediction and a close`(mode: NetworkState.Mode) {
    for (name, network) in NetworkKernelNetworks.every(seed: 7) where network.window > 1 {
      for set in KernelSet.supported {
        var bench = NetworkKernelBench(network, set: set)
        var random = NetworkKernelNetworks(seed: 3, features: 1, window: 1)
        var joined = bench.kernel.state(mode, in: bench.arena)
        var apart = bench.kernel.state(mode, in: bench.arena)
        var differing = 0
        for row in random.rows(network.window + 4, features: network.featureCount) {
          let answer = bench.predictClosing(row, &joined)
          let expected = bench.predict(row, &apart)
          bench.close(row, &apart)
          if answer != expected { differing += 1 }
          // What is put off may be done at any time.
          if random.random.below(2) == 0 { _ = bench.kernel.advance(&joined) }
        }
        #expect(differing == 0, "\(name), \(set)")
        while bench.kernel.advance(&joined) {}
        while bench.kernel.advance(&apart) {}
        let (one, other) = (joined.snapshot(), apart.snapshot())
        #expect(one == other, "\(name), \(set)")
      }
    }
  }

  @Test func `foreign, short and damaged bytes are refused or harmless`() {
    for (name, network) in NetworkKernelNetworks.every(seed: 5) where network.window > 1 {
      var bench = NetworkKernelBench(network, set: .best)
      var random = NetworkKernelNetworks(seed: 5, features: 1, window: 1)
      let rows = random.rows(6, features: network.featureCount)
      for mode in NetworkState.Mode.allCases {
        var state = bench.kernel.state(mode, in: bench.arena)
        bench.close(rows[0], &state)
        let bytes = state.snapshot()
        for wrong in [[], Array(bytes.dropLast()), bytes + [0]] {
          let isRestored = state.restore(wrong)
          #expect(!isRestored, "\(name)")
        }
        let same = state.snapshot()
        #expect(same == bytes)
        var foreign = bytes
        foreign[3] ^= 1
        let isForeign = state.restore(foreign)
        #expect(!isForeign)
        for _ in 0..<40 {
          var damaged = bytes
          for _ in 0..<1 + random.random.below(4) {
            // The counters in front more often than their share.
            let end = random.random.below(2) == 0 ? 72 : damaged.count
            damaged[8 + random.random.below(end - 8)] = UInt8(random.random.below(256))
          }
          guard state.restore(damaged) else { continue }
          _ = bench.predict(rows[1], &state)
          for row in rows { bench.close(row, &state) }
          _ = bench.predict(rows[2], &state)
        }
      }
    }
  }

  // One weight, one row and one bit of a scale: the comparison the other tests rest on sees each.
  @Test(arguments: KernelSet.supported)
  func `a planted fault is noticed`(set: KernelSet) {
    let network = NetworkKernelNetworks.recurrent(
      seed: 3, .lstm, layers: 2, features: 9, hidden: 16, window: 12)
    var random = NetworkKernelNetworks(seed: 1, features: 1, window: 1)
    let rows = random.rows(12, features: 9)
    let expected = network.predictReference(rows).map(\.bitPattern)
    var faults: [QuantisedNetwork] = []
    for place in 0..<2 {
      guard case .recurrent(var layer) = network.operators[place] else { continue }
      var faulty = network
      layer.recurrent.weights[100] ^= 0x40
      faulty.operators[place] = .recurrent(layer)
      faults.append(faulty)
      layer.recurrent.weights[100] ^= 0x40
      layer.input.scales[3] *= 1.5
      faulty.operators[place] = .recurrent(layer)
      faults.append(faulty)
    }
    for faulty in faults {
      var bench = NetworkKernelBench(faulty, set: set)
      let answer = bench.predictWindow(rows)
      #expect(answer != expected)
    }
    var bench = NetworkKernelBench(network, set: set)
    var state = bench.kernel.state(in: bench.arena)
    for row in rows.prefix(11) { bench.close(row, &state) }
    bench.close(rows[3], &state)
    let answer = bench.predict(rows[11], &state)
    #expect(answer != expected)
  }

  @Test(.enabled(if: countsAllocations))
  func `predicting, closing and advancing allocate nothing`() {
    for (name, network) in NetworkKernelNetworks.every(seed: 2) {
      let features = network.featureCount
      var random = NetworkKernelNetworks(seed: 2, features: 1, window: 1)
      let rows = random.rows(network.window, features: features)
      let flat = rows.flatMap { $0 }
      let arena = Arena(
        capacityBytes: NetworkKernel.arenaBytes(for: network) + KernelRow.arenaBytes(featureCount: features)
          + NetworkState.Mode.allCases.reduce(0) { $0 + NetworkKernel.arenaBytes(for: network, mode: $1) })
      let kernel = NetworkKernel(network, in: arena)
      var row = KernelRow(featureCount: features, in: arena)
      row.load(rows[0])
      var sum: Float = 0
      guard kernel.remembers else {
        let counts = counting {
          for _ in 0..<3 {
            sum += kernel.predict(row)
            sum += kernel.predictWindow(flat.span)
            kernel.warm()
          }
        }
        #expect(counts.allocations == 0, "\(name)")
        continue
      }
      for mode in NetworkState.Mode.allCases {
        var state = kernel.state(mode, in: arena)
        func work() {
          for _ in 0..<2 * network.window + 3 {
            sum += kernel.predict(row, &state)
            kernel.close(row, &state)
            sum += kernel.predictClosing(row, &state)
            _ = kernel.advance(&state)
            kernel.warm(&state)
          }
          kernel.reset(&state)
          sum += kernel.predictWindow(flat.span)
        }
        work()
        let counts = counting(work)
        #expect(counts.allocations == 0, "\(name), \(mode)")
      }
      #expect(sum.isFinite)
    }
  }
}
