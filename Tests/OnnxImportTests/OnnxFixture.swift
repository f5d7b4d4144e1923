import Foundation
import ModelImport
import ModelInference
import Testing

@testable import OnnxImport

/// A file of `Fixtures/models/onnx` with the rows that ONNX Runtime answered.
struct OnnxFixture {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/models/onnx")

  let model: ImportedModel
  let windows: [[[Float]]]
  let answers: [[Float]]

  static func path(_ name: String) -> String { folder.appending(path: "\(name).onnx").path }
  static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path(name)))) }

  /// The network of a file that has no rows beside it.
  static func network(_ name: String) throws -> NeuralNetwork {
    try #require(try OnnxImporter().read(path(name)).network)
  }

  init(_ name: String, _ options: OnnxImporter.Options = OnnxImporter.Options()) throws {
    model = try OnnxImporter(options).read(Self.path(name))
    let text = try String(contentsOf: Self.folder.appending(path: "\(name).rows"), encoding: .utf8)
    let lines = text.split(separator: "\n")
    let head = lines[0].split(separator: " ").compactMap { Int($0) }
    let (rows, features, outputs) = (head[0], head[1], head[2])
    var windows: [[[Float]]] = []
    var answers: [[Float]] = []
    for line in lines.dropFirst() {
      let numbers = line.split(separator: " ").compactMap { $0 == "nan" ? Float.nan : Float($0) }
      try #require(numbers.count == rows * features + outputs)
      windows.append((0..<rows).map { Array(numbers[($0 * features)..<(($0 + 1) * features)]) })
      answers.append(Array(numbers[(rows * features)...]))
    }
    self.windows = windows
    self.answers = answers
  }

  /// The largest distance between what ONNX Runtime answered and the prediction of the imported model.
  func distance() throws -> Float {
    try #require(answers.count >= 5)
    var most: Float = 0
    for (window, answer) in zip(windows, answers) {
      let predicted: [Double]
      switch model.model {
      case .network(let network):
        predicted = network.link.predictions(network.predictReference(window).map { Double($0) })
      case .forest(let forest): predicted = forest.predictions(raw: forest.rawReference(window[0]))
      }
      // Probabilities of two classes: the second one's is the prediction.
      let wanted = answer.count == 2 && predicted.count == 1 ? [answer[1]] : answer
      try #require(wanted.count == predicted.count)
      for (one, other) in zip(predicted, wanted) { most = max(most, abs(Float(one) - other) / max(1, abs(other))) }
    }
    return most
  }

  /// What is applied to numbers of its layers, or between them.
  var activations: [NeuralNetwork.Activation] {
    (model.network?.operators ?? []).compactMap { step in
      switch step {
      case .dense(let layer): layer.activation
      case .convolution(let layer): layer.activation
      case .activation(_, let activation): activation
      default: nil
      }
    }
  }

  var operators: [String] {
    (model.network?.operators ?? []).map { String(describing: $0).prefix { $0 != "(" }.description }
  }
}
