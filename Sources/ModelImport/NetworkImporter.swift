internal import Foundation
public import ModelInference
internal import TradingTypes

/// A network in floating point, as trained: reads JSON, and quantises to 8 bits on calibration rows.
///
/// ```
/// {"features": ["mid", …], "mean": […], "deviation": […],
///  "layers": [{"weights": [[… one row an output …]], "bias": […]}, …]}
/// ```
///
/// Inputs are standardised as `(value − mean) / deviation`, a missing one is 0 then; ReLU stands between the layers and
/// the last layer has one output, the logit.
public struct FloatNetwork: Hashable, Sendable {
  /// A dense layer.
  public struct Layer: Codable, Hashable, Sendable {
    /// One row an output.
    public var weights: [[Double]]
    /// One number an output.
    public var bias: [Double]
  }

  private struct Document: Codable {
    var features: [String]
    var mean: [Double]
    var deviation: [Double]
    var layers: [Layer]
  }

  /// Mean of each of the 96 slots; 0 where the network does not read it.
  public private(set) var mean: [Double]
  /// Deviation of each of the 96 slots; 1 where the network does not read it.
  public private(set) var deviation: [Double]
  /// The layers; the first reads 96 slots.
  public private(set) var layers: [Layer]

  /// The network at `path`.
  public static func read(_ path: String) throws(ImportError) -> FloatNetwork {
    try FloatNetwork(json: ImportError.text(path), name: path)
  }

  /// The network a JSON text holds.
  public init(json text: String, name: String) throws(ImportError) {
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: name, place: place, expected: expected)
    }
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8)) else {
      throw refused("file", "JSON with features, mean, deviation and layers")
    }
    let known = Dictionary(uniqueKeysWithValues: FeatureSlot.allCases.map { ($0.name, $0.index) })
    let slots = document.features.compactMap { known[$0] }
    let count = document.features.count
    guard slots.count == count, Set(slots).count == count, document.mean.count == count,
      document.deviation.count == count
    else { throw refused("features", "names of feature slots with a mean and a deviation each") }
    guard document.mean.allSatisfy({ Float($0).isFinite }),
      document.deviation.allSatisfy({ $0 > 0 && Float($0).isFinite })
    else { throw refused("deviation", "finite means and positive deviations") }
    guard (1...NeuralModel.layerCountMax).contains(document.layers.count) else {
      throw refused("layers", "1 to \(NeuralModel.layerCountMax) layers")
    }
    mean = [Double](repeating: 0, count: FeatureVector.count)
    deviation = [Double](repeating: 1, count: FeatureVector.count)
    for (place, slot) in slots.enumerated() {
      mean[slot] = document.mean[place]
      deviation[slot] = document.deviation[place]
    }
    layers = document.layers
    var width = count
    for (number, layer) in layers.enumerated() {
      guard !layer.bias.isEmpty, layer.bias.count <= NeuralModel.widthMax, layer.weights.count == layer.bias.count,
        layer.weights.allSatisfy({ $0.count == width }),
        (layer.weights.joined() + layer.bias).allSatisfy({ abs($0) < 1e6 })
      else {
        throw refused("layer \(number)", "up to \(NeuralModel.widthMax) rows of \(width) weights, and a bias each")
      }
      width = layer.bias.count
    }
    guard width == 1 else { throw refused("layer \(layers.count - 1)", "one output") }
    layers[0].weights = layers[0].weights.map { row in
      var wide = [Double](repeating: 0, count: FeatureVector.count)
      for (place, slot) in slots.enumerated() { wide[slot] = row[place] }
      return wide
    }
  }

  /// Activations of every layer for a row, the logit last, in double precision.
  public func activations(_ row: FeatureTable.Row) -> [[Double]] {
    var inputs = (0..<FeatureVector.count).map { slot in
      row.valid[slot] ? (Double(row.values[slot]) - mean[slot]) / deviation[slot] : 0
    }
    var all: [[Double]] = []
    for (number, layer) in layers.enumerated() {
      inputs = zip(layer.weights, layer.bias).map { weights, bias in
        let sum = zip(weights, inputs).reduce(bias) { $0 + $1.0 * $1.1 }
        return number == layers.count - 1 ? sum : max(0, sum)
      }
      all.append(inputs)
    }
    return all
  }

  /// The 8-bit network.
  ///
  /// Weights are symmetric, one scale an output, from −127 to 127. Input steps reach to `inputQuantile` of the
  /// distances from the mean, activations to the largest seen; what lies beyond saturates.
  ///
  /// - Parameter rows: at least one row to calibrate on.
  /// - Throws: `ImportError` where no 8-bit network comes out.
  /// - Source: Jacob et al. 2018, arXiv:1712.05877, section 2.1. Differs: zero points exist at the input only.
  public func quantised(
    on rows: [FeatureTable.Row], inputQuantile: Double = 0.9995, name: String = "network"
  ) throws(ImportError) -> NeuralModel {
    guard !rows.isEmpty else { throw ImportError(file: name, place: "calibration", expected: "at least one row") }
    let steps = (0..<FeatureVector.count).map { slot in
      let distances = rows.filter { $0.valid[slot] }.map { abs(Double($0.values[slot]) - mean[slot]) }.sorted()
      let place = Int((Double(distances.count) * inputQuantile).rounded(.down))
      let reach = distances.isEmpty ? 0 : distances[min(place, distances.count - 1)]
      // A slot that never moved still needs a step; a tenth of its deviation keeps the weights in range.
      return max(reach, deviation[slot] * 0.1) / 127
    }
    let seen = rows.map(activations)
    var inputSteps = zip(steps, deviation).map { $0 / $1 }
    var quantisedLayers: [NeuralModel.Layer] = []
    for (number, layer) in layers.enumerated() {
      let isLast = number == layers.count - 1
      let top = seen.lazy.flatMap { $0[number] }.max() ?? 0
      let outputStep = isLast ? 1 : max(top, 1e-6) / 255
      let columns = layer.weights[0].count
      var out = NeuralModel.Layer(inputs: columns, outputs: layer.bias.count, weights: [], bias: [], scales: [])
      for (row, bias) in zip(layer.weights, layer.bias) {
        let folded = zip(row, inputSteps).map { $0 * $1 }
        let weightStep = max(folded.reduce(0) { max($0, abs($1)) }, 1e-9) / 127
        let whole = folded.map { Int32(($0 / weightStep).rounded(.toNearestOrEven)) }
        // The inputs' zero point of 128 leaves through the bias.
        let zeroPoint: Int32 = number == 0 ? 128 * whole.reduce(0, +) : 0
        let biasSteps = (bias / weightStep).rounded(.toNearestOrEven)
        guard abs(biasSteps) < 1e9 else {
          throw ImportError(file: name, place: "layer \(number)", expected: "a bias within reach of the weights")
        }
        out.weights += whole.map { Int8($0) }
        out.bias.append(Int32(biasSteps) - zeroPoint)
        out.scales.append(Float(weightStep / outputStep))
      }
      quantisedLayers.append(out)
      inputSteps = [Double](repeating: outputStep, count: layer.bias.count)
    }
    let model = NeuralModel(
      centers: mean.map { Float($0) }, inverseSteps: steps.map { Float(1 / $0) }, layers: quantisedLayers)
    if let fault = model.fault { throw ImportError(file: name, place: "quantised network", expected: fault) }
    return model
  }
}
