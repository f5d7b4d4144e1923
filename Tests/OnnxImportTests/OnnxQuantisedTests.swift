import ModelImport
import ModelInference
import Testing

@testable import OnnxImport

// Goal: a file with QuantizeLinear and DequantizeLinear nodes gives the float network and the file's own scales, and both together
// the file's numbers. Method: round every value that has a scale, in the plain executor; ONNX Runtime without optimisations is the
// other side. Twenty of the rows lie exactly between two steps of the input.
@Suite struct OnnxQuantisedTests {
  /// The network's last value, each value on the way rounded as its scale says. Rows are time.
  private func rounded(
    _ network: NeuralNetwork, _ hints: QuantisationHints, _ window: [[Float]]
  ) throws -> [Float] {
    func quantised(_ rows: [[Float]], _ value: Int) -> [[Float]] {
      guard let scale = hints.values[value] else { return rows }
      let zero = Float(scale.zeroPoint)
      return rows.map { row in
        row.map { number in
          let code = min(max((number / scale.step).rounded(.toNearestOrEven) + zero, 0), 255)
          return (code - zero) * scale.step
        }
      }
    }
    var values = [quantised(window, 0)]
    for (number, step) in network.operators.enumerated() {
      let result: [[Float]]
      switch step {
      case .dense(let layer):
        result = values[layer.source].map { row in
          (0..<layer.outputs).map { output in
            let sum = (0..<layer.inputs).reduce(Float(0)) { $0 + row[$1] * layer.weights[output * layer.inputs + $1] }
            return Float(ScalarFunction.value(of: layer.activation, Double(sum + layer.bias[output])))
          }
        }
      case .convolution(let layer):
        let source = values[layer.source]
        result = source.indices.map { time in
          (0..<layer.outputs).map { output in
            var sum: Float = 0
            for tap in 0..<layer.kernel {
              let row = time - (layer.kernel - 1 - tap) * layer.dilation
              guard row >= 0 else { continue }
              for input in 0..<layer.inputs {
                sum += source[row][input] * layer.weights[(output * layer.inputs + input) * layer.kernel + tap]
              }
            }
            return Float(ScalarFunction.value(of: layer.activation, Double(sum + layer.bias[output])))
          }
        }
      case .activation(let source, let activation):
        result = values[source].map { $0.map { Float(ScalarFunction.value(of: activation, Double($0))) } }
      case .affine(let source, let gain, let shift):
        result = values[source].map { row in row.indices.map { row[$0] * gain[$0] + shift[$0] } }
      case .add(let first, let second):
        result = zip(values[first], values[second]).map { zip($0, $1).map { $0 + $1 } }
      case .lastRow(let source): result = Array(values[source].suffix(1))
      default:
        Issue.record("an operator that the test does not know: \(step)")
        return []
      }
      values.append(quantised(result, number + 1))
    }
    return values.last?.last ?? []
  }

  @Test(arguments: ["qdq", "qdq_tensor", "qdq_tcn"])
  func `the file's scales on the float network give what ONNX Runtime computes, ties included`(name: String) throws {
    let fixture = try OnnxFixture(name)
    let network = try #require(fixture.model.network)
    let hints = fixture.model.quantisationHints
    #expect(hints.values[0] != nil)
    var products = 0
    for (number, step) in network.operators.enumerated() {
      let (weights, outputs): ([Float], Int)
      switch step {
      case .dense(let layer): (weights, outputs) = (layer.weights, layer.outputs)
      case .convolution(let layer): (weights, outputs) = (layer.weights, layer.outputs)
      default: continue
      }
      products += 1
      let scales = try #require(hints.weightScales[number])
      // Weights are whole multiples of their step.
      for (place, weight) in weights.enumerated() {
        let whole = weight / scales[place / (weights.count / outputs)]
        #expect(abs(whole - whole.rounded()) < 1e-4)
        #expect(abs(whole) < 128.5)
      }
    }
    #expect(products > 1)
    for (window, answer) in zip(fixture.windows, fixture.answers) {
      let predicted = try rounded(network, hints, window)
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

  private func changed(
    _ name: String, _ change: (inout OnnxModel, Int) throws -> Void
  ) throws -> Result<ImportedModel, ImportError> {
    var model = try OnnxFile.decode(OnnxFixture.bytes(name), name: "m")
    let initialisers = Set(model.graph.initializer.filter { $0.dims.count == 2 }.map(\.name))
    let place = try #require(
      model.graph.node.firstIndex { $0.opType == "DequantizeLinear" && initialisers.contains($0.input[0]) })
    try change(&model, place)
    let result = model
    return Result { () throws(ImportError) in try OnnxImporter().read(result, name: "m") }
  }

  @Test func `a negative axis counts from the end, and the default axis is 1`() throws {
    let plain = try OnnxImporter().read(OnnxFixture.path("qdq"))
    let negative = try changed("qdq") { model, place in
      let axis = try #require(model.graph.node[place].attribute.firstIndex { $0.name == "axis" })
      model.graph.node[place].attribute[axis].i = -2
    }
    #expect(try negative.get().network == plain.network)
    let standard = try changed("qdq") { model, place in
      model.graph.node[place].attribute.removeAll { $0.name == "axis" }
    }
    guard case .failure(let refusal) = standard else {
      Issue.record("8 scales along an axis of 6 were taken")
      return
    }
    #expect(refusal.expected.contains("8 channels along axis 1"))
  }

  @Test func `quantised constants round half to even and divide`() throws {
    var reader = GraphReader(file: "m", opset: 17, rows: 1, features: 1)
    reader.meanings["x"] = .constant(Constant(.float, [8], [0.25, 0.75, 1.25, -0.25, -0.75, 200, -200, 0.1]))
    reader.meanings["step"] = .constant(Constant(.float, [], [0.5]))
    reader.meanings["zero"] = .constant(Constant(.int8, [], [3]))
    var node = OnnxNode()
    node.opType = "QuantizeLinear"
    node.input = ["x", "step", "zero"]
    node.output = ["q"]
    try reader.read(GraphNode(node, number: 0, file: "m"))
    // 0.5, 1.5, 2.5, -0.5, -1.5 round to 0, 2, 2, 0, -2; the zero point comes after, then saturation.
    #expect(reader.meanings["q"]?.constant?.values == [3, 5, 5, 3, 1, 127, -128, 3])
  }

  @Test(arguments: [("dynamic_mlp", "MatMulInteger"), ("dynamic_lstm", "DynamicQuantizeLSTM")])
  func `dynamic quantisation is refused with what to do instead`(name: String, type: String) throws {
    let refusal = #expect(throws: ImportError.self) { try OnnxImporter().read(OnnxFixture.path(name)) }
    let line = try #require(refusal?.description)
    #expect(line.contains("static QDQ"))
    #expect(!line.contains("\n"))
  }
}
