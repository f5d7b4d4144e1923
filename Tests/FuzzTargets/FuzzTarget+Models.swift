import ModelImport
import ModelInference

// Models of other tools.
extension FuzzTarget {
  /// Reads the bytes through every importer, and asks what was read for an answer.
  ///
  /// - Returns: how many importers took them.
  @discardableResult public static func modelsRead(_ bytes: [UInt8]) -> Int {
    let format = try? ModelImporter.format(of: bytes, name: "fuzz")
    let read = [
      try? LightGBMForest.model(bytes, name: "fuzz"), try? XGBoostForest.model(bytes, name: "fuzz"),
      try? CatBoostForest.model(bytes, name: "fuzz"),
    ].compactMap(\.self)
    for model in read {
      guard let forest = model.forest else { preconditionFailure("an importer of forests gives a forest") }
      precondition(forest.fault == nil, "what is read is sound")
      precondition(model.featureNames.count == forest.featureCount, "each feature has a name")
      for value: Float in [0, 1, -1e-36, .nan, .infinity, -.infinity, 3e38] {
        let raw = forest.rawReference([Float](repeating: value, count: forest.featureCount))
        precondition(raw.allSatisfy(\.isFinite), "raw scores are finite")
        precondition(forest.predictions(raw: raw).count == forest.outputCount, "a prediction an output")
      }
      precondition(format?.rawValue == model.kind.rawValue, "the format is told from the content")
    }
    let directory = try? MLflowDirectory(bytes, name: "fuzz", directory: "fuzz")
    return read.count + (directory == nil ? 0 : 1)
  }
}
