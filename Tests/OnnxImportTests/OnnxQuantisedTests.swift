import ModelImport
import ModelInference
import Testing

@testable import OnnxImport

// Goal: a file with QuantizeLinear and DequantizeLinear nodes gives the float network and the file's own scales, and both together
// the file's numbers. Method: round every value that has a scale, in the plain executor; ONNX Runtime without optimisations is the
// other side. Twenty of the rows lie exactly between two steps of the input.
@Suite struct OnnxQuantisedTests {
  /// Dense layers and functions of one row, each value rounded as its scale says.
  private func rounded(_ network: NeuralNetwork, _ hints: QuantisationHints, _ row: [Float]) throws -> [Float] {
    func quantised(_ numbers: [Float], _ value: Int) -> [Float] {
      guard let scale = hints.values[value] else { return numbers }
      let zero = Float(scale.zeroPoint)
      return numbers.map { number in
        let code = min(max((number / scale.step).rounded(.toNearestOrEven) + zero, 0), 255)
        return (code - zero) * scale.step
      }
    }
    var values = [quantised(row, 0)]
    for (number, step) in network.operators.enumerated() {
      let result: [Float]
      switch step {
      case .dense(let layer):
        let source = values[layer.source]
        result = (0..<layer.outputs).map { output in
          let sum = (0..<layer.inputs).reduce(Float(0)) { $0 + source[$1] * layer.weights[output * layer.inputs + $1] }
          return Float(ScalarFunction.value(of: layer.activation, Double(sum + layer.bias[output])))
        }
      case .activation(let source, let activation):
        result = values[source].map { Float(ScalarFunction.value(of: activation, Double($0))) }
      case .affine(let source, let gain, let shift):
        result = values[source].indices.map { values[source][$0] * gain[$0] + shift[$0] }
      default:
        Issue.record("an operator that the test does not know: \(step)")
        return []
      }
      values.append(quantised(result, number + 1))
    }
    return values.last ?? []
  }

  @Test(arguments: ["qdq", "qdq_tensor"])
  func `the file's scales on the float network give what ONNX Runtime computes, ties included`(name: String) throws {
    let fixture = try OnnxFixture(name)
    let network = try #require(fixture.model.network)
    let hints = fixture.model.quantisationHints
    #expect(hints.values[0] != nil)
    #expect(hints.weightScales.count == network.operators.count { if case .dense = $0 { true } else { false } })
    for (number, scales) in hints.weightScales {
      guard case .dense(let layer) = network.operators[number] else { continue }
      // Weights are whole multiples of their step.
      for (place, weight) in layer.weights.enumerated() {
        let whole = weight / scales[place / layer.inputs]
        #expect(abs(whole - whole.rounded()) < 1e-4)
        #expect(abs(whole) < 128.5)
      }
    }
    for (window, answer) in zip(fixture.windows, fixture.answers) {
      let predicted = try rounded(network, hints, window[0])
      #expect(abs(predicted[0] - answer[0]) <= 1e-5)
    }
  }

  // onnxruntime.quantization drops a Relu whose result is quantised with zero point 0: saturation does the same.
  @Test(arguments: ["qdq", "qdq_tensor"])
  func `a Relu that saturation stands for is there again in the float network`(name: String) throws {
    let fixture = try OnnxFixture(name)
    let network = try #require(fixture.model.network)
    guard case .dense(let first) = network.operators[name == "qdq" ? 0 : 1] else { return }
    #expect(first.activation == .relu || name == "qdq_tensor")
    // Without it the float network would be far off, not a few steps.
    #expect(try fixture.distance() < 0.05)
  }

  // Per-channel scales of a weight with the outputs first are its axis 0; read along the default axis 1 they would not fit.
  @Test func `per-channel scales follow the axis of the weights`() throws {
    let fixture = try OnnxFixture("qdq")
    let scales = fixture.model.quantisationHints.weightScales
    #expect(scales[0]?.count == 8)
    #expect(Set(scales[0] ?? []).count == 8)
    #expect(fixture.model.quantisationHints.integerBiases[0]?.count == 8)
  }

  @Test(arguments: [("dynamic_mlp", "MatMulInteger"), ("dynamic_lstm", "DynamicQuantizeLSTM")])
  func `dynamic quantisation is refused with what to do instead`(name: String, type: String) throws {
    let refusal = #expect(throws: ImportError.self) { try OnnxImporter().read(OnnxFixture.path(name)) }
    let line = try #require(refusal?.description)
    #expect(line.contains("static QDQ"))
    #expect(!line.contains("\n"))
  }
}
