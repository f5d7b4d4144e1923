import Foundation
import ModelImport
import ModelInference
import Testing

@testable import OnnxImport

// Goal: no bytes make the importer trap, hang or take memory without bound. Method: sound files of every kind, cut short and with
// bytes changed, seeded; whatever comes out is a model without a fault or one line.
@Suite struct OnnxFuzzTests {
  /// A small generator, so that a seed says everything.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }

  private func isSound(_ bytes: [UInt8]) -> Bool {
    do throws(ImportError) {
      let model = try OnnxImporter().read(bytes, name: "fuzz")
      return model.network?.fault == nil && model.forest?.fault == nil && model.featureNames.count > 0
    } catch {
      return !error.description.contains("\n") && error.file == "fuzz"
    }
  }

  /// Rounds a file: few by default, as many as `MARTLET_FUZZ_ROUNDS` says for a soak.
  private static let rounds = Int(ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"] ?? "") ?? 25
  private static let names = [
    "mlp_norm", "mlp_old", "lstm", "gru_two", "tcn_chop", "tcn_pad", "attention", "attention_dynamo",
    "transformer_dynamo",
    "qdq", "sk_logistic", "sk_mlp", "sk_scaled_trees", "sk_forest_three", "sk_columns",
  ]

  @Test(arguments: names)
  func `changed files are refused or give a sound model`(name: String) throws {
    let sound = try OnnxFixture.bytes(name)
    var seed: UInt64 = 0
    for byte in name.utf8 { seed = seed &* 31 &+ UInt64(byte) }
    var generator = Generator(state: seed)
    for round in 0..<Self.rounds {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: bytes.indices, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.removeLast(min(place, bytes.count - 1))
        case 3: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
        default:
          // A piece of the file in another place.
          let length = min(16, bytes.count - place)
          let other = Int.random(in: 0...(bytes.count - length), using: &generator)
          bytes.replaceSubrange(other..<(other + length), with: bytes[place..<(place + length)])
        }
      }
      let held = isSound(bytes)
      #expect(held, "seed \(seed), round \(round)")
    }
  }

  // Bytes seldom hit a shape or a wire between two nodes; here the message itself is changed.
  @Test(arguments: names)
  func `changed graphs are refused or give a sound model`(name: String) throws {
    let sound = try OnnxFile.decode(OnnxFixture.bytes(name), name: "fuzz")
    var seed: UInt64 = 7
    for byte in name.utf8 { seed = seed &* 31 &+ UInt64(byte) }
    var generator = Generator(state: seed)
    let extremes: [Int64] = [-2, -1, 0, 1, 2, 3, 5, 12, 64, 4_097, 1 << 31, .max, .min]
    for round in 0..<Self.rounds {
      var model = sound
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let tensors = model.graph.initializer.map(\.name) + model.graph.node.flatMap(\.output) + [""]
        let node = Int.random(in: model.graph.node.indices, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1:
          guard let input = model.graph.node[node].input.indices.randomElement(using: &generator) else { continue }
          model.graph.node[node].input[input] = tensors.randomElement(using: &generator) ?? ""
        case 2, 3:
          guard let place = model.graph.node[node].attribute.indices.randomElement(using: &generator) else { continue }
          let number = extremes.randomElement(using: &generator) ?? 0
          model.graph.node[node].attribute[place].i = number
          if let entry = model.graph.node[node].attribute[place].ints.indices.randomElement(using: &generator) {
            model.graph.node[node].attribute[place].ints[entry] = number
          }
          if let entry = model.graph.node[node].attribute[place].floats.indices.randomElement(using: &generator) {
            let floats: [Float] = [.nan, .infinity, 0, -1, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
            model.graph.node[node].attribute[place].floats[entry] = floats.randomElement(using: &generator) ?? 0
          }
        case 4:
          guard let place = model.graph.initializer.indices.randomElement(using: &generator) else { continue }
          model.graph.initializer[place].dims.shuffle(using: &generator)
          if Bool.random(using: &generator) { model.graph.initializer[place].dims.append(1) }
        case 5:
          let types = [
            "Add", "Mul", "MatMul", "Reshape", "Transpose", "Slice", "Gather", "Concat", "Softmax", "Conv", "Pad",
          ]
          model.graph.node[node].opType = types.randomElement(using: &generator) ?? "Add"
        case 6: model.graph.node.remove(at: node)
        default:
          let dims = model.graph.input[0].type.tensorType.shape.dim.indices
          guard let axis = dims.randomElement(using: &generator) else { continue }
          model.graph.input[0].type.tensorType.shape.dim[axis].dimValue = extremes.randomElement(using: &generator) ?? 1
        }
        guard !model.graph.node.isEmpty else { break }
      }
      let changed = model
      let held: Bool
      do throws(ImportError) {
        let model = try OnnxImporter(.init(window: 12)).read(changed, name: "fuzz")
        held = model.network?.fault == nil && model.forest?.fault == nil
      } catch {
        held = !error.description.contains("\n")
      }
      #expect(held, "seed \(seed), round \(round)")
    }
  }

  @Test func `what is no ONNX file is refused`() throws {
    for bytes in [[], [0], [0x80], Array("tree\nversion=v4\n".utf8), [UInt8](repeating: 0x0A, count: 4_096)] {
      let error = #expect(throws: ImportError.self) { try OnnxImporter().read(bytes, name: "m") }
      #expect(error?.place == "file" || error?.place == "operator set" || error?.place == "graph")
    }
  }

  // Two bytes are an empty node, which takes a hundred times as much once decoded.
  @Test func `a file of empty nodes is refused before it is decoded`() throws {
    var nodes: [UInt8] = []
    for _ in 0..<300_000 { nodes += [0x0A, 0x00] }
    var bytes: [UInt8] = [0x3A]
    var length = nodes.count
    while length > 0x7F {
      bytes.append(UInt8(length & 0x7F) | 0x80)
      length >>= 7
    }
    bytes.append(UInt8(length))
    bytes += nodes
    let memory = WireScan.memory(of: bytes) ?? 0
    #expect(memory > OnnxFile.memoryMax)
    let error = #expect(throws: ImportError.self) { try OnnxImporter().read(bytes, name: "m") }
    #expect(error?.expected.contains("ordinary proportions") == true)
  }

  @Test func `constants that would grow without bound are refused`() throws {
    var model = try OnnxFile.decode(OnnxFixture.bytes("lstm_two"), name: "m")
    let place = try #require(model.graph.node.firstIndex { $0.opType == "ConstantOfShape" })
    var shape = OnnxNode()
    shape.opType = "Constant"
    shape.output = ["grown"]
    var value = OnnxAttribute()
    value.name = "value_ints"
    value.ints = [1 << 20, 1 << 20]
    shape.attribute = [value]
    model.graph.node.insert(shape, at: 0)
    model.graph.node[place + 1].input = ["grown"]
    let changed = model
    let error = #expect(throws: ImportError.self) { try OnnxImporter().read(changed, name: "m") }
    #expect(error?.expected.contains("at most \(Constant.countMax) numbers") == true)
  }
}
