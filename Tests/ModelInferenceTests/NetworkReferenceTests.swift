import Glibc
import ModelInference
import Testing

struct NetworkReferenceTests {
  /// The operators once more, in double precision and by the C library's functions: independent of the executor.
  private struct Plain {
    let network: NeuralNetwork

    func predict(_ window: [[Float]]) -> [Double] {
      var values: [[[Double]]] = [
        window.map { row in zip(row, network.missingValues).map { Double($0.isNaN ? $1 : $0) } }
      ]
      for step in network.operators { values.append(result(step, values)) }
      return values[network.operators.count][0]
    }

    private func product(_ weights: [Float], _ bias: [Float], _ x: [Double]) -> [Double] {
      bias.indices.map { output in
        x.indices.reduce(Double(bias[output])) { $0 + Double(weights[output * x.count + $1]) * x[$1] }
      }
    }

    private func apply(_ activation: NeuralNetwork.Activation, _ x: Double) -> Double {
      switch activation {
      case .identity: x
      case .relu: max(x, 0)
      case .leakyReLU(let slope): x > 0 ? x : Double(slope) * x
      case .sigmoid: 1 / (1 + Glibc.exp(-x))
      case .tanh: Glibc.tanh(x)
      case .gelu: x / 2 * (1 + Glibc.erf(x / 2.0.squareRoot()))
      case .geluTanh: x / 2 * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      case .silu: x / (1 + Glibc.exp(-x))
      }
    }

    private func result(_ step: NeuralNetwork.Operator, _ values: [[[Double]]]) -> [[Double]] {
      switch step {
      case .dense(let layer):
        return values[layer.source].map { row in
          product(layer.weights, layer.bias, row).map { apply(layer.activation, $0) }
        }
      case .convolution(let layer):
        let source = values[layer.source]
        return source.indices.map { row in
          (0..<layer.outputs).map { output in
            var sum = Double(layer.bias[output])
            for channel in 0..<layer.inputs {
              for tap in 0..<layer.kernel {
                let earlier = row - (layer.kernel - 1 - tap) * layer.dilation
                guard earlier >= 0 else { continue }
                let weight = layer.weights[(output * layer.inputs + channel) * layer.kernel + tap]
                sum += Double(weight) * source[earlier][channel]
              }
            }
            return apply(layer.activation, sum)
          }
        }
      case .recurrent(let layer): return recurrent(layer, values[layer.source])
      case .attention(let query, let key, let value, let heads, let scale):
        let width = values[query][0].count / heads
        return values[query].indices.map { row in
          (0..<heads).flatMap { head in
            let slice = head * width..<(head + 1) * width
            let powers = (0...row).map { earlier in
              Glibc.exp(slice.reduce(0.0) { $0 + values[query][row][$1] * values[key][earlier][$1] } * Double(scale))
            }
            let sum = powers.reduce(0, +)
            return slice.map { column in
              powers.indices.reduce(0.0) { $0 + powers[$1] * values[value][$1][column] } / sum
            }
          }
        }
      case .layerNormalisation(let source, let gain, let shift, let epsilon):
        return values[source].map { row in
          let mean = row.reduce(0, +) / Double(row.count)
          let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
          return row.indices.map {
            (row[$0] - mean) / (variance + Double(epsilon)).squareRoot() * Double(gain[$0]) + Double(shift[$0])
          }
        }
      case .affine(let source, let gain, let shift):
        return values[source].map { row in row.indices.map { row[$0] * Double(gain[$0]) + Double(shift[$0]) } }
      case .add(let first, let second):
        return zip(values[first], values[second]).map { zip($0, $1).map { $0 + $1 } }
      case .activation(let source, let activation):
        return values[source].map { row in row.map { apply(activation, $0) } }
      case .positions(let source, let table):
        return values[source].indices.map { row in
          let source = values[source][row]
          return source.indices.map { source[$0] + Double(table[row * source.count + $0]) }
        }
      case .lastRow(let source): return [values[source][values[source].count - 1]]
      }
    }

    private func recurrent(_ layer: NeuralNetwork.Recurrent, _ source: [[Double]]) -> [[Double]] {
      let units = layer.hidden
      func sigmoid(_ x: Double) -> Double { 1 / (1 + Glibc.exp(-x)) }
      var state = [Double](repeating: 0, count: units)
      var cells = state
      return source.map { row in
        let w = product(layer.inputWeights, layer.inputBias, row)
        let r = product(layer.recurrentWeights, layer.recurrentBias, state)
        switch layer.cell {
        case .lstm:
          for unit in 0..<units {
            let gate = { (number: Int) in w[number * units + unit] + r[number * units + unit] }
            cells[unit] = sigmoid(gate(2)) * cells[unit] + sigmoid(gate(0)) * Glibc.tanh(gate(3))
            state[unit] = sigmoid(gate(1)) * Glibc.tanh(cells[unit])
          }
        case .gru(let linear):
          let resets = (0..<units).map { sigmoid(w[units + $0] + r[units + $0]) }
          let kept = product(layer.recurrentWeights, layer.recurrentBias, zip(resets, state).map { $0 * $1 })
          state = (0..<units).map { unit in
            let z = sigmoid(w[unit] + r[unit])
            let past = linear ? resets[unit] * r[2 * units + unit] : kept[2 * units + unit]
            return (1 - z) * Glibc.tanh(w[2 * units + unit] + past) + z * state[unit]
          }
        }
        return state
      }
    }
  }

  // Goal: the executor is right. Method: networks of every kind against double precision written out once more.
  @Test(arguments: [UInt64(1), 2, 3]) func `float executor agrees with double precision`(seed: UInt64) {
    var networks = QuantisationNetworks(seed: seed)
    for network in networks.everyKind() {
      #expect(network.fault == nil)
      let plain = Plain(network: network)
      let reference = NetworkReference(network)
      for window in networks.windows(4, for: network) {
        let given = reference.predict(window)
        for (given, wanted) in zip(given, plain.predict(window)) {
          #expect(abs(Double(given) - wanted) <= 1e-5 * max(1, abs(wanted)), "seed \(seed)")
        }
        #expect(given == network.predictReference(window))
      }
    }
  }

  // Goal: a later row never reaches back. Method: change the newest row; every earlier row of every value stays.
  @Test func `every operator is causal`() {
    var networks = QuantisationNetworks(seed: 11)
    for network in networks.everyKind() where network.window > 1 {
      var window = networks.windows(1, for: network)[0]
      let before = network.values(of: window)
      window[network.window - 1] = networks.row(network.featureCount)
      let after = network.values(of: window)
      var hasChanged = false
      for value in before.indices where before[value].count % network.window == 0 {
        let width = before[value].count / network.window
        let earlier = (network.window - 1) * width
        #expect(before[value][..<earlier] == after[value][..<earlier])
        hasChanged = hasChanged || before[value] != after[value]
      }
      #expect(hasChanged)
    }
  }

  // Goal: a missing entry is the network's replacement. Method: NaN against the replacement itself.
  @Test func `missing entry reads as its replacement`() {
    var networks = QuantisationNetworks(seed: 5)
    let network = networks.recurrent(.lstm, layers: 1)
    var window = networks.windows(1, for: network, missingOneIn: 0)[0]
    window[3][2] = network.missingValues[2]
    let given = network.predictReference(window)
    window[3][2] = .nan
    #expect(given == network.predictReference(window))
    window[3][2] = network.missingValues[2] + 100
    #expect(given != network.predictReference(window))
  }
}

extension NeuralNetwork {
  fileprivate func values(of window: [[Float]]) -> [[Float]] { NetworkReference(self).values(window) }
}
