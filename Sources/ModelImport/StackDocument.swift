internal import Foundation
public import ModelInference
public import TradingTypes

/// The weights and calibration of an ensemble, as trained: the JSON the training script writes.
///
/// ```
/// {"members": ["lightgbm", "mlp"], "required": [["spread"], []],
///  "average_weights": […], "stack_weights": […], "stack_bias": …, "stack_share": 0.6, "average_share": 0.4,
///  "calibration_slope": …, "calibration_intercept": …, "metadata": {"training_sha256": "…"}}
/// ```
public struct StackDocument: Hashable, Sendable {
  private struct Document: Codable {
    var members: [String]
    var required: [[String]]
    var average_weights: [Double]
    var stack_weights: [Double]
    var stack_bias: Double
    var stack_share: Double
    var average_share: Double
    var calibration_slope: Double
    var calibration_intercept: Double
    var metadata: [String: String]
  }

  /// Names of the members, in order.
  public var names: [String]
  /// Slots each member needs.
  public var required: [FeatureMask]
  /// Weights and calibration.
  public var combiner: CombinerValues
  /// Origins.
  public var metadata: [String: String]

  /// The document at `path`.
  public static func read(_ path: String) throws(ImportError) -> StackDocument {
    try StackDocument(json: ImportError.text(path), name: path)
  }

  /// The document a JSON text holds.
  public init(json text: String, name: String) throws(ImportError) {
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8)) else {
      throw ImportError(
        file: name, place: "file", expected: "JSON with members, required slots, weights, calibration and metadata")
    }
    names = document.members
    combiner = CombinerValues(
      averageWeights: document.average_weights, stackWeights: document.stack_weights,
      stackBias: document.stack_bias, stackShare: document.stack_share, averageShare: document.average_share,
      calibrationSlope: document.calibration_slope, calibrationIntercept: document.calibration_intercept)
    metadata = document.metadata
    required = []
    for (member, list) in document.required.enumerated() {
      var mask = FeatureMask()
      for slotName in list {
        guard let slot = FeatureSlot.allCases.first(where: { $0.name == slotName }) else {
          throw ImportError(
            file: name, place: "required of member \(member)", expected: "feature slots, not \(slotName)")
        }
        mask[slot] = true
      }
      required.append(mask)
    }
    guard required.count == names.count else {
      throw ImportError(file: name, place: "required", expected: "a list of slots for each member")
    }
    if let fault = combiner.fault(memberCount: names.count) {
      throw ImportError(file: name, place: "weights", expected: fault)
    }
  }
}
