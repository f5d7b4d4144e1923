public import ModelInference
internal import TradingTypes

/// Puts members' models together over one row of features.
public enum EnsembleAssembly {
  /// The model of a specification.
  ///
  /// - Parameters:
  ///   - artifact: reads the artifact at a path of the specification.
  ///   - source: what errors call the specification.
  /// - Throws: one line that names the member and what was expected.
  public static func model(
    _ specification: EnsembleSpecification, source: String,
    artifact: (String) throws(ArtifactError) -> ModelArtifact
  ) throws(ImportError) -> EnsembleModel {
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: source, place: place, expected: expected)
    }
    func opened(_ path: String, _ place: String) throws(ImportError) -> ModelArtifact {
      do throws(ArtifactError) { return try artifact(path) } catch {
        throw refused(place, "a whole artifact: \(error)")
      }
    }
    var metadata = specification.metadata
    metadata["name"] = specification.name
    var parts: [(member: EnsembleModel.Member, features: [String])] = []
    for (number, entry) in specification.members.enumerated() {
      let place = "member \(entry.name)"
      let whole = try opened(entry.model, place)
      guard whole.model.members.count == 1, whole.model.combiner == nil else { throw refused(place, "a single model") }
      var member = whole.model.members[0]
      member.name = entry.name
      guard member.isBinary else {
        throw refused(
          place, "a binary classifier: one output with a logistic link (import --link logistic for a logit)")
      }
      if let mode = entry.sequence {
        guard case .network(var network) = member.kind, member.window > 1 else {
          throw refused("\(place).sequence", "null for a model that does not look back")
        }
        guard let known = ["windowed": NetworkState.Mode.windowed, "stateful": .stateful][mode] else {
          throw refused("\(place).sequence", "windowed or stateful, not \(mode)")
        }
        network.mode = known
        member.kind = .network(network)
      }
      // What the engine does not run stays in the member's own artifact.
      if case .network(var network) = member.kind, network.quantised != nil {
        network.float = nil
        member.kind = .network(network)
      }
      for (key, value) in whole.model.metadata where key.hasPrefix("source.") || key == "kind" {
        metadata["member.\(number).\(key)"] = value
      }
      metadata["member.\(number).artifact.sha256"] = whole.sha256
      parts.append((member, whole.model.features))
    }

    let features = names(specification, of: parts.map(\.features))
    let places = Dictionary(features.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    guard places.count == features.count else { throw refused("features", "names that differ") }
    func place(_ name: String, _ what: String) throws(ImportError) -> Int {
      guard let place = places[name] else { throw refused(what, "a feature of the ensemble; \(name) is none") }
      return place
    }
    var members: [EnsembleModel.Member] = []
    for (entry, part) in zip(specification.members, parts) {
      var moved: [Int] = []
      for name in part.features { moved.append(try place(name, "member \(entry.name)")) }
      var single = EnsembleModel(features: part.features, members: [part.member])
      single = single.reading(moved, features: features, featureCount: features.count)
      var member = single.members[0]
      if let required = entry.required {
        var list: [Int] = []
        for name in required { list.append(try place(name, "member \(entry.name).required")) }
        member.required = Set(list).sorted()
      }
      members.append(member)
    }

    let equal = CombinerValues.equal(memberCount: members.count)
    let combiner = CombinerValues(
      averageWeights: specification.weights ?? equal.averageWeights,
      stack: try stack(specification, source: source, equal: equal.stack, opened: opened),
      stackShare: specification.shares.meta, averageShare: specification.shares.average,
      calibration: specification.calibration)
    let model = EnsembleModel(features: features, members: members, combiner: combiner, metadata: metadata)
    if let fault = model.fault { throw refused("ensemble", fault) }
    return model
  }

  private static func names(_ specification: EnsembleSpecification, of lists: [[String]]) -> [String] {
    switch specification.features {
    case .catalogue?: return FeatureSlot.allCases.map(\.name)
    case .names(let names)?: return names
    case nil:
      var seen: Set<String> = []
      return lists.flatMap(\.self).filter { seen.insert($0).inserted }
    }
  }

  private static func stack(
    _ specification: EnsembleSpecification, source: String, equal: CombinerValues.Stack,
    opened: (String, String) throws(ImportError) -> ModelArtifact
  ) throws(ImportError) -> CombinerValues.Stack {
    guard let meta = specification.meta else { return equal }
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: source, place: place, expected: expected)
    }
    guard (meta.inputs ?? "logit") == "logit" else { throw refused("meta.inputs", "logit: what a meta-learner reads") }
    if let weights = meta.weights {
      guard meta.model == nil else { throw refused("meta", "weights or a model, not both") }
      return .logistic(weights: weights, bias: meta.bias ?? 0)
    }
    guard let path = meta.model, meta.bias == nil else { throw refused("meta", "a model, or weights and a bias") }
    let whole = try opened(path, "meta")
    guard whole.model.members.count == 1, case .forest(let forest) = whole.model.members[0].kind,
      forest.featureCount == specification.members.count
    else { throw refused("meta.model", "trees over \(specification.members.count) logits") }
    // A meta-learner that was trained on named columns is read by their names, another by their order.
    let names = specification.members.map(\.name)
    guard Set(whole.model.features) == Set(names) else { return .forest(forest) }
    return .forest(forest.reading(whole.model.features.map { names.firstIndex(of: $0)! }, featureCount: names.count))
  }
}
